"""CREATE TABLE and ALTER TABLE with constraints, in the words of Spark and Delta."""

import json
import logging
from pathlib import Path

import pytest
from dialect_fakes import Tables

from lakelocal.catalogs import Catalogs
from lakelocal.dialect.changes import rewrite_as_merge
from lakelocal.dialect.ddl import alter_table, clone_table, create_table
from lakelocal.dialect.ddl.definition import Column, Identity, read_definition
from lakelocal.dialect.ddl.generated import with_generated
from lakelocal.dialect.inserts import insert
from lakelocal.dialect.names import Names
from lakelocal.dialect.statement import NOTHING, Statement
from lakelocal.errors import DialectError
from lakelocal.project import State
from lakelocal.sql.tokens import tokenize

NAMES = Names(Catalogs(State(Path("nowhere"), "dev", Path("nowhere/dev"))), "dev")


PARENT = {"lakelocal.constraint.p": "PRIMARY KEY (`id`)"}  # what the fake server says of every table


def statement(sql: str, server: Tables | None = None, schema: str = "default", *, in_script: bool = False) -> Statement:
    return Statement.of(sql, "session", NAMES, server or Tables(), lambda plain: plain, schema, in_script=in_script)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "CREATE TABLE a.t (id INT PRIMARY KEY, name STRING COMMENT 'it''s')",
            "CREATE TABLE a.t (`id` INT NOT NULL, `name` STRING COMMENT 'it''s') "
            "TBLPROPERTIES ('lakelocal.constraint.t_pk' = 'PRIMARY KEY (`id`)')",
        ),
        (
            "CREATE OR REPLACE TABLE t (id INT NOT NULL, o INT, CONSTRAINT k PRIMARY KEY (id, o TIMESERIES) "
            "NOT ENFORCED RELY) USING DELTA CLUSTER BY (id) TBLPROPERTIES ('a' = 'b')",
            "CREATE OR REPLACE TABLE t (`id` INT NOT NULL, `o` INT NOT NULL) USING DELTA CLUSTER BY (id) TBLPROPERTIES "
            "('lakelocal.constraint.k' = 'PRIMARY KEY (`id`, `o` TIMESERIES) RELY', 'a' = 'b')",
        ),
        (
            "CREATE TABLE t (o INT REFERENCES dev.a.parent (id) ON DELETE NO ACTION, "
            "s STRUCT<a: INT NOT NULL, b: INT>)",
            "CREATE TABLE t (`o` INT, `s` STRUCT<a: INT NOT NULL, b: INT>) TBLPROPERTIES "
            "('lakelocal.constraint.t_o_fk' = 'FOREIGN KEY (`o`) REFERENCES dev.a.parent (`id`)')",
        ),
        (
            "CREATE TABLE IF NOT EXISTS t (n DECIMAL(10, 2) CHECK (n > 0), CONSTRAINT Small CHECK (n < 9 AND n <> 5))",
            "CREATE TABLE IF NOT EXISTS t (`n` DECIMAL(10, 2)) TBLPROPERTIES "
            "('delta.constraints.t_n_check' = 'n > 0', 'delta.constraints.small' = 'n < 9 AND n <> 5')",
        ),
    ],
)
def test_constraints_of_a_new_table_are_properties(sql, expected):
    """Keys are informational, so a property stores them; Delta stores CHECK in one, and enforces it."""
    assert create_table(statement(sql, Tables(properties=PARENT))) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (id INT NOT NULL COMMENT 'PRIMARY KEY', check STRING, primary INT)",
        "CREATE TABLE t AS SELECT 1 AS id",
        "CREATE TABLE t LIKE u",
        "CREATE TABLE t SHALLOW CLONE u",
        "CREATE OR REPLACE VIEW v (id) AS SELECT 1",
        "CREATE SCHEMA s",
        "CREATE TABLE t (x INT DEFAULT 5) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')",
        "CREATE TABLE t (x INT DEFAULT 5) USING parquet",
    ],
)
def test_what_spark_has_stays_as_it_is_written(sql):
    """Nothing is rewritten needlessly."""
    assert create_table(statement(sql)) is None


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("CREATE TABLE t (a INT PRIMARY KEY, b INT, PRIMARY KEY (b))", "a second primary key"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (nope))", "names the column `nope`; expected columns of the table: `a`"),
        ("CREATE TABLE t (a INT PRIMARY KEY ENFORCED)", "never enforced"),
        ("CREATE TABLE t (a INT, CONSTRAINT k PRIMARY KEY (a), CONSTRAINT K FOREIGN KEY (a) REFERENCES u)", "exists"),
        ("CREATE TABLE t (a INT, PRIMARY KEY a)", "found `a`; expected the columns of the key in parentheses"),
        ("CREATE TABLE t (a INT REFERENCES)", "found the end; expected a name"),
        ("CREATE TABLE t (a INT MASK m)", "a column mask protects data"),
        ("CREATE TABLE t (a INT) WITH ROW FILTER f ON (a)", "row filters protect data"),
        ("CREATE TABLE t (a STRING COLLATE UTF8_LCASE, b INT)", "found the collation `UTF8_LCASE`"),
        ("CREATE TABLE t (a MAP<STRING, ARRAY<STRING COLLATE unicode_ci>>)", "found the collation `unicode_ci`"),
        ("CREATE TABLE t (a STRING) USING delta DEFAULT COLLATION UNICODE", "found the collation `UNICODE`"),
        ("CREATE TABLE t (a INT DEFAULT 5)", "WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED"),
        ("CREATE TABLE t (a INT GENERATED SOMETIMES AS (1))", "expected ALWAYS or BY DEFAULT"),
        ("CREATE TABLE t (a BIGINT GENERATED ALWAYS AS IDENTITY (INCREMENT BY 0))", "INCREMENT BY 0"),
        ("CREATE TABLE t (a INT GENERATED ALWAYS AS IDENTITY)", "`a` is INT; it has to be BIGINT"),
        ("CREATE TABLE t (a BIGINT GENERATED ALWAYS AS IDENTITY) USING parquet", "Remove USING"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_in_one_line(sql, problem):
    """Spark would refer to its catalog, or to a token."""
    with pytest.raises(DialectError, match=problem) as raised:
        create_table(statement(sql))

    assert "CREATE TABLE t" in str(raised.value) and "\n" not in str(raised.value)


def test_identity_and_generated_columns_are_read():
    """Numbers may be negative, the parts of IDENTITY in either order or absent."""
    sql = (
        "CREATE TABLE t (a BIGINT GENERATED ALWAYS AS IDENTITY, b BIGINT GENERATED BY DEFAULT AS IDENTITY "
        "(INCREMENT BY -5 START WITH 100) COMMENT 'b', c DATE GENERATED ALWAYS AS (CAST(at AS DATE)) NOT NULL, "
        "at TIMESTAMP)"
    )
    found = read_definition(sql, tokenize(sql), 3, "t", "where")

    assert [column.identity for column in found.columns] == [Identity(False), Identity(True, 100, -5), None, None]
    assert [column.generated for column in found.columns] == [None, None, "CAST(at AS DATE)", None]
    assert [column.nullable for column in found.columns] == [True, True, False, True]
    assert found.has_generated


def test_the_log_of_a_table_says_how_its_values_are_made():
    """As in Delta's protocol; the features of an older protocol are then listed, so that none is lost."""
    fields = [{"name": name, "type": "long", "nullable": True, "metadata": {}} for name in ("a", "b", "c")]
    fields[1]["metadata"] = {"comment": "b"}
    schema = json.dumps({"type": "struct", "fields": fields})
    log = [{"commitInfo": {}}, {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}]
    log.append({"metaData": {"id": "x", "schemaString": schema}})
    columns = [Column("A", "BIGINT", identity=Identity(True, 5, -2)), Column("b", "BIGINT", generated="c + 1")]

    found = with_generated("".join(json.dumps(action) + "\n" for action in log), [*columns, Column("c", "BIGINT")])

    actions = [json.loads(line) for line in found.splitlines()]
    assert actions[1]["protocol"] == {
        "minReaderVersion": 1, "minWriterVersion": 7,
        "writerFeatures": ["appendOnly", "generatedColumns", "identityColumns", "invariants"],
    }  # fmt: skip
    assert [field["metadata"] for field in json.loads(actions[2]["metaData"]["schemaString"])["fields"]] == [
        {"delta.identity.start": 5, "delta.identity.step": -2, "delta.identity.allowExplicitInsert": True},
        {"comment": "b", "delta.generationExpression": "c + 1"},
        {},
    ]


def test_listed_features_stay():
    """A table of protocol 7 lists all of its features."""
    protocol = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "writerFeatures": ["clustering"]}}

    found = with_generated(json.dumps(protocol), [Column("a", "BIGINT", identity=Identity(False))])

    assert json.loads(found)["protocol"]["writerFeatures"] == ["clustering", "identityColumns"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TABLE t (a INT REFERENCES b.Parent)", "REFERENCES dev.b.parent (`id`)"),
        ("CREATE TABLE t (a INT REFERENCES parent (ID))", "REFERENCES dev.shop.parent (`ID`)"),
        ("CREATE TABLE t (a INT PRIMARY KEY, b INT REFERENCES t)", "REFERENCES dev.shop.t (`a`)"),
        ("CREATE TABLE t (a INT, b INT, FOREIGN KEY (a, b) REFERENCES x.y.z (m, n))", "REFERENCES x.y.z (`m`, `n`)"),
    ],
)
def test_a_foreign_key_says_which_columns_of_which_table(sql, expected):
    """The schema that was current is known only then."""
    server = Tables(properties={**PARENT, "lakelocal.constraint.u": "UNIQUE (`n`, `m`)"})

    made = create_table(statement(sql, server, schema="shop"))

    assert f"{expected}')" in made


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            "CREATE TABLE t (a INT REFERENCES u (name))",
            "refers to a primary key of `dev.default.u`; it has PRIMARY KEY",
        ),
        ("CREATE TABLE t (a INT, b INT, FOREIGN KEY (a, b) REFERENCES u)", "and name as many columns as it has"),
        ("CREATE TABLE t (a INT REFERENCES t)", "of `dev.default.t`, which has none"),
    ],
)
def test_a_foreign_key_needs_a_key_of_its_parent(sql, problem):
    """Databricks refuses it; a script may make the parent, which is not there yet."""
    with pytest.raises(DialectError, match=problem):
        create_table(statement(sql, Tables(properties=PARENT)))

    assert "REFERENCES" in create_table(statement(sql, in_script=True))


