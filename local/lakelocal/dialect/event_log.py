"""`event_log('pipeline id')` and `event_log(TABLE(name))`: a query for the events of a pipeline on this machine.

Source: Databricks documentation, "event_log table-valued function" and "Pipeline event log schema".
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from lakelocal.errors import DialectError
from lakelocal.history.reading import History
from lakelocal.history.updates import Updates, event_shape
from lakelocal.project import State
from lakelocal.sql.tokens import STRING, Token
from lakelocal.sql.writing import quoted

_COLUMNS = (
    "id, sequence, origin, CAST(timestamp AS TIMESTAMP) AS timestamp, message, level, maturity_level, error, details, "
    "event_type"
)
_AS_TEXT = ("sequence", "details")  # JSON in a column of texts
_COPIES = 5  # the number of copies to keep, for queries that are still running


def event_log_argument(tokens: Sequence[Token], first: int) -> tuple[int, str | tuple[str, ...]]:
    """The index of the last token of the call, and its argument: an id, or the parts of a table's name.

    *first* is the index of the opening parenthesis.

    Raises:
        DialectError: the argument is neither.
    """
    inside = tokens[first + 1 :]
    if len(inside) > 1 and inside[0].kind == STRING and inside[1].word == ")":
        return first + 2, inside[0].text
    if [token.word for token in inside[:2]] == ["TABLE", "("]:
        parts, at = [], first + 3
        while at < len(tokens) and tokens[at].is_name:
            parts.append(tokens[at].text)
            at += 2 if at + 1 < len(tokens) and tokens[at + 1].text == "." else 1
        if parts and [token.word for token in tokens[at : at + 2]] == [")", ")"]:
            return at + 1, tuple(parts)
    raise DialectError("event_log: expected the id of a pipeline in quotes, or TABLE(the name of one of its tables).")


def events_of(state: State, wanted: str | tuple[str, ...], where: str) -> str:
    """A query for the events of the pipeline with the id *wanted*, or with the table *wanted*.

    The events are in the history of *state*, which Spark cannot read: it reads a copy of them.

    Raises:
        DialectError: there is no such pipeline, or it was never updated.
    """
    updates = Updates(History.of(state))
    pipeline = wanted if isinstance(wanted, str) else _owner(state.pipelines, wanted)
    events = updates.events(pipeline)
    if not events:
        known = ", ".join(updates.pipelines()) or "none"
        what = f"pipeline `{wanted}`" if isinstance(wanted, str) else f"pipeline with the table `{'.'.join(wanted)}`"
        raise DialectError(f"{where}: found no events of a {what}; pipelines that were updated here: {known}.")
    names = {each.update_id: each.pipeline_name for each in updates.of_pipeline(pipeline)}
    rows = [event_shape(each, names[each.update_id]) for each in events]
    return f"(SELECT {_COLUMNS} FROM json.{quoted(str(_copied(rows, state.pipelines / pipeline)))})"


def _copied(rows: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """A file of Spark with *rows*, events as the API has them; a file that a query may still read is never changed."""
    lines = [json.dumps({**row, **{name: json.dumps(row[name]) for name in _AS_TEXT}}) + "\n" for row in rows]
    text = "".join(lines)
    file = folder / "event_log" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(f".{uuid4().hex}")
        written.write_text(text, encoding="utf-8")
        written.replace(file)
        for older in sorted(file.parent.glob("*.jsonl"), key=lambda each: each.stat().st_mtime)[:-_COPIES]:
            older.unlink(missing_ok=True)
    return file


def _owner(pipelines: Path, table: tuple[str, ...]) -> str:
    name = ".".join(table).lower()
    for file in pipelines.glob("*/memory.json"):
        if name in json.loads(file.read_text(encoding="utf-8"))["tables"]:
            return file.parent.name
    return ""
