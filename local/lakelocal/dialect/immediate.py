"""`EXECUTE IMMEDIATE` is replaced by the statement in its string, which is then translated like any other.

Parameters become literals, since Delta's parser loses the arguments of markers (delta-io/delta#7640).

Source: Databricks documentation, "EXECUTE IMMEDIATE".
"""

import re
from dataclasses import dataclass

from lakelocal.dialect.constants import Constants
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import level, split
from lakelocal.sql.tokens import Token, parameter_markers, tokenize
from lakelocal.sql.writing import Edit, apply, literal


@dataclass(frozen=True)
class _ImmediateStatement:
    """The parts of the statement, as SQL texts; the key of an argument is None if it has no name."""

    text: str
    variables: str
    arguments: list[tuple[str | None, str]]


def execute_immediate(sql: str, constants: Constants) -> str:
    """The statement that *sql* executes, with its arguments; *sql* itself if it is not an EXECUTE IMMEDIATE.

    Raises:
        DialectError: there is no statement, or an argument is missing.
    """
    found = _read(sql)
    if found is None:
        return sql
    text = constants.value(found.text)
    if not isinstance(text, str) or not text.strip():
        raise DialectError(f"EXECUTE IMMEDIATE {found.text}: found {text!r}; expected a string with a statement.")
    filled = _filled(text.strip().rstrip(";"), found, constants)
    if found.variables:
        return f"SET VARIABLE ({found.variables}) = ({filled})"
    return execute_immediate(filled, constants)


def execute_in_script(sql: str, constants: Constants, catalog: str) -> str:
    """The same for a statement in a script. If the string is only known there, it is run without *catalog*, the run's.

    Raises:
        DialectError: the string is only known in the script, and has arguments.
    """
    found = _read(sql)
    if found is None:
        return sql
    text = constants.known(found.text)
    if isinstance(text, str) and text.strip():
        filled = _filled(text.strip().rstrip(";"), found, constants)
        return f"SET ({found.variables}) = ({filled})" if found.variables else filled
    if found.arguments:
        raise DialectError(
            f"EXECUTE IMMEDIATE {found.text}: found a string that depends on variables of the script, and arguments in "
            "USING; expected only one of them on this machine. Put the values into the string."
        )
    into = f" INTO {found.variables}" if found.variables else ""
    return f"EXECUTE IMMEDIATE {without_catalog(found.text, catalog)}{into}"


def without_catalog(expression: str, catalog: str) -> str:
    """SQL for the text *expression* with *catalog* removed from names of three parts, except in strings."""
    name = re.escape(catalog)
    pattern = f"(?i)(?<![\\w.`'\"])(`{name}`|{name})\\.(?=(`[^`]+`|\\w+)\\.)"
    return f"regexp_replace({expression}, {literal(pattern)}, '')"


def _read(sql: str) -> _ImmediateStatement | None:
    tokens = tuple(token for token in tokenize(sql) or () if token.word != ";")
    if [token.word for token in tokens[:2]] != ["EXECUTE", "IMMEDIATE"]:
        return None
    clauses = [index for index in level(tokens, 2) if tokens[index].word in ("INTO", "USING")]
    ends = [*clauses, len(tokens)]
    parts = {tokens[at].word: (at + 1, end) for at, end in zip(clauses, ends[1:], strict=True)}
    variables, using = parts.get("INTO", (0, 0)), parts.get("USING", (0, 0))
    if using[1] > using[0] and tokens[using[0]].word == "(" and tokens[using[1] - 1].word == ")":
        using = using[0] + 1, using[1] - 1
    arguments = [_argument(sql, tokens[part.start : part.stop]) for part in split(tokens, *using)]
    return _ImmediateStatement(_text(sql, tokens[2 : ends[0]]), _text(sql, tokens[slice(*variables)]), arguments)


def _argument(sql: str, tokens: tuple[Token, ...]) -> tuple[str | None, str]:
    if len(tokens) > 2 and tokens[-2].word == "AS":
        return tokens[-1].text.lower(), _text(sql, tokens[:-2])
    return None, _text(sql, tokens)


def _text(sql: str, tokens: tuple[Token, ...]) -> str:
    return sql[tokens[0].start : tokens[-1].end] if tokens else ""


def _filled(text: str, found: _ImmediateStatement, constants: Constants) -> str:
    """*text* with its markers replaced by the arguments."""
    tokens = tokenize(text) or ()
    named = {name: value for name, value in found.arguments if name is not None}
    places = [token for token in tokens if token.text == "?" and token.kind == "symbol"]
    markers = list(parameter_markers(tokens))
    if len(places) > len(found.arguments) or any(marker.name.lower() not in named for marker in markers):
        missing = next((f":{each.name}" for each in markers if each.name.lower() not in named), "?")
        raise DialectError(f"EXECUTE IMMEDIATE {found.text}: found no argument for {missing}. Add it to USING.")
    values = [(place.start, place.end, value) for place, (_, value) in zip(places, found.arguments, strict=False)]
    values += [(marker.start, marker.end, named[marker.name.lower()]) for marker in markers]
    return apply(text, [Edit(start, end, constants.literal(value) or f"({value})") for start, end, value in values])
