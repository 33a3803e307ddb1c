"""What the rules know of a task type; each type has a file beside this one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lakelocal.lakeflow.findings import Finding
from lakelocal.lakeflow.verdicts import FieldRule

VALUES, ROWS, ALERT = "values", "rows", "alert"
Inner = Mapping[str, Any]


def _nothing_wrong(inner: Inner) -> Iterator[Finding]:
    return iter(())


def _details(notebook_path: str, parameters: Any, details: Inner) -> Inner:
    return details


@dataclass(frozen=True)
class TaskType:
    """One task type, by its *name*: the field of a task that contains its own fields.

    *fields* are the rules for these by their path below it, the type itself under ``""``. *file* leads to the field
    that names its file, *notebook* says whether that is a notebook; *parameters* are the fields that may contain
    parameters. *operands* are the fields that say what it does, in which a reference must have a value before it
    starts. *leaves* is what references may read of it, besides how it ended: `VALUES`, `ROWS`, `ALERT`. A type with
    *branches* has an outcome; it has neither retries nor notifications. One that *needs_compute* has to name some.

    *check* finds what is wrong with its fields, at paths below it; *unusable* says which of its fields prevent it from
    running here, None if none does. *shown* is what `runs get` shows of it, from the path of its notebook, its
    parameters and what was recorded of it.
    """

    name: str
    fields: Mapping[str, FieldRule]
    file: tuple[str, ...] = ()
    notebook: bool = False
    parameters: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    leaves: frozenset[str] = field(default_factory=frozenset)
    branches: bool = False
    needs_compute: bool = False
    check: Callable[[Inner], Iterator[Finding]] = _nothing_wrong
    unusable: Callable[[Inner], tuple[str, str] | None] = lambda inner: None
    shown: Callable[[str, Any, Inner], Inner] = _details

    def block_of_file(self, inner: Inner) -> Inner | None:
        """The block of *inner* that names the file, and has its `source`; None if there is none."""
        block: Any = inner
        for step in self.file[:-1]:
            block = block.get(step) if isinstance(block, Mapping) else None
        return block if self.file and isinstance(block, Mapping) else None
