"""The deployed pipelines, stored in the same file as the deployed jobs."""

import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakelocal.history.records import now_ms
from lakelocal.workspace.database import Database, as_json, name_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS pipelines (
    pipeline_id TEXT PRIMARY KEY, settings TEXT NOT NULL, created_time INTEGER NOT NULL, changed_time INTEGER NOT NULL,
    creator TEXT NOT NULL, name TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class DeployedPipeline:
    """A pipeline as it was created or changed; times are in epoch milliseconds."""

    pipeline_id: str
    settings: Mapping[str, Any]
    created_time: int
    changed_time: int
    creator: str

    @property
    def name(self) -> str:
        """Its name; `Untitled` if it has none."""
        return name_of(self.settings)

    @property
    def catalog(self) -> str:
        """The catalog of its tables; empty if the settings name none."""
        return str(self.settings.get("catalog") or "")


class PipelineStore:
    """The deployed pipelines in *database*."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, settings: Mapping[str, Any], creator: str) -> str:
        """Add a pipeline and return its id."""
        now, pipeline_id = now_ms(), str(uuid.uuid4())
        row = (pipeline_id, as_json(settings), now, now, creator, name_of(settings))
        with self._database.writing() as database:
            database.execute("INSERT INTO pipelines VALUES (?, ?, ?, ?, ?, ?)", row)
        return pipeline_id

    def put(self, pipeline_id: str, settings: Mapping[str, Any]) -> bool:
        """Replace the settings of a pipeline; False if there is none with this id."""
        row = (as_json(settings), now_ms(), name_of(settings), pipeline_id)
        query = "UPDATE pipelines SET settings = ?, changed_time = ?, name = ? WHERE pipeline_id = ?"
        with self._database.writing() as database:
            return database.execute(query, row).rowcount == 1

    def delete(self, pipeline_id: str) -> bool:
        """Remove a pipeline; False if there is none with this id."""
        with self._database.writing() as database:
            return database.execute("DELETE FROM pipelines WHERE pipeline_id = ?", (pipeline_id,)).rowcount == 1

    def pipeline(self, pipeline_id: str) -> DeployedPipeline | None:
        """The pipeline with this id, if there is one."""
        with self._database.reading() as database:
            row = database.execute("SELECT * FROM pipelines WHERE pipeline_id = ?", (pipeline_id,)).fetchone()
        return _pipeline(row) if row else None

    def pipelines(self, *, like: str = "%") -> list[DeployedPipeline]:
        """The pipelines whose names match the SQL pattern *like*, in the order of their ids."""
        query = "SELECT * FROM pipelines WHERE name LIKE ? ORDER BY pipeline_id"
        with self._database.reading() as database:
            return [_pipeline(row) for row in database.execute(query, (like,))]


def _pipeline(row: sqlite3.Row) -> DeployedPipeline:
    return DeployedPipeline(
        row["pipeline_id"], json.loads(row["settings"]), row["created_time"], row["changed_time"], row["creator"]
    )
