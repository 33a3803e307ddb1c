"""Statements that only Unity Catalog knows: done, noted or refused."""

import logging
import re

import pytest
from dialect_fakes import Schemas, Tables

from lakelocal.dialect.names import Names
from lakelocal.dialect.sessions import Namespace, Sessions
from lakelocal.dialect.statement import NOTHING, rows_as_sql
from lakelocal.dialect.statements import Statements
from lakelocal.dialect.volumes import Volumes
from lakelocal.errors import DialectError, LocalError
from lakelocal.paths import DatabricksPaths
from lakelocal.project import State


@pytest.fixture
def statements(tmp_path) -> Statements:
    """Those of the catalog `dev`."""
    state = State(tmp_path, "dev", tmp_path / "dev").make()
    volumes = Volumes(DatabricksPaths(state))
    return Statements(volumes, Sessions(volumes.catalogs))


@pytest.fixture
def server() -> Schemas:
    """A server with the schemas `default` and `raw`."""
    return Schemas("default", "raw")


@pytest.fixture
def run(statements, server):
    """Translates a statement of a session for *server*."""

    def translate(sql: str, session: str = "session") -> str:
        names = Names(statements.catalogs, statements.sessions.at(session).catalog)
        return statements.translate(sql, session, names, server, lambda plain: plain)

    return translate


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("USE CATALOG dev", "USE spark_catalog.default"),
        ("use catalog `DEV`;", "USE spark_catalog.default"),
        ("SET CATALOG dev", "USE spark_catalog.default"),
        ("USE dev.raw", "USE raw"),
        ("USE SCHEMA dev.raw", "USE raw"),
        ("USE raw", "USE raw"),
        ("CREATE CATALOG IF NOT EXISTS dev MANAGED LOCATION 's3://b'", NOTHING),
        (
            "SHOW CATALOGS",
            rows_as_sql(["catalog"], [(c,) for c in ("dev", "hive_metastore", "main", "samples", "system")]),
        ),
        ("SHOW CATALOGS LIKE 'x*'", rows_as_sql(["catalog"], [])),
        ("SHOW SCHEMAS IN dev LIKE 'r*'", "SHOW SCHEMAS LIKE '(?!catalog__)r*'"),
        ("SHOW DATABASES", "SHOW SCHEMAS LIKE '(?!catalog__)*'"),
        ("SHOW SCHEMAS LIKE 'a|b*'", "SHOW SCHEMAS LIKE '(?!catalog__)a|(?!catalog__)b*'"),
        ("SHOW SCHEMAS IN main LIKE 'a|b*'", "SHOW SCHEMAS LIKE 'catalog__main__a|catalog__main__b*'"),
        ("USE CATALOG hive_metastore", "USE spark_catalog.catalog__hive_5fmetastore__default"),
        ("CREATE CATALOG lake", "CREATE SCHEMA IF NOT EXISTS catalog__lake__default"),
        ("CREATE CATALOG IF NOT EXISTS main", NOTHING),
        ("DROP CATALOG IF EXISTS lake CASCADE", NOTHING),
        ("SHOW GRANTS ON TABLE dev.raw.t", rows_as_sql(["Principal", "ActionType", "ObjectType", "ObjectKey"], [])),
        ("CREATE SCHEMA raw MANAGED LOCATION 's3://b' COMMENT 'x'", "CREATE SCHEMA raw  COMMENT 'x'"),
        ("CREATE TABLE t (x INT) CLUSTER BY AUTO", "CREATE TABLE t (x INT) "),
        ("CREATE TABLE t (x INT) CLUSTER BY (x)", "CREATE TABLE t (x INT) CLUSTER BY (x)"),
        ("COMMENT ON COLUMN dev.raw.t.x IS 'it''s'", "ALTER TABLE dev.raw.t ALTER COLUMN `x` COMMENT 'it''s'"),
        ("COMMENT ON TABLE dev.raw.t IS 'x'", "COMMENT ON TABLE dev.raw.t IS 'x'"),
        ("SELECT 'GRANT'", "SELECT 'GRANT'"),
        ("SET spark.sql.shuffle.partitions = 2", "SET spark.sql.shuffle.partitions = 2"),
    ],
)
def test_translated(run, sql, expected):
    """What has a counterpart runs as that."""
    assert run(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT ON TABLE dev.raw.t TO `users`",
        "REVOKE ALL PRIVILEGES ON SCHEMA dev.raw FROM `users`",
        "COMMENT ON CATALOG dev IS 'x'",
        "COMMENT ON VOLUME dev.raw.v IS 'x'",
        "COMMENT ON FUNCTION dev.raw.f IS 'x'",
        "ALTER SCHEMA dev.raw OWNER TO `users`",
        "ALTER TABLE dev.raw.t SET OWNER TO `users`",
        "ALTER TABLE dev.raw.t SET TAGS ('a' = 'b')",
        "ALTER TABLE dev.raw.t ALTER COLUMN x UNSET TAGS ('a')",
        "ALTER CATALOG dev ENABLE PREDICTIVE OPTIMIZATION",
    ],
)
def test_noted(run, sql, caplog):
    """A statement that changes nothing here reports it, in one line that names it."""
    with caplog.at_level(logging.WARNING, "lakelocal.dialect"):
        assert run(sql) == NOTHING

    (record,) = caplog.records
    assert sql[:25] in record.getMessage() and "nothing was done" in record.getMessage()


