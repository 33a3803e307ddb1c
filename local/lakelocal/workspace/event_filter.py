"""Filters of the Pipelines API, which look like SQL: they select the events of a pipeline, or pipelines.

    level IN ('ERROR', 'WARN') AND timestamp > '2021-07-22T06:37:33.083Z'
    name LIKE '%shopping%'

Source: Pipelines API, `ListPipelineEvents` and `ListPipelines`; CLI 1.14 also filters by `update_id` and `event_type`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.workspace.errors import ApiError, wrong_value

_TEXTS = ("id", "level", "update_id", "event_type", "flow_name", "dataset_name")
_ORDERS = ("=", ">", ">=", "<", "<=")
Condition = tuple[str, list[object]]


def events_where(text: str) -> Condition:
    """The SQL condition on the history's events that *text* stands for, with its values.

    Raises:
        ApiError: *text* is not a filter of events.
    """
    if not text.strip():
        return "1", []
    tokens = list(tokenize(text) or ())
    conditions: list[str] = []
    values: list[object] = []
    while tokens:
        condition, found, used = _condition(tokens, text)
        conditions.append(condition)
        values += found
        if len(tokens) > used and (tokens[used].word != "AND" or len(tokens) == used + 1):
            raise _refused(text)
        tokens = tokens[used + 1 :]
    if not conditions:
        raise _refused(text)
    return " AND ".join(conditions), values


def pipelines_filter(text: str) -> tuple[str, str]:
    """The pattern of `name LIKE '...'` and the path of `notebook='...'`; what *text* does not name is "%" or "".

    Raises:
        ApiError: *text* has neither form.
    """
    if not text.strip():
        return "%", ""
    tokens = list(tokenize(text) or ())
    if len(tokens) == 3 and tokens[2].kind == STRING and tokens[2].text:
        match tokens[0].text.lower(), tokens[1].word:
            case "name", "LIKE":
                return tokens[2].text, ""
            case "notebook", "=":
                return "%", tokens[2].text
    raise wrong_value(f"`filter`: found `{text[:200]}`; expected `name LIKE '[pattern]'` or `notebook='<path>'`.")


def _condition(tokens: Sequence[Token], text: str) -> tuple[str, list[object], int]:
    """The condition at the beginning of *tokens*, its values, and the number of its tokens."""
    words = [token.word for token in tokens]
    name = tokens[0].text.lower()
    if len(tokens) > 2 and tokens[2].kind == STRING:
        if name == "timestamp" and words[1] in _ORDERS:
            return f"time {words[1]} ?", [_milliseconds(tokens[2].text)], 3
        if name in _TEXTS and words[1] == "=":
            return f"{name} = ?", [tokens[2].text], 3
    if name in _TEXTS and words[1:3] == ["IN", "("] and ")" in words:
        inside = tokens[3 : words.index(")")]
        values = [token.text for token in inside[::2]]
        if values and all(token.kind == STRING for token in inside[::2]) and all(w.word == "," for w in inside[1::2]):
            return f"{name} IN ({', '.join('?' for _ in values)})", list(values), len(inside) + 4
    raise _refused(text)


def _milliseconds(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong_value(
            f"`filter`: found the time `{text[:80]}`; expected one like 2021-07-22T06:37:33.083Z."
        ) from error
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _refused(text: str) -> ApiError:
    return wrong_value(
        f"`filter`: found `{text[:200]}`; expected conditions joined by AND on {', '.join(_TEXTS)} (= or IN) and "
        "timestamp (=, >, >=, <, <=), with values in quotes."
    )
