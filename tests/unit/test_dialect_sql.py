"""SQL text of Databricks becomes SQL text of Spark; what is not the name of a table is kept as it is written."""

import pytest

from lakelocal.dialect.names import Names, Needed
from lakelocal.dialect.sql import SqlText
from lakelocal.dialect.volumes import Volumes
from lakelocal.errors import DialectError, PathError
from lakelocal.paths import DatabricksPaths
from lakelocal.project import State


@pytest.fixture
def volumes(tmp_path) -> Volumes:
    state = State(tmp_path, "dev", tmp_path / "dev").make()
    (state.volumes / "raw" / "files").mkdir(parents=True)
    return Volumes(DatabricksPaths(state))


def text_in(volumes: Volumes, current: str = "dev") -> SqlText:
    """The SQL of a session whose current catalog is *current*."""
    return SqlText(volumes, Names(volumes.catalogs, current), "sales")


@pytest.fixture
def rewrite(volumes):
    return text_in(volumes).rewrite


CHANGED = {
    "SELECT * FROM dev.a.t": "SELECT * FROM a.t",
    "select * from DEV.a.t": "select * from a.t",
    "SELECT * FROM `dev`.`a`.`t` x": "SELECT * FROM `a`.`t` x",
    "SELECT * FROM dev . a /* why */ . t": "SELECT * FROM a /* why */ . t",
    "SELECT * FROM dev.a.t, dev.b.u AS u, c.v": "SELECT * FROM a.t, b.u AS u, c.v",
    "SELECT * FROM a.t JOIN dev.b.u ON t.x = u.x, dev.c.v": "SELECT * FROM a.t JOIN b.u ON t.x = u.x, c.v",
    "SELECT * FROM (dev.a.t CROSS JOIN dev.b.u)": "SELECT * FROM (a.t CROSS JOIN b.u)",
    "SELECT (SELECT max(x) FROM dev.a.t) FROM dev.b.u": "SELECT (SELECT max(x) FROM a.t) FROM b.u",
    "WITH c AS (SELECT 1 FROM dev.a.t) SELECT * FROM c, dev.b.u": "WITH c AS (SELECT 1 FROM a.t) SELECT * FROM c, b.u",
    "SELECT dev.a.t.x, t.* FROM dev.a.t": "SELECT a.t.x, t.* FROM a.t",
    "SELECT dev.a.t.* FROM dev.a.t": "SELECT a.t.* FROM a.t",
    "SELECT dev.a.f(x) FROM t": "SELECT a.f(x) AS `dev.a.f(x)` FROM t",
    "INSERT INTO dev.a.t VALUES (1)": "INSERT INTO a.t VALUES (1)",
    "INSERT OVERWRITE TABLE dev.a.t SELECT 1": "INSERT OVERWRITE TABLE a.t SELECT 1",
    "UPDATE dev.a.t SET x = 1": "UPDATE a.t SET x = 1",
    "DELETE FROM dev.a.t WHERE x IS DISTINCT FROM y": "DELETE FROM a.t WHERE x IS DISTINCT FROM y",
    "MERGE INTO dev.a.t AS t USING dev.b.u AS u ON t.k = u.k WHEN MATCHED THEN UPDATE SET *": (
        "MERGE INTO a.t AS t USING b.u AS u ON t.k = u.k WHEN MATCHED THEN UPDATE SET *"
    ),
    "CREATE TABLE IF NOT EXISTS dev.a.t (x INT) USING delta": "CREATE TABLE IF NOT EXISTS a.t (x INT) USING delta",
    "CREATE TABLE dev.a.t LIKE dev.b.u": "CREATE TABLE a.t LIKE b.u",
    "CREATE TABLE dev.a.t SHALLOW CLONE dev.b.u": "CREATE TABLE a.t SHALLOW CLONE b.u",
    # What a view keeps is told with its catalog: by SHOW CREATE TABLE, for one.
    "CREATE OR REPLACE VIEW dev.a.v AS SELECT * FROM dev.a.t": (
        "CREATE OR REPLACE VIEW a.v AS SELECT * FROM spark_catalog.a.t"
    ),
    "CREATE VIEW dev.a.v (x COMMENT 'AS dev.a.t') AS SELECT dev.a.t.x FROM dev.a.t JOIN a.u": (
        "CREATE VIEW a.v (x COMMENT 'AS dev.a.t') AS SELECT spark_catalog.a.t.x FROM spark_catalog.a.t JOIN a.u"
    ),
    "ALTER VIEW dev.a.v AS SELECT 1 FROM dev.a.t": "ALTER VIEW a.v AS SELECT 1 FROM spark_catalog.a.t",
    "ALTER VIEW dev.a.v RENAME TO dev.a.w": "ALTER VIEW a.v RENAME TO a.w",
    "CREATE TEMP VIEW v AS SELECT * FROM dev.a.t": "CREATE TEMP VIEW v AS SELECT * FROM a.t",
    "DROP TABLE IF EXISTS dev.a.t": "DROP TABLE IF EXISTS a.t",
    "ALTER TABLE dev.a.t RENAME TO dev.a.u": "ALTER TABLE a.t RENAME TO a.u",
    "DESCRIBE dev.a.t": "DESCRIBE a.t",
    "DESCRIBE HISTORY dev.a.t": "DESCRIBE HISTORY a.t",
    "DESC TABLE EXTENDED dev.a.t": "DESC TABLE EXTENDED a.t",
    "OPTIMIZE dev.a.t ZORDER BY (x)": "OPTIMIZE a.t ZORDER BY (x)",
    "VACUUM dev.a.t DRY RUN": "VACUUM a.t DRY RUN",
    "REFRESH TABLE dev.a.t": "REFRESH TABLE a.t",
    "SHOW TBLPROPERTIES dev.a.t": "SHOW TBLPROPERTIES a.t",
    "SHOW PARTITIONS dev.a.t": "SHOW PARTITIONS a.t",
    "RESTORE dev.a.t TO VERSION AS OF 1": "RESTORE a.t TO VERSION AS OF 1",
    "CREATE FUNCTION IF NOT EXISTS dev.a.f(x INT) RETURN x": "CREATE FUNCTION IF NOT EXISTS a.f(x INT) RETURN x",
    "SHOW TABLE EXTENDED IN dev.a LIKE '*'": "SHOW TABLE EXTENDED IN a LIKE '*'",
    "SHOW COLUMNS IN dev.a.t": "SHOW COLUMNS IN a.t",
    "SHOW TABLES IN dev.a": "SHOW TABLES IN a",
    "SHOW VIEWS FROM dev.a LIKE 'x'": "SHOW VIEWS FROM a LIKE 'x'",
    "CREATE SCHEMA IF NOT EXISTS dev.a": "CREATE SCHEMA IF NOT EXISTS a",
    "DROP SCHEMA dev.a CASCADE": "DROP SCHEMA a CASCADE",
    "SELECT * FROM dev.a.t VERSION AS OF 3": "SELECT * FROM a.t VERSION AS OF 3",
    "SELECT * FROM dev.a.t@v3": "SELECT * FROM a.t VERSION AS OF 3",
    "SELECT * FROM table_changes('dev.a.t', 1)": "SELECT * FROM table_changes('a.t', 1)",
    "SELECT * FROM IDENTIFIER('dev.a.t')": "SELECT * FROM IDENTIFIER('a.t')",
    "SELECT current_catalog()": "SELECT 'dev' AS `current_catalog()`",
    "SELECT upper(current_catalog()) AS c": "SELECT upper('dev') AS c",
}

