"""The commands that messages name: those that exist where the reader is.

The repository of this package has a Makefile and is used without being installed by hand; everywhere else the package
was installed, and brought the command `lakelocal`.
"""

from pathlib import Path

_IN_REPOSITORY = (Path(__file__).resolve().parents[1] / "__main__.py").is_file()

PROGRAM = "python -m local" if _IN_REPOSITORY else "lakelocal"
"""What stands before a verb: `{PROGRAM} runs list`."""

SET_UP = "make setup" if _IN_REPOSITORY else "pip install --force-reinstall lakelocal"
"""What mends the packages of the environment."""

RESET = "make reset" if _IN_REPOSITORY else "lakelocal reset"
"""What deletes the state, after saying what that is."""

OTHER_CLIENT = {
    "pyspark": "Use the other environment: `make run-local`, or `.venv/bin/python -m local ...`",
    "databricks-connect": "Use the other environment: `make run-remote`, or `.venv-remote/bin/python -m local ...`",
} if _IN_REPOSITORY else {
    "pyspark": "Use an environment with lakelocal as `pip install` makes it",
    "databricks-connect": "Use an environment of its own, with lakelocal and databricks-connect in place of pyspark",
}  # fmt: skip
"""What to do where another client of Spark is needed, by the package that the client comes with."""
