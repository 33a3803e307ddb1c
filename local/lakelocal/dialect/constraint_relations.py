"""The relations of `information_schema` about constraints, made from the keys of tables.

As in the SQL standard, a foreign key uses the columns of its parent, and any other key those of its own table.

Source: Databricks documentation, "TABLE_CONSTRAINTS", "KEY_COLUMN_USAGE", "CONSTRAINT_COLUMN_USAGE",
"CONSTRAINT_TABLE_USAGE", "REFERENTIAL_CONSTRAINTS".
"""

from collections.abc import Callable, Iterable, Iterator

from lakelocal.dialect.ddl.constraints import Key
from lakelocal.dialect.information_schema import Relation, Row

# The keys of a table, by its catalog, schema and name.
KeysOf = Callable[[tuple[str, ...]], Iterable[Key]]


def constraint_rows(relations: Iterable[Relation]) -> Iterator[Row]:
    for each in relations:
        for key in each.keys:
            yield {**each.names, **_constraint(each, key.name), "constraint_type": key.kind}
        for name in each.checks:
            yield {**each.names, **_constraint(each, name), "constraint_type": "CHECK", "enforced": "YES"}


def key_column_rows(relations: Iterable[Relation], keys_of: KeysOf) -> Iterator[Row]:
    for each, key in _keys(relations):
        found = _referred_key(key, keys_of)
        parents = [name.lower() for name in found.columns] if found else []
        for place, column in enumerate(key.columns):
            referred = key.referred[place].lower() if place < len(key.referred) else ""
            yield {
                **each.names,
                **_constraint(each, key.name),
                "column_name": column,
                "ordinal_position": place + 1,
                "position_in_unique_constraint": parents.index(referred) + 1 if referred in parents else None,
            }


def column_usage_rows(relations: Iterable[Relation]) -> Iterator[Row]:
    for each, key in _keys(relations):
        for column in key.referred if key.parent else key.columns:
            yield {**_used(each, key), **_constraint(each, key.name), "column_name": column}


def table_usage_rows(relations: Iterable[Relation]) -> Iterator[Row]:
    for each, key in _keys(relations):
        yield {**_used(each, key), **_constraint(each, key.name)}


def referential_rows(relations: Iterable[Relation], keys_of: KeysOf) -> Iterator[Row]:
    for each, key in _keys(relations):
        if key.parent:
            found = _referred_key(key, keys_of)
            catalog, schema, _ = key.parent
            yield {
                **_constraint(each, key.name),
                "unique_constraint_catalog": catalog,
                "unique_constraint_schema": schema,
                "unique_constraint_name": found.name if found else None,
            }


def _keys(relations: Iterable[Relation]) -> Iterator[tuple[Relation, Key]]:
    return ((each, key) for each in relations for key in each.keys)


def _constraint(table: Relation, name: str) -> Row:
    return {"constraint_catalog": table.catalog, "constraint_schema": table.schema, "constraint_name": name}


def _used(table: Relation, key: Key) -> Row:
    """The names of the table whose columns *key* of *table* uses."""
    if not key.parent:
        return table.names
    return dict(zip(("table_catalog", "table_schema", "table_name"), key.parent, strict=True))


def _referred_key(key: Key, keys_of: KeysOf) -> Key | None:
    """The key that *key* refers to; None if it is not a foreign key, or if its parent no longer exists."""
    if not key.parent:
        return None
    wanted = {name.lower() for name in key.referred}
    return next((each for each in keys_of(key.parent) if {name.lower() for name in each.columns} == wanted), None)
