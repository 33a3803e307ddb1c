"""Finds the names of tables in a SQL text, by its tokens.

The rule: a dotted name is that of a table if it follows a word that only a table can follow (FROM, JOIN, INTO, TABLE,
VIEW, UPDATE, USING, ...) or, in a FROM list, a comma. Anywhere else, `a.b.c` may be a field of a struct and stays,
unless it is a function call, or has four parts (`catalog.schema.table.column`) and begins with a catalog, and the
statement has no alias, column or CTE with that name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lakelocal.sql.nesting import closing
from lakelocal.sql.tokens import STRING, Token

TABLE_WORDS = frozenset(
    {"FROM", "JOIN", "INTO", "TABLE", "VIEW", "UPDATE", "USING", "OVERWRITE", "CLONE", "FUNCTION", "REFERENCES"}
    | {"OPTIMIZE", "VACUUM", "REFRESH", "STREAM"}
)
SCHEMA_WORDS = frozenset(["SCHEMA", "DATABASE", "NAMESPACE"])
# The first words of statements about schemas, unlike `INSERT WITH SCHEMA EVOLUTION`.
_ABOUT_SCHEMAS = (["CREATE"], ["DROP"], ["ALTER"], ["DESCRIBE"], ["DESC"], ["COMMENT"], ["USE"])
# Words that may occur between such a word and the name.
BETWEEN = frozenset(["IF", "NOT", "EXISTS", "EXTENDED", "FORMATTED", "DETAIL", "HISTORY", "LAZY", "ONLY", "LATERAL"])
# Words that a table follows only if they begin the statement.
FIRST_TABLE_WORDS = frozenset(["RESTORE", "DESCRIBE", "DESC", "OPTIMIZE", "VACUUM", "REFRESH", "UPDATE"])
FIRST_ONLY = frozenset(["OPTIMIZE", "VACUUM", "REFRESH"])
FROM_ENDS = frozenset(
    {"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "SET", "WHEN", "UNION", "INTERSECT", "EXCEPT", "MINUS"}
    | {"WINDOW", "QUALIFY", "VALUES", "CLUSTER", "DISTRIBUTE", "SORT", "OFFSET"}
)
# Functions whose arguments may contain a FROM.
FROM_FUNCTIONS = frozenset(["EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "OVERLAY", "POSITION"])
LISTED_IN_SCHEMA = frozenset(["TABLES", "VIEWS", "FUNCTIONS", "SCHEMAS", "DATABASES", "VOLUMES", "EXTENDED"])

# Words that are not names, even in the position of a table's name.
_NO_TABLES = BETWEEN | TABLE_WORDS | {"SELECT", "WITH", "VALUES"}

TABLE, SCHEMA, ELSEWHERE = "table", "schema", "elsewhere"


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name: tokens *first* to *last* (inclusive) of the statement.

    *place* is TABLE, SCHEMA or ELSEWHERE. *item*: the name is a whole entry of a SELECT list, without an alias, so that
    an expression that replaces it needs one.
    """

    first: int
    last: int
    parts: tuple[str, ...]
    place: str
    called: bool
    item: bool


@dataclass(slots=True)
class _Frame:
    """One level of parentheses."""

    function: str = ""
    clause: str = ""


