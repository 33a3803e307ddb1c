"""The first run creates what a new catalog contains; a volume that was dropped is not replaced without a word."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from generator_fakes import FakeDbutils

from lakehouse.catalog import SCHEMAS, VOLUMES, set_up_new_catalog
from lakehouse.errors import PlaceError

MISSING = "Volume path not found: /Volumes/olist_dev/raw/olist, run notebooks/00_setup"


@dataclass
class Table:
    """A row of SHOW TABLES."""

    tableName: str


class Rows(list):
    """An answer of Spark, and what `spark.table` returns of a table."""

    columns = ("recorded_at", "table_version")

    def collect(self) -> "Rows":
        return self


class Workspace:
    """The `spark` of a workspace with the catalog `olist_dev`, in whose schema bronze are *tables*."""

    version = "any"

    def __init__(self, dbutils: FakeDbutils, *tables: str, may_create: bool = True) -> None:
        self.dbutils, self.tables, self.may_create = dbutils, tables, may_create
        self.created: list[str] = []

    def sql(self, statement: str) -> Rows:
        words = statement.split()
        if words[:2] == ["USE", "CATALOG"] and words[2] != "`olist_dev`":
            raise RuntimeError(f"[NO_SUCH_CATALOG_EXCEPTION] Catalog {words[2]} was not found.\nJVM stacktrace:")
        if words[0] == "CREATE":
            if not self.may_create:
                raise RuntimeError("[PERMISSION_DENIED] User does not have CREATE SCHEMA on Catalog 'olist_dev'.")
            self.created.append(words[5])
            if words[1] == "VOLUME":
                self.dbutils.fs.mkdirs(f"/Volumes/olist_dev/{words[5].replace('.', '/')}")
        if statement == "SHOW SCHEMAS":
            return Rows([("default",), *([("bronze",)] if self.tables else [])])
        return Rows([Table(name) for name in self.tables])

    def table(self, name: str) -> Rows:
        return Rows()


@pytest.fixture
def dbutils(tmp_path: Path) -> FakeDbutils:
    """A catalog without any volume."""
    made = FakeDbutils(tmp_path)
    made.root.rmdir()
    return made


def test_a_new_catalog_gets_all_that_it_contains(dbutils: FakeDbutils) -> None:
    """The landing volume comes last: if the run dies before, the next one creates what is missing."""
    spark = Workspace(dbutils)

    assert set_up_new_catalog(spark, dbutils, "olist_dev")  # type: ignore[arg-type]

    assert spark.created[: len(SCHEMAS)] == list(SCHEMAS)
    assert spark.created[-len(VOLUMES) :] == list(VOLUMES)
    assert {each for each in spark.created if each.startswith("ops.")} > {"ops.checkpoints", "ops.progress"}
    assert spark.created[-1] == "raw.olist"
    assert (dbutils.root / "cdc" / "customers").is_dir() and (dbutils.root / "orders").is_dir()


def test_a_server_that_does_not_start_is_no_missing_volume(dbutils: FakeDbutils) -> None:
    """Its own error is the reason, with its own next step."""

    class Unreachable(Workspace):
        @property
        def version(self) -> str:
            raise ConnectionError("the server did not start")

    with pytest.raises(ConnectionError, match="the server did not start"):
        set_up_new_catalog(Unreachable(dbutils), dbutils, "olist_dev")  # type: ignore[arg-type]


def test_a_catalog_that_is_set_up_costs_no_statement(dbutils: FakeDbutils) -> None:
    """Each day's run asks only whether the volume exists."""
    dbutils.root.mkdir(parents=True)
    spark = Workspace(dbutils, may_create=False)

    assert not set_up_new_catalog(spark, dbutils, "olist_dev")  # type: ignore[arg-type]

    assert spark.created == []


@pytest.mark.parametrize(
    ("spark", "catalog", "reason"),
    [
        ({"tables": ["bronze_orders"]}, "olist_dev", "such as bronze_orders: the volume was dropped"),
        ({"may_create": False}, "olist_dev", "User does not have CREATE SCHEMA on Catalog 'olist_dev'."),
        ({}, "olist_dve", "Catalog `olist_dve` was not found."),
    ],
)
def test_what_cannot_be_set_up_is_the_known_problem_with_its_reason(
    dbutils: FakeDbutils, spark: dict, catalog: str, reason: str
) -> None:
    """The specification's first problem: no volume, or an incorrect name of the catalog."""
    tables = spark.pop("tables", ())

    with pytest.raises(PlaceError) as raised:
        set_up_new_catalog(Workspace(dbutils, *tables, **spark), dbutils, catalog)  # type: ignore[arg-type]

    message = str(raised.value)
    assert message.startswith(MISSING.replace("olist_dev", catalog)) and reason in message
    assert "stacktrace" not in message