UNSET = "ALTER TABLE t UNSET TBLPROPERTIES ('lakelocal.constraint.{}')"
TABLE = {"id": False, "name": True}
KEYS = {
    "lakelocal.constraint.t_pk": "PRIMARY KEY (`id`)",
    "lakelocal.constraint.f": "FOREIGN KEY (`name`) REFERENCES u",
}


@pytest.mark.parametrize(
    ("sql", "properties", "expected"),
    [
        (
            "ALTER TABLE a.t ADD CONSTRAINT k PRIMARY KEY (id) RELY", {},
            "ALTER TABLE a.t SET TBLPROPERTIES ('lakelocal.constraint.k' = 'PRIMARY KEY (`id`) RELY')",
        ),
        (
            "ALTER TABLE t ADD FOREIGN KEY (name) REFERENCES b.U", PARENT,
            "ALTER TABLE t SET TBLPROPERTIES ('lakelocal.constraint.t_name_fk' = "
            "'FOREIGN KEY (`name`) REFERENCES dev.b.u (`id`)')",
        ),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0)", {}, None),
        ("ALTER TABLE t DROP CONSTRAINT T_PK", KEYS, UNSET.format("t_pk")),
        ("ALTER TABLE t DROP CONSTRAINT IF EXISTS c", KEYS, None),
        ("ALTER TABLE t DROP PRIMARY KEY CASCADE", KEYS, UNSET.format("t_pk")),
        ("ALTER TABLE t DROP PRIMARY KEY IF EXISTS", {}, NOTHING),
        ("ALTER TABLE t DROP FOREIGN KEY (name)", KEYS, UNSET.format("f")),
        ("ALTER TABLE t DROP COLUMN name", KEYS, None),
        (
            "ALTER TABLE t ALTER COLUMN name SET NOT NULL", {},
            "ALTER TABLE t ADD CONSTRAINT `name_not_null` CHECK (name IS NOT NULL)",
        ),
        (
            "ALTER TABLE t ALTER name DROP NOT NULL", {"delta.constraints.name_not_null": "x"},
            "ALTER TABLE t DROP CONSTRAINT `name_not_null`",
        ),
        ("ALTER TABLE t ALTER COLUMN name TYPE BIGINT", {}, None),
        ("ALTER TABLE t SET TBLPROPERTIES ('a' = 'b')", {}, None),
    ],
)  # fmt: skip
def test_constraints_of_a_table_are_added_and_dropped(sql, properties, expected):
    """A key is a property; a CHECK is left to Delta."""
    assert alter_table(statement(sql, Tables(TABLE, properties))) == expected


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("ALTER TABLE t ADD PRIMARY KEY (id)", "a second primary key"),
        ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES u", "the constraint `f` exists"),
        (
            "ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (nope) REFERENCES u",
            "expected columns of the table: `id`, `name`",
        ),
        ("ALTER TABLE t DROP FOREIGN KEY (id)", "the table has no FOREIGN KEY"),
    ],
)
def test_a_constraint_that_does_not_fit_the_table_is_refused(sql, problem):
    """As on Databricks."""
    with pytest.raises(DialectError, match=problem):
        alter_table(statement(sql, Tables(TABLE, KEYS)))


