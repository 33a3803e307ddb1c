"""`SHOW CREATE TABLE` and `SHOW PARTITIONS` for Delta tables, which open-source Delta does not support.

Source: Databricks documentation, "SHOW CREATE TABLE", "SHOW PARTITIONS".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.catalogs import shown
from lakelocal.dialect import server as ask
from lakelocal.dialect.column_sql import type_sql
from lakelocal.dialect.ddl.constraints import CHECK, KEY, stored_keys
from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement, rows_as_sql
from lakelocal.errors import DialectError
from lakelocal.sql.nesting import closing
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import Edit, apply, literal, quoted

_DEFAULT, _EXPRESSION, _IDENTITY = "CURRENT_DEFAULT", "delta.generationExpression", "delta.identity."
_COMPUTED = frozenset({"identityColumns", "generatedColumns"})  # features that the columns of a query do not show


def show_table(statement: Statement) -> str | None:
    """What Spark runs instead of *statement*; None if it shows neither a Delta table nor a view.

    Raises:
        DialectError: the table has no partitions.
    """
    creates = statement.starts("SHOW CREATE TABLE")
    if not creates and not statement.starts("SHOW PARTITIONS"):
        return None
    at = 3 if creates else 2
    name = statement.name(at)
    table = _DeltaTable(statement, tuple(name))
    if creates and table.details.get("Type") == "VIEW":
        return _view(statement, name)
    if not name or table.details.get("Provider") != "delta":
        return None
    if creates:
        return rows_as_sql(["createtab_stmt"], [(table.statement_text(),)])
    return _partitions(statement, table, at + 2 * len(name) - 1)


def _view(statement: Statement, name: Sequence[str]) -> str:
    """Spark's own answer for the view *name*, with its full name."""
    text = shown(statement.run(statement.sql)[0]["createtab_stmt"], statement.names.catalogs.own)
    tokens = tokenize(text) or ()
    first = last = 2  # behind CREATE VIEW
    while tokens[last + 1].text == ".":
        last += 2
    full = join_name(statement.whole_name(name))
    return rows_as_sql(["createtab_stmt"], [(apply(text, [Edit(tokens[first].start, tokens[last].end, full)]),)])


def _partitions(statement: Statement, table: "_DeltaTable", behind: int) -> str:
    names = table.detail["partitionColumns"]
    if not names:
        raise DialectError(
            f"{statement.where}: [DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_TABLE] the table has no partitions. "
            "Query its columns instead."
        )
    columns, where = ", ".join(quoted(name) for name in names), ""
    if statement.words[behind : behind + 2] == ["PARTITION", "("]:
        end = closing(statement.tokens, behind + 1) or len(statement.tokens) - 1
        where = f" WHERE {statement.part(behind + 2, end).replace(',', ' AND ')}"
    return f"SELECT DISTINCT {columns} FROM {join_name(table.name)}{where} ORDER BY {columns}"


@dataclass(frozen=True)
class _DeltaTable:
    """The table *name*, as the server of *statement* describes it."""

    statement: Statement
    name: tuple[str, ...]

    @cached_property
    def details(self) -> dict[str, str]:
        """The details that DESCRIBE EXTENDED lists after the columns."""
        rows = self.statement.run(f"DESCRIBE TABLE EXTENDED {join_name(self.name)}")
        headings = [place for place, row in enumerate(rows) if row["col_name"].startswith("# Detailed")]
        return {row["col_name"]: row["data_type"] for row in rows[headings[-1] :]} if headings else {}

    @cached_property
    def detail(self) -> dict[str, Any]:
        found: dict[str, Any] = self.statement.run(f"DESCRIBE DETAIL {join_name(self.name)}")[0]
        return found

    @cached_property
    def properties(self) -> dict[str, str]:
        return dict(self.detail["properties"])

    def statement_text(self) -> str:
        """The statement that creates the table."""
        entries = [*self._columns(), *self._constraints()]
        lines = [f"CREATE TABLE {join_name(self.statement.whole_name(self.name))} (\n  " + ",\n  ".join(entries) + ")"]
        lines.append("USING delta")
        for words, names in (("PARTITIONED BY", "partitionColumns"), ("CLUSTER BY", "clusteringColumns")):
            if self.detail[names]:
                lines.append(f"{words} ({', '.join(map(join_name, map(_one, self.detail[names])))})")
        if comment := self.detail["description"]:
            lines.append(f"COMMENT {literal(comment)}")
        if self.details.get("Type") == "EXTERNAL":
            lines.append(f"LOCATION {literal(self.details['Location'])}")
        if kept := [*self._kept_properties()]:
            lines.append("TBLPROPERTIES (\n  " + ",\n  ".join(kept) + ")")
        return "\n".join(lines) + "\n"

    def _columns(self) -> Iterator[str]:
        columns = self.statement.columns(f"SELECT * FROM {join_name(self.name)}")
        computed = self._computed() if _COMPUTED & set(self.detail["tableFeatures"] or ()) else {}
        for column in columns:
            details = {**json.loads(column.metadata or "{}"), **computed.get(column.name, {})}
            yield _column(column, details)

    def _computed(self) -> dict[str, dict[str, Any]]:
        """The metadata of the columns from the table's log, which alone has that of computed columns."""
        log = quoted(f"{self.detail['location']}/_delta_log/*.json")
        newest = f"SELECT max_by(metaData.schemaString, _metadata.file_name) FROM json.{log} WHERE metaData IS NOT NULL"
        schema = ask.value(self.statement.server, f"({newest})")
        if schema is None:
            raise DialectError(
                f"{self.statement.where}: the log of the table no longer says which of its columns are generated. "
                "See DESCRIBE EXTENDED."
            )
        return {field["name"]: field["metadata"] for field in json.loads(schema)["fields"]}

    def _constraints(self) -> Iterator[str]:
        for name, text in stored_keys(self.properties).items():
            yield f"CONSTRAINT {quoted(name)} {text}"
        for name, condition in self.properties.items():
            if name.startswith(CHECK):
                yield f"CONSTRAINT {quoted(name.removeprefix(CHECK))} CHECK ({condition})"

    def _kept_properties(self) -> Iterator[str]:
        kept = {key: value for key, value in self.properties.items() if not key.startswith((KEY, CHECK))}
        if "allowColumnDefaults" in (self.detail["tableFeatures"] or ()):
            kept["delta.feature.allowColumnDefaults"] = "supported"
        return (f"{literal(key)} = {literal(value)}" for key, value in sorted(kept.items()))


def _one(name: str) -> list[str]:
    return [name]


def _column(column: proto.DataType.StructField, details: Mapping[str, Any]) -> str:
    parts = [join_name([column.name]), type_sql(column.data_type)]
    if not column.nullable:
        parts.append("NOT NULL")
    if expression := details.get(_EXPRESSION):
        parts.append(f"GENERATED ALWAYS AS ({expression})")
    if (start := details.get(f"{_IDENTITY}start")) is not None:
        kind = "BY DEFAULT" if details.get(f"{_IDENTITY}allowExplicitInsert") else "ALWAYS"
        step = details.get(f"{_IDENTITY}step")
        parts.append(f"GENERATED {kind} AS IDENTITY (START WITH {start} INCREMENT BY {step})")
    if default := details.get(_DEFAULT):
        parts.append(f"DEFAULT {default}")
    if comment := details.get("comment"):
        parts.append(f"COMMENT {literal(comment)}")
    return " ".join(parts)
