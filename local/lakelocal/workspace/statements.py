"""SQL statements of clients: each runs in a thread, in its own session, and its rows are kept.

The rows are kept in memory for an hour after the end; if they become too many, the oldest are dropped first.

Source: SQL Statement Execution API 2.0, for states, chunks, parameters and the format of values.
"""

import base64
import contextlib
import datetime
import decimal
import json
import logging
import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakelocal.errors import LocalError
from lakelocal.project import State
from lakelocal.sql.writing import quoted
from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.spark_sessions import SparkSessions

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql.connect.session import SparkSession

PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED = "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED"
AT_ONCE = 8
MOST_WAITING = 200
RESULT_LIMIT = 25 * 1024 * 1024  # bytes of a result that is returned inline, as on Databricks
FETCHED_LIMIT = 5 * RESULT_LIMIT  # the same rows in Arrow, where a small number needs as many bytes as a large one
CHUNK_BYTES = 4 * 1024 * 1024
KEPT_SECONDS = 3600
KEPT_BYTES = 256 * 1024 * 1024
_INTERRUPT_SECONDS = 0.2
_log = logging.getLogger(__package__)


@dataclass(frozen=True)
class Question:
    """A statement: its text, its initial catalog and schema, its parameters, and the most rows to return."""

    text: str
    state: State
    catalog: str = ""
    schema: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    row_limit: int | None = None


@dataclass(frozen=True)
class Chunk:
    """Rows of a result from *row_offset* on, each a list of texts; NULL is None."""

    row_offset: int
    rows: Sequence[Sequence[str | None]]
    size: int


@dataclass(frozen=True)
class Result:
    """The *columns* of a result, as the API describes them, and its rows."""

    columns: Sequence[Mapping[str, Any]]
    chunks: Sequence[Chunk]
    is_truncated: bool

    @property
    def size(self) -> int:
        return sum(chunk.size for chunk in self.chunks)

    @property
    def row_count(self) -> int:
        return sum(len(chunk.rows) for chunk in self.chunks)


class Execution:
    """The execution of a statement; *state* is one of the API's states, *error* the reason of a failure."""

    def __init__(self, question: Question) -> None:
        self.id = str(uuid.uuid4())
        self.question = question
        self.state = PENDING
        self.error = ""
        self.result: Result | None = None
        self.ended = 0.0
        self.done: Future[None] = Future()
        self._session: SparkSession | None = None
        self._left = threading.Event()
        self._changing = threading.Lock()

    def run(self, sessions: SparkSessions) -> None:
        """Execute the statement, unless it has been cancelled."""
        try:
            with sessions.own(self.question.state) as session:
                if self._begin(session):
                    self._end(SUCCEEDED, _answered(session, self.question))
        except LocalError as error:
            self._end(FAILED, error=str(error))
        except Exception as error:  # the waiting client has to learn of a bug too
            _log.exception("statement %s", self.id)
            self._end(FAILED, error=f"{type(error).__name__}: {error}")
        finally:
            self._left.set()

    def cancel(self) -> None:
        """Cancel the statement, if it has not ended."""
        with self._changing:
            session = self._session
        self._end(CANCELED)
        if session is not None:
            threading.Thread(target=self._interrupt, args=(session,), daemon=True).start()

    def _interrupt(self, session: "SparkSession") -> None:
        """Interrupt *session* repeatedly: the statement may not have arrived at the server yet."""
        with contextlib.suppress(Exception):  # the session or the server has ended, and so has the statement
            while not self._left.wait(_INTERRUPT_SECONDS):
                session.interruptAll()

    def _begin(self, session: "SparkSession") -> bool:
        with self._changing:
            if self.state != PENDING:
                return False
            self.state, self._session = RUNNING, session
            return True

    def _end(self, state: str, result: Result | None = None, error: str = "") -> None:
        with self._changing:
            if self.state not in (PENDING, RUNNING):
                return
            self.state, self.result, self.error, self.ended = state, result, error, time.monotonic()
            self._session = None
        self.done.set_result(None)


class Executions:
    """The statements of all clients."""

    def __init__(self, sessions: SparkSessions) -> None:
        self._sessions = sessions
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="statement")
        self._known: dict[str, Execution] = {}
        self._changing = threading.Lock()

    def start(self, question: Question) -> Execution:
        """Begin to execute *question*.

        Raises:
            ApiError: too many statements are waiting already.
        """
        execution = Execution(question)
        with self._changing:
            self._drop_old()
            waiting = sum(each.state in (PENDING, RUNNING) for each in self._known.values())
            if waiting >= MOST_WAITING:
                text = f"{waiting} statements are running or waiting, which is the limit. Try again later."
                raise ApiError("RESOURCE_EXHAUSTED", text)
            self._known[execution.id] = execution
        self._threads.submit(execution.run, self._sessions)
        return execution

    def get(self, statement_id: str) -> Execution:
        """The statement with this id.

        Raises:
            ApiError: there is none, or its result has been dropped.
        """
        with self._changing:
            self._drop_old()
            if found := self._known.get(statement_id):
                return found
        raise not_there(f"The statement {statement_id[:60]} was not found: results are kept for an hour.")

    def close(self) -> None:
        """Cancel all running statements."""
        with self._changing:
            running = list(self._known.values())
        for execution in running:
            execution.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _drop_old(self) -> None:
        ended = sorted((each for each in self._known.values() if each.ended), key=lambda each: each.ended, reverse=True)
        held, now = 0, time.monotonic()
        for execution in ended:
            held += execution.result.size if execution.result else 0
            if now - execution.ended > KEPT_SECONDS or held > KEPT_BYTES:
                del self._known[execution.id]


