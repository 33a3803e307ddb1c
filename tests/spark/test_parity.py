"""`diff` on real tables: what makes two tables equal, and which of their versions are compared."""

import json
import time
from collections.abc import Iterator

import pytest

from lakelocal.cli.main import main
from lakelocal.compute import open_session
from lakelocal.history.records import Records, insert, now_ms, this_process
from lakelocal.parity import DiffScope, Options, compare_runs, find_side
from lakelocal.parity.outline import Relation
from lakelocal.parity.pairs import paired, shown_pairs
from lakelocal.parity.run import compare_table
from lakelocal.parity.search import Source
from lakelocal.project import State
from lakelocal.server import ensure_server
from tests.states import state_in

JOB = {"job_id": 1, "job_key": "job", "run_name": "Job", "target": "dev", "trigger": "ONE_TIME"}


@pytest.fixture(scope="module")
def both(spark):
    """Compare two queries, as views `a.t` and `b.t`: no table has to be written for each."""
    for schema in "ab":
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")

    def source(schema: str, query: str) -> Source:
        spark.sql(f"CREATE OR REPLACE VIEW {schema}.t AS {query}")
        fields = spark.table(f"{schema}.t").schema.fields
        return Source(
            spark, Relation(f"{schema}.t", is_view=True, columns={each.name: each.dataType for each in fields})
        )

    return lambda a, b: compare_table(source("a", a), source("b", b), DiffScope())


def values(*rows: str, columns: str = "id, x") -> str:
    return f"SELECT * FROM VALUES {', '.join(rows)} AS t({columns})"


def ended_run(state: State) -> int:
    """A run that ends now; what is written from now on is later."""
    records = Records.of(state)
    run_id, now = records.new_id(), now_ms()
    how = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "start_time": now, "end_time": now}
    with records.opened() as database:
        insert(database, "runs", {"run_id": run_id, **JOB, **how, **this_process()})
    while now_ms() <= now:
        time.sleep(0.001)  # the clock of the file system has milliseconds
    return run_id


EQUAL = {
    "the order of rows": (values("(1, 'a')", "(2, 'b')"), values("(2, 'b')", "(1, 'a')")),
    "the order of columns": ("SELECT 1 AS id, 'a' AS x", "SELECT 'a' AS x, 1 AS id"),
    "zero with a sign": ("SELECT 0.0D AS x", "SELECT -0.0D AS x"),
    "no number": ("SELECT CAST('NaN' AS DOUBLE) AS x", "SELECT CAST('Infinity' AS DOUBLE) - double('Infinity') AS x"),
    "the order in a map": ("SELECT map('k', 1.5D, 'l', NULL) AS x", "SELECT map('l', NULL, 'k', 1.5D) AS x"),
    "the order of keys in a variant": (
        """SELECT parse_json('{"k": 1, "l": [2]}') AS x""",
        """SELECT parse_json('{"l": [2], "k": 1}') AS x""",
    ),
    "nothing at all": ("SELECT 1 AS id WHERE false", "SELECT 1 AS id WHERE false"),
    "a column of the delivery": ("SELECT 1 AS id, 'a.csv' AS _file", "SELECT 1 AS id, 'b.csv' AS _file"),
}
DIFFERENT = {
    "a value": (values("(1, 'a')"), values("(1, 'b')")),
    "NULL and an empty text": (values("(1, '')"), values("(1, CAST(NULL AS STRING))")),
    "NULL in another column": ("SELECT 1 AS x, CAST(NULL AS INT) AS y", "SELECT CAST(NULL AS INT) AS x, 1 AS y"),
    "values that swap columns": ("SELECT 'a' AS x, 'b' AS y", "SELECT 'b' AS x, 'a' AS y"),
    "which row is there twice": (
        values("(1, 'a')", "(1, 'a')", "(2, 'b')"),
        values("(1, 'a')", "(2, 'b')", "(2, 'b')"),
    ),
    "a NULL in an array": ("SELECT array(1, NULL) AS x", "SELECT array(NULL, 1) AS x"),
    "a field of a struct in an array": (
        "SELECT array(named_struct('k', 1, 'l', TIMESTAMP'2018-01-01 00:00:00.000001')) AS x",
        "SELECT array(named_struct('k', 1, 'l', TIMESTAMP'2018-01-01 00:00:00.000002')) AS x",
    ),
    "an empty and a missing array": ("SELECT array(1) AS x WHERE true", "SELECT CAST(NULL AS ARRAY<INT>) AS x"),
    "a value in a map": ("SELECT map('k', array(1)) AS x", "SELECT map('k', array(2)) AS x"),
    "a value in a variant": ("""SELECT parse_json('{"k": 1}') AS x""", """SELECT parse_json('{"k": 2}') AS x"""),
    "content with two underscores": ("SELECT 1 AS __START_AT", "SELECT 2 AS __START_AT"),
    "the type of a value in a variant": (
        "SELECT CAST(DATE'2018-01-01' AS VARIANT) AS x",
        "SELECT CAST('2018-01-01' AS VARIANT) AS x",
    ),
    "bytes": ("SELECT X'00' AS x", "SELECT X'01' AS x"),
    "a text that is not UTF-8": ("SELECT CAST(X'C328' AS STRING) AS x", "SELECT CAST(X'C329' AS STRING) AS x"),
    "cents": ("SELECT 1.10BD AS x", "SELECT 1.11BD AS x"),
}