def test_a_primary_key_takes_no_null():
    """Databricks refuses a nullable column, so a notebook must not pass here and fail there."""
    with pytest.raises(DialectError, match="ALTER COLUMN `name` SET NOT NULL"):
        alter_table(statement("ALTER TABLE t ADD PRIMARY KEY (name)", Tables(TABLE)))

    checked = Tables(TABLE, {"delta.constraints.name_not_null": "name IS NOT NULL"})
    assert alter_table(statement("ALTER TABLE t ADD PRIMARY KEY (name)", checked)) is not None


def test_what_databricks_chooses_by_itself_is_noted(caplog):
    """One line that names the statement."""
    with caplog.at_level(logging.WARNING, "lakelocal.dialect"):
        assert alter_table(statement("ALTER TABLE t CLUSTER BY AUTO")) == NOTHING
        assert statement("CREATE TABLE t (x INT) CLUSTER BY AUTO").without_placement().sql == (
            "CREATE TABLE t (x INT) "
        )

    assert [record.getMessage()[:27] for record in caplog.records] == [
        "The statement `ALTER TABLE ", "The statement `CREATE TABLE",
    ]  # fmt: skip


def test_a_deep_clone_is_a_shallow_one_with_files_of_its_own():
    """Two commits, the second with the same rows."""
    server = Tables(answers={"SHALLOW CLONE": [{"source_table_size": 9, "source_num_of_files": 2}]})

    found = clone_table(statement("CREATE OR REPLACE TABLE a.t DEEP CLONE b.u VERSION AS OF 3", server))

    assert server.statements == [
        "CREATE OR REPLACE TABLE a.t SHALLOW CLONE b.u VERSION AS OF 3",
        "INSERT OVERWRITE a.t SELECT * FROM b.u VERSION AS OF 3",
    ]
    assert found == (
        "SELECT 9L AS source_table_size, 2L AS source_num_of_files, 2L AS num_copied_files, 9L AS copied_files_size"
    )


