"""Procedures, functions in Python and table functions: what a call of each becomes."""

import json
import pickle

import pyspark.sql.connect.proto as proto
import pytest

from lakelocal.dialect.routines.procedures import Procedures
from lakelocal.dialect.routines.python import PythonFunctions
from lakelocal.dialect.routines.signature import IN, INOUT, OUT, Parameter, read_parameters
from lakelocal.dialect.routines.store import FUNCTION, PROCEDURE, RoutineName, Routines
from lakelocal.dialect.sessions import Namespace
from lakelocal.dialect.statement import NOTHING, rows_as_sql
from lakelocal.dialect.substitution import substitute
from lakelocal.dialect.table_functions import expand_table_functions
from lakelocal.errors import DialectError
from lakelocal.project import State


@pytest.fixture
def routines(tmp_path) -> Routines:
    return Routines(State(tmp_path, "dev", tmp_path / "dev").make())


@pytest.fixture
def procedures(routines) -> Procedures:
    """Those of a session in `dev.sales`."""
    return Procedures(routines, Namespace("dev", "sales"))


def test_parameters_are_read():
    """A parameter may be named as a mode is."""
    found = list(
        read_parameters("a INT, OUT b STRUCT<x: INT, y: INT>, INOUT c STRING DEFAULT 'a, b' COMMENT 'c', in INT", "")
    )

    assert found == [
        Parameter("a", "INT"),
        Parameter("b", "STRUCT<x: INT, y: INT>", None, OUT),
        Parameter("c", "STRING", "'a, b'", INOUT),
        Parameter("in", "INT", None, IN),
    ]


@pytest.mark.parametrize(
    ("parts", "name"),
    [(["f"], "dev.sales.f"), (["hr", "f"], "dev.hr.f"), (["main", "hr", "f"], "main.hr.f")],
)
def test_a_name_is_that_of_the_session(parts, name):
    """As a table's."""
    assert str(RoutineName.of(parts, Namespace("dev", "sales"))) == name


def test_a_call_becomes_a_script(procedures):
    """Arguments and parameters of the same name are two variables."""
    made = procedures.statement(
        "CREATE OR REPLACE PROCEDURE hr.add(x INT, OUT y INT, INOUT z INT) LANGUAGE SQL SQL SECURITY INVOKER "
        "COMMENT 'c' AS BEGIN SET y = x + 1; SELECT y; END;"
    )

    assert made == NOTHING
    assert procedures.statement("CALL dev.hr.add(x + 1, z => b, y => `a`)").split("\n") == [
        "BEGIN",
        "DECLARE `__0` INT DEFAULT x + 1;",
        "DECLARE `__1` INT;",
        "DECLARE `__2` INT DEFAULT b;",
        "`add`: BEGIN DECLARE `x` INT DEFAULT `__0`; DECLARE `y` INT; DECLARE `z` INT DEFAULT `__2`; "
        "BEGIN SET y = x + 1; SELECT y; END; SET `__1` = `y`; SET `__2` = `z`; END;",
        "SET `a` = `__1`;",
        "SET b = `__2`;",
        "END",
    ]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("CALL nope()", "`dev.sales.nope` cannot be found; `dev.sales` has p"),
        ("CALL p()", "no argument for `x`; expected p\\(x INT, y INT\\)"),
        ("CALL p(1, 2)", "found `2` for the OUT parameter `y`; expected a variable"),
        ("CALL p(1, a, 3)", "found 3 arguments"),
        ("CALL p(z => 1)", "the argument `z`"),
        ("CREATE PROCEDURE p() AS BEGIN END", "exists"),
        ("CREATE PROCEDURE q() AS SELECT 1", "expected AS BEGIN"),
        ("DROP PROCEDURE q", "cannot be found"),
    ],
)
def test_mistakes_with_procedures_are_named(procedures, sql, problem):
    """With what is there."""
    procedures.statement("CREATE PROCEDURE p(x INT, OUT y INT) AS BEGIN SET y = x; END")

    with pytest.raises(DialectError, match=problem):
        procedures.statement(sql)


