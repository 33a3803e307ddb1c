"""The official SDK's Unity Catalog and SQL calls on the catalog of the tests' Spark server."""

import datetime
import io
import shutil
import threading
from collections.abc import Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, InvalidParameterValue, NotFound, ResourceDoesNotExist
from databricks.sdk.service.catalog import PermissionsChange, Privilege, TableType, VolumeType
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    StatementParameterListItem,
    StatementState,
)

from lakelocal.project import Project, State
from lakelocal.workspace.workspace import Workspace
from tests.workspace.servers import serving

CATALOG = "olist_dev"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, state: State) -> Iterator[Workspace]:
    """A workspace on a socket that has the catalog of the tests' server."""
    root = tmp_path_factory.mktemp("workspace")
    (root / "databricks.yml").write_text("bundle: {name: x}\nvariables: {catalog: {default: olist_dev}}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_USER", "ana@example.com")
        patch.setenv("DATABRICKS_CONFIG_FILE", str(root / "none.cfg"))
        with serving(Project(root, state.folder.parent)) as served:
            yield served


@pytest.fixture(scope="module")
def w(workspace: Workspace) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=workspace.gate.token)


@pytest.fixture(scope="module")
def warehouse(w: WorkspaceClient) -> str:
    """The id of the warehouse, whose Spark server has started."""
    found = next(iter(w.warehouses.list())).id
    started = w.statement_execution.execute_statement("SELECT 1", found, wait_timeout="0s")
    assert values(ended(w, started.statement_id)) == [["1"]]
    return found


@pytest.fixture(scope="module")
def schema(w: WorkspaceClient) -> Iterator[str]:
    """The schema `olist_dev.api`."""
    made = w.schemas.create("API", CATALOG, comment="it's \\ made", properties={"team": "a"})
    yield made.full_name
    w.schemas.delete(made.full_name, force=True)


def values(answer) -> list[list[str | None]]:
    assert answer.status.state is StatementState.SUCCEEDED, answer.status
    return answer.result.data_array or []


def test_schemas(w: WorkspaceClient, schema: str, spark) -> None:
    assert schema == f"{CATALOG}.api", "names are in small letters, as Unity Catalog has them"
    found = w.schemas.get("OLIST_DEV.Api")
    assert (found.name, found.catalog_name, found.owner, found.comment, found.properties) == (
        "api", CATALOG, "ana@example.com", "it's \\ made", {"team": "a"},
    )  # fmt: skip
    assert {"api", "default", "information_schema"} <= {each.name for each in w.schemas.list(CATALOG)}
    told = {row[0]: row[1] for row in spark.sql(f"DESCRIBE SCHEMA {schema}").collect()}
    assert told["Comment"] == "it's \\ made"
    assert w.schemas.update(schema, comment="other").comment == "other"
    with pytest.raises(BadRequest, match="already exists"):
        w.schemas.create("api", CATALOG)
    for name in (f"{CATALOG}.absent", "absent.api"):
        with pytest.raises(NotFound):
            w.schemas.get(name)
    for name in ("olist_dev", "a.b.c", "olist_dev."):
        with pytest.raises(InvalidParameterValue):
            w.schemas.get(name)


def test_a_schema_with_content_is_removed_only_by_force(w: WorkspaceClient, spark) -> None:
    w.schemas.create("full", CATALOG)
    w.volumes.create(CATALOG, "full", "files", VolumeType.MANAGED)
    spark.sql("CREATE TABLE olist_dev.full.t AS SELECT 1 AS n")
    with pytest.raises(BadRequest, match="not empty"):
        w.schemas.delete(f"{CATALOG}.full")
    w.volumes.delete(f"{CATALOG}.full.files")
    with pytest.raises(BadRequest):
        w.schemas.delete(f"{CATALOG}.full")
    w.schemas.delete(f"{CATALOG}.full", force=True)
    with pytest.raises(NotFound):
        w.schemas.get(f"{CATALOG}.full")


