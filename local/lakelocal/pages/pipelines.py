"""Pipelines in a list, and one pipeline with its form: its parts, and how its last updates ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from lakelocal.pages.runs import RunLine

LAST_UPDATES = 10


@dataclass(frozen=True)
class PipelineView:
    """A pipeline; *schema* is that of its tables, with its catalog. *wrong* says why it cannot be updated.

    *can_stop*: it is deployed, and an update of it is active.
    """

    href: str
    name: str
    key: str
    origin: str
    schema: str
    sources: Sequence[str]
    last: Sequence[RunLine]
    wrong: str = ""
    can_stop: bool = False
