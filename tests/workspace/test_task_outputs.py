"""What a task left behind, from the files of its run."""

import json
from pathlib import Path

import nbformat.v4
from databricks.sdk.service.jobs import SqlOutput

from lakelocal.project import State
from lakelocal.workspace.task_outputs import LOG_BYTES, logs, sql_output


def executed(place: Path, *cells: tuple[str, str]) -> Path:
    """An executed notebook: the source of each cell, and what it printed."""
    made = [
        nbformat.v4.new_code_cell(source, outputs=[nbformat.v4.new_output("stream", name="stdout", text=text)])
        for source, text in cells
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=made), place)
    return place


def test_the_rows_of_a_sql_task_are_its_output(tmp_path: Path) -> None:
    """As the SDK reads them: every value is a text, NULL is none."""
    state = State(tmp_path, "main", tmp_path)
    place = state.runs / "7" / ".values" / "report.rows.json"
    place.parent.mkdir(parents=True)
    first = {"n": 1, "ok": True, "at": None, "tags": ["é"]}
    place.write_text(json.dumps([first, {**first, "n": 2.5, "ok": False, "tags": []}]))
    notebook = executed(tmp_path / "report.ipynb", ("%sql\nUSE x", "OK"), ("%sql\nSELECT 1", ""), ("1 + 1", ""))

    output = SqlOutput.from_dict(sql_output(notebook, state, 7, "report", "w1")).file_output

    assert output is not None and output.query_result is not None
    assert (output.query_text, output.warehouse_id) == ("USE x;\nSELECT 1", "w1")
    assert [column.name for column in output.query_result.columns or []] == ["n", "ok", "at", "tags"]
    rows = [[value.string_value for value in row.values or []] for row in output.query_result.rows or []]
    assert rows == [["1", "true", None, '["é"]'], ["2.5", "false", None, "[]"]]


def test_a_statement_without_rows_has_only_its_text(tmp_path: Path) -> None:
    notebook = executed(tmp_path / "load.ipynb", ("%sql\nDELETE FROM t", "OK"))

    found = sql_output(notebook, State(tmp_path, "main", tmp_path), 7, "load", "w1")

    assert found == {"file_output": {"query_text": "DELETE FROM t", "warehouse_id": "w1"}}


def test_long_logs_keep_their_end(tmp_path: Path) -> None:
    notebook = executed(tmp_path / "long.ipynb", ("print()", "a" * LOG_BYTES), ("print()", "end"))

    found = logs(notebook)

    assert found["logs_truncated"] and len(found["logs"]) == LOG_BYTES and found["logs"].endswith("aend")
    assert logs(tmp_path / "none.ipynb") == {"logs": "", "logs_truncated": False}
