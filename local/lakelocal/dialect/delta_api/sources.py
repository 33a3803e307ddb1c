"""The source of a merge, and the names that its columns have in the statement.

A source with one owner, a table or an alias, has that name in the statement. The columns of other sources, above all
joins, have several owners (`a.id`, `b.id`, or `df["id"]` of a DataFrame in the join), and some may have the same name.
The view for the source has only one owner. Each column that is referred to by its owner is therefore added to the view
a second time, with a unique name, which the statement uses.

If a clause sets all columns of the source, such an additional column could become a column of the target. In that case
the owner is left out, and Spark reports names that are ambiguous.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect import scan
from lakelocal.dialect.column_sql import attribute_parts, dotted
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import Edit, apply

_SOURCE = "merge_source"  # the alias if one is needed and none was given
# Relations with several inputs, or without one: their columns are not known by one name.
_MANY = frozenset({"join", "as_of_join", "lateral_join", "set_op", "sql", "with_relations"})


@dataclass(frozen=True)
class MergeSide:
    """The target or the source: its *name* in the statement, and the ids of the plans that its columns may come from.

    *sql* is the table with its alias, as the statement names it.
    """

    sql: str
    name: str
    plan_ids: frozenset[int]


@dataclass
class Source:
    """A source, called *name* in the statement.

    *owners* are its other names, in lower case. *carries*: columns may be added to it; *carried* are those that are.
    """

    input: proto.Relation
    name: str
    plan_ids: frozenset[int]
    owners: frozenset[str]
    carries: bool
    carried: dict[bytes, str] = field(default_factory=dict)

    def has_owner(self, parts: Sequence[str]) -> bool:
        """Do *parts* name a column of the source by an owner inside it?"""
        return len(parts) > 1 and parts[0].lower() in self.owners

    def parts(self, parts: Sequence[str], attribute: proto.Expression.UnresolvedAttribute) -> list[str]:
        """The name that *attribute*, a column of the source with the name *parts*, has in the statement."""
        if self.carries:
            number = len(self.carried)
            return [self.name, self.carried.setdefault(attribute.SerializeToString(), f"__{_SOURCE}_{number}")]
        return [self.name, *(parts[1:] if self.has_owner(parts) else parts)]

    def text(self, sql: str) -> str:
        """The expression *sql*, with the names that the columns of the source have in the statement."""
        if not self.owners:
            return sql
        tokens = tokenize(sql) or ()
        edits = []
        for name in scan.Scanner(tokens).names():
            if self.has_owner(name.parts) and not name.called:
                attribute = proto.Expression.UnresolvedAttribute(unparsed_identifier=dotted(name.parts))
                written = dotted(self.parts(name.parts, attribute))
                edits.append(Edit(tokens[name.first].start, tokens[name.last].end, written))
        return apply(sql, edits)

    def relation(self) -> proto.Relation:
        """The source with the columns that it carries."""
        if not self.carried:
            return self.input
        project = proto.Project(input=self.input)
        project.expressions.add().unresolved_star.SetInParent()
        for attribute, name in self.carried.items():
            alias = project.expressions.add().alias
            alias.name.append(name)
            alias.expr.unresolved_attribute.ParseFromString(attribute)
        return proto.Relation(project=project)


def read_source(relation: proto.Relation, target: str, *, carries: bool) -> Source:
    """*relation* as the source of a merge into *target*; *carries*: columns may be added to it."""
    alias = _alias_of(relation)
    numbers = frozenset(plan_ids(relation))
    if alias and alias.lower() != target.lower():
        return Source(relation, alias, numbers, frozenset(), carries=False)
    owners = frozenset(name.lower() for name in _owners(relation)) - {target.lower()}
    return Source(relation, _SOURCE, numbers, owners, carries and not alias)


def plan_ids(relation: proto.Relation) -> Iterator[int]:
    """The plan ids of *relation* and of all relations in it."""
    todo: list[Any] = [relation]
    while todo:
        message = todo.pop()
        if isinstance(message, proto.Relation):
            yield message.common.plan_id
        for field_, value in message.ListFields():
            if field_.message_type is None or field_.message_type.GetOptions().map_entry:
                continue
            todo.extend(value if field_.is_repeated else [value])


def _alias_of(relation: proto.Relation) -> str:
    """The only name that the columns of *relation* are known by; "" if there is none."""
    while True:
        if name := _own_name(relation):
            return name
        kind = relation.WhichOneof("rel_type") or ""
        inner = getattr(relation, kind, None)
        if kind in _MANY or inner is None or "input" not in inner.DESCRIPTOR.fields_by_name:
            return ""
        relation = inner.input


def _owners(relation: proto.Relation) -> Iterator[str]:
    """The names by which columns of *relation* are known, each for a part of it."""
    if name := _own_name(relation):
        yield name
        return
    kind = relation.WhichOneof("rel_type") or ""
    inner = getattr(relation, kind, None)
    for each in ("input", "left", "right", "left_input"):
        if inner is not None and each in inner.DESCRIPTOR.fields_by_name and inner.HasField(each):
            yield from _owners(getattr(inner, each))


def _own_name(relation: proto.Relation) -> str:
    """The alias that *relation* gives to its columns, or the table that it reads."""
    kind = relation.WhichOneof("rel_type")
    if kind == "subquery_alias":
        return relation.subquery_alias.alias
    if kind == "read" and relation.read.HasField("named_table"):
        return (attribute_parts(relation.read.named_table.unparsed_identifier) or [""])[-1]
    return ""