@pytest.mark.parametrize(
    "sql",
    [
        "USE CATALOG prod",
        "USE prod.raw",
        "USE CATALOG IDENTIFIER('my-catalog')",
        "CREATE CATALOG dev",
        "DROP CATALOG dev CASCADE",
        "CREATE EXTERNAL VOLUME dev.raw.v LOCATION 's3://b'",
        "CREATE VOLUME dev.raw.v LOCATION 's3://b'",
        "CREATE VOLUME dev.nope.v",
        "DROP VOLUME dev.raw.nope",
        "COPY INTO dev.raw.t FROM '/Volumes/dev/raw/v'",
        "CREATE OR REFRESH STREAMING TABLE t AS SELECT 1",
        "REFRESH MATERIALIZED VIEW t",
        "CREATE PRIVATE MATERIALIZED VIEW t AS SELECT 1",
        "CREATE OR REPLACE VIEW v\nWITH METRICS\nLANGUAGE YAML\nAS $$\nsource: (a\nmeasures: []\n$$",
        "CREATE CONNECTION c TYPE mysql",
        "ALTER TABLE dev.raw.t SET ROW FILTER f ON (x)",
        "ALTER TABLE dev.raw.t ALTER COLUMN x SET MASK m",
        "UNDROP TABLE dev.raw.t",
    ],
)
def test_refused(run, sql):
    """In one line, which names the statement."""
    with pytest.raises(DialectError) as raised:
        run(sql)

    assert "\n" not in str(raised.value)
    assert sql.split()[0] in str(raised.value)


def test_a_message_begins_with_the_statement(run):
    """Not with the comment ahead of it, as in a file of SQL."""
    with pytest.raises(DialectError, match=r"^The statement `UNDROP TABLE"):
        run("-- bring it back\nUNDROP TABLE dev.raw.t")


def test_a_volume_is_a_folder(run, statements):
    """The folder is the only record, so it cannot disagree with the files."""
    assert run("CREATE VOLUME IF NOT EXISTS dev.raw.v COMMENT 'landing'") == NOTHING
    assert run("CREATE VOLUME IF NOT EXISTS dev.raw.v") == NOTHING
    assert statements.volumes.existing("dev") == [("raw", "v")]
    assert run("SHOW VOLUMES IN dev.raw") == rows_as_sql(["database", "volume_name"], [("raw", "v")])

    with pytest.raises(DialectError, match="the volume exists"):
        run("CREATE VOLUME raw.v")
    assert run("DROP VOLUME raw.v") == NOTHING
    assert run("DROP VOLUME IF EXISTS raw.v") == NOTHING
    assert statements.volumes.existing("dev") == []


def test_a_volume_without_a_schema_is_in_the_sessions_own(run, statements):
    """Sessions of several notebooks share the dialect, but not their current schema."""
    run("USE dev.raw")
    run("CREATE VOLUME mine")
    run("CREATE VOLUME other", "another session")

    assert statements.volumes.existing("dev") == [("default", "other"), ("raw", "mine")]


def test_a_session_is_in_the_catalog_that_it_uses(run, statements, server):
    """USE of a missing schema leaves it where it was: Spark refuses the statement."""
    server.names += ["catalog__main__default", "catalog__main__sales"]

    run("USE CATALOG main")
    assert statements.sessions.at("session") == Namespace("main", "default")
    assert run("USE sales") == "USE catalog__main__sales"
    assert statements.sessions.at("session") == Namespace("main", "sales")
    assert run("USE nowhere") == "USE catalog__main__nowhere"
    assert statements.sessions.at("session") == Namespace("main", "sales")
    assert run("USE dev.raw") == "USE raw"
    assert statements.sessions.at("session") == Namespace("dev", "raw")
    assert statements.sessions.at("another") == Namespace("dev", "default")


