"""Scripts of a bundle: read, checked, and run by name."""

from pathlib import Path
from textwrap import dedent

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.cli.main import main
from lakelocal.errors import BundleError
from lakelocal.project import Project
from lakelocal.validate import validate

BUNDLE = """
    bundle: {name: b}
    variables: {x: {default: y}}
    targets: {dev: {default: true}, prod: {}}
    scripts:
      tell:
        env: {X: "${var.x}-${bundle.target}", HERE: "${workspace.file_path}", N: 1.0}
        content: |
          test "$HERE" = "$PWD"
          echo "$X $N $DATABRICKS_BUNDLE_TARGET $OWN" > told
      fails: {content: "exit 3; echo no"}
      stops: {content: "false; echo no > told"}
"""


def write(root: Path, text: str = BUNDLE) -> Project:
    (root / "databricks.yml").write_text(dedent(text))
    return Project.at(root)


def run(root: Path, *words: str) -> int:
    return main(["--project", str(root), "run", *words])


def test_a_script_runs_in_the_folder_of_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its values, the target, and what the caller's environment has."""
    write(tmp_path)
    monkeypatch.setenv("OWN", "own")

    assert run(tmp_path, "tell", "--target", "prod") == 0
    assert (tmp_path / "told").read_text() == "y-prod 1 prod own\n"


def test_the_end_of_a_script_is_that_of_the_command(tmp_path: Path) -> None:
    """The first command that fails ends it."""
    write(tmp_path)

    assert run(tmp_path, "fails") == 3
    assert run(tmp_path, "stops") == 1
    assert not (tmp_path / "told").exists()
    assert run(tmp_path, "tell", "--param", "a=1") == 2


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("{env: {A: b}}", "found no `content` in the script `s`"),
        ('{content: "echo ${var.x}"}', "found `${var.x}` in the script `s`; expected no reference"),
        ('{content: a, env: {A: "${resources.jobs.j.id}"}}', "found `${resources.jobs.j.id}` in the script `s`"),
    ],
)
def test_a_wrong_script_stops_itself_alone(tmp_path: Path, script: str, message: str) -> None:
    """`validate` reports it too."""
    scripts = f"scripts: {{s: {script}, o: {{content: a}}}}"
    place = write(tmp_path, f"bundle: {{name: b}}\nvariables: {{x: {{default: 1}}}}\n{scripts}")

    bundle = load_bundle(place)

    assert bundle.script("o").content == "a"
    with pytest.raises(BundleError) as raised:
        bundle.script("s")
    assert message in str(raised.value)
    assert [message in str(each) for each in validate(place).findings] == [True]


def test_a_key_names_one_thing(tmp_path: Path) -> None:
    """A script of another file with the key of a job."""
    (tmp_path / "s.yml").write_text("scripts: {j: {content: a}}")
    place = write(tmp_path, "bundle: {name: b}\ninclude: [s.yml]\nresources: {jobs: {j: {name: J}}}")

    (found,) = [each for each in validate(place).findings if each.rule == "duplicate-resource"]
    assert found.found == "`scripts.j` a second time (first in `databricks.yml:3` as `resources.jobs.j`)"
