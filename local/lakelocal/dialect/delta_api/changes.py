"""DELETE, UPDATE and MERGE of Delta's API as SQL.

Conditions and values are columns of the DataFrame API. They refer to the table or the source by its alias, or by the
DataFrame that a column was taken from. In SQL, the target has its alias or its own name. For the duration of the
statement, the source becomes a temporary view with the alias that its columns are known by; `sources` handles sources
whose columns have several owners.
"""

import secrets
from collections.abc import Callable
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.column_sql import ColumnSql, attribute_parts
from lakelocal.dialect.delta_api.messages import RELATION, unpack
from lakelocal.dialect.delta_api.sources import MergeSide, Source, plan_ids, read_source
from lakelocal.dialect.delta_api.tables import table_sql
from lakelocal.errors import DialectError
from lakelocal.sql.writing import quoted

Register = Callable[[proto.CommonInlineUserDefinedFunction], str]
_TARGET = "merge_target"  # the alias if one is needed and none was given


def delete_from_table(delete: Any, register: Register) -> str:
    target = _target(delete.target, "DeltaTable.delete")
    columns = _columns("DeltaTable.delete", register, target)
    where = f" WHERE {columns.write(delete.condition)}" if delete.HasField("condition") else ""
    return f"DELETE FROM {target.sql}{where}"


def update_table(update: Any, register: Register) -> str:
    target = _target(update.target, "DeltaTable.update")
    columns = _columns("DeltaTable.update", register, target)
    where = f" WHERE {columns.write(update.condition)}" if update.HasField("condition") else ""
    return f"UPDATE {target.sql} SET {_assignments(update.assignments, columns)}{where}"


def merge_into_table(merge: Any, register: Register) -> proto.Relation:
    """The statement as a relation, which includes the source."""
    target = _target(merge.target, "DeltaTable.merge")
    view = f"merge_source_{secrets.token_hex(4)}"
    source = read_source(merge.source, target.name, carries=not _has_star(merge))
    columns = _columns("DeltaTable.merge", register, target, source)
    evolution = " WITH SCHEMA EVOLUTION" if merge.with_schema_evolution else ""
    clauses = [
        *(_clause("MATCHED", action, columns) for action in merge.matched_actions),
        *(_clause("NOT MATCHED", action, columns) for action in merge.not_matched_actions),
        *(_clause("NOT MATCHED BY SOURCE", action, columns) for action in merge.not_matched_by_source_actions),
    ]
    if not clauses:
        raise DialectError(
            "DeltaTable.merge: found no clause; expected `whenMatched...`, `whenNotMatched...` or "
            "`whenNotMatchedBySource...` before `execute()`."
        )
    condition = columns.write(merge.condition)
    using = f"{quoted(view)} AS {quoted(source.name)}"
    text = f"MERGE{evolution} INTO {target.sql} USING {using} ON {condition} {' '.join(clauses)}"
    statement = proto.Relation(sql=proto.SQL(query=text))
    reference = proto.Relation(subquery_alias=proto.SubqueryAlias(input=source.relation(), alias=view))
    return proto.Relation(with_relations=proto.WithRelations(root=statement, references=[reference]))


def _clause(kind: str, action: Any, columns: ColumnSql) -> str:
    also = f" AND {columns.write(action.condition)}" if action.HasField("condition") else ""
    return f"WHEN {kind}{also} THEN {_action(action, columns)}"


def _action(action: Any, columns: ColumnSql) -> str:
    name = action.WhichOneof("action_type")
    if name == "delete_action":
        return "DELETE"
    if name == "update_star_action":
        return "UPDATE SET *"
    if name == "insert_star_action":
        return "INSERT *"
    if name == "update_action":
        return f"UPDATE SET {_assignments(action.update_action.assignments, columns)}"
    into = [columns.write(each.field) for each in action.insert_action.assignments]
    values = [columns.write(each.value) for each in action.insert_action.assignments]
    return f"INSERT ({', '.join(into)}) VALUES ({', '.join(values)})"


def _assignments(assignments: Any, columns: ColumnSql) -> str:
    return ", ".join(f"{columns.write(each.field)} = {columns.write(each.value)}" for each in assignments)


def _has_star(merge: Any) -> bool:
    """Does *merge* set all columns of the source, whatever they are?"""
    actions = (*merge.matched_actions, *merge.not_matched_actions, *merge.not_matched_by_source_actions)
    return any((action.WhichOneof("action_type") or "").endswith("_star_action") for action in actions)


def _columns(where: str, register: Register, target: MergeSide, source: Source | None = None) -> ColumnSql:
    def column(attribute: proto.Expression.UnresolvedAttribute) -> list[str]:
        parts = attribute_parts(attribute.unparsed_identifier)
        if not attribute.HasField("plan_id"):
            return source.parts(parts, attribute) if source and source.has_owner(parts) else parts
        in_source = source is not None and attribute.plan_id in source.plan_ids
        if source and in_source and attribute.plan_id not in target.plan_ids:
            return source.parts(parts, attribute)
        return [target.name, *parts] if attribute.plan_id in target.plan_ids and not in_source else parts

    return ColumnSql(where, column, register, source.text if source else str)


def _target(relation: proto.Relation, where: str) -> MergeSide:
    """The table that *relation* scans, with the alias that it was given."""
    numbers = frozenset(plan_ids(relation))
    alias, scanned = "", relation
    while scanned.HasField("subquery_alias"):
        alias, scanned = alias or scanned.subquery_alias.alias, scanned.subquery_alias.input
    scan = unpack(scanned.extension, RELATION)
    if scan is None or scan[0] != "scan":
        raise DialectError(f"{where}: found a query as the target; expected a table from `forName` or `forPath`.")
    table = scan[1].table
    sql = table_sql(table)
    if not alias:
        alias = _TARGET if table.HasField("path") else attribute_parts(table.table_or_view_name)[-1]
        if not table.HasField("path"):  # the name of the table is the name of its columns' owner
            return MergeSide(sql, alias, numbers)
    return MergeSide(f"{sql} AS {quoted(alias)}", alias, numbers)