def test_statements_in_the_own_catalog_ask_nothing(run, server):
    """A run that only uses its own catalog costs no more than before."""
    for sql in ("USE CATALOG dev", "USE dev.raw", "SHOW SCHEMAS", "SHOW CATALOGS", "SHOW VOLUMES IN raw"):
        run(sql)

    assert server.questions == 0


def test_volumes_of_another_catalog(run, statements, server):
    """They are folders beside those of the run's catalog."""
    server.names.append("catalog__main__raw")

    run("CREATE VOLUME main.raw.v")
    with pytest.raises(DialectError, match=r"the schema `main\.nope` cannot be found"):
        run("CREATE VOLUME main.nope.v")

    assert statements.volumes.translate("/Volumes/main/raw/v/x").endswith("/catalogs/main/volumes/raw/v/x")
    assert run("SHOW VOLUMES IN main.raw") == rows_as_sql(["database", "volume_name"], [("raw", "v")])
    assert run("SHOW VOLUMES IN raw") == rows_as_sql(["database", "volume_name"], [])


def test_a_catalog_that_holds_schemas_is_dropped_by_cascade_only(run, statements, server):
    """Its schemas, its volumes and its name are then gone, and a session in it is in the run's catalog again."""
    run("CREATE CATALOG lake")
    server.names += ["catalog__lake__default", "catalog__lake__sales", "catalog__lakes__sales"]
    run("USE CATALOG lake")

    with pytest.raises(DialectError, match=r"has the schemas `sales`\. Add CASCADE"):
        run("DROP CATALOG lake")
    assert run("DROP CATALOG lake CASCADE") == "USE spark_catalog.default"
    assert [sql for sql in server.statements if sql.startswith("DROP")] == [
        f"DROP SCHEMA IF EXISTS catalog__lake__{schema} CASCADE" for schema in ("default", "sales")
    ]
    assert not statements.catalogs.exists("lake")
    for name in ("dev", "main", "samples", "hive_metastore"):
        with pytest.raises(DialectError, match="always exists"):
            run(f"DROP CATALOG {name} CASCADE")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE CATALOG IF NOT EXISTS lake MANAGED LOCATION 's3://b' COMMENT 'c'",
        "CREATE VOLUME IF NOT EXISTS raw.v COMMENT 'c'",
        "CREATE SCHEMA IF NOT EXISTS raw MANAGED LOCATION 's3://b'",
        "CREATE TABLE raw.t (id INT, k STRING) USING DELTA CLUSTER BY AUTO",
        "DROP CATALOG IF EXISTS lake CASCADE",
        "DROP VOLUME IF EXISTS raw.v",
        "USE CATALOG dev",
        "SET CATALOG dev",
        "SHOW SCHEMAS IN dev LIKE 'r*'",
        "SHOW VOLUMES IN dev.raw LIKE 'r*'",
        "DESCRIBE CATALOG EXTENDED dev",
        "DESCRIBE VOLUME raw.v",
        "COMMENT ON COLUMN dev.raw.t.c IS 'text'",
        "COMMENT ON CATALOG dev IS 'text'",
        "ALTER TABLE dev.raw.t SET TAGS ('a' = 'b')",
        "ALTER VOLUME raw.v RENAME TO raw.w",
        "SHOW CREATE TABLE raw.t",
        "SHOW PARTITIONS raw.t PARTITION (id = 1)",
        "SHOW USER FUNCTIONS IN raw LIKE 'x'",
        "COMMENT ON SCHEMA raw IS 'x'",
        "DESCRIBE SCHEMA EXTENDED raw",
        "DESCRIBE FUNCTION EXTENDED raw.f",
        "RESET timezone",
        "SET use_cached_result = false",
        "INSERT INTO TABLE raw.t AS a (id, k) BY NAME REPLACE USING (id) SELECT 1 AS id",
        "INSERT INTO raw.t REPLACE WHERE id = 1 SELECT 1 AS id",
        "GRANT SELECT ON TABLE raw.t TO `users`",
        "LIST '/Volumes/dev/raw/v' LIMIT 3",
    ],
)
def test_a_statement_that_ends_too_early_is_no_fault_of_the_dialect(statements, sql):
    """A name that is empty cuts a statement short: Spark, or the dialect, says where; nothing else is raised."""
    answers = {"SELECT 'x'": [{"value": "x"}]}
    server, place = Tables({"id": True, "k": True}, query=["id"], answers=answers), statements.catalogs.own
    ends = [found.end() for found in re.finditer(r"\w+|[^\w\s]", sql)]
    for end in ends:
        try:
            names = Names(statements.catalogs, place)
            assert isinstance(statements.translate(sql[:end], "session", names, server, lambda plain: plain), str)
        except LocalError as error:
            assert str(error)


