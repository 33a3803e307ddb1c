"""Turns a `cloudFiles` source into Spark's file source with a projection that gives Auto Loader's rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.autoloader.columns import Column, as_columns
from lakelocal.dialect.autoloader.csv_rows import CsvRows
from lakelocal.dialect.autoloader.files import check_exists, done_files
from lakelocal.dialect.autoloader.headers import header_of
from lakelocal.dialect.autoloader.inference import evolved, infer_columns, store_schema, stored_schema
from lakelocal.dialect.autoloader.json_rows import JsonRows
from lakelocal.dialect.autoloader.layouts import Layouts, group, layout_of, plain_layout
from lakelocal.dialect.autoloader.options import Source, read_source
from lakelocal.dialect.autoloader.partitions import partition_values
from lakelocal.dialect.autoloader.typed_rows import TypedRows
from lakelocal.dialect.autoloader.types import Struct
from lakelocal.dialect.sql import SqlText
from lakelocal.errors import DialectError


@dataclass(frozen=True)
class ReadMode:
    """How a request reads the source.

    *runs* is False if only the schema is needed. *checkpoint* and *bounded* (the trigger ends by itself) describe the
    stream that is started.
    """

    runs: bool
    checkpoint: Path | None = None
    bounded: bool = True


@dataclass(frozen=True)
class AutoLoader:
    """Builds the relations of `cloudFiles` sources for one request."""

    sql: SqlText
    use: ReadMode

    def relation(self, read: proto.Read) -> proto.Relation:
        """The relation for *read*, whose format is `cloudFiles`; its options and paths are those that the user wrote.

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
        check_exists(source.folder, source.path)
        done = done_files(self.use.checkpoint)
        files = [file for file in source.listed() if file not in done] if self.use.runs else []
        columns = self._columns(source, files)
        folders = [] if source.partitions == () else self._partitions(source, columns)
        shown = self.sql.file_path("_metadata.file_path")
        if source.format == "json":
            return JsonRows(source, columns, shown, folders).relation(streaming=streaming)
        if source.format == "csv":
            return self._csv(source, columns, files, shown, folders).relation(streaming=streaming)
        return TypedRows(source, columns, shown, folders, files).relation(streaming=streaming)

    def _partitions(self, source: Source, columns: Sequence[Column]) -> list[str]:
        """The names of those *columns* whose values are in the names of folders."""
        wanted = source.partitions
        if wanted is None:
            found = (partition_values(source.folder, file) for file in source.listed())
            wanted = tuple(dict.fromkeys(name for values in found for name in values))
        asked = {name.lower() for name in wanted}
        return [column.name for column in columns if column.name.lower() in asked]

    def _columns(self, source: Source, files: Sequence[Path]) -> tuple[Column, ...]:
        if source.columns is not None:
            columns = source.columns
        elif source.schema_location is None and (source.fixed or source.infers_always):
            columns = infer_columns(source, source.listed())
        elif (kept := stored_schema(source)) is not None:
            columns = kept
        else:
            columns = infer_columns(source, files or source.listed())
            store_schema(source, columns)
        if source.evolution not in ("rescue", "none") and files and not (source.fixed or source.infers_always):
            self._evolve(source, columns, files)
        return columns

    def _evolve(self, source: Source, columns: tuple[Column, ...], files: Sequence[Path]) -> None:
        """End the stream if *files* have fields that the schema lacks, as Databricks does."""
        found = evolved(source, columns, files)
        if not found.changed:
            return
        names = ", ".join(f"`{name}`" for name in (*found.added, *found.widened)[:5])
        if source.evolution == "failOnNewColumns":
            raise DialectError(
                f"cloudFiles, `{source.path}`: found new columns {names} {self._whence(source, columns, files)}; "
                "`failOnNewColumns` is set. Add them to the schema, or remove the files."
            )
        assert isinstance(found.type, Struct), "a row stays a row"
        store_schema(source, as_columns(found.type))
        raise DialectError(
            f"cloudFiles, `{source.path}`: [UNKNOWN_FIELD_EXCEPTION] found new columns {names} "
            f"{self._whence(source, columns, files)}. They have been added to the schema; start the stream again."
        )

    def _whence(self, source: Source, columns: Sequence[Column], files: Sequence[Path]) -> str:
        """The name of the first file with new fields, in parentheses."""
        first = next(file for file in files if evolved(source, columns, [file]).changed)
        return f"({first.name})"

    def _csv(
        self, source: Source, columns: tuple[Column, ...], files: Sequence[Path], shown: str, folders: Sequence[str]
    ) -> CsvRows:
        guarded = self.use.runs and source.header
        found = []
        for file in files if guarded else ():
            if (header := header_of(file, source)) is not None:
                found.append((file, layout_of(header, columns, case_sensitive=source.case_sensitive)))
        layouts = Layouts(group(found) or ((plain_layout(columns, folders), ()),))
        return CsvRows(source, columns, layouts, shown, folders, guarded)
