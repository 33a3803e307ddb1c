"""What the command line prints of runs, and which numbers it takes."""

import json
from pathlib import Path

import pytest
from recorded_runs import start_run

from lakelocal.cli.main import main
from lakelocal.cli.parser import MODULES, read_arguments
from lakelocal.history.records import Records
from lakelocal.project import Project

Out = pytest.CaptureFixture[str]
NAME = "[dev ana] a job whose name is long enough to be folded where a table has but eighty columns"


@pytest.fixture
def project(tmp_path: Path) -> list[str]:
    """The options that name a project with one recorded run."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: b}")
    records = Records.of(Project.at(tmp_path).state("main").make())
    start_run(records, job_id=1, job_key="j", run_name=NAME, target="dev", trigger="ONE_TIME")
    return ["--project", str(tmp_path)]


def test_a_list_of_runs_is_whole_in_a_pipe(project: list[str], capsys: Out) -> None:
    """One line a run, for `grep`; a name in brackets is a name, not a style."""
    assert main([*project, "runs", "list"]) == 0

    assert [line for line in capsys.readouterr().out.splitlines() if NAME in line]


@pytest.mark.parametrize("verb", MODULES)
def test_each_verb_is_declared_by_the_module_that_is_imported_for_it(capsys: Out, verb: str) -> None:
    """Also where a value that is the name of another verb stands before it."""
    for words in ([verb], ["--project", "sql", verb], ["--project=sql", verb]):
        with pytest.raises(SystemExit, match="0"):
            read_arguments([*words, "--help"])
        assert capsys.readouterr().out.startswith(f"usage: python -m local {verb}")


def test_a_word_that_is_no_verb_and_the_help_name_all_verbs(capsys: Out) -> None:
    """Then no module stays out; `attempt` is what a kernel calls, and no help lists it."""
    with pytest.raises(SystemExit, match="2"):
        read_arguments(["rnu"])
    told = capsys.readouterr().err
    assert [verb for verb in MODULES if f"'{verb}'" not in told] == []
    with pytest.raises(SystemExit, match="0"):
        read_arguments(["--help"])
    told = capsys.readouterr().out
    assert [verb for verb in MODULES if f"\n    {verb} " not in told] == ["attempt"]


def test_a_run_is_json_with_and_without_the_option(project: list[str], capsys: Out) -> None:
    """Every other verb that prints a run takes `--json`."""
    for option in ([], ["--json"]):
        assert main([*project, "runs", "get", "1", *option]) == 0
        assert json.loads(capsys.readouterr().out)["run_name"] == NAME


@pytest.mark.parametrize("number", ["0", "-1", "many"])
@pytest.mark.parametrize(
    "words", [["runs", "list", "--limit"], ["outbox", "--limit"], ["sql", "x", "--limit"], ["schedule", "next", "-n"]]
)
def test_how_many_is_at_least_one(project: list[str], capsys: Out, words: list[str], number: str) -> None:
    """SQLite takes -1 for all, and a list of none would read as if there were none."""
    with pytest.raises(SystemExit) as stopped:
        main([*project, *words[:-1], f"{words[-1]}={number}" if words[-1].startswith("--") else f"{words[-1]}{number}"])

    assert stopped.value.code == 2
    assert f"found `{number}`; expected a whole number from 1" in capsys.readouterr().err
