"""Reads the text of a SQL cell: its statements, and the widgets that each of them uses.

It works on SQL tokens, not on patterns in the text: semicolons and markers in strings and comments are plain text.
Only the older form `${name}` is replaced everywhere, also in strings, as on Databricks.

| in the text           | becomes                                                   |
| --------------------- | --------------------------------------------------------- |
| `:name`               | the widget's value, as a string literal                   |
| `getArgument('name')` | the same                                                  |
| `${name}`             | the widget's value as it is; kept if there is no widget   |

Source: Databricks documentation, "Databricks widgets" and "Legacy notebook widgets: ${param}".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from lakelocal.sql.scripts import begins_script, script_end
from lakelocal.sql.tokens import STRING, Marker, Token, parameter_markers, tokenize
from lakelocal.sql.writing import Edit, apply, literal

_HEAD = re.compile(r"\s*%%?sql(?=\s|$)")
_LEGACY = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class CellStatement:
    """One statement; *markers* stand for literals, *legacy* markers for plain text, by their positions in *text*."""

    text: str
    markers: tuple[Marker, ...] = ()
    legacy: tuple[Marker, ...] = ()

    def filled(self, value_of: Callable[[str], str], known: Callable[[str], bool] = lambda name: True) -> str:
        """The statement with each marker as the string literal of `value_of(name)`, and `${name}` as text if *known*.

        Delta's parser drops the arguments of Spark's own markers (delta-io/delta#7640), so the values are written out.
        """
        literals = [Edit(each.start, each.end, literal(value_of(each.name))) for each in self.markers]
        plain = [Edit(each.start, each.end, value_of(each.name)) for each in self.legacy if known(each.name)]
        return apply(self.text, [*literals, *plain])


def sql_of(cell: str) -> str | None:
    """The SQL of a cell that begins with `%sql`; None for another cell."""
    head = _HEAD.match(cell)
    return cell[head.end() :] if head else None


def split_statements(text: str) -> list[CellStatement]:
    """The statements of *text*, without their semicolons; none for a text that is only comments.

    A SQL script (`BEGIN ... END`) is kept whole. A text that is not SQL is one statement, for Spark to judge.
    """
    tokens = tokenize(text)
    if tokens is None:
        return [_statement(text, (), 0, len(text))]
    statements, first, start = [], 0, 0
    while first < len(tokens):
        end = _end(tokens, first)
        if end > first:
            stop = tokens[end].start if end < len(tokens) else len(text)
            statements.append(_statement(text, tokens[first:end], start, stop))
        start = tokens[end].end if end < len(tokens) else len(text)
        first = end + 1
    return statements


def _end(tokens: Sequence[Token], first: int) -> int:
    """The index of the semicolon after the statement that begins at token *first*; not one inside a script."""
    index = first
    is_routine = tokens[first].word == "CREATE" and any(
        token.word == "PROCEDURE" for token in tokens[first : first + 4]
    )
    while index < len(tokens) and tokens[index].word != ";":
        begins = index == first and begins_script(tokens, index)
        if begins or (is_routine and tokens[index].word == "BEGIN"):
            at = index if tokens[index].word == "BEGIN" else index + 2
            index = max(script_end(tokens, at), index + 1)
        else:
            index += 1
    return index


def _statement(text: str, tokens: Sequence[Token], start: int, end: int) -> CellStatement:
    start += len(text[start:end]) - len(text[start:end].lstrip())
    own = text[start:end].rstrip()
    found = sorted([*parameter_markers(tokens), *_arguments(tokens)], key=attrgetter("start"))
    markers = (Marker(each.name, each.start - start, each.end - start) for each in found)
    legacy = (Marker(each[1], each.start(), each.end()) for each in _LEGACY.finditer(own))
    return CellStatement(own, tuple(markers), tuple(legacy))


def _arguments(tokens: Sequence[Token]) -> Iterator[Marker]:
    """`getArgument('name')`, the widget's value in the older form."""
    for call, opened, name, closed in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        if (call.word, opened.word, name.kind, closed.word) == ("GETARGUMENT", "(", STRING, ")"):
            yield Marker(name.text, call.start, closed.end)