def test_procedures_are_listed_and_dropped(procedures):
    """With their schema too."""
    procedures.statement("CREATE PROCEDURE IF NOT EXISTS p(x INT) AS BEGIN SELECT 1; END")
    procedures.statement("CREATE PROCEDURE hr.q() AS BEGIN SELECT 1; END")

    columns = ["catalog", "namespace", "procedure"]
    assert procedures.statement("SHOW PROCEDURES") == rows_as_sql(columns, [("dev", "sales", "p")])
    assert procedures.statement("SHOW PROCEDURES IN dev.hr") == rows_as_sql(columns, [("dev", "hr", "q")])
    assert "SELECT 1" in procedures.statement("DESCRIBE PROCEDURE p")
    assert procedures.statement("DROP PROCEDURE p") == NOTHING
    assert procedures.statement("DROP PROCEDURE IF EXISTS p") == NOTHING
    assert procedures.statement("DROP SCHEMA hr RESTRICT") is None
    assert procedures.routines.names("dev", "hr", PROCEDURE) == ["q"]
    assert procedures.statement("DROP SCHEMA IF EXISTS dev.hr CASCADE") is None
    assert procedures.routines.names("dev", "hr", PROCEDURE) == []
    assert procedures.statement("SELECT 1") is None and procedures.statement("DROP TABLE p") is None


class Registering:
    """A server that is told functions; every column that it is asked for is an INT."""

    def __init__(self) -> None:
        self.told: list[proto.Command] = []

    def rows(self, plan: proto.Plan) -> list[dict]:
        if plan.command.HasField("register_function") or plan.command.HasField("register_table_function"):
            self.told.append(plan.command)
        return []

    def schema(self, plan: proto.Plan) -> proto.DataType.Struct:
        integer = proto.DataType(integer=proto.DataType.Integer())
        return proto.DataType.Struct(fields=[proto.DataType.StructField(name="a", data_type=integer, nullable=True)])


@pytest.fixture
def functions(routines) -> PythonFunctions:
    return PythonFunctions(routines, Namespace("dev", "sales"), "session", Registering(), {}, lambda pickled: pickled)


ADD = (
    "CREATE OR REPLACE FUNCTION add(x INT, y INT DEFAULT 5) RETURNS INT LANGUAGE PYTHON NOT DETERMINISTIC AS $$\n{}\n$$"
)


def test_a_python_function_is_given_to_the_session_that_calls_it(functions):
    """Once, and again where it is another one; its body is Python as it is written."""
    assert functions.statement(ADD.format("import math  # don't\nreturn x + math.floor(y)")) == NOTHING
    assert functions.server.told == []

    called = "SELECT `dev.sales.add`(CAST(a AS INT), CAST(5 AS INT)) FROM t"
    assert functions.calls("SELECT dev.sales.add(a) FROM t") == called
    assert functions.calls("SELECT add(a) FROM t") == called
    (command,) = functions.server.told
    made, returned = pickle.loads(command.register_function.python_udf.command)
    assert (made(2, 3.7), returned.simpleString()) == (5, "int")
    assert (command.register_function.function_name, command.register_function.deterministic) == (
        "dev.sales.add",
        False,
    )

    functions.statement(ADD.format("return 0"))
    functions.calls("SELECT sales.add(add(y => 1, x => 2))")
    assert len(functions.server.told) == 2


def test_nested_calls_are_all_rewritten(functions):
    """An argument may call it again."""
    functions.statement(ADD.format("return x"))

    assert functions.calls("SELECT add(add(1, 2), 3)") == (
        "SELECT `dev.sales.add`(CAST(`dev.sales.add`(CAST(1 AS INT), CAST(2 AS INT)) AS INT), CAST(3 AS INT))"
    )


