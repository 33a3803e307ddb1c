"""DELETE, UPDATE and MERGE of Delta's API as SQL.

Conditions and values are columns of the DataFrame API, and so is what they name: a table or a source by its alias, or
by the DataFrame that a column was taken from. In SQL the target has its alias or its own name. The source becomes a
temporary view for the time of the statement, under the alias that its columns are known by.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.column_sql import ColumnSql, attribute_parts
from lakelocal.dialect.delta_api.messages import RELATION, opened
from lakelocal.dialect.delta_api.tables import table_sql
from lakelocal.errors import DialectError
from lakelocal.sql.writing import quoted

Register = Callable[[proto.CommonInlineUserDefinedFunction], str]
_SOURCE, _TARGET = "merge_source", "merge_target"  # where an alias is needed and none was given


@dataclass(frozen=True)
class Side:
    """A table or source: what the statement calls it, and the numbers of the plans that its columns may be taken from.

    *sql* is how the statement names it, with its alias.
    """

    sql: str
    name: str
    plans: frozenset[int]


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
    """The statement, with the source beside it."""
    target = _target(merge.target, "DeltaTable.merge")
    view = f"{_SOURCE}_{secrets.token_hex(4)}"
    alias = _alias_of(merge.source)
    if not alias or alias.lower() == target.name.lower():
        alias = _SOURCE
    source = Side(f"{quoted(view)} AS {quoted(alias)}", alias, frozenset(_plans(merge.source)))
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
    text = f"MERGE{evolution} INTO {target.sql} USING {source.sql} ON {condition} {' '.join(clauses)}"
    statement = proto.Relation(sql=proto.SQL(query=text))
    reference = proto.Relation(subquery_alias=proto.SubqueryAlias(input=merge.source, alias=view))
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


def _columns(where: str, register: Register, *sides: Side) -> ColumnSql:
    def qualifier(plan: int) -> str:
        owners = [side.name for side in sides if plan in side.plans]
        return owners[0] if len(owners) == 1 else ""

    return ColumnSql(where, qualifier, register)


def _target(relation: proto.Relation, where: str) -> Side:
    """The table that *relation* scans, under the alias that it was given."""
    plans = frozenset(_plans(relation))
    alias, scanned = "", relation
    while scanned.HasField("subquery_alias"):
        alias, scanned = alias or scanned.subquery_alias.alias, scanned.subquery_alias.input
    scan = opened(scanned.extension, RELATION)
    if scan is None or scan[0] != "scan":
        raise DialectError(f"{where}: found a query as its target; expected a table, by `forName` or `forPath`.")
    table = scan[1].table
    sql = table_sql(table)
    if not alias:
        alias = _TARGET if table.HasField("path") else attribute_parts(table.table_or_view_name)[-1]
        if not table.HasField("path"):  # the name of the table is the name of its columns' owner
            return Side(sql, alias, plans)
    return Side(f"{sql} AS {quoted(alias)}", alias, plans)


# Relations that have another input or more than one: what their columns are known by is not one name.
_MANY = frozenset({"join", "as_of_join", "lateral_join", "set_op", "sql", "with_relations"})


def _alias_of(relation: proto.Relation) -> str:
    """The one name that the columns of *relation* are known by, "" if it has none."""
    while True:
        kind = relation.WhichOneof("rel_type") or ""
        if kind == "subquery_alias":
            return relation.subquery_alias.alias
        if kind == "read" and relation.read.HasField("named_table"):
            return (attribute_parts(relation.read.named_table.unparsed_identifier) or [""])[-1]
        inner = getattr(relation, kind, None)
        if kind in _MANY or inner is None or "input" not in inner.DESCRIPTOR.fields_by_name:
            return ""
        relation = inner.input


def _plans(relation: proto.Relation) -> Iterator[int]:
    """The numbers of *relation* and of all relations in it."""
    todo: list[Any] = [relation]
    while todo:
        message = todo.pop()
        if isinstance(message, proto.Relation):
            yield message.common.plan_id
        for field, value in message.ListFields():
            if field.message_type is None or field.message_type.GetOptions().map_entry:
                continue
            todo.extend(value if field.is_repeated else [value])
