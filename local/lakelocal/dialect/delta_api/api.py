"""Translates each message of Delta's API into what is sent to Spark instead."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pyspark.sql.connect.proto as proto
from google.protobuf.any_pb2 import Any as Packed

from lakelocal.dialect.column_sql import attribute_parts, type_sql
from lakelocal.dialect.delta_api import builder, changes, tables
from lakelocal.dialect.delta_api.messages import COMMAND, RELATION, unpack
from lakelocal.errors import DialectError
from lakelocal.sql.writing import literal, quoted

_COMMANDS: dict[str, Callable[[Any], str]] = {
    "clone_table": tables.clone_table,
    "vacuum_table": tables.vacuum_table,
    "upgrade_table_protocol": tables.upgrade_table_protocol,
    "generate": tables.generate,
    "create_delta_table": builder.create_table,
    "add_feature_support": tables.add_feature_support,
    "drop_feature_support": tables.drop_feature_support,
}


@dataclass(frozen=True)
class DeltaApi:
    """The messages of one request.

    Args:
        full_name: Returns the full name of a table of the session, from its parts.
        place_of: Returns the path on this machine for a path of the user.
        register: Registers a Python function with the session, and returns its name.
    """

    full_name: Callable[[list[str]], str]
    place_of: Callable[[str], str]
    register: changes.Register

    def command(self, packed: Packed) -> str | None:
        """The statement for the command *packed*; None if it is not one of Delta's.

        Raises:
            DialectError: it has no counterpart here.
        """
        found = unpack(packed, COMMAND)
        if found is None:
            return None
        name, message = found
        if name not in _COMMANDS:
            raise _unknown(name)
        return _COMMANDS[name](message)

    def relation(self, packed: Packed) -> proto.Relation | None:
        """The Spark relation for the relation *packed*; None if it is not one of Delta's.

        Raises:
            DialectError: it has no counterpart here.
        """
        found = unpack(packed, RELATION)
        if found is None:
            return None
        name, message = found
        writer: Callable[[Any], proto.Relation] | None = getattr(self, f"_{name}", None)
        if writer is None:
            raise _unknown(name)
        return writer(message)

    def _scan(self, scan: Any) -> proto.Relation:
        read = proto.Read(named_table=proto.Read.NamedTable(unparsed_identifier=tables.table_sql(scan.table)))
        return proto.Relation(read=read)

    def _describe_history(self, history: Any) -> proto.Relation:
        return _sql(f"DESCRIBE HISTORY {tables.table_sql(history.table)}")

    def _describe_detail(self, detail: Any) -> proto.Relation:
        asked = _sql(f"DESCRIBE DETAIL {tables.table_sql(detail.table)}")
        if detail.table.HasField("path"):
            return asked
        shown = literal(self.full_name(attribute_parts(detail.table.table_or_view_name)))
        text = proto.Expression.ExpressionString(expression=f"IF(name IS NULL, NULL, {shown})")
        alias = proto.Expression.Alias(expr=proto.Expression(expression_string=text), name=["name"])
        return proto.Relation(with_columns=proto.WithColumns(input=asked, aliases=[alias]))

    def _restore_table(self, restore: Any) -> proto.Relation:
        return _sql(tables.restore_table(restore))

    def _optimize_table(self, optimize: Any) -> proto.Relation:
        return _sql(tables.optimize_table(optimize))

    def _delete_from_table(self, delete: Any) -> proto.Relation:
        return _sql(changes.delete_from_table(delete, self.register))

    def _update_table(self, update: Any) -> proto.Relation:
        return _sql(changes.update_table(update, self.register))

    def _merge_into_table(self, merge: Any) -> proto.Relation:
        return changes.merge_into_table(merge, self.register)

    def _convert_to_delta(self, convert: Any) -> proto.Relation:
        """The statement, and the name of the new Delta table, which the client expects as the result."""
        partitions = convert.partition_schema_string
        if convert.HasField("partition_schema_struct"):
            fields = convert.partition_schema_struct.struct.fields
            partitions = ", ".join(f"{quoted(field.name)} {type_sql(field.data_type)}" for field in fields)
        done = _sql(tables.convert_to_delta(convert, partitions))
        form, dot, path = convert.identifier.partition(".")
        named = f"delta.{path}" if dot and form.lower() == "parquet" and path.startswith("`") else convert.identifier
        reference = proto.Relation(subquery_alias=proto.SubqueryAlias(input=done, alias="converted_to_delta"))
        answer = _sql(f"SELECT {literal(named)} AS value")
        return proto.Relation(with_relations=proto.WithRelations(root=answer, references=[reference]))

    def _is_delta_table(self, asked: Any) -> proto.Relation:
        """Look into the file system of this process, which has the volumes, since SQL cannot answer this."""
        place = urlparse(self.place_of(asked.path))
        if place.scheme not in ("", "file"):
            raise DialectError(
                f"DeltaTable.isDeltaTable: found `{asked.path}`; expected a folder on this machine or in a volume. Try "
                f"``spark.sql('DESCRIBE DETAIL delta.`{asked.path}`')`` instead, which fails without a Delta table."
            )
        folder = Path(unquote(place.path))
        roots = (each / "_delta_log" for each in (folder, *folder.parents))
        log = next((each for each in roots if each.is_dir()), None)
        found = log is not None and any(log.glob("*.json"))
        return _sql(f"SELECT {str(found).lower()} AS value")


def _sql(query: str) -> proto.Relation:
    return proto.Relation(sql=proto.SQL(query=query))


def _unknown(name: str) -> DialectError:
    return DialectError(
        f"DeltaTable: found the request `{name.replace('_', ' ')}`, which is not supported here. Write it in SQL."
    )
