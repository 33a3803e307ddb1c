"""Parquet and ORC, whose files contain types, and text and binary files, which always have the same columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyspark.sql.connect.proto as proto
from pyspark.sql.pandas.types import from_arrow_schema

from lakelocal.dialect.autoloader import plan_builders
from lakelocal.dialect.autoloader.columns import Column, as_columns, as_struct
from lakelocal.dialect.autoloader.inference import file_schema
from lakelocal.dialect.autoloader.options import Source
from lakelocal.dialect.autoloader.partitions import partition_text
from lakelocal.dialect.autoloader.types import Array, Struct, Type, evolve, from_spark, type_conflicts
from lakelocal.errors import DialectError
from lakelocal.sql.writing import literal, quoted


@dataclass(frozen=True)
class TypedRows:
    """Builds the relation of such a source.

    *files* are those that it will read; fields that the schema lacks are rescued. *shown_path* is SQL for the file's
    path as Databricks shows it.
    """

    source: Source
    columns: Sequence[Column]
    shown_path: str
    partitions: Sequence[str]
    files: Sequence[Path]

    def relation(self, *, streaming: bool) -> proto.Relation:
        inside = [column for column in self.columns if column.name not in {*self.partitions, self.source.rescued}]
        self._refuse_misfits(as_struct(inside))
        read = self._with_new_fields(as_struct(inside))
        options = {**self.source.reader, **self.source.limits}
        # The columns of binary files are always the same, but a stream needs a schema in any case.
        told = streaming or self.source.format != "binaryFile"
        schema = ", ".join(column.ddl for column in as_columns(read)) if told else ""
        rows = plan_builders.read(self.source.format, self.source.places, options, schema=schema, streaming=streaming)
        found = [(column.name, self._value(column, inside, read)) for column in self.columns]
        if self.source.rescued and all(name != self.source.rescued for name, _ in found):
            found.append((self.source.rescued, self._rescued(inside, read)))
        return plan_builders.select(rows, found)

    def _refuse_misfits(self, row: Struct) -> None:
        """Refuse files with a column of another type, since Spark's own error would not name the file."""
        for file in () if self.source.fixed else self.files:
            found = from_spark(from_arrow_schema(file_schema(self.source.format, file)))
            if problem := next(type_conflicts(row, found), None):
                raise DialectError(
                    f"cloudFiles, `{self.source.path}`: `{file.name}`: {problem}. Databricks would rescue it; here it "
                    "cannot be read. Remove the file, or set cloudFiles.schemaHints with its type and a new "
                    "cloudFiles.schemaLocation."
                )

    def _with_new_fields(self, row: Struct) -> Struct:
        """The fields to read: *row*, and the fields of the files that it lacks."""
        if not self.source.rescued or self.source.fixed:
            return row
        for file in self.files:
            found = evolve(row, from_spark(from_arrow_schema(file_schema(self.source.format, file)))).type
            assert isinstance(found, Struct), "a row stays a row"
            row = found
        return row

    def _value(self, column: Column, inside: Sequence[Column], read: Struct) -> str:
        if column.name in self.partitions:
            return f"try_cast({partition_text(self.source.folder, column.name)} AS {column.type})"
        if column.name == self.source.rescued:
            return self._rescued(inside, read)
        if self.source.format == "binaryFile" and column.name == "path":
            return self.shown_path
        full = read.get(column.name)
        return quoted(column.name) if full is None else _narrowed(column.kind, full, quoted(column.name))

    def _rescued(self, inside: Sequence[Column], read: Struct) -> str:
        """SQL: the data without a place in the schema, as JSON; a column with a new field is rescued as a whole."""
        known = {column.name.lower(): column.kind for column in inside}
        members = []
        for field in read.fields:
            kind, value = known.get(field.name.lower()), quoted(field.name)
            if kind is None:
                members.append((field.name, value))
            elif kind != field.type:
                same = f"to_json(struct({value})) = to_json(struct({_narrowed(kind, field.type, value)} AS {value}))"
                members.append((field.name, f"IF({same}, NULL, {value})"))
        if not members:
            return "CAST(NULL AS STRING)"
        some = " OR ".join(f"({sql}) IS NOT NULL" for _, sql in members)
        entries = ", ".join(f"{literal(name)}, {sql}" for name, sql in members)
        return f"IF({some}, to_json(named_struct({entries}, '_file_path', {self.shown_path})), NULL)"


def _narrowed(kind: Type, full: Type, value: str, depth: int = 0) -> str:
    """SQL: *value*, which has the type *full*, as a value of the type *kind*, which has fewer fields."""
    if kind == full:
        return value
    if isinstance(kind, Struct) and isinstance(full, Struct):
        fields = ", ".join(
            f"{literal(field.name)}, {_narrowed(field.type, full.get(field.name) or field.type, inner, depth)}"
            for field in kind.fields
            for inner in [f"{value}.{quoted(field.name)}"]
        )
        return f"IF({value} IS NULL, NULL, named_struct({fields}))"
    if isinstance(kind, Array) and isinstance(full, Array):
        entry = f"x{depth}"
        return f"transform({value}, {entry} -> {_narrowed(kind.element, full.element, entry, depth + 1)})"
    return value


def is_readable(file_format: str, file: Path) -> bool:
    """Is *file* complete? Only for formats whose files contain a schema can this be known."""
    if file_format not in ("parquet", "orc"):
        return True
    try:
        file_schema(file_format, file)
    except DialectError:
        return False
    return True
