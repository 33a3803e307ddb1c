"""What a task commits names its run, in each of its sessions; a text that the user sets stays as it is.

Its sessions also have the settings of its cluster.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql.connect.session import SparkSession

from lakelocal.commits import SETTING, run_that_made
from lakelocal.compute import open_session
from lakelocal.context import VARIABLE, TaskContext
from lakelocal.jobs.tables import Commits, table_changes
from lakelocal.project import State

Task = Callable[..., SparkSession]
OWN = '{"ticket": 12}'


@pytest.fixture
def task(state: State, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Task]:
    """The session of a task of a run, whose id is given; tables go into the schema `signed`."""
    made: list[SparkSession] = []
    spark.sql("CREATE SCHEMA signed")

    def session(run_id: int, **settings: str) -> SparkSession:
        file = tmp_path / f"{run_id}.json"
        ids = {"job_id": 1, "job_run_id": run_id, "task_run_id": 10 + run_id, "attempt_number": 0}
        names = {"job_name": "j", "task_key": "load", "notebook": "", "exit_file": "", "values_folder": ""}
        context = TaskContext(**ids, **names, settings=settings)  # type: ignore[arg-type]
        monkeypatch.setenv(VARIABLE, str(context.save(file)))
        made.append(open_session(state))
        made[-1].conf.get("spark.app.name")  # connects, while the variable names this task
        return made[-1]

    yield session
    for each in made:
        each.stop()
    spark.sql("DROP SCHEMA signed CASCADE")


def texts(spark: SparkSession, table: str) -> list[str | None]:
    """The texts of the commits of *table*, oldest first."""
    return [row.userMetadata for row in spark.sql(f"DESCRIBE HISTORY signed.{table}").orderBy("version").collect()]


def runs(spark: SparkSession, table: str) -> list[int | None]:
    return [run_that_made({"userMetadata": text}) for text in texts(spark, table)]


def test_two_runs_at_once_are_told_apart(task: Task, spark: SparkSession, state: State) -> None:
    """They write the same table in turns, by SQL and by data frames; an interactive session writes it too."""
    one, other = task(1), task(2)
    one.sql("CREATE TABLE signed.t (id BIGINT)")
    for session, rows in ((one, 1), (other, 10), (one, 100), (spark, 1000)):
        session.range(rows).write.mode("append").saveAsTable("signed.t")
    other.sql("DELETE FROM signed.t WHERE id = 0")
    task(1).range(2).writeTo("signed.t").append()

    assert runs(spark, "t") == [1, 1, 2, 1, None, 2, 1]

    def changed(*run_ids: int) -> tuple[int, int]:
        found = table_changes(state.warehouse, Commits(0, 2**62, frozenset(run_ids)))
        change = next(each for each in found if each.name == "signed.t")
        return change.inserted, change.deleted

    assert changed(1) == (1 + 100 + 2, 0)
    assert changed(2) == (10, 4)


def test_streams_name_their_run_also_in_their_functions(task: Task, spark: SparkSession, tmp_path: Path) -> None:
    """A stream runs in a copy of the session, and its function in a worker of the server."""
    one = task(1)
    one.range(3).write.saveAsTable("signed.source")

    def write(batch, _id) -> None:
        batch.write.mode("append").saveAsTable("signed.by_function")

    def stream(name: str):
        point = str(tmp_path / name)
        read = one.readStream.table("signed.source")
        return read.writeStream.option("checkpointLocation", point).trigger(availableNow=True)

    stream("a").toTable("signed.by_stream").awaitTermination()
    stream("b").foreachBatch(write).start().awaitTermination()

    assert set(runs(spark, "by_stream")) == {1}
    assert set(runs(spark, "by_function")) == {1}


def test_a_text_of_the_users_own_stays(task: Task, spark: SparkSession) -> None:
    """As an option, as a setting of the session, and before anything else; without it, the run is named again."""
    one = task(1)
    one.sql("SELECT 1").collect()
    one.range(1).write.option("userMetadata", OWN).saveAsTable("signed.own")
    one.conf.set(SETTING, "reload")
    one.range(1).write.mode("append").saveAsTable("signed.own")
    one.conf.unset(SETTING)
    one.range(1).writeTo("signed.own").append()
    one.range(1).writeTo("signed.own").option("userMetadata", OWN).append()
    first = task(1)
    first.conf.set(SETTING, "first")
    first.range(1).write.mode("append").saveAsTable("signed.own")

    found = texts(spark, "own")
    assert [found[number] for number in (0, 1, 3, 4)] == [OWN, "reload", OWN, "first"]
    assert run_that_made({"userMetadata": found[2]}) == 1


def test_the_settings_of_the_cluster_hold_in_each_session(task: Task, spark: SparkSession) -> None:
    """What a session cannot set, such as the memory of a driver, has no effect; the user can set them again."""
    settings = {"spark.sql.ansi.enabled": "false", "spark.driver.memory": "7g", "spark.my.own": "x"}

    one = task(1, **settings)
    fresh = task(1, **settings)

    for session in (one, fresh):
        assert session.sql("SELECT CAST('x' AS INT) AS n").first()["n"] is None
        assert session.conf.get("spark.my.own") == "x"
    one.conf.set("spark.my.own", "y")
    assert (one.conf.get("spark.my.own"), fresh.conf.get("spark.my.own")) == ("y", "x")
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
