"""The commands that messages refer to: those that work where the reader is, when they are pasted.

The repository of this package has a Makefile and is used without being installed by hand; everywhere else, the package
was installed together with the command `lakelocal`.
"""

import os
import shutil
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_IN_REPOSITORY = (_REPOSITORY / "local" / "__main__.py").is_file()
_NAMED = "LOCAL_PROGRAM"  # tells child processes, which run in other folders, how the reader called this one


def called(folder: Path, executable: Path = Path(sys.executable)) -> str:
    """How to call this program in *folder* with the Python *executable*: by its name, if the shell finds it by that."""
    if _IN_REPOSITORY and folder == _REPOSITORY:
        return f"{_shortest(executable.with_name('python'), folder)} -m local"
    command = executable.with_name("lakelocal")
    return _shortest(command, folder) if command.is_file() else f"{_shortest(executable, folder)} -m lakelocal"


def _shortest(command: Path, folder: Path) -> str:
    found = shutil.which(command.name)
    if found and Path(found).parent.resolve() == command.parent.resolve():
        return command.name
    return str(command.relative_to(folder) if command.is_relative_to(folder) else command)


def _called_here() -> str:
    try:
        return called(Path.cwd())
    except FileNotFoundError:  # the folder has been deleted
        return called(Path("/"))


PROGRAM = os.environ.get(_NAMED) or os.environ.setdefault(_NAMED, _called_here())
"""What to write before a verb: `{PROGRAM} runs list`."""

SET_UP = "make setup" if _IN_REPOSITORY else "pip install --force-reinstall lakelocal"
"""What repairs the packages of the environment."""

RESET = "make reset" if PROGRAM.endswith("-m local") else f"{PROGRAM} reset"
"""What deletes the state, after printing what that is."""

OTHER_CLIENT = {
    "pyspark": "Use the other environment: `make run-local`, or `.venv/bin/python -m local ...`",
    "databricks-connect": "Use the other environment: `make run-remote`, or `.venv-remote/bin/python -m local ...`",
} if _IN_REPOSITORY else {
    "pyspark": "Use an environment with lakelocal as `pip install` makes it",
    "databricks-connect": "Use an environment of its own, with lakelocal and databricks-connect instead of pyspark",
}  # fmt: skip
"""What to do if another Spark client is needed, by the package that provides the client."""
