"""Real kernels, as papermill, nbval, JupyterLab and VS Code start them."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import papermill
import psutil
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from lakelocal.context import VARIABLE, TaskContext
from lakelocal.program import PROGRAM
from lakelocal.project import Project, State
from lakelocal.server import ensure_server, find_server
from lakelocal.versions import DELTA, SPARK
from tests.states import state_in

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
Run = Callable[..., NotebookNode]


@pytest.fixture
def project(state: State, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> State:
    """A project with only a bundle, two secrets and some notebooks, on the worker's server."""
    return make_project(tmp_path_factory.mktemp("project"), state, monkeypatch)


@pytest.fixture(scope="module")
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A state whose server may be killed."""
    with state_in(tmp_path_factory.mktemp("own")) as state:
        yield state


@pytest.fixture
def alone(own_state: State, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> State:
    """The same project on its own server."""
    return make_project(tmp_path_factory.mktemp("project"), own_state, monkeypatch)


def make_project(root: Path, state: State, monkeypatch: pytest.MonkeyPatch) -> State:
    """Write the project into *root*; its state, which is in the folder of *state*."""
    (root / "databricks.yml").write_text(
        f"bundle: {{name: sample}}\nvariables: {{catalog: {{default: {state.catalog}}}}}\n"
        "targets: {dev: {default: true}, prod: {variables: {catalog: sample}}}\n"
    )
    (root / ".secrets.yml").write_text("mail: {password: 'hunter2 & co'}\n")
    monkeypatch.setenv("LOCAL_STATE", str(state.folder.parent))
    return Project.at(root).state(state.catalog)


@pytest.fixture
def run(project: State) -> Run:
    """Runs cells in a separate kernel, started in the project's folder; errors are in the outputs."""
    return runner(project)


def runner(project: State) -> Run:
    def run_cells(*cells: str, folder: Path = project.root) -> NotebookNode:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=KERNEL)
        where = {"metadata": {"path": str(folder)}}
        return NotebookClient(notebook, timeout=120, allow_errors=True, resources=where).execute()

    return run_cells


def write_notebook(place: Path, *cells: str) -> Path:
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=KERNEL), place)
    return place


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def shown(cell: NotebookNode) -> str:
    (output,) = [output for output in cell.outputs if output.output_type == "display_data"]
    return output.data["text/plain"]


def error(cell: NotebookNode) -> NotebookNode:
    (output,) = [output for output in cell.outputs if output.output_type == "error"]
    return output


def test_a_notebook_without_spark_needs_no_server_and_imports_no_spark(alone):
    """Neither Java nor a second of imports for what a plain notebook does; and nothing is printed."""
    plain, late = runner(alone)(
        "dbutils.widgets.text('a', '1'); dbutils.fs.put('dbfs:/x.txt', 'x', True); display(1); displayHTML('<b>1</b>')",
        "import sys; print('pyspark' in sys.modules, 'pandas' in sys.modules)",
    ).cells

    assert {output.output_type for output in plain.outputs} == {"stream", "display_data"}
    assert printed(late) == "False False\n"
    assert find_server(alone) is None


def test_outside_a_project_the_kernel_works_and_spark_says_what_is_missing(run, tmp_path):
    """The environment may be a user's own."""
    plain, named = run("print(1 + 1)", "spark.range(3)", folder=tmp_path).cells

    assert printed(plain) == "2\n"
    assert error(named).ename == "ProjectError"
    assert "found no bundle" in error(named).evalue


def test_a_broken_bundle_is_told_at_the_first_use_of_spark(run, tmp_path):
    """However Spark is requested, and again at the next attempt; plain cells work."""
    (tmp_path / "databricks.yml").write_text("bundle: [")
    plain, named, asked, again = run(
        "print(1 + 1)",
        "spark.range(3)",
        "from pyspark.sql import SparkSession; SparkSession.builder.getOrCreate()",
        "SparkSession.builder.getOrCreate()",
        folder=tmp_path,
    ).cells

    assert printed(plain) == "2\n"
    assert [error(cell).ename for cell in (named, asked, again)] == ["FindingError"] * 3


