"""What stands at the top of an executed notebook that failed, and above the cell that did."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lakelocal.attempt.banner import show_reason
from lakelocal.attempt.failures import failed_cell
from lakelocal.sources.executed import ERROR_MARK


def executed(place: Path, *, status: str, by_papermill: bool, minor: int = 5) -> Path:
    """A notebook whose third cell has *status*, and papermill's own cells if it wrote them."""
    cells: list[Any] = [
        nbformat.v4.new_markdown_cell("# Orders"),
        nbformat.v4.new_code_cell("1"),
        nbformat.v4.new_code_cell("# ## Totals\n2"),
    ]
    cells[1].metadata["papermill"] = {"status": "completed", "exception": False}
    cells[2].metadata["papermill"] = {"status": status, "exception": status == "failed"}
    if by_papermill:
        own = [nbformat.v4.new_markdown_cell(f"In [{n}]", metadata={"tags": [ERROR_MARK]}) for n in (1, 2)]
        cells = [own[0], *cells[:2], own[1], cells[2]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    if minor < 5:
        notebook.nbformat_minor = minor
        for cell in cells:
            del cell["id"]
    nbformat.write(notebook, place)
    return place


@pytest.mark.parametrize(
    ("status", "by_papermill", "minor"), [("failed", True, 5), ("failed", True, 4), ("running", False, 5)]
)
def test_the_reason_leads_to_the_cell(tmp_path: Path, status: str, by_papermill: bool, minor: int) -> None:
    """Also where the notebook was ended from outside, so that papermill wrote nothing; the notebook stays valid."""
    place = executed(tmp_path / "out.ipynb", status=status, by_papermill=by_papermill, minor=minor)
    named = failed_cell(place)

    show_reason(place, "FAILED", f"column `a` not found; did you mean `b<c>`? ({named})")
    show_reason(place, "FAILED", f"column `a` not found; did you mean `b<c>`? ({named})")  # as a repeated call

    notebook = nbformat.read(place, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    tags = [ERROR_MARK in cell.metadata.get("tags", []) for cell in notebook.cells]
    assert tags == [True, False, False, True, False]
    top, mark = (cell.source for cell in notebook.cells if ERROR_MARK in cell.metadata.get("tags", []))
    assert "<b>FAILED</b>: column `a` not found; did you mean `b&lt;c&gt;`? (<a href=" in top
    assert f'href="#failed-cell">{named}</a>' in top.replace("&quot;", '"')
    assert 'id="failed-cell"' in mark and "In [" not in top + mark
    assert failed_cell(place) == named


def test_a_notebook_without_a_failed_cell_has_the_reason_only(tmp_path: Path) -> None:
    """For example if it ended before its first cell; a file that cannot be read stays as it is."""
    place = executed(tmp_path / "out.ipynb", status="completed", by_papermill=False)
    show_reason(place, "TIMEDOUT", "timed out after 5 seconds")
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    show_reason(broken, "FAILED", "why")

    first = json.loads(place.read_text())["cells"][0]
    assert first["source"].endswith("<b>TIMEDOUT</b>: timed out after 5 seconds</div>")
    assert broken.read_text() == "{"
