"""Completion in notebooks of what stands in strings: tables, columns and SQL, and in `%sql` cells.

A matcher of IPython's completer, so it works in JupyterLab, VS Code and a console alike. It reads the cell up to the
cursor, finds the string and the calls around it, and asks `lakelocal.sql.completion` for SQL, or the frame whose method
is called for its columns. Nothing of the cell is run.
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
class Place:
    """Where the cursor is in Python code: in a string that began at *start*, inside of *brackets*, outermost first."""

    start: int
    quote: str
    brackets: list[int]
    pairs: dict[int, int] = field(default_factory=dict)  # the end of each closed bracket and string, and its beginning


def place_in(code: str, cursor: int) -> Place | None:
    """The string around *cursor*; None if there is none."""
    brackets: list[int] = []
    pairs: dict[int, int] = {}
    at = 0
    while at < cursor:
        sign = code[at]
        if sign == "#":
            at = end if (end := code.find("\n", at)) >= 0 else len(code)
            if at >= cursor:
                return None  # a comment
        elif sign in "\"'":
            quote = code[at : at + 3] if code[at : at + 3] in ('"""', "'''") else sign
            end = _end_of_string(code, at + len(quote), quote)
            if cursor <= end:
                return Place(at + len(quote), quote, brackets, pairs) if cursor >= at + len(quote) else None
            pairs[end + len(quote) - 1] = at
            at = end + len(quote) - 1
        elif sign in _OPENING:
            brackets.append(at)
        elif sign in _CLOSING and brackets:
            pairs[at] = brackets.pop()
        at += 1
    return None


def _end_of_string(code: str, at: int, quote: str) -> int:
    """Where the string ends whose text begins at *at*: at its closing quote, or the line's or the code's end."""
    while at < len(code) and not code.startswith(quote, at):
        if code[at] == "\n" and len(quote) == 1:
            return at
        at += 2 if code[at] == "\\" else 1
    return min(at, len(code))


def complete_cell(code: str, cursor: int, variables: Mapping[str, Any], names: "CatalogNames") -> Completion | None:
    """What can stand at *cursor* in a cell; None if it is for others to say. *variables* are the notebook's."""
    sql = sql_of(code)
    if sql is not None:
        lead = len(code) - len(sql)
        return complete(sql, cursor - lead, names) if cursor >= lead else None
    place = place_in(code, cursor)
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


def _columns_around(code: str, place: Place, variables: Mapping[str, Any], names: "CatalogNames") -> Iterator[str]:
    """The columns of the frames that the calls around *place* are made on, the innermost call with a frame only."""
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
    """Where the expression begins whose call opens at *opening*: `orders.where(...).select(` begins with `orders`."""
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
    """Does a chain of calls go on over the space at *at*, as it does before a dot on the next line?"""
    return code[at:].lstrip().startswith(".")


def install(kernel: "Kernel") -> None:
    """Let the completer of *kernel* know tables and columns; nothing is imported or asked before a key is pressed."""
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
