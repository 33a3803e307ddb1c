"""Tables of a catalog as their logs tell of them: rows, columns, history, and the tasks that wrote them."""

import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from recorded_runs import attempt, start

from lakelocal.delta_log import metadata_of, type_text, versions_of
from lakelocal.history.records import Records
from lakelocal.pages.links import ToPages
from lakelocal.pages.tables import table_lines, table_view
from lakelocal.quarantine import reason_columns

SCHEMA = {
    "type": "struct",
    "fields": [
        {"name": "id", "type": "long", "nullable": False, "metadata": {"comment": "Order"}},
        {"name": "tags", "type": {"type": "array", "elementType": "string", "containsNull": True}, "nullable": True,
         "metadata": {}},
    ],
}  # fmt: skip
META = {"schemaString": json.dumps(SCHEMA), "description": "Orders", "partitionColumns": [], "configuration": {}}


def commit(log: Path, version: int, *actions: dict, operation: str = "WRITE", writer: dict | None = None, **metrics):
    """Write a version of a table, made at second *version*."""
    log.mkdir(parents=True, exist_ok=True)
    info = {"timestamp": version * 1000, "operation": operation, "operationMetrics": metrics}
    if writer:
        info["userMetadata"] = json.dumps({"lakelocal": writer})
    lines = [json.dumps({"commitInfo": info}), *map(json.dumps, actions)]
    (log / f"{version:020}.json").write_text("\n".join(lines) + "\n")


def added(path: str, rows: int) -> dict:
    return {"add": {"path": path, "stats": json.dumps({"numRecords": rows})}}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "silver.db" / "orders" / "_delta_log"


def test_a_table_is_listed_with_its_rows_and_its_last_change(log):
    """Rows of files that are removed do not count; a folder without versions is no table."""
    commit(log, 0, {"metaData": META}, added("a", 3), added("b", 4))
    commit(log, 1, {"remove": {"path": "a"}}, added("c", 1), operation="MERGE")
    (log.parents[1] / "begun" / "_delta_log").mkdir(parents=True)

    (line,) = table_lines(log.parents[1].glob("*/_delta_log"))

    assert (line.name, line.schema, line.rows, line.version) == ("silver.orders", "silver", 5, 1)
    assert (line.operation, line.changed_ms) == ("MERGE", 1000)


def test_its_history_names_the_tasks_that_wrote_it(log, tmp_path):
    """Newest first; a run that is deleted, and a person, have no link."""
    records = Records(tmp_path / "runs.db")
    run_id = start(records, job_key="nightly")
    task = attempt(records, run_id, "merge")
    commit(
        log, 0, {"metaData": META}, writer={"job_run_id": 99, "task_run_id": 98, "task_key": "gone"}, numOutputRows="7"
    )
    commit(log, 1, operation="OPTIMIZE")
    own = {"job_run_id": run_id, "task_run_id": task, "task_key": "merge"}
    commit(log, 2, operation="MERGE", writer=own, numTargetRowsInserted="2", numTargetRowsUpdated="3")

    view = table_view(log, records, ToPages(10**12))

    assert [each.version for each in view.commits] == [2, 1, 0]
    assert view.writers == {"nightly > merge": f"/runs/{10**12 + task}"}
    assert [(each.inserted, each.updated, each.deleted) for each in view.commits] == [(2, 3, 0), (0, 0, 0), (7, 0, 0)]
    assert view.commits[2].writer == ""


def test_its_columns_are_those_of_the_last_version_that_has_any(log):
    """With types as SQL writes them, and comments."""
    commit(log, 0, {"metaData": {**META, "schemaString": json.dumps({"type": "struct", "fields": []})}})
    commit(log, 1, {"metaData": META})
    commit(log, 2)

    id_, tags = metadata_of(log, versions_of(log)).columns

    assert (id_.name, id_.type, id_.is_nullable, id_.comment) == ("id", "bigint", False, "Order")
    assert tags.type == "array<string>"


def test_a_checkpoint_tells_the_columns_where_versions_are_cleaned_up(log):
    """Its configuration is a map, which Parquet has as pairs."""
    commit(log, 11, added("z", 1))
    kind = pyarrow.struct(
        [
            ("schemaString", pyarrow.string()),
            ("description", pyarrow.string()),
            ("partitionColumns", pyarrow.list_(pyarrow.string())),
            ("configuration", pyarrow.map_(pyarrow.string(), pyarrow.string())),
        ]
    )
    row = {**META, "configuration": [("delta.appendOnly", "true")], "partitionColumns": ["id"]}
    table = pyarrow.table({"metaData": pyarrow.array([None, row], kind)})
    pyarrow.parquet.write_table(table, log / f"{10:020}.checkpoint.parquet")

    found = metadata_of(log, versions_of(log))

    assert [each.name for each in found.columns] == ["id", "tags"]
    assert (found.partitioned_by, found.properties) == (("id",), {"delta.appendOnly": "true"})


def test_nested_types_are_written_as_in_sql():
    """Source: Delta protocol, "Schema Serialization Format"."""
    inner = {"type": "struct", "fields": [{"name": "n", "type": "integer"}, {"name": "d", "type": "decimal(5,2)"}]}

    assert (
        type_text({"type": "map", "keyType": "string", "valueType": inner})
        == "map<string,struct<n:int,d:decimal(5,2)>>"
    )


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["id", "rule", "reason", "run_id"], ["rule", "reason"]),
        (["id", "_rescued_data"], ["_rescued_data"]),
        (["Failed_Expectations", "terror", "ruler", "error_message"], ["Failed_Expectations", "error_message"]),
        (["id", "reasonable"], []),
    ],
)
def test_the_columns_that_say_why_are_known_by_their_names(columns, found):
    """Whole words, in any case."""
    assert reason_columns(columns) == found
