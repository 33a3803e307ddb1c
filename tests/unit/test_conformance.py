"""local/CONFORMANCE.md is up to date, complete, and names only tests that exist."""

import ast
import importlib
import pkgutil
from collections import Counter
from pathlib import Path

import conformance
import pytest
from conformance import NOT_APPLICABLE, NOT_CONFIRMED, Proved, Rule, Unproved, document, elsewhere, surroundings
from conformance.document import SECTIONS, TABLES, rows
from write_conformance import FILE

ROOT = Path(__file__).parents[2]
MODULES = [importlib.import_module(f"conformance.{each.name}") for each in pkgutil.iter_modules(conformance.__path__)]


def functions(file: str) -> set[str]:
    """The test functions of *file*, read without importing it: some need Spark."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_the_file_is_of_today() -> None:
    """It is made by `python tests/unit/write_conformance.py`."""
    assert FILE.read_text(encoding="utf-8") == document.document()


def test_every_named_test_exists() -> None:
    """A test that was renamed or deleted proves nothing."""
    named = sorted({test for row in rows() for test in row.tests})
    known = {file: functions(file) for file in {test.partition("::")[0] for test in named}}

    assert [test for test in named if test.partition("::")[2] not in known[test.partition("::")[0]]] == []


@pytest.mark.parametrize("test", TABLES)
def test_a_table_is_run_by_its_test(test: str) -> None:
    """Row for row, by the ids of the cases that pytest collects."""
    file, _, function = test.partition("::")
    (mark,) = getattr(importlib.import_module(Path(file).stem), function).pytestmark

    assert [case.id for case in mark.args[1]] == [rule.id for rule in TABLES[test]]


def test_no_rule_is_left_out() -> None:
    """Every list of rules in the package is in the document."""
    lists = [value for module in MODULES for value in vars(module).values() if isinstance(value, list)]
    written = {each.id for some in lists for each in some if isinstance(each, (Rule, Proved, Unproved))}

    assert written == {row.id for row in rows()}


def test_every_rule_has_an_id_of_its_own() -> None:
    """Ids are what one searches for."""
    assert [id_ for id_, count in Counter(row.id for row in rows()).items() if count > 1] == []


def test_every_topic_has_a_rule_and_every_rule_a_topic() -> None:
    """A rule with an unknown topic would not be shown."""
    topics = [topic for topics in SECTIONS.values() for topic in topics]

    assert len(topics) == len(set(topics))
    assert {row.topic for row in rows()} == set(topics)


def test_a_rule_is_proved_or_says_why_not() -> None:
    """It has at least one test, or one of the two statuses and a reason."""
    assert [each.id for each in (*elsewhere.PROVED, *surroundings.PROVED) if not each.tests] == []
    unproved = [row for row in rows() if not row.tests]
    assert {row.status for row in unproved} == {NOT_APPLICABLE, NOT_CONFIRMED}
    assert [row.id for row in unproved if not row.reason] == []
