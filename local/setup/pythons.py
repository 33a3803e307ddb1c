"""Finding a Python of the wanted version on this machine, using only the standard library.

A command `python3.12` on the path may be a shim of a version manager that does not work, so each candidate is tried.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from lakelocal.errors import SetupError

Version = tuple[int, int]

# Where version managers keep Pythons, below the folder in the variable (or its default in the home folder).
_MANAGERS = (
    ("PYENV_ROOT", ".pyenv", "versions/{version}*/bin/python{version}"),
    ("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python", "cpython-{version}*/bin/python{version}"),
    ("ASDF_DATA_DIR", ".asdf", "installs/python/{version}*/bin/python{version}"),
    ("MISE_DATA_DIR", ".local/share/mise", "installs/python/{version}*/bin/python{version}"),
)


def find_python(oldest: Version, newest: Version, environment: Mapping[str, str] | None = None) -> str:
    """A Python from *oldest* to *newest*: that in `PYTHON3x`, this one, or one on the path or of a version manager.

    Raises:
        SetupError: there is none, or the named one has another version; the message says what was tried.
    """
    environment = os.environ if environment is None else environment
    names = [f"PYTHON3{minor}" for minor in range(newest[1], oldest[1] - 1, -1)]
    expected = f"3.{oldest[1]}" + ("" if oldest == newest else f" to 3.{newest[1]}")
    for name in names:
        if (named := environment.get(name)) and not works(Path(named), oldest, newest):
            raise SetupError(f"{name}: found `{named}`, which is no Python {expected} that runs. Correct its path.")
    looked_at = []
    for candidate in _candidates(names, oldest, newest, environment):
        if works(candidate, oldest, newest):
            return str(candidate)
        looked_at.append(f"`{candidate}`")
    raise SetupError(
        f"found no Python {expected} that runs (looked at {', '.join(looked_at) or 'nothing'}, and at pyenv, uv, asdf "
        f"and mise). Install one (pyenv install 3.{newest[1]}, or: uv python install 3.{newest[1]}), "
        f"or name it: make {names[0]}=/path/to/python3.{newest[1]} ..."
    )


def works(python: Path, oldest: Version, newest: Version) -> bool:
    """Does *python* run, with pip and venv, and is its version from *oldest* to *newest*?"""
    if not python.exists():
        return False
    check = f"import sys, pip, venv; sys.exit(not {oldest} <= sys.version_info[:2] <= {newest})"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _candidates(names: list[str], oldest: Version, newest: Version, environment: Mapping[str, str]) -> Iterator[Path]:
    """Existing candidates, the best first."""
    yield from (Path(environment[name]) for name in names if environment.get(name))
    yield Path(sys.executable)
    home = Path(environment.get("HOME") or "~").expanduser()
    for minor in range(newest[1], oldest[1] - 1, -1):
        version = f"3.{minor}"
        on_path = (Path(folder) / f"python{version}" for folder in environment.get("PATH", "").split(os.pathsep))
        yield from (place for place in on_path if place.exists())
        for variable, default, pattern in _MANAGERS:
            root = Path(environment.get(variable) or home / default)
            yield from sorted(root.glob(pattern.format(version=version)), reverse=True)
