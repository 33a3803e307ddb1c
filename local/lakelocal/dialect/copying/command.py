"""Parses `COPY INTO` into a value.

Source: Databricks documentation, "COPY INTO".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lakelocal.dialect.literals import option_text
from lakelocal.dialect.statement import Statement
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import STRING

_COPY_OPTIONS = {"force": "false", "mergeschema": "false"}
_MOST_FILES = 1000


@dataclass(frozen=True)
class CopyInto:
    """The parts of a statement.

    *expressions* is its SELECT list, empty for all columns. *columns* are the target's columns that get the files'
    columns by position: None if columns are matched by name, () for all columns of the target.
    """

    target: str
    columns: tuple[str, ...] | None
    expressions: str
    path: str
    format: str
    files: tuple[str, ...]
    pattern: str
    format_options: Mapping[str, str]
    force: bool
    merge_schema: bool

    def asks(self, option: str) -> bool:
        """Is the format's *option* set to true?"""
        return _is_true(self.format_options, option)


def read_command(statement: Statement) -> CopyInto:
    """The parts of *statement*, which begins with COPY INTO.

    Raises:
        DialectError: a part is missing, unknown, or not possible here; the message names it.
    """
    return _Reader(statement).command()


class _Reader:
    """Reads the tokens of a statement from left to right."""

    def __init__(self, statement: Statement) -> None:
        self.statement, self.at = statement, 2

    def command(self) -> CopyInto:
        target = self._target()
        columns = self._columns()
        self._need("FROM")
        expressions, path = self._source()
        self._need("FILEFORMAT")
        self._take("=")
        file_format = self._word("a format such as CSV")
        files, pattern, formats, copies = self._clauses()
        if files and pattern:
            raise self._error("both FILES and PATTERN", "one of them")
        unknown = next((key for key in copies if key.lower() not in _COPY_OPTIONS), None)
        if unknown is not None:
            raise self._error(f"the copy option `{unknown}`", "`force` or `mergeSchema`")
        if columns is not None and (file_format.upper() != "CSV" or _is_true(formats, "header")):
            raise self._error("columns by position, but files with column names", "CSV files without a header")
        return CopyInto(
            target, columns, expressions, path, file_format, files, pattern, formats,
            force=_is_true(copies, "force"), merge_schema=_is_true(copies, "mergeSchema"),
        )  # fmt: skip

    def _target(self) -> str:
        parts = self.statement.name(self.at)
        if not parts:
            raise self._error(self._found(), "the name of a Delta table")
        first, self.at = self.at, self.at + 2 * len(parts) - 1
        return self.statement.part(first, self.at)

    def _columns(self) -> tuple[str, ...] | None:
        if self._take("BY"):
            self._need("POSITION")
            return ()
        if not self._take("("):
            return None
        names = []
        while not self._take(")"):
            names.append(self._word("a column's name"))
            self._take(",")
        return tuple(names)

    def _source(self) -> tuple[str, str]:
        """The SELECT list, empty if there is none, and the path."""
        if not self._take("("):
            return "", self._path()
        self._need("SELECT")
        first = self.at
        depth = 0
        while self.at < len(self.statement.words) and (depth or self.statement.words[self.at] != "FROM"):
            depth += {"(": 1, ")": -1}.get(self.statement.words[self.at], 0)
            self.at += 1
        expressions = self.statement.part(first, self.at)
        self._need("FROM")
        path = self._path()
        self._need(")")
        return expressions, path

    def _path(self) -> str:
        token = self.statement.tokens[self.at] if self.at < len(self.statement.tokens) else None
        if token is None or not (token.kind == STRING or token.is_name):
            raise self._error(self._found(), "the path of the files, a string such as '/Volumes/...'")
        self.at += 1
        if self._take("WITH"):
            raise self._error("WITH after the path", "none, since a volume on this machine needs no credential")
        return token.text

    def _clauses(self) -> tuple[tuple[str, ...], str, dict[str, str], dict[str, str]]:
        files: tuple[str, ...] = ()
        pattern, formats, copies = "", dict[str, str](), dict[str, str]()
        while self.at < len(self.statement.tokens):
            if self._take("FILES"):
                self._take("=")
                files = self._strings()
            elif self._take("PATTERN"):
                self._take("=")
                pattern = self._word("a pattern in quotes")
            elif self._take("FORMAT_OPTIONS"):
                formats |= self._pairs()
            elif self._take("COPY_OPTIONS"):
                copies |= self._pairs()
            elif self._take("VALIDATE"):
                raise self._error("VALIDATE", "none here; preview the rows with SELECT * FROM read_files(...)")
            else:
                raise self._error(self._found(), "FILES, PATTERN, FORMAT_OPTIONS or COPY_OPTIONS")
        return files, pattern, formats, copies

    def _strings(self) -> tuple[str, ...]:
        self._need("(")
        found = []
        while not self._take(")"):
            found.append(self._word("the name of a file in quotes"))
            self._take(",")
        if len(found) > _MOST_FILES:
            raise self._error(f"{len(found)} FILES", f"at most {_MOST_FILES}")
        return tuple(found)

    def _pairs(self) -> dict[str, str]:
        """The options in parentheses; names may be in quotes, and values are any constants."""
        self._need("(")
        found = {}
        while not self._take(")"):
            key = self._word("an option's name")
            while self._take("."):
                key += f".{self._word('the rest of the name of an option')}"
            self._need("=")
            first, depth = self.at, 0
            while self.at < len(self.statement.words) and (depth or self.statement.words[self.at] not in (",", ")")):
                depth += {"(": 1, ")": -1}.get(self.statement.words[self.at], 0)
                self.at += 1
            value = option_text(self.statement.part(first, self.at), self.statement.server)
            if value is not None:
                found[key] = value
            self._take(",")
        return found

    def _take(self, word: str) -> bool:
        """Go past *word* if it comes next; returns whether it did."""
        _, found = self.statement.skip(self.at, word)
        self.at += found
        return found

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._error(self._found(), f"`{word}`")

    def _word(self, expected: str) -> str:
        token = self.statement.tokens[self.at] if self.at < len(self.statement.tokens) else None
        if token is None or not (token.is_name or token.kind == STRING):
            raise self._error(self._found(), expected)
        self.at += 1
        return token.text

    def _found(self) -> str:
        if self.at >= len(self.statement.tokens):
            return "the end of the statement"
        return f"`{self.statement.tokens[self.at].text}`"

    def _error(self, found: str, expected: str) -> DialectError:
        return DialectError(f"{self.statement.where}: COPY INTO: found {found}; expected {expected}.")


def _is_true(options: Mapping[str, str], name: str) -> bool:
    return any(key.lower() == name.lower() and value.lower() == "true" for key, value in options.items())