def test_code_outside_of_cells_finds_spark_too(run, project):
    """The error names a file that is executed, not the cell."""
    (project.root / "code.py").write_text(
        "from pyspark.sql import SparkSession as S\nS.builder.getOrCreate()\nn = spark.range(2)"
    )
    (cell,) = run("exec(open('code.py').read()); print(n.count())").cells

    assert printed(cell) == "2\n"


def test_there_is_one_session_in_every_thread(run):
    """Also for packages that ask for it themselves, before the notebook names `spark`."""
    first, second = run(
        "from pyspark.sql import SparkSession as S\n"
        "mine = S.builder.getOrCreate()\nprint(mine is S.getActiveSession())",
        "from threading import Thread\nseen = []\n"
        "def look():\n"
        "    mine = [S.getActiveSession() is spark, S.builder.getOrCreate() is spark]\n"
        "    seen.append([*mine, spark.range(3).count()])\n"
        "threads = [Thread(target=look) for _ in range(3)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]; print(mine is spark, seen)",
    ).cells

    assert printed(first) == "True\n"
    assert printed(second) == f"True {[[True, True, 3]] * 3}\n"


def test_a_stopped_session_is_followed_by_a_new_one(run):
    """`spark.stop()` must not lead to another server, or to none."""
    (cell,) = run(
        "from pyspark.sql import SparkSession\nspark.range(1).count(); spark.stop()\n"
        "fresh = SparkSession.builder.getOrCreate(); print(fresh is spark, fresh.range(4).count())"
    ).cells

    assert printed(cell) == "False 4\n"


def test_spark_prints_where_it_is_and_what_it_is(run, project):
    """No token; the current schema as it is; also after `stop()`."""
    before, used, stopped = run(
        "spark",
        "spark.sql('CREATE SCHEMA IF NOT EXISTS shown'); spark.sql('USE shown'); print(spark)",
        "spark.stop(); spark.getActiveSession()",
    ).cells
    port = find_server(project).port

    expected = (
        f"<SparkSession: Spark {SPARK} with Delta {DELTA}, server sc://localhost:{port} on this machine, "
        f"catalog {project.catalog}, schema {{}}, bundle sample, target dev>"
    )
    (first,) = before.outputs
    assert first.data["text/plain"] == expected.format("default")
    assert ">schema</th>" in first.data["text/html"] and "token" not in first.data["text/html"]
    assert printed(used) == expected.format("shown") + "\n"
    assert stopped.outputs[0].data["text/plain"] == expected.format("default")


def test_names_in_strings_are_completed(run):
    """By the kernel that JupyterLab asks."""
    (_, asked) = run(
        "for each in ('SCHEMA typed', 'TABLE typed.orders AS SELECT 1 AS order_id'): spark.sql(f'CREATE {each}')",
        "from IPython.core.completer import provisionalcompleter\n"
        "from lakelocal.kernel.kernel import current_kernel\n"
        "current_kernel().names._patience = 60\n"
        "def ask(code):\n"
        "    with provisionalcompleter():\n"
        "        return [each.text for each in get_ipython().Completer.completions(code, len(code))]\n"
        "df = spark.table('typed.orders')\n"
        "print(ask('spark.table(\"typed.'), ask('%sql\\nSELECT * FROM typed.or'), ask('df.select(\"ord'))\n"
        "spark.sql('DROP SCHEMA typed CASCADE')",
    ).cells

    assert printed(asked) == "['typed.orders'] ['typed.orders'] ['order_id']\n"


def test_kernels_are_isolated(run):
    """One server, one session each: temporary views and settings belong to a notebook."""
    (made,) = run("spark.range(2).createOrReplaceTempView('mine'); print(spark.table('mine').count())").cells
    (other,) = run("print(spark.catalog.tableExists('mine'))").cells

    assert (printed(made), printed(other)) == ("2\n", "False\n")