SAME = [
    "SELECT a.b.c FROM s.t",
    "SELECT dev.b.c FROM s.t AS dev",
    "SELECT dev.b.c.d FROM (SELECT dev FROM s.t)",
    "WITH dev AS (SELECT 1 AS x) SELECT dev.x FROM dev",
    "SELECT 'FROM dev.a.t' AS x, \"dev.a.t\" AS y FROM s.t",
    "SELECT 'it''s dev.a.t', 'a \\' FROM dev.a.t' FROM s.t",
    "SELECT 1 -- FROM dev.a.t",
    "SELECT 1 /* FROM dev.a.t /* JOIN dev.b.u */ */ + 1",
    "SELECT '/Volumes/dev/raw/files/x' AS path FROM s.t WHERE path = '/Volumes/dev/raw/files/x'",
    "SELECT extract(YEAR FROM other.b.c), trim(BOTH ' ' FROM x.y.z) FROM s.t",
    "SELECT x IS NOT DISTINCT FROM other.b.c FROM s.t",
    "UPDATE s.t SET a.b.c = u.v.w",
    "MERGE INTO s.t USING s.u ON t.a.b.c = u.a.b.c WHEN MATCHED THEN UPDATE SET t.x.y.z = u.x.y.z",
    "SELECT transform(xs, x -> x.a.b.c) FROM s.t LATERAL VIEW explode(t.a.b.c) e AS f",
    "CREATE TABLE s.t (x INT) TBLPROPERTIES (delta.columnMapping.mode = 'name')",
    "SELECT * FROM s.t JOIN s.u USING (k)",
    "SELECT * FROM spark_catalog.s.t",
    "INSERT INTO s.t VALUES (1), (2)",
    "SELECT a LIKE b.c.d FROM s.t",
    "SELECT 'unfinished",
    "",
]


