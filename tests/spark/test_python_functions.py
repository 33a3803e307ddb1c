"""Python functions that Spark runs in workers: each kind, with modules beside the notebook, and what they may not."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.errors import PySparkException, PythonException
from pyspark.sql import functions as F
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.streaming import StatefulProcessor, StreamingQueryListener
from pyspark.sql.streaming.state import GroupStateTimeout
from pyspark.sql.window import Window

from lakelocal.compute import open_session
from lakelocal.compute.session import register
from lakelocal.kernel.failures import render
from lakelocal.project import State
from lakelocal.server import ensure_server
from lakelocal.spark_errors.messages import without_spark_details
from lakelocal.versions import DATABRICKS_RUNTIME

HELPERS = """
def plus(x):
    return x + 1

def outer(x):
    return inner(x)

def inner(x):
    raise ValueError(f"{x} is no good")
"""
TABLE_FUNCTIONS = """
from dataclasses import dataclass
from pyspark.sql.functions import AnalyzeArgument, AnalyzeResult
from pyspark.sql.types import StringType, StructType

@dataclass
class Found(AnalyzeResult):
    mark: str = ""

class Marked:
    def __init__(self, found=None):
        self.found = found

    @staticmethod
    def analyze(text: AnalyzeArgument) -> Found:
        return Found(StructType().add("marked", StringType()), mark="!")

    def eval(self, text):
        yield text + self.found.mark,
"""
SOURCES = """
from pathlib import Path
from pyspark.sql.datasource import DataSource, DataSourceReader, DataSourceWriter, InputPartition, WriterCommitMessage
from worker_helpers import plus

class Numbers(DataSource):
    @classmethod
    def name(cls):
        return "numbers"

    def schema(self):
        return "number int"

    def reader(self, schema):
        return Reader(int(self.options["count"]))

    def writer(self, schema, overwrite):
        return Writer(self.options["into"])

class Part(InputPartition):
    pass

class Reader(DataSourceReader):
    def __init__(self, count):
        self.count = count

    def partitions(self):
        return [Part(number) for number in range(self.count)]

    def read(self, part):
        yield (plus(part.value),)

class Written(WriterCommitMessage):
    def __init__(self, rows):
        self.rows = rows

class Writer(DataSourceWriter):
    def __init__(self, into):
        self.into = into

    def write(self, rows):
        return Written(sum(1 for _ in rows))

    def commit(self, messages):
        Path(self.into).write_text(str(sum(each.rows for each in messages if each)))

    def abort(self, messages):
        pass
