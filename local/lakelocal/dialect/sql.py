"""Translates names, paths and functions in SQL text of Databricks into Spark's; for statements, see `statements`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lakelocal.catalogs import SPARK_CATALOG, unmapped
from lakelocal.dialect import scan
from lakelocal.dialect.event_log import event_log_argument, events_of
from lakelocal.dialect.names import FORMATS, Names, join_name, shorten, split_name
from lakelocal.dialect.syntax import plain_syntax
from lakelocal.dialect.volumes import PATH_OPTIONS, Volumes
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing, level
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

# Words after which a string is a path.
_PATH_WORDS = frozenset(["LOCATION", "INPATH", "DIRECTORY", "VACUUM", "OPTIMIZE", "HISTORY", "DETAIL", "JAR"])
_WRITTEN = frozenset(["LOCATION", "DIRECTORY"])  # the string after these is a path that is written to
# Table functions whose first argument is a string with the name of a table.
_NAME_ARGUMENT = frozenset({"table_changes", "identifier"})
# The first words of statements that write, and words that may occur between them and the target.
_WRITING = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "REPLACE", "DROP", "ALTER", "COPY", "RESTORE"}
    | {"OPTIMIZE", "VACUUM", "COMMENT"}
)
_BEFORE_TARGET = _WRITING | {
    "INTO", "OVERWRITE", "FROM", "TABLE", "VIEW", "FUNCTION", "SCHEMA", "DATABASE", "OR", "IF", "NOT", "EXISTS", "ON",
    "TEMP", "TEMPORARY", "EXTERNAL", "WITH", "EVOLUTION", "COLUMN",
}  # fmt: skip
_TEMPORARY = frozenset({"TEMP", "TEMPORARY"})
CURRENT_SCHEMA = frozenset({"current_schema", "current_database"})
_OF_MODELS = (
    "ai_query", "ai_analyze_sentiment", "ai_classify", "ai_extract", "ai_fix_grammar", "ai_forecast", "ai_gen",
    "ai_mask", "ai_parse_document", "ai_similarity", "ai_summarize", "ai_translate", "vector_search",
)  # fmt: skip
_ONLY_DATABRICKS = {
    "current_metastore": "there is no Unity Catalog metastore here",
    "read_kafka": "use spark.readStream.format('kafka')",
    "cloud_files": "use spark.readStream.format('cloudFiles')",
    **dict.fromkeys(_OF_MODELS, "model serving is not part of this machine"),
    "is_account_group_member": "users and groups are not part of this machine",
    "is_member": "users and groups are not part of this machine",
    "remote_query": "connections are not part of this machine",
    "try_secret": "use dbutils.secrets.get",
    "secret": "use dbutils.secrets.get",
    "http_request": "connections are not part of this machine",
}


@dataclass(frozen=True)
class SqlText:
    """Rewrites the SQL of one request."""

    volumes: Volumes
    names: Names
    schema_name: str = "default"  # the current schema, as the user knows it
    variants: frozenset[str] = frozenset()  # values that are VARIANT according to the server, see `json_paths`

    @property
    def catalog(self) -> str:
        """The current catalog of the request's session."""
        return self.names.current

    def rewrite(self, sql: str) -> str:
        """*sql*, a statement or an expression, as Spark understands it.

        Raises:
            DialectError: it names an unknown catalog, a missing volume, or something that only Databricks has.
        """
        sql = plain_syntax(sql, self.variants)
        tokens = tokenize(sql)
        if tokens is None:
            return sql
        edits = [*self._name_edits(sql, tokens), *self._string_edits(tokens)]
        return apply(sql, edits) if edits else sql

    def name(self, text: str, where: str) -> str:
        """The name of a table that is passed to an API, as Spark understands it."""
        parts = split_name(text)
        if parts is None:
            return text
        if (path := self._path_table(parts)) is not None:
            return f"{parts[0]}.{quoted(path)}"
        found = self.names.table(parts, where)
        return text if found is None else join_name(found)

    def schema(self, text: str, where: str) -> str:
        """The name of a schema that is passed to an API, as Spark understands it."""
        found = self.names.schema(split_name(text) or [], where)
        return text if found is None else join_name(found)

    def _name_edits(self, sql: str, tokens: tuple[Token, ...]) -> Iterator[Edit]:
        names = list(scan.Scanner(tokens).names())
        tables = _Tables(self.names, f"The statement {shorten(sql)}", tokens)
        self._refuse_writing(tokens, names, tables.where)
        for name in names:
            tables.see(name)
        for name in names:
            span = tokens[name.first].start, tokens[name.last].end
            if name.called and len(name.parts) == 1:
                yield from self._call_edits(sql, tokens, name)
            elif [part.lower() for part in name.parts] == ["_metadata", "file_path"]:
                yield Edit(*span, self.file_path(sql[span[0] : span[1]]) + (" AS file_path" if name.item else ""))
            elif (path := self._path_table(name.parts)) is not None:
                yield Edit(tokens[name.last].start, span[1], quoted(path))
            else:
                if (edit := tables.edit(name)) is not None:
                    yield edit
                if name.called and name.item and name.place == scan.ELSEWHERE:
                    yield from self._column_name(sql, tokens, name)

    def _column_name(self, sql: str, tokens: tuple[Token, ...], name: scan.Name) -> Iterator[Edit]:
        """Name the column of a function call after the function as it is written, not as the metastore knows it."""
        end = tokens[closing(tokens, name.last + 1) or name.last].end
        called = ".".join(name.parts) + sql[tokens[name.last + 1].start : end]
        yield Edit(end, end, f" AS {quoted(called)}")

    def _refuse_writing(self, tokens: tuple[Token, ...], names: list[scan.Name], where: str) -> None:
        """Refuse a statement that writes to a read-only catalog."""
        if not tokens or tokens[0].word not in _WRITING:
            return
        target = next((index for index, token in enumerate(tokens) if token.word not in _BEFORE_TARGET), None)
        for name in names:
            if name.first == target and name.place != scan.ELSEWHERE:
                self.names.written(name.parts if name.place == scan.TABLE else (*name.parts, ""), where)

    def _path_table(self, parts: tuple[str, ...] | list[str]) -> str | None:
        """The local path in a name such as ``csv.`/Volumes/...` ``."""
        if len(parts) != 2 or parts[0].lower() not in FORMATS:
            return None
        place = self.volumes.translate(parts[1])
        return None if place == parts[1] else place

    def _call_edits(self, sql: str, tokens: tuple[Token, ...], name: scan.Name) -> Iterator[Edit]:
        function = name.parts[0].lower()
        token, argument = tokens[name.first], tokens[name.last + 2] if name.last + 2 < len(tokens) else None
        if argument is None:
            return
        empty = argument.word == ")"
        if function == "current_catalog" and empty:
            alias = " AS `current_catalog()`" if name.item else ""
            yield Edit(token.start, argument.end, literal(self.catalog) + alias)
        elif function in CURRENT_SCHEMA and empty and not self.names.in_own:
            alias = f" AS `{function}()`" if name.item else ""
            yield Edit(token.start, argument.end, literal(self.schema_name) + alias)
        elif function == "input_file_name" and empty:
            alias = " AS `input_file_name()`" if name.item else ""
            yield Edit(token.start, argument.end, self.file_path("input_file_name()") + alias)
        elif function in _NAME_ARGUMENT and argument.kind == STRING:
            behind = tokens[name.last + 3].word if name.last + 3 < len(tokens) else ""
            if behind in (")", ","):
                found = self.name(argument.text, f"The statement {shorten(sql)}")
                yield Edit(argument.start, argument.end, literal(found))
        elif function == "event_log":
            last, parts = event_log_argument(tokens, name.last + 1)
            where = f"The statement {shorten(sql)}"
            table = self.names.qualified(parts, self.schema_name) if isinstance(parts, tuple) else parts
            yield Edit(token.start, tokens[last].end, events_of(self.volumes.paths.state, table, where))
        elif function in _ONLY_DATABRICKS:
            raise DialectError(
                f"The statement {shorten(sql)}: `{function}` is a function of Databricks; {_ONLY_DATABRICKS[function]}."
            )

    def file_path(self, expression: str) -> str:
        """SQL for *expression*, the URI of a file, as Databricks shows it."""
        for prefix, name in self.volumes.uri_prefixes():
            expression = f"replace({expression}, {literal(prefix)}, {literal(name)})"
        return expression

    def _string_edits(self, tokens: tuple[Token, ...]) -> Iterator[Edit]:
        for index, token in enumerate(tokens):
            if token.kind != STRING:
                continue
            before = tokens[max(index - 1, 0)]
            if before.word in _PATH_WORDS or _is_path_option(tokens, index):
                place = self.volumes.translate(token.text, writes=before.word in _WRITTEN)
                if place != token.text:
                    yield Edit(token.start, token.end, literal(place))


