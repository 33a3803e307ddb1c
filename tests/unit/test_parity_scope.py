"""What a comparison of runs leaves out: by convention, by option, and by the project's settings."""

from pathlib import Path

import pytest

from lakelocal.errors import ProjectError
from lakelocal.parity.scope import DiffScope


def project(root: Path, text: str) -> Path:
    (root / "pyproject.toml").write_text(text)
    return root


def test_the_project_names_what_differs_by_nature(tmp_path):
    """Tables and columns, in addition to those on the command line."""
    root = project(tmp_path, '[tool.lakelocal.diff]\nexclude = ["ops.progress"]\nignore = ["ops.*.recorded_at"]')

    scope = DiffScope.of(root, excluded=["raw.*"], ignored=["etag"])

    assert [scope.takes(name) for name in ("ops.progress", "raw.a", "ops.counts")] == [False, False, True]
    assert scope.ignores("ops.counts", "recorded_at") and scope.ignores("gold.a", "ETag")
    assert not scope.ignores("gold.a", "recorded_at")


def test_all_columns_leaves_nothing_out_by_default(tmp_path):
    """Except what the command line names."""
    root = project(tmp_path, '[tool.lakelocal.diff]\nexclude = ["ops.progress"]')

    scope = DiffScope.of(root, ignored=["etag"], all_columns=True)

    assert scope.takes("ops.progress") and not scope.ignores("a.b", "_ingested_at") and scope.ignores("a.b", "etag")


def test_what_only_a_pipeline_sees_is_left_out():
    """Its tables have the id of the pipeline in their names, which is another one in each target."""
    names = ("__pipeline_internal.valid_orders_865bebfb", "other.__pipeline_internal.a", "declarative.valid_orders")

    assert [DiffScope().takes(name) for name in names] == [False, False, True]
    assert all(DiffScope(all_columns=True).takes(name) for name in names)


def test_a_project_need_not_say_anything(tmp_path):
    """Without the file or the block, only the conventions apply."""
    assert DiffScope.of(tmp_path) == DiffScope.of(project(tmp_path, "[project]\nname = 'x'")) == DiffScope()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[tool.lakelocal.diff]\nexcluded = []", "found `excluded = []`"),
        ("[tool.lakelocal.diff]\nignore = 'a'", "found `ignore = a`"),
        ("[tool", "Correct the file"),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path, text, found):
    """A misspelt name must not lead to comparing what the project wanted to leave out."""
    with pytest.raises(ProjectError, match=r"pyproject\.toml") as raised:
        DiffScope.of(project(tmp_path, text))

    assert found in str(raised.value)
