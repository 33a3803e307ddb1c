"""What becomes of each Databricks construct on this machine: the cases that run, and from which the table is made.

`run` does it with a session whose catalog is `olist_dev`; `expected` is the result or, if the verdict is REFUSED, a
part of the error's text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

TRANSLATED, APPROXIMATED, REFUSED = "translated", "approximated", "refused"
FILES = "/Volumes/olist_dev/shelf/files"


@dataclass(frozen=True)
class Case:
    construct: str
    verdict: str
    note: str
    run: Callable
    expected: object


def rows(*statements: str) -> Callable:
    """Run *statements* and return the rows of the last one, as tuples."""

    def run(spark) -> list[tuple]:
        for statement in statements[:-1]:
            spark.sql(statement)
        return [tuple(row) for row in spark.sql(statements[-1]).collect()]

    return run


def _delta_api(spark) -> list[tuple]:
    """Merge by the API of Delta, as notebooks do."""
    from delta.tables import DeltaTable
    from pyspark.sql import functions as F

    name = "olist_dev.shelf.by_api"
    spark.sql(f"CREATE OR REPLACE TABLE {name} AS SELECT 1 AS id, 'as it was' AS text")
    merge = DeltaTable.forName(spark, name).alias("t").merge(spark.range(2).alias("s"), F.col("t.id") == F.col("s.id"))
    merge.whenMatchedUpdate(set={"text": F.lit("changed")}).execute()
    return [tuple(row) for row in spark.table(name).collect()]


def _datasets(spark) -> tuple[list[tuple], ...]:
    """What is in a stream's table and in a view of it: when they are made, after a new row, and after each refresh."""
    for name in ("arrived", "numbered", "counted"):
        spark.sql(f"DROP TABLE IF EXISTS olist_dev.shelf.{name}")
    spark.sql("CREATE TABLE olist_dev.shelf.arrived AS SELECT 1 AS n")
    spark.sql("USE olist_dev.shelf")
    stream = "CREATE OR REFRESH STREAMING TABLE numbered AS SELECT n, CAST('10' AS INT) AS ten FROM STREAM arrived"
    spark.sql(stream)
    spark.sql("CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS c FROM numbered")
    counts = [rows("SELECT count(*) FROM numbered")(spark), rows("SELECT c FROM counted")(spark)]
    spark.sql("INSERT INTO arrived VALUES (2), (3)")
    spark.sql(stream)
    counts.append(rows("SELECT count(*) FROM numbered")(spark))
    spark.sql("DELETE FROM arrived WHERE n = 1")
    spark.sql("REFRESH STREAMING TABLE olist_dev.shelf.numbered FULL")
    spark.sql("REFRESH MATERIALIZED VIEW counted")
    counts.append(rows("SELECT c FROM counted")(spark))
    spark.sql("CREATE MATERIALIZED VIEW IF NOT EXISTS counted AS SELECT 0 AS c")
    spark.sql("CREATE OR REPLACE MATERIALIZED VIEW counted AS SELECT max(n) AS c FROM numbered")
    return (*counts, rows("SELECT c FROM counted")(spark))


def _altered(spark) -> list[str]:
    """The value of a property that is changed; then the view is dropped, and made again without it."""
    spark.sql(
        "CREATE OR REPLACE MATERIALIZED VIEW olist_dev.shelf.altered TBLPROPERTIES ('x' = 'made') AS SELECT 1 AS n"
    )
    spark.sql("ALTER MATERIALIZED VIEW olist_dev.shelf.altered ADD SCHEDULE EVERY 1 DAY")
    spark.sql("ALTER MATERIALIZED VIEW olist_dev.shelf.altered SET TBLPROPERTIES ('x' = 'changed')")
    found = spark.sql("SHOW TBLPROPERTIES olist_dev.shelf.altered ('x')").first()["value"]
    spark.sql("DROP MATERIALIZED VIEW olist_dev.shelf.altered")
    spark.sql("DROP MATERIALIZED VIEW IF EXISTS olist_dev.shelf.altered")
    return [found]


def _in_tokyo(spark) -> list[tuple]:
    """Set the zone, and what it is then; the session gets its own again."""
    try:
        return rows("SET TIMEZONE = 'Asia/Tokyo'", "SELECT current_timezone()")(spark)
    finally:
        spark.sql("RESET timezone")