def test_a_clone_of_a_table_that_is_there_does_nothing():
    """IF NOT EXISTS must not overwrite its rows."""
    server = Tables(answers={"SHOW TABLES IN a LIKE 't'": [{"tableName": "t"}]})

    assert clone_table(statement("CREATE TABLE IF NOT EXISTS a.t CLONE b.u", server)) == NOTHING
    assert clone_table(statement("CREATE TABLE a.t SHALLOW CLONE b.u", server)) is None
    assert server.statements == ["SHOW TABLES IN a LIKE 't'"]


@pytest.mark.parametrize(
    ("sql", "query", "expected"),
    [
        (
            "INSERT WITH SCHEMA EVOLUTION INTO t SELECT 1, 'a', 2 AS more", ["_c0", "_c1", "more"],
            "MERGE WITH SCHEMA EVOLUTION INTO t USING (SELECT * FROM (SELECT 1, 'a', 2 AS more ) "
            "AS `__query`(`id`, `name`, `more`)) ON false WHEN NOT MATCHED THEN INSERT *",
        ),
        (
            "INSERT WITH SCHEMA EVOLUTION OVERWRITE TABLE t BY NAME SELECT 1 AS more", ["more"],
            "MERGE WITH SCHEMA EVOLUTION INTO t USING (SELECT * FROM (SELECT 1 AS more ) AS `__query`(`more`)) "
            "ON false WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE THEN DELETE",
        ),
        (
            "INSERT INTO t REPLACE USING (id) SELECT 1, 'a'", ["_c0", "_c1"],
            "MERGE INTO t AS `__target` USING (SELECT * FROM "
            "(SELECT * FROM (SELECT 1, 'a' ) AS `__query`(`id`, `name`)) "
            "CROSS JOIN (VALUES (true), (false)) AS `__both`(`__inserted`)) AS `__source` "
            "ON NOT `__source`.`__inserted` AND (`__target`.`id` = `__source`.`id`) WHEN MATCHED THEN DELETE "
            "WHEN NOT MATCHED AND `__source`.`__inserted` THEN INSERT (`id`, `name`) "
            "VALUES (`__source`.`id`, `__source`.`name`)",
        ),
        (
            "INSERT INTO TABLE t BY NAME REPLACE WHERE id = 1 SELECT 1 AS id", ["id"],
            "INSERT INTO t REPLACE WHERE id = 1 SELECT `id`, NULL FROM (SELECT * FROM (SELECT 1 AS id ) "
            "AS `__query`(`id`))",
        ),
    ],
)  # fmt: skip
def test_an_insert_that_replaces_or_evolves_is_one_statement(sql, query, expected):
    """So that it is atomic."""
    found = insert(statement(sql, Tables(TABLE, query=query)))

    assert " ".join(found.split()) == expected


