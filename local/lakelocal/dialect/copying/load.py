"""Executes a COPY INTO: reads the files that have not been loaded yet, and appends their rows in one commit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.autoloader import AutoLoader, ReadMode, plan_builders
from lakelocal.dialect.autoloader.options import Source, read_source
from lakelocal.dialect.autoloader.typed_rows import is_readable
from lakelocal.dialect.copying.command import CopyInto, read_command
from lakelocal.dialect.copying.files import CopyLog, named_files
from lakelocal.dialect.names import shorten
from lakelocal.dialect.read_files import hide_metadata, with_metadata
from lakelocal.dialect.sql import SqlText
from lakelocal.dialect.statement import Statement
from lakelocal.dialect.volumes import uri_file
from lakelocal.errors import DialectError
from lakelocal.locks import locked
from lakelocal.sql.writing import quoted

_COPIED = "copied"
_CHECKED = "_rescued"
_WAIT = 600.0  # seconds for another copy into the same table


def copy_into(statement: Statement, sql: SqlText) -> str:
    """Execute *statement*; returns SQL for the row of counts that is its result.

    Raises:
        DialectError: the statement is not possible here, or a file cannot be read.
    """
    command = read_command(statement)
    [table] = statement.run(f"DESCRIBE DETAIL {command.target}")
    if table["format"] != "delta":
        raise DialectError(f"{statement.where}: found a table of the format {table['format']}; expected a Delta table.")
    log = CopyLog(uri_file(table["location"]), table["id"])
    log.folder.mkdir(exist_ok=True)
    busy = DialectError(
        f"{statement.where}: another COPY INTO has been running on this table for {_WAIT:.0f} s. Try again later."
    )
    with locked(log.lock, _WAIT, busy):
        return _Copy(statement, command, sql, log).run()


@dataclass(frozen=True)
class _Copy:
    """One COPY INTO statement and what it needs."""

    statement: Statement
    command: CopyInto
    sql: SqlText
    log: CopyLog

    def run(self) -> str:
        source = self._source()
        files = self._files(source)
        readable = self._readable(source, files)
        if not readable:
            return _counts(0, len(files))
        rows = self._selected(self._rows(replace(source, files=tuple(readable))))
        application = self.log.begin(files)
        self._append(rows, application)
        written = int(self.log.finish(application).get("numOutputRows", 0))
        return _counts(written, len(files) - len(readable))

    def _source(self) -> Source:
        """The source with the defaults of Spark's reader instead of Auto Loader's: CSV has no header and no types."""
        given = {key.lower(): value for key, value in self.command.format_options.items()}
        typed = self.command.format.lower() != "csv" or self.command.asks("inferSchema")
        options = {
            **{key: value for key, value in self.command.format_options.items() if key.lower() != "header"},
            "header": given.get("header", "false"),
            "cloudFiles.format": self.command.format,
            "cloudFiles.inferColumnTypes": str(typed),
            "cloudFiles.schemaEvolutionMode": "none",
        }
        translate = self.sql.volumes.translate
        source = read_source(options, paths=[self.command.path], schema=given.get("schema", ""), translate=translate)
        return replace(source, infers_always=True, narrow_integers=True)

    def _files(self, source: Source) -> list[Path]:
        """The files to load."""
        named = named_files(
            source.folder,
            source.path,
            files=self.command.files,
            pattern=self.command.pattern,
            glob=source.option("pathGlobFilter", "") or None,
            recursive=self.command.asks("recursiveFileLookup"),
        )
        taken = frozenset() if self.command.force else self.log.taken()
        return [file for file in named if str(file) not in taken]

    def _readable(self, source: Source, files: Sequence[Path]) -> list[Path]:
        """The *files* to read: those that are complete, if the user allows corrupt files, otherwise all."""
        if source.option("ignoreCorruptFiles", "false").lower() != "true":
            return list(files)
        return [file for file in files if is_readable(source.format, file)]

    def _rows(self, source: Source) -> proto.Relation:
        loader = AutoLoader(self.sql, ReadMode(runs=True))
        if source.format != "json" or source.rescued:
            return self._with_metadata(loader.rows(source, streaming=False))
        checked = loader.rows(replace(source, rescued=_CHECKED), streaming=False)
        self._refuse_broken(checked)
        return proto.Relation(drop=proto.Drop(input=self._with_metadata(checked), column_names=[_CHECKED]))

    def _refuse_broken(self, rows: proto.Relation) -> None:
        """Refuse records that are not JSON objects, for which Spark's reader would return a row of NULLs."""
        broken = plan_builders.where(rows, f"{_CHECKED} LIKE '{{\"_corrupt_record\"%'")
        first = proto.Relation(limit=proto.Limit(input=plan_builders.select(broken, [(_CHECKED, _CHECKED)]), limit=1))
        for row in self.statement.server.rows(proto.Plan(root=first)):
            found = json.loads(row[_CHECKED])
            raise DialectError(
                f"{self.statement.where}: `{found['_file_path']}`: found {shorten(found['_corrupt_record'])}; expected "
                "a JSON object. Correct the file, or keep such records with FORMAT_OPTIONS ('rescuedDataColumn' = "
                "'_rescued_data')."
            )

    def _with_metadata(self, rows: proto.Relation) -> proto.Relation:
        return with_metadata(rows, self.sql) if "_metadata" in self.command.expressions.lower() else rows

    def _selected(self, rows: proto.Relation) -> proto.Relation:
        """*rows* with the SELECT list applied, and renamed to the target's columns if those are given by position."""
        if self.command.expressions:
            rows = _query(rows, self.statement.plain(f"SELECT {self.command.expressions} FROM {_COPIED}"))
        if self.command.columns is None:
            return rows
        described = self.statement.run(f"DESCRIBE TABLE {self.command.target}")
        columns = takewhile(lambda row: row["data_type"] and not row["col_name"].startswith("#"), described)
        types = {row["col_name"]: row["data_type"] for row in columns}
        names = self.command.columns or tuple(types)
        limited = proto.Relation(limit=proto.Limit(input=rows, limit=0))
        found = len(self.statement.server.schema(proto.Plan(root=limited)).fields)
        if found != len(names):
            raise DialectError(
                f"{self.statement.where}: found {found} columns in the files; expected {len(names)}: "
                f"{', '.join(names)}. Name as many columns as the files have."
            )
        casts = (f"CAST(_c{at} AS {_type(types, name)}) AS {quoted(name)}" for at, name in enumerate(names))
        return _query(rows, f"SELECT {', '.join(casts)} FROM {_COPIED}")

    def _append(self, rows: proto.Relation, application: str) -> None:
        write = proto.WriteOperation(input=rows, source="delta", mode=proto.WriteOperation.SAVE_MODE_APPEND)
        name = self.sql.name(self.command.target, self.statement.where)
        write.table.table_name = name
        write.table.save_method = proto.WriteOperation.SaveTable.TABLE_SAVE_METHOD_SAVE_AS_TABLE
        write.options["txnAppId"], write.options["txnVersion"] = application, "1"
        if self.command.merge_schema:
            write.options["mergeSchema"] = "true"
        self.statement.server.rows(proto.Plan(command=proto.Command(write_operation=write)))


def _query(rows: proto.Relation, text: str) -> proto.Relation:
    """The query *text* over *rows*, which it refers to as `copied`."""
    reference = proto.Relation(subquery_alias=proto.SubqueryAlias(input=rows, alias=_COPIED))
    root = proto.Relation(sql=proto.SQL(query=hide_metadata(text, _COPIED)))
    return proto.Relation(with_relations=proto.WithRelations(root=root, references=[reference]))


def _type(types: Mapping[str, str], name: str) -> str:
    for known, kind in types.items():
        if known.lower() == name.lower():
            return kind
    raise DialectError(f"COPY INTO: found the column `{name}`; expected one of the target: {', '.join(types)}.")


def _counts(written: int, skipped: int) -> str:
    return (
        f"SELECT {written}L AS num_affected_rows, {written}L AS num_inserted_rows, "
        f"{skipped}L AS num_skipped_corrupt_files"
    )