def _made_again(spark) -> tuple[bool, list[tuple]]:
    """Make a table by the statement that SHOW CREATE TABLE gives, and read its partitions."""
    spark.sql(
        "CREATE OR REPLACE TABLE olist_dev.shelf.made (id BIGINT GENERATED ALWAYS AS IDENTITY, n INT DEFAULT 7,"
        " at TIMESTAMP NOT NULL COMMENT 'it''s', day DATE GENERATED ALWAYS AS (CAST(at AS DATE)),"
        " CONSTRAINT made_pk PRIMARY KEY (at), CONSTRAINT few CHECK (n < 9)) PARTITIONED BY (day) COMMENT 'all'"
        " TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported', 'my.own' = 'x')"
    )
    show = "SHOW CREATE TABLE olist_dev.shelf.made"
    first = spark.sql(show).first()[0]
    spark.sql("DROP TABLE olist_dev.shelf.made")
    spark.sql(first)
    spark.sql("INSERT INTO olist_dev.shelf.made (at) VALUES (TIMESTAMP '2024-01-02 10:00:00')")
    return spark.sql(show).first()[0] == first, rows("SHOW PARTITIONS olist_dev.shelf.made")(spark)


SETUP = (
    "CREATE SCHEMA IF NOT EXISTS olist_dev.shelf",
    "CREATE VOLUME IF NOT EXISTS olist_dev.shelf.files",
    "CREATE OR REPLACE TABLE olist_dev.shelf.books (id INT, place STRUCT<row: INT, name: STRING>) CLUSTER BY (id)",
    "INSERT INTO olist_dev.shelf.books VALUES (1, named_struct('row', 7, 'name', 'olist_dev.shelf.books'))",
)


def _metadata(spark) -> list[tuple]:
    spark.sql("SELECT 1 AS id").coalesce(1).write.mode("overwrite").csv(f"{FILES}/meta")
    frame = spark.read.csv(f"{FILES}/meta").selectExpr("_metadata.file_path LIKE '/Volumes/olist_dev/shelf/%'")
    return [tuple(row) for row in frame.collect()]


def _paths(spark) -> list[tuple]:
    spark.sql("SELECT 1 AS id").write.mode("overwrite").option("header", True).csv(f"{FILES}/out")
    return [tuple(row) for row in spark.read.option("header", True).csv(f"dbfs:{FILES}/out").collect()]


def _stream(spark) -> list[tuple]:
    spark.sql("DROP TABLE IF EXISTS olist_dev.shelf.streamed")
    stream = spark.readStream.table("olist_dev.shelf.books").writeStream.trigger(availableNow=True)
    stream.option("checkpointLocation", f"{FILES}/checkpoint").toTable("olist_dev.shelf.streamed").awaitTermination(60)
    return [tuple(row) for row in spark.sql("SELECT id FROM shelf.streamed").collect()]


def _saved(spark) -> list[tuple]:
    spark.range(2).write.mode("overwrite").saveAsTable("olist_dev.shelf.saved")
    spark.range(2).writeTo("olist_dev.shelf.saved").append()
    return [(spark.table("olist_dev.shelf.saved").count(),)]


def _copy_into(spark) -> list[tuple]:
    spark.sql("CREATE OR REPLACE TABLE olist_dev.shelf.copied (id INT)")
    spark.sql("SELECT 5 AS id").coalesce(1).write.mode("overwrite").json(f"{FILES}/copied")
    copy = f"COPY INTO olist_dev.shelf.copied FROM '{FILES}/copied' FILEFORMAT = JSON"
    return [tuple(spark.sql(copy).first()) for _ in range(2)]


def _read_files(spark) -> list[tuple]:
    spark.sql("SELECT 5 AS id").coalesce(1).write.mode("overwrite").option("header", True).csv(f"{FILES}/read")
    query = "SELECT id, regexp_replace(_metadata.file_name, 'part-.*csv', 'a.csv') FROM read_files(:path)"
    return [tuple(row) for row in spark.sql(query, args={"path": f"{FILES}/read/*.csv"}).collect()]


def _cloud_files(**options: str) -> Callable:
    def run(spark) -> list[str]:
        reader = spark.readStream.format("cloudFiles").options(**{"cloudFiles.format": "csv", "header": "true"})
        return reader.options(**options).schema("id INT").load(FILES).columns

    return run


