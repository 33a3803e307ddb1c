"""`cloud_files(path, format, map(...))`, the older form of `STREAM read_files(...)` in the SQL of pipelines.

It is a stream also without the word STREAM, and its columns are texts unless an option says otherwise.

Source: Databricks documentation, "Load data with Delta Live Tables" (archived), "read_files table-valued function".
"""

from collections.abc import Sequence

from lakelocal.pipelines.definitions import Origin
from lakelocal.pipelines.errors import DefinitionError
from lakelocal.sql.nesting import closing, items
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

_NAME = "CLOUD_FILES"
_PREFIX = "cloudfiles."


def as_read_files(sql: str, origin: Origin) -> str:
    """*sql* with each call of `cloud_files` as one of `read_files`.

    Raises:
        DefinitionError: its arguments are not a path, a format and a map of texts.
    """
    tokens = tokenize(sql) or () if _NAME in sql.upper() else ()
    edits = []
    for index, token in enumerate(tokens[:-1]):
        last = closing(tokens, index + 1) if tokens[index + 1].word == "(" else None
        if token.word != _NAME or last is None:
            continue
        arguments = [tokens[each.start : each.stop] for each in items(tokens, index + 1)]
        if len(arguments) not in (2, 3) or not all(arguments):
            raise _wrong(f"{len(arguments)} arguments", origin)
        path, *more = arguments
        given = "".join(f", {name} => {value}" for name, value in _options(sql, more, origin).items())
        stream = "" if _follows_stream(tokens, index) else "STREAM "
        edits.append(Edit(token.start, tokens[last].end, f"{stream}read_files({_text(sql, path)}{given})"))
    return apply(sql, edits)


def _follows_stream(tokens: Sequence[Token], index: int) -> bool:
    """Does `STREAM` or `STREAM(` stand before the token *index*?"""
    before = [token.word for token in tokens[max(0, index - 2) : index]]
    return before[-1:] == ["STREAM"] or before == ["STREAM", "("]


def _options(sql: str, arguments: Sequence[Sequence[Token]], origin: Origin) -> dict[str, str]:
    """The options of a call, whose arguments behind the path are *arguments*, as SQL by name."""
    found = {"inferColumnTypes": literal("false"), "format": _text(sql, arguments[0])}
    if len(arguments) == 2:
        tokens = arguments[1]
        inside = [tokens[each.start : each.stop] for each in items(tokens, 1)] if len(tokens) > 2 else []
        keys, values = inside[::2], inside[1::2]
        whole = all(inside) and len(keys) == len(values)
        if tokens[0].word != "MAP" or not whole or any(key[0].kind != STRING for key in keys):
            raise _wrong(f"`{_text(sql, tokens)}`", origin)
        for key, value in zip(keys, values, strict=True):
            text = key[0].text
            name = text[len(_PREFIX) :] if text.lower().startswith(_PREFIX) else text
            found[name if name.isidentifier() else quoted(name)] = _text(sql, value)
    return found


def _text(sql: str, tokens: Sequence[Token]) -> str:
    return sql[tokens[0].start : tokens[-1].end]


def _wrong(found: str, origin: Origin) -> DefinitionError:
    return DefinitionError(
        f"{origin}: `cloud_files`: found {found}; expected a path, a format and, if any, `map('option', 'value')`. "
        "Correct it, or use `STREAM read_files(...)`."
    )
