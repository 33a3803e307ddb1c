"""The source of a merge, and the names that its columns have in the statement.

A source with one owner, a table or an alias, has that name in the statement. The columns of others, joins above all,
have several owners (`a.id`, `b.id`, or `df["id"]` of a DataFrame in the join), and some may have the same name. In the
view there is one owner. So each column that is named by its owner is carried by the view a second time, under a name of
its own, which the statement uses.

Where a clause sets all columns of the source, a second one could become a column of the target: there the owner is left
out, and Spark says which name is ambiguous then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect import scan
from lakelocal.dialect.column_sql import attribute_parts, dotted
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import Edit, apply

_SOURCE = "merge_source"  # where an alias is needed and none was given
# Relations that have another input or more than one: what their columns are known by is not one name.
_MANY = frozenset({"join", "as_of_join", "lateral_join", "set_op", "sql", "with_relations"})


@dataclass(frozen=True)
class Side:
    """A table: what the statement calls it, and the numbers of the plans that its columns may be taken from.

    *sql* is how the statement names it, with its alias.
    """

    sql: str
    name: str
    plans: frozenset[int]


@dataclass
class Source:
    """A source, *name* in the statement; *owners* are its other names, in lower case, *carried* its second columns."""

    input: proto.Relation
    name: str
    plans: frozenset[int]
    owners: frozenset[str]
    carries: bool
    carried: dict[bytes, str] = field(default_factory=dict)

    def has_owner(self, parts: Sequence[str]) -> bool:
        """Do *parts* name a column of the source by an owner within it?"""
        return len(parts) > 1 and parts[0].lower() in self.owners

    def parts(self, parts: Sequence[str], attribute: proto.Expression.UnresolvedAttribute) -> list[str]:
        """The name in the statement of *attribute*, a column of the source, which has *parts*."""
        if self.carries:
            number = len(self.carried)
            return [self.name, self.carried.setdefault(attribute.SerializeToString(), f"__{_SOURCE}_{number}")]
        return [self.name, *(parts[1:] if self.has_owner(parts) else parts)]

    def text(self, sql: str) -> str:
        """*sql*, an expression, with the names of the source's columns in the statement."""
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
        """The source with what it carries."""
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
    """*relation* as the source of a merge into what is called *target*; *carries*: it may have second columns."""
    alias = _alias_of(relation)
    numbers = frozenset(plans(relation))
    if alias and alias.lower() != target.lower():
        return Source(relation, alias, numbers, frozenset(), carries=False)
    owners = frozenset(name.lower() for name in _owners(relation)) - {target.lower()}
    return Source(relation, _SOURCE, numbers, owners, carries and not alias)


def plans(relation: proto.Relation) -> Iterator[int]:
    """The numbers of *relation* and of all relations in it."""
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
    """The one name that the columns of *relation* are known by, "" if it has none."""
    while True:
        if name := _own_name(relation):
            return name
        kind = relation.WhichOneof("rel_type") or ""
        inner = getattr(relation, kind, None)
        if kind in _MANY or inner is None or "input" not in inner.DESCRIPTOR.fields_by_name:
            return ""
        relation = inner.input


def _owners(relation: proto.Relation) -> Iterator[str]:
    """The names by which columns of *relation* are known, each of a part of it."""
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
