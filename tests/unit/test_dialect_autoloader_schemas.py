"""Schemas of Auto Loader: types of JSON, merged and evolved field by field; hints; columns in folders."""

from pathlib import Path

import pytest

from lakelocal.dialect.autoloader.columns import Column, as_columns, as_struct, parse_columns
from lakelocal.dialect.autoloader.hints import parse_hints, with_hints
from lakelocal.dialect.autoloader.inference import evolved, infer_columns
from lakelocal.dialect.autoloader.json_records import row_type
from lakelocal.dialect.autoloader.options import read_source
from lakelocal.dialect.autoloader.partitions import infer_partitions, partition_values
from lakelocal.dialect.autoloader.types import (
    evolve,
    merge,
    parse_type,
    sorted_fields,
    type_conflicts,
    with_known_types,
)
from lakelocal.errors import DialectError


def source(folder: Path, file_format: str = "json", **options: str):
    named = {
        "cloudFiles.format": file_format,
        "cloudFiles.inferColumnTypes": "true",
        "cloudFiles.schemaLocation": str(folder / "_schemas"),
        **{key.replace("__", "."): value for key, value in options.items()},
    }
    return read_source(named, paths=[str(folder)], schema="", translate=lambda path: path)


def inferred(folder: Path, text: str, **options: str) -> dict[str, str]:
    (folder / "a.json").write_text(text, "utf-8")
    return {c.name: c.type for c in infer_columns(source(folder, **options), [folder / "a.json"])}


@pytest.mark.parametrize(
    "ddl",
    [
        "STRING",
        "DECIMAL(12, 2)",
        "ARRAY<STRUCT<`a b`: INT, `c`: MAP<STRING,ARRAY<INT>>>>",
        "INTERVAL DAY TO SECOND",
        "TIMESTAMP WITHOUT TIME ZONE",
        "STRUCT<>",
    ],
)
def test_types_are_read_and_written(ddl):
    """A schema is written back as it was."""
    assert parse_type(ddl).ddl == ddl


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("struct<a:int,b string comment 'x, >'>", "STRUCT<`a`: int, `b`: string>"),
        ("array < struct < `x``y` : int not null > >", "ARRAY<STRUCT<`x``y`: int>>"),
        ("map<string, array<double>>", "MAP<string,ARRAY<double>>"),
    ],
)
def test_types_as_people_write_them(written, meant):
    """Any case, with and without colons, comments and spaces."""
    assert parse_type(written).ddl == meant


@pytest.mark.parametrize("ddl", ["STRUCT<a: INT", "ARRAY<INT>>", "MAP<STRING>", "", "STRUCT<a>"])
def test_a_type_that_is_none_is_named(ddl):
    """Spark would refer to a statement that the user did not write."""
    with pytest.raises(DialectError, match="expected a type such as"):
        parse_type(ddl)


# Source: Spark, "JSON Files", and the documented rules of its inference.
MERGED = [
    ("BIGINT", "DOUBLE", "DOUBLE"),
    ("BIGINT", "VOID", "BIGINT"),
    ("BIGINT", "STRING", "STRING"),
    ("BOOLEAN", "BIGINT", "STRING"),
    ("BIGINT", "DECIMAL(21,0)", "DECIMAL(21,0)"),
    ("DECIMAL(5,2)", "DECIMAL(4,3)", "DECIMAL(6,3)"),
    ("DECIMAL(38,0)", "DECIMAL(4,3)", "DOUBLE"),
    ("DECIMAL(5,2)", "DOUBLE", "DOUBLE"),
    ("STRUCT<a: BIGINT>", "STRUCT<A: DOUBLE, b: STRING>", "STRUCT<`a`: DOUBLE, `b`: STRING>"),
    ("ARRAY<STRUCT<a: BIGINT>>", "ARRAY<STRUCT<b: BIGINT>>", "ARRAY<STRUCT<`a`: BIGINT, `b`: BIGINT>>"),
    ("ARRAY<VOID>", "ARRAY<BIGINT>", "ARRAY<BIGINT>"),
    ("STRUCT<a: BIGINT>", "STRING", "STRING"),
    ("STRUCT<a: BIGINT>", "ARRAY<BIGINT>", "STRING"),
    ("STRUCT<a: STRUCT<b: VOID>>", "STRUCT<a: VOID>", "STRUCT<`a`: STRUCT<`b`: VOID>>"),
]