def test_volumes(w: WorkspaceClient, schema: str, spark) -> None:
    made = w.volumes.create(CATALOG, "api", "Landing", VolumeType.MANAGED, comment="files")
    assert (made.full_name, made.volume_type, made.comment) == (f"{schema}.landing", VolumeType.MANAGED, "files")
    w.files.upload(f"/Volumes/{CATALOG}/api/landing/a.csv", io.BytesIO(b"n\n1\n2\n"))
    rows = spark.read.option("header", True).csv(f"/Volumes/{CATALOG}/api/landing/a.csv").collect()
    assert [row.n for row in rows] == ["1", "2"]
    assert [each.name for each in w.volumes.list(CATALOG, "api")] == ["landing"]
    assert w.volumes.read(f"{schema}.landing").volume_id == made.volume_id
    renamed = w.volumes.update(f"{schema}.landing", new_name="moved", comment="new")
    assert (renamed.full_name, renamed.comment) == (f"{schema}.moved", "new")
    assert w.files.download(f"/Volumes/{CATALOG}/api/moved/a.csv").contents.read() == b"n\n1\n2\n"
    with pytest.raises(BadRequest, match="already exists"):
        w.volumes.create(CATALOG, "api", "moved", VolumeType.MANAGED)
    with pytest.raises(InvalidParameterValue, match="no storage here other"):
        w.volumes.create(CATALOG, "api", "far", VolumeType.EXTERNAL, storage_location="s3://bucket/x")
    for name in ("a/b", "a b", "a.b", "", "x" * 256):
        with pytest.raises(BadRequest):
            w.volumes.create(CATALOG, "api", name, VolumeType.MANAGED)
    w.volumes.delete(f"{schema}.moved")
    with pytest.raises(NotFound):
        w.volumes.read(f"{schema}.moved")
    with pytest.raises(NotFound):
        w.files.download(f"/Volumes/{CATALOG}/api/moved/a.csv")


def test_tables_and_their_columns(w: WorkspaceClient, schema: str, spark) -> None:
    spark.sql(f"CREATE TABLE {schema}.t (id BIGINT NOT NULL COMMENT 'the key', price DECIMAL(12,2)) COMMENT 'prices'")
    spark.sql(f"CREATE VIEW {schema}.v AS SELECT id FROM {schema}.t")
    found = {each.name: each for each in w.tables.list(CATALOG, "api")}
    assert (found["t"].table_type, found["v"].table_type) == (TableType.MANAGED, TableType.VIEW)
    table = w.tables.get(f"{schema}.T")
    assert (table.full_name, table.comment, table.data_source_format.value) == (f"{schema}.t", "prices", "DELTA")
    assert [(c.name, c.type_text, c.type_name.value, c.nullable, c.comment) for c in table.columns] == [
        ("id", "bigint", "LONG", False, "the key"),
        ("price", "decimal(12,2)", "DECIMAL", True, None),
    ]
    assert w.tables.exists(f"{schema}.t").table_exists
    assert not w.tables.exists(f"{schema}.absent").table_exists
    w.tables.delete(f"{schema}.v")
    w.tables.delete(f"{schema}.t")
    with pytest.raises(NotFound):
        w.tables.get(f"{schema}.t")
    assert not list(w.tables.list(CATALOG, "api"))


def test_catalogs(w: WorkspaceClient) -> None:
    w.catalogs.create("Lab", comment="trial")
    assert {CATALOG, "lab", "main", "samples", "system"} <= {each.name for each in w.catalogs.list()}
    assert w.catalogs.update("lab", comment="other").comment == "other"
    w.volumes.create("lab", "default", "files", VolumeType.MANAGED)
    w.files.upload("/Volumes/lab/default/files/x", io.BytesIO(b"x"))
    with pytest.raises(BadRequest, match="already exists"):
        w.catalogs.create("LAB")
    w.catalogs.delete("lab", force=True)
    for call in (w.catalogs.get, w.catalogs.delete, lambda name: list(w.schemas.list(name))):
        with pytest.raises(NotFound):
            call("lab")
    with pytest.raises(NotFound):
        w.files.download("/Volumes/lab/default/files/x")
    with pytest.raises(BadRequest):
        w.catalogs.delete("main")
    with pytest.raises(InvalidParameterValue):
        w.catalogs.create("../x")


