"""Statements that only Unity Catalog knows: done, noted or refused."""

import logging

import pytest

from lakelocal.dialect.statement import rows_of
from lakelocal.dialect.statements import NOTHING, Statements
from lakelocal.dialect.volumes import Volumes
from lakelocal.errors import DialectError
from lakelocal.paths import DatabricksPaths
from lakelocal.project import State


@pytest.fixture
def statements(tmp_path) -> Statements:
    """Those of the catalog `dev`."""
    state = State(tmp_path, "dev", tmp_path / "dev").make()
    return Statements(Volumes(DatabricksPaths(state)))


@pytest.fixture
def run(statements):
    """Translates for a server with the schemas `default` and `raw`."""
    return lambda sql: statements.translate(sql, "session", {"default", "raw"}.__contains__)


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
        ("SHOW CATALOGS", rows_of(["catalog"], [("dev",)])),
        ("SHOW CATALOGS LIKE 'x*'", rows_of(["catalog"], [])),
        ("SHOW SCHEMAS IN dev LIKE 'r*'", "SHOW SCHEMAS  LIKE 'r*'"),
        ("SHOW GRANTS ON TABLE dev.raw.t", rows_of(["Principal", "ActionType", "ObjectType", "ObjectKey"], [])),
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
    """What has a counterpart runs as it."""
    assert run(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT ON TABLE dev.raw.t TO `users`",
        "REVOKE ALL PRIVILEGES ON SCHEMA dev.raw FROM `users`",
        "COMMENT ON CATALOG dev IS 'x'",
        "COMMENT ON VOLUME dev.raw.v IS 'x'",
        "ALTER SCHEMA dev.raw OWNER TO `users`",
        "ALTER TABLE dev.raw.t SET OWNER TO `users`",
        "ALTER TABLE dev.raw.t SET TAGS ('a' = 'b')",
        "ALTER TABLE dev.raw.t ALTER COLUMN x UNSET TAGS ('a')",
        "ALTER CATALOG dev ENABLE PREDICTIVE OPTIMIZATION",
    ],
)
def test_noted(run, sql, caplog):
    """A statement that changes nothing here says so, in one line that names it."""
    with caplog.at_level(logging.WARNING, "lakelocal.dialect"):
        assert run(sql) == NOTHING

    (record,) = caplog.records
    assert sql[:25] in record.getMessage() and "nothing was done" in record.getMessage()


@pytest.mark.parametrize(
    "sql",
    [
        "USE CATALOG prod",
        "USE prod.raw",
        "CREATE CATALOG IF NOT EXISTS prod",
        "CREATE CATALOG dev",
        "DROP CATALOG dev CASCADE",
        "CREATE EXTERNAL VOLUME dev.raw.v LOCATION 's3://b'",
        "CREATE VOLUME dev.raw.v LOCATION 's3://b'",
        "CREATE VOLUME dev.nope.v",
        "DROP VOLUME dev.raw.nope",
        "COPY INTO dev.raw.t FROM '/Volumes/dev/raw/v'",
        "CREATE OR REFRESH STREAMING TABLE t AS SELECT 1",
        "CREATE OR REPLACE VIEW v\nWITH METRICS\nLANGUAGE YAML\nAS $$\nsource: (a\nmeasures: []\n$$",
        "CREATE CONNECTION c TYPE mysql",
        "ALTER TABLE dev.raw.t SET ROW FILTER f ON (x)",
        "ALTER TABLE dev.raw.t ALTER COLUMN x SET MASK m",
        "UNDROP TABLE dev.raw.t",
    ],
)
def test_refused(run, sql):
    """One line, which names the statement."""
    with pytest.raises(DialectError) as raised:
        run(sql)

    assert "\n" not in str(raised.value)
    assert sql.split()[0] in str(raised.value)


def test_a_volume_is_a_folder(run, statements):
    """The folder is the only record, so it cannot disagree with the files."""
    assert run("CREATE VOLUME IF NOT EXISTS dev.raw.v COMMENT 'landing'") == NOTHING
    assert run("CREATE VOLUME IF NOT EXISTS dev.raw.v") == NOTHING
    assert statements.volumes.existing() == [("raw", "v")]
    assert run("SHOW VOLUMES IN dev.raw") == rows_of(["database", "volume_name"], [("raw", "v")])

    with pytest.raises(DialectError, match="the volume exists"):
        run("CREATE VOLUME raw.v")
    assert run("DROP VOLUME raw.v") == NOTHING
    assert run("DROP VOLUME IF EXISTS raw.v") == NOTHING
    assert statements.volumes.existing() == []


def test_a_volume_without_a_schema_is_in_the_sessions_own(run, statements):
    """Sessions of several notebooks share the dialect, but not their current schema."""
    run("USE dev.raw")
    run("CREATE VOLUME mine")
    statements.translate("CREATE VOLUME other", "another session", {"default", "raw"}.__contains__)

    assert statements.volumes.existing() == [("default", "other"), ("raw", "mine")]