def test_the_aliases_of_replace_on_are_those_of_the_statement():
    """The condition is written with them."""
    found = insert(
        statement("INSERT INTO t AS a REPLACE ON a.id = b.id (SELECT 1, 'x') AS b", Tables(TABLE, query=["p", "q"]))
    )

    assert "INTO t AS `a` USING" in found and "AS `b` ON NOT `b`.`__inserted` AND (a.id = b.id) WHEN" in found


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1, 'a')",
        "INSERT INTO t (id) SELECT 1",
        "INSERT INTO t BY NAME SELECT 1 AS id",
        "INSERT INTO t REPLACE WHERE id IN (SELECT 1) SELECT 1, 'a'",
        "INSERT OVERWRITE TABLE t PARTITION (id = 1) SELECT 'a'",
    ],
)
def test_an_insert_that_spark_has_stays(sql):
    """And it does not query the server."""
    assert insert(statement(sql)) is None


def test_columns_that_do_not_fit_are_named():
    """Before anything is written."""
    with pytest.raises(
        DialectError, match="found a query with 1 columns; expected 2 for t, whose columns are `id`, `name`"
    ):
        insert(statement("INSERT INTO t REPLACE USING (id) SELECT 1", Tables(TABLE, query=["id"])))
    with pytest.raises(DialectError, match="found the column `nope`; expected columns of t: `id`, `name`"):
        insert(statement("INSERT INTO t BY NAME REPLACE USING (id) SELECT 1 AS nope", Tables(TABLE, query=["nope"])))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "DELETE FROM a.t AS x WHERE x.id IN (SELECT 1)",
            "MERGE INTO a.t AS `__target` USING (SELECT DISTINCT `id` AS `__0`, `name` AS `__1` FROM a.t AS x "
            "WHERE x.id IN (SELECT 1) ) AS `__chosen` ON `__target`.`id` <=> `__0` AND `__target`.`name` <=> `__1` "
            "WHEN MATCHED THEN DELETE",
        ),
        (
            "UPDATE t SET t.name = (SELECT max(n) FROM u), id = id + 1",
            "MERGE INTO t AS `__target` USING (SELECT DISTINCT `id` AS `__0`, `name` AS `__1`, "
            "(SELECT max(n) FROM u) AS `__new_0`, id + 1 AS `__new_1` FROM t ) AS `__chosen` "
            "ON `__target`.`id` <=> `__0` AND `__target`.`name` <=> `__1` "
            "WHEN MATCHED THEN UPDATE SET `__target`.`name` = `__new_0`, `__target`.`id` = `__new_1`",
        ),
    ],
)
def test_a_change_with_a_subquery_is_a_merge(sql, expected):
    """DELETE and UPDATE may contain subqueries, which Delta itself refuses."""
    assert " ".join(rewrite_as_merge(statement(sql, Tables(TABLE))).split()) == expected


@pytest.mark.parametrize("sql", ["DELETE FROM t WHERE id = 1", "UPDATE t SET id = 1", "SELECT 1", "DELETE FROM t"])
def test_a_change_without_a_subquery_stays(sql):
    """It is Delta's own."""
    assert rewrite_as_merge(statement(sql)) is None


def test_with_before_insert_belongs_to_the_query():
    """As Databricks' grammar has it."""
    sql = "WITH q AS (SELECT 1 AS id) INSERT INTO t BY NAME REPLACE WHERE id = 1 SELECT * FROM q"
    found = insert(statement(sql, Tables(TABLE, query=["id"])))

    assert "FROM (WITH q AS (SELECT 1 AS id) SELECT * FROM (SELECT * FROM q\n)" in found
    assert insert(statement("WITH q AS (SELECT 1) SELECT * FROM q")) is None


def test_a_table_stays_where_it_is():
    """SET MANAGED is refused, because there is no Unity Catalog that could manage the table."""
    with pytest.raises(DialectError, match="Copy it with DEEP CLONE instead"):
        alter_table(statement("ALTER TABLE t SET MANAGED"))
