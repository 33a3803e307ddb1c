"""The documentation of the workspace lists exactly the existing endpoints."""

from tests.jobs.daily import ROOT
from tests.workspace.endpoints_document import FILE, TESTS, document


def test_the_document_has_all_endpoints() -> None:
    """If this fails: python -m tests.workspace.write_endpoints."""
    text = FILE.read_text(encoding="utf-8")
    assert document(text) == text


def test_the_tests_that_it_names_exist() -> None:
    for names in TESTS.values():
        for name in names.split(", "):
            assert (ROOT / name if "/" in name else ROOT / "tests" / "workspace" / name).is_file(), name
