"""Reads the text of an SQL cell: its statements, and the widgets that each takes.

By SQL's tokens, not by patterns over the text: semicolons and markers in strings and comments are text. Only the
older form `${name}` is replaced everywhere, also in strings, as on Databricks.

| in the text           | becomes                                                   |
| --------------------- | --------------------------------------------------------- |
| `:name`               | the widget's value, as a string literal                   |
| `getArgument('name')` | the same                                                  |
| `${name}`             | the widget's value as it is; stays where there is no such |

Source: Databricks documentation, "Databricks widgets" and "Legacy notebook widgets: ${param}".
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

_HEAD = re.compile(r"\s*%%?sql(?=\s|$)")
_LEGACY = re.compile(r"\$\{(\w+)\}")
Marker = tuple[str, int, int]


@dataclass(frozen=True)
class Statement:
    """One statement; *markers* stand for literals, *legacy* for plain text: name, and where in *text* from and to."""

    text: str
    markers: list[Marker] = field(default_factory=list)
    legacy: list[Marker] = field(default_factory=list)

    def filled(self, value_of: Callable[[str], str], known: Callable[[str], bool] = lambda name: True) -> str:
        """The statement with each marker as the string literal of `value_of(name)`, `${name}` as text if *known*.

        Delta's parser drops the arguments of Spark's own markers (delta-io/delta#7640), so they are written out.
        """
        changes = [(start, end, f"'{escaped(value_of(name))}'") for name, start, end in self.markers]
        changes += [(start, end, value_of(name)) for name, start, end in self.legacy if known(name)]
        text = self.text
        for start, end, new in sorted(changes, reverse=True):
            text = f"{text[:start]}{new}{text[end:]}"
        return text


def sql_of(cell: str) -> str | None:
    """The SQL of a cell headed by `%sql`, None for another cell."""
    head = _HEAD.match(cell)
    return cell[head.end() :] if head else None


def split_statements(text: str) -> list[Statement]:
    """The statements of *text*, without their semicolons; none for a text of comments only.

    A SQL script (`BEGIN ... END`) stays whole. A text that is no SQL is one statement, for Spark to judge.
    """
    from sqlglot.tokens import TokenType

    tokens = tokens_of(text)
    if tokens is None:
        return [_statement(text, [], 0, len(text))]
    if tokens and tokens[0].token_type is TokenType.BEGIN:
        return [_statement(text, tokens, 0, len(text))]
    statements, held, start = [], [], 0
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            held.append(token)
            continue
        if held:
            statements.append(_statement(text, held, start, token.start))
        held, start = [], token.end + 1
    if held:
        statements.append(_statement(text, held, start, len(text)))
    return statements


def tokens_of(text: str) -> list[Any] | None:
    """The tokens of *text* as sqlglot reads Databricks' SQL, None where it is no SQL."""
    from sqlglot import tokenize
    from sqlglot.errors import TokenError

    try:
        return tokenize(text, read="databricks")
    except TokenError:
        return None


def _statement(text: str, tokens: list[Any], start: int, end: int) -> Statement:
    start += len(text[start:end]) - len(text[start:end].lstrip())
    own = text[start:end].rstrip()
    found = [*_markers(tokens), *_arguments(tokens)]
    return Statement(
        own,
        [(name, at - start, until - start) for name, at, until in sorted(found, key=lambda marker: marker[1])],
        [(found[1], found.start(), found.end()) for found in _LEGACY.finditer(own)],
    )


def _markers(tokens: list[Any]) -> Iterator[Marker]:
    """A marker is a colon with a name right behind it and no value right before it: `raw:owner` reads JSON."""
    before = None
    for token, name in pairwise(tokens):
        after_value = before is not None and before.end + 1 == token.start and before.text not in _OPENERS
        is_name = name.text.replace("_", "a").isalnum() and not name.text[0].isdigit()
        if token.token_type.name == "COLON" and name.start == token.end + 1 and is_name and not after_value:
            yield name.text, token.start, name.end + 1
        before = token


def _arguments(tokens: list[Any]) -> Iterator[Marker]:
    """`getArgument('name')`, the widget's value in the older form."""
    for call, opened, name, closed in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        kinds = [token.token_type.name for token in (opened, name, closed)]
        if call.text.lower() == "getargument" and kinds == ["L_PAREN", "STRING", "R_PAREN"]:
            yield name.text, call.start, closed.end + 1


def escaped(value: str) -> str:
    """*value* as it stands between the quotes of a string literal."""
    return value.replace("\\", "\\\\").replace("'", "\\'")


_OPENERS = frozenset("([,=<>+-*/%|&!")