"""


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a notebook, with modules in it; it is on the path of this process, and of no other."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name, text in (("helpers", HELPERS), ("tables", TABLE_FUNCTIONS), ("sources", SOURCES)):
        (folder / f"worker_{name}.py").write_text(text)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def plus(beside: Path):
    """A function of a module beside the notebook: pickled by name, so a worker has to import it."""
    import worker_helpers

    return worker_helpers.plus


@pytest.fixture(scope="module")
def spark(spark: SparkSession) -> Iterator[SparkSession]:
    """The session as in a kernel, for code that asks Spark for the active one."""
    before = SparkSession._default_session, SparkSession._active_session
    register(spark)
    yield spark
    SparkSession._default_session, SparkSession._active_session = before


def numbers(spark: SparkSession, count: int = 3):
    return spark.range(count).withColumn("half", F.col("id") % 2)


def test_functions_of_one_row(spark, plus):
    """Plain, Arrow-optimised, and by name in SQL."""
    spark.udf.register("plus_one", plus, "long")

    found = numbers(spark).select(
        F.udf(plus, "long")("id"), F.udf(lambda x: plus(x), "long", useArrow=True)("id"), F.expr("plus_one(id)")
    )

    assert [tuple(row) for row in found.collect()] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    assert spark.sql("SELECT plus_one(41) AS answer").first().answer == 42


def test_functions_of_series_and_arrays(spark, plus):
    """Series to series, iterators of series, series to scalar, over a window, and Arrow's arrays."""

    @F.pandas_udf("long")
    def series(x: pd.Series) -> pd.Series:
        return plus(x)

    @F.pandas_udf("long")
    def iterated(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for batch in batches:
            yield plus(batch)

    @F.pandas_udf("double")
    def mean(x: pd.Series) -> float:
        return float(x.mean())

    @F.arrow_udf("long")
    def array(x: pa.Array) -> pa.Array:
        return pc.add(x, 1)

    everything = Window.partitionBy(F.lit(1))
    found = numbers(spark).select(series("id"), iterated("id"), array("id"))

    assert [tuple(row) for row in found.collect()] == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    assert numbers(spark).agg(mean("id")).first()[0] == 1.0
    assert {row[0] for row in numbers(spark).select(mean("id").over(everything)).collect()} == {1.0}


def test_functions_of_frames_and_groups(spark, plus):
    """Maps of whole frames, and groups, alone and co-grouped."""
    rows, groups = numbers(spark, 4), numbers(spark, 4).groupBy("half")
    schema = "id long, half long"

    found = [
        rows.mapInPandas(lambda frames: (plus(frame) for frame in frames), schema),
        rows.mapInArrow(lambda batches: batches, schema),
        groups.applyInPandas(lambda key, frame: frame.assign(id=plus(frame.id), half=key[0]), schema),
        groups.applyInArrow(lambda table: table, schema),
        groups.cogroup(groups).applyInPandas(lambda left, right: left.assign(id=left.id + right.id), schema),
    ]

    assert [sorted(row.id for row in each.collect()) for each in found] == [
        [1, 2, 3, 4], [0, 1, 2, 3], [1, 2, 3, 4], [0, 1, 2, 3], [0, 2, 4, 6],
    ]  # fmt: skip


def test_table_functions(spark, plus):
    """By call, by name in SQL, with Arrow, and one whose columns are determined by its own analysis."""
    import worker_tables

    @F.udtf(returnType="number int, next int")
    class Next:
        def eval(self, number: int):
            yield number, plus(number)

    @F.arrow_udtf(returnType="number long")
    class Table:
        def eval(self, number):
            yield pa.table({"number": number})

    spark.udtf.register("next_of", Next)
    spark.udtf.register("marked", F.udtf(worker_tables.Marked))

    assert [tuple(row) for row in Next(F.lit(3)).collect()] == [(3, 4)]
    assert [tuple(row) for row in spark.sql("SELECT * FROM next_of(4)").collect()] == [(4, 5)]
    assert [tuple(row) for row in Table(F.lit(3).cast("long")).collect()] == [(3,)]
    assert [tuple(row) for row in spark.sql("SELECT * FROM marked('x')").collect()] == [("x!",)]


def test_data_sources_in_python(spark, beside, tmp_path):
    """A source's class passes through four kinds of worker, which pass its objects on."""
    import worker_sources

    spark.dataSource.register(worker_sources.Numbers)
    spark.range(3).selectExpr("CAST(id AS int) AS number").write.format("numbers").mode("append").option(
        "into", str(tmp_path / "count")
    ).save()

    assert [row.number for row in spark.read.format("numbers").option("count", "2").load().collect()] == [1, 2]
    assert (tmp_path / "count").read_text() == "3"


def test_artifacts(spark, tmp_path):
    """Modules, archives and files that a session adds are in its workers, including those already running."""
    (tmp_path / "added_module.py").write_text("VALUE = 7\n")
    (tmp_path / "added.txt").write_text("text of a file")

    def found(_):
        import added_module
        from pyspark import SparkFiles

        return f"{added_module.VALUE} {Path(SparkFiles.get('added.txt')).read_text()}"

    spark.range(1).select(F.udf(lambda x: x, "long")("id")).collect()
    spark.addArtifacts(str(tmp_path / "added_module.py"), pyfile=True)
    spark.addArtifacts(str(tmp_path / "added.txt"), file=True)

    assert spark.range(1).select(F.udf(found)("id")).first()[0] == "7 text of a file"


def test_a_module_that_was_changed_is_imported_again(spark, beside):
    """A worker is reused; its modules are the current ones."""
    place = beside / "worker_changing.py"
    place.write_text("def value(x):\n    return 'first'\n")
    import worker_changing

    before = spark.range(1).select(F.udf(worker_changing.value)("id")).first()[0]
    place.write_text("def value(x):\n    return 'second, and longer'\n")
    after = spark.range(1).select(F.udf(worker_changing.value)("id")).first()[0]

    assert (before, after) == ("first", "second, and longer")


def test_sessions_do_not_see_each_others_modules(spark, state: State, tmp_path, monkeypatch):
    """Two kernels with different packages on their paths: each gets its own, at the same time and in either order."""
    other = open_session(state)
    found = []
    for session, name in ((spark, "one"), (other, "two"), (spark, "one"), (other, "two")):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "worker_same_name.py").write_text(f"def who(x):\n    return {name!r}\n")
        with monkeypatch.context() as kernel:
            kernel.syspath_prepend(folder)
            kernel.delitem(sys.modules, "worker_same_name", raising=False)
            import worker_same_name

            found.append(session.range(1).select(F.udf(worker_same_name.who)("id")).first()[0])
    other.stop()

    assert found == ["one", "two", "one", "two"]


