"""What can stand at the cursor of a SQL text that is still being typed: pure, and the same for every place to type.

The text may be incomplete, so it is not parsed: its words, names, strings and comments are found by one pattern, and
the word before the cursor says whether a table, a schema or an expression is expected.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

KEYWORDS = (
    "ALTER", "AND", "AS", "ASC", "BETWEEN", "CASE", "CREATE", "DELETE", "DESC", "DESCRIBE", "DISTINCT", "DROP", "ELSE",
    "END", "EXTENDED", "FROM", "GROUP BY", "HAVING", "HISTORY", "IN", "INNER JOIN", "INSERT INTO", "INTO", "IS", "JOIN",
    "LEFT JOIN", "LIKE", "LIMIT", "MERGE INTO", "NOT", "NULL", "ON", "OR", "ORDER BY", "OVER", "PARTITION BY",
    "QUALIFY", "REPLACE", "SCHEMA", "SELECT", "SET", "SHOW", "TABLE", "TABLES", "THEN", "UNION", "UPDATE", "USING",
    "VALUES", "VIEW", "VOLUMES", "WHEN", "WHERE", "WITH",
)  # fmt: skip
TABLE, SCHEMA, CATALOG, COLUMN, FUNCTION, KEYWORD = "table", "schema", "catalog", "column", "function", "keyword"

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*(?:'|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z))"
    r"|(?P<name>`(?:[^`\n]|``)*`|\w+)"
    r"|(?P<symbol>\S)",
    re.DOTALL,
)
_TYPED = re.compile(r"(?:(?:`[^`]*`|\w+)\.)*(?:`[^`]*|\w*)\Z")
_PLAIN = re.compile(r"[A-Za-z_]\w*")
# After these comes a table, or the name of a schema or catalog that leads to one.
_BEFORE_TABLE = frozenset({"FROM", "JOIN", "INTO", "TABLE", "VIEW", "UPDATE", "DESCRIBE", "DESC", "OPTIMIZE", "VACUUM"})
_BEFORE_SCHEMA = frozenset({"SCHEMA", "DATABASE", "USE"})
_ENDS_FROM = frozenset(
    {
        "WHERE",
        "GROUP",
        "ORDER",
        "HAVING",
        "SELECT",
        "LIMIT",
        "ON",
        "SET",
        "QUALIFY",
        "UNION",
        "VALUES",
        "WHEN",
        "WINDOW",
    }
)
_NO_ALIAS = _ENDS_FROM | _BEFORE_TABLE | {
    "AS", "ANTI", "CROSS", "EXCEPT", "FULL", "INNER", "INTERSECT", "LATERAL", "LEFT", "NATURAL", "OUTER", "PIVOT",
    "RIGHT", "SEMI", "TABLESAMPLE", "UNPIVOT", "USING", "VERSION", "TIMESTAMP",
}  # fmt: skip


class Names(Protocol):
    """What there is to name. An answer may be empty for what is not known yet."""

    def catalogs(self) -> Sequence[str]: ...

    def schemas(self, catalog: str = "") -> Sequence[str]:
        """The schemas of *catalog*, or of the current one."""

    def tables(self, schema: str = "") -> Sequence[str]:
        """The tables of *schema*; of the current schema, with the temporary views, if it is empty."""

    def columns(self, table: str) -> Sequence[str]: ...

    def functions(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Candidate:
    """A name with all that leads to it, such as `silver.orders`, and what it names."""

    text: str
    kind: str


@dataclass(frozen=True)
class Completion:
    """*candidates* for the text *typed*, which ends at the cursor."""

    typed: str
    candidates: list[Candidate]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "name" and not self.text.startswith("`") else ""


@dataclass(frozen=True)
class _Source:
    """A table of the statement, by the name that its columns can have before them."""

    name: str
    alias: str


def complete(sql: str, cursor: int, names: Names, columns: Iterable[str] = ()) -> Completion:
    """What can stand at *cursor* in *sql*; *columns* are known besides those of the tables that the statement names."""
    tokens = [_Token(found.lastgroup or "", found[0], found.start(), found.end()) for found in _TOKEN.finditer(sql)]
    if any(_is_inside(token, cursor) for token in tokens):
        return Completion("", [])
    typed = found[0] if (found := _TYPED.search(sql[:cursor])) else ""
    start = cursor - len(typed)
    statement = _statement(tokens, start)
    before = [token for token in statement if token.end <= start]
    if before and before[-1].text == "." and not typed:  # after what is no name, such as `{schema}` of an f-string
        return Completion("", [])
    *path, begun = _parts(typed)
    expected = _expected(before)
    if expected == TABLE:
        found_names = _tables(path, names, _common_tables(statement))
    elif expected == SCHEMA:
        found_names = [Candidate(name, SCHEMA) for name in names.schemas(*path)] + _catalogs(path, names)
    else:
        sources = list(_sources([token for token in statement if not start <= token.start < cursor]))
        found_names = _values(path, names, sources, columns)
    lead = "".join(f"{quoted(part)}." for part in path)
    fitting: dict[str, str] = {}
    for candidate in found_names:
        last = candidate.text.rpartition(".")[2] if candidate.kind == TABLE and not path else candidate.text
        if any(text.lower().startswith(begun.lower()) for text in (candidate.text, last)) and candidate.text != begun:
            written = candidate.text if candidate.kind == KEYWORD else ".".join(map(quoted, candidate.text.split(".")))
            fitting.setdefault(f"{lead}{written}", candidate.kind)
    return Completion(typed, [Candidate(text, kind) for text, kind in fitting.items()])


def complete_table(typed: str, names: Names) -> Completion:
    """The tables that *typed*, the beginning of a name, can become, where a text is nothing but the name of a table."""
    return complete(f"TABLE {typed}", len("TABLE ") + len(typed), names)


def quoted(name: str) -> str:
    """*name* as it has to be written: in backticks unless it is a plain word."""
    return name if _PLAIN.fullmatch(name) or not name else f"`{name.replace('`', '``')}`"


def _is_inside(token: _Token, cursor: int) -> bool:
    """Is *cursor* in a string or a comment? At the end of one it is, if it is still open."""
    if token.kind not in ("string", "comment"):
        return False
    is_open = not token.text.endswith(("*/", "'", '"')) or len(token.text) == 1
    return token.start < cursor < token.end or (is_open and token.start < cursor == token.end)


def _statement(tokens: list[_Token], at: int) -> list[_Token]:
    """The tokens of the statement around *at*, without comments."""
    ends = [token for token in tokens if token.text == ";"]
    begin = max((token.end for token in ends if token.end <= at), default=0)
    end = min((token.start for token in ends if token.start >= at), default=10**9)
    return [token for token in tokens if begin <= token.start < end and token.kind != "comment"]


def _parts(typed: str) -> list[str]:
    """The parts of a name, `a.b.c`, without backticks; the last one is what is being typed."""
    parts = re.findall(r"`([^`]*)`\.|(\w+)\.", typed)
    rest = re.sub(r"(?:`[^`]*`|\w+)\.", "", typed)
    return [*(quoted_part or plain for quoted_part, plain in parts), rest.lstrip("`")]


def _expected(before: list[_Token]) -> str:
    """What the text before asks for: a table, a schema, or else an expression."""
    if not before:
        return COLUMN
    last = before[-1]
    if last.word in _BEFORE_TABLE:
        return TABLE
    if last.word in _BEFORE_SCHEMA or (last.word == "IN" and before[0].word == "SHOW"):
        return SCHEMA
    if last.word == "EXISTS" and any(token.word in ("TABLE", "VIEW") for token in before):
        return TABLE
    if last.text == ",":
        depth = 0
        for token in reversed(before):
            depth += (token.text == ")") - (token.text == "(")
            if depth < 0 or token.word in _ENDS_FROM:
                return COLUMN
            if depth == 0 and token.word == "FROM":
                return TABLE
    return COLUMN


def _tables(path: list[str], names: Names, common: Iterable[str]) -> list[Candidate]:
    """Tables, and the schemas and catalogs that lead to them."""
    if len(path) == 2:
        return [Candidate(name, TABLE) for name in names.tables(".".join(path))]
    if len(path) == 1:
        tables = [Candidate(name, TABLE) for name in names.tables(path[0])]  # first: what is asked first comes in time
        schemas = names.schemas(path[0]) if path[0] in names.catalogs() else ()
        return [*tables, *(Candidate(name, SCHEMA) for name in schemas)]
    if path:
        return []
    listed = [*common, *names.tables()]
    schemas = names.schemas()
    of_schemas = [f"{schema}.{table}" for schema in schemas for table in names.tables(schema)]
    return [
        *(Candidate(name, TABLE) for name in (*listed, *of_schemas)),
        *(Candidate(name, SCHEMA) for name in schemas),
        *_catalogs(path, names),
    ]


def _catalogs(path: list[str], names: Names) -> list[Candidate]:
    return [] if path else [Candidate(name, CATALOG) for name in names.catalogs()]


def _values(path: list[str], names: Names, sources: list[_Source], columns: Iterable[str]) -> list[Candidate]:
    """What an expression can begin with: columns, what leads to one, functions and keywords."""
    if path:
        wanted = ".".join(path).lower()
        meant = [each for each in sources if wanted in (each.alias.lower(), each.name.lower())]
        meant = meant or [each for each in sources if each.name.lower().endswith(f".{wanted}")]
        if meant:
            return [Candidate(name, COLUMN) for each in meant for name in names.columns(each.name)]
        return _tables(path, names, ())
    return [
        *(Candidate(name, COLUMN) for name in columns),
        *(Candidate(name, COLUMN) for each in sources for name in names.columns(each.name)),
        *(Candidate(each.alias, TABLE) for each in sources if each.alias),
        *(Candidate(name, FUNCTION) for name in names.functions()),
        *(Candidate(word, KEYWORD) for word in KEYWORDS),
    ]


def _common_tables(statement: list[_Token]) -> list[str]:
    """The names that WITH gives to queries."""
    if not any(token.word == "WITH" for token in statement):
        return []
    trios = zip(statement, statement[1:], statement[2:], strict=False)
    return [
        name.text for name, word, opening in trios if name.kind == "name" and word.word == "AS" and opening.text == "("
    ]


def _sources(statement: list[_Token]) -> Iterator[_Source]:
    """The tables that *statement* names, with their aliases."""
    at, in_from = 0, False
    while at < len(statement):
        token = statement[at]
        begins = token.word in _BEFORE_TABLE or (token.word == "USING" and any(t.word == "MERGE" for t in statement))
        in_from = True if token.word == "FROM" else False if token.word in _ENDS_FROM else in_from
        at += 1
        if not begins and not (in_from and token.text == ","):
            continue
        parts: list[str] = []
        while at < len(statement) and statement[at].kind == "name" and statement[at].word not in _NO_ALIAS:
            parts.append(statement[at].text.strip("`"))
            at += 1
            if at >= len(statement) or statement[at].text != ".":
                break
            at += 1
        if not parts:
            continue
        if at < len(statement) and statement[at].word == "AS":
            at += 1
        has_alias = at < len(statement) and statement[at].kind == "name" and statement[at].word not in _NO_ALIAS
        yield _Source(".".join(parts), statement[at].text.strip("`") if has_alias else "")
