"""A notebook written for Databricks runs here unchanged."""

from pathlib import Path

import papermill

ROOT = Path(__file__).parents[2]


def test_a_notebook_in_the_dialect_runs_unchanged(state, tmp_path, monkeypatch):
    """Names, volumes, Auto Loader, SQL paths and checkpoints together; the notebook asserts its results itself."""
    monkeypatch.setenv("LOCAL_PROJECT", str(ROOT))
    monkeypatch.setenv("LOCAL_STATE", str(state.folder.parent))
    monkeypatch.setenv("LOCAL_CATALOG", state.catalog)

    done = papermill.execute_notebook(
        ROOT / "tests" / "notebooks" / "fixtures" / "dialect.ipynb",
        tmp_path / "dialect.ipynb",
        parameters={"catalog": state.catalog},
        execution_timeout=120,
        progress_bar=False,
    )

    assert all(cell.get("execution_count") for cell in done.cells if cell.cell_type == "code")
