"""The documentation of the workspace lists exactly the existing endpoints, and the clients' calls with their tests."""

import ast
from pathlib import Path

from tests.jobs.daily import ROOT
from tests.workspace.client_calls import CALLS
from tests.workspace.endpoints_document import FILE, TESTS, document


def test_the_document_has_all_endpoints() -> None:
    """If this fails: python -m tests.workspace.write_endpoints."""
    text = FILE.read_text(encoding="utf-8")
    assert document(text) == text


def test_the_tests_that_it_names_exist() -> None:
    for names in TESTS.values():
        for name in names.split(", "):
            assert place(name).is_file(), name
    for call in CALLS:
        assert bool(call.tests) != bool(call.why), call.client
        for test in call.tests:
            file, _, name = test.partition("::")
            tree = ast.parse(place(file).read_text(encoding="utf-8"))
            assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, test


def place(name: str) -> Path:
    """The file of tests that the document calls *name*."""
    return ROOT / name if "/" in name else ROOT / "tests" / "workspace" / name
