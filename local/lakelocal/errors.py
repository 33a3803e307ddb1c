"""The errors that the local emulator raises on purpose.

A message says where, what was found, what was expected and what to do next.
The command line prints it as one paragraph and exits with `exit_code`: 1 if the work failed, 2 for wrong usage.
"""


class LocalError(Exception):
    """Base class of all errors of the emulator; anything else that escapes is a bug."""

    exit_code = 1


class UsageError(LocalError):
    """Raised when a command, a parameter or a variable does not exist; nothing has run."""

    exit_code = 2


class ProjectError(LocalError):
    """Raised when no project is found, or its state folder cannot be used."""

    exit_code = 2


class BundleError(LocalError):
    """Raised when `databricks.yml` or a job file is not a bundle that can run."""

    exit_code = 2


class NotebookError(LocalError):
    """Raised when a file is not a notebook, or is one that a local kernel cannot run."""


class SetupError(LocalError):
    """Raised when something that set-up provides (Java, jars, packages) is missing or broken."""


class ServerError(LocalError):
    """Raised when the Spark Connect server does not start, has died, or does not answer."""


class DialectError(LocalError):
    """Raised when a Databricks statement, name, path or option has no counterpart here."""


class PathError(DialectError):
    """Raised when a path leaves the state folder, or names a volume that does not exist."""


class DbutilsError(LocalError):
    """Raised when a `dbutils` call is wrong, or has no counterpart here."""


class RunError(LocalError):
    """Raised when a run cannot be started, found or recorded."""


class UnknownRunError(RunError):
    """Raised when the history has no run with the number that a command names."""

    exit_code = 2


class ComparisonError(LocalError):
    """Raised when two runs cannot be compared at all, whatever the reason: exit code 1 would say that they differ."""

    exit_code = 2
