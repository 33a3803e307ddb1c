"""Completion in notebooks: tables, columns and SQL inside strings, and SQL in `%sql` cells.

It is a matcher of IPython's completer, so it works in JupyterLab, VS Code and a console alike. It reads the cell up to
the cursor, finds the string and the calls around it, and then asks `lakelocal.sql.completion` for SQL, or the frame
whose method is called for its columns. No code of the cell is run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakelocal.kernel.display import is_frame
from lakelocal.sql.cells import sql_of
from lakelocal.sql.completion import COLUMN, Candidate, Completion, complete, complete_table

if TYPE_CHECKING:
    from lakelocal.compute.catalog_names import CatalogNames
    from lakelocal.kernel.kernel import Kernel

_OPENING, _CLOSING = "([{", ")]}"
_SQL_CALL = re.compile(r"(?:^|[^\w.])sql$|\.sql$")
_TABLE_CALL = re.compile(
    r"(?:^|[^\w.])table$|\.(?:table|tableExists|saveAsTable|insertInto|writeTo|toTable|cacheTable|uncacheTable|"
    r"refreshTable|listColumns|getTable|dropTempView)$"
)
_NAMED_TABLE_CALL = re.compile(r"\bDeltaTable\.forName$")
_EXPRESSION_CALL = re.compile(r"\.(?:where|filter|selectExpr)$|(?:^|\W)expr$")
_NO_COLUMN_CALL = re.compile(
    r"(?:^|\W)(?:lit|option|options|mode|format|load|save|csv|json|parquet|orc|text|hint|alias|trigger|print|open|get|"
    r"createTempView|createOrReplaceTempView|queryName|outputMode|display|cast|date_format|to_date|to_timestamp)$"
)
_TABLE_READ = re.compile(r"(?:^|\W)table\(\s*[rf]?([\"'])([\w.`]+)\1\s*\)")


@dataclass
class CursorPosition:
    """Where the cursor is in Python code: in a string that begins at *start*, inside *brackets*, outermost first."""

    start: int
    quote: str
    brackets: list[int]
    pairs: dict[int, int] = field(default_factory=dict)  # the end of each closed bracket or string -> its beginning


def string_at(code: str, cursor: int) -> CursorPosition | None:
    """The string that contains *cursor*; None if there is none."""
    brackets: list[int] = []
    pairs: dict[int, int] = {}
    at = 0
    while at < cursor:
        sign = code[at]
        if sign == "#":
            at = end if (end := code.find("\n", at)) >= 0 else len(code)
            if at >= cursor:
                return None  # the cursor is in a comment
        elif sign in "\"'":
            quote = code[at : at + 3] if code[at : at + 3] in ('"""', "'''") else sign
            end = _end_of_string(code, at + len(quote), quote)
            if cursor <= end:
                return CursorPosition(at + len(quote), quote, brackets, pairs) if cursor >= at + len(quote) else None
            pairs[end + len(quote) - 1] = at
            at = end + len(quote) - 1
        elif sign in _OPENING:
            brackets.append(at)
        elif sign in _CLOSING and brackets:
            pairs[at] = brackets.pop()
        at += 1
    return None


def _end_of_string(code: str, at: int, quote: str) -> int:
    """The end of the string whose text begins at *at*: its closing quote, or the end of the line or of the code."""
    while at < len(code) and not code.startswith(quote, at):
        if code[at] == "\n" and len(quote) == 1:
            return at
        at += 2 if code[at] == "\\" else 1
    return min(at, len(code))


def complete_cell(code: str, cursor: int, variables: Mapping[str, Any], names: "CatalogNames") -> Completion | None:
    """The completions at *cursor* in a cell; None to leave them to IPython. *variables* are those of the notebook."""
    sql = sql_of(code)
    if sql is not None:
        lead = len(code) - len(sql)
        return complete(sql, cursor - lead, names) if cursor >= lead else None
    place = string_at(code, cursor)
    if place is None or not place.brackets:
        return None
    typed = code[place.start : cursor]
    inner = place.brackets[-1]
    call = code[:inner].rstrip()
    is_first = (
        re.fullmatch(r"\s*(?:\w+\s*=\s*)?[rRbBfFuU]*", code[inner + 1 : place.start - len(place.quote)]) is not None
    )
    if code[inner] == "(" and is_first and _SQL_CALL.search(call):
        return complete(code[place.start : _end_of_string(code, place.start, place.quote)], len(typed), names)
    if code[inner] == "(" and ((is_first and _TABLE_CALL.search(call)) or _NAMED_TABLE_CALL.search(call)):
        return complete_table(typed, names)
    if _NO_COLUMN_CALL.search(call):
        return None
    columns = list(dict.fromkeys(_columns_around(code, place, variables, names)))
    if not columns:
        return None
    if code[inner] == "(" and _EXPRESSION_CALL.search(call):
        return complete(code[place.start : _end_of_string(code, place.start, place.quote)], len(typed), names, columns)
    begun = typed.lower()
    return Completion(typed, [Candidate(name, COLUMN) for name in columns if name.lower().startswith(begun)])


def _columns_around(
    code: str, place: CursorPosition, variables: Mapping[str, Any], names: "CatalogNames"
) -> Iterator[str]:
    """The columns of the frames in the innermost call around *place* that involves a frame."""
    end = place.start - len(place.quote)
    for opening in reversed(place.brackets):
        chain = code[_begin_of_chain(code, opening, place.pairs) : end]
        found = list(_columns_in(chain, variables, names))
        if found:
            yield from found
            return


def _columns_in(chain: str, variables: Mapping[str, Any], names: "CatalogNames") -> Iterator[str]:
    for table in _TABLE_READ.finditer(chain):
        yield from names.columns(table[2])
    for word in dict.fromkeys(re.findall(r"(?<![\w.])[A-Za-z_]\w*", chain)):
        if is_frame(frame := variables.get(word)):
            yield from names.columns_of(frame)


def _begin_of_chain(code: str, opening: int, pairs: Mapping[int, int]) -> int:
    """The beginning of the expression that is called at *opening*: that of `orders` in `orders.where(...).select(`."""
    at = opening - 1
    while at >= 0:
        if at in pairs:
            at = pairs[at] - 1
        elif code[at].isalnum() or code[at] in "_." or (code[at].isspace() and _continues(code, at)):
            at -= 1
        else:
            break
    return at + 1


def _continues(code: str, at: int) -> bool:
    """Does a chain of calls continue after the white space at *at*, as it does if the next line begins with a dot?"""
    return code[at:].lstrip().startswith(".")


def install(kernel: "Kernel") -> None:
    """Let *kernel* complete tables and columns; nothing is imported, nor the server asked, before a key is pressed."""
    from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]  # IPython has no types for it
    def names_in_strings(context: CompletionContext) -> Any:
        names = kernel.names
        lines = context.full_text.split("\n")
        cursor = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        names.begin()
        found = complete_cell(context.full_text, cursor, kernel.ip.user_ns, names)
        if found is None or not found.candidates:
            return {"completions": []}
        return {
            "completions": [SimpleCompletion(each.text, type=each.kind) for each in found.candidates],
            "matched_fragment": found.typed,
            "ordered": True,
            "suppress": True,
        }

    kernel.ip.events.register("post_run_cell", lambda _: kernel.names.forget())
    kernel.ip.Completer.custom_matchers.append(names_in_strings)
