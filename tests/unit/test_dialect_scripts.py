"""SQL scripts, EXECUTE IMMEDIATE and IDENTIFIER: statements that are made by, or found in, other statements."""

import re

import pytest
from dialect_fakes import Tables

from lakelocal.dialect.constants import Constants
from lakelocal.dialect.identifiers import fill_identifiers
from lakelocal.dialect.immediate import execute_immediate, execute_in_script, without_catalog
from lakelocal.dialect.scripts import is_script, translate_script
from lakelocal.dialect.statement import NOTHING
from lakelocal.errors import DialectError
from lakelocal.sql.cells import split_statements
from lakelocal.sql.scripts import variables_in
from lakelocal.sql.tokens import tokenize


def constants(**values: object) -> Constants:
    """The constants of a session in which an expression, written without blanks, has one of *values*."""
    answers = {f"SELECT {expression}": [{"value": value}] for expression, value in values.items()}
    return Constants(Tables(answers=answers))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "SELECT 1"),
        ("EXECUTE IMMEDIATE 'SELECT 1;'", "SELECT 1"),
        ("EXECUTE IMMEDIATE 'SELECT ' || '1'", "SELECT 1"),
        ("EXECUTE IMMEDIATE query", "SELECT 7"),
        ("EXECUTE IMMEDIATE 'SELECT ? + ?' USING n, m", "SELECT 5 + 'it\\'s'"),
        ("EXECUTE IMMEDIATE 'SELECT :a, \\':a\\', raw:a' USING (n AS A)", "SELECT 5, ':a', raw:a"),
        ("EXECUTE IMMEDIATE 'SELECT 1, 2' INTO x, y", "SET VARIABLE (x, y) = (SELECT 1, 2)"),
        ("EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE \\'SELECT 2\\''", "SELECT 2"),
    ],
)
def test_the_statement_in_the_string_takes_its_place(sql, expected):
    """Delta's parser would lose the arguments of the markers in it."""
    assert execute_immediate(sql, constants(query="SELECT 7", n=5, m="it's")) == expected


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("EXECUTE IMMEDIATE 'SELECT ?'", r"found no argument for \?"),
        ("EXECUTE IMMEDIATE 'SELECT :a' USING n AS b", "found no argument for :a"),
        ("EXECUTE IMMEDIATE nothing", "found None; expected a string"),
    ],
)
def test_what_cannot_be_executed_is_named(sql, problem):
    """Spark would refer to a parameter with another name."""
    with pytest.raises(DialectError, match=problem):
        execute_immediate(sql, constants(nothing=None, n=1))


def test_an_identifier_is_any_constant():
    """What is not constant is kept, for Spark to judge."""
    found = constants(**{"concat('a', '.b')": "a.b"})

    assert fill_identifiers("SELECT * FROM IDENTIFIER(concat('a', '.b')) x", found.known) == "SELECT * FROM a.b x"
    assert fill_identifiers("SELECT IDENTIFIER('x y') FROM t", found.known) == "SELECT IDENTIFIER('x y') FROM t"
    assert fill_identifiers("SELECT IDENTIFIER('`x y`') FROM t", found.known) == "SELECT `x y` FROM t"
    assert fill_identifiers("SELECT identifier FROM t", found.known) == "SELECT identifier FROM t"


SCRIPT = """
BEGIN
  DECLARE a, b INT DEFAULT 1;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN GRANT 1; END;
  IF a > 0 THEN GRANT 2; ELSE GRANT 3; END IF;
  SET a = CASE WHEN b THEN 4 ELSE 5 END;
  FOR r AS SELECT 1 AS x DO GRANT 4; END FOR;
  WHILE a < 9 DO GRANT 5; SELECT 'GRANT 6'; END WHILE;
END
"""


def test_each_statement_of_a_script_is_translated():
    """One that does nothing becomes an empty block; control words are not statements."""
    seen = []

    def translate(sql: str, variables: frozenset[str]) -> str:
        seen.append(sql)
        assert variables == {"a", "b", "r"}
        return NOTHING if sql.startswith("GRANT") else sql

    found = translate_script(SCRIPT.strip(), translate)

    assert [sql for sql in seen if sql.startswith("GRANT")] == [f"GRANT {n}" for n in range(1, 6)]
    assert "SET a = CASE WHEN b THEN 4 ELSE 5 END" in seen and "SELECT 'GRANT 6'" in seen
    assert found == re.sub(r"GRANT \d;", "BEGIN END;", SCRIPT.strip())


def test_a_label_around_a_script_gets_a_block_around_it():
    """Spark's scripts begin with BEGIN."""
    assert is_script("l: BEGIN SELECT l.x; END l;") and not is_script("BEGIN TRANSACTION") and not is_script("SELECT 1")
    assert (
        translate_script("l: BEGIN SELECT l.x; END l;", lambda sql, _: sql) == "BEGIN l: BEGIN SELECT l.x; END l; END"
    )