@dataclass
class _Tables:
    """The names in one statement that are different in the metastore."""

    names: Names
    where: str
    tokens: tuple[Token, ...]
    seen: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def see(self, name: scan.Name) -> None:
        """Remember the table that *name* names, for columns that are written with its full name."""
        if name.place == scan.TABLE and (found := self._table(name)) is not None:
            self.seen[_lower(name.parts)] = found

    def _table(self, name: scan.Name) -> list[str] | None:
        """The parts of the table *name*; with the catalog in the query of a view, whose text the metastore stores."""
        found = self.names.table(name.parts, self.where)
        is_of_own = found is not None and len(found) < len(name.parts) and unmapped(found[0]) is None
        return [SPARK_CATALOG, *found] if found and is_of_own and name.first > self._query_of_view else found

    @cached_property
    def _query_of_view(self) -> int:
        """The index of AS if the statement creates or changes a permanent view; otherwise behind the last token."""
        words = [token.word for token in self.tokens]
        if words[:1] not in (["CREATE"], ["ALTER"]) or "VIEW" not in words[:4] or _TEMPORARY & set(words[:4]):
            return len(words)
        return next((index for index in level(self.tokens, words.index("VIEW")) if words[index] == "AS"), len(words))

    def edit(self, name: scan.Name) -> Edit | None:
        """The edit that replaces *name*; None if it stays."""
        if name.place == scan.TABLE:
            found = self._table(name)
            if found and found[0] == SPARK_CATALOG and self._takes_two_parts(name):
                found = found[1:]
            return self._instead(name, found)
        if name.place == scan.SCHEMA:
            return self._instead(name, self.names.schema(name.parts, self.where))
        return self._instead(name, self._elsewhere(name))

    def _takes_two_parts(self, name: scan.Name) -> bool:
        """Is *name* in a position where Spark allows no catalog: the new name of a table, or CREATE TABLE ... LIKE?"""
        before = [token.word for token in self.tokens[max(name.first - 2, 0) : name.first]]
        behind = [token.word for token in self.tokens[name.last + 1 : name.last + 2]]
        like = self.tokens[0].word == "CREATE" and (before[-1:] == ["LIKE"] or behind == ["LIKE"])
        return before == ["RENAME", "TO"] or like

    def _elsewhere(self, name: scan.Name) -> list[str] | None:
        """The parts for a column with the full name of its table, or for a function; a field of a struct stays."""
        parts, length = name.parts, len(name.parts) + self._behind_is_star(name)
        for table, found in self.seen.items():
            if length > len(table) and _lower(parts[: len(table)]) == table:
                return [*found, *parts[len(table) :]]
        if name.called and len(parts) == 2:
            return self.names.table(parts, self.where)
        if len(parts) < 3 or self._is_shadowed(parts[0]):
            return None
        if name.called:
            return self.names.table(parts, self.where) if self.names.catalogs.exists(parts[0]) else None
        column = self.names.column([*parts, "*"] if length > len(parts) else parts)
        return None if column is None else column[: len(column) + len(parts) - length]

    def _instead(self, name: scan.Name, found: list[str] | None) -> Edit | None:
        """Replace the catalog and the schema of *name* by the schema of *found*; the rest stays as it is written."""
        if found is None:
            return None
        lost = len(name.parts) - len(found)
        first, schema = self.tokens[name.first], self.tokens[name.first + 2 * lost]
        if schema.text == found[0]:
            return Edit(first.start, schema.start, "")
        return Edit(first.start, schema.end, join_name(found[:1]))

    def _behind_is_star(self, name: scan.Name) -> bool:
        return "".join(token.text for token in self.tokens[name.last + 1 : name.last + 3]) == ".*"

    def _is_shadowed(self, catalog: str) -> bool:
        """Is *catalog* also used on its own in the statement, as an alias, a column or a CTE?"""
        wanted = catalog.lower()
        for index, token in enumerate(self.tokens):
            if token.is_name and token.text.lower() == wanted:
                before = self.tokens[index - 1].word if index else ""
                behind = self.tokens[index + 1].text if index + 1 < len(self.tokens) else ""
                if before not in (".", "CATALOG", "IN", "FROM") and behind != ".":
                    return True
        return False


def _lower(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.lower() for part in parts)


def _is_path_option(tokens: tuple[Token, ...], index: int) -> bool:
    """Is the string *index* the value of a path option in OPTIONS (...) or WITH (...)? In a condition, it is data."""
    key = index - 2 if tokens[index - 1].text == "=" else index - 1
    if key < 0 or tokens[key].text.lower() not in PATH_OPTIONS:
        return False
    depth = 0
    for before in range(key - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[before].word, 0)
        if depth < 0:
            return tokens[before - 1].word in ("OPTIONS", "WITH")
    return False
