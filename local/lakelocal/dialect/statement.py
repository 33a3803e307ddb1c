"""A statement with its tokens, and the operations that its translation needs."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.catalogs import DEFAULT_SCHEMA
from lakelocal.dialect.names import Names, shorten
from lakelocal.dialect.server import Server, columns, run
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

NOTHING = "RESET `lakelocal.dialect.nothing`"  # does nothing and returns no rows
_log = logging.getLogger(__package__)


@dataclass(frozen=True)
class Statement:
    """One statement and its tokens, for the functions that translate it.

    *plain* turns SQL with Databricks' names and paths into Spark's. *schema* is the current one. A statement
    *in_script* is translated before the statements that precede it are run.
    """

    sql: str
    tokens: tuple[Token, ...]
    session: str
    names: Names
    server: Server
    plain: Callable[[str], str]
    schema: str = DEFAULT_SCHEMA
    in_script: bool = False

    @property
    def where(self) -> str:
        """The statement, without comments ahead of it, at the beginning of a message."""
        return f"The statement {shorten(self.part(0, len(self.tokens)) or self.sql)}"

    @cached_property
    def words(self) -> list[str]:
        return [token.word for token in self.tokens]

    def starts(self, phrase: str) -> bool:
        wanted = phrase.split()
        return self.words[: len(wanted)] == wanted

    def has(self, phrase: str) -> bool:
        """Does *phrase* occur in the statement, outside of parentheses?"""
        wanted, words, depth = phrase.split(), self.words, 0
        for index, word in enumerate(words):
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth == 0 and words[index : index + len(wanted)] == wanted:
                return True
        return False

    def skip(self, at: int, phrase: str) -> tuple[int, bool]:
        """The index after *phrase* and True, if it occurs at *at*; otherwise *at* and False."""
        wanted = phrase.split()
        found = self.words[at : at + len(wanted)] == wanted
        return (at + len(wanted) if found else at), found

    def name(self, at: int) -> list[str]:
        """The parts of the name at token *at*, which may be a quoted string; empty if there is none."""
        parts: list[str] = []
        while at < len(self.tokens) and (self.tokens[at].is_name or (not parts and self.tokens[at].kind == STRING)):
            parts.append(self.tokens[at].text)
            if at + 1 >= len(self.tokens) or self.tokens[at + 1].text != ".":
                break
            at += 2
        return parts

    def named(self, at: int) -> list[str]:
        """The parts of the name at token *at*, which is required.

        Raises:
            DialectError: there is none.
        """
        if parts := self.name(at):
            return parts
        found = f"`{self.tokens[at].text}`" if at < len(self.tokens) else "its end"
        raise DialectError(f"[PARSE_SYNTAX_ERROR] {self.where}: found {found}; expected a name. Correct it.")

    def word(self, at: int) -> str:
        """The word at token *at*; "" after the end."""
        return self.words[at] if at < len(self.words) else ""

    def whole_name(self, parts: Sequence[str]) -> tuple[str, ...]:
        """The catalog, schema and table of *parts*, in lower case."""
        missing = [self.names.current, self.schema][: 3 - len(parts)]
        return tuple(part.lower() for part in [*missing, *parts])

    def part(self, start: int, end: int) -> str:
        """The text from token *start* up to, but not including, token *end*, as it is written."""
        return self.sql[self.tokens[start].start : self.tokens[end - 1].end] if end > start else ""

    def pattern(self) -> Callable[[str], bool]:
        """A test for the pattern at the end of a SHOW, such as `LIKE 'a*|b'`, where LIKE may be missing."""
        patterns = [one.strip().lower() for one in self.like().split("|")]
        return lambda name: any(fnmatchcase(name.lower(), one) for one in patterns)

    def like(self) -> str:
        """The pattern that `pattern` tests; `*` if there is none."""
        return self.tokens[-1].text if self.tokens[-1].kind == STRING else "*"

    def run(self, sql: str) -> list[dict[str, Any]]:
        """Run *sql*, which has Databricks' names, before the statement; returns its rows."""
        return run(self.server, self.plain(sql))

    def columns(self, query: str) -> list[proto.DataType.StructField]:
        """The columns of *query*, which has Databricks' names."""
        return columns(self.server, self.plain(query))

    def note(self, problem: str) -> str:
        """Warn that the statement does nothing because of *problem*; returns what Spark runs instead."""
        _log.warning("%s: %s; nothing was done.", self.where, problem)
        return NOTHING

    @classmethod
    def of(
        cls,
        sql: str,
        session: str,
        names: Names,
        server: Server,
        plain: Callable[[str], str],
        schema: str = DEFAULT_SCHEMA,
        *,
        in_script: bool = False,
    ) -> "Statement":
        """The statement in the text *sql*."""
        return cls(sql, _tokens(sql), session, names, server, plain, schema, in_script)

    def without_placement(self) -> "Statement":
        """The statement without `MANAGED LOCATION '...'` and `CLUSTER BY AUTO`, which only matter in the cloud."""
        if self.words[0] not in ("CREATE", "REPLACE") or not {"MANAGED", "AUTO"} & set(self.words):
            return self
        edits = []
        for index, token in enumerate(self.tokens):
            if self.words[index : index + 3] == ["CLUSTER", "BY", "AUTO"] or (
                self.words[index : index + 2] == ["MANAGED", "LOCATION"] and index + 2 < len(self.tokens)
            ):
                edits.append(Edit(token.start, self.tokens[index + 2].end, ""))
        if not edits:
            return self
        _log.warning("%s: MANAGED LOCATION and CLUSTER BY AUTO are ignored on this machine.", self.where)
        sql = apply(self.sql, edits)
        return replace(self, sql=sql, tokens=_tokens(sql))


def _tokens(sql: str) -> tuple[Token, ...]:
    return tuple(token for token in tokenize(sql) or () if token.word != ";")


def rows_as_sql(columns: list[str], rows: Sequence[tuple[str, ...]]) -> str:
    """SQL that returns *rows* of strings, in their order."""
    names = ", ".join(quoted(column) for column in columns)
    if not rows:
        nulls = ", ".join(f"CAST(NULL AS STRING) AS {quoted(column)}" for column in columns)
        return f"SELECT {nulls} WHERE false"
    values = ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)
    return f"SELECT * FROM VALUES {values} AS t({names})"
