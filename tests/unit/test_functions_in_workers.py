"""Python functions on their way to a worker, the worker's parent, and the error for a failure in a worker."""

import os
import subprocess
import sys

import pytest
from dialect_fakes import Schemas
from pyspark import cloudpickle

from lakelocal.compute.functions import Carrier
from lakelocal.compute.surroundings import Surroundings
from lakelocal.dialect.plans import Dialect
from lakelocal.project import State
from lakelocal.spark_errors.in_worker import failure_in_worker

UNPICKLE = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read())[0](1))"


@pytest.fixture
def state(tmp_path) -> State:
    return State(tmp_path, "dev", tmp_path / "dev")


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """A function of a module that only this process can import."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "only_here.py").write_text("STEP = 1\n\ndef plus(x):\n    return x + STEP\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "only_here", raising=False)
    import only_here

    return only_here.plus


def in_other_process(command: bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What another Python prints for function 0 of the pickled *command*, called with 1."""
    program = [sys.executable, "-c", UNPICKLE]
    return subprocess.run(
        program, input=command, capture_output=True, cwd="/", env={**os.environ, **environment}, timeout=60
    )


def test_a_function_brings_the_path_of_its_kernel(state, helper):
    """What was pickled only by its module's name cannot be read elsewhere; with its environment it can."""
    command = cloudpickle.dumps((helper, "long"))

    alone, carried = in_other_process(command), in_other_process(Carrier(state)(command, ""))

    assert b"No module named 'only_here'" in alone.stderr
    assert carried.stdout == b"2\n", carried.stderr


def test_a_worker_imports_a_module_again_whose_file_has_changed(state, helper):
    """Also when it changes right after the first import, before anyone has looked at it."""
    command = Carrier(state)(cloudpickle.dumps((helper, "long")), "")
    place = sys.modules["only_here"].__file__
    twice = "\n".join(
        [
            "import pickle, sys, pathlib",
            "command, place = sys.stdin.buffer.read(), pathlib.Path(sys.argv[1])",
            "print(pickle.loads(command)[0](1))",
            "place.write_text('def plus(x):\\n    return x + 1000\\n')",
            "print(pickle.loads(command)[0](1))",
            "print(pickle.loads(command)[0](1))",
        ]
    )

    found = subprocess.run([sys.executable, "-c", twice, str(place)], input=command, capture_output=True, timeout=60)

    assert found.stdout == b"2\n1001\n1001\n", found.stderr


def test_what_was_pickled_stays_as_it_was(state):
    """Including what is named twice in it, by numbers that count from its beginning."""
    value = ["x", {"x": "y"}]
    command = cloudpickle.dumps((lambda _: (value, value), value))

    carried = Carrier(state)(command, "")

    assert carried.endswith(command)
    assert in_other_process(carried).stdout.decode().strip() == str((value, value))


def test_surroundings_are_told_whole(state):
    told = Surroundings(str(state.root), "dev", str(state.folder), "bronze", ["/a", "/b"], ["/a"], exclusive=True)

    assert Surroundings.read(told.told()) == told
    assert told.state == state


def test_on_a_server_of_somebody_else_the_modules_beside_the_notebook_go_along(state, helper):
    """Its workers may have neither the notebook's folder nor this package."""
    command = Carrier(state, here=False)(cloudpickle.dumps((helper, "long")), "")

    hidden = (
        f"import sys; sys.modules['lakelocal'] = None; sys.path = {[p for p in sys.path if 'notebooks' not in p]!r}"
    )
    found = subprocess.run(
        [sys.executable, "-c", f"{hidden}; {UNPICKLE}"], input=command, capture_output=True, cwd="/", timeout=60
    )

    assert found.stdout == b"2\n", found.stderr


def test_on_a_server_without_the_package_a_function_of_batches_is_refused(state):
    """Its session would not understand the notebook's names; other functions run."""
    command = Carrier(state, here=False)(cloudpickle.dumps((lambda x: x, "long")), "")
    program = [sys.executable, "-c", f"import sys; sys.modules['lakelocal'] = None; {UNPICKLE}"]
    batches = {**os.environ, "SPARK_CONNECT_LOCAL_URL": "sc://localhost:1"}

    plain = subprocess.run(program, input=command, capture_output=True, timeout=60)
    refused = subprocess.run(program, input=command, capture_output=True, env=batches, timeout=60)

    assert plain.stdout == b"1\n", plain.stderr
    assert b"foreachBatch: the Python of this server does not have the package `lakelocal`" in refused.stderr