def test_sql_cells_show_the_last_result_and_keep_it(run):
    """As Databricks writes them: one `%`, several statements, widgets as parameters."""
    _, several, kept, bound, missing, command = run(
        "dbutils.widgets.text('n', \"it's 7\")",
        "%sql\nCREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1 AS a;\nSELECT a, ';' AS b FROM v -- ; end",
        "print(_sqldf.columns)",
        "%sql SELECT :n AS n",
        "%sql\nSELECT :nothing",
        "%sql\nCREATE SCHEMA IF NOT EXISTS kernel_test",
    ).cells

    assert shown(several).splitlines() == ["  a  b", "int  string", "---  ------", "  1  ;", "(1 row)"]
    assert printed(kept) == "['a', 'b']\n"
    assert "it's 7" in shown(bound)
    assert error(missing).ename == "InputWidgetNotDefined"
    assert printed(command) == "OK\n"


def test_display_is_faithful(run):
    """Types, NULL, exact decimals, UTC whatever the machine's zone, order, and a note about what is cut."""
    _, table, long = run(
        "import os, time; os.environ['TZ'] = 'America/Sao_Paulo'; time.tzset()",
        "display(spark.sql(\"SELECT TIMESTAMP'2018-01-31 23:30:00.5' AS t, CAST(1.10 AS DECIMAL(12,2)) AS d, \"\n"
        "  \"CAST(NULL AS INT) AS i, MAP('k', 1) AS m, INTERVAL '2' MONTH AS y, 'a' AS i\"))",
        "display(spark.range(200).orderBy('id', ascending=False))",
    ).cells

    assert shown(table).splitlines()[0].split() == ["t", "d", "i", "m", "y", "i"]
    row = shown(table).splitlines()[3]
    assert row.split("  ")[0] == "2018-01-31 23:30:00.5"
    assert [part for part in ("1.10", "NULL", '{"k": 1}', "INTERVAL '2' MONTH") if part not in row] == []
    lines = shown(long).splitlines()
    assert (lines[3].strip(), lines[22].strip(), lines[23]) == ("199", "180", "(the first 20 of 200 rows)")


def test_run_is_inline_and_takes_arguments(run, project):
    """The same namespace; paths start at the notebook with the line; widgets are set temporarily."""
    folder = project.root / "inline"
    folder.mkdir()
    write_notebook(
        folder / "outer.ipynb", "dbutils.widgets.text('who', 'x')", "%run ./inner", "who = dbutils.widgets.get('who')"
    )
    write_notebook(folder / "inner.ipynb", "deep = 1")
    write_notebook(folder / "broken.ipynb", "1/0")
    _, after, _, passed, broken, refused = run(
        '%run ./inline/outer $who="you there"',
        "print(who, deep, dbutils.widgets.getAll())",
        "dbutils.widgets.text('caller', 'mine')\n%run ./inline/outer $who=$caller",
        "print(who, dbutils.widgets.getAll())",
        "%run inline/broken",
        "%run ./inline/outer who",
    ).cells

    assert printed(after) == "you there 1 {}\n"
    assert printed(passed) == "mine {'caller': 'mine'}\n"
    assert [output.ename for output in broken.outputs] == ["ZeroDivisionError", "RunError"]
    assert error(refused).ename == "DialectError"


def test_the_other_magics_do_as_on_databricks(run):
    """Or say so in one line."""
    _, files, markdown, shell, failing, python, scala, r, library, restart = run(
        "dbutils.fs.put('dbfs:/magic/a.txt', 'x', True)",
        "%fs ls dbfs:/magic",
        "%md\n# Title\n*text*",
        "%sh\necho one $((1 + 1))\nfalse",
        "%sh -e false",
        "%python\nprint('python')",
        "%scala\nval x = 1",
        "%r\nx <- 1",
        "dbutils.library.installPyPI('six')",
        "dbutils.library.restartPython()",
    ).cells

    assert "dbfs:/magic/a.txt" in shown(files)
    assert markdown.outputs[0].data["text/markdown"] == "# Title\n*text*"
    assert printed(shell) == "one 2\n%sh: ended with status 1\n"
    assert error(failing).ename == "DialectError"
    assert printed(python) == "python\n"
    assert [error(cell).ename for cell in (scala, r, library)] == ["DialectError", "DialectError", "DbutilsError"]
    assert printed(restart).startswith("dbutils.library.restartPython: nothing is restarted here.")


