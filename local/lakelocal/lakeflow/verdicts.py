"""How a local run treats a field of a job: the words for it, and how the rules for fields are written."""

from typing import TypeAlias

HONOURED, APPROXIMATED, IGNORED, REFUSED = VERDICTS = ("honoured", "approximated", "ignored", "refused")
"""As on Databricks; with an effect that is not quite the same; without effect; a task with it does not run here."""

COMPUTE = "all tasks run on this machine"
FROM_GIT = "nothing is cloned; use `source: WORKSPACE` and a file of the bundle"

FieldRule: TypeAlias = tuple[str, str]
"""A verdict, and a note; for a refused field, what to use instead."""


def for_fields(path: str, names: str, verdict: str, note: str = "") -> dict[str, FieldRule]:
    """The same rule for the fields *names* (separated by blanks) below *path*."""
    return {f"{path}{'.' if path else ''}{name}": (verdict, note) for name in names.split()}


def source_of_file(path: str) -> dict[str, FieldRule]:
    """The rules for where the file of a task comes from; *path* is that of the block that names it."""
    field = f"{path}.source" if path else "source"
    return {field: (HONOURED, ""), f"{field}=GIT": (REFUSED, FROM_GIT)}
