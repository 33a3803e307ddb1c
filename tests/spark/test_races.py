"""Tasks that run at once create the same: each statement succeeds, as in a catalog that creates one after the other."""

import logging
import threading

import pytest
from pyspark.errors import AnalysisException

from lakelocal.compute import open_session

ROUNDS, TASKS = 10, 4


@pytest.fixture(scope="module")
def sessions(state, spark):
    """Sessions as those of tasks that run at once, in the schema `races`."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS races")
    found = [open_session(state) for _ in range(TASKS)]
    yield found
    for session in found:
        session.stop()
    spark.sql("DROP SCHEMA races CASCADE")


def failures_of(statement: str, sessions) -> list[str]:
    """What fails when each of *sessions* runs *statement*, all at the same time."""
    together, failed = threading.Barrier(len(sessions)), []

    def run(session) -> None:
        together.wait(60)
        try:
            session.sql(statement).collect()
        except Exception as error:
            failed.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return failed


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("CREATE TABLE IF NOT EXISTS races.empty_{} (id INT, name STRING) USING DELTA", 0),
        (
            "-- first\nCREATE TABLE IF NOT EXISTS races.keyed_{} (id BIGINT GENERATED ALWAYS AS IDENTITY, k INT)",
            0,
        ),
        ("CREATE TABLE IF NOT EXISTS races.filled_{} AS SELECT id FROM range(3)", 3),
        ("CREATE OR REPLACE VIEW races.seen_{} AS SELECT id FROM range(3)", 3),
    ],
)
def test_all_who_create_the_same_succeed(spark, sessions, caplog, statement, rows):
    """The second finds what the first has made, and does nothing. Rounds go on until somebody has really lost one."""
    caplog.set_level(logging.INFO, "lakelocal.dialect")
    for number in range(ROUNDS):
        assert failures_of(statement.format(number), sessions) == []
        name = statement.format(number).split("races.")[1].split()[0]
        assert spark.table(f"races.{name}").count() == rows
        if any("another session created the same" in record.message for record in caplog.records):
            return
    pytest.fail(f"nobody lost a race in {ROUNDS} rounds")


def test_what_exists_for_another_reason_is_still_an_error(spark):
    """CREATE without IF NOT EXISTS says so at once."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS races")
    spark.sql("CREATE TABLE IF NOT EXISTS races.there (id INT) USING DELTA")

    with pytest.raises(AnalysisException, match="TABLE_OR_VIEW_ALREADY_EXISTS"):
        spark.sql("CREATE TABLE races.there (id INT) USING DELTA")
