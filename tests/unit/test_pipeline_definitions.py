"""The parts of pipelines that need no Spark: statements, names in queries, the graph, what is remembered."""

import threading

import pytest

from lakelocal.dialect.event_log import event_log_argument, events_of
from lakelocal.errors import DialectError
from lakelocal.pipelines.definitions import Action, Changes, Defaults, Definitions, Flow, Kind, Origin
from lakelocal.pipelines.errors import DefinitionError, PipelineError
from lakelocal.pipelines.graph import check, refreshed
from lakelocal.pipelines.memory import Memory
from lakelocal.pipelines.order import Selection, UpdateOrder
from lakelocal.pipelines.reading import tables_in
from lakelocal.pipelines.statements import SqlSource, plain_columns
from lakelocal.project import State
from lakelocal.sql.tokens import tokenize

HERE = Defaults("c", "s")


def defined(text: str, **parameters: str) -> Definitions:
    """What the statements of *text* define."""
    definitions = Definitions(HERE)
    SqlSource(definitions, HERE, {"key": "value"}, parameters, lambda query: query).define(text, Origin("a.sql", 1))
    return definitions


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM a", [("a", False)]),
        ("SELECT * FROM STREAM(a.b) x JOIN c USING (id, a)", [("a.b", True), ("c", False)]),
        ("SELECT * FROM STREAM live.raw, `my t` AS k", [("live.raw", True), ("my t", False)]),
        ("WITH t AS (SELECT 1), u(a) AS (SELECT * FROM t) SELECT * FROM u, v w WHERE x IN (SELECT y FROM z)",
         [("v", False), ("z", False)]),
        ("SELECT extract(year FROM ts) FROM a LEFT JOIN LATERAL (SELECT * FROM q) s", [("a", False), ("q", False)]),
        ("SELECT a FROM x TABLESAMPLE (10 ROWS), y LATERAL VIEW explode(z) t AS c", [("x", False), ("y", False)]),
        ("SELECT count(DISTINCT a) FROM VALUES (1) AS v(a)", []),
        ("SELECT * FROM STREAM read_files('/Volumes/c/s/v', format => 'csv')", []),
        ("SELECT 'FROM x' -- FROM y", []),
        ("SELECT * FROM a.b.c UNION ALL SELECT d.e FROM f", [("a.b.c", False), ("f", False)]),
    ],
)  # fmt: skip
def test_the_tables_of_a_query(query, expected):
    """Names of WITH, functions, columns and texts are none."""
    assert [(".".join(place.read.parts), place.read.streaming) for place in tables_in(query)] == expected


@pytest.mark.parametrize(
    ("statement", "kind", "private"),
    [
        ("CREATE OR REFRESH STREAMING TABLE t AS SELECT 1", Kind.STREAMING_TABLE, False),
        ("CREATE STREAMING LIVE TABLE t AS SELECT 1", Kind.STREAMING_TABLE, False),
        ("CREATE TEMPORARY STREAMING TABLE t AS SELECT 1", Kind.STREAMING_TABLE, True),
        ("CREATE OR REFRESH PRIVATE MATERIALIZED VIEW t AS SELECT 1", Kind.MATERIALIZED_VIEW, True),
        ("CREATE OR REPLACE MATERIALIZED VIEW IF NOT EXISTS t AS SELECT 1", Kind.MATERIALIZED_VIEW, False),
        ("CREATE LIVE TABLE t AS SELECT 1", Kind.MATERIALIZED_VIEW, False),
        ("CREATE TEMPORARY LIVE VIEW t AS SELECT 1", Kind.TEMPORARY_VIEW, False),
        ("CREATE OR REPLACE TEMP VIEW t (a COMMENT 'x') COMMENT 'y' AS SELECT 1 AS a", Kind.TEMPORARY_VIEW, False),
        ("CREATE VIEW t AS SELECT 1", Kind.PUBLISHED_VIEW, False),
    ],
)
def test_what_a_statement_defines(statement, kind, private):
    ((key, dataset),) = defined(statement).datasets.items()

    assert (dataset.kind, dataset.private) == (kind, private)
    assert key[-1] == "t"


