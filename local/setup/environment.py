"""The packages: `environment.yml` names and pins what is used, `constraints.txt` pins what those bring along."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from local.errors import SetupError

OLDEST, NEWEST = (3, 11), (3, 13)


def make(root: Path, venv: Path) -> None:
    """Bring *venv* to the pins of *root*; by conda where `CONDA` names a conda or mamba, else by venv and pip."""
    conda = os.environ.get("CONDA")
    if conda:
        _run([conda, "env", "update", "-y", "-p", str(venv), "-f", str(root / "environment.yml")])
        return
    python = venv / "bin" / "python"
    if not _works(python):
        shutil.rmtree(venv, ignore_errors=True)
        _run([find_python(), "-m", "venv", str(venv)])
    requirements = venv / "requirements.txt"
    requirements.write_text("\n".join(pinned_packages(root / "environment.yml")) + "\n")
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary",
          "-r", str(requirements), "-c", str(root / "constraints.txt")])  # fmt: skip


def pinned_packages(environment_file: Path) -> list[str]:
    """The `name==version` lines of the pip section of *environment_file*.

    Reads the one shape that file has, so that set-up needs no YAML package.
    """
    section = environment_file.read_text(encoding="utf-8").partition("- pip:")[2]
    lines = [line.split("#")[0].strip() for line in section.splitlines()]
    return [line[2:].strip() for line in lines if re.match(r"- [A-Za-z]", line)]


def find_python() -> str:
    """A Python that the pins support: this one, else one on the path."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        if (found := shutil.which(f"python3.{minor}")) and _works(Path(found)):
            return found
    raise SetupError(
        f"`{sys.executable}`: found Python {sys.version_info[0]}.{sys.version_info[1]}; "
        f"expected 3.{OLDEST[1]} to 3.{NEWEST[1]}. Install one, or name it: make PYTHON=/path/to/python3.12 ..."
    )


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    check = f"import sys, pip, venv; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    return subprocess.run([python, "-c", check], capture_output=True, timeout=60).returncode == 0


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=3600)
    except FileNotFoundError as error:
        raise SetupError(f"`{command[0]}`: not found. Install it, or unset CONDA to use pip.") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"`{' '.join(command[:4])} ...`: no end after an hour. Check the network; run again."
        ) from error
    if done.returncode:
        raise SetupError(
            f"`{' '.join(command[:4])} ...` ended with {done.returncode}; its own words are above. "
            "Check that the package registries are reachable and that the disk has 3 GB free, then run again."
        )