def test_a_package_of_the_notebook_replaces_that_of_the_environment(spark, tmp_path, monkeypatch):
    """What `%pip install` put on the path before the environment, after a worker has imported the environment's."""

    def version(_):
        import tenacity_like

        return tenacity_like.VERSION

    found = []
    for name in ("environment", "notebook"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tenacity_like.py").write_text(f"VERSION = {name!r}\n")
        monkeypatch.syspath_prepend(tmp_path / name)
        found.append(spark.range(1).select(F.udf(version)("id")).first()[0])

    assert found == ["environment", "notebook"]


def test_printing_in_a_function_breaks_nothing(spark):
    """It goes to the server's log."""

    def loud(x):
        print("printed", x)
        print("told", x, file=sys.stderr, flush=True)
        return x

    assert [row[0] for row in spark.range(2).select(F.udf(loud, "long")("id")).collect()] == [0, 1]


def test_a_failing_function_shows_the_users_frames(spark, beside):
    """The notebook shows the way to the error, the run's summary its last line."""
    import worker_helpers

    with pytest.raises(PythonException) as raised:
        spark.range(1).select(F.udf(worker_helpers.outer)("id")).collect()

    shown = render(raised.value)
    assert shown[-4:] == [
        "in the function that Spark ran:",
        "worker_helpers.py, line 6: return inner(x)",
        'worker_helpers.py, line 9: raise ValueError(f"{x} is no good")',
        "PythonException: ValueError: 0 is no good",
    ]
    assert without_spark_details(str(raised.value)) == (
        "ValueError: 0 is no good (worker_helpers.py, line 9, in a function that Spark ran)"
    )


def test_a_function_for_rows_has_no_session(spark):
    """As on Databricks; the first use reports it."""
    with pytest.raises(PythonException, match="has no `spark`, neither here nor on Databricks"):
        spark.range(1).select(F.udf(lambda x: spark.range(3).count(), "long")("id")).collect()


def test_a_worker_that_dies_is_told_in_one_line(spark):
    """Killed for its memory, or ended by a library in C; the next function has a new one."""
    with pytest.raises(PySparkException) as raised:
        spark.range(1).select(F.udf(lambda x: os._exit(3), "int")("id")).collect()

    assert without_spark_details(str(raised.value)).startswith("a worker process died while it ran a Python function; ")
    assert spark.range(1).select(F.udf(lambda x: 1, "int")("id")).first()[0] == 1


def test_modules_that_name_the_runtime_can_be_imported_in_workers(spark, beside):
    """`from databricks.sdk.runtime import ...` at the top of a module beside the notebook."""
    heads = (
        "from databricks.connect import DatabricksSession",
        "from databricks.sdk.runtime import dbutils, spark",
        "from pyspark.dbutils import DBUtils",
    )
    text = "\n    ".join(["def double(x):", *heads, "return 2 * x"])
    (beside / "worker_runtime.py").write_text(f"{text}\n")
    import worker_runtime

    assert spark.range(2).select(F.udf(worker_runtime.double, "long")("id")).collect()[1][0] == 2


def test_at_a_url_modules_beside_the_notebook_go_along(spark, state: State, beside, tmp_path):
    """Also into a function of batches, where the server's Python has this package."""
    import worker_helpers

    session = open_session(state, ensure_server(state).url)
    register(session)

    def keep(batch, number):
        batch.sparkSession.sql(f"CREATE SCHEMA IF NOT EXISTS {state.catalog}.at_a_url")
        batch.select(F.udf(worker_helpers.plus, "long")("id").alias("id")).write.mode("overwrite").saveAsTable(
            f"{state.catalog}.at_a_url.kept"
        )

    try:
        found = session.range(2).select(F.udf(worker_helpers.plus, "long")("id")).collect()
        ran(stream(session, tmp_path, 2).writeStream.foreachBatch(keep), tmp_path)
    finally:
        session.stop()
        register(spark)

    assert [row[0] for row in found] == [1, 2]
    assert sorted(row.id for row in spark.table(f"{state.catalog}.at_a_url.kept").collect()) == [1, 2]


def stream(spark: SparkSession, folder: Path, count: int = 6):
    """A stream of the rows of `numbers`, from files in *folder*."""
    numbers(spark, count).write.mode("overwrite").parquet(str(folder / "rows"))
    return spark.readStream.schema("id long, half long").parquet(str(folder / "rows"))


def ran(query, folder: Path, **settings: str):
    """Write the available rows, and wait for the end."""
    started = query.option("checkpointLocation", str(folder / "checkpoint")).trigger(availableNow=True).start()
    assert started.awaitTermination(60)


def test_functions_with_state(spark, tmp_path):
    """`applyInPandasWithState` and `transformWithStateInPandas`: rows counted by key."""

    def count(key, frames, state):
        total = sum(len(frame) for frame in frames) + (state.get[0] if state.exists else 0)
        state.update((total,))
        yield pd.DataFrame({"half": [key[0]], "rows": [total]})

    class Count(StatefulProcessor):
        def init(self, handle):
            self.total = handle.getValueState("total", "rows long")

        def handleInputRows(self, key, rows, timers):
            total = sum(len(frame) for frame in rows) + (self.total.get()[0] if self.total.exists() else 0)
            self.total.update((total,))
            yield pd.DataFrame({"half": [key[0]], "rows": [total]})

        def close(self):
            pass

    columns = "half long, rows long"
    provider = "spark.sql.streaming.stateStore.providerClass"
    grouped = stream(spark, tmp_path).groupBy("half")
    older = grouped.applyInPandasWithState(count, columns, "rows long", "Update", GroupStateTimeout.NoTimeout)
    newer = grouped.transformWithStateInPandas(Count(), columns, "Update", "None")
    ran(older.writeStream.outputMode("update").format("memory").queryName("older"), tmp_path / "older")
    spark.conf.set(provider, "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider")
    try:
        ran(newer.writeStream.outputMode("update").format("memory").queryName("newer"), tmp_path / "newer")
    finally:
        spark.conf.unset(provider)

    for name in ("older", "newer"):
        assert {tuple(row) for row in spark.table(name).collect()} == {(0, 3), (1, 3)}


def test_a_function_of_batches_speaks_the_dialect(spark, beside, state: State, tmp_path, plus):
    """Three-level names, volumes, functions for rows and the notebook's own `spark`, in a separate process."""
    catalog = state.catalog
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {catalog}.batches")
    spark.sql(f"CREATE VOLUME IF NOT EXISTS {catalog}.batches.files")
    spark.sql(f"CREATE OR REPLACE TABLE {catalog}.batches.target (id LONG, half LONG)")
    spark.sql(f"USE {catalog}.batches")

    def upsert(batch, number):
        print("batch", number)
        batch.createOrReplaceTempView("updates")
        batch.sparkSession.sql(
            f"MERGE INTO {catalog}.batches.target t USING updates s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *"
        )
        spark.sql("CREATE VOLUME IF NOT EXISTS more")
        rows = spark.table(f"{catalog}.batches.target").withColumn("next", F.udf(plus, "long")("id"))
        rows.write.mode("overwrite").parquet(f"/Volumes/{catalog}/batches/files/out")

    try:
        ran(stream(spark, tmp_path, 2).writeStream.foreachBatch(upsert), tmp_path)
        found = spark.read.parquet(f"/Volumes/{catalog}/batches/files/out").orderBy("id").collect()
    finally:
        spark.sql("USE default")

    assert [tuple(row) for row in found] == [(0, 0, 1), (1, 1, 2)]
    assert (state.volumes / "batches" / "more").is_dir()


def test_a_failing_function_of_batches_shows_the_users_frames(spark, beside, tmp_path):
    """Not Spark's own frames, nor the plan."""
    import worker_helpers

    def broken(batch, number):
        worker_helpers.inner(number)

    with pytest.raises(PySparkException) as raised:
        ran(stream(spark, tmp_path).writeStream.foreachBatch(broken), tmp_path)

    assert render(raised.value)[-2:] == [
        'worker_helpers.py, line 9: raise ValueError(f"{x} is no good")',
        "StreamingQueryException: ValueError: 0 is no good",
    ]


def test_functions_of_single_rows_of_a_stream_and_listeners(spark, tmp_path, plus):
    """`foreach` runs in a worker; a listener in the notebook."""
    heard = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            heard.append("started")

        def onQueryProgress(self, event):
            heard.append(event.progress.numInputRows)

        def onQueryIdle(self, event):
            pass

        def onQueryTerminated(self, event):
            heard.append("ended")

    def keep(row):
        (tmp_path / str(plus(row.id))).touch()

    listener = Listener()
    spark.streams.addListener(listener)
    try:
        ran(stream(spark, tmp_path, 2).writeStream.foreach(keep), tmp_path / "log")
        limit = time.monotonic() + 120
        while "ended" not in heard and time.monotonic() < limit:
            time.sleep(0.05)
    finally:
        spark.streams.removeListener(listener)

    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["1", "2"]
    assert heard == ["started", 2, "ended"]


def test_workers_run_with_the_python_of_the_environment(spark):
    """Not with what a PATH calls python3; and it says that it is Databricks, as there."""
    found = spark.range(1).select(F.udf(lambda _: f"{sys.executable} {os.environ['DATABRICKS_RUNTIME_VERSION']}")("id"))

    assert found.first()[0] == f"{sys.executable} {DATABRICKS_RUNTIME}"
