"""The commands that messages refer to: those that exist where the reader is.

The repository of this package has a Makefile and is used without being installed by hand; everywhere else, the package
was installed together with the command `lakelocal`.
"""

from pathlib import Path

_IN_REPOSITORY = (Path(__file__).resolve().parents[1] / "__main__.py").is_file()

PROGRAM = "python -m local" if _IN_REPOSITORY else "lakelocal"
"""What to write before a verb: `{PROGRAM} runs list`."""

SET_UP = "make setup" if _IN_REPOSITORY else "pip install --force-reinstall lakelocal"
"""What repairs the packages of the environment."""

RESET = "make reset" if _IN_REPOSITORY else "lakelocal reset"
"""What deletes the state, after printing what that is."""

OTHER_CLIENT = {
    "pyspark": "Use the other environment: `make run-local`, or `.venv/bin/python -m local ...`",
    "databricks-connect": "Use the other environment: `make run-remote`, or `.venv-remote/bin/python -m local ...`",
} if _IN_REPOSITORY else {
    "pyspark": "Use an environment with lakelocal as `pip install` makes it",
    "databricks-connect": "Use an environment of its own, with lakelocal and databricks-connect instead of pyspark",
}  # fmt: skip
"""What to do if another Spark client is needed, by the package that provides the client."""