def test_grants_are_kept_and_told_again(w: WorkspaceClient, schema: str) -> None:
    add = PermissionsChange(principal="team", add=[Privilege.USE_SCHEMA, Privilege.SELECT])
    w.grants.update("schema", schema, changes=[add])
    found = w.grants.get("schema", schema).privilege_assignments
    assert [(each.principal, each.privileges) for each in found] == [("team", [Privilege.SELECT, Privilege.USE_SCHEMA])]
    w.grants.update("schema", schema, changes=[PermissionsChange(principal="team", remove=[Privilege.SELECT])])
    assert w.grants.get("schema", schema).privilege_assignments[0].privileges == [Privilege.USE_SCHEMA]
    effective = w.grants.get_effective("schema", schema).privilege_assignments[0]
    assert [each.privilege for each in effective.privileges] == [Privilege.USE_SCHEMA]
    w.grants.update("schema", schema, changes=[PermissionsChange(principal="team", remove=[Privilege.ALL_PRIVILEGES])])
    assert not w.grants.get("schema", schema).privilege_assignments


def test_values_as_the_api_writes_them(w: WorkspaceClient, warehouse: str) -> None:
    """As the documentation of the API has JSON_ARRAY: each value a text, NULL null, times in ISO 8601."""
    answer = w.statement_execution.execute_statement(
        """SELECT 1 AS i, 2L AS l, true AS b, 1.5 AS d, 0.1D AS f, double('NaN') AS n, 'é"' AS s,
           DATE'2018-01-02' AS day, TIMESTAMP'2018-01-02 03:04:05.678Z' AS t, TIMESTAMP_NTZ'2018-01-02 03:04:05' AS z,
           NULL AS x, X'00ff' AS bin,
           array(1, NULL) AS a, named_struct('k', 'v') AS r, map('k', 1) AS m""",
        warehouse,
    )
    assert values(answer) == [
        ["1", "2", "true", "1.5", "0.1", "NaN", 'é"', "2018-01-02", "2018-01-02T03:04:05.678Z",
         "2018-01-02T03:04:05.000", None, "AP8=", "[1, null]", '{"k": "v"}', '{"k": 1}']
    ]  # fmt: skip
    columns = {each.name: (each.type_name.value, each.type_text) for each in answer.manifest.schema.columns}
    assert columns == {
        "i": ("INT", "INT"), "l": ("LONG", "BIGINT"), "b": ("BOOLEAN", "BOOLEAN"), "d": ("DECIMAL", "DECIMAL(2,1)"),
        "f": ("DOUBLE", "DOUBLE"), "n": ("DOUBLE", "DOUBLE"), "s": ("STRING", "STRING"), "day": ("DATE", "DATE"),
        "t": ("TIMESTAMP", "TIMESTAMP"), "z": ("TIMESTAMP", "TIMESTAMP_NTZ"), "x": ("NULL", "VOID"),
        "bin": ("BINARY", "BINARY"), "a": ("ARRAY", "ARRAY<int>"), "r": ("STRUCT", "STRUCT<k:string>"),
        "m": ("MAP", "MAP<string,int>"),
    }  # fmt: skip
    decimal = answer.manifest.schema.columns[3]
    assert (decimal.type_precision, decimal.type_scale, decimal.position) == (2, 1, 3)
    assert (answer.manifest.total_row_count, answer.manifest.total_chunk_count, answer.manifest.truncated) == (
        1,
        1,
        False,
    )