def test_the_clauses_of_a_table():
    """Types with commas, expectations between columns, properties, keys that are only noted."""
    definitions = defined(
        "CREATE OR REFRESH STREAMING TABLE t (id INT NOT NULL COMMENT 'the key', m MAP<STRING, ARRAY<INT>>, "
        "d DECIMAL(10, 2) GENERATED ALWAYS AS (id * 2), CONSTRAINT pk PRIMARY KEY (id), "
        "of BIGINT CONSTRAINT fk FOREIGN KEY REFERENCES a.b COMMENT 'c', "
        "CONSTRAINT a EXPECT (id > 0), CONSTRAINT b EXPECT (m IS NOT NULL) ON VIOLATION DROP ROW, "
        "CONSTRAINT c EXPECT (d < 5) ON VIOLATION FAIL UPDATE) "
        "COMMENT 'it' '\\'s' PARTITIONED BY (id) TBLPROPERTIES ('quality' = 'silver', pipelines.reset.allowed = false) "
        "SCHEDULE REFRESH EVERY 1 HOUR AS SELECT * FROM STREAM(x)"
    )
    (table,) = definitions.datasets.values()

    assert [(rule.name, rule.condition, rule.action) for rule in table.expectations] == [
        ("a", "id > 0", Action.WARN),
        ("b", "m IS NOT NULL", Action.DROP),
        ("c", "d < 5", Action.FAIL),
    ]
    assert plain_columns(table.schema) == "`id` INT, `m` MAP<STRING, ARRAY<INT>>, `d` DECIMAL(10, 2), `of` BIGINT"
    assert (table.comment, table.partition_by) == ("it's", ("id",))
    assert table.properties == {"quality": "silver", "pipelines.reset.allowed": "false"}
    assert len(definitions.notes) == 2
    assert [flow.query() for flow in definitions.flows] == ["SELECT * FROM STREAM(x)"]


@pytest.mark.parametrize(
    ("columns", "schema"),
    [
        ("a INT, PRIMARY KEY (a)", "a INT"),
        ("a INT NOT NULL PRIMARY KEY RELY COMMENT 'c'", "a INT NOT NULL COMMENT 'c'"),
        ("a INT CONSTRAINT k PRIMARY KEY NOT ENFORCED NOT NULL", "a INT NOT NULL"),
        ("a INT FOREIGN KEY REFERENCES t (b) MATCH FULL, b INT CONSTRAINT f REFERENCES u", "a INT, b INT"),
        ("unique INT, primary STRING", "unique INT, primary STRING"),
        ("a DECIMAL(10, 2) GENERATED ALWAYS AS (b * 2), CONSTRAINT f FOREIGN KEY (a) REFERENCES t",
         "a DECIMAL(10, 2) GENERATED ALWAYS AS (b * 2)"),
    ],
)  # fmt: skip
def test_keys_of_a_table_are_noted_and_not_part_of_its_columns(columns, schema):
    definitions = defined(f"CREATE MATERIALIZED VIEW t ({columns}) AS SELECT 1")
    (table,) = definitions.datasets.values()

    assert table.schema == schema
    assert len(definitions.notes) == ("primary STRING" not in columns)