@pytest.mark.parametrize("what", EQUAL)
def test_equal_apart_from(both, what):
    """It is not content."""
    verdict = both(*EQUAL[what])

    assert (verdict.same, verdict.differences) == (True, ())


@pytest.mark.parametrize("what", DIFFERENT)
def test_as_many_rows_that_differ_by(both, what):
    """And rows of both sides are shown."""
    verdict = both(*DIFFERENT[what])

    assert verdict.differences == ("same number of rows, different values",)
    assert len(verdict.rows.a) == len(verdict.rows.b) == 1
    assert (verdict.rows.only_a, verdict.rows.only_b, verdict.rows.exact) == (1, 1, True)


def test_a_row_more_is_shown_with_how_often_it_is_there_more(both):
    """Both sides have it: only the number differs."""
    verdict = both(values("(1, NULL)", "(2, 'b')"), values("(1, NULL)", "(2, 'b')", "(2, 'b')", "(2, 'b')"))

    assert verdict.differences == ("rows: A 2, B 4",)
    assert verdict.rows.a == ()
    assert [(row.cells, row.times) for row in verdict.rows.b] == [(("2", "b"), 2)]


def test_a_column_of_another_type_or_on_one_side_leaves_the_others_compared(both):
    """The wider table contains the same orders."""
    verdict = both("SELECT 1 AS id, 2 AS n, 'p' AS only", "SELECT 1 AS id, 2L AS n")

    assert verdict.differences == (
        "column `n`: A int, B bigint; its values were not compared",
        "column `only`: only A has it (string)",
    )
    assert verdict.rows is None


def test_few_rows_are_found_among_many(both):
    """The buckets of a large table lead to the rows that differ, and to no others."""
    many = "SELECT id, id % 7 AS x FROM range(20000)"

    verdict = both(many, f"SELECT id, CASE id WHEN 777 THEN 70 ELSE x END AS x FROM ({many}) WHERE id <> 12345")

    assert [row.cells for row in verdict.rows.a] == [("12345", "4"), ("777", "0")]
    assert [row.cells for row in verdict.rows.b] == [("777", "70")]
    assert verdict.rows.exact


def test_both_states_of_a_row_are_shown_where_all_rows_differ(both):
    """The rows with the lowest hashes are different ones on each side; an order's items stay together."""
    many = "SELECT id DIV 3 AS order_id, id % 3 AS item, id % 7 AS kind, id AS price FROM range(3000)"

    found = both(many, f"SELECT order_id, item, kind, price + 1 AS price FROM ({many}) WHERE order_id <> 5").rows

    assert (found.only_a, found.only_b, found.exact, found.aligned) == (3000, 2997, True, True)
    pairs = [(a, b) for a, b in paired(found.a, found.b) if b]
    assert len(pairs) == len(found.b) > 100
    assert all(a.cells[:2] == b.cells[:2] and int(a.cells[3]) + 1 == int(b.cells[3]) for a, b in pairs)


def test_rows_without_a_key_in_front_are_shown_but_not_as_pairs(both):
    """A pair of them would be two unrelated rows."""
    many = "SELECT id % 2 AS a, id % 3 AS b, id % 5 AS c, 0 AS d, id AS price FROM range(900)"

    found = both(many, f"SELECT a, b, c, d, price + 1000 AS price FROM ({many})").rows

    assert (found.only_a, found.only_b, found.aligned) == (900, 900, False)
    assert [bool(a) for a, _ in shown_pairs(found, 2)] == [True, True, False, False]


