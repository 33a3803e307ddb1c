"""The relations of `information_schema` from what the server says of tables and columns."""

from datetime import UTC, datetime

import pytest

from lakelocal.dialect.information_schema import (
    RELATIONS,
    Relation,
    column_rows,
    constraint_rows,
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


def test_constraints():
    """Keys, which are information, and CHECK."""
    keys = {"t_pk": "PRIMARY KEY (`x`)", "t_fk": "FOREIGN KEY (`y`) REFERENCES u", "positive": "x > 0"}

    rows = table_of("table_constraints", constraint_rows([Relation("dev", "a", "t", keys=keys)])).to_pylist()

    assert [(row["constraint_name"], row["constraint_type"], row["enforced"]) for row in rows] == [
        ("t_pk", "PRIMARY KEY", "NO"), ("t_fk", "FOREIGN KEY", "NO"), ("positive", "CHECK", "NO"),
    ]  # fmt: skip


def test_a_relation_without_rows_has_its_columns():
    """A query of an empty catalog is no error."""
    for name, columns in RELATIONS.items():
        assert table_of(name, []).schema.names == list(columns)