def test_flows_settings_parameters_and_schemas():
    definitions = defined(
        "SET mine = 'one';\nUSE SCHEMA other;\nCREATE OR REFRESH STREAMING TABLE t;\n"
        "CREATE FLOW f AS INSERT INTO ONCE t BY NAME "
        "SELECT '${mine}' AS a, :p AS b, ${key} AS c FROM IDENTIFIER('x.' || 'y');\n"
        "CREATE STREAMING TABLE u;\nCREATE FLOW g AS AUTO CDC ONCE INTO u FROM stream(t) KEYS (a, `b`) "
        "IGNORE NULL UPDATES APPLY AS DELETE WHEN op = 'D' AND (a > 1) SEQUENCE BY struct(x, y) "
        "COLUMNS * EXCEPT (op) STORED AS SCD TYPE 2 TRACK HISTORY ON * EXCEPT (z)",
        p="it's",
    )
    insert, changes = definitions.flows

    assert set(definitions.datasets) == {("c", "other", "t"), ("c", "other", "u")}
    assert (insert.once, insert.conf) == (True, {"mine": "one"})
    assert insert.query() == "SELECT 'one' AS a, 'it\\'s' AS b, value AS c FROM x.y"
    assert changes.origin.line == 6 and changes.once
    found = changes.changes
    assert (found.keys, found.sequence_by, found.apply_as_deletes) == (
        ("a", "b"),
        "struct(x, y)",
        "op = 'D' AND (a > 1)",
    )
    assert (found.except_column_list, found.stored_as_scd_type) == (("op",), 2)
    assert (found.track_history_except_column_list, found.ignore_null_updates) == (("z",), True)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("cloud_files('/v', 'json')", "STREAM read_files('/v', inferColumnTypes => 'false', format => 'json')"),
        ("STREAM(cloud_files('/v', 'csv', map('header', 'true', 'cloudFiles.inferColumnTypes', 'true')))",
         "STREAM(read_files('/v', inferColumnTypes => 'true', format => 'csv', header => 'true'))"),
        ("STREAM cloud_files(concat('/v', '/x'), 'text', map())",
         "STREAM read_files(concat('/v', '/x'), inferColumnTypes => 'false', format => 'text')"),
    ],
)  # fmt: skip
def test_cloud_files_are_read_files_as_a_stream(call, expected):
    definitions = defined(f"CREATE STREAMING LIVE TABLE t AS SELECT 'cloud_files(' AS a FROM {call} AS f")

    assert definitions.flows[0].query() == f"SELECT 'cloud_files(' AS a FROM {expected} AS f"


def test_changes_from_a_query_are_those_of_a_view():
    """Nobody else reads it."""
    definitions = defined(
        "CREATE STREAMING TABLE t; CREATE FLOW s.f AS AUTO CDC INTO t FROM (SELECT a FROM STREAM(x)) KEYS (a) "
        "SEQUENCE BY (b) STORED AS SCD TYPE 1"
    )
    view, changes = definitions.flows

    assert definitions.datasets["", "", "source_of_f"].kind is Kind.TEMPORARY_VIEW
    assert (view.target, view.query()) == ("source_of_f", "SELECT a FROM STREAM(x)")
    assert (changes.changes.source, changes.changes.keys) == ("source_of_f", ("a",))


def test_a_comparison_is_no_bracket() -> None:
    """`<` opens a bracket only behind the name of a type."""
    definitions = defined(
        "CREATE STREAMING TABLE t (CONSTRAINT a EXPECT (x < 1), CONSTRAINT b EXPECT (m['k'] << 2 > y)) AS SELECT 1 AS x"
    )

    (table,) = definitions.datasets.values()
    rules = table.expectations
    assert [(rule.name, rule.condition) for rule in rules] == [("a", "x < 1"), ("b", "m['k'] << 2 > y")]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE OR REFRESH STREAMING TABLE t LOCATION '/x' AS SELECT 1", "LOCATION"),
        ("CREATE OR REFRESH STREAMING TABLE t (a INT MASK f) AS SELECT 1", "MASK"),
        ("CREATE OR REFRESH STREAMING TABLE t (a INT, CONSTRAINT c CHECK (a > 1)) AS SELECT 1", "CHECK"),
        ("CREATE OR REFRESH STREAMING TABLE t WITH ROW FILTER f ON (a) AS SELECT 1", "ROW FILTER"),
        ("CREATE OR REFRESH MATERIALIZED VIEW t", "no query"),
        ("CREATE STREAMING LIVE TABLE t AS SELECT * FROM cloud_files('/v')", "found 1 arguments"),
        ("CREATE STREAMING LIVE TABLE t AS SELECT * FROM cloud_files()", "found 0 arguments"),
        ("CREATE STREAMING LIVE TABLE t AS SELECT * FROM cloud_files('/v',)", "cloud_files"),
        ("CREATE STREAMING LIVE TABLE t AS SELECT * FROM cloud_files('/v', 'csv', map(a, 'b'))", "cloud_files"),
        ("CREATE STREAMING LIVE TABLE t AS SELECT * FROM cloud_files('/v', 'csv', map('a', 'b',))", "cloud_files"),
        ("CREATE FLOW f AS INSERT INTO t BY NAME REPLACE WHERE a = 1 SELECT 1", "REPLACE"),
        ("CREATE FLOW f AS AUTO CDC INTO t FROM STREAM(s) SEQUENCE BY a", "KEYS"),
        ("CREATE FLOW f AS AUTO CDC INTO t FROM SNAPSHOT (SELECT 1) KEYS (a)", "FROM SNAPSHOT"),
        ("MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE", "a statement that defines"),
        ("CREATE OR REFRESH STREAMING TABLE a.b.c.d AS SELECT 1", "the name"),
        ("CREATE VIEW v (CONSTRAINT c EXPECT (a > 1)) AS SELECT 1 AS a", "expectation on a published view"),
        ("SET x", "SET without a value"),
    ],
)
def test_what_a_statement_cannot_have_is_refused_with_its_place(statement, said):
    with pytest.raises(DefinitionError, match=said) as raised:
        defined(f"\n{statement}")

    assert str(raised.value).startswith("a.sql, line 2")


