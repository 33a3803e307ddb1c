"""What is compared: which tables, and which of their columns.

Left out by default are columns that differ between any two runs by their nature, known by convention:

- those that begin with one underscore (`_ingested_at`, `_source_file`): they tell of the delivery of a row.
  Two underscores are content: `__START_AT` and `__END_AT` are columns of AUTO CDC's histories;
- those named after a dynamic value reference that is another one in each run: `run_id`, `job_run_id`, `task_run_id`.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

RUN_IDS = ("run_id", "job_run_id", "task_run_id")
RULE = f"columns that begin with one `_`, and {', '.join(RUN_IDS)}"


@dataclass(frozen=True)
class Scope:
    """Patterns as in file names, of `schema.table`, for columns of `column` or `schema.table.column`; no case."""

    tables: tuple[str, ...] = ("*",)
    excluded: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    all_columns: bool = False

    def takes(self, table: str) -> bool:
        """Is *table* compared?"""
        return _fits(table, self.tables) and not _fits(table, self.excluded)

    def ignores(self, table: str, column: str) -> bool:
        """Is *column* of *table* left out?"""
        if _fits(column, self.ignored) or _fits(f"{table}.{column}", self.ignored):
            return True
        return not self.all_columns and _differs_by_nature(column.lower())


def _differs_by_nature(column: str) -> bool:
    return column in RUN_IDS or (column.startswith("_") and not column.startswith("__"))


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