def test_parameters_of_every_type(w: WorkspaceClient, warehouse: str) -> None:
    given = {
        "s": ("it's", "STRING"), "i": ("7", "INT"), "d": ("1.10", "DECIMAL(12,2)"), "day": ("2018-01-31", "DATE"),
        "t": ("2018-01-31T01:02:03Z", "TIMESTAMP"), "b": ("true", "BOOLEAN"), "f": ("0.5", "DOUBLE"),
        "x": (None, "STRING"),
    }  # fmt: skip
    answer = w.statement_execution.execute_statement(
        "SELECT :s, :i + 1, :d * 2, :day + INTERVAL 1 DAY, :t, NOT :b, :f, :x IS NULL",
        warehouse,
        parameters=[StatementParameterListItem(name, type=kind, value=value) for name, (value, kind) in given.items()],
    )
    assert values(answer) == [
        ["it's", "8", "2.20", "2018-02-01", "2018-01-31T01:02:03.000Z", "false", "0.5", "true"]
    ]  # fmt: skip
    for value, kind in (
        ("x", "INT"),
        ("2018-02-30", "DATE"),
        ("maybe", "BOOLEAN"),
        ("1", "ARRAY<INT>"),
        ("x", "DECIMAL"),
    ):
        with pytest.raises(InvalidParameterValue):
            w.statement_execution.execute_statement(
                "SELECT :p", warehouse, parameters=[StatementParameterListItem("p", type=kind, value=value)]
            )


def test_where_a_statement_begins(w: WorkspaceClient, warehouse: str, schema: str) -> None:
    def place(**given) -> list[str | None]:
        answer = w.statement_execution.execute_statement(
            "SELECT current_catalog(), current_schema()", warehouse, **given
        )
        return values(answer)[0]

    assert place() == [CATALOG, "default"]
    assert place(catalog=CATALOG, schema="api") == [CATALOG, "api"]
    with pytest.raises(NotFound):
        place(catalog="absent")


def test_rows_are_cut_where_the_client_wants_fewer(w: WorkspaceClient, warehouse: str) -> None:
    few = w.statement_execution.execute_statement("SELECT id FROM range(10)", warehouse, row_limit=3)
    assert (len(values(few)), few.manifest.truncated, few.manifest.total_row_count) == (3, True, 3)
    all_ = w.statement_execution.execute_statement("SELECT id FROM range(10)", warehouse, row_limit=10)
    assert (len(values(all_)), all_.manifest.truncated) == (10, False)


def test_a_large_result_comes_in_chunks(w: WorkspaceClient, warehouse: str) -> None:
    answer = w.statement_execution.execute_statement(
        "SELECT id, repeat('x', 1000) FROM range(9000) ORDER BY id", warehouse
    )
    rows, part = values(answer), answer.result
    while part.next_chunk_index is not None:
        part = w.statement_execution.get_statement_result_chunk_n(answer.statement_id, part.next_chunk_index)
        assert part.row_offset == len(rows)
        rows = rows + part.data_array
    assert [row[0] for row in rows] == [str(number) for number in range(9000)]
    assert answer.manifest.total_chunk_count == 3
    with pytest.raises(NotFound):
        w.statement_execution.get_statement_result_chunk_n(answer.statement_id, 3)


def test_a_result_that_is_too_large_is_not_fetched(w: WorkspaceClient, warehouse: str) -> None:
    for text in ("SELECT id FROM range(100000000000)", "SELECT repeat('x', 1000) FROM range(30000)"):
        answer = w.statement_execution.execute_statement(text, warehouse, wait_timeout="50s")
        assert answer.status.state is StatementState.FAILED
        assert "`row_limit`" in answer.status.error.message