def test_a_table_function_in_python_has_a_handler(functions):
    """A class with `eval`."""
    made = "CREATE FUNCTION split(t STRING) RETURNS TABLE (a INT) LANGUAGE PYTHON HANDLER 'Split' AS $$\n{}\n$$"
    functions.statement(made.format("class Split:\n    def eval(self, t):\n        yield len(t),"))

    assert functions.calls("SELECT * FROM split('x')") == "SELECT * FROM `dev.sales.split`(CAST('x' AS STRING))"
    (command,) = functions.server.told
    handler = pickle.loads(command.register_table_function.python_udtf.command)
    assert list(handler().eval("abc")) == [(3,)]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (ADD.format("return ("), "line 2 of its body is not valid Python"),
        (
            "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON HANDLER 'g' AS $$\ndef h(x): pass\n$$",
            "does not define `g`",
        ),
        ("CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON PARAMETER STYLE PANDAS AS $$ return x $$", "pandas UDF"),
        ("CREATE FUNCTION f(x INT) RETURNS TABLE (a INT) LANGUAGE PYTHON AS $$ return x $$", "expected HANDLER"),
    ],
)
def test_mistakes_in_python_functions_are_named(functions, sql, problem):
    """When the function is made, not when it is called."""
    with pytest.raises(DialectError, match=problem):
        functions.statement(sql)

    assert functions.routines.names("dev", "sales", FUNCTION) == []


def test_what_spark_keeps_cannot_call_a_python_function(functions):
    """A session that reads the view would not have it."""
    functions.statement(ADD.format("return x"))

    with pytest.raises(DialectError, match="Use a temporary view"):
        functions.calls("CREATE OR REPLACE VIEW v AS SELECT add(1)")
    assert "`dev.sales.add`" in functions.calls("CREATE OR REPLACE TEMP VIEW v AS SELECT add(1)")


def test_other_functions_are_left_alone(functions):
    """Those of SQL are Spark's own."""
    assert functions.statement("CREATE FUNCTION f(x INT) RETURNS INT RETURN x") is None
    assert functions.statement("DROP FUNCTION f") is None
    functions.statement(ADD.format("return x"))
    assert functions.statement("DROP FUNCTION IF EXISTS dev.sales.add") == NOTHING
    assert functions.calls("SELECT add(1), dev.sales.add(1)") == "SELECT add(1), dev.sales.add(1)"


DESCRIBED = {
    "sqlFunction.isTableFunc": "true", "sqlFunction.returnType": "a INT,b STRING",
    "sqlFunction.inputParam": "x INT,y STRING DEFAULT 'q'",
    "sqlFunction.query": "WITH w AS (SELECT * FROM t) SELECT id, y FROM w JOIN hr.u USING (id) WHERE id = x",
    "catalogAndNamespace.numParts": "2", "catalogAndNamespace.part.0": "spark_catalog",
    "catalogAndNamespace.part.1": "sales",
}  # fmt: skip
EXPANDED = (
    "(SELECT `__result`.* FROM (SELECT CAST({} AS INT) AS `x`, CAST({} AS STRING) AS `y`) AS `f`, LATERAL "
    "(WITH w AS (SELECT * FROM spark_catalog.sales.t) SELECT id, y FROM w JOIN spark_catalog.hr.u USING (id) "
    "WHERE id = x ) AS `__result`(`a`, `b`))"
)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM dev.hr.f(1) AS r", f"SELECT * FROM {EXPANDED.format('1', chr(39) + 'q' + chr(39))} AS r"),
        (
            "SELECT * FROM t JOIN LATERAL hr.f(y => upper(t.s), x => t.i) g",
            f"SELECT * FROM t JOIN LATERAL {EXPANDED.format('t.i', 'upper(t.s)')} g",
        ),
        ("INSERT INTO hr.f(id) SELECT hr.f(1) FROM range(3)", "INSERT INTO hr.f(id) SELECT hr.f(1) FROM range(3)"),
    ],
)
def test_a_table_function_in_a_schema_becomes_its_query(sql, expected):
    """The tables in it are those of the schema where it was made."""
    described = [{"function_desc": "Function: f"}, {"function_desc": f"Usage: {json.dumps(DESCRIBED)}"}]

    assert " ".join(expand_table_functions(sql, lambda name: described).split()) == expected


def test_a_function_that_is_no_table_function_stays():
    """For Spark to tell of it."""
    sql = "SELECT * FROM hr.f(1)"

    assert expand_table_functions(sql, lambda name: [{"function_desc": "Function: f"}]) == sql


def test_settings_stand_in_a_text():
    """Before names are translated; what is not known stays."""
    known = {"my.catalog": "dev", "n": "1"}.get

    assert (
        substitute("SELECT ${n} FROM ${spark:my.catalog}.s.t, '${other}'", known) == "SELECT 1 FROM dev.s.t, '${other}'"
    )
