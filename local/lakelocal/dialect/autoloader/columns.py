"""The columns of a schema: names and Spark's types, from DDL or from the JSON that clients send."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql.types import StructType

from lakelocal.dialect.autoloader.types import Field, Struct, Type, from_spark, parse_type
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import Token, tokenize
from lakelocal.sql.writing import quoted


@dataclass(frozen=True)
class Column:
    """A column; *type* is Spark DDL, such as `STRING` or `struct<a:int>`."""

    name: str
    type: str

    @property
    def is_text(self) -> bool:
        return self.type.upper() == "STRING"

    @property
    def ddl(self) -> str:
        return f"{quoted(self.name)} {self.type}"

    @cached_property
    def kind(self) -> Type:
        return parse_type(self.type)


def as_struct(columns: Sequence[Column]) -> Struct:
    """*columns* as the type of a row."""
    return Struct(tuple(Field(column.name, column.kind) for column in columns))


def as_columns(row: Struct) -> tuple[Column, ...]:
    """The columns of rows of type *row*."""
    return tuple(Column(field.name, field.type.ddl) for field in row.fields)


def parse_columns(schema: str) -> tuple[Column, ...]:
    """The columns of *schema*: JSON of a StructType, or DDL such as `a INT, b STRING COMMENT 'x'` or `STRUCT<a: INT>`.

    Raises:
        DialectError: *schema* is neither.
    """
    if schema.lstrip().startswith("{"):
        fields = StructType.fromJson(json.loads(schema)).fields
        return tuple(Column(field.name, from_spark(field.dataType).ddl) for field in fields)
    if re.match(r"\s*struct\s*<", schema, re.IGNORECASE):
        row = parse_type(schema)
        if isinstance(row, Struct):
            return as_columns(row)
    return tuple(_column(schema, part) for part in split(schema))


def split(schema: str) -> list[list[Token]]:
    """The tokens of *schema*, split at the commas outside of brackets.

    Raises:
        DialectError: there are none.
    """
    tokens = tokenize(schema)
    if not tokens:
        raise malformed_schema(schema)
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _depth(token)
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def type_of(schema: str, tokens: Sequence[Token]) -> str:
    """The type at the beginning of *tokens* of *schema*, as it is written; a comment or NOT NULL may follow.

    Raises:
        DialectError: there is none.
    """
    typed = tokens[1:] if len(tokens) > 1 and tokens[0].text == ":" else tokens
    depth, kept = 0, []
    for token in typed:
        depth += _depth(token)
        if depth == 0 and token.word in ("COMMENT", "NOT"):
            break
        kept.append(token)
    if not kept:
        raise malformed_schema(schema)
    return schema[kept[0].start : kept[-1].end]


def malformed_schema(schema: str) -> DialectError:
    return DialectError(f"cloudFiles, schema: found `{schema}`; expected columns such as `a INT, b STRING`.")


def _depth(token: Token) -> int:
    if token.kind != "symbol":
        return 0
    return sum(token.text.count(c) for c in "(<") - sum(token.text.count(c) for c in ")>")


def _column(schema: str, tokens: list[Token]) -> Column:
    if not tokens or not tokens[0].is_name:
        raise malformed_schema(schema)
    return Column(tokens[0].text, type_of(schema, tokens[1:]))
