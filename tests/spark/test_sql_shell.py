"""The shell of `sql` as a person uses it, on a real server."""

from collections.abc import Callable, Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from lakelocal.cli.sql_shell import HELP, Names, Shell

ENTER = "\r"


@pytest.fixture(scope="module")
def shop(spark) -> Iterator:
    """A schema with one table."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS shop")
    spark.sql("CREATE OR REPLACE TABLE shop.orders AS SELECT 1 AS order_id, 'new' AS status")
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW older AS SELECT 1 AS n")
    yield spark
    spark.sql("DROP SCHEMA shop CASCADE")
    spark.sql("DROP VIEW older")


@pytest.fixture
def typed(shop, state, capsys) -> Callable[..., list[str]]:
    """What is printed after the help when a person types *lines* and leaves."""

    def answers(*lines: str) -> list[str]:
        with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
            keys.send_text("".join(line + ENTER for line in (*lines, "exit")))
            assert Shell(shop, state, 100).run() == 0
        return capsys.readouterr().out.removeprefix(f"{HELP}\n").splitlines()

    return answers


def test_a_statement_of_several_lines_ends_with_a_semicolon(typed) -> None:
    """Its rows and its time are printed; two statements on a line are both run."""
    printed = typed("SELECT order_id,", "status FROM shop.orders;", "SELECT 1 AS a; SELECT 2 AS b;")

    assert [line.split() for line in printed[:3]] == [["order_id", "status"], ["1", "new"], ["1", "row"]]
    assert [line.strip() for line in printed if line.strip() in "ab12"] == ["a", "1", "b", "2"]


def test_a_mistake_is_told_and_the_shell_goes_on(typed) -> None:
    """On one line, with the most similar name; the statements after it on the line are not run."""
    printed = typed("SELECT stat FROM shop.orders; DROP TABLE shop.orders;", "SELECT status FROM shop.orders;")

    assert printed[0].startswith("error: column `stat` not found; did you mean `status`")
    assert printed[2].strip() == "new"


def test_tables_and_columns_are_listed(typed) -> None:
    r"""`\d` as in psql."""
    assert "shop.orders" in typed("\\d")
    assert [line.split()[0] for line in typed("\\d shop.orders")[1:3]] == ["order_id", "status"]
    assert typed("\\x", "SELECT 1 AS a;")[:3] == ["records", "-- row 1 --", "a 1"]


def completions(names: Names, text: str) -> list[str]:
    return [each.text for each in names.get_completions(Document(text), CompleteEvent())]


def test_names_are_completed(shop) -> None:
    """Tables by schema, columns of the tables that the statement names, keywords."""
    names = Names(shop)

    assert completions(names, "SELECT * FROM shop.o") == ["shop.orders"]
    assert "older" in completions(names, "SELECT * FROM old")
    assert "status" in completions(names, "SELECT * FROM shop.orders WHERE st")
    assert completions(names, "QUAL") == ["QUALIFY"]
    assert completions(names, "SELECT * FROM shop.nothing WHERE status") == []
    assert "startswith" in completions(names, "SELECT star")