@pytest.mark.parametrize(("first", "second", "both"), MERGED)
def test_types_merge(first, second, both):
    """In either order, except for the order of fields."""
    assert merge(parse_type(first), parse_type(second)).ddl == both
    assert sorted_fields(merge(parse_type(second), parse_type(first))).ddl.lower() == both.lower()


def test_what_is_not_known_is_text_and_what_is_empty_is_nothing():
    """A NULL alone is a STRING; a struct without fields has no column."""
    kind = parse_type("STRUCT<a: VOID, b: ARRAY<VOID>, c: STRUCT<>, d: ARRAY<STRUCT<>>, e: STRUCT<f: STRUCT<>>>")

    assert with_known_types(kind) == parse_type("STRUCT<a: STRING, b: ARRAY<STRING>>")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ('{"a": 1, "b": 1.0, "c": "1", "d": true, "e": null}', "a BIGINT,b DOUBLE,c STRING,d BOOLEAN,e STRING"),
        ('{"a": "1990-01-31", "b": "2024-01-01T00:00:00Z"}', "a STRING,b STRING"),
        ('{"a": 9223372036854775808, "b": 1e400, "c": 1e3}', "a DECIMAL(19,0),b DOUBLE,c DOUBLE"),
        ('{"z": 1, "a": 1}', "a BIGINT,z BIGINT"),
        ("{'a': 'it\\'s', \"b\": 'x\"y'}", "a STRING,b STRING"),
        ('[{"a": 1}, {"b": 2}]', "a BIGINT,b BIGINT"),
        ('{"a": 1}\n{broken\n5\n{"b": NaN}', "a BIGINT,b DOUBLE"),
        ('{"": 1, "a": {"": 1, "b": 2}}', "a STRUCT<`b`: BIGINT>"),
        ('{"a": [], "b": [{}], "c": {}}', "a ARRAY<STRING>"),
        ('\ufeff{"a": 1}', "a BIGINT"),
        ('{"id": 1}\n{"ID": 1.5}', "id DOUBLE"),
    ],
)
def test_types_of_json(tmp_path, record, expected):
    """JSON itself says what is a number and what is a string."""
    assert ",".join(f"{name} {kind}" for name, kind in inferred(tmp_path, record).items()) == expected


@pytest.mark.parametrize(
    ("option", "record", "expected"),
    [
        ("prefersDecimal", '{"a": 1.25, "b": "1.5"}', {"a": "DECIMAL(3,2)", "b": "DECIMAL(2,1)"}),
        ("inferTimestamp", '{"a": "2024-01-01T10:00:00", "b": "2024-01-01"}', {"a": "TIMESTAMP", "b": "STRING"}),
        ("primitivesAsString", '{"a": 1, "b": [true]}', {"a": "STRING", "b": "ARRAY<STRING>"}),
    ],
)
def test_options_of_the_inference(tmp_path, option, record, expected):
    """They change the inferred types of JSON."""
    assert inferred(tmp_path, record, **{option: "true"}) == expected


