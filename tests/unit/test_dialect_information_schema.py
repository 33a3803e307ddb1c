"""The relations of `information_schema` from what the server says of tables and columns."""

from datetime import UTC, datetime

import pytest

from lakelocal.dialect.constraint_relations import (
    column_usage_rows,
    constraint_rows,
    key_column_rows,
    referential_rows,
    table_usage_rows,
)
from lakelocal.dialect.ddl.constraints import Key, read_key
from lakelocal.dialect.information_schema import (
    RELATIONS,
    Relation,
    column_rows,
    table_of,
    table_rows,
    view_rows,
)

TABLE = """Catalog: dev
Database: a
Table: t
Owner: ana
Created Time: Sun Nov 29 14:18:20 UTC 2026
Created By: Spark
Type: MANAGED
Provider: delta
Comment: all: of it
Location: file:/w/a.db/t
Schema: root
 |-- x: long (nullable = true)
"""
VIEW = """Catalog: dev
Owner: ana
Created Time: Sun Nov 29 14:18:20 UTC 2026
Type: VIEW
View Text: SELECT x -- Type: MANAGED
FROM a.t
View Original Text: SELECT x
FROM a.t
View Schema Mode: COMPENSATION
"""


def test_a_table():
    """What Databricks documents as a constant is one, and what is not known is NULL."""
    (row,) = table_of("tables", table_rows([Relation("dev", "a", "t", TABLE)])).to_pylist()

    made = datetime(2026, 11, 29, 14, 18, 20, tzinfo=UTC)
    assert row == {
        "table_catalog": "dev", "table_schema": "a", "table_name": "t", "table_type": "MANAGED",
        "is_insertable_into": "YES", "commit_action": "PRESERVE", "table_owner": "ana", "comment": "all: of it",
        "created": made, "created_by": "ana", "last_altered": made, "last_altered_by": "ana",
        "data_source_format": "DELTA", "storage_sub_directory": None, "storage_path": "file:/w/a.db/t",
    }  # fmt: skip


def test_a_view():
    """Its text is whole, over several lines, whatever words are in it."""
    view = Relation("dev", "a", "v", VIEW)

    (row,) = table_of("views", view_rows([view, Relation("dev", "a", "t", TABLE)])).to_pylist()
    (told,) = table_rows([view])

    assert (row["table_name"], row["view_definition"]) == ("v", "SELECT x -- Type: MANAGED\nFROM a.t")
    assert (row["check_option"], row["is_updatable"], row["sql_path"]) == ("NONE", "NO", None)
    assert (told["table_type"], told["is_insertable_into"], told["storage_path"]) == ("VIEW", "NO", None)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("bigint", ("LONG", "bigint", 64, 2, 0, None)),
        ("int", ("INT", "int", 32, 2, 0, None)),
        ("double", ("DOUBLE", "double", 64, 2, None, None)),
        ("decimal(18,2)", ("DECIMAL", "decimal(18,2)", 18, 10, 2, None)),
        ("string", ("STRING", "string", None, None, None, None)),
        ("date", ("DATE", "date", None, None, None, 0)),
        ("timestamp", ("TIMESTAMP", "timestamp", None, None, None, 3)),
        ("array<decimal(4,1)>", ("ARRAY", "array<decimal(4,1)>", None, None, None, None)),
        ("struct<a:int>", ("STRUCT", "struct<a:int>", None, None, None, None)),
        ("varchar(10)", ("VARCHAR", "varchar(10)", None, None, None, None)),
    ],
)
def test_the_type_of_a_column(written, expected):
    """Unity Catalog's name of it, the type as it is written, bits or digits."""
    column = {"name": "x", "description": None, "dataType": written, "nullable": True, "isPartition": False}

    (row,) = table_of("columns", column_rows([Relation("dev", "a", "t", columns=(column,))])).to_pylist()

    names = ("data_type", "full_data_type", "numeric_precision", "numeric_precision_radix", "numeric_scale")
    assert tuple(row[name] for name in (*names, "datetime_precision")) == expected


def test_the_place_of_a_column():
    """Among all, and among those of the partitioning."""
    columns = tuple(
        {
            "name": name,
            "description": name.upper(),
            "dataType": "int",
            "nullable": name != "a",
            "isPartition": name in "bc",
        }
        for name in "abc"
    )

    rows = table_of("columns", column_rows([Relation("dev", "a", "t", columns=columns)])).to_pylist()

    assert [(row["column_name"], row["ordinal_position"], row["partition_ordinal_position"]) for row in rows] == [
        ("a", 1, None), ("b", 2, 1), ("c", 3, 2),
    ]  # fmt: skip
    assert [(row["is_nullable"], row["comment"], row["is_identity"]) for row in rows] == [
        ("NO", "A", "NO"), ("YES", "B", "NO"), ("YES", "C", "NO"),
    ]  # fmt: skip


