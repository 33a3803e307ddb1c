"""The packages of an environment: its list names and pins those that are used, its constraints pin their dependencies.

There are two environments, because pyspark and databricks-connect both own the package `pyspark` and break each other.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lakelocal.errors import SetupError
from lakelocal.versions import PYTHON_NEWEST, PYTHON_OLDEST, REMOTE_PYTHON
from local.setup.pythons import find_python, works

Tell: TypeAlias = Callable[[str], None]
_LIMIT_SECONDS = 3600.0
_LINES_OF_AN_ERROR = 30


@dataclass(frozen=True)
class Environment:
    """A folder for packages, and the Python versions that they support."""

    folder: str
    packages: str
    constraints: str
    oldest: tuple[int, int]
    newest: tuple[int, int]


LOCAL = Environment(".venv", "environment.yml", "constraints.txt", PYTHON_OLDEST, PYTHON_NEWEST)
REMOTE = Environment(".venv-remote", "environment-remote.yml", "constraints-remote.txt", REMOTE_PYTHON, REMOTE_PYTHON)


def make(root: Path, which: Environment, tell: Tell) -> None:
    """Create or update an environment of *root*: with the conda or mamba in `CONDA`, otherwise with venv and pip.

    *tell* is called with each line that these print.

    Raises:
        SetupError: there is no suitable Python, or the packages cannot be installed.
    """
    venv, packages = root / which.folder, root / which.packages
    conda = os.environ.get("CONDA")
    if conda:
        _run([conda, "env", "update", "-y", "-p", str(venv), "-f", str(packages)], tell)
        return
    python = _python(root, which)
    if not works(python, which.oldest, which.newest):
        chosen = find_python(which.oldest, which.newest)
        shutil.rmtree(venv, ignore_errors=True)
        _run([chosen, "-m", "venv", str(venv)], tell)
    requirements = venv / "requirements.txt"
    requirements.write_text("\n".join(pinned_packages(packages)) + "\n")
    _run([str(python), "-m", "pip", "install", "--disable-pip-version-check", "--prefer-binary",
          "--progress-bar", "off", "-r", str(requirements), "-c", str(root / which.constraints)], tell)  # fmt: skip


def install_emulator(root: Path, which: Environment, tell: Tell) -> None:
    """Install `lakelocal` in an environment of *root*, from its sources: changing them needs no new set-up.

    The package comes with its command, its pytest plugin, and the configuration by which every kernel loads it. Its
    dependencies are already there, pinned. `python -m local` works in every folder.
    """
    for library in (root / which.folder / "lib").glob("python3.*"):
        (library / "site-packages" / "repository.pth").write_text(f"{root}\n")
    _run([str(_python(root, which)), "-m", "pip", "install", "--disable-pip-version-check", "--no-deps",
          "--no-build-isolation", "--editable", str(root / "local")], tell)  # fmt: skip


def fetch_jars(root: Path, which: Environment, tell: Tell) -> None:
    """Fetch Delta's jars now instead of with the first server, as an installed `lakelocal` does."""
    _run([str(_python(root, which)), "-c", "from lakelocal.server.jars import main; main()"], tell)


def _python(root: Path, which: Environment) -> Path:
    return root / which.folder / "bin" / "python"


def pinned_packages(environment_file: Path) -> list[str]:
    """The `name==version` lines of the pip section of *environment_file*.

    Reads only the format of that file, so that set-up needs no YAML package.
    """
    section = environment_file.read_text(encoding="utf-8").partition("- pip:")[2]
    lines = [line.split("#")[0].strip() for line in section.splitlines()]
    return [line[2:].strip() for line in lines if re.match(r"- [A-Za-z]", line)]


def _run(command: list[str], tell: Tell) -> None:
    """Run *command*; *tell* is called with each line that it prints, and its last lines are printed if it fails."""
    shown = f"`{' '.join(command[:4])} ...`"
    last: deque[str] = deque(maxlen=_LINES_OF_AN_ERROR)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except FileNotFoundError as error:
        raise SetupError(f"`{command[0]}`: not found. Install it, or unset CONDA to use pip.") from error
    assert process.stdout is not None  # it is a pipe
    ends = time.monotonic() + _LIMIT_SECONDS
    timer = threading.Timer(_LIMIT_SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            tell(line.strip())
            last.append(line)
        status = process.wait()
    finally:
        timer.cancel()
    if status and time.monotonic() > ends:
        raise SetupError(f"{shown}: not finished after an hour. Check the network, then run again.")
    if status:
        sys.stderr.write("".join(last))
        raise SetupError(
            f"{shown} ended with {status}; its own messages are above. "
            "Check that the package registries are reachable and that the disk has 3 GB free, then run again."
        )