@pytest.mark.parametrize(("sql", "expected"), CHANGED.items(), ids=range(len(CHANGED)))
def test_names_in_a_table_position_lose_the_catalog(rewrite, sql, expected):
    """Spark's own catalog contains the schemas of the run's catalog."""
    assert rewrite(sql) == expected


@pytest.mark.parametrize("sql", SAME, ids=range(len(SAME)))
def test_all_else_stays(rewrite, sql):
    """Struct fields, aliases, strings and comments may look like a table's name."""
    assert rewrite(sql) == sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM prod.a.t",
        "SELECT * FROM s.t, prod.a.t",
        "INSERT INTO `prod`.a.t VALUES (1)",
        "MERGE INTO s.t USING prod.a.u ON true WHEN MATCHED THEN DELETE",
        "CREATE TABLE prod.a.t (x INT)",
        "CREATE SCHEMA prod.a",
        "SHOW TABLES IN prod.a",
    ],
)
def test_a_catalog_that_does_not_exist_is_an_error(rewrite, sql):
    """As on Databricks; the message says which exist, how to create one, and names the statement."""
    with pytest.raises(DialectError, match=r"the catalog `prod`, which does not exist here.*CREATE CATALOG prod"):
        rewrite(sql)


OTHERS = {
    "SELECT * FROM lake.a.t": "SELECT * FROM catalog__lake__a.t",
    "SELECT * FROM `Lake`.`A`.`my t` x": "SELECT * FROM catalog__lake__a.`my t` x",
    "SELECT lake.a.t.x, u.* FROM lake.a.t, dev.b.u": "SELECT catalog__lake__a.t.x, u.* FROM catalog__lake__a.t, b.u",
    "SELECT lake.a.t.* FROM lake.a.t": "SELECT catalog__lake__a.t.* FROM catalog__lake__a.t",
    "SELECT lake.a.f(x) FROM b.u": "SELECT catalog__lake__a.f(x) AS `lake.a.f(x)` FROM b.u",
    "SELECT main.a.b.c FROM b.u": "SELECT main.a.b.c FROM b.u",
    "MERGE INTO lake.a.t USING b.u ON t.k = u.k WHEN MATCHED THEN DELETE": (
        "MERGE INTO catalog__lake__a.t USING b.u ON t.k = u.k WHEN MATCHED THEN DELETE"
    ),
    "CREATE SCHEMA IF NOT EXISTS lake.a": "CREATE SCHEMA IF NOT EXISTS catalog__lake__a",
    "SHOW TABLES IN hive_metastore.default": "SHOW TABLES IN catalog__hive_5fmetastore__default",
    "SELECT * FROM table_changes('lake.a.t', 1)": "SELECT * FROM table_changes('catalog__lake__a.t', 1)",
    "SELECT * FROM dev.information_schema.tables t": "SELECT * FROM catalog__dev__information_schema.tables t",
    "SELECT * FROM information_schema.columns": "SELECT * FROM catalog__dev__information_schema.columns",
    "SELECT columns.x FROM system.information_schema.columns": (
        "SELECT columns.x FROM catalog__system__information_schema.columns"
    ),
    "SELECT 'FROM lake.a.t' -- lake.a.t": "SELECT 'FROM lake.a.t' -- lake.a.t",
}
IN_LAKE = {
    "SELECT t.x FROM t": "SELECT t.x FROM t",
    "SELECT a.t.x, s.y.z FROM a.t": "SELECT catalog__lake__a.t.x, s.y.z FROM catalog__lake__a.t",
    "SELECT dev.a.t.x, dev.a.f(1) + 1 FROM dev.a.t": (
        "SELECT spark_catalog.a.t.x, spark_catalog.a.f(1) + 1 FROM spark_catalog.a.t"
    ),
    "CREATE TABLE dev.a.t LIKE dev.b.u": "CREATE TABLE a.t LIKE b.u",
    "ALTER TABLE dev.a.t RENAME TO dev.a.u": "ALTER TABLE spark_catalog.a.t RENAME TO a.u",
    "INSERT INTO a.t SELECT * FROM b.u": "INSERT INTO catalog__lake__a.t SELECT * FROM catalog__lake__b.u",
    "SELECT a.f(g(x), 1), a.f(x) AS y, 1 + a.f(x)": (
        "SELECT catalog__lake__a.f(g(x), 1) AS `a.f(g(x), 1)`, catalog__lake__a.f(x) AS y, 1 + catalog__lake__a.f(x)"
    ),
    "CREATE SCHEMA IF NOT EXISTS a COMMENT 'a'": "CREATE SCHEMA IF NOT EXISTS catalog__lake__a COMMENT 'a'",
    "DROP SCHEMA a CASCADE": "DROP SCHEMA catalog__lake__a CASCADE",
    "SHOW TABLES IN a LIKE 'x*'": "SHOW TABLES IN catalog__lake__a LIKE 'x*'",
    "SHOW TABLES LIKE 'x*'": "SHOW TABLES LIKE 'x*'",
    "CREATE TABLE a.t AS SELECT schema AS x FROM b.u": (
        "CREATE TABLE catalog__lake__a.t AS SELECT schema AS x FROM catalog__lake__b.u"
    ),
    "SELECT current_schema(), current_catalog()": (
        "SELECT 'sales' AS `current_schema()`, 'lake' AS `current_catalog()`"
    ),
    "SELECT * FROM global_temp.v": "SELECT * FROM global_temp.v",
    "INSERT WITH SCHEMA EVOLUTION INTO a.t SELECT 1": "INSERT WITH SCHEMA EVOLUTION INTO catalog__lake__a.t SELECT 1",
    "ANALYZE TABLES IN a COMPUTE STATISTICS": "ANALYZE TABLES IN catalog__lake__a COMPUTE STATISTICS",
    "ALTER SCHEMA a SET DBPROPERTIES (x = 'y')": "ALTER SCHEMA catalog__lake__a SET DBPROPERTIES (x = 'y')",
    "DESCRIBE SCHEMA EXTENDED a": "DESCRIBE SCHEMA EXTENDED catalog__lake__a",
    "SELECT * FROM parquet.`/tmp/x`": "SELECT * FROM parquet.`/tmp/x`",
}


