"""The deployed jobs, stored in SQLite: whatever has been acknowledged is on the disk.

| table    | a row is                                                                                               |
| -------- | ------------------------------------------------------------------------------------------------------ |
| `jobs`   | a deployed job: its id, and its settings as the client sent them                                       |
| `states` | a catalog whose runs this workspace shows: its number, see `run_numbers`                               |
| `starts` | an acknowledged run or repair that its process has not taken over yet, see `run_starts`                |
| `tokens` | an idempotency token, and the run that was started with it                                             |

The deployed pipelines are in the table `pipelines` beside them, see `pipeline_store`.
"""

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.history.records import now_ms
from lakelocal.workspace.database import Database, as_json, name_of
from lakelocal.workspace.pipeline_store import SCHEMA as PIPELINES
from lakelocal.workspace.pipeline_store import PipelineStore

_FIRST_ID, _IDS = 10**14, 9 * 10**14  # 15 digits, as on Databricks
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id INTEGER PRIMARY KEY, settings TEXT NOT NULL, created_time INTEGER NOT NULL, changed_time INTEGER NOT NULL,
    creator TEXT NOT NULL, name TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (created_time, job_id);
CREATE TABLE IF NOT EXISTS states (number INTEGER PRIMARY KEY, catalog TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS starts (
    catalog TEXT NOT NULL, run_id INTEGER NOT NULL, repair INTEGER NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (catalog, run_id, repair)
);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, catalog TEXT NOT NULL, run_id INTEGER NOT NULL, made INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class DeployedJob:
    """A job as it was created or reset; times are in epoch milliseconds."""

    job_id: int
    settings: Mapping[str, Any]
    created_time: int
    changed_time: int
    creator: str

    @property
    def name(self) -> str:
        """Its name; `Untitled` if it has none, as the API names it."""
        return name_of(self.settings)


@dataclass(frozen=True)
class Start:
    """A run of *catalog*, or its repair number *repair*, that has been acknowledged; *content* says what to do."""

    catalog: str
    run_id: int
    repair: int
    content: Mapping[str, Any]


class JobStore:
    """The jobs in the file *place*, created if absent; *pipelines* are the pipelines in the same file."""

    def __init__(self, place: Path) -> None:
        self._database = Database(place, _SCHEMA + PIPELINES)
        self.pipelines = PipelineStore(self._database)

    def create(self, settings: Mapping[str, Any], creator: str) -> int:
        """Add a job and return its id."""
        now, job_id = now_ms(), new_job_id()
        with self._database.writing() as database:
            row = (job_id, as_json(settings), now, now, creator, name_of(settings))
            database.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?)", row)
        return job_id

    def put(self, job_id: int, settings: Mapping[str, Any]) -> bool:
        """Replace the settings of a job; False if there is none with this id."""
        with self._database.writing() as database:
            row = (as_json(settings), now_ms(), name_of(settings), job_id)
            changed = database.execute("UPDATE jobs SET settings = ?, changed_time = ?, name = ? WHERE job_id = ?", row)
            return changed.rowcount == 1

    def delete(self, job_id: int) -> bool:
        """Remove a job; its runs stay. False if there is none with this id."""
        with self._database.writing() as database:
            return database.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,)).rowcount == 1

    def job(self, job_id: int) -> DeployedJob | None:
        """The job with this id, if there is one."""
        with self._database.reading() as database:
            row = database.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        return _job(row) if row else None

    def jobs(
        self, *, name: str | None = None, limit: int = -1, before: tuple[int, int] | None = None
    ) -> list[DeployedJob]:
        """The jobs, those created last first.

        Args:
            name: only those with this name, in any case.
            before: begin after the job with this time of creation and this id.
        """
        conditions, values = ["1"], list[Any]()
        if name is not None:
            conditions.append("name = ? COLLATE NOCASE")
            values.append(name)
        if before is not None:
            conditions.append("(created_time, job_id) < (?, ?)")
            values += before
        where = " AND ".join(conditions)
        query = f"SELECT * FROM jobs WHERE {where} ORDER BY created_time DESC, job_id DESC LIMIT ?"
        with self._database.reading() as database:
            return [_job(row) for row in database.execute(query, (*values, limit))]

    def version(self) -> tuple[int, ...]:
        """A value that changes whenever a job is created, changed or deleted."""
        with self._database.reading() as database:
            query = "SELECT count(*), coalesce(max(changed_time), 0), coalesce(sum(changed_time), 0) FROM jobs"
            return tuple(database.execute(query).fetchone())

    def state_numbers(self, catalogs: Sequence[str]) -> dict[str, int]:
        """The number of each catalog, which never changes; new ones get the next numbers, in the given order."""
        with self._database.reading() as database:
            found = dict(database.execute("SELECT catalog, number FROM states").fetchall())
        if new := [catalog for catalog in catalogs if catalog not in found]:
            with self._database.writing() as database:
                for catalog in new:
                    database.execute(
                        "INSERT OR IGNORE INTO states SELECT coalesce(max(number) + 1, 0), ? FROM states", (catalog,)
                    )
                found = dict(database.execute("SELECT catalog, number FROM states").fetchall())
        return found

    def reserve(self, start: Start, token: str = "") -> tuple[str, int]:
        """Store *start* before its run is recorded, and return the catalog and the id of the run for *token*.

        If the token was used before, that is the earlier run, and nothing is stored; a deleted run has a negative id.
        """
        with self._database.writing() as database:
            if token:
                row = database.execute("SELECT catalog, run_id FROM tokens WHERE token = ?", (token,)).fetchone()
                if row:
                    return str(row["catalog"]), int(row["run_id"])
                database.execute(
                    "INSERT INTO tokens VALUES (?, ?, ?, ?)", (token, start.catalog, start.run_id, now_ms())
                )
            row = (start.catalog, start.run_id, start.repair, as_json(start.content))
            database.execute("INSERT INTO starts VALUES (?, ?, ?, ?)", row)
        return start.catalog, start.run_id

    def starts(self) -> list[Start]:
        """The starts that have been acknowledged but not taken over."""
        with self._database.reading() as database:
            rows = database.execute("SELECT * FROM starts ORDER BY catalog, run_id, repair").fetchall()
        return [Start(row["catalog"], row["run_id"], row["repair"], json.loads(row["content"])) for row in rows]

    def take(self, catalog: str, run_id: int, repair: int) -> Mapping[str, Any] | None:
        """Take over a start: exactly one caller gets its content, all others get None."""
        with self._database.writing() as database:
            row = database.execute(
                "DELETE FROM starts WHERE catalog = ? AND run_id = ? AND repair = ? RETURNING content",
                (catalog, run_id, repair),
            ).fetchone()
        return json.loads(row["content"]) if row else None

    def delete_run(self, catalog: str, run_id: int) -> None:
        """Remember that a run was deleted: its idempotency token does not start another one."""
        with self._database.writing() as database:
            database.execute("UPDATE tokens SET run_id = -run_id WHERE catalog = ? AND run_id = ?", (catalog, run_id))

    def forget_all_runs(self) -> None:
        """Remove everything about runs: their histories are gone, and new ones count from 1 again."""
        with self._database.writing() as database:
            database.execute("DELETE FROM starts")
            database.execute("DELETE FROM tokens")

    def forget_run(self, catalog: str, run_id: int) -> None:
        """Remove everything about a run that was never recorded."""
        with self._database.writing() as database:
            database.execute("DELETE FROM starts WHERE catalog = ? AND run_id = ?", (catalog, run_id))
            database.execute("DELETE FROM tokens WHERE catalog = ? AND run_id = ?", (catalog, run_id))


def new_job_id() -> int:
    """An id that no other job has."""
    return _FIRST_ID + secrets.randbelow(_IDS)


def _job(row: sqlite3.Row) -> DeployedJob:
    return DeployedJob(
        row["job_id"], json.loads(row["settings"]), row["created_time"], row["changed_time"], row["creator"]
    )
