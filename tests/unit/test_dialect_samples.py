"""The catalog `samples`: which tables are created, when, and by which statement."""

import logging

import pyspark.sql.connect.proto as proto
import pytest
from dialect_fakes import Schemas

from lakelocal.dialect.plans import Dialect
from lakelocal.dialect.sample_tables import TABLES
from lakelocal.errors import DialectError
from lakelocal.project import State


@pytest.fixture
def dialect(tmp_path) -> Dialect:
    return Dialect(State(tmp_path, "dev", tmp_path / "dev").make())


def analysis(name: str) -> proto.AnalyzePlanRequest:
    """The request behind `spark.table(name).schema`."""
    read = proto.Read(named_table=proto.Read.NamedTable(unparsed_identifier=name))
    schema = proto.AnalyzePlanRequest.Schema(plan=proto.Plan(root=proto.Relation(read=read)))
    return proto.AnalyzePlanRequest(session_id="s", schema=schema)


def made(server: Schemas) -> list[str]:
    return [sql.split()[5] for sql in server.statements if sql.startswith("CREATE TABLE")]


def test_a_table_is_made_by_the_first_request_that_names_it(dialect, caplog):
    """Once, and the note says that it is generated."""
    server = Schemas()

    with caplog.at_level(logging.WARNING, "lakelocal.dialect"):
        dialect.rewrite(analysis("samples.nyctaxi.trips"), server)
        dialect.rewrite(analysis("samples.nyctaxi.TRIPS"), server)

    assert made(server) == ["catalog__samples__nyctaxi.trips"]
    assert [record.getMessage() for record in caplog.records] == [
        "samples.nyctaxi.trips: the rows are generated on this machine; only the columns are Databricks'."
    ]


def test_a_table_that_is_there_stays(dialect, caplog):
    """Another process has created it."""
    server = Schemas("catalog__samples__nyctaxi.trips")

    dialect.rewrite(analysis("samples.nyctaxi.trips"), server)

    assert server.statements == [] and caplog.records == []


def test_a_schema_that_is_listed_has_all_its_tables(dialect):
    """SHOW TABLES IN samples.tpch."""
    server = Schemas()
    sql = proto.Relation(sql=proto.SQL(query="SHOW TABLES IN samples.tpch"))
    command = proto.Command(sql_command=proto.SqlCommand(input=sql))

    dialect.rewrite(proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(command=command)), server)

    assert len(made(server)) == 8


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("samples.nyctaxi.rides", r"expected one of `nyctaxi\.trips` in"),
        ("samples.accuweather.forecast_daily_calendar_metric", r"`bakehouse\.\*`, `nyctaxi\.\*`, `tpch\.\*`, `wander"),
    ],
)
def test_sample_data_that_are_not_here_are_named(dialect, name, there):
    """The message lists those that are."""
    with pytest.raises(DialectError, match=rf"`{name}`: found sample data .*{there}"):
        dialect.rewrite(analysis(name), Schemas())


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO samples.nyctaxi.trips VALUES (1)",
        "CREATE OR REPLACE TABLE samples.nyctaxi.mine AS SELECT 1 AS x",
        "DROP TABLE samples.nyctaxi.trips",
        "DROP SCHEMA samples.nyctaxi CASCADE",
        "CREATE SCHEMA samples.mine",
        "DELETE FROM samples.nyctaxi.trips",
        "MERGE INTO samples.nyctaxi.trips t USING dev.a.t s ON true WHEN MATCHED THEN DELETE",
        "ALTER TABLE samples.nyctaxi.trips ADD COLUMN x INT",
    ],
)
def test_sample_data_can_be_read_only(dialect, sql):
    """As on Databricks: what wrote to them would find other rows elsewhere."""
    server = Schemas()
    command = proto.Command(sql_command=proto.SqlCommand(input=proto.Relation(sql=proto.SQL(query=sql))))

    with pytest.raises(DialectError, match="found the catalog `samples`, which is read-only"):
        dialect.rewrite(proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(command=command)), server)

    assert made(server) == []


def test_a_writer_cannot_write_there_either(dialect):
    """`saveAsTable` and `writeTo`."""
    table = proto.WriteOperation.SaveTable(table_name="samples.nyctaxi.trips")
    command = proto.Command(write_operation=proto.WriteOperation(table=table))

    with pytest.raises(DialectError, match="which is read-only"):
        dialect.rewrite(proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(command=command)), Schemas())


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE dev.a.t AS SELECT * FROM samples.nyctaxi.trips",
        "INSERT INTO t SELECT * FROM samples.nyctaxi.trips",
        "CREATE OR REPLACE TEMP VIEW t AS SELECT * FROM samples.nyctaxi.trips",
        "MERGE INTO a.t USING samples.nyctaxi.trips s ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_tables_made_of_them_are_ones_own(dialect, sql):
    """Most examples begin so."""
    server = Schemas()
    command = proto.Command(sql_command=proto.SqlCommand(input=proto.Relation(sql=proto.SQL(query=sql))))

    dialect.rewrite(proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(command=command)), server)

    assert made(server) == ["catalog__samples__nyctaxi.trips"]


@pytest.mark.parametrize("name", ["nope.a.t", "samples.nyctaxi.rides", "samples.accuweather.x"])
def test_what_cannot_be_there_does_not_exist(dialect, name):
    """`spark.catalog.tableExists` is a question, and no error."""
    asked = proto.Relation(catalog=proto.Catalog(table_exists=proto.TableExists(table_name=name)))
    server = Schemas()

    found = dialect.rewrite(proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(root=asked)), server)

    assert found.plan.root.sql.query == "SELECT false AS value"
    assert server.statements == []


def test_every_column_is_specified_once():
    """A table with a duplicate name could not be created."""
    for name, table in TABLES.items():
        names = [column.name.lower() for column in table.columns]
        assert len(set(names)) == len(names), name
        assert table.rows > 0