def test_what_is_refreshed():
    tables = defined(
        "CREATE STREAMING TABLE a; CREATE STREAMING TABLE b TBLPROPERTIES (pipelines.reset.allowed = false);"
        "CREATE TEMPORARY VIEW v AS SELECT 1"
    )
    a, b = ("c", "s", "a"), ("c", "s", "b")

    assert refreshed(tables, Selection()) == ({a, b}, set())
    assert refreshed(tables, Selection(refresh=("s.A",))) == ({a}, set())
    assert refreshed(tables, Selection(full_refresh_all=True)) == ({a, b}, {a})
    with pytest.raises(PipelineError, match="no table `v`"):
        refreshed(tables, Selection(refresh=("v",)))


def test_nothing_is_no_pipeline():
    with pytest.raises(DefinitionError, match="NO_TABLES_IN_PIPELINE"):
        check(Definitions(HERE))


@pytest.mark.parametrize("flows", [(False, True), (True, None), (False, None)])
def test_a_target_of_auto_cdc_takes_flows_of_one_kind(flows):
    """Changes, snapshots, or appended rows."""
    definitions = defined("CREATE STREAMING TABLE t")
    for number, snapshot in enumerate(flows):
        changes = None if snapshot is None else Changes("s", ("id",), snapshot=snapshot)
        definitions.add_flow(Flow(f"f{number}", "t", HERE, Origin("a.sql", 1), changes=changes, explicit=True))
    with pytest.raises(DefinitionError, match="flows of several kinds into `t`"):
        check(definitions)


def test_an_order_survives_json():
    order = UpdateOrder("1", "n", "c", "s", ("a.py",), selection=Selection(refresh=("t",), validate_only=True))

    assert UpdateOrder.of(order.as_json()) == order


def test_what_is_remembered_survives_and_has_one_owner(tmp_path):
    """Also where several flows save at the same time."""
    memory = Memory.open(tmp_path, "one")
    for number in range(20):
        memory.begin(("c", "s", f"t{number}"), Kind.STREAMING_TABLE)
    threads = [threading.Thread(target=memory.save) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    memory.begin(("c", "s", "t1"), Kind.STREAMING_TABLE)
    memory.save()

    again = Memory.open(tmp_path, "one")
    assert (again.of(("c", "s", "t0")).generation, again.of(("c", "s", "t1")).generation) == (0, 1)
    assert Memory.open(tmp_path, "two").owner(("c", "s", "t1")) == "one"
    assert again.owner(("c", "s", "t1")) is None


def test_one_update_at_a_time(tmp_path):
    """A second one waits until the first has ended."""
    first, second, order = Memory.open(tmp_path, "one"), Memory.open(tmp_path, "one"), []
    waits = threading.Event()

    def update() -> None:
        waits.set()
        with second.alone():
            order.append("second")

    with first.alone():
        thread = threading.Thread(target=update)
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_the_argument_of_event_log(tmp_path):
    def argument(text: str) -> object:
        tokens = tokenize(text)
        return event_log_argument(tokens, 1)[1]

    assert argument("event_log('id')") == "id"
    assert argument("event_log(TABLE(a.`b`.c))") == ("a", "b", "c")
    with pytest.raises(DialectError, match="the id of a pipeline"):
        argument("event_log(1)")
    with pytest.raises(DialectError, match=r"no events of a pipeline `x`.*none"):
        events_of(State(tmp_path, "main", tmp_path), "x", "The statement")
