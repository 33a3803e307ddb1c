"""`column:path` on a string with JSON becomes `get_json_object(column, '$.path')`.

Open-source Spark only supports paths on VARIANT values. The text does not tell which type a column has: a value counts
as a string unless the text before the colon makes it a VARIANT, or it is known to be one (`variant_found` reads this
from the server's response, and the request is sent again).

A field that is written as a name is found case-insensitively, one in brackets only as it is written.

Source: Databricks documentation, "JSON path expression", "Query JSON strings".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lakelocal.sql.nesting import closes, closing, level_back, opening, opens, type_arguments
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

_GIVES_VARIANT = frozenset(["PARSE_JSON", "TRY_PARSE_JSON", "VARIANT_GET", "TRY_VARIANT_GET", "TO_VARIANT_OBJECT"])
_LABELLED = frozenset(["BEGIN", "LOOP", "WHILE", "REPEAT", "FOR"])
_CLAUSES = frozenset(["SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "ON", "SET", "VALUES", "BY", "QUALIFY"])
_QUALIFIED = re.compile(r"[\w.]+")
# The error for a VARIANT that is passed to `get_json_object`.
_REFUSED = re.compile(r'requires the "STRING" type, however "(.+?)" has the type "VARIANT"', re.DOTALL)


@dataclass(frozen=True)
class _Path:
    """A value and its path: the value has the tokens from *first* up to *colon*, the path those up to *last*.

    A step is a text, and how it is written: as a "name", a "field" in brackets, an "index" or a "star".
    """

    first: int
    colon: int
    last: int
    steps: tuple[tuple[str, str], ...]


def read_json_paths(sql: str, variants: frozenset[str]) -> str:
    """*sql* with a call in place of each path on a string; paths on *variants*, which are texts of values, stay."""
    if ":" not in sql:
        return sql
    tokens = tokenize(sql) or ()
    edits = []
    for path in _paths(tokens):
        value = sql[tokens[path.first].start : tokens[path.colon].start]
        if _is_variant(tokens[path.first : path.colon]) or plain_value(value) in variants:
            continue
        call = _call(value, path.steps)
        alias = _alias(tokens, path)
        cast, end = _cast(sql, tokens, path) if alias else ("", tokens[path.last].end)
        edits.append(Edit(tokens[path.first].start, end, call + cast + alias))
    return apply(sql, edits)


def variant_found(message: str) -> str | None:
    """The value that is a VARIANT according to the *message* of an error; None for any other error."""
    found = _REFUSED.search(message) if "get_json_object" in message else None
    return plain_value(found[1]) if found else None


def plain_value(text: str) -> str:
    """The normalised *text* of a value, so that it can be compared; for a column, only its own name."""
    plain = "".join(text.replace("`", "").lower().split())
    return plain.rpartition(".")[2] if _QUALIFIED.fullmatch(plain) else plain


def _paths(tokens: Sequence[Token]) -> list[_Path]:
    typed = type_arguments(tokens)
    found: list[_Path] = []
    for colon in range(1, len(tokens) - 1):
        before, behind = tokens[colon - 1], tokens[colon + 1]
        if tokens[colon].word != ":" or colon in typed or (found and colon <= found[-1].last):
            continue
        if before.end != tokens[colon].start or tokens[colon].end != behind.start or not before.ends_value:
            continue
        if behind.word in _LABELLED or (before.kind != STRING and before.text[:1].isdigit()):
            continue
        steps, last = _steps(tokens, colon + 1)
        if steps:
            found.append(_Path(_value_start(tokens, colon - 1), colon, last, steps))
    return found


def _value_start(tokens: Sequence[Token], end: int) -> int:
    """The beginning of the value that ends at *end*: a name with its qualifiers, a call, a subscript or a cast."""
    start = end
    while closes(tokens[start]):
        opened = opening(tokens, start)
        if opened is None:
            return end
        start = opened
        if start and tokens[start - 1].end == tokens[start].start and tokens[start - 1].ends_value:
            start -= 1
    while start > 1 and tokens[start - 1].text == "." and tokens[start].is_name and tokens[start - 2].is_name:
        start -= 2
    if start > 1 and tokens[start - 1].text == "::":
        return _value_start(tokens, start - 2)
    return start


def _steps(tokens: Sequence[Token], at: int) -> tuple[tuple[tuple[str, str], ...], int]:
    """The steps of the path that begins at *at*, and the index of its last token."""
    steps: list[tuple[str, str]] = []
    last = at - 1
    if tokens[at].is_name:
        steps.append((tokens[at].text, "name"))
        last = at
    while last + 1 < len(tokens) and tokens[last + 1].start == tokens[last].end:
        following = tokens[last + 1]
        if following.word in (".", ":") and last + 2 < len(tokens) and tokens[last + 2].is_name and steps:
            steps.append((tokens[last + 2].text, "name"))
            last += 2
        elif following.word == ":" and last + 2 < len(tokens) and tokens[last + 2].text == "[" and steps:
            last += 1
        elif opens(following) and following.text == "[" and (end := closing(tokens, last + 1)) == last + 3:
            steps.append(_bracketed(tokens[last + 2]))
            last = end
        else:
            break
    return tuple(steps), last


def _bracketed(token: Token) -> tuple[str, str]:
    if token.kind == STRING:
        return token.text, "field"
    return ("*", "star") if token.text == "*" else (token.text, "index")


def _is_variant(value: Sequence[Token]) -> bool:
    """Does the text of *value* show that it is a VARIANT?"""
    if value[0].word in _GIVES_VARIANT and len(value) > 1 and value[1].text == "(":
        return True
    return [token.word for token in value[-2:]] in (["::", "VARIANT"], ["VARIANT", ")"])


def _call(value: str, steps: Sequence[tuple[str, str]]) -> str:
    """SQL that reads the path from *value*: first as it is written, and if nothing is found, case-insensitively."""
    exact = f"get_json_object({value}, {literal('$' + ''.join(_exact(*step) for step in steps))})"
    star = next((at for at, (_, how) in enumerate(steps) if how == "star"), len(steps))
    names = steps[:star]
    if not any(how == "name" for _, how in names):
        return exact
    parts = ", ".join(literal(text.lower() if how == "name" else _exact(text, how)) for text, how in names)
    key = "get(filter(json_object_keys(j), k -> lower(k) = n), 0)"
    by_name = f"get_json_object(j, concat('$[\\'', {key}, '\\']'))"
    step = f"(j, n) -> CASE WHEN startswith(n, '[') THEN get_json_object(j, concat('$', n)) ELSE {by_name} END"
    any_case = f"aggregate(array({parts}), {value}, {step})"
    if star < len(steps):
        any_case = f"get_json_object({any_case}, {literal('$' + ''.join(_exact(*step) for step in steps[star:]))})"
    return f"coalesce({exact}, {any_case})"


def _exact(text: str, how: str) -> str:
    return f"['{text}']" if how in ("name", "field") else f"[{text}]"


def _alias(tokens: Sequence[Token], path: _Path) -> str:
    """The alias for the column if the path, with or without a cast, is a whole entry of a SELECT list; otherwise ""."""
    before = tokens[path.first - 1].word if path.first else ""
    end = _cast_end(tokens, path.last)
    behind = tokens[end + 1].word if end + 1 < len(tokens) else ""
    names = [text for text, how in path.steps if how in ("name", "field")]
    whole = before in ("SELECT", "DISTINCT", ",", "") and behind in (",", "FROM", "", ")", ";")
    return f" AS {quoted(names[-1])}" if whole and names and _in_select(tokens, path.first) else ""


def _cast(sql: str, tokens: Sequence[Token], path: _Path) -> tuple[str, int]:
    """The text of `::type` after the path, and the position in *sql* at which it ends."""
    end = tokens[_cast_end(tokens, path.last)].end
    return sql[tokens[path.last].end : end], end


def _cast_end(tokens: Sequence[Token], last: int) -> int:
    """The index of the last token of `::type` after token *last*; *last* itself if there is none."""
    while last + 2 < len(tokens) and tokens[last + 1].text == "::" and tokens[last + 2].is_name:
        last += 2
        if last + 1 < len(tokens) and tokens[last + 1].text == "(":
            last = closing(tokens, last + 1) or last
        elif last + 1 < len(tokens) and tokens[last + 1].text == "<":
            within = type_arguments(tokens)
            last = next((at for at in range(last + 2, len(tokens)) if at not in within), last + 1)
    return last


def _in_select(tokens: Sequence[Token], at: int) -> bool:
    """Is token *at* directly in a SELECT list, or the first token of an expression?"""
    if at == 0:
        return True
    clause = next((tokens[index].word for index in level_back(tokens, at - 1) if tokens[index].word in _CLAUSES), "")
    return clause == "SELECT"