@pytest.mark.parametrize(("sql", "expected"), OTHERS.items(), ids=range(len(OTHERS)))
def test_names_of_another_catalog(volumes, rewrite, sql, expected):
    """Its schemas are schemas of the one metastore, whose names represent both."""
    volumes.catalogs.create("lake")

    assert rewrite(sql) == expected


@pytest.mark.parametrize(("sql", "expected"), IN_LAKE.items(), ids=range(len(IN_LAKE)))
def test_names_without_a_catalog_are_of_the_current_one(volumes, sql, expected):
    """After USE CATALOG lake; the text of a query is translated again with each frame that is made of it."""
    volumes.catalogs.create("lake")

    assert text_in(volumes, "lake").rewrite(sql) == expected
    if sql.startswith("SELECT"):
        assert text_in(volumes, "lake").rewrite(expected) == expected


def test_what_a_request_needs_is_noted(volumes):
    """Tables of the run's own catalog need nothing: most requests name no other catalog."""
    volumes.catalogs.create("lake")
    text = text_in(volumes)

    text.rewrite("SELECT * FROM dev.a.t JOIN b.u")
    assert text.names.needed == []
    text.rewrite("SELECT * FROM lake.a.t JOIN samples.nyctaxi.trips JOIN LAKE.A.T")
    text.rewrite("USE lake.x")
    assert text.names.needed == [Needed("lake", "a", "t"), Needed("samples", "nyctaxi", "trips")]


