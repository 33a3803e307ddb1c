"""Schemas that are inferred from files, stored at the schema location, and extended by new fields.

As on Databricks, all columns are STRING unless `cloudFiles.inferColumnTypes` is set. A new column, or a new field of a
struct, is added to the stored schema and then fails the stream, which has it when it is started again.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow.orc
import pyarrow.parquet
from pyspark.sql.pandas.types import from_arrow_schema

from lakelocal.dialect.autoloader import json_records
from lakelocal.dialect.autoloader.columns import Column, as_columns, as_struct
from lakelocal.dialect.autoloader.headers import header_of, records
from lakelocal.dialect.autoloader.hints import Hint, with_hints
from lakelocal.dialect.autoloader.options import Source
from lakelocal.dialect.autoloader.partitions import infer_partitions
from lakelocal.dialect.autoloader.types import (
    NULL,
    STRING,
    Evolved,
    Field,
    Struct,
    Type,
    as_text,
    evolve,
    from_spark,
    merge,
    sorted_fields,
    with_known_types,
)
from lakelocal.errors import DialectError

# Databricks reads 50 GB or this many files, whichever limit is reached first.
_FILES = 1000
_PATTERNS = (
    ("BOOLEAN", re.compile(r"(?i)true|false")),
    ("BIGINT", re.compile(r"[-+]?\d{1,18}")),
    ("DOUBLE", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")),
    ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("TIMESTAMP", re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?")),
)


def stored_schema(source: Source) -> tuple[Column, ...] | None:
    """The newest schema at the schema location; None if there is none yet."""
    folder = _folder(source)
    versions = sorted(int(file.name) for file in folder.iterdir() if file.name.isdigit()) if folder.is_dir() else []
    if not versions:
        return None
    stored = json.loads((folder / str(versions[-1])).read_text(encoding="utf-8"))
    return tuple(Column(**column) for column in stored["columns"])


def store_schema(source: Source, columns: Sequence[Column]) -> None:
    """Add *columns* as the newest schema; if two processes write the same version, the first one wins."""
    folder = _folder(source)
    folder.mkdir(parents=True, exist_ok=True)
    version = len([file for file in folder.iterdir() if file.name.isdigit()])
    text = json.dumps({"columns": [{"name": column.name, "type": column.type} for column in columns]})
    draft = folder / f".{version}.{os.getpid()}"
    draft.write_text(text, encoding="utf-8")
    try:
        os.link(draft, folder / str(version))
    except FileExistsError:
        pass  # another process has seen the same files
    finally:
        draft.unlink()


def infer_columns(source: Source, files: Sequence[Path]) -> tuple[Column, ...]:
    """The columns of *files*, followed by those of their folders; the schema hints take precedence.

    Raises:
        DialectError: there is no file, and the format has no fixed columns.
    """
    if not files and not source.fixed:
        raise DialectError(
            f"`{source.path}`: found no file to infer a schema from. Give the schema, or start when there are files."
        )
    row = _file_columns(source, files[:_FILES])
    for column in infer_partitions(source.folder, files, source.partitions, typed=source.infer_types):
        row = Struct(tuple(field for field in row.fields if field.name.lower() != column.name.lower()))
        row = row.put(column.name, column.kind)
    return as_columns(with_hints(row, source.hints))


def evolved(source: Source, columns: Sequence[Column], files: Iterable[Path]) -> Evolved:
    """*columns* with the fields of *files* that they lack."""
    widen = source.evolution == "addNewColumnsWithTypeWidening"
    row = as_struct(columns)
    found = evolve(row, _file_columns(source, list(files)), widen=widen)
    hints = [hint for hint in source.hints if not _is_in(row, hint)]
    assert isinstance(found.type, Struct), "a row stays a row"
    return Evolved(with_hints(found.type, hints) if found.added else found.type, found.added, found.widened)


def _is_in(row: Struct, hint: Hint) -> bool:
    return row.get(hint.path[0]) is not None


def _file_columns(source: Source, files: Sequence[Path]) -> Struct:
    """The columns in *files*, without those in the names of their folders."""
    if source.format in ("text", "binaryFile"):
        return fixed_columns(source.format)
    if source.format in ("parquet", "orc"):
        return _typed_columns(source, files)
    return _json_columns(source, files) if source.format == "json" else _csv_columns(source, files)


def fixed_columns(file_format: str) -> Struct:
    """The columns of a format whose files all have the same columns."""
    if file_format == "text":
        return Struct((Field("value", STRING),))
    return as_struct(
        [
            Column("path", "STRING"),
            Column("modificationTime", "TIMESTAMP"),
            Column("length", "BIGINT"),
            Column("content", "BINARY"),
        ]
    )


def _typed_columns(source: Source, files: Sequence[Path]) -> Struct:
    """The columns of files that contain their types; if the types of a column differ, it gets the wider one."""
    row = Struct(())
    for file in files:
        found = from_spark(from_arrow_schema(file_schema(source.format, file)))
        assert isinstance(found, Struct), "a file's schema is a row"
        row = _widest(row, found)
    return row


def _widest(row: Struct, found: Struct) -> Struct:
    widened = evolve(row, found, widen=True).type
    assert isinstance(widened, Struct), "a row stays a row"
    return widened


def file_schema(file_format: str, file: Path) -> pyarrow.Schema:
    """The schema that a Parquet or ORC file contains.

    Raises:
        DialectError: it is not such a file, or incomplete.
    """
    try:
        return pyarrow.parquet.read_schema(file) if file_format == "parquet" else pyarrow.orc.ORCFile(file).schema
    except (pyarrow.ArrowException, OSError) as error:
        raise DialectError(
            f"`{file.name}`: is not a complete file of the format {file_format} ({error}). Repair or remove it."
        ) from error


def _json_columns(source: Source, files: Sequence[Path]) -> Struct:
    found: Type = NULL
    for file in files:
        found = merge(found, json_records.row_type(file, source))
    row = with_known_types(sorted_fields(found)) if isinstance(found, Struct) else None
    if not isinstance(row, Struct):
        return Struct(())
    if source.infer_types or source.columns is not None:
        return row
    inside = {hint.path[0].lower() for hint in source.hints if len(hint.path) > 1}
    return Struct(tuple(Field(f.name, as_text(f.type) if f.name.lower() in inside else STRING) for f in row.fields))


def _csv_columns(source: Source, files: Sequence[Path]) -> Struct:
    samples: dict[str, tuple[str, set[str]]] = {}
    for file in files:
        for name, value in _csv_values(source, file):
            _, kinds = samples.setdefault(name.lower(), (name, set()))
            if value is not None and source.infer_types:
                kinds.add(_type_of(value, narrow=source.narrow_integers))
    typed = source.infer_types
    return as_struct([Column(name, _merge(kinds) if typed else "STRING") for name, kinds in samples.values()])


def _csv_values(source: Source, file: Path) -> Iterator[tuple[str, str | None]]:
    """Pairs of name and value from the rows of *file*; each name occurs at least once."""
    header = header_of(file, source)
    for number, row in enumerate(records(file, source)):
        names = header if source.header else tuple(f"_c{at}" for at in range(len(row)))
        if number == 0:
            yield from ((name, None) for name in names or ())
            if source.header and not source.infer_types:
                return
        if number or not source.header:
            yield from ((name, value or None) for name, value in zip(names or (), row, strict=False))


def _type_of(value: str, *, narrow: bool) -> str:
    kind = next((kind for kind, pattern in _PATTERNS if pattern.fullmatch(value)), "STRING")
    return "INT" if narrow and kind == "BIGINT" and -(2**31) <= int(value) < 2**31 else kind


def _merge(kinds: set[str]) -> str:
    if kinds == {"INT", "BIGINT"}:
        return "BIGINT"
    kinds = {"BIGINT" if kind == "INT" and len(kinds) > 1 else kind for kind in kinds}
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds and kinds <= {"BIGINT", "DOUBLE"}:
        return "DOUBLE"
    return "TIMESTAMP" if kinds and kinds <= {"DATE", "TIMESTAMP"} else "STRING"


def _folder(source: Source) -> Path:
    if source.schema_location is None:
        raise DialectError(
            "cloudFiles: found neither a schema nor cloudFiles.schemaLocation. Give one: .schema(...), or the option "
            "with a path in a volume where the inferred schema is kept."
        )
    return source.schema_location / "_schemas"