def test_without_types_all_is_text_but_what_is_hinted_at(tmp_path):
    """A hint inside a column needs the column's structure."""
    text = '{"a": {"b": 1, "c": 2}, "d": {"e": 1}}'
    off = {"cloudFiles__inferColumnTypes": "false"}

    assert inferred(tmp_path, text, **off) == {"a": "STRING", "d": "STRING"}
    assert inferred(tmp_path, text, **off, cloudFiles__schemaHints="a.b INT") == {
        "a": "STRUCT<`b`: INT, `c`: STRING>", "d": "STRING"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "hints", "expected"),
    [
        ("a STRING, b STRING", "b INT, c DATE", "a STRING,b INT,c DATE"),
        ("a STRUCT<b: STRING>", "A.b DATE", "a STRUCT<`b`: DATE>"),
        ("a ARRAY<STRUCT<b: STRING>>", "a.element.b INT", "a ARRAY<STRUCT<`b`: INT>>"),
        ("a ARRAY<STRING>", "a.element INT", "a ARRAY<INT>"),
        ("a MAP<STRING, STRING>", "a.key INT, a.value.b INT", "a MAP<INT,STRUCT<`b`: INT>>"),
        ("a STRUCT<x: BIGINT, y: BIGINT>", "a MAP<STRING, INT>", "a MAP<STRING,INT>"),
        ("a STRUCT<x: BIGINT, y: BIGINT>", "a.key STRING", "a MAP<STRING,BIGINT>"),
        ("a STRING", "n.x.y INT, `o p`.q INT", "a STRING,n STRUCT<`x`: STRUCT<`y`: INT>>,o p STRUCT<`q`: INT>"),
        ("a STRUCT<key: STRING>", "a.key INT", "a STRUCT<`key`: INT>"),
    ],
)
def test_hints(schema, hints, expected):
    """Source: Databricks documentation, "Override schema inference with schema hints"."""
    found = as_columns(with_hints(as_struct(parse_columns(schema)), parse_hints(hints)))

    assert ",".join(f"{column.name} {column.type}" for column in found) == expected


def test_a_hint_without_a_type_is_named():
    """It would be taken for the type of another one."""
    with pytest.raises(DialectError, match="expected columns such as"):
        parse_hints("a.b, c INT")


@pytest.mark.parametrize(
    ("known", "found", "widen", "expected", "added"),
    [
        ("STRUCT<a: BIGINT>", "STRUCT<a: STRING, b: STRING>", False, "STRUCT<`a`: BIGINT, `b`: STRING>", ("b",)),
        ("STRUCT<a: STRUCT<b: INT>>", "STRUCT<a: STRUCT<c: INT>>", False,
         "STRUCT<`a`: STRUCT<`b`: INT, `c`: INT>>", ("a.c",)),
        ("STRUCT<a: ARRAY<STRUCT<b: INT>>>", "STRUCT<a: ARRAY<STRUCT<c: INT>>>", False,
         "STRUCT<`a`: ARRAY<STRUCT<`b`: INT, `c`: INT>>>", ("a.element.c",)),
        ("STRUCT<a: STRING>", "STRUCT<a: STRUCT<c: INT>>", False, "STRUCT<`a`: STRING>", ()),
        ("STRUCT<a: MAP<STRING, INT>>", "STRUCT<a: STRUCT<c: INT>>", False, "STRUCT<`a`: MAP<STRING,INT>>", ()),
        ("STRUCT<a: INT>", "STRUCT<A: BIGINT>", False, "STRUCT<`a`: INT>", ()),
        ("STRUCT<a: INT>", "STRUCT<A: BIGINT>", True, "STRUCT<`a`: BIGINT>", ()),
        ("STRUCT<a: INT>", "STRUCT<a: DOUBLE>", True, "STRUCT<`a`: DOUBLE>", ()),
        ("STRUCT<a: BIGINT>", "STRUCT<a: DOUBLE>", True, "STRUCT<`a`: BIGINT>", ()),
        ("STRUCT<a: BIGINT>", "STRUCT<a: DECIMAL(20,2)>", True, "STRUCT<`a`: DECIMAL(22,2)>", ()),
        ("STRUCT<a: FLOAT>", "STRUCT<a: DOUBLE>", True, "STRUCT<`a`: DOUBLE>", ()),
        ("STRUCT<a: INT>", "STRUCT<a: STRING>", True, "STRUCT<`a`: INT>", ()),
        ("STRUCT<a: DOUBLE>", "STRUCT<a: BIGINT>", True, "STRUCT<`a`: DOUBLE>", ()),
    ],
)  # fmt: skip
def test_schemas_evolve(known, found, widen, expected, added):
    """Source: Databricks documentation, "How does Auto Loader schema evolution work?", "Automatic type widening"."""
    result = evolve(parse_type(known), parse_type(found), widen=widen)

    assert (result.type.ddl, result.added) == (expected, added)
    assert result.changed == (result.type != parse_type(known))


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        ("a INT, b STRING", "a integer, c DOUBLE", []),
        ("a BIGINT, b DOUBLE, c DECIMAL(12,2), d DOUBLE", "a INT, b FLOAT, c DECIMAL(10, 2), d INT", []),
        ("a INT", "a BIGINT", ["`a` is BIGINT, but INT in the schema"]),
        ("a INT", "A STRING", ["`a` is STRING, but INT in the schema"]),
        ("a STRUCT<b: INT>", "a STRUCT<b: STRING>", ["`a.b` is STRING, but INT in the schema"]),
        ("a ARRAY<INT>", "a ARRAY<STRING>", ["`a.element` is STRING, but INT in the schema"]),
        ("a MAP<STRING, INT>", "a MAP<STRING, DATE>", ["`a.value` is DATE, but INT in the schema"]),
        ("a STRUCT<b: INT>", "a INT", ["`a` is INT, but STRUCT<`b`: INT> in the schema"]),
    ],
)
def test_types_of_files_that_cannot_be_read_by_the_schema(known, found, expected):
    """A wider type takes a narrower one; every other change is reported."""
    assert list(type_conflicts(as_struct(parse_columns(known)), as_struct(parse_columns(found)))) == expected


