"""Schemas that come from the files: inferred once, kept at the schema location, grown by new columns.

As on Databricks all columns are STRING unless `cloudFiles.inferColumnTypes` is set, and a new column is first added
to the kept schema, then fails the stream; started again, the stream has it.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.orc
import pyarrow.parquet
from pyspark.sql.pandas.types import from_arrow_schema

from lakelocal.dialect.autoloader.columns import Column, parse_columns
from lakelocal.dialect.autoloader.headers import header_of, records
from lakelocal.dialect.autoloader.options import Source
from lakelocal.errors import DialectError

_FILES, _ROWS = 1000, 1000
_PATTERNS = (
    ("BOOLEAN", re.compile(r"(?i)true|false")),
    ("BIGINT", re.compile(r"[-+]?\d{1,18}")),
    ("DOUBLE", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")),
    ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("TIMESTAMP", re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:?\d{2})?")),
)


def kept_schema(source: Source) -> tuple[Column, ...] | None:
    """The newest schema at the schema location, None where there is none yet."""
    folder = _folder(source)
    versions = sorted(int(file.name) for file in folder.iterdir() if file.name.isdigit()) if folder.is_dir() else []
    if not versions:
        return None
    stored = json.loads((folder / str(versions[-1])).read_text(encoding="utf-8"))
    return tuple(Column(**column) for column in stored["columns"])


def keep_schema(source: Source, columns: Sequence[Column]) -> None:
    """Add *columns* as the newest schema; of two writers of the same version the first one wins."""
    folder = _folder(source)
    folder.mkdir(parents=True, exist_ok=True)
    version = len([file for file in folder.iterdir() if file.name.isdigit()])
    text = json.dumps({"columns": [{"name": column.name, "type": column.type} for column in columns]})
    draft = folder / f".{version}.{os.getpid()}"
    draft.write_text(text, encoding="utf-8")
    try:
        os.link(draft, folder / str(version))
    except FileExistsError:
        pass  # somebody else has seen the same files
    finally:
        draft.unlink()


def infer(source: Source, files: Sequence[Path]) -> tuple[Column, ...]:
    """The columns of *files*; the schema hints win.

    Raises:
        DialectError: there is no file to look at.
    """
    if not files:
        raise DialectError(
            f"`{source.path}`: found no file to take a schema from. Give the schema, or start when files are there."
        )
    found = _infer_formats(source, list(files)[:_FILES])
    hints = {hint.name.lower(): hint for hint in source.hints}
    named = [hints.pop(column.name.lower(), column) for column in found]
    return (*named, *hints.values())


def new_names(source: Source, columns: Iterable[Column], files: Iterable[Path]) -> dict[str, Path]:
    """The names in *files* that *columns* lack, each with the first file that has it."""
    known = {column.name.lower() for column in columns}
    found: dict[str, Path] = {}
    for file in files:
        for name in _names(source, file):
            if name.lower() not in known:
                found.setdefault(name, file)
    return found


def _infer_formats(source: Source, files: list[Path]) -> list[Column]:
    if source.format in ("parquet", "orc"):
        read = pyarrow.parquet.read_schema if source.format == "parquet" else lambda f: pyarrow.orc.ORCFile(f).schema
        merged = pyarrow.unify_schemas([read(file) for file in files])
        return list(parse_columns(from_arrow_schema(merged).json()))
    samples: dict[str, set[str]] = {}
    for file in files:
        for name, value in _samples(source, file):
            kinds = samples.setdefault(name, set())
            if value is not None and source.infer_types:
                kinds.add(_type_of(value))
    return [Column(name, _merge(kinds) if source.infer_types else "STRING") for name, kinds in samples.items()]


def _samples(source: Source, file: Path) -> Iterator[tuple[str, object]]:
    """(name, value) of the first rows of *file*; each name comes at least once."""
    if source.format == "json":
        for number, members in enumerate(_json_rows(source, file)):
            if number < _ROWS:
                yield from members.items()
        return
    header = header_of(file, source)
    for number, row in enumerate(records(file, source)):
        names = header if source.header else tuple(f"_c{at}" for at in range(len(row)))
        if number == 0:
            yield from ((name, None) for name in names or ())
        if number > _ROWS or not source.infer_types:
            return
        if number or not source.header:
            yield from ((name, value or None) for name, value in zip(names or (), row, strict=False))


def _names(source: Source, file: Path) -> Iterable[str]:
    if source.format == "csv":
        return header_of(file, source) or () if source.header else ()
    if source.format == "json":
        return dict.fromkeys(name for row in _json_rows(source, file) for name in row)
    return ()


def _json_rows(source: Source, file: Path) -> Iterator[dict[str, Any]]:
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    for part in [text] if source.multi_line else text.split("\n"):
        try:
            value = json.loads(part)
        except ValueError:
            continue  # Spark rescues it
        yield from (row for row in (value if isinstance(value, list) else [value]) if isinstance(row, dict))


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int | float):
        return "BIGINT" if isinstance(value, int) else "DOUBLE"
    if isinstance(value, dict):
        return "STRUCT<" + ", ".join(f"`{key}`: {_type_of(inner)}" for key, inner in value.items()) + ">"
    if isinstance(value, list):
        return f"ARRAY<{_merge({_type_of(inner) for inner in value})}>"
    return next((kind for kind, pattern in _PATTERNS if pattern.fullmatch(str(value))), "STRING")


def _merge(kinds: set[str]) -> str:
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