CHILD = Relation(
    "dev", "a", "t", checks=("positive",),
    keys=(
        read_key("t_pk", "PRIMARY KEY (`x`, `y`)"),
        read_key("t_fk", "FOREIGN KEY (`p`, `q`) REFERENCES lake.b.u (`B`, `a`) RELY"),
        read_key("t_u", "UNIQUE (`z`)"),
    ),
)  # fmt: skip
PARENT = (read_key("u_pk", "PRIMARY KEY (`k`)"), read_key("u_unique", "UNIQUE (`a`, `b`)"))


def keys_of(table: tuple[str, ...]) -> tuple[Key, ...]:
    assert table == ("lake", "b", "u")
    return PARENT


def test_constraints():
    """Keys, which are information, and CHECK, which is enforced."""
    rows = table_of("table_constraints", constraint_rows([CHILD])).to_pylist()

    assert [(row["constraint_name"], row["constraint_type"], row["enforced"]) for row in rows] == [
        ("t_pk", "PRIMARY KEY", "NO"), ("t_fk", "FOREIGN KEY", "NO"), ("t_u", "UNIQUE", "NO"),
        ("positive", "CHECK", "YES"),
    ]  # fmt: skip
    assert {(row["constraint_catalog"], row["constraint_schema"], row["table_name"]) for row in rows} == {
        ("dev", "a", "t")
    }


def test_the_columns_of_keys():
    """In the order of the key; of a foreign key the place of the parent's column too."""
    rows = table_of("key_column_usage", key_column_rows([CHILD], keys_of)).to_pylist()

    names = ("constraint_name", "column_name", "ordinal_position", "position_in_unique_constraint")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("t_pk", "x", 1, None), ("t_pk", "y", 2, None), ("t_fk", "p", 1, 2), ("t_fk", "q", 2, 1), ("t_u", "z", 1, None),
    ]  # fmt: skip


def test_what_keys_use():
    """A foreign key uses its parent, as in the SQL standard."""
    columns = table_of("constraint_column_usage", column_usage_rows([CHILD])).to_pylist()
    tables = table_of("constraint_table_usage", table_usage_rows([CHILD])).to_pylist()

    names = ("constraint_name", "constraint_catalog", "table_catalog", "table_schema", "table_name")
    assert [(*(row[name] for name in names), row["column_name"]) for row in columns] == [
        ("t_pk", "dev", "dev", "a", "t", "x"), ("t_pk", "dev", "dev", "a", "t", "y"),
        ("t_fk", "dev", "lake", "b", "u", "B"), ("t_fk", "dev", "lake", "b", "u", "a"),
        ("t_u", "dev", "dev", "a", "t", "z"),
    ]  # fmt: skip
    assert [tuple(row[name] for name in names) for row in tables] == [
        ("t_pk", "dev", "dev", "a", "t"), ("t_fk", "dev", "lake", "b", "u"), ("t_u", "dev", "dev", "a", "t"),
    ]  # fmt: skip


def test_a_foreign_key_refers_to_a_key_of_its_parent():
    """That of the same columns; NULL where the parent is gone."""
    (row,) = table_of("referential_constraints", referential_rows([CHILD], keys_of)).to_pylist()
    (gone,) = table_of("referential_constraints", referential_rows([CHILD], lambda _: ())).to_pylist()

    assert row == {
        "constraint_catalog": "dev", "constraint_schema": "a", "constraint_name": "t_fk",
        "unique_constraint_catalog": "lake", "unique_constraint_schema": "b", "unique_constraint_name": "u_unique",
        "match_option": "FULL", "update_rule": "NO ACTION", "delete_rule": "NO ACTION",
    }  # fmt: skip
    assert gone["unique_constraint_name"] is None


def test_a_default():
    """As it is written."""
    columns = tuple(
        {"name": name, "description": None, "dataType": "int", "nullable": True, "isPartition": False} for name in "ab"
    )
    relation = Relation("dev", "a", "t", columns=columns, defaults={"b": "1 + 2"})

    rows = table_of("columns", column_rows([relation])).to_pylist()

    assert [row["column_default"] for row in rows] == [None, "1 + 2"]


def test_a_relation_without_rows_has_its_columns():
    """A query of an empty catalog is no error."""
    for name, columns in RELATIONS.items():
        assert table_of(name, []).schema.names == list(columns)