CASES = (
    Case("`catalog.schema.table` in SQL, in `spark.table`, `saveAsTable`, `writeTo`", TRANSLATED,
         "the run's catalog; `catalog.schema.table.column` and functions too",
         rows("SELECT olist_dev.shelf.books.id, b.place.name FROM olist_dev.shelf.books JOIN shelf.books b USING (id)"),
         [(1, "olist_dev.shelf.books")]),
    Case("DataFrame writers with three-part names", TRANSLATED, "", _saved, [(4,)]),
    Case("tables of several catalogs, also in one statement", TRANSLATED,
         "those of another catalog than the run's are schemas of the same metastore, whose names nobody sees",
         rows("CREATE CATALOG IF NOT EXISTS lake", "CREATE SCHEMA IF NOT EXISTS lake.shelf",
              "CREATE OR REPLACE TABLE lake.shelf.books AS SELECT id + 1 AS id FROM olist_dev.shelf.books",
              "SELECT l.id, b.id FROM lake.shelf.books l JOIN olist_dev.shelf.books b ON l.id = b.id + 1"), [(2, 1)]),
    Case("`samples.nyctaxi`, `samples.tpch`, `samples.bakehouse`, `samples.wanderbricks`", APPROXIMATED,
         "Databricks' columns, generated rows; made when a statement first names them",
         rows("SELECT count(*), count(DISTINCT o_custkey) > 200 FROM samples.tpch.orders"), [(3000, True)]),
    Case("other sample data", REFUSED, "by name, with those that are here",
         rows("SELECT * FROM samples.accuweather.forecast_daily_calendar_metric"), "this machine does not have"),
    Case("a catalog that does not exist", REFUSED, "CREATE CATALOG, or a variable that names it",
         rows("SELECT * FROM prod.shelf.books"), "found the catalog `prod`"),
    Case("`information_schema` of each catalog, and of `system`", TRANSLATED,
         "also routines, keys and what they use; privileges and tags have no rows; a snapshot of when it is named",
         rows("SELECT column_name, ordinal_position, data_type FROM olist_dev.information_schema.columns "
              "WHERE table_schema = 'shelf' AND table_name = 'books' ORDER BY 2"),
         [("id", 1, "INT"), ("place", 2, "STRUCT")]),
    Case("other relations of `information_schema`, system tables", REFUSED, "by name",
         rows("SELECT * FROM system.information_schema.parameters"), "this relation does not exist here"),
    Case("strings, comments, struct fields and aliases that look like a table's name", TRANSLATED, "they stay",
         rows("SELECT place.name = 'olist_dev.shelf.books' /* FROM prod.a.b */ FROM olist_dev.shelf.books"), [(True,)]),
    Case("`spark.sql(text, args)`, named and positional", TRANSLATED, "written out as literals",
         lambda spark: [spark.sql("SELECT :a", args={"a": 1}).first()[0], spark.sql("SELECT ?", args=["x"]).first()[0]],
         [1, "x"]),
    Case("`IDENTIFIER(expression)`, also with arguments", TRANSLATED,
         "any constant expression, with functions and session variables",
         lambda spark: [tuple(spark.sql("SELECT id FROM IDENTIFIER(:c || '.shelf.books')", {"c": "olist_dev"}).first()),
                        *rows("DECLARE OR REPLACE VARIABLE named STRING DEFAULT 'olist_dev.shelf.books'",
                              "SELECT id FROM IDENTIFIER(session.named)")(spark),
                        *rows("SELECT id FROM IDENTIFIER(concat('olist_dev', '.shelf.', lower('BOOKS')))")(spark)],
         [(1,)] * 3),
    Case("`DECLARE VARIABLE`, `SET VARIABLE`", TRANSLATED, "Spark's own",
         rows("DECLARE OR REPLACE VARIABLE n INT DEFAULT 1",
              "SET VAR n = (SELECT max(id) + n FROM olist_dev.shelf.books)", "SELECT n, session.n"), [(2, 2)]),
    Case("`EXECUTE IMMEDIATE ... INTO ... USING ...`", TRANSLATED, "the statement in the string is translated too",
         rows("DECLARE OR REPLACE VARIABLE n INT", "DECLARE OR REPLACE VARIABLE one INT DEFAULT 1",
              "EXECUTE IMMEDIATE 'SELECT id + ? FROM olist_dev.shelf.books WHERE id = ?' INTO n USING 40 + one, one",
              "EXECUTE IMMEDIATE 'SELECT ' || ':x + n' USING (one AS x)"), [(43,)]),
    Case("SQL scripts, `BEGIN ... END`, with labels, handlers, loops", TRANSLATED,
         "Spark's own; each statement in them is translated",
         rows("outermost: BEGIN DECLARE total INT DEFAULT 0; USE CATALOG olist_dev; "
              "FOR r AS SELECT id FROM olist_dev.shelf.books DO SET total = total + r.id; END FOR; "
              "IF total > 0 THEN GRANT SELECT ON TABLE olist_dev.shelf.books TO `all`; END IF; "
              "SELECT outermost.total; END"), [(1,)]),
    Case("`SIGNAL` in a script", APPROXIMATED, "an error with the message; its SQLSTATE is that of `raise_error`",
         rows("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 'handled' AS x; "
              "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too few'; END"), [("handled",)]),
    Case("handlers of a SQLSTATE together with `SIGNAL`, `RESIGNAL`, `GET DIAGNOSTICS`, cursors", REFUSED, "",
         rows("BEGIN DECLARE c CURSOR FOR SELECT 1; OPEN c; END"), "A cursor in a script"),
    Case("`IDENTIFIER` and `EXECUTE IMMEDIATE` of a script's variable", APPROXIMATED,
         "when it runs, the run's catalog is cut out of the text",
         rows("BEGIN DECLARE t STRING DEFAULT 'olist_dev.shelf.books'; "
              "EXECUTE IMMEDIATE 'SELECT id FROM ' || t; END"), [(1,)]),
    Case("volumes, catalogs, deep clones, generated columns inside of a script", REFUSED, "before the script instead",
         rows("BEGIN CREATE VOLUME olist_dev.shelf.inside; END"), "is not possible inside BEGIN ... END"),
    Case("`CREATE PROCEDURE`, `CALL`, `SHOW`, `DESCRIBE`, `DROP PROCEDURE`", TRANSLATED,
         "kept in the state; a call is a script; none calls itself",
         rows("DECLARE OR REPLACE VARIABLE n INT",
              "CREATE OR REPLACE PROCEDURE olist_dev.shelf.count_books(least INT DEFAULT 0, OUT n BIGINT) "
              "LANGUAGE SQL AS BEGIN SET n = (SELECT count(*) FROM olist_dev.shelf.books WHERE id >= least); "
              "SELECT n + 100; END",
              "CALL olist_dev.shelf.count_books(n => n)"), [(101,)]),
    Case("SQL functions in a schema, also `RETURNS TABLE`, by their whole names", TRANSLATED,
         "a table function becomes its query where it is called",
         rows("CREATE OR REPLACE FUNCTION olist_dev.shelf.twice(x INT) RETURNS INT RETURN x * 2",
              "CREATE OR REPLACE FUNCTION olist_dev.shelf.above(x INT DEFAULT 0) RETURNS TABLE (id INT, least INT) "
              "RETURN SELECT id, x FROM shelf.books WHERE id > x",
              "SELECT a.id, b.least, olist_dev.shelf.twice(a.id) FROM olist_dev.shelf.above() a "
              "LEFT JOIN LATERAL olist_dev.shelf.above(a.id - 1) b"), [(1, 0, 2)]),
    Case("`CREATE FUNCTION ... LANGUAGE PYTHON AS $$ ... $$`, also `RETURNS TABLE ... HANDLER`", TRANSLATED,
         "kept in the state; a view, or a SQL function, cannot call one",
         rows("CREATE OR REPLACE FUNCTION olist_dev.shelf.shout(x STRING, n INT DEFAULT 1) RETURNS STRING "
              "LANGUAGE PYTHON AS $$\n# isn't it\nreturn None if x is None else x.upper() + '!' * n\n$$",
              "CREATE OR REPLACE FUNCTION olist_dev.shelf.words(x STRING) RETURNS TABLE (word STRING, n INT) "
              "LANGUAGE PYTHON HANDLER 'Words' AS $$\nclass Words:\n    def eval(self, x):\n"
              "        yield from ((word, n) for n, word in enumerate(x.split()))\n$$",
              "SELECT olist_dev.shelf.shout(word, n), olist_dev.shelf.shout(NULL) FROM olist_dev.shelf.words('a b')"),
         [("A", None), ("B!", None)]),
    Case("a view that calls a Python function", REFUSED, "use a temporary view",
         rows("CREATE OR REPLACE FUNCTION olist_dev.shelf.one() RETURNS INT LANGUAGE PYTHON AS $$ return 1 $$",
              "CREATE OR REPLACE VIEW olist_dev.shelf.ones AS SELECT olist_dev.shelf.one()"), "Use a temporary view"),
    Case("`${setting}` in names", TRANSLATED, "settings of the session, put in before names are translated",
         rows("SET my.schema = olist_dev.shelf", "SELECT id FROM ${my.schema}.books"), [(1,)]),
    Case("`QUALIFY`", TRANSLATED, "names of the SELECT list may stand in it",
         rows("SELECT x, y FROM VALUES (1, 2), (1, 3), (2, 9) AS t(x, y) "
              "QUALIFY row_number() OVER (PARTITION BY x ORDER BY y DESC) = 1 ORDER BY y",
              "SELECT x, sum(y) AS total FROM VALUES (1, 2), (1, 3), (2, 9) AS t(x, y) GROUP BY x "
              "QUALIFY rank() OVER (ORDER BY total DESC) = 1"), [(2, 9)]),
    Case("`column:path` on strings, with `::type`, `[0]`, `[*]`, `['field']`", TRANSLATED,
         "names whatever their case; VARIANT is Spark's own",
         rows("SELECT raw:Owner, raw:['Owner'], raw:a.b::int + 1, raw:items[1].x, raw:items[*].x, v:a::int FROM ("
              """SELECT '{"owner": "o", "a": {"b": 4}, "items": [{"x": 1}, {"x": 2}]}' AS raw,"""
              """ parse_json('{"a": 7}') AS v)"""),
         [("o", None, 5, "2", "[1,2]", 7)]),
    Case("names that begin with a digit", TRANSLATED, "",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.2024_sales (1st INT)",
              "INSERT INTO olist_dev.shelf.2024_sales VALUES (1)",
              "SELECT s.1st, 1e1 FROM olist_dev.shelf.2024_sales s"), [(1, 10.0)]),
    Case("`USE CATALOG`, `SET CATALOG`, `USE catalog.schema`", TRANSLATED, "",
         rows("USE CATALOG olist_dev", "USE olist_dev.shelf", "SELECT count(*) FROM books"), [(1,)]),
    Case("`current_catalog()`, `spark.catalog.currentCatalog()`, `SHOW CATALOGS`", TRANSLATED,
         "there are the run's, `hive_metastore`, `main`, `samples`, `system`, and those that code or the bundle makes",
         lambda spark: [spark.sql("SELECT current_catalog()").first()[0], spark.catalog.currentCatalog(),
                        spark.sql("SHOW CATALOGS LIKE 'olist*'").first()[0]], ["olist_dev"] * 3),
    Case("`spark.catalog` with three-part names", TRANSLATED, "",
         lambda spark: [spark.catalog.tableExists("olist_dev.shelf.books"),
                        spark.catalog.databaseExists("olist_dev.shelf"),
                        spark.catalog.getTable("olist_dev.shelf.books").catalog], [True, True, "olist_dev"]),
    Case("`CREATE CATALOG`, `DROP CATALOG`", TRANSLATED, "the run's catalog cannot be dropped",
         rows("CREATE CATALOG passing", "USE CATALOG passing", "CREATE SCHEMA s", "CREATE TABLE s.t AS SELECT 1 AS x",
              "USE CATALOG olist_dev", "DROP CATALOG passing CASCADE", "SHOW CATALOGS LIKE 'pass*'"), []),
    Case("`CREATE SCHEMA ... MANAGED LOCATION`", APPROXIMATED, "the location is left out, with a note",
         rows("CREATE SCHEMA IF NOT EXISTS olist_dev.shelf MANAGED LOCATION 's3://b'"), []),
    Case("`CREATE VOLUME`, `DROP VOLUME`, `SHOW VOLUMES`, `DESCRIBE VOLUME`", TRANSLATED, "a folder of the state",
         rows("CREATE VOLUME olist_dev.shelf.x", "DROP VOLUME olist_dev.shelf.x", "SHOW VOLUMES IN olist_dev.shelf"),
         [("shelf", "files")]),
    Case("`CREATE EXTERNAL VOLUME`", REFUSED, "there is no other storage",
         rows("CREATE EXTERNAL VOLUME olist_dev.shelf.x LOCATION 's3://b'"), "no counterpart on this machine"),
    Case("`/Volumes/...`, `dbfs:/...` in readers and writers", TRANSLATED, "folders of the state", _paths, [("1",)]),
    Case("``csv.`/Volumes/...` ``, `LOCATION`, `OPTIONS (path ...)`", TRANSLATED, "other strings are data",
         rows(f"INSERT OVERWRITE DIRECTORY '{FILES}/dir' USING csv SELECT 5", f"SELECT _c0 FROM csv.`{FILES}/dir`"),
         [("5",)]),
    Case("`checkpointLocation` in a volume, `toTable`", TRANSLATED, "", _stream, [(1,)]),
    Case("a path in a volume that does not exist", REFUSED, "the message names the path",
         lambda spark: spark.read.text("/Volumes/olist_dev/shelf/nowhere/x").collect(),
         "Volume path not found: /Volumes/olist_dev/shelf/nowhere/x"),
    Case("`_metadata.file_path`, `input_file_name()`", TRANSLATED,
         "`/Volumes/...`; the whole struct `_metadata` still has the local path", _metadata, [(True,)]),
    Case("`LIST '/Volumes/...'`", APPROXIMATED, "path, name, size",
         rows(f"INSERT OVERWRITE DIRECTORY '{FILES}/l' USING csv SELECT 5", f"LIST '{FILES}/l/_SUCCESS'"), []),
    Case("`GRANT`, `REVOKE`, `COMMENT ON CATALOG`, `VOLUME` or `FUNCTION`, `OWNER TO`, `SET TAGS`", APPROXIMATED,
         "nothing is done, with a note", rows("GRANT SELECT ON TABLE olist_dev.shelf.books TO `all`"), []),
    Case("`SHOW GRANTS`", APPROXIMATED, "no rows", rows("SHOW GRANTS ON TABLE olist_dev.shelf.books"), []),
    Case("`COMMENT ON SCHEMA`", TRANSLATED, "kept in a property of the schema",
         rows("COMMENT ON SCHEMA olist_dev.shelf IS 'it''s (a, shelf)'", "SELECT comment FROM "
              "olist_dev.information_schema.schemata WHERE schema_name = 'shelf'"), [("it's (a, shelf)",)]),
    Case("`COMMENT ON TABLE`, `COLUMN`", TRANSLATED, "",
         rows("COMMENT ON COLUMN olist_dev.shelf.books.id IS 'it''s a key'", "DESCRIBE olist_dev.shelf.books"),
         [("id", "int", "it's a key"), ("place", "struct<row:int,name:string>", None)]),
    Case("`TIMEZONE`, `ANSI_MODE` and other parameters of `SET`", TRANSLATED,
         "the settings of Spark that mean the same; those that change no result are noted",
         _in_tokyo, [("Asia/Tokyo",)]),
    Case("row filters, column masks", REFUSED, "to leave out a protection would be worse",
         rows("ALTER TABLE olist_dev.shelf.books ALTER COLUMN id SET MASK f"), "protect data"),
    Case("`CLUSTER BY (...)`, `OPTIMIZE`, `VACUUM`, `MERGE`, `RESTORE`, time travel", TRANSLATED, "Delta's own",
         lambda spark: (spark.sql("OPTIMIZE olist_dev.shelf.books").count(),
                        spark.sql("SELECT count(*) FROM olist_dev.shelf.books VERSION AS OF 0").first()[0]), (1, 0)),
    Case("`table@v1`, `table@yyyyMMddHHmmssSSS`, also in `spark.table`", TRANSLATED, "",
         lambda spark: [spark.sql("SELECT count(*) FROM olist_dev.shelf.books@v0 b").first()[0],
                        spark.table("olist_dev.shelf.books@v1").count()], [0, 1]),
    Case("`PRIMARY KEY`, `FOREIGN KEY`, `UNIQUE` in `CREATE TABLE` and `ALTER TABLE`", TRANSLATED,
         "information, kept in the table's properties; the columns of a primary key are NOT NULL",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.parent (id INT PRIMARY KEY)",
              "CREATE OR REPLACE TABLE olist_dev.shelf.child "
              "(id INT NOT NULL, p INT REFERENCES olist_dev.shelf.parent (id))",
              "ALTER TABLE olist_dev.shelf.child ADD CONSTRAINT child_key PRIMARY KEY (id) RELY",
              "ALTER TABLE olist_dev.shelf.child DROP CONSTRAINT child_p_fk",
              "SHOW TBLPROPERTIES olist_dev.shelf.child ('lakelocal.constraint.child_key')"),
         [("lakelocal.constraint.child_key", "PRIMARY KEY (`id`) RELY")]),
    Case("`DESCRIBE EXTENDED` of a table with constraints", TRANSLATED, "in its last rows",
         lambda spark: rows("CREATE OR REPLACE TABLE olist_dev.shelf.parent (id INT PRIMARY KEY)",
                            "DESCRIBE TABLE EXTENDED olist_dev.shelf.parent")(spark)[-2:],
         [("# Constraints", "", ""), ("parent_pk", "PRIMARY KEY (`id`)", "")]),
    Case("a second primary key, a key of columns that are not there or may be NULL", REFUSED, "",
         rows("ALTER TABLE olist_dev.shelf.books ADD CONSTRAINT k PRIMARY KEY (id)"), "may be NULL"),
    Case("`CHECK` in `CREATE TABLE`", TRANSLATED, "Delta's own constraint, enforced",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.checked (n INT CHECK (n > 0), CONSTRAINT small CHECK (n < 9))",
              "SHOW TBLPROPERTIES olist_dev.shelf.checked ('delta.constraints.small')"),
         [("delta.constraints.small", "n < 9")]),
    Case("`GENERATED ALWAYS` or `BY DEFAULT AS IDENTITY (START WITH ... INCREMENT BY ...)`", TRANSLATED,
         "Delta's own; DESCRIBE HISTORY begins with a clone",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.numbered (id BIGINT GENERATED ALWAYS AS IDENTITY, other INT)",
              "INSERT INTO olist_dev.shelf.numbered (other) VALUES (1), (2)",
              "CREATE OR REPLACE TABLE olist_dev.shelf.numbered (id BIGINT GENERATED BY DEFAULT AS IDENTITY "
              "(START WITH 10 INCREMENT BY -5) PRIMARY KEY, x STRING) COMMENT 'numbers'",
              "INSERT INTO olist_dev.shelf.numbered (x) VALUES ('a')",
              "INSERT INTO olist_dev.shelf.numbered (x) VALUES ('b')",
              "INSERT INTO olist_dev.shelf.numbered VALUES (7, 'c')",
              "SELECT id, x FROM olist_dev.shelf.numbered ORDER BY x"), [(10, "a"), (5, "b"), (7, "c")]),
    Case("`GENERATED ALWAYS AS (expression)`", TRANSLATED, "Delta's own",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.dated (at TIMESTAMP, "
              "day DATE GENERATED ALWAYS AS (CAST(at AS DATE))) USING DELTA PARTITIONED BY (day)",
              "INSERT INTO olist_dev.shelf.dated (at) VALUES (TIMESTAMP '2026-01-31 10:00:00')",
              "SELECT CAST(day AS STRING) FROM olist_dev.shelf.dated"), [("2026-01-31",)]),
    Case("a generated column of another type than its expression, an identity column that is no BIGINT", REFUSED, "",
         rows("CREATE TABLE olist_dev.shelf.odd (a INT, d DATE GENERATED ALWAYS AS (a + 1))"), "gives another type"),
    Case("`ALTER COLUMN ... SET NOT NULL`", APPROXIMATED, "a CHECK, which Delta enforces",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.filled (n INT)",
              "ALTER TABLE olist_dev.shelf.filled ALTER COLUMN n SET NOT NULL",
              "ALTER TABLE olist_dev.shelf.filled ADD PRIMARY KEY (n)",
              "SHOW TBLPROPERTIES olist_dev.shelf.filled ('delta.constraints.n_not_null')"),
         [("delta.constraints.n_not_null", "n IS NOT NULL")]),
    Case("`DEFAULT` of a column", TRANSLATED, "with `delta.feature.allowColumnDefaults`, as on Databricks",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.defaults (id INT, n INT DEFAULT 5) "
              "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')",
              "INSERT INTO olist_dev.shelf.defaults (id) VALUES (1)", "SELECT * FROM olist_dev.shelf.defaults"),
         [(1, 5)]),
    Case("`DEFAULT` without that property", REFUSED, "by Databricks' error condition",
         rows("CREATE TABLE olist_dev.shelf.nodefaults (n INT DEFAULT 5)"), "FEATURE_NOT_ENABLED"),
    Case("collations of columns", REFUSED, "in a table; `COLLATE` in expressions is Spark's own",
         rows("CREATE TABLE olist_dev.shelf.collated (s STRING COLLATE UTF8_LCASE)"), "the collation `UTF8_LCASE`"),
    Case("`DESCRIBE FUNCTION` of a function in a schema", TRANSLATED, "",
         rows("CREATE OR REPLACE FUNCTION olist_dev.shelf.half(x DOUBLE) RETURNS DOUBLE COMMENT 'h' RETURN x / 2",
              "DESCRIBE FUNCTION EXTENDED olist_dev.shelf.half"),
         [("Function: olist_dev.shelf.half",), ("Type: SCALAR",), ("Input: x DOUBLE",), ("Returns: DOUBLE",),
          ("Comment: h",), ("Deterministic: true",), ("Data Access: CONTAINS SQL",), ("Body: x / 2",)]),
    Case("`SHOW CREATE TABLE`, `SHOW PARTITIONS`", TRANSLATED, "of Delta tables too, whose statement makes them again",
         _made_again, (True, [(date(2024, 1, 2),)])),
    Case("`DEEP CLONE`", APPROXIMATED, "a shallow clone, and an overwrite with the same rows: two versions",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.copy AS SELECT 7 AS id",
              "CREATE OR REPLACE TABLE olist_dev.shelf.copy DEEP CLONE olist_dev.shelf.books VERSION AS OF 1",
              "SELECT id FROM olist_dev.shelf.copy"), [(1,)]),
    Case("`INSERT WITH SCHEMA EVOLUTION`, `MERGE WITH SCHEMA EVOLUTION`", TRANSLATED, "one MERGE",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.target (id INT, name STRING)",
              "INSERT WITH SCHEMA EVOLUTION INTO olist_dev.shelf.target SELECT 1, 'a', 2 AS more",
              "INSERT WITH SCHEMA EVOLUTION INTO olist_dev.shelf.target BY NAME SELECT 3 AS last, 2 AS id",
              "SELECT * FROM olist_dev.shelf.target ORDER BY id"), [(1, "a", 2, None), (2, None, None, 3)]),
    Case("`DELETE` and `UPDATE` with subqueries", TRANSLATED, "one MERGE; not for tables with columns of type MAP",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.target (id INT, name STRING)",
              "INSERT INTO olist_dev.shelf.target VALUES (1, 'a'), (2, NULL), (2, NULL), (3, 'c')",
              "DELETE FROM olist_dev.shelf.target t "
              "WHERE EXISTS (SELECT 1 FROM olist_dev.shelf.books b WHERE b.id = t.id)",
              "UPDATE olist_dev.shelf.target SET name = (SELECT max(name) FROM olist_dev.shelf.target) "
              "WHERE name IS NULL",
              "SELECT * FROM olist_dev.shelf.target ORDER BY id"), [(2, "c"), (2, "c"), (3, "c")]),
    Case("`INSERT ... REPLACE USING`, `REPLACE ON`, `BY NAME REPLACE WHERE`", TRANSLATED,
         "one MERGE; `REPLACE WHERE`, `BY NAME` and `INSERT OVERWRITE` are Spark's own",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.target (id INT, name STRING)",
              "INSERT INTO olist_dev.shelf.target VALUES "
              "(1, 'old'), (1, 'older'), (2, 'old'), (3, 'old'), (NULL, 'old')",
              "INSERT INTO olist_dev.shelf.target REPLACE USING (id) VALUES (1, 'new'), (1, 'newer'), (NULL, 'new')",
              "INSERT INTO olist_dev.shelf.target AS t REPLACE ON t.id = s.id (SELECT 2 AS id, 'on' AS name) AS s",
              "INSERT INTO olist_dev.shelf.target BY NAME REPLACE WHERE id = 3 SELECT 'where' AS name, 3 AS id",
              "SELECT * FROM olist_dev.shelf.target ORDER BY id, name"),
         [(None, "new"), (None, "old"), (1, "new"), (1, "newer"), (2, "on"), (3, "where")]),
    Case("`DeltaTable`, Delta's Python API", TRANSLATED,
         "all of it, as SQL; of columns only window functions, `withField` and `dropFields` are refused",
         _delta_api, [(1, "changed")]),
    Case("`ANALYZE TABLE`, `CACHE SELECT`, `CREATE BLOOMFILTER INDEX`", APPROXIMATED, "nothing is done, with a note",
         rows("ANALYZE TABLE olist_dev.shelf.books COMPUTE STATISTICS FOR ALL COLUMNS"), []),
    Case("`GROUP BY ALL`, names of columns to their left, `PIVOT`, `UNPIVOT`, pipe syntax", TRANSLATED, "Spark's own",
         rows("SELECT * FROM (SELECT id + 1 AS a, a * 2 AS b FROM olist_dev.shelf.books) PIVOT (max(b) FOR a IN (2))"),
         [(4,)]),
    Case("`CLUSTER BY AUTO`", APPROXIMATED, "left out, with a note",
         rows("CREATE OR REPLACE TABLE olist_dev.shelf.auto (id INT) CLUSTER BY AUTO",
              "SELECT count(*) FROM shelf.auto"), [(0,)]),
    Case("`cloudFiles`: csv, json, parquet, orc, text, binaryFile", TRANSLATED,
         "CSV columns by header name, JSON field by field, columns of folders, rescued data; no avro, no xml",
         _cloud_files(), ["id"]),
    Case("`cloudFiles` options that only speed up listing", APPROXIMATED, "without effect",
         _cloud_files(**{"cloudFiles.maxFileAge": "90 days", "cloudFiles.backfillInterval": "1 day"}), ["id"]),
    Case("other `cloudFiles` options", REFUSED, "by name, with the known ones",
         _cloud_files(**{"cloudFiles.fooBar": "1"}), "cloudFiles.fooBar: unknown option; the known ones are"),
    Case("`read_files(...)`, `STREAM read_files(...)`", TRANSLATED,
         "as Auto Loader reads, in queries, `CREATE TABLE AS`, `INSERT`, `MERGE`, temporary views; `_metadata` too",
         _read_files, [(5, "a.csv")]),
    Case("a view that is kept over `read_files`", REFUSED, "use a temporary view or a table",
         rows(f"CREATE VIEW olist_dev.shelf.v AS SELECT * FROM read_files('{FILES}')"), "CREATE TEMPORARY VIEW"),
    Case("`ai_query(...)`, `secret(...)`", REFUSED, "the message says what to use",
         rows("SELECT ai_query('m', 'x')"), "`ai_query` is a function of Databricks"),
    Case("`COPY INTO`", TRANSLATED,
         "each file once; FILES, PATTERN, SELECT list, BY POSITION, `force`, `mergeSchema`; the three counts",
         _copy_into, [(1, 1, 0), (0, 0, 0)]),
    Case("`COPY INTO ... VALIDATE`, `WITH (CREDENTIAL ...)`", REFUSED, "the message says what to use",
         rows(f"COPY INTO olist_dev.shelf.books FROM '{FILES}' FILEFORMAT = CSV VALIDATE ALL"), "read_files"),
    Case("`CREATE [OR REFRESH] STREAMING TABLE`, `CREATE [OR REPLACE] MATERIALIZED VIEW`, `REFRESH ... [FULL]`",
         TRANSLATED, "each has a pipeline of its own, whose update ends before the statement does; in the ANSI mode "
         "and the time zone of the session that made it", _datasets, ([(1,)], [(1,)], [(3,)], [(2,)], [(3,)])),
    Case("`DROP MATERIALIZED VIEW`, `ALTER MATERIALIZED VIEW`, `ALTER STREAMING TABLE`", TRANSLATED,
         "as those of tables; SCHEDULE and TRIGGER do nothing, with a note", _altered, ["changed"]),
    Case("`CREATE FLOW`, `AUTO CDC`, `LIVE`, `PRIVATE` and `TEMPORARY` datasets outside of a pipeline", REFUSED, "",
         rows("CREATE FLOW f AS INSERT INTO t BY NAME SELECT 1"), "put it into the sources of one"),
    Case("metric views, connections, shares, credentials", REFUSED, "",
         rows("CREATE CONNECTION c TYPE mysql"), "CREATE CONNECTION has no counterpart"),
)  # fmt: skip


def table() -> str:
    """The cases as a Markdown table."""
    lines = ["| construct | here | note |", "| --- | --- | --- |"]
    lines += [f"| {case.construct} | {case.verdict} | {case.note} |" for case in CASES]
    return "\n".join(lines) + "\n"
