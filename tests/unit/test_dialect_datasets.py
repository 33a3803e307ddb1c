"""Standalone streaming tables and materialized views: what each statement asks of them, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from dialect_fakes import Schemas

from lakelocal.dialect.datasets import TABLE, VIEW, Name, Owner
from lakelocal.dialect.names import Names
from lakelocal.dialect.sessions import Namespace, Sessions
from lakelocal.dialect.statement import NOTHING
from lakelocal.dialect.statements import Statements
from lakelocal.dialect.volumes import Volumes
from lakelocal.errors import DialectError
from lakelocal.paths import DatabricksPaths
from lakelocal.project import State


@dataclass
class Noted:
    """Datasets that are only noted; *owners* has those that are there."""

    owners: dict[Name, Owner] = field(default_factory=dict)
    done: list[tuple[object, ...]] = field(default_factory=list)

    def make(self, text: str, name: Name, place: Namespace, settings: Mapping[str, str]) -> None:
        self.done.append(("make", ".".join(name), f"{place.catalog}.{place.schema}", text))

    def refresh(self, name: Name, *, full: bool) -> None:
        self.done.append(("refresh", ".".join(name), full))

    def forget(self, name: Name) -> None:
        self.done.append(("forget", ".".join(name)))

    def owner(self, name: Name) -> Owner | None:
        return self.owners.get(name)

    def has_own(self, name: Name) -> bool:
        return name in self.owners and not self.owners[name].pipeline


@pytest.fixture
def datasets() -> Noted:
    """A streaming table and a materialized view by themselves, and a view of a pipeline."""
    own = {("dev", "raw", "s"): Owner(TABLE), ("dev", "raw", "v"): Owner(VIEW), ("dev", "raw", "full"): Owner(VIEW)}
    return Noted({**own, ("dev", "raw", "p"): Owner(VIEW, "pipeline-1"), ("dev", "raw", "gone"): Owner(VIEW)})


@pytest.fixture
def run(tmp_path, datasets):
    """Translates a statement of a session in the schema `raw`, where there are also a table and what is forgotten."""
    volumes = Volumes(DatabricksPaths(State(tmp_path, "dev", tmp_path / "dev").make()))
    statements = Statements(volumes, Sessions(volumes.catalogs), datasets)
    statements.sessions.move("session", Namespace("dev", "raw"))
    server = Schemas("default", "raw", "raw.s", "raw.v", "raw.full", "raw.p", "raw.plain")

    def translate(sql: str) -> str:
        return statements.translate(sql, "session", Names(volumes.catalogs, "dev"), server, lambda plain: plain)

    return translate


@pytest.mark.parametrize(
    ("sql", "runs", "done"),
    [
        ("CREATE OR REFRESH STREAMING TABLE s AS SELECT 1", NOTHING, ["make", "dev.raw.s"]),
        ("create streaming table if not exists s as select 1", NOTHING, []),
        ("CREATE STREAMING TABLE new AS SELECT 1", NOTHING, ["make", "dev.raw.new"]),
        ("CREATE OR REPLACE MATERIALIZED VIEW dev.raw.v AS SELECT 1", NOTHING, ["make", "dev.raw.v"]),
        ("CREATE MATERIALIZED VIEW gone AS SELECT 1", NOTHING, ["forget", "dev.raw.gone"]),
        ("REFRESH MATERIALIZED VIEW v", NOTHING, ["refresh", "dev.raw.v", False]),
        ("REFRESH STREAMING TABLE raw.s FULL", NOTHING, ["refresh", "dev.raw.s", True]),
        ("REFRESH MATERIALIZED VIEW full", NOTHING, ["refresh", "dev.raw.full", False]),
        ("REFRESH TABLE s", NOTHING, ["refresh", "dev.raw.s", False]),
        ("REFRESH TABLE plain", "REFRESH TABLE plain", []),
        ("DROP MATERIALIZED VIEW IF EXISTS dev.raw.v", "DROP TABLE IF EXISTS dev.raw.v", ["forget", "dev.raw.v"]),
        ("DROP VIEW v", "DROP TABLE IF EXISTS v", ["forget", "dev.raw.v"]),
        ("DROP TABLE IF EXISTS s", "DROP TABLE IF EXISTS s", ["forget", "dev.raw.s"]),
        ("DROP TABLE plain", "DROP TABLE plain", []),
        ("DROP TABLE p", "DROP TABLE p", []),
        ("DROP MATERIALIZED VIEW IF EXISTS nosuch", NOTHING, []),
        ("ALTER STREAMING TABLE s ALTER COLUMN a COMMENT 'x'", "ALTER TABLE s ALTER COLUMN a COMMENT 'x'", []),
        ("ALTER TABLE s", "ALTER TABLE s", []),
        (
            "ALTER STREAMING TABLE s ALTER COLUMN trigger COMMENT 'x'",
            "ALTER TABLE s ALTER COLUMN trigger COMMENT 'x'",
            [],
        ),
        ("ALTER MATERIALIZED VIEW v DROP SCHEDULE", NOTHING, []),
        ("ALTER MATERIALIZED VIEW v ADD TRIGGER ON UPDATE", NOTHING, []),
    ],
)
def test_what_a_statement_does(run, datasets, sql, runs, done):
    """What Spark runs, and the first thing that is done."""
    assert run(sql) == runs
    assert list(datasets.done[0] if datasets.done else ())[: len(done)] == done
    assert bool(datasets.done) is bool(done)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("CREATE STREAMING TABLE s AS SELECT 1", "TABLE_OR_VIEW_ALREADY_EXISTS"),
        ("CREATE OR REFRESH MATERIALIZED VIEW p AS SELECT 1", "belongs to the pipeline pipeline-1"),
        ("REFRESH MATERIALIZED VIEW p", "belongs to the pipeline pipeline-1"),
        ("REFRESH MATERIALIZED VIEW plain", "TABLE_OR_VIEW_NOT_FOUND"),
        ("REFRESH MATERIALIZED VIEW gone", "TABLE_OR_VIEW_NOT_FOUND"),
        ("REFRESH MATERIALIZED VIEW s", "a streaming table; expected a materialized view"),
        ("REFRESH MATERIALIZED VIEW v WHERE a = 1", "WHERE has no counterpart"),
        ("DROP MATERIALIZED VIEW nosuch", "TABLE_OR_VIEW_NOT_FOUND"),
    ],
)
def test_what_is_refused(run, datasets, sql, said):
    """Nothing is made, refreshed or forgotten then."""
    with pytest.raises(DialectError, match=said):
        run(sql)

    assert not datasets.done


def test_they_know_where_their_statement_was_run(run, datasets):
    """Names in the query are completed from the schema of the session, also in a later refresh."""
    run("CREATE OR REFRESH STREAMING TABLE s AS SELECT * FROM STREAM other")

    assert datasets.done == [
        ("make", "dev.raw.s", "dev.raw", "CREATE OR REFRESH STREAMING TABLE s AS SELECT * FROM STREAM other")
    ]