@dataclass
class Scanner:
    """Reads the tokens of one SQL text; `names` yields the dotted names in it.

    With *bare*, these include single words in the position of a table's name.
    """

    tokens: tuple[Token, ...]
    bare: bool = False
    frames: list[_Frame] = field(default_factory=lambda: [_Frame()])
    place: str = ELSEWHERE
    head: list[str] = field(default_factory=list)

    def names(self) -> Iterator[Name]:
        """All names in the text, in order; a single word only if it is quoted, called or the name of a schema."""
        index = 0
        while index < len(self.tokens):
            token = self.tokens[index]
            last = self._chain_end(index)
            if last > index or token.kind == "quoted" or self._is_call(index) or self._is_single(token):
                yield self._name(index, last)
                self.place = ELSEWHERE
                index = last + 1
                continue
            self._step(index, token)
            index += 1

    def _is_single(self, token: Token) -> bool:
        """Is *token*, a bare word, a name that counts?"""
        return self._is_schema(token) or (
            self.bare and self.place == TABLE and token.is_name and token.word not in _NO_TABLES
        )

    def _is_schema(self, token: Token) -> bool:
        """Is *token*, a bare word, the name of a schema in a statement about schemas or their contents?"""
        listing = self.head[:1] in (["SHOW"], ["ANALYZE"])
        about = listing or (self.head[:1] in _ABOUT_SCHEMAS and not SCHEMA_WORDS.isdisjoint(self.head))
        return self.place == SCHEMA and about and token.is_name and token.word not in BETWEEN and len(self.frames) == 1

    def _name(self, first: int, last: int) -> Name:
        parts = tuple(token.text for token in self.tokens[first : last + 1 : 2])
        return Name(first, last, parts, self.place, self._is_call(last), self._is_item(first, last))

    def _step(self, index: int, token: Token) -> None:
        frame = self.frames[-1]
        if token.word == "(":
            before = self.tokens[index - 1] if index else None
            self.frames.append(_Frame(before.text.upper() if before is not None and before.is_name else ""))
            self.frames[-1].clause = "from" if self.place == TABLE else ""
        elif token.word == ")":
            if len(self.frames) > 1:
                self.frames.pop()
            self.place = ELSEWHERE
        elif token.word == ";":
            self.frames, self.head, self.place = [_Frame()], [], ELSEWHERE
        elif token.word == ",":
            self.place = TABLE if frame.clause == "from" else ELSEWHERE
        elif token.is_name:
            self._word(index, token.word, frame)
        elif token.kind != STRING:
            self.place = ELSEWHERE

    def _word(self, index: int, word: str, frame: _Frame) -> None:
        if len(self.head) < 3 and len(self.frames) == 1:
            self.head.append(word)
        if word == "SELECT":
            frame.clause, self.place = "select", ELSEWHERE
        elif word == "FROM" and self._is_plain_from(index, frame):
            frame.clause = "from"
            self.place = SCHEMA if self._lists_schema() else TABLE
        elif word == "IN" and self.head[:1] == ["SHOW"]:
            self.place = SCHEMA if self._lists_schema() else TABLE
        elif word in ("IN", "FROM") and self.head[:2] == ["ANALYZE", "TABLES"]:
            self.place = SCHEMA
        elif self._announces_table(index, word):
            self.place = TABLE
            if word == "JOIN":
                frame.clause = "from"
        elif word in SCHEMA_WORDS:
            self.place = SCHEMA
        elif word not in BETWEEN:
            self.place = ELSEWHERE
            if word in FROM_ENDS or (word == "BY" and frame.clause == "select"):
                frame.clause = "other"

    def _announces_table(self, index: int, word: str) -> bool:
        first = len(self.head) == 1 and len(self.frames) == 1
        if word in FIRST_TABLE_WORDS and first:
            return True
        before = self.tokens[index - 1].word if index else ""
        if word == "LIKE":
            return self.head[:2] == ["CREATE", "TABLE"] and before != "NOT"
        if word == "TO":
            return before == "RENAME"
        if word in ("TBLPROPERTIES", "PARTITIONS"):
            return self.head[:1] == ["SHOW"]
        if word in ("USING", "UPDATE", "STREAM"):
            return word != "USING" or self.head[:1] in (["MERGE"], ["WITH"]) or not self._creates()
        return word in TABLE_WORDS and word not in FIRST_ONLY and word != "FROM"

    def _creates(self) -> bool:
        return self.head[:1] in (["CREATE"], ["REPLACE"])

    def _lists_schema(self) -> bool:
        return self.head[:1] == ["SHOW"] and any(word in LISTED_IN_SCHEMA for word in self.head[1:])

    def _is_plain_from(self, index: int, frame: _Frame) -> bool:
        if frame.function in FROM_FUNCTIONS and frame.clause != "select":
            return False
        before = [token.word for token in self.tokens[max(index - 3, 0) : index]]
        return not (before[-1:] == ["DISTINCT"] and ("IS" in before[:-1]))

    def _chain_end(self, index: int) -> int:
        if not self.tokens[index].is_name:
            return index
        while (
            index + 2 < len(self.tokens) and self.tokens[index + 1].text == "." and self.tokens[index + 2].is_name
        ) and self.tokens[index + 1].kind != STRING:
            index += 2
        return index

    def _is_call(self, index: int) -> bool:
        """Is token *index* a name that is directly followed by an argument list?"""
        after = index + 1
        return (
            self.tokens[index].is_name
            and after < len(self.tokens)
            and self.tokens[after].word == "("
            and self.tokens[index].end == self.tokens[after].start
        )

    def _is_item(self, first: int, last: int) -> bool:
        if self.frames[-1].clause != "select":
            return False
        before = self.tokens[first - 1].word if first else ""
        after = last + 1
        if self._is_call(last):
            after = (closing(self.tokens, after) or after) + 1
        behind = self.tokens[after].word if after < len(self.tokens) else ""
        return before in ("SELECT", "DISTINCT", "ALL", ",") and behind in ("", ",", "FROM", ")", ";", "UNION", "WHERE")
