"""What a kernel has around the code of a notebook, beside `spark` and `dbutils`; and what it does not print."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from lakelocal.bundle import load_bundle
from lakelocal.jobs.command import RunOptions, run_job
from lakelocal.project import Project, State
from lakelocal.versions import DATABRICKS_RUNTIME

Run = Callable[..., list[NotebookNode]]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture(scope="module")
def root(state: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on the server of the worker, with a job of one notebook."""
    root = tmp_path_factory.mktemp("surroundings")
    tasks = [{"task_key": "noisy", "notebook_task": {"notebook_path": "./noisy.py"}}]
    (root / "databricks.yml").write_text(
        f"bundle: {{name: sample}}\nvariables: {{catalog: {{default: {state.catalog}}}}}\n"
        f"resources: {{jobs: {{job: {{name: job, tasks: {json.dumps(tasks)}}}}}}}\n"
    )
    (root / "noisy.py").write_text(
        "# Databricks notebook source\n"
        "print(spark.catalog.tableExists('main.nowhere.nothing'), spark.catalog.tableExists('nothing'))\n"
        "try:\n    spark.table('nothing').collect()\nexcept Exception as error:\n    print(type(error).__name__)\n"
        "# COMMAND ----------\n"
        "spark.range(3).select('misspelt').collect()\n"
    )
    return root


@pytest.fixture(scope="module")
def run(root: Path, state: State) -> Run:
    """Runs cells in an interactive kernel of their own; errors are in their outputs."""

    def cells(*code: str) -> list[NotebookNode]:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in code], metadata=KERNEL)
        where = {"metadata": {"path": str(root)}}
        client = NotebookClient(notebook, timeout=120, allow_errors=True, resources=where)
        return client.execute(env={**os.environ, "LOCAL_STATE": str(state.folder.parent)}).cells

    return cells


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def shown(cell: NotebookNode) -> list[str]:
    return [output.data["text/plain"] for output in cell.outputs if output.output_type == "display_data"]


def html(cell: NotebookNode) -> list[str]:
    return [output.data["text/html"] for output in cell.outputs if output.output_type == "display_data"]


def error(cell: NotebookNode) -> str:
    return "".join(output.evalue for output in cell.outputs if output.output_type == "error")


def test_the_names_and_variables_of_a_runtime(run):
    """Also those of the time before `spark`, and what a cell is headed by."""
    version, context, refused, skipped, restarted, after = run(
        "import os; print(os.environ['DATABRICKS_RUNTIME_VERSION'])\n"
        "from pyspark.sql.functions import udf as made\n"
        "asked = made(lambda x: os.environ['DATABRICKS_RUNTIME_VERSION'])\n"
        "print(spark.range(1).select(asked('id')).first()[0])",
        "print(sqlContext.sql('SELECT 1').first()[0], sqlContext.range(3).count(), sqlContext.getConf('no', 'x'))\n"
        "from pyspark.sql.functions import *\n"
        "print(spark.range(3).agg(countDistinct('id')).first()[0], DataFrame.__name__)",
        "sc.parallelize([1, 2])",
        "%skip\n1 / 0\n",
        "%restart_python",
        "from dbruntime.databricks_repl_context import get_context; print(get_context().isInJob, sc)",
    )

    assert printed(version) == f"{DATABRICKS_RUNTIME}\n" * 2
    assert printed(context) == "1 3 x\n3 DataFrame\n"
    assert "`sc.parallelize`: Spark Connect has no SparkContext" in error(refused)
    assert "Use spark.createDataFrame(rows, schema)." in error(refused)
    assert skipped.outputs == []
    assert printed(restarted).startswith("dbutils.library.restartPython:")
    assert printed(after).startswith("False <sc is not available:")


def test_what_display_shows(run):
    """Frames by method too, lists of rows and files as tables, figures as pictures, the rest as IPython does."""
    frame, files, rows, records, pandas, figure, axes, plain = run(
        "spark.createDataFrame([(1, 'a')], 'n int, t string').display()",
        "dbutils.fs.put('dbfs:/shown/a.txt', 'x', True)\ndisplay(dbutils.fs.ls('dbfs:/shown'))",
        "display(spark.createDataFrame([(1, 'a'), (2, None)], 'n int, t string').collect())",
        "display([{'a': 1, 'b': 'x'}, {'a': 2.5}])",
        "import pandas; display(pandas.DataFrame({'a': [1]}))",
        "from matplotlib.figure import Figure; f = Figure(); f.subplots().plot([1, 2]); display(f)",
        "display(pandas.DataFrame({'a': [1, 2]}).plot())",
        "display({'a': 1}, [1, 2], 'text')",
    )

    assert shown(frame)[0].splitlines()[0].split() == ["n", "t"]
    assert shown(files)[0].splitlines()[0].split() == ["path", "name", "size", "modificationTime"]
    assert shown(files)[0].splitlines()[3].split()[:3] == ["dbfs:/shown/a.txt", "a.txt", "1"]
    assert shown(files)[0].splitlines()[3].split()[3].startswith("20"), "a time, not milliseconds"
    assert [line.split() for line in shown(rows)[0].splitlines()[3:5]] == [["1", "a"], ["2", "NULL"]]
    assert [line.split() for line in shown(records)[0].splitlines()[3:5]] == [["1", "x"], ["2.5", "NULL"]]
    assert "text/html" in pandas.outputs[0].data
    for cell in (figure, axes):
        pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        assert len(pictures) == 1
    assert shown(plain) == ["{'a': 1}", "[1, 2]", "'text'"]