def test_magics_of_ipython_still_work(run, project):
    """`%run` of a script, `%pip`, and names that `%reset` removes."""
    (project.root / "script.py").write_text("import sys; print('script', sys.argv[1:])")
    script, pip, _, again = run(
        "%run script.py 3", "%pip --version", "%reset -f", "print(spark.range(2).count(), dbutils.widgets.getAll())"
    ).cells

    assert printed(script) == "script ['3']\n"
    assert printed(pip).startswith("pip ")
    assert printed(again) == "2 {}\n"


def test_secrets_are_redacted_in_every_output(run):
    """Printed, returned, displayed, raised, and from a child process."""
    notebook = run(
        "secret = dbutils.secrets.get('mail', 'password'); print(secret)",
        "secret",
        "display({'a': secret}); displayHTML(secret)",
        "import sys; print(secret, file=sys.stderr); raise ValueError(secret)",
        "import subprocess; print(subprocess.run(['echo', secret], capture_output=True, text=True).stdout)",
        "secret == 'hunter2 & co'",
    )

    sent = json.dumps([cell.outputs for cell in notebook.cells])
    assert "hunter2" not in sent
    assert sent.count("[REDACTED]") >= 6
    assert notebook.cells[-1].outputs[0].data["text/plain"] == "True"


def test_a_killed_server_is_told_in_one_line_and_the_next_cell_has_a_new_one(alone):
    """Spark's client would try for ten minutes; so would the next cells."""
    server = ensure_server(alone)
    before, killed, after = runner(alone)(
        "print(spark.range(3).count())",
        f"import threading, os, signal, time\nthreading.Timer(1, os.kill, ({server.pid}, signal.SIGKILL)).start()\n"
        "started = time.monotonic()\ntry:\n    spark.range(10**12).filter('id % 7 = 8').count()\n"
        "finally:\n    print(time.monotonic() - started < 60)",
        "print(spark.range(5).count())",
    ).cells

    assert printed(before) == "3\n"
    assert printed(killed) == "True\n"
    assert error(killed).ename == "ServerError"
    assert error(killed).evalue.startswith(f"`olist_dev`: the Spark server (process {server.pid}) died")
    assert f"start the server with `{PROGRAM} up`" in error(killed).evalue
    assert not any("java" in line or "grpc" in line for line in error(killed).traceback)
    assert printed(after) == "5\n"


def test_an_idle_servers_death_shows_at_the_next_statement(alone):
    """The usual case: `down`, or too little memory, between two cells."""
    server = ensure_server(alone)
    _, killed = runner(alone)(
        "spark.range(3).count()",
        f"import os, signal, psutil\nos.kill({server.pid}, signal.SIGKILL)\npsutil.wait_procs([], timeout=1)\n"
        "while psutil.pid_exists(%d) and psutil.Process(%d).status() != 'zombie': pass\n"
        % (server.pid, server.pid)
        + "spark.range(3).count()",
    ).cells

    assert error(killed).ename == "ServerError"


def test_exit_ends_a_notebook_with_success_under_papermill(project, tmp_path, monkeypatch):
    """The value is in the file that the runner named; later cells do not run."""
    context = TaskContext(
        job_id=1,
        job_name="job",
        job_run_id=2,
        task_run_id=3,
        task_key="one",
        attempt_number=0,
        notebook=str(
            write_notebook(tmp_path / "n.ipynb", "v = dbutils.widgets.get('v')", "dbutils.notebook.exit(v)", "1/0")
        ),
        exit_file=str(tmp_path / "exit.txt"),
        values_folder=str(tmp_path / "values"),
        parameters={"v": "é 1"},
    )
    monkeypatch.setenv(VARIABLE, str(context.save(tmp_path / "context.json")))
    monkeypatch.setenv("LOCAL_PROJECT", str(project.root))

    done = papermill.execute_notebook(context.notebook, tmp_path / "out.ipynb", cwd=tmp_path, progress_bar=False)

    assert Path(context.exit_file).read_text() == "é 1"
    assert done.cells[-1].outputs == []


