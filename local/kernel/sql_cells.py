"""Reads the text of a `%sql` cell: its statements, and the widgets that each takes.

By SQL's tokens, not by patterns over the text: semicolons and markers in strings and comments are text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Statement:
    """One statement; *markers* are its parameter markers: name, and where in *text* it stands, colon included."""

    text: str
    markers: list[tuple[str, int, int]] = field(default_factory=list)

    def filled(self, value_of: Callable[[str], str]) -> str:
        """The statement with each marker as the string literal of `value_of(name)`.

        Delta's parser drops the arguments of Spark's own markers (delta-io/delta#7640), so they are written out.
        """
        text = self.text
        for name, start, end in reversed(self.markers):
            value = value_of(name).replace("\\", "\\\\").replace("'", "\\'")
            text = f"{text[:start]}'{value}'{text[end:]}"
        return text


def split_statements(text: str) -> list[Statement]:
    """The statements of *text*, without their semicolons; none for a text of comments only.

    A SQL script (`BEGIN ... END`) stays whole. A text that is no SQL is one statement, for Spark to judge.
    """
    from sqlglot import tokenize
    from sqlglot.errors import TokenError
    from sqlglot.tokens import TokenType

    try:
        tokens = tokenize(text, read="databricks")
    except TokenError:
        return [Statement(text.strip())]
    if tokens and tokens[0].token_type is TokenType.BEGIN:
        return [_statement(text, tokens, 0, len(text), TokenType.COLON)]
    statements, held, start = [], [], 0
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            held.append(token)
            continue
        if held:
            statements.append(_statement(text, held, start, token.start, TokenType.COLON))
        held, start = [], token.end + 1
    if held:
        statements.append(_statement(text, held, start, len(text), TokenType.COLON))
    return statements


def _statement(text: str, tokens: list[Any], start: int, end: int, colon: Any) -> Statement:
    start += len(text[start:end]) - len(text[start:end].lstrip())
    markers = [(name, at - start, until - start) for name, at, until in _markers(tokens, colon)]
    return Statement(text[start:end].rstrip(), markers)


def _markers(tokens: list[Any], colon: Any) -> Iterator[tuple[str, int, int]]:
    """A marker is a colon with a name right behind it and no value right before it: `raw:owner` reads JSON."""
    before = None
    for token, name in pairwise(tokens):
        after_value = before is not None and before.end + 1 == token.start and before.text not in _OPENERS
        is_name = name.text.replace("_", "a").isalnum() and not name.text[0].isdigit()
        if token.token_type is colon and name.start == token.end + 1 and is_name and not after_value:
            yield name.text, token.start, name.end + 1
        before = token


_OPENERS = frozenset("([,=<>+-*/%|&!")
