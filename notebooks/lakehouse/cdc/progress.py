"""How far each target has read its source: a table `apply_changes_progress` beside the targets, in their schema.

Rows are appended after the data of a target is written; the newest row of a target and its source applies, and when
there are many rows, only those that apply are written back. Applying is idempotent, so a call that was killed in
between only reads again, and if a row or the table is lost, everything is derived again. A row also records what the
target remembers and its version at that time: a target that has not changed since then is not queried. `source_version`
is NULL if everything has to be read again.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession

from .delta import is_absent, newest_version, text, was_there

TABLE = "apply_changes_progress"
_COLUMNS = (
    "target STRING COMMENT 'Table that reads', source STRING COMMENT 'What it reads', "
    "source_version BIGINT COMMENT 'Version up to which it has read; NULL to read all again', "
    "target_version BIGINT COMMENT 'Newest version of the target when this was recorded', "
    "settings STRING COMMENT 'What the target remembers of how it is made, as JSON', "
    "recorded_at TIMESTAMP COMMENT 'When this was recorded'"
)
_LAST_PART = re.compile(r"\.(?:`(?:[^`]|``)*`|[^.`]+)$")
_MANY_ROWS = 500  # above this, only the rows that apply are written back
_CREATING = Lock()


@dataclass(frozen=True)
class Mark:
    """How far *target* has read *source*; *at_ms* is when that was recorded (since 1970), 0 if it is not yet."""

    target: str
    source: str
    source_version: int | None
    target_version: int | None = None
    settings: dict[str, str] = field(default_factory=dict)
    at_ms: int = 0


def is_unchanged(spark: SparkSession, mark: Mark) -> bool:
    """Has nothing been committed to the target of *mark*, which exists, since that was recorded? By analysis alone."""
    version = mark.target_version
    return (
        version is not None
        and newest_version(spark, mark.target) == version
        and was_there(spark, mark.target, mark.at_ms)
    )


def progress_table(target: str) -> str:
    """The progress table beside *target*, whose name may have a catalog, be quoted, or have no schema at all."""
    schema = _LAST_PART.sub("", target)
    return TABLE if schema == target else f"{schema}.{TABLE}"


class Progress:
    """The progress of targets in one or more schemas: read once, recorded once per schema."""

    def __init__(self, spark: SparkSession, targets: Iterable[str], *, schema: str | None = None) -> None:
        """Read what is known of the *targets*; missing tables are created, in *schema* if it is named."""
        self._spark = spark
        self._schema = schema
        self._marks: dict[str, dict[tuple[str, str], Mark]] = {}  # by progress table
        self._crowded: set[str] = set()  # the tables with many rows
        for table in sorted({self._table(target) for target in targets}):
            rows = sorted(self._rows(table), key=lambda row: (row["recorded_at"], row["source_version"] or -1))
            self._marks[table] = {(row["target"], row["source"]): _mark(row) for row in rows}
            self._crowded |= {table} if len(rows) > _MANY_ROWS else set()

    def find(self, target: str, source: str) -> Mark | None:
        """What applies to *target* and *source*; None if nothing is known, or everything has to be read again."""
        mark = self._marks[self._table(target)].get((target, source))
        return mark if mark and mark.source_version is not None else None

    def record(self, marks: Iterable[Mark]) -> None:
        """Record *marks*, in one commit per schema; call it after the data is written."""
        by_table: dict[str, list[Mark]] = {}
        for mark in marks:
            by_table.setdefault(self._table(mark.target), []).append(mark)
        for table, of_table in by_table.items():
            self._marks[table] |= {(mark.target, mark.source): mark for mark in of_table}
            alone = table in self._crowded
            self._crowded.discard(table)
            values = ",\n".join(f"({_values(mark)})" for mark in (self._marks[table].values() if alone else of_table))
            self._spark.sql(f"INSERT {'OVERWRITE' if alone else 'INTO'} {table} VALUES\n{values}")

    def _table(self, target: str) -> str:
        return f"{self._schema}.{TABLE}" if self._schema else progress_table(target)

    def _rows(self, table: str) -> list[Row]:
        try:
            return self._spark.table(table).selectExpr("*", "unix_millis(recorded_at) AS at_ms").collect()
        except PySparkException as error:
            if not is_absent(error):
                raise
        with _CREATING:  # threads of one process meet here at their first use
            self._spark.sql(
                f"CREATE TABLE IF NOT EXISTS {table} ({_COLUMNS}) USING delta COMMENT 'How far apply_changes has read'"
            )
        return []


def _mark(row: Row) -> Mark:
    settings = json.loads(row["settings"] or "{}")
    return Mark(row["target"], row["source"], row["source_version"], row["target_version"], settings, row["at_ms"])


def _values(mark: Mark) -> str:
    numbers = ("NULL" if number is None else str(number) for number in (mark.source_version, mark.target_version))
    at = f"timestamp_millis({mark.at_ms})" if mark.at_ms else "current_timestamp()"
    return ", ".join([text(mark.target), text(mark.source), *numbers, text(json.dumps(mark.settings)), at])
