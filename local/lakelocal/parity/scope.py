"""What is compared: which tables, and which of their columns.

Columns that by their nature differ between any two runs, recognised by convention, are left out by default:

- those that begin with one underscore (`_ingested_at`, `_source_file`) describe the delivery of a row.
  Two underscores are content: `__START_AT` and `__END_AT` are columns of AUTO CDC's histories;
- those named after a dynamic value reference that changes with each run: `run_id`, `job_run_id`, `task_run_id`.

So are tables that only a pipeline of its target sees, and whose names have its id.

A project adds its own in `pyproject.toml` beside the bundle:

    [tool.lakelocal.diff]
    exclude = ["ops.progress"]          # tables, as `--exclude`
    ignore = ["ops.*.recorded_at"]      # columns, as `--ignore`
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from lakelocal.errors import ProjectError
from lakelocal.pipelines.definitions import INTERNAL

RUN_IDS = ("run_id", "job_run_id", "task_run_id")
RULE = f"columns that begin with one `_`, and {', '.join(RUN_IDS)}"
_OF_PIPELINES = (f"{INTERNAL}.*", f"*.{INTERNAL}.*")  # in the run's own catalog, and in others


@dataclass(frozen=True)
class DiffScope:
    """File-name patterns of `schema.table`, for columns of `column` or `schema.table.column`; case is ignored."""

    tables: tuple[str, ...] = ("*",)
    excluded: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    all_columns: bool = False

    @classmethod
    def of(
        cls,
        root: Path,
        *,
        tables: Sequence[str] = (),
        excluded: Sequence[str] = (),
        ignored: Sequence[str] = (),
        all_columns: bool = False,
    ) -> "DiffScope":
        """What was asked for, plus what the project in *root* leaves out; with *all_columns*, no column by default.

        Raises:
            ProjectError: the project's settings cannot be read.
        """
        own = {} if all_columns else _settings(root / "pyproject.toml")
        return cls(
            tuple(tables) or ("*",),
            (*excluded, *own.get("exclude", ())),
            (*ignored, *own.get("ignore", ())),
            all_columns,
        )

    def takes(self, table: str) -> bool:
        """Is *table* compared?"""
        excluded = self.excluded if self.all_columns else (*self.excluded, *_OF_PIPELINES)
        return _fits(table, self.tables) and not _fits(table, excluded)

    def ignores(self, table: str, column: str) -> bool:
        """Is *column* of *table* left out?"""
        if _fits(column, self.ignored) or _fits(f"{table}.{column}", self.ignored):
            return True
        return not self.all_columns and _differs_by_nature(column.lower())


def _settings(file: Path) -> dict[str, list[str]]:
    """`tool.lakelocal.diff` of *file*; empty if there is none."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        found: dict[str, list[str]] = document.get("tool", {}).get("lakelocal", {}).get("diff", {})
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ProjectError(f"`{file}`: {error}. Correct the file.") from error
    for name, value in found.items():
        if name not in ("exclude", "ignore") or not (
            isinstance(value, list) and all(isinstance(v, str) for v in value)
        ):
            raise ProjectError(
                f"`{file}`, `tool.lakelocal.diff`: found `{name} = {value}`; expected `exclude` or `ignore`, a list of "
                "patterns. Correct it."
            )
    return found


def _differs_by_nature(column: str) -> bool:
    return column in RUN_IDS or (column.startswith("_") and not column.startswith("__"))


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
