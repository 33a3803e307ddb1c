"""A `cloudFiles` source -> Spark's file source and the projection that gives Auto Loader's rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.autoloader import plan
from lakelocal.dialect.autoloader.columns import Column
from lakelocal.dialect.autoloader.csv_rows import CsvRows
from lakelocal.dialect.autoloader.files import done_files, is_pattern, list_files
from lakelocal.dialect.autoloader.headers import header_of
from lakelocal.dialect.autoloader.inference import infer, keep_schema, kept_schema, new_names
from lakelocal.dialect.autoloader.json_rows import JsonRows
from lakelocal.dialect.autoloader.layouts import Layouts, group, layout_of, plain_layout
from lakelocal.dialect.autoloader.options import Source, read_source
from lakelocal.dialect.sql import SqlText
from lakelocal.errors import DialectError


@dataclass(frozen=True)
class Use:
    """What a request does with the source.

    *runs* is False where only the schema is asked for. *checkpoint* and *bounded* (the trigger ends by itself)
    are those of the stream that starts.
    """

    runs: bool
    checkpoint: Path | None = None
    bounded: bool = True


@dataclass(frozen=True)
class AutoLoader:
    """Builds the relations of `cloudFiles` sources for one request."""

    sql: SqlText
    use: Use

    def relation(self, read: proto.Read) -> proto.Relation:
        """The relation for *read*, whose format is `cloudFiles`; its options and paths are as the user wrote them.

        Raises:
            DialectError: an option has no counterpart, or new columns end the stream.
        """
        given = read.data_source
        if not read.is_streaming:
            raise DialectError(
                "spark.read.format('cloudFiles'): Auto Loader is a streaming source. Use spark.readStream."
            )
        translate = self.sql.volumes.translate
        source = read_source(given.options, paths=list(given.paths), schema=given.schema, translate=translate)
        if self.use.runs and not self.use.bounded and source.format == "csv" and source.header:
            raise DialectError(
                f"cloudFiles, `{source.path}`: CSV with a header needs a trigger that ends on this machine. "
                "Use trigger(availableNow=True)."
            )
        return self.rows(source, streaming=True)

    def rows(self, source: Source, *, streaming: bool) -> proto.Relation:
        if not (is_pattern(source.folder) or source.folder.exists()):
            raise DialectError(
                f"`{source.path}`: the folder does not exist in its volume. Put a file there, or correct the path."
            )
        glob = source.option("pathGlobFilter", "") or None
        done = done_files(self.use.checkpoint)
        files = [file for file in list_files(source.folder, glob) if file not in done] if self.use.runs else []
        if source.format in ("text", "binaryFile"):
            schema = "value STRING" if source.format == "text" else ""
            options = {**source.reader, **source.limits}
            return plan.read(source.format, str(source.folder), options, schema=schema, streaming=streaming)
        columns = self._columns(source, files, glob)
        shown = self.sql.file_path("_metadata.file_path")
        if source.format == "json":
            return JsonRows(source, columns, shown).relation(streaming=streaming)
        if source.format == "csv":
            return self._csv(source, columns, files, shown).relation(streaming=streaming)
        return self._typed(source, columns, streaming)

    def _columns(self, source: Source, files: Sequence[Path], glob: str | None) -> tuple[Column, ...]:
        columns = source.columns
        if columns is None:
            columns = kept_schema(source)
            if columns is None:
                columns = infer(source, files or list_files(source.folder, glob))
                keep_schema(source, columns)
        if source.evolution in ("addNewColumns", "failOnNewColumns") and files:
            self._evolve(source, columns, files)
        return columns

    def _evolve(self, source: Source, columns: tuple[Column, ...], files: Sequence[Path]) -> None:
        """End the stream where *files* have columns that the schema lacks, as Databricks does."""
        found = new_names(source, columns, files)
        if not found:
            return
        names = ", ".join(f"`{name}` ({file.name})" for name, file in list(found.items())[:5])
        if source.evolution == "failOnNewColumns":
            raise DialectError(
                f"cloudFiles, `{source.path}`: found new columns {names}; `failOnNewColumns` is set. "
                "Add them to the schema, or remove the files."
            )
        hints = {hint.name.lower(): hint for hint in source.hints}
        added = [hints.get(name.lower(), Column(name, "STRING")) for name in found]
        keep_schema(source, [*columns, *added])
        raise DialectError(
            f"cloudFiles, `{source.path}`: [UNKNOWN_FIELD_EXCEPTION] found new columns {names}. "
            "They are in the schema now: start the stream again."
        )

    def _csv(self, source: Source, columns: tuple[Column, ...], files: Sequence[Path], shown: str) -> CsvRows:
        guarded = self.use.runs and source.header
        found = []
        for file in files if guarded else ():
            if (header := header_of(file, source)) is not None:
                found.append((file, layout_of(header, columns, case_sensitive=source.case_sensitive)))
        layouts = Layouts(group(found) or ((plain_layout(columns), ()),))
        return CsvRows(source, columns, layouts, shown, guarded)

    def _typed(self, source: Source, columns: tuple[Column, ...], streaming: bool) -> proto.Relation:
        """Files that have types themselves; what the schema lacks is not rescued."""
        kept = [column for column in columns if column.name != source.rescued]
        options = {**source.reader, **source.limits}
        schema = ", ".join(column.ddl for column in kept)
        rows = plan.read(source.format, str(source.folder), options, schema=schema, streaming=streaming)
        return plan.with_columns(rows, {source.rescued: "CAST(NULL AS STRING)"}) if source.rescued else rows
