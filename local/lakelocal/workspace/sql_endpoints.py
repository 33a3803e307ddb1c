"""The SQL Statement Execution API, on the Spark servers of the catalogs.

A client that waits for a result occupies no thread. Results are returned inline as JSON_ARRAY; there is no external
storage to which links could point.

Source: SQL Statement Execution API 2.0; Databricks SDK 0.162, `service/sql.py`.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute

from lakelocal.project import State
from lakelocal.workspace.endpoints import Asked, endpoint
from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.lookups import warehouse_id
from lakelocal.workspace.statements import CANCELED, FAILED, SUCCEEDED, Chunk, Execution, Question, parameter_value
from lakelocal.workspace.workspace import Workspace

_API = "/api/2.0/sql/statements"
_SHORTEST_WAIT, _LONGEST_WAIT = 5, 50
_WAIT = re.compile(r"(\d{1,3})s")
_WORD = re.compile(r"[A-Za-z0-9_][\w-]*")
_INLINE = ("INLINE", "INLINE_OR_EXTERNAL_LINKS")


class Parameter(Asked):
    """A named parameter: a text with its SQL type; NULL without a value."""

    name: str
    value: str | None = None
    type: str = "STRING"


class Statement(Asked):
    """A statement to be executed."""

    statement: str
    warehouse_id: str
    catalog: str = ""
    schema_name: str = Field("", alias="schema")
    parameters: Sequence[Parameter] = ()
    row_limit: int | None = None
    byte_limit: int | None = None
    disposition: str = "INLINE"
    format: str = "JSON_ARRAY"
    wait_timeout: str = "10s"
    on_wait_timeout: str = "CONTINUE"


class Started(Asked):
    """A statement that was started."""

    statement_id: str


class PartOfResult(Started):
    """A chunk of the result of a statement."""

    chunk_index: int


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        endpoint("POST", _API, Statement, execute),
        endpoint("POST", f"{_API}/", Statement, execute),
        endpoint("GET", f"{_API}/{{statement_id}}", Started, get),
        endpoint("GET", f"{_API}/{{statement_id}}/result/chunks/{{chunk_index}}", PartOfResult, chunk),
        endpoint("POST", f"{_API}/{{statement_id}}/cancel", Started, cancel),
    ]


async def execute(workspace: Workspace, asked: Statement) -> Mapping[str, Any]:
    """Execute a statement, and wait for its end for as long as the client asks."""
    seconds = _seconds(asked)
    question = await run_in_threadpool(_question, workspace, asked)
    execution = workspace.statements.start(question)
    if seconds:
        await asyncio.wait([asyncio.wrap_future(execution.done)], timeout=seconds)
        if not execution.done.done() and asked.on_wait_timeout == "CANCEL":
            await run_in_threadpool(execution.cancel)
    return _told(execution)


def get(workspace: Workspace, asked: Started) -> Mapping[str, Any]:
    """Return the state of a statement, with the first chunk of its result."""
    return _told(workspace.statements.get(asked.statement_id))


def chunk(workspace: Workspace, asked: PartOfResult) -> Mapping[str, Any]:
    """Return a chunk of a result."""
    execution = workspace.statements.get(asked.statement_id)
    if execution.result is None:
        raise ApiError("INVALID_STATE", f"The statement {execution.id} has no result: it is {execution.state}.")
    if not 0 <= asked.chunk_index < max(len(execution.result.chunks), 1):
        raise not_there(f"`chunk_index`: found {asked.chunk_index}; there are {len(execution.result.chunks)} chunks.")
    return _rows(execution, asked.chunk_index)


def cancel(workspace: Workspace, asked: Started) -> Mapping[str, Any]:
    """Cancel a statement."""
    workspace.statements.get(asked.statement_id).cancel()
    return {}


def _question(workspace: Workspace, asked: Statement) -> Question:
    if not asked.statement.strip():
        raise wrong_value("`statement`: found no statement; expected one.")
    if asked.warehouse_id != warehouse_id(workspace):
        raise not_there(f"SQL warehouse {asked.warehouse_id[:100]} does not exist; there is {warehouse_id(workspace)}.")
    if asked.disposition not in _INLINE or asked.format != "JSON_ARRAY":
        raise wrong_value(
            f"`disposition` {asked.disposition[:40]}, `format` {asked.format[:40]}: there is no storage here to which "
            "links could point. Use INLINE and JSON_ARRAY."
        )
    if asked.on_wait_timeout not in ("CONTINUE", "CANCEL"):
        raise wrong_value(f"`on_wait_timeout`: found {asked.on_wait_timeout[:40]}; expected CONTINUE or CANCEL.")
    if asked.row_limit is not None and asked.row_limit < 1:
        raise wrong_value(f"`row_limit`: found {asked.row_limit}; expected a number from 1.")
    state = state_for(workspace, asked.statement, asked.catalog)
    parameters = {each.name: parameter_value(each.name, each.value, each.type) for each in asked.parameters}
    return Question(asked.statement, state, asked.catalog, asked.schema_name, parameters, asked.row_limit)


def state_for(workspace: Workspace, statement: str, catalog: str = "") -> State:
    """The state for *statement*: that of *catalog*, else of the first catalog that the statement names, else the
    default.

    A statement may name tables of several catalogs, as long as they are in one state.

    Raises:
        ApiError: *catalog* does not exist.
    """
    if catalog:
        return workspace.catalogs.get(catalog)
    own = {state.catalog.lower(): state for state in workspace.catalogs.states()}
    named = (own[word.lower()] for word in _WORD.findall(statement) if word.lower() in own)
    return next(named, None) or workspace.catalogs.default()


def _seconds(asked: Statement) -> int:
    found = _WAIT.fullmatch(asked.wait_timeout)
    seconds = int(found[1]) if found else -1
    if seconds != 0 and not _SHORTEST_WAIT <= seconds <= _LONGEST_WAIT:
        given = asked.wait_timeout[:20]
        expected = f"`0s`, or from `{_SHORTEST_WAIT}s` to `{_LONGEST_WAIT}s`"
        raise wrong_value(f"`wait_timeout`: found {given!r}; expected {expected}.")
    return seconds


def _told(execution: Execution) -> Mapping[str, Any]:
    state, result = execution.state, execution.result
    found: dict[str, Any] = {"statement_id": execution.id, "status": {"state": state}}
    if state == FAILED:
        found["status"]["error"] = {"error_code": "BAD_REQUEST", "message": execution.error}
    if state in (CANCELED, FAILED) or result is None:
        return found
    assert state == SUCCEEDED
    chunks = [_described(each, number) for number, each in enumerate(result.chunks)]
    found["manifest"] = {
        "format": "JSON_ARRAY",
        "schema": {"column_count": len(result.columns), "columns": result.columns},
        "total_chunk_count": len(chunks),
        "total_row_count": result.row_count,
        "total_byte_count": result.size,
        "truncated": result.is_truncated,
        "chunks": chunks,
    }
    found["result"] = _rows(execution, 0) if chunks else {}
    return found


def _described(each: Chunk, number: int) -> Mapping[str, Any]:
    return {"chunk_index": number, "row_offset": each.row_offset, "row_count": len(each.rows), "byte_count": each.size}


def _rows(execution: Execution, number: int) -> Mapping[str, Any]:
    result = execution.result
    assert result is not None
    if not result.chunks:
        return {}
    found = {**_described(result.chunks[number], number), "data_array": result.chunks[number].rows}
    if number + 1 < len(result.chunks):
        found["next_chunk_index"] = number + 1
        found["next_chunk_internal_link"] = f"{_API}/{execution.id}/result/chunks/{number + 1}"
    return found