def test_every_pickled_function_of_a_plan_is_carried(state):
    """Functions for rows, table functions, data sources; with the session's current schema."""
    import pyspark.sql.connect.proto as proto

    dialect = Dialect(state, lambda command, schema: b"[" + command + schema.encode() + b"]")
    dialect.sessions.enter("s", "bronze")
    function = proto.CommonInlineUserDefinedFunction(python_udf=proto.PythonUDF(command=b"f"))
    table = proto.CommonInlineUserDefinedTableFunction(python_udtf=proto.PythonUDTF(command=b"t"))
    source = proto.CommonInlineUserDefinedDataSource(python_data_source=proto.PythonDataSource(command=b"d"))
    batches = proto.StreamingForeachFunction(python_function=proto.PythonUDF(command=b"b"))
    commands = [
        proto.Command(register_function=function),
        proto.Command(register_table_function=table),
        proto.Command(register_data_source=source),
        proto.Command(write_stream_operation_start=proto.WriteStreamOperationStart(foreach_batch=batches)),
    ]

    found = [
        dialect.rewrite(
            proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(command=command)), Schemas()
        ).plan.command
        for command in commands
    ]

    assert found[0].register_function.python_udf.command == b"[fbronze]"
    assert found[1].register_table_function.python_udtf.command == b"[tbronze]"
    assert found[2].register_data_source.python_data_source.command == b"[dbronze]"
    assert found[3].write_stream_operation_start.foreach_batch.python_function.command == b"[bbronze]"


PARENT = """
import os, signal, subprocess, sys
from lakelocal.server.worker_daemon import WatchedSelect, has_children

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as Spark's parent does
reader, writer = os.pipe()
watched = WatchedSelect(limit=3)
worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
assert all(watched.select([reader], [], [], 0) == ([], [], []) for _ in range(10)), "it ends, though it has a worker"
assert has_children()
worker.communicate(b"\\n")
os.write(writer, b"x")
assert all(watched.select([reader], [], [], 0) == ([reader], [], []) for _ in range(10)), "it misses a request"
os.read(reader, 1)
assert watched.select([reader], [], [], 0) == watched.select([reader], [], [], 0) == ([], [], []), "it ends too early"
try:
    watched.select([reader], [], [], 0)
except SystemExit:
    print("ended")
"""


def test_the_parent_of_workers_ends_when_it_had_none_for_a_while():
    """It waits as before while it has a worker, or one is requested. In a process whose children are its own."""
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.stderr) == ("ended\n", "")


IN_A_WORKER = """
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/env/lib/python3.11/site-packages/pyspark/worker.py", line 3369, in main
    func = read(infile)
           ^^^^^^^^^^^^
  File "/project/helpers.py", line 4, in outer
    return inner(x)
           ^^^^^^^^
  File "/tmp/ipykernel_12/345.py", line 2, in inner
ValueError: first line
second line
"""
OF_A_STREAM = (
    "[STREAM_FAILED] Query [id = 1] terminated with exception: [FOREACH_BATCH_USER_FUNCTION_ERROR] Reason: "
    'Traceback (most recent call last):\n  File "/project/helpers.py", line 4, in outer\n    return inner(x)\n'
    "lakelocal.errors.DialectError: no such volume\n SQLSTATE: 39000 SQLSTATE: XXKST\n=== Streaming Query ===\nPlan:\n"
)
OF_A_TASK = (
    "Job aborted: org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
    '  File "pyarrow/table.pxi", line 3181, in slice\nTypeError: no integer\n\n\tat org.apache.spark.X.y(X.scala:1)\n'
)
HANDLED = (
    'Traceback (most recent call last):\n  File "/p/a.py", line 1, in f\n    one()\nKeyError: 1\n\n'
    "During handling of the above exception, another exception occurred:\n\n"
    'Traceback (most recent call last):\n  File "/p/a.py", line 3, in f\n    two()\nOSError: 2\n'
)


@pytest.mark.parametrize(
    ("text", "frames", "error"),
    [
        (IN_A_WORKER, ["helpers.py, line 4", "345.py, line 2"], "ValueError: first line\nsecond line"),
        (OF_A_STREAM, ["helpers.py, line 4"], "DialectError: no such volume"),
        (OF_A_TASK, [], "TypeError: no integer"),
        (HANDLED, ["a.py, line 3"], "OSError: 2"),
    ],
)
def test_the_users_part_of_a_failure_is_found(text, frames, error):
    """Whatever Spark puts before, between and after it."""
    found = failure_in_worker(text)

    assert found is not None
    assert ([str(each) for each in found.frames], found.error) == (frames, error)


def test_in_one_line_a_failure_says_where_it_was():
    assert (
        str(failure_in_worker(IN_A_WORKER))
        == "ValueError: first line second line (a cell, in a function that Spark ran)"
    )
    assert str(failure_in_worker(OF_A_STREAM)).startswith(
        "DialectError: no such volume, in `return inner(x)` (helpers.py, line 4, "
    )


def test_other_messages_tell_of_no_worker():
    assert failure_in_worker("[TABLE_OR_VIEW_NOT_FOUND] The table `x` cannot be found. SQLSTATE: 42P01") is None