def test_what_the_dialect_does_itself_is_refused_in_a_script():
    """It would be done whatever the script decides."""
    with pytest.raises(DialectError, match=r"`CREATE VOLUME v` is not possible inside BEGIN \.\.\. END"):
        translate_script("BEGIN IF x THEN CREATE VOLUME v; END IF; END", lambda sql, _: sql)


def test_dynamic_sql_of_a_script_loses_the_catalog_when_it_runs():
    """A script's variable has no value before that; a session variable with the same name is a different one."""
    session = Constants(
        Tables(answers={"SELECT q": [{"value": "SELECT 1"}], "SELECT n": [{"value": 5}]}), frozenset({"q"})
    )

    assert execute_in_script("EXECUTE IMMEDIATE 'SELECT ?' USING n", session, "dev") == "SELECT 5"
    assert execute_in_script("EXECUTE IMMEDIATE 'SELECT ?' INTO x USING q", session, "dev") == "SET (x) = (SELECT (q))"
    assert execute_in_script("EXECUTE IMMEDIATE q || 'x' INTO y", session, "dev") == (
        f"EXECUTE IMMEDIATE {without_catalog(chr(113) + ' || ' + repr('x'), 'dev')} INTO y"
    )
    with pytest.raises(DialectError, match="Put the values into the string"):
        execute_in_script("EXECUTE IMMEDIATE q USING 1", session, "dev")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM dev.a.t, `DEV`.b.u", "SELECT * FROM a.t, b.u"),
        ("SELECT 'dev.a.t' FROM x.dev.a, mydev.a.t", "SELECT 'dev.a.t' FROM x.dev.a, mydev.a.t"),
        ("SELECT dev.a FROM t dev", "SELECT dev.a FROM t dev"),
    ],
)
def test_only_names_of_three_parts_lose_the_catalog(text, expected):
    """Java and Python interpret the pattern in the same way."""
    pattern = re.search(r"regexp_replace\(x, '(.*)', ''\)", without_catalog("x", "dev"))[1]

    assert re.sub(pattern.replace("\\\\", "\\").replace("\\'", "'"), "", text) == expected


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END; SELECT 4", 2),
        ("SELECT 1; l: BEGIN SELECT 1; END l; SELECT 2", 3),
        ("CREATE OR REPLACE PROCEDURE p() AS BEGIN CASE x WHEN 1 THEN SELECT 2; END CASE; "
         "IF y THEN SELECT 3; END IF; END; SELECT 1", 2),
        ("BEGIN TRANSACTION; SELECT 1; COMMIT", 3),
        ("SELECT 1 AS begin; SELECT begin FROM t", 2),
    ],
)  # fmt: skip
def test_a_script_is_one_statement_of_a_cell(text, statements):
    """Its semicolons belong to it, even in a procedure."""
    assert len(split_statements(text)) == statements


def test_the_variables_of_a_script():
    """Including the row of a loop; a handler is not one."""
    script = "BEGIN DECLARE x, Y INT; DECLARE EXIT HANDLER FOR z; FOR r AS SELECT 1 DO SELECT r.a; END FOR; END"

    assert variables_in(tokenize(script)) == {"x", "y", "r"}


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'it''s ' || x", "SELECT raise_error('it''s ' || x)"),
        ("SIGNAL SQLSTATE '45000'", "SELECT raise_error(concat('SQLSTATE ', '45000'))"),
        ("SIGNAL too_few SET MESSAGE_TEXT = 'few'", "SELECT raise_error('few')"),
        ("SIGNAL too_few", "SELECT raise_error('too_few')"),
    ],
)
def test_an_error_that_a_script_raises(signal, expected):
    """Its message arrives; a handler of any error gets it."""
    script = "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 1; {}; END"

    assert translate_script(script.format(signal), lambda sql, _: sql) == script.format(expected)


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("BEGIN DECLARE EXIT HANDLER FOR SQLSTATE '45000' SELECT 1; SIGNAL SQLSTATE '45000'; END", "SQLSTATE 45000"),
        ("BEGIN DECLARE c CONDITION FOR SQLSTATE '45001'; DECLARE EXIT HANDLER FOR c SELECT 1; SIGNAL c; END", "for c"),
        ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION RESIGNAL; SELECT 1; END", "RESIGNAL in a script"),
        ("BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN GET DIAGNOSTICS CONDITION 1 m = MESSAGE_TEXT; END; END",
         "GET DIAGNOSTICS in a script"),
        ("BEGIN DECLARE c CURSOR FOR SELECT 1; OPEN c; END", "cursor in a script"),
        ("BEGIN IF x THEN FETCH c INTO y; END IF; END", "FETCH in a script"),
        ("BEGIN SIGNAL x WHY; END", "found `WHY`; expected SET MESSAGE_TEXT"),
    ],
)  # fmt: skip
def test_what_only_scripts_of_databricks_have_is_refused_by_name(script, problem):
    """Spark would report a syntax error."""
    with pytest.raises(DialectError, match=problem):
        translate_script(script, lambda sql, _: sql)