def test_exit_ends_a_notebook_that_a_person_runs_with_sentences_and_no_trace(project, tmp_path):
    """*Run all* stops there, in papermill as in JupyterLab, which asks the kernel in the same way."""
    place = write_notebook(tmp_path / "stops.ipynb", "dbutils.notebook.exit('Stop here.')", "print('it went on')")

    stopped, rest = papermill.execute_notebook(place, place, cwd=str(project.root), progress_bar=False).cells

    said, end = stopped.outputs
    assert said.text == "Notebook exited: Stop here.\n"
    assert end.traceback == ["The cells below were not run."]
    assert rest.outputs == [] and rest.execution_count is None


def test_run_all_ends_with_an_exit(project):
    """JupyterLab sends all cells at once; the kernel then aborts those that wait."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(project.root))
    try:
        sent = [client.execute(code) for code in ("dbutils.notebook.exit('Stop here.')", "1", "2")]
        replies: dict[str, str] = {}
        while sent[-1] not in replies:
            reply = client.get_shell_msg(timeout=60)
            replies[reply["parent_header"]["msg_id"]] = reply["content"].get("status", "")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    assert [replies[each] for each in sent] == ["error", "aborted", "aborted"]


def test_another_notebook_runs_as_a_run_of_its_own(run, project):
    """Its own kernel and widgets; its exit value is returned, its failure is reported, its record is kept."""
    write_notebook(project.root / "child.ipynb", "mine = 1", "dbutils.notebook.exit(dbutils.widgets.get('x') + '!')")
    write_notebook(project.root / "fails.ipynb", "raise ValueError('no luck')")
    value, failed, refused = run(
        "print(dbutils.notebook.run('./child', 60, {'x': 'hi'}), 'mine' in globals())",
        "dbutils.notebook.run('fails.ipynb', 60)",
        "dbutils.notebook.run('./child', 60, {'x': 1})",
    ).cells

    assert printed(value) == "hi! False\n"
    assert "ValueError: no luck" in error(failed).evalue
    assert "expected a string" in error(refused).evalue
    assert (project.runs / "interactive" / "child-1" / "child.ipynb").is_file()


def test_a_notebook_that_takes_too_long_is_stopped_with_all_its_processes(run, project, tmp_path):
    """Nothing of it lives on."""
    write_notebook(
        project.root / "slow.ipynb",
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(100)",
    )
    started = time.monotonic()
    (cell,) = run("dbutils.notebook.run('slow', 8)").cells

    assert "not finished after 8 seconds" in error(cell).evalue
    assert time.monotonic() - started < 90
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_functions_in_workers_have_the_notebooks_modules_and_fail_in_few_lines(run, project):
    """A module beside the notebook, an error in a cell's function, and `dbutils`, which no function for rows has."""
    (project.root / "beside_notebook.py").write_text("def double(x):\n    return 2 * x\n")
    good, bad, used, batches = run(
        "import beside_notebook\nfrom pyspark.sql.functions import udf as of_rows\n"
        "double = udf(beside_notebook.double, 'long')\nprint(spark.range(3).select(double('id')).collect()[2][0])",
        "def inner(x):\n    return 1 // x\nspark.range(1).select(udf(inner, 'long')('id')).collect()",
        "spark.range(1).select(udf(lambda x: str(dbutils.fs.ls('/')))('id')).collect()",
        "def keep(batch, number):\n    dbutils.fs.put('dbfs:/kept.txt', str(batch.count()), True)\n"
        "spark.range(4).write.mode('overwrite').parquet('dbfs:/rows')\n"
        "query = spark.readStream.schema('id long').parquet('dbfs:/rows').writeStream.foreachBatch(keep)\n"
        "query.option('checkpointLocation', 'dbfs:/point').trigger(availableNow=True).start().awaitTermination()\n"
        "print(dbutils.fs.head('dbfs:/kept.txt'))",
    ).cells

    assert printed(good) == "4\n"
    assert error(bad).traceback[-3:] == [
        "in the function that Spark ran:",
        "this cell, line 2: return 1 // x",
        "PythonException: ZeroDivisionError: integer division or modulo by zero",
    ]
    assert error(used).traceback[-1].startswith("PythonException: DbutilsError: `dbutils` cannot be used inside a")
    assert printed(batches).endswith("4\n"), batches.outputs
