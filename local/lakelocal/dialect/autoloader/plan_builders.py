"""Small functions that build Spark Connect relations; expressions are SQL, which Spark parses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.volumes import path_part
from lakelocal.sql.writing import literal, quoted

# By default, the file source silently skips files that are more than a week old.
MAX_FILE_AGE = "36500d"


def read(
    file_format: str, places: Sequence[str], options: Mapping[str, str], *, schema: str, streaming: bool
) -> proto.Relation:
    """Spark's own file source for *places*: files, or folders with all their subfolders, as in Auto Loader."""
    settled = {**options, "recursiveFileLookup": "true"}
    if streaming:
        settled["maxFileAge"] = MAX_FILE_AGE
    source = proto.Read.DataSource(format=file_format, schema=schema, options=settled, paths=places)
    return proto.Relation(read=proto.Read(data_source=source, is_streaming=streaming))


def with_columns(relation: proto.Relation, columns: Mapping[str, str]) -> proto.Relation:
    """*relation* with additional *columns* (name to SQL)."""
    aliases = [proto.Expression.Alias(expr=_expression(sql), name=[name], metadata="") for name, sql in columns.items()]
    for alias in aliases:
        alias.ClearField("metadata")
    return proto.Relation(with_columns=proto.WithColumns(input=relation, aliases=aliases))


def where(relation: proto.Relation, condition: str) -> proto.Relation:
    return proto.Relation(filter=proto.Filter(input=relation, condition=_expression(condition)))


def select(relation: proto.Relation, columns: Sequence[tuple[str, str]]) -> proto.Relation:
    """*relation* with *columns* only, which are pairs of name and SQL."""
    expressions = [_expression(f"{sql} AS {quoted(name)}") for name, sql in columns]
    return proto.Relation(project=proto.Project(input=relation, expressions=expressions))


def is_in_files(files: Sequence[Path]) -> str:
    """SQL: is the row's file one of *files*?"""
    return "_metadata.file_path IN (" + ", ".join(literal("file:" + path_part(file)) for file in files) + ")"


def options_map(options: Mapping[str, str]) -> str:
    """*options* as the SQL map that `from_csv` and `from_json` take."""
    return "map(" + ", ".join(literal(text) for pair in options.items() for text in pair) + ")"


def _expression(sql: str) -> proto.Expression:
    return proto.Expression(expression_string=proto.Expression.ExpressionString(expression=sql))