def _answered(session: "SparkSession", question: Question) -> Result:
    from lakelocal.queries import execute, select  # Spark's client is slow to import

    if question.catalog:
        execute(session, f"USE CATALOG {quoted(question.catalog)}")
    if question.schema:
        execute(session, f"USE SCHEMA {quoted(question.schema)}")
    limit = question.row_limit
    fields, rows = select(
        session,
        question.text,
        question.parameters,
        limit=None if limit is None else limit + 1,
        most_bytes=FETCHED_LIMIT,
    )
    is_truncated = limit is not None and rows.num_rows > limit
    chunks = list(_chunks(rows.slice(0, limit)))
    columns = [column_of(name, kind, position) for position, (name, kind) in enumerate(fields)]
    return Result(columns, chunks, is_truncated)


def _chunks(table: "pyarrow.Table") -> Iterator[Chunk]:
    """The rows of *table* in chunks.

    Raises:
        LocalError: they are too large to be returned inline.
    """
    from lakelocal.queries import rows_of

    held: list[list[str | None]] = []
    size, total, offset = 0, 0, 0
    for batch in table.to_batches(max_chunksize=1000):
        for row in rows_of(batch):
            texts = [value_text(value) for value in row]
            held.append(texts)
            size += sum(len(text.encode()) + 4 if text is not None else 5 for text in texts)
            if size >= CHUNK_BYTES:
                yield Chunk(offset, held, size)
                total, offset, held, size = total + size, offset + len(held), [], 0
            if total + size > RESULT_LIMIT:
                raise LocalError(
                    f"Inline results are limited to {RESULT_LIMIT // 1024**2} MiB; found more. Ask for fewer rows with "
                    "`row_limit`, or write them to a table or a volume."
                )
    if held:
        yield Chunk(offset, held, size)


def value_text(value: object) -> str | None:
    """*value* as the API writes it in JSON_ARRAY; None for NULL."""
    from lakelocal.queries import plain, to_json

    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(value) if math.isfinite(value) else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if isinstance(value, datetime.datetime):
        is_local = value.tzinfo is None  # TIMESTAMP_NTZ
        moment = value if is_local else value.astimezone(datetime.UTC)
        return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + ("" if is_local else "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list | dict):
        return to_json(value)
    return str(plain(value))


_TYPE_NAMES = {
    "tinyint": "BYTE", "smallint": "SHORT", "bigint": "LONG", "void": "NULL", "timestamp_ntz": "TIMESTAMP",
}  # fmt: skip


def column_of(name: str, type_text: str, position: int) -> dict[str, Any]:
    """A column whose type Spark writes as *type_text*, such as `decimal(12,2)`."""
    head = type_text.partition("(")[0].partition("<")[0].partition(" ")[0]
    found: dict[str, Any] = {"name": name, "position": position, "type_text": type_text.upper()}
    found["type_name"] = _TYPE_NAMES.get(head, head.upper())
    if head in ("struct", "map", "array"):
        found["type_text"] = f"{head.upper()}{type_text[len(head) :]}"
    if head == "decimal":
        precision, scale = type_text.removeprefix("decimal(").rstrip(")").split(",")
        found |= {"type_precision": int(precision), "type_scale": int(scale)}
    return found


def _time(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "STRING": str,
    "BOOLEAN": lambda text: {"true": True, "false": False}[text.lower()],
    **dict.fromkeys(("BYTE", "TINYINT", "SHORT", "SMALLINT", "INT", "INTEGER", "LONG", "BIGINT"), int),
    **dict.fromkeys(("FLOAT", "REAL", "DOUBLE"), float),
    **dict.fromkeys(("DECIMAL", "DEC", "NUMERIC"), decimal.Decimal),
    "DATE": datetime.date.fromisoformat,
    "TIMESTAMP": _time,
    "TIMESTAMP_NTZ": lambda text: datetime.datetime.fromisoformat(text).replace(tzinfo=None),
}


def parameter_value(name: str, value: str | None, type_: str) -> Any:
    """The value of the parameter *name*, a text of the SQL type *type_*.

    Raises:
        ApiError: a parameter cannot have this type, or the text is not a value of it.
    """
    head = (type_ or "STRING").upper().partition("(")[0].strip()
    if head not in _READERS:
        raise wrong_value(f"`parameters`: `{name}` has the type {type_[:40]}; expected one of {', '.join(_READERS)}.")
    if value is None:
        return None
    try:
        return _READERS[head](value)
    except (ValueError, KeyError, ArithmeticError) as error:
        raise wrong_value(
            f"`parameters`: `{name}` is {json.dumps(value[:60])}, which is not a value of the type {head}."
        ) from error
