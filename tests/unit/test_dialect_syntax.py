"""Databricks' own syntax becomes Spark's, working on the text alone."""

import pytest

from lakelocal.dialect.syntax import plain_syntax
from lakelocal.dialect.syntax.json_paths import variant_found
from lakelocal.dialect.syntax.properties import keep_properties
from lakelocal.dialect.syntax.qualify import filter_qualified
from lakelocal.dialect.syntax.time_travel import name_versions, version_options
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import parameter_markers, tokenize


def on_one_line(sql: str) -> str:
    return " ".join(sql.split())


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT a FROM t QUALIFY rank() OVER (ORDER BY b) = 1",
            "SELECT * EXCEPT (`__qualify`) FROM (SELECT a , (rank() OVER (ORDER BY b) = 1 ) AS `__qualify` FROM t ) "
            "WHERE `__qualify`",
        ),
        # The order may be by a column that is not selected: it stays inside. A limit counts what is left.
        (
            "SELECT a FROM t WHERE b QUALIFY c = 1 ORDER BY d LIMIT 3",
            "SELECT * EXCEPT (`__qualify`) FROM (SELECT a , (c = 1 ) AS `__qualify` FROM t WHERE b ORDER BY d ) "
            "WHERE `__qualify` LIMIT 3",
        ),
        # DISTINCT comes after QUALIFY, and ORDER BY after DISTINCT.
        (
            "SELECT DISTINCT a FROM t QUALIFY c = 1 ORDER BY a",
            "SELECT DISTINCT * EXCEPT (`__qualify`) FROM (SELECT a , (c = 1 ) AS `__qualify` FROM t ) "
            "WHERE `__qualify` ORDER BY a",
        ),
        (
            "SELECT a FROM t UNION ALL SELECT a FROM u QUALIFY w1 = 1 WINDOW w AS (ORDER BY a) ORDER BY 1",
            "SELECT a FROM t UNION ALL SELECT * EXCEPT (`__qualify`) FROM (SELECT a , (w1 = 1 ) AS `__qualify` FROM u "
            "WINDOW w AS (ORDER BY a) ) WHERE `__qualify` ORDER BY 1",
        ),
        (
            "WITH c AS (SELECT * FROM t QUALIFY n = 1), d AS (SELECT 1) SELECT * FROM c",
            "WITH c AS (SELECT * EXCEPT (`__qualify`) FROM (SELECT * , (n = 1 ) AS `__qualify` FROM t ) "
            "WHERE `__qualify` ), d AS (SELECT 1) SELECT * FROM c",
        ),
        (
            "SELECT a, sum(b) AS total FROM t GROUP BY a QUALIFY rank() OVER (ORDER BY total) = 1",
            "SELECT * EXCEPT (`__qualify`) FROM (SELECT a, sum(b) AS total , (rank() OVER (ORDER BY (sum(b))) = 1 ) "
            "AS `__qualify` FROM t GROUP BY a ) WHERE `__qualify`",
        ),
        (
            "SELECT a, sum(b) AS s FROM t GROUP BY ALL QUALIFY rank() OVER (ORDER BY s) = 1",
            "SELECT * EXCEPT (`__qualify`) FROM (SELECT *, (rank() OVER (ORDER BY s) = 1 ) AS `__qualify` FROM "
            "(SELECT a, sum(b) AS s FROM t GROUP BY ALL) ) WHERE `__qualify`",
        ),
        ("SELECT qualify FROM t AS qualify", "SELECT qualify FROM t AS qualify"),
        ("SELECT x.qualify, 'QUALIFY a' FROM t qualify", "SELECT x.qualify, 'QUALIFY a' FROM t qualify"),
    ],
)
def test_qualify_is_a_filter_around_the_query(sql, expected):
    """What is inside the query stays there, so it means the same."""
    assert on_one_line(filter_qualified(sql)) == expected


def test_an_aggregate_of_its_own_in_qualify_with_group_by_all_is_refused():
    """The SELECT list decides what GROUP BY ALL groups by, so nothing can be added to it."""
    with pytest.raises(DialectError, match="Give the aggregate a name in the SELECT list"):
        filter_qualified("SELECT a, sum(b) FROM t GROUP BY ALL QUALIFY rank() OVER (ORDER BY sum(b)) = 1")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM s.t@v12", "SELECT * FROM s.t VERSION AS OF 12"),
        ("SELECT * FROM `t`@V3 AS x", "SELECT * FROM `t` VERSION AS OF 3 AS x"),
        (
            "SELECT * FROM t@20260131093000500",
            "SELECT * FROM t TIMESTAMP AS OF '2026-01-31 09:30:00.500'",
        ),
        ("SELECT 'a@v1' FROM t -- t@v1", "SELECT 'a@v1' FROM t -- t@v1"),
        ("SELECT * FROM t@version", "SELECT * FROM t@version"),
    ],
)
def test_a_version_in_a_name_becomes_a_clause(sql, expected):
    """`@` is not allowed in Spark's names."""
    assert name_versions(sql) == expected


