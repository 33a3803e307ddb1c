"""`event_log('pipeline id')` and `event_log(TABLE(name))`: a query for the events of a pipeline on this machine.

Source: Databricks documentation, "event_log table-valued function" and "Pipeline event log schema".
"""

import json
from collections.abc import Sequence
from pathlib import Path

from lakelocal.errors import DialectError
from lakelocal.sql.tokens import STRING, Token
from lakelocal.sql.writing import quoted

_COLUMNS = (
    "id, sequence, origin, CAST(timestamp AS TIMESTAMP) AS timestamp, message, level, maturity_level, error, details, "
    "event_type"
)


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


def events_of(pipelines: Path, wanted: str | tuple[str, ...], where: str) -> str:
    """A query for the events of the pipeline with the id *wanted*, or with the table *wanted*.

    *pipelines* is the folder in the catalog's state that has the memory of pipelines.

    Raises:
        DialectError: there is no such pipeline, or it was never updated.
    """
    file = pipelines / (wanted if isinstance(wanted, str) else _owner(pipelines, wanted)) / "events.jsonl"
    if not file.is_file():
        known = ", ".join(sorted(each.parent.name for each in pipelines.glob("*/events.jsonl"))) or "none"
        what = f"pipeline `{wanted}`" if isinstance(wanted, str) else f"pipeline with the table `{'.'.join(wanted)}`"
        raise DialectError(f"{where}: found no events of a {what}; pipelines that were updated here: {known}.")
    return f"(SELECT {_COLUMNS} FROM json.{quoted(str(file))})"


def _owner(pipelines: Path, table: tuple[str, ...]) -> str:
    name = ".".join(table).lower()
    for file in pipelines.glob("*/memory.json"):
        if name in json.loads(file.read_text(encoding="utf-8"))["tables"]:
            return file.parent.name
    return ""
