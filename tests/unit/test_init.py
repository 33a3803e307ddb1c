"""`init`: the bundle that it writes is valid, and nothing that exists is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.cli.init import write_bundle
from lakelocal.cli.main import main
from lakelocal.errors import UsageError
from lakelocal.program import called
from lakelocal.project import Project
from lakelocal.validate import validate


def test_the_bundle_is_right_for_all_its_targets(tmp_path: Path) -> None:
    """It is named after its folder, and nothing is found wrong with it."""
    folder = tmp_path / "my shop"

    write_bundle(folder)

    bundle = load_bundle(Project.at(folder))
    report = validate(Project.at(folder))
    assert (bundle.name, bundle.target, list(bundle.jobs)) == ("my_shop", "dev", ["daily"])
    assert not report.findings


def test_the_files_are_those_that_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is listed, followed by what to do with them."""
    assert main(["init", str(tmp_path / "shop")]) == 0

    told = capsys.readouterr().out.splitlines()
    written = sorted(str(place.relative_to(tmp_path / "shop")) for place in (tmp_path / "shop").rglob("*.*"))
    assert [line.strip() for line in told[1 : told.index("Next:")]] == written
    assert told[told.index("Next:") + 1 :][1:3] == [
        f"  {called(tmp_path / 'shop')} run daily",
        f'  {called(tmp_path / "shop")} sql "SELECT * FROM shop.cities"',
    ]


@pytest.mark.parametrize("there", ["databricks.yml", "bundle.yaml", "README.md", "notebooks/load.py"])
def test_nothing_that_is_there_is_written_over(tmp_path: Path, there: str) -> None:
    """A bundle, or one file of the same name: the message names it, and no file is added."""
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")

    with pytest.raises(UsageError, match=rf"found `{there}`; expected a folder without a bundle"):
        write_bundle(tmp_path)

    assert list(tmp_path.rglob("*.*")) == [tmp_path / there]
    assert (tmp_path / there).read_text() == "mine"


def test_its_python_is_well_formed(tmp_path: Path) -> None:
    """It is formatted, so that users start with clean code."""
    write_bundle(tmp_path / "shop")

    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length", "120", tmp_path / "shop"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout
