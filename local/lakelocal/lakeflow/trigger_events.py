"""What started a run other than the clock or a person: new files, or tables that were updated.

Source: `{{job.trigger.file_arrival...}}` and `{{job.trigger.table_update...}}` of the documentation of dynamic value
references; `TriggerType` of the Jobs API.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

FILE_ARRIVAL, TABLE = "FILE_ARRIVAL", "TABLE"


@dataclass(frozen=True)
class TableVersion:
    """The *version* of a table, and when it was committed, in epoch milliseconds."""

    version: int
    committed_ms: int

    @property
    def committed(self) -> datetime:
        return datetime.fromtimestamp(self.committed_ms / 1000, UTC)


@dataclass(frozen=True)
class TriggerEvent:
    """New files in *location*; or *updated* tables, and the versions of all *tables* that the trigger names."""

    location: str = ""
    updated: tuple[str, ...] = ()
    tables: Mapping[str, TableVersion] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The trigger of the run, as the Jobs API names it."""
        return FILE_ARRIVAL if self.location else TABLE

    def as_json(self) -> dict[str, Any]:
        """What `of` reads."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "TriggerEvent":
        """The event that `as_json` wrote."""
        tables = {name: TableVersion(**each) for name, each in content["tables"].items()}
        return cls(content["location"], tuple(content["updated"]), tables)