def test_a_version_in_a_name_of_an_api_becomes_an_option():
    """`spark.table("t@v1")` has no SQL text to which a clause could be added."""
    assert version_options("s.t@v1") == ("s.t", {"versionAsOf": "1"})
    assert version_options("t@20260131093000500") == ("t", {"timestampAsOf": "2026-01-31 09:30:00.500"})
    assert version_options("s.t") == ("s.t", {})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a::int, b :: string FROM t",
        "CREATE TABLE t (a STRUCT<b:INT, c:ARRAY<STRUCT<d:STRING>>>, e MAP<STRING, STRUCT<f:INT>>)",
        "SELECT '{\"a\":1}', 'x:y' FROM t -- raw:a",
        "SELECT :name, :other FROM t",
        "SELECT parse_json(x):a.b::int, x::variant:c FROM t",
        "lbl:BEGIN SELECT 1; END",
    ],
)
def test_other_colons_stay(sql):
    """Types, parameters, casts and VARIANT values have their own colons."""
    assert plain_syntax(sql) == sql


@pytest.mark.parametrize(
    ("sql", "call", "name"),
    [
        ("SELECT raw:['k w'] FROM t", "get_json_object(raw, '$[\\'k w\\']')", "k w"),
        ("SELECT raw:['a'][0]:['b'] FROM t", "get_json_object(raw, '$[\\'a\\'][0][\\'b\\']')", "b"),
        ("SELECT t.raw:['a'][0] FROM t", "get_json_object(t.raw, '$[\\'a\\'][0]')", "a"),
        ("SELECT f(x)[1]:['a'] FROM t", "get_json_object(f(x)[1], '$[\\'a\\']')", "a"),
        ("SELECT raw:['a']::map<int, struct<b:int>> FROM t",
         "get_json_object(raw, '$[\\'a\\']')::map<int, struct<b:int>>", "a"),
        ("SELECT '{\"a\": 1}':['a']::int FROM t", "get_json_object('{\"a\": 1}', '$[\\'a\\']')::int", "a"),
        ("SELECT r'1{}':['a'] FROM t", "get_json_object(r'1{}', '$[\\'a\\']')", "a"),
    ],
)  # fmt: skip
def test_fields_in_brackets_are_read_as_they_are_written(sql, call, name):
    """The column has the name of the last field."""
    assert plain_syntax(sql) == f"SELECT {call} AS `{name}` FROM t"


def test_a_path_in_an_expression_gets_no_name():
    """A name inside an expression would be a syntax error."""
    found = plain_syntax("SELECT upper(raw:['a']) FROM t WHERE raw:['b'] = 1 GROUP BY raw:['c']")

    assert found == (
        "SELECT upper(get_json_object(raw, '$[\\'a\\']')) FROM t WHERE get_json_object(raw, '$[\\'b\\']') = 1 "
        "GROUP BY get_json_object(raw, '$[\\'c\\']')"
    )


@pytest.mark.parametrize("value", ['\'{"a": {"b": 1}}\'', '"{}"', "'7'", "r'{}'"])
def test_a_text_with_a_path_is_no_parameter_marker(value):
    """A parameter marker stands where a value begins, so `'...':a` reads the text's field."""
    found = plain_syntax(f"SELECT {value}:a.b::int, :x")

    assert found.startswith(f"SELECT coalesce(get_json_object({value}, '$[\\'a\\'][\\'b\\']'), ")
    assert found.endswith(")::int AS `b`, :x")
    assert [marker.name for marker in parameter_markers(tokenize(f"SELECT {value}:a.b, :x") or ())] == ["x"]


def test_the_servers_answer_tells_a_variant():
    """Such a path is kept, because Spark supports it."""
    message = 'get_json_object(v, $.a)": ... requires the "STRING" type, however "v" has the type "VARIANT"'

    assert variant_found(message) == "v"
    assert variant_found("another error") is None
    assert plain_syntax("SELECT t.V:a, raw:['b'] FROM t", frozenset({"v"})) == (
        "SELECT t.V:a, get_json_object(raw, '$[\\'b\\']') AS `b` FROM t"
    )


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        (
            "CREATE TABLE t (a INT) TBLPROPERTIES ('delta.parquet.compression.codec' = 'zstd', "
            "'delta.appendOnly' = 'true')",
            "CREATE TABLE t (a INT) TBLPROPERTIES ('lakelocal.delta.parquet.compression.codec' = 'zstd', "
            "'delta.appendOnly' = 'true')",
        ),
        (
            "ALTER TABLE t SET TBLPROPERTIES ('delta.targetFileSize' = '1mb')",
            "ALTER TABLE t SET TBLPROPERTIES ('lakelocal.delta.targetFileSize' = '1mb')",
        ),
        ("SELECT 'delta.targetFileSize' AS TBLPROPERTIES", "SELECT 'delta.targetFileSize' AS TBLPROPERTIES"),
        (
            "ALTER TABLE t SET TBLPROPERTIES ('delta.nope' = '1')",
            "ALTER TABLE t SET TBLPROPERTIES ('delta.nope' = '1')",
        ),
    ],
)
def test_properties_that_only_databricks_has_are_kept_under_another_name(sql: str, kept: str) -> None:
    """What Databricks exports runs; a misspelt property is refused as there."""
    assert keep_properties(sql) == kept


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1 WHERE a IN (SELECT 'n')", "SELECT 1 WHERE a IN (SELECT ALL 'n')"),
        ('DELETE FROM t WHERE a not in (select "n" AS x)', 'DELETE FROM t WHERE a not in (select ALL "n" AS x)'),
        ("SELECT a IN (SELECT b), (SELECT 'n'), 'IN (SELECT ''n'')'", None),
        ("SELECT a IN (SELECT DISTINCT 'n')", None),
    ],
)
def test_a_text_that_is_selected_is_no_typed_literal(sql, expected):
    """Spark would report literals of the type SELECT."""
    assert plain_syntax(sql) == (expected or sql)