@pytest.fixture(scope="module")
def days(tmp_path_factory) -> Iterator[tuple[State, int, int]]:
    """A catalog after two days, each with a run; a view, and a table that is not a Delta table."""
    with state_in(tmp_path_factory.mktemp("days")) as state:
        spark = open_session(state)
        spark.sql("CREATE SCHEMA s")
        spark.sql("CREATE TABLE s.orders AS SELECT 1 AS id")
        spark.sql("CREATE TABLE s.kept AS SELECT 1 AS id")
        spark.sql("CREATE TABLE s.plain USING parquet AS SELECT 1 AS id")
        spark.sql("CREATE VIEW s.counted AS SELECT count(*) AS n FROM s.orders")
        spark.sql("CREATE SCHEMA hive_metastore.old")
        spark.sql("CREATE TABLE hive_metastore.old.t AS SELECT 1 AS id")
        first = ended_run(state)
        spark.sql("INSERT INTO s.orders VALUES (2)")
        spark.sql("CREATE TABLE s.later AS SELECT 1 AS id")
        spark.sql("INSERT INTO hive_metastore.old.t VALUES (2)")
        second = ended_run(state)
        yield state, first, second
        spark.stop()


def verdicts(a, b, scope: DiffScope | None = None) -> dict:
    return {each.name: each for each in compare_runs(a, b, Options(scope or DiffScope())).verdicts}


def test_tables_are_those_of_the_end_of_each_run(days):
    """The second day's rows and tables are not part of the first day's run."""
    state, *runs = days

    found = verdicts(*(find_side(str(run), lambda _: state) for run in runs))

    assert (found["s.orders"].a, found["s.orders"].b) == ("1 row", "2 rows")
    assert [row.cells for row in found["s.orders"].rows.b] == [("2",)]
    assert found["s.kept"].same is True
    assert (found["s.later"].a, found["s.later"].same) == ("absent", False)


def test_tables_of_another_catalog_are_compared_too(days):
    """A run that writes to several catalogs is equal if all of them are."""
    state, *runs = days

    found = verdicts(*(find_side(str(run), lambda _: state) for run in runs))

    assert (found["hive_metastore.old.t"].a, found["hive_metastore.old.t"].b) == ("1 row", "2 rows")


def test_views_and_plain_tables_of_an_earlier_day_are_said_to_be_left_out(days):
    """They have no versions: today's rows are not those of that day."""
    state, *runs = days

    found = verdicts(*(find_side(str(run), lambda _: state) for run in runs))

    for name in ("s.counted", "s.plain"):
        assert found[name].same is None
        assert found[name].differences[0].startswith("no versions, and `s.")


def test_views_of_the_last_run_are_compared(days):
    """Nothing was written since."""
    state, _, last = days
    side = find_side(str(last), lambda _: state)

    found = verdicts(side, side)

    assert (found["s.counted"].kind, found["s.counted"].a, found["s.counted"].same) == ("view", "1 row", True)
    assert found["s.plain"].same is True


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A bundle without a state."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: example}\n")
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.slow("two more servers")
def test_states_of_two_servers_are_compared_and_the_exit_code_says_how(days, state, spark, project, capsys):
    """Rows are never joined: each server reports its own."""
    here, _, last = days
    ensure_server(state)
    spark.sql("CREATE SCHEMA IF NOT EXISTS s")
    spark.sql("CREATE OR REPLACE TABLE s.orders AS SELECT * FROM VALUES (2), (3) AS t(id)")
    spark.sql("CREATE OR REPLACE TABLE s.kept AS SELECT 1 AS id")
    run_id = ended_run(state)
    command = ["--project", str(project), "diff", f"{here.folder}:{last}", f"{state.folder}:{run_id}", "--tables"]

    assert main([*command, "s.kept"]) == 0
    assert capsys.readouterr().out.endswith("\nEQUAL: 1 table\n")
    assert main([*command, "s.orders"]) == 1
    text = capsys.readouterr().out
    assert "table s.orders\n  same number of rows, different values" in text
    assert "NOT EQUAL: 1 table (of 1 table)" in text
    assert main([*command, "s.orders", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [found["verdicts"][0]["rows"][side] for side in ("only_a", "only_b")] == [
        [{"cells": ["1"], "times": 1}],
        [{"cells": ["3"], "times": 1}],
    ]
    assert main([*command, "nothing.*"]) == 2
    assert "found no table or view `nothing.*` on either side" in capsys.readouterr().err