def test_statements_without_rows_and_wrong_ones(w: WorkspaceClient, warehouse: str, schema: str) -> None:
    made = w.statement_execution.execute_statement(f"CREATE TABLE {schema}.made (n INT)", warehouse)
    assert values(made) == []
    assert (
        values(w.statement_execution.execute_statement(f"INSERT INTO {schema}.made VALUES (1)", warehouse)) is not None
    )
    assert values(w.statement_execution.execute_statement(f"SELECT * FROM {schema}.made", warehouse)) == [["1"]]
    wrong = w.statement_execution.execute_statement("SELECT * FROM absent", warehouse)
    assert wrong.status.state is StatementState.FAILED
    assert "TABLE_OR_VIEW_NOT_FOUND" in wrong.status.error.message
    assert w.statement_execution.get_statement(wrong.statement_id).status.state is StatementState.FAILED
    with pytest.raises(ResourceDoesNotExist):
        w.statement_execution.get_statement("00000000-0000-0000-0000-000000000000")
    for given in (
        {"wait_timeout": "3s"}, {"wait_timeout": "60s"}, {"row_limit": 0}, {"disposition": Disposition.EXTERNAL_LINKS},
    ):  # fmt: skip
        with pytest.raises(InvalidParameterValue):
            w.statement_execution.execute_statement("SELECT 1", warehouse, **given)
    with pytest.raises(NotFound):
        w.statement_execution.execute_statement("SELECT 1", "0123456789abcdef")


SLOW = "SELECT count(*) FROM range(100000000000) WHERE id % 7 = sqrt(id)"


def ended(w: WorkspaceClient, statement_id: str):
    deadline = datetime.datetime.now() + datetime.timedelta(seconds=180)
    pause = threading.Event()
    while (found := w.statement_execution.get_statement(statement_id)).status.state in (
        StatementState.PENDING,
        StatementState.RUNNING,
    ):
        assert datetime.datetime.now() < deadline
        pause.wait(0.1)
    return found


def test_a_statement_that_is_not_waited_for(w: WorkspaceClient, warehouse: str) -> None:
    started = w.statement_execution.execute_statement("SELECT 1", warehouse, wait_timeout="0s")
    assert started.status.state in (StatementState.PENDING, StatementState.RUNNING, StatementState.SUCCEEDED)
    assert values(ended(w, started.statement_id)) == [["1"]]


def test_a_statement_is_cancelled(w: WorkspaceClient, warehouse: str) -> None:
    started = w.statement_execution.execute_statement(SLOW, warehouse, wait_timeout="0s")
    w.statement_execution.cancel_execution(started.statement_id)
    assert ended(w, started.statement_id).status.state is StatementState.CANCELED
    late = w.statement_execution.execute_statement(
        SLOW, warehouse, wait_timeout="5s", on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL
    )
    assert late.status.state is StatementState.CANCELED
    assert values(w.statement_execution.execute_statement("SELECT 2", warehouse)) == [["2"]]


def test_a_table_is_found_by_its_name_alone(w: WorkspaceClient, schema: str, spark) -> None:
    """What a name has of a pattern is no pattern; tables that cannot be read are described as far as they are known."""
    spark.sql(f"CREATE TABLE {schema}.a_b (n INT, day DATE) PARTITIONED BY (day)")
    spark.sql(f"CREATE VIEW {schema}.axb AS SELECT * FROM {schema}.a_b")
    table = w.tables.get(f"{schema}.a_b")
    assert (table.name, table.table_type) == ("a_b", TableType.MANAGED)
    assert [(column.name, column.partition_index) for column in table.columns] == [("n", None), ("day", 0)]
    for name in ("a*", "a|axb", "a["):
        assert not w.tables.exists(f"{schema}.{name}").table_exists
        with pytest.raises(NotFound):
            w.tables.delete(f"{schema}.{name}")
    w.tables.delete(f"{schema}.a_b")
    view = w.tables.get(f"{schema}.axb")
    assert (view.table_type, view.view_definition) == (TableType.VIEW, f"SELECT * FROM {schema}.a_b")
    assert [column.name for column in view.columns] == ["n", "day"]
    spark.sql(f"CREATE TABLE {schema}.lost (n INT)")
    shutil.rmtree(w.tables.get(f"{schema}.lost").storage_location.removeprefix("file:"))
    assert not w.tables.get(f"{schema}.lost").columns
    assert {"axb", "lost"} <= {each.name for each in w.tables.list(CATALOG, "api")}
    w.tables.delete(f"{schema}.lost")
    assert not w.tables.exists(f"{schema}.lost").table_exists