def test_system_tables_are_refused(rewrite):
    """What Databricks meters and audits has no counterpart."""
    with pytest.raises(DialectError, match=r"found `system\.billing`.* only `information_schema` exists here"):
        rewrite("SELECT * FROM system.billing.usage")


def test_paths_in_path_positions_are_local(rewrite, volumes):
    """Only in the position of a path; the same string elsewhere is data."""
    place = str(volumes.paths.state.volumes / "raw" / "files")

    assert rewrite("SELECT * FROM csv.`/Volumes/dev/raw/files/a b.csv`") == f"SELECT * FROM csv.`{place}/a b.csv`"
    assert rewrite("SELECT * FROM delta.`dbfs:/Volumes/dev/raw/files/t`") == f"SELECT * FROM delta.`{place}/t`"
    assert rewrite("CREATE TABLE s.t (x INT) LOCATION '/Volumes/dev/raw/files/t'") == (
        f"CREATE TABLE s.t (x INT) LOCATION '{place}/t'"
    )
    assert rewrite("CREATE TABLE s.t USING csv OPTIONS (path '/Volumes/dev/raw/files/t', sep ';')") == (
        f"CREATE TABLE s.t USING csv OPTIONS (path '{place}/t', sep ';')"
    )
    assert rewrite("CREATE TABLE s.t USING csv OPTIONS ('path' = 'dbfs:/x')") == (
        f"CREATE TABLE s.t USING csv OPTIONS ('path' = '{volumes.paths.state.dbfs}/x')"
    )


def test_a_missing_volume_is_named(rewrite):
    """The message begins as the runbooks and the troubleshooting guide have it."""
    with pytest.raises(PathError, match=r"^Volume path not found: /Volumes/dev/raw/nope/x .*CREATE VOLUME raw\.nope"):
        rewrite("SELECT * FROM csv.`/Volumes/dev/raw/nope/x`")


def test_the_path_of_a_file_is_the_notebooks(rewrite, volumes):
    """A whole entry of a SELECT list keeps its name; elsewhere a name would be a syntax error."""
    shown = text_in(volumes).file_path("_metadata.file_path")

    assert rewrite("SELECT x, _metadata.file_path FROM s.t") == f"SELECT x, {shown} AS file_path FROM s.t"
    assert rewrite("SELECT _metadata.file_path AS f FROM s.t") == f"SELECT {shown} AS f FROM s.t"
    assert rewrite("SELECT x FROM s.t GROUP BY x, _metadata.file_path") == f"SELECT x FROM s.t GROUP BY x, {shown}"
    assert rewrite("_metadata.file_path AS f") == f"{shown} AS f"


@pytest.mark.parametrize("function", ["ai_query", "secret", "ai_classify", "is_account_group_member"])
def test_functions_of_databricks_are_refused(rewrite, function):
    """Spark would only say that the function does not exist."""
    with pytest.raises(DialectError, match=f"`{function}` is a function of Databricks; "):
        rewrite(f"SELECT * FROM {function}('x')")
