"""`read_files(path, key => value, ...)`, in batch and as a stream, becomes a relation beside the SQL text.

A SQL text cannot contain a relation with its own schema. Each call is therefore replaced by a name, and the plan is
sent beside the text with that name, like the frames of `spark.sql("... {frame}", frame=frame)`. The text contains the
original in a comment, since a client may send the plan that it got back again, for example to start a stream, and then
the original text is planned anew.

Source: Databricks documentation, "read_files table-valued function".
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.autoloader import AutoLoader, plan_builders
from lakelocal.dialect.autoloader.files import check_exists, list_files
from lakelocal.dialect.autoloader.options import FORMATS, Source, read_source
from lakelocal.dialect.literals import option_text
from lakelocal.dialect.names import shorten
from lakelocal.dialect.server import Server
from lakelocal.dialect.sql import SqlText
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing, split
from lakelocal.sql.tokens import Token, tokenize
from lakelocal.sql.writing import Edit, apply, quoted

_CARRIED = re.compile(r"/\*read_files:([A-Za-z0-9+/=]*)\*/$")
_PREFIX = "read_files_"
# The options that belong to Auto Loader; the others belong to Spark's reader of the format.
_LOADER = {
    name.lower(): name
    for name in (
        *("format", "inferColumnTypes", "partitionColumns", "schemaHints", "schemaEvolutionMode", "schemaLocation"),
        *("allowOverwrites", "includeExistingFiles", "maxBytesPerTrigger", "maxFilesPerTrigger", "useStrictGlobber"),
    )
}
_SUFFIXES = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".parquet": "parquet"} | {
    ".orc": "orc", ".txt": "text", ".text": "text"
}  # fmt: skip
_COMPRESSED = frozenset({".gz", ".bz2", ".zst", ".snappy", ".deflate", ".lz4"})
_METADATA = (
    "file_name",
    "file_size",
    "file_block_start",
    "file_block_length",
    "file_modification_time",
)


@dataclass(frozen=True)
class Call:
    """A call in a text: its tokens from *first* to *last*, including STREAM, and the texts of its arguments."""

    first: int
    last: int
    streaming: bool
    path: str
    options: Mapping[str, str]


def has_calls(sql: str) -> bool:
    return "read_files" in sql.lower() and next(_calls(sql, tokenize(sql) or ()), None) is not None


@dataclass(frozen=True)
class ReadFiles:
    """Expands the calls in the relations of one request."""

    sql: SqlText
    server: Server
    loader: AutoLoader

    def expand(self, relation: proto.Relation) -> None:
        """Replace the calls in *relation*, a SQL text with or without relations beside it, in place.

        Raises:
            DialectError: an argument is missing or not possible, or the statement would store the call.
        """
        if relation.HasField("sql"):
            self._expand(relation, relation.sql, [])
        elif relation.HasField("with_relations"):
            given = relation.with_relations
            references = [each for each in given.references if not each.subquery_alias.alias.startswith(_PREFIX)]
            if given.root.HasField("with_relations"):
                inner = given.root.with_relations
                text = proto.WithRelations(root=inner.root, references=[*references, *inner.references])
                relation.with_relations.CopyFrom(text)
            elif given.root.HasField("sql"):
                self._expand(relation, given.root.sql, references)

    def _expand(self, relation: proto.Relation, holder: proto.SQL, references: list[proto.Relation]) -> None:
        carried = _CARRIED.search(holder.query)
        text = base64.b64decode(carried[1]).decode() if carried else holder.query
        tokens = tokenize(text) or ()
        calls = list(_calls(text, tokens)) if "read_files" in text.lower() else []
        if not calls:
            return
        _refuse_kept(text, tokens)
        metadata = any(token.text.lower() == "_metadata" for token in tokens)
        edits = []
        for call in calls:
            name = f"{_PREFIX}{uuid4().hex[:12]}"
            edits.append(Edit(tokens[call.first].start, tokens[call.last].end, quoted(name)))
            if metadata:
                edits += _without_metadata(tokens, call)
            rows = self._rows(call, shorten(text), metadata=metadata)
            references.append(proto.Relation(subquery_alias=proto.SubqueryAlias(input=rows, alias=name)))
        note = f" /*read_files:{base64.b64encode(text.encode()).decode()}*/"
        query = proto.SQL(query=apply(text, edits).rstrip().rstrip(";") + note)
        expanded = proto.WithRelations(root=proto.Relation(sql=query), references=references)
        relation.with_relations.CopyFrom(expanded)

    def _rows(self, call: Call, where: str, *, metadata: bool) -> proto.Relation:
        source = self._source(call, where)
        rows = self.loader.rows(source, streaming=call.streaming)
        return with_metadata(rows, self.sql) if metadata else rows

    def _source(self, call: Call, where: str) -> Source:
        path = option_text(call.path, self.server) if call.path else None
        if not path:
            raise DialectError(
                f"The statement {where}: found `{call.path}` as the path of read_files; expected a string. Add it."
            )
        values = {key: option_text(text, self.server) for key, text in call.options.items()}
        options = _options({key: value for key, value in values.items() if value is not None})
        schema = options.pop("schema", "")
        if "cloudFiles.format" not in options:
            options["cloudFiles.format"] = self._format(path, options)
        source = read_source(options, paths=[path], schema=schema, translate=self.sql.volumes.translate)
        if call.streaming:
            return replace(source, infers_always=source.schema_location is None)
        return replace(source, schema_location=None, infers_always=True, evolution="none")

    def _format(self, path: str, options: Mapping[str, str]) -> str:
        """The format of the files, inferred from their names."""
        place = Path(self.sql.volumes.translate(path))
        check_exists(place, path)
        names = {_suffix(file.name) for file in list_files(place, options.get("pathGlobFilter"))}
        formats = {_SUFFIXES.get(name, name.lstrip(".")) for name in names}
        if len(formats) == 1 and (found := formats.pop()) in FORMATS:
            return found
        raise DialectError(
            f"read_files, `{path}`: the format cannot be told from the names of the files, which end in "
            f"{', '.join(sorted(names)) or 'nothing, as there are none'}. Set it, for example format => 'csv', to one "
            f"of {', '.join(FORMATS)}."
        )


def with_metadata(rows: proto.Relation, sql: SqlText) -> proto.Relation:
    """*rows* of files with `_metadata` as an ordinary column, since a view would lose it otherwise."""
    shown = f"{sql.file_path('_metadata.file_path')} AS file_path"
    parts = ", ".join(f"_metadata.{name} AS {name}" for name in _METADATA)
    return plan_builders.with_columns(rows, {"_metadata": f"struct({shown}, {parts})"})


def hide_metadata(text: str, table: str) -> str:
    """The query *text* over *table*, with `_metadata` excluded from its stars; unchanged if it does not name that."""
    tokens = tokenize(text) or ()
    if not any(token.text.lower() == "_metadata" for token in tokens):
        return text
    at = next(index for index, token in enumerate(tokens) if token.text == table and tokens[index - 1].word == "FROM")
    return apply(text, list(_without_metadata(tokens, Call(at, at, False, "", {}))))


def _suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if f".{suffix.lower()}" in _COMPRESSED:
        return _suffix(stem)
    return f".{suffix.lower()}" if dot else ""


def _options(given: Mapping[str, str]) -> dict[str, str]:
    """The options of the function as options of `cloudFiles`; types are inferred unless that is turned off."""
    found = {"cloudFiles.inferColumnTypes": "true"}
    names = {"filenamepattern": "pathGlobFilter", "schema": "schema"}
    for key, value in given.items():
        plain = key.lower().removeprefix("cloudfiles.")
        if plain in _LOADER:
            found[f"cloudFiles.{_LOADER[plain]}"] = value
        elif plain in ("modifiedafter", "modifiedbefore"):
            found[key] = (
                f"{value}T00:00:00" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else value.replace(" ", "T", 1)
            )
        else:
            found[names.get(plain, key)] = value
    return found


def _calls(sql: str, tokens: Sequence[Token]) -> Iterator[Call]:
    words = [token.word for token in tokens]
    for at, word in enumerate(words):
        if word == "READ_FILES" and words[at + 1 : at + 2] == ["("]:
            last = closing(tokens, at + 1)
            if last is None:
                expected = "write `read_files('/Volumes/...', format => 'csv')`"
                raise DialectError(f"read_files: found no closing parenthesis; {expected}.")
            path, options = _arguments(sql, tokens[at + 2 : last])
            if words[at - 1 : at] == ["STREAM"]:
                yield Call(at - 1, last, True, path, options)
            elif words[at - 2 : at] == ["STREAM", "("] and words[last + 1 : last + 2] == [")"]:
                yield Call(at - 2, last + 1, True, path, options)
            else:
                yield Call(at, last, False, path, options)


def _arguments(sql: str, tokens: Sequence[Token]) -> tuple[str, dict[str, str]]:
    """The text of the path, and the texts of the options."""
    parts = [tokens[each.start : each.stop] for each in split(tokens, 0, len(tokens))]
    options, path = {}, ""
    for number, part in enumerate(parts):
        if len(part) > 2 and part[1].text in ("=>", "="):
            options[part[0].text] = sql[part[2].start : part[-1].end]
        elif number == 0 and part:
            path = sql[part[0].start : part[-1].end]
        elif part:
            raise DialectError(
                f"read_files: found `{sql[part[0].start : part[-1].end]}`; expected `key => value` after the path."
            )
    named = next((key for key in options if key.lower() == "path"), None)
    return (options.pop(named) if named else path), options


def _without_metadata(tokens: Sequence[Token], call: Call) -> Iterator[Edit]:
    """Exclude `_metadata` from the stars of the query around *call*, since it is only returned if it is named."""
    behind = call.last + (2 if tokens[call.last + 1 : call.last + 2] and tokens[call.last + 1].word == "AS" else 1)
    alias = tokens[behind].text.lower() if behind < len(tokens) and tokens[behind].is_name else ""
    for at in _select_list(tokens, call):
        if tokens[at].text != "*" or tokens[at - 1].word not in ("SELECT", "DISTINCT", "ALL", ",", "."):
            continue
        if tokens[at - 1].word == "." and tokens[at - 2].text.lower() != alias:
            continue
        following = [token.word for token in tokens[at + 1 : at + 3]]
        if following == ["EXCEPT", "("]:
            yield Edit(tokens[at + 2].end, tokens[at + 2].end, "_metadata, ")
        elif not following or following[0] in (",", "FROM", ")", ""):
            yield Edit(tokens[at].end, tokens[at].end, " EXCEPT (_metadata)")


def _select_list(tokens: Sequence[Token], call: Call) -> range:
    """The tokens between the SELECT that *call* belongs to and *call*; none if FROM comes first."""
    depth = 0
    for at in range(call.first - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[at].word, 0)
        if depth < 0:
            break
        if depth == 0 and tokens[at].word == "SELECT":
            return range(at + 1, call.first)
    return range(0)


def _refuse_kept(sql: str, tokens: Sequence[Token]) -> None:
    words = [token.word for token in tokens[:8]]
    if words[:1] == ["CREATE"] and "VIEW" in words and not {"TEMP", "TEMPORARY"} & set(words[: words.index("VIEW")]):
        raise DialectError(
            f"The statement {shorten(sql)}: only a temporary view can contain read_files on this machine. "
            "Use CREATE TEMPORARY VIEW, or CREATE TABLE ... AS SELECT."
        )


@dataclass(frozen=True)
class TemporaryView:
    """`CREATE TEMPORARY VIEW` of a *query* that calls read_files."""

    name: str
    query: str
    is_global: bool
    replaces: bool


def temporary_view(sql: str) -> TemporaryView | None:
    """The view that *sql* creates; None if it is another statement or does not call read_files."""
    if not has_calls(sql):
        return None
    tokens = tokenize(sql) or ()
    words = [token.word for token in tokens]
    at = 3 if words[1:3] == ["OR", "REPLACE"] else 1
    is_global = words[at : at + 1] == ["GLOBAL"]
    at += is_global
    if words[:1] != ["CREATE"] or words[at : at + 2] not in (["TEMP", "VIEW"], ["TEMPORARY", "VIEW"]):
        return None
    name, begin = tokens[at + 2], words.index("AS", at + 3)
    query = sql[tokens[begin].end :].strip().rstrip(";")
    if words[at + 3] == "(":
        columns = sql[tokens[at + 3].start : tokens[closing(tokens, at + 3) or -1].end]
        query = f"SELECT * FROM ({query}) AS t{columns}"
    return TemporaryView(name.text, query, is_global, at > 1 + is_global)
