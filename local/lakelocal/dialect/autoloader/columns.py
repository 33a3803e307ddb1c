"""The columns of a schema: names and Spark's types, from DDL or from the JSON that clients send."""

import json
from dataclasses import dataclass

from pyspark.sql.types import StructField, StructType

from lakelocal.errors import DialectError
from lakelocal.sql.tokens import Token, tokenize
from lakelocal.sql.writing import quoted


@dataclass(frozen=True)
class Column:
    """*type* is Spark DDL, such as `STRING` or `struct<a:int>`."""

    name: str
    type: str

    @property
    def is_text(self) -> bool:
        return self.type.upper() == "STRING"

    @property
    def ddl(self) -> str:
        return f"{quoted(self.name)} {self.type}"


def parse_columns(schema: str) -> tuple[Column, ...]:
    """The columns of *schema*: JSON of a StructType, or DDL such as `a INT, b STRING COMMENT 'x'`.

    Raises:
        DialectError: it is neither.
    """
    if schema.lstrip().startswith("{"):
        return tuple(Column(field.name, _ddl(field)) for field in StructType.fromJson(json.loads(schema)).fields)
    tokens = tokenize(schema)
    if not tokens:
        raise DialectError(f"cloudFiles, schema: found `{schema}`; expected columns such as `a INT, b STRING`.")
    return tuple(_column(schema, part) for part in _split(tokens))


def _ddl(field: StructField) -> str:
    kind = field.dataType
    if isinstance(kind, StructType):
        return "struct<" + ",".join(f"{quoted(inner.name)}:{_ddl(inner)}" for inner in kind.fields) + ">"
    return kind.simpleString()


def _split(tokens: tuple[Token, ...]) -> list[list[Token]]:
    """The tokens between the commas that stand outside of brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "symbol":
            depth += sum(token.text.count(c) for c in "(<") - sum(token.text.count(c) for c in ")>")
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _column(schema: str, tokens: list[Token]) -> Column:
    typed = tokens[2:] if len(tokens) > 2 and tokens[1].text == ":" else tokens[1:]
    depth, kept = 0, []
    for token in typed:
        if token.kind == "symbol":
            depth += sum(token.text.count(c) for c in "(<") - sum(token.text.count(c) for c in ")>")
        if depth == 0 and token.word in ("COMMENT", "NOT"):
            break
        kept.append(token)
    if not kept or not tokens[0].is_name:
        raise DialectError(f"cloudFiles, schema: found `{schema}`; expected columns such as `a INT, b STRING`.")
    return Column(tokens[0].text, schema[kept[0].start : kept[-1].end])