def test_a_new_field_takes_its_type_from_the_files_or_from_a_hint(tmp_path):
    """The batch is examined like the first one."""
    (tmp_path / "b.json").write_text('{"a": 1, "n": 1.5, "h": 1}', "utf-8")
    found = evolved(
        source(tmp_path, cloudFiles__schemaHints="h INT, a STRING"), [Column("a", "BIGINT")], [tmp_path / "b.json"]
    )

    assert found.type.ddl == "STRUCT<`a`: BIGINT, `h`: INT, `n`: DOUBLE>"


@pytest.mark.parametrize(
    ("files", "wanted", "expected"),
    [
        (["c=BR/d=1/a", "c=AR/d=2/b"], None, {"c": "STRING", "d": "INT"}),
        (["c=BR/a", "b"], None, {}),
        (["c=BR/a", "d=1/b"], None, {}),
        (["c=BR/a", "d=1/b"], ("d", "c"), {"d": "INT", "c": "STRING"}),
        (["d=2024-01-01/a", "d=2024-01-02/b"], None, {"d": "DATE"}),
        (["m=01/a", "m=1.5/b"], None, {"m": "DOUBLE"}),
        (["m=__HIVE_DEFAULT_PARTITION__/a", "m=7/b"], None, {"m": "INT"}),
        (["n=12345678901/a"], None, {"n": "BIGINT"}),
        (["t=2024-01-01 10%3A00%3A00/a"], None, {"t": "TIMESTAMP"}),
        (["x/c=BR/y/a"], None, {"c": "STRING"}),
        (["=1/a", "a="], None, {}),
    ],
)
def test_columns_in_folders(tmp_path, files, wanted, expected):
    """Source: Databricks documentation, "How does Auto Loader infer partition columns?"."""
    found = infer_partitions(tmp_path, [tmp_path / file for file in files], wanted, typed=True)

    assert {column.name: column.type for column in found} == expected


def test_folders_above_the_source_are_no_columns(tmp_path):
    """Only what is below the path, or below the part of it before its first pattern, counts."""
    file = tmp_path / "a=1/b=2/c.csv"

    assert partition_values(tmp_path / "a=1", file) == {"b": "2"}
    assert partition_values(tmp_path / "a=1" / "*", file) == {"b": "2"}
    assert partition_values(tmp_path / "a=*" / "b=2", file) == {"a": "1", "b": "2"}


def test_csv_without_the_option_has_a_header_only_where_its_schema_is_inferred(tmp_path):
    """Source: Databricks documentation, "Auto Loader options", `header`."""

    def header(schema: str, **options: str) -> bool:
        named = {"cloudFiles.format": "csv", **options}
        return read_source(named, paths=["/data"], schema=schema, translate=lambda path: path).header

    assert header("")
    assert not header("a INT")
    assert not header("", header="false")
    assert header("a INT", header="true")


def test_types_of_a_file_without_records(tmp_path):
    """It says nothing."""
    (tmp_path / "a.json").write_text("", "utf-8")

    assert row_type(tmp_path / "a.json", source(tmp_path)).ddl == "VOID"
