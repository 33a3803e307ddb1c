"""SQL statements of clients, without Spark: how values are written and read, and how a statement ends."""

import contextlib
import datetime
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakelocal.errors import LocalError
from lakelocal.project import State
from lakelocal.workspace import statements
from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.statements import (
    CANCELED,
    FAILED,
    PENDING,
    RUNNING,
    SUCCEEDED,
    Chunk,
    Execution,
    Executions,
    Question,
    Result,
    column_of,
    parameter_value,
    value_text,
)

SECONDS = 120
ZONE = datetime.timezone(datetime.timedelta(hours=-3))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E-10"), "0.0000000001"),
        ("", ""),
        ("é\n", "é\n"),
        (b"\x00\xff", "AP8="),
        (datetime.date(2018, 1, 2), "2018-01-02"),
        (datetime.datetime(2018, 1, 2, 0, 4, 5, tzinfo=ZONE), "2018-01-02T03:04:05.000Z"),
        (datetime.datetime(2018, 1, 2, 3, 4, 5, 678900), "2018-01-02T03:04:05.678"),
        ([1, None], "[1, null]"),
        ({"k": "v"}, '{"k": "v"}'),
    ],
)
def test_values_as_json_array_has_them(value: object, text: str | None) -> None:
    """As in the API's documentation: values are texts, NULL is null, times are in ISO 8601."""
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("spark", "name", "text"),
    [
        ("tinyint", "BYTE", "TINYINT"),
        ("bigint", "LONG", "BIGINT"),
        ("int", "INT", "INT"),
        ("string", "STRING", "STRING"),
        ("timestamp_ntz", "TIMESTAMP", "TIMESTAMP_NTZ"),
        ("void", "NULL", "VOID"),
        ("interval day to second", "INTERVAL", "INTERVAL DAY TO SECOND"),
        ("struct<a:int,B:array<string>>", "STRUCT", "STRUCT<a:int,B:array<string>>"),
        ("map<string,decimal(3,1)>", "MAP", "MAP<string,decimal(3,1)>"),
        ("variant", "VARIANT", "VARIANT"),
    ],
)
def test_types_as_the_api_names_them(spark: str, name: str, text: str) -> None:
    found = column_of("c", spark, 2)
    assert (found["type_name"], found["type_text"], found["position"]) == (name, text, 2)


def test_a_decimal_has_its_precision() -> None:
    found = column_of("c", "decimal(12,2)", 0)
    assert (found["type_text"], found["type_precision"], found["type_scale"]) == ("DECIMAL(12,2)", 12, 2)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("", "7", "7"),
        ("STRING", "it's", "it's"),
        ("int", "7", 7),
        ("BIGINT", "-9223372036854775808", -(2**63)),
        ("DECIMAL(10,2)", "1.10", Decimal("1.10")),
        ("DOUBLE", "0.5", 0.5),
        ("BOOLEAN", "TRUE", True),
        ("DATE", "2018-01-31", datetime.date(2018, 1, 31)),
        ("TIMESTAMP", "2018-01-31T01:02:03Z", datetime.datetime(2018, 1, 31, 1, 2, 3, tzinfo=datetime.UTC)),
        ("TIMESTAMP", "2018-01-31 01:02:03", datetime.datetime(2018, 1, 31, 1, 2, 3, tzinfo=datetime.UTC)),
        ("DATE", None, None),
    ],
)
def test_parameters_are_values_of_their_types(type_: str, text: str | None, value: object) -> None:
    assert parameter_value("p", text, type_) == value


@pytest.mark.parametrize(
    ("type_", "text"),
    [("INT", "x"), ("INT", "1.5"), ("DATE", "2018-02-30"), ("BOOLEAN", "maybe"), ("DECIMAL", "x"), ("MAP", "")],
)
def test_parameters_that_are_no_such_values_are_refused(type_: str, text: str) -> None:
    with pytest.raises(ApiError, match="`p`"):
        parameter_value("p", text, type_)


class Sessions:
    """Sessions without a server; the first interruption sets *interrupted*."""

    def __init__(self) -> None:
        self.interrupted = threading.Event()

    @contextlib.contextmanager
    def own(self, state: State) -> Iterator[Any]:
        yield self

    def interruptAll(self) -> None:
        self.interrupted.set()


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def executions(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executions]:
    """Statements whose text says what happens: `wait` until it is interrupted, `fail`, or a number of rows."""

    def answered(session: Sessions, question: Question) -> Result:
        if question.text == "wait":
            assert session.interrupted.wait(SECONDS)
            raise LocalError("interrupted")
        if question.text == "fail":
            raise LocalError("no such table")
        if question.text == "bug":
            raise ZeroDivisionError("a bug")
        return Result([], [Chunk(0, [["1"]] * int(question.text), int(question.text))], False)

    monkeypatch.setattr(statements, "_answered", answered)
    found = Executions(sessions)  # type: ignore[arg-type]
    yield found
    found.close()


def start(executions: Executions, text: str, *, wait: bool = True) -> Execution:
    execution = executions.start(Question(text, State(Path(), "main", Path("main"))))
    if wait:
        execution.done.result(SECONDS)
    return execution


def test_the_states_of_statements(executions: Executions) -> None:
    good = start(executions, "3")
    assert (good.state, good.result.row_count if good.result else 0) == (SUCCEEDED, 3)
    assert executions.get(good.id) is good
    bad = start(executions, "fail")
    assert (bad.state, bad.error) == (FAILED, "no such table")
    assert start(executions, "bug").error == "ZeroDivisionError: a bug"
    with pytest.raises(ApiError, match="not found"):
        executions.get("absent")


def test_a_running_statement_is_cancelled_once(executions: Executions, sessions: Sessions) -> None:
    running = start(executions, "wait", wait=False)
    while running.state == PENDING:
        assert not running.done.done()
    assert running.state == RUNNING
    running.cancel()
    running.done.result(SECONDS)
    assert sessions.interrupted.wait(SECONDS), "the server is told"
    running.cancel()
    assert running.state == CANCELED, "what the statement says afterwards changes nothing"


def test_a_statement_that_waits_for_its_turn_is_cancelled(executions: Executions, sessions: Sessions) -> None:
    running = [start(executions, "wait", wait=False) for _ in range(statements.AT_ONCE)]
    waiting = start(executions, "1", wait=False)
    waiting.cancel()
    assert (waiting.state, waiting.result) == (CANCELED, None)
    sessions.interrupted.set()
    for each in running:
        each.done.result(SECONDS)
    assert start(executions, "1").state == SUCCEEDED
    assert waiting.state == CANCELED


def test_too_many_statements_are_refused(executions: Executions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MOST_WAITING", 2)
    for _ in range(2):
        start(executions, "wait", wait=False)
    with pytest.raises(ApiError) as caught:
        start(executions, "1")
    assert caught.value.code == "RESOURCE_EXHAUSTED"


def test_results_are_kept_as_far_as_they_fit(executions: Executions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "KEPT_BYTES", 25)
    kept = [start(executions, "10") for _ in range(4)]
    known = []
    for each in kept:
        with contextlib.suppress(ApiError):
            known.append(executions.get(each.id))
    assert known == kept[2:], "the oldest go first"
