"""SQL text of Databricks -> SQL text of Spark: names, paths and functions; statements are in `statements`."""

from collections.abc import Iterator
from dataclasses import dataclass

from lakelocal.dialect import scan
from lakelocal.dialect.names import FORMATS, join_name, local_parts, local_schema, shorten, split_name
from lakelocal.dialect.volumes import Volumes
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

# Words behind which a string is a path.
_PATH_WORDS = frozenset(["LOCATION", "INPATH", "DIRECTORY", "VACUUM", "OPTIMIZE", "HISTORY", "DETAIL", "JAR"])
_PATH_KEYS = frozenset({"path", "checkpointlocation"})
# Table functions whose first argument is the name of a table, in a string.
_NAME_ARGUMENT = frozenset({"table_changes", "identifier"})
_ONLY_DATABRICKS = {
    "current_metastore": "there is no Unity Catalog metastore here",
    "read_files": "use spark.read, or ``SELECT * FROM csv.`/Volumes/...` WITH (header = 'true')``",
    "read_kafka": "use spark.readStream.format('kafka')",
    "cloud_files": "use spark.readStream.format('cloudFiles')",
    "ai_query": "model serving is not part of this machine",
    "secret": "use dbutils.secrets.get",
    "http_request": "connections are not part of this machine",
}


@dataclass(frozen=True)
class SqlText:
    """Rewrites SQL for one catalog; holds no state, so that sessions may share it."""

    volumes: Volumes

    @property
    def catalog(self) -> str:
        return self.volumes.catalog

    def rewrite(self, sql: str) -> str:
        """*sql*, a statement or an expression, as Spark understands it.

        Raises:
            DialectError: it names another catalog, a missing volume, or what only Databricks has.
        """
        tokens = tokenize(sql)
        if tokens is None:
            return sql
        edits = [*self._name_edits(sql, tokens), *self._string_edits(tokens)]
        return apply(sql, edits) if edits else sql

    def name(self, text: str, where: str) -> str:
        """The name of a table, as an API takes it."""
        parts = split_name(text)
        if parts is None:
            return text
        if (path := self._path_table(parts)) is not None:
            return f"{parts[0]}.{quoted(path)}"
        found = local_parts(parts, self.catalog, where)
        return text if found is None else join_name(found)

    def schema(self, text: str, where: str) -> str:
        """The name of a schema, as an API takes it."""
        found = local_schema(split_name(text) or [], self.catalog, where)
        return text if found is None else join_name(found)

    def _name_edits(self, sql: str, tokens: tuple[Token, ...]) -> Iterator[Edit]:
        shadowed = self._is_shadowed(tokens)
        for name in scan.Scanner(tokens).names():
            span = tokens[name.first].start, tokens[name.last].end
            if name.called and len(name.parts) == 1:
                yield from self._call_edits(sql, tokens, name)
            elif [part.lower() for part in name.parts] == ["_metadata", "file_path"]:
                yield Edit(*span, self.file_path(sql[span[0] : span[1]]) + (" AS file_path" if name.item else ""))
            elif (path := self._path_table(name.parts)) is not None:
                yield Edit(tokens[name.last].start, span[1], quoted(path))
            elif self._loses_catalog(name, tokens, shadowed, sql):
                yield Edit(span[0], tokens[name.first + 2].start, "")

    def _loses_catalog(self, name: scan.Name, tokens: tuple[Token, ...], shadowed: bool, sql: str) -> bool:
        where = f"The statement {shorten(sql)}"
        if name.place == scan.TABLE:
            return local_parts(name.parts, self.catalog, where) is not None
        if name.place == scan.SCHEMA:
            return local_schema(name.parts, self.catalog, where) is not None
        if shadowed or name.parts[0].lower() != self.catalog.lower() or len(name.parts) < 3:
            return False
        behind = "".join(token.text for token in tokens[name.last + 1 : name.last + 3])
        return len(name.parts) >= 4 or name.called or behind == ".*"

    def _is_shadowed(self, tokens: tuple[Token, ...]) -> bool:
        """Does the catalog's name stand alone in the statement: an alias, a column, a CTE?"""
        wanted = self.catalog.lower()
        for index, token in enumerate(tokens):
            if token.is_name and token.text.lower() == wanted:
                before = tokens[index - 1].word if index else ""
                behind = tokens[index + 1].text if index + 1 < len(tokens) else ""
                if before not in (".", "CATALOG", "IN", "FROM") and behind != ".":
                    return True
        return False

    def _path_table(self, parts: tuple[str, ...] | list[str]) -> str | None:
        """The local path in a name such as ``csv.`/Volumes/...` ``."""
        if len(parts) == 2 and parts[0].lower() in FORMATS and self.volumes.paths.is_databricks(parts[1]):
            return self.volumes.translate(parts[1])
        return None

    def _call_edits(self, sql: str, tokens: tuple[Token, ...], name: scan.Name) -> Iterator[Edit]:
        function = name.parts[0].lower()
        token, argument = tokens[name.first], tokens[name.last + 2] if name.last + 2 < len(tokens) else None
        if argument is None:
            return
        empty = argument.word == ")"
        if function == "current_catalog" and empty:
            alias = " AS `current_catalog()`" if name.item else ""
            yield Edit(token.start, argument.end, literal(self.catalog) + alias)
        elif function == "input_file_name" and empty:
            alias = " AS `input_file_name()`" if name.item else ""
            yield Edit(token.start, argument.end, self.file_path("input_file_name()") + alias)
        elif function in _NAME_ARGUMENT and argument.kind == STRING:
            behind = tokens[name.last + 3].word if name.last + 3 < len(tokens) else ""
            if behind in (")", ","):
                found = self.name(argument.text, f"The statement {shorten(sql)}")
                yield Edit(argument.start, argument.end, literal(found))
        elif function in _ONLY_DATABRICKS:
            raise DialectError(
                f"The statement {shorten(sql)}: `{function}` is a function of Databricks; {_ONLY_DATABRICKS[function]}."
            )

    def file_path(self, expression: str) -> str:
        """SQL that gives *expression*, the URI of a file, as Databricks shows it."""
        for prefix, name in self.volumes.uri_prefixes():
            expression = f"replace({expression}, {literal(prefix)}, {literal(name)})"
        return expression

    def _string_edits(self, tokens: tuple[Token, ...]) -> Iterator[Edit]:
        copies = [token.word for token in tokens[:2]] == ["COPY", "INTO"]
        for index, token in enumerate(tokens):
            if token.kind != STRING or not self.volumes.paths.is_databricks(token.text):
                continue
            before = tokens[max(index - 1, 0)]
            if before.word in _PATH_WORDS or (copies and before.word == "FROM") or _is_path_option(tokens, index):
                yield Edit(token.start, token.end, literal(self.volumes.translate(token.text)))


def _is_path_option(tokens: tuple[Token, ...], index: int) -> bool:
    """Is string *index* the value of `path` in OPTIONS (...) or WITH (...)? In a condition it is data."""
    key = index - 2 if tokens[index - 1].text == "=" else index - 1
    if key < 0 or tokens[key].text.lower() not in _PATH_KEYS:
        return False
    depth = 0
    for before in range(key - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[before].word, 0)
        if depth < 0:
            return tokens[before - 1].word in ("OPTIONS", "WITH")
    return False