def test_rows_are_counted_if_that_is_asked_for_or_cheap(run):
    """Of a table as it is stored, Delta knows the number; of a query nobody counts unasked."""
    query, asked, table, few = run(
        "spark.range(1500).display()",
        "display(spark.range(1500), count=True)",
        "spark.range(1200).write.saveAsTable('rows'); display(spark.table('rows')); spark.sql('DROP TABLE rows')",
        "display(spark.range(3), count=True)",
    )

    found = [html(cell)[0].rpartition("<p>")[2].partition("</p>")[0] for cell in (query, asked, table, few)]
    assert found[:2] == ["the first 1,000 rows; there are more", "the first 1,000 of 1,500 rows"]
    assert found[2:] == ["the first 1,000 of 1,200 rows", "3 rows"]


def test_a_stream_shows_what_is_available_now(run):
    """Rows as they come, an aggregation as a whole; neither leaves a view behind."""
    rows, sums, left = run(
        "spark.range(250).write.mode('overwrite').parquet('dbfs:/streamed')\n"
        "stream = spark.readStream.schema('id long').parquet('dbfs:/streamed')\ndisplay(stream)",
        "stream.groupBy().sum('id').display()",
        "print([table.name for table in spark.catalog.listTables() if table.name.startswith('display_')])",
    )

    assert shown(rows)[0].splitlines()[-1] == "(the first 20 of 250 rows)"
    assert shown(sums)[0].splitlines()[3].strip() == "31125"
    assert printed(left) == "[]\n"


def test_a_summary_of_a_frame(run):
    """A row per column; a column that has no order has no least value."""
    spark, pandas, wrong, roles, mount = run(
        "rows = [(1, 'a', [1], None), (3, 'b', [2], None), (None, 'b', None, None)]\n"
        "frame = spark.createDataFrame(rows, 'n int, `t.x` string, l array<int>, d date')\n"
        "dbutils.data.summarize(frame, precise=True)\ndbutils.data.summarize(frame)",
        "import pandas; dbutils.data.summarize(pandas.DataFrame({'a': [1, 3]}))",
        "dbutils.data.summarize([1])",
        "dbutils.credentials.showRoles()",
        "dbutils.fs.mount('s3a://bucket', '/mnt/bucket')",
    )

    precise, estimated = ([line.split() for line in each.splitlines()] for each in shown(spark))
    assert " ".join(precise[0]) == "column type count missing distinct mean stddev min 25% 50% 75% max"
    assert precise[3][:6] == ["n", "int", "2", "1", "2", "2.0"] and precise[3][7:] == ["1", "1.5", "2.0", "2.5", "3"]
    assert precise[4][:8] == ["t.x", "string", "3", "0", "2", "NULL", "NULL", "a"]
    assert precise[5][:8] == ["l", "array<int>", "2", "1", "NULL", "NULL", "NULL", "NULL"]
    assert precise[6][:8] == ["d", "date", "0", "3", "0", "NULL", "NULL", "NULL"]
    assert estimated[3][:6] == ["n", "int", "2", "1", "2", "2.0"] and estimated[3][8:] == ["1", "1", "3", "3"]
    assert shown(pandas)[0].splitlines()[3].split()[:6] == ["a", "bigint", "2", "0", "2", "2.0"]
    assert "found a list; expected a Spark or pandas DataFrame" in error(wrong)
    assert "this machine has no roles in a cloud" in error(roles)
    assert "use a volume" in error(mount)


def test_a_run_prints_no_records_of_errors(root, monkeypatch, state):
    """Neither those that the client handles itself, nor a second, longer form of one that the cell shows."""
    monkeypatch.setenv("LOCAL_STATE", str(state.folder.parent))
    project = Project.at(root)
    shape = run_job(load_bundle(project), "job", state=project.state(state.catalog), options=RunOptions(json=True))

    (task,) = shape["tasks"]
    cells = json.loads(Path(task["output_notebook"]).read_text())["cells"]
    first, second = [cell for cell in cells if cell["cell_type"] == "code"]
    assert {output["name"] for output in first["outputs"]} == {"stdout"}
    assert "".join("".join(output["text"]) for output in first["outputs"]) == "False False\nAnalysisException\n"
    (only,) = second["outputs"]
    assert only["output_type"] == "error"
    assert len(json.dumps(only)) < 3000
    assert task["error"].startswith("column `misspelt` not found")
