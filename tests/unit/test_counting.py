"""Executions and jobs are counted from Spark's event log."""

import json
from pathlib import Path

import pytest

from tests.bench.counting import UNKNOWN, Counts, EventLog, counts, outline, shape

SQL = r"""sql_command {
  input {
    sql {
      query: "SELECT \'a\'\n  FROM silver.silver_orders LIMIT 5"
    }
  }
}"""
PLAN = """limit {
  input {
    common {
      plan_id: 2
    }
    read {
      named_table {
        unparsed_identifier: "silver.silver_orders"
      }
    }
  }
}"""
FIRST, SECOND = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"


def started(operation: str, at_ms: int, statement: str, session: str = "s1") -> dict:
    event = "org.apache.spark.sql.connect.service.SparkListenerConnectOperationStarted"
    return {
        "Event": event, "jobTag": f"Tag_Operation_{operation}", "operationId": operation, "eventTime": at_ms,
        "sessionId": session, "statementText": statement,
    }  # fmt: skip


def job(at_ms: int, operation: str | None = None) -> dict:
    tags = {"spark.job.tags": f"SparkConnect_OperationTag_User__Session_s_Operation_{operation},more"}
    return {"Event": "SparkListenerJobStart", "Submission Time": at_ms, "Properties": tags if operation else {}}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two executions of two sessions with three jobs, one job of Spark's own, and a line that is being written."""
    events = [
        {"Event": "SparkListenerApplicationStart", "Timestamp": 1},
        started(FIRST, 10, SQL), job(11, FIRST), job(12, FIRST), job(13),
        started(SECOND, 20, PLAN, "s2"), job(21, SECOND),
    ]  # fmt: skip
    place = tmp_path / "log"
    lines = [json.dumps(event, separators=(",", ":")) for event in [*events, job(22)]]
    place.write_text("\n".join(lines))
    return place


def test_what_began_within_the_span_is_counted(log):
    """From the start (inclusive) to the end (exclusive); without a span, everything whose line is complete."""
    assert counts(log) == Counts(executions=2, jobs=4)
    assert counts(log, since=11, until=21) == Counts(executions=1, jobs=3)
    assert counts(log.parent) == counts(log)


def test_a_job_belongs_to_the_execution_whose_tag_it_carries(log):
    """Even if the execution began before the span."""
    found = EventLog.read(log)

    assert found.by_session() == {"s1": Counts(1, 2), UNKNOWN: Counts(0, 1), "s2": Counts(1, 1)}
    assert EventLog.read(log, since=12).by_session()["s1"] == Counts(0, 1)


def test_statements_of_one_kind_are_counted_together(log):
    """By what remains without names and values."""
    assert EventLog.read(log).by_statement() == {
        "SELECT ? FROM silver.* LIMIT ?": Counts(1, 2),
        "limit > read > named_table (silver.*)": Counts(1, 1),
        UNKNOWN: Counts(0, 1),
    }
    assert outline(SQL) == "SELECT 'a' FROM silver.silver_orders LIMIT 5"
    assert shape("DESCRIBE HISTORY `ops`.`progress` LIMIT 1") == shape("DESCRIBE HISTORY ops.landed_files LIMIT 2")


def test_a_folder_without_a_log_says_how_to_get_one(tmp_path):
    """The message contains the setting."""
    with pytest.raises(FileNotFoundError, match=r"found no event log; expected .*LOCAL_SPARK_CONF.*eventLog"):
        counts(tmp_path)