@pytest.mark.parametrize("sql", ["CREATE CATALOG IF NOT EXISTS ", "DROP CATALOG ;", "SHOW VOLUMES IN"])
def test_a_name_that_is_missing_is_a_mistake_of_the_syntax(run, sql):
    """With the condition that Databricks gives it."""
    with pytest.raises(DialectError, match=r"^\[PARSE_SYNTAX_ERROR\] The statement .* its end; expected a name"):
        run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SET spark.sql.streaming.checkpointLocation = /Volumes/dev/raw/files/_c/a-b",
        "set `spark.sql.streaming.checkpointLocation`=`/Volumes/dev/raw/files/_c/a-b`;",
    ],
)
def test_a_path_in_a_setting_is_translated(run, statements, server, sql):
    """As `spark.conf.set` does; the answer has the path as it is written."""
    (statements.volumes.catalogs.volumes("dev") / "raw" / "files").mkdir(parents=True)

    shown = run(sql)

    folder = statements.volumes.paths.to_local("/Volumes/dev/raw/files")
    assert server.statements == [f"SET spark.sql.streaming.checkpointLocation = {folder}/_c/a-b"]
    assert "/Volumes/dev/raw/files/_c/a-b" in shown
    assert str(folder) not in shown


def test_a_path_in_a_setting_of_the_users_own_stays(run, server):
    """`${my.path}` puts it into a statement, which is translated."""
    assert run("SET my.path = /Volumes/dev/raw/files") == "SET my.path = /Volumes/dev/raw/files"
    assert server.statements == []


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        ("SET TIMEZONE = 'Asia/Tokyo'", "SET spark.sql.session.timeZone = Asia/Tokyo"),
        ("set timezone = America/Sao_Paulo", "SET spark.sql.session.timeZone = America/Sao_Paulo"),
        ("SET ANSI_MODE = false", "SET spark.sql.ansi.enabled = false"),
        ("SET LEGACY_TIME_PARSER_POLICY = LEGACY", "SET spark.sql.legacy.timeParserPolicy = LEGACY"),
    ],
)
def test_a_parameter_of_databricks_sql_is_a_setting_of_spark(statements, sql, statement):
    """Spark would keep the name, and nothing would change."""
    server = Tables(answers={"SET ": [{"value": "now"}]})
    names = Names(statements.catalogs, "dev")

    shown = statements.translate(sql, "session", names, server, lambda plain: plain)

    assert server.statements == [statement, statement.partition(" =")[0]]
    assert shown == rows_as_sql(["key", "value"], [(sql.split()[1], "now")])


def test_parameters_are_reset_and_those_without_effect_are_noted(run, caplog):
    """A setting of Spark is its own."""
    assert run("RESET timezone") == "RESET spark.sql.session.timeZone"
    assert run("RESET spark.sql.ansi.enabled") == "RESET spark.sql.ansi.enabled"
    assert run("RESET") == "RESET"
    assert run("SET TIME ZONE 'UTC'") == "SET TIME ZONE 'UTC'"
    with caplog.at_level(logging.WARNING, "lakelocal.dialect"):
        assert run("SET use_cached_result = false") == NOTHING
        assert run("SET `spark.sql.shuffle.partitions` = AUTO;") == NOTHING
    assert "use_cached_result has no effect on this machine" in caplog.text
    assert "spark.sql.shuffle.partitions stays as it is on this machine" in caplog.text
    assert run("SET spark.sql.shuffle.partitions = 8") == "SET spark.sql.shuffle.partitions = 8"


def test_a_volume_is_renamed_in_its_schema(run, statements):
    """With its files, under its own name, which is not taken."""
    raw = statements.volumes.catalogs.volumes("dev") / "raw"
    for name in ("old", "other"):
        (raw / name).mkdir(parents=True)
    (raw / "old" / "x.csv").write_text("a")

    assert run("ALTER VOLUME dev.raw.old RENAME TO dev.raw.new") == NOTHING

    assert (raw / "new" / "x.csv").read_text() == "a" and not (raw / "old").exists()
    for sql, problem in (
        ("ALTER VOLUME dev.raw.old RENAME TO dev.raw.newer", "the volume does not exist"),
        ("ALTER VOLUME dev.raw.new RENAME TO dev.raw.other", "expected a new name in the same schema"),
        ("ALTER VOLUME dev.raw.new RENAME TO dev.b.new", "expected a new name in the same schema"),
    ):
        with pytest.raises(DialectError, match=problem):
            run(sql)
