"""What the command line prints about runs, and which numbers it accepts."""

import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from recorded_runs import start_run

from lakelocal.cli.main import main
from lakelocal.cli.parser import MODULES, read_arguments
from lakelocal.history.records import Records
from lakelocal.program import PROGRAM
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
    """One line per run, for `grep`; a name in brackets is a name, not a style."""
    assert main([*project, "runs", "list"]) == 0

    assert [line for line in capsys.readouterr().out.splitlines() if NAME in line]


@pytest.mark.parametrize("verb", MODULES)
def test_each_verb_is_declared_by_the_module_that_is_imported_for_it(capsys: Out, verb: str) -> None:
    """Even if a value before it is the name of another verb."""
    for words in ([verb], ["--project", "sql", verb], ["--project=sql", verb]):
        with pytest.raises(SystemExit, match="0"):
            read_arguments([*words, "--help"])
        assert capsys.readouterr().out.startswith(f"usage: {PROGRAM} {verb}")


def test_a_word_that_is_no_verb_and_the_help_name_all_verbs(capsys: Out) -> None:
    """Then all modules are imported; `attempt` is called by kernels, and not listed in the help."""
    with pytest.raises(SystemExit, match="2"):
        read_arguments(["rnu"])
    told = capsys.readouterr().err
    assert told.startswith("error: VERB: found `rnu`, expected one of init, jobs, pipelines, run, ")
    assert "Did you mean `run`?" in told
    assert [verb for verb in MODULES if not re.search(rf"\b{verb}\b", told)] == []
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
    """SQLite takes -1 to mean all, and a list of none would read as if there were none."""
    with pytest.raises(SystemExit) as stopped:
        main([*project, *words[:-1], f"{words[-1]}={number}" if words[-1].startswith("--") else f"{words[-1]}{number}"])

    assert stopped.value.code == 2
    assert f"found `{number}`; expected a whole number from 1" in capsys.readouterr().err


def test_child_runs_stand_below_their_parent_and_parameters_beside_it(project: list[str], capsys: Out) -> None:
    """A user looks for the run that was started, and for the day that it was for; --limit counts these."""
    records = Records.of(Project.at(Path(project[1])).state("main"))
    day = {"day": ["{{job.start_time.iso_date}}", "2018-09-02"], "mode": ["full", "full"]}
    job = {"job_id": 1, "job_key": "j", "target": "dev", "trigger": "ONE_TIME"}
    parent = start_run(records, **job, run_name="daily", job_parameters=day)
    child = start_run(records, **job, run_name="child", parent_run_id=parent, job_parameters=day)
    start_run(records, **job, run_name="grandchild", parent_run_id=child)
    start_run(records, **job, run_name="next")

    assert main([*project, "runs", "list", "--limit", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]

    assert [re.split(r" {2,}\d{4}-", row)[0].strip() for row in rows] == [
        "5  next",
        "2  daily",
        "3    child",
        "4      grandchild",
    ]
    assert rows[1].rstrip().endswith("RUNNING  day=2018-09-02") and "day=" not in rows[2]


def test_the_latest_run_is_the_newest_that_no_other_started(project: list[str], capsys: Out) -> None:
    """`latest` is accepted wherever a run is named; for other words, the message says what to write."""
    records = Records.of(Project.at(Path(project[1])).state("main"))
    job = {"job_id": 1, "job_key": "j", "run_name": "x", "target": "dev", "trigger": "ONE_TIME"}
    parent = start_run(records, **job)
    start_run(records, **job, parent_run_id=parent)

    assert main([*project, "runs", "get", "latest"]) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == parent
    for verb in ("get", "repair", "cancel", "export"):
        assert main([*project, "runs", verb, "newest"]) == 2
        assert "found `newest`; expected the number of a run or `latest`." in capsys.readouterr().err


def test_a_run_that_does_not_exist_is_wrong_use_for_every_verb(project: list[str], capsys: Out) -> None:
    """One exit code, and the command that lists the runs."""
    for verb in ("get", "open", "repair", "cancel", "export"):
        assert main([*project, "runs", verb, "99"]) == 2
        assert f"found no run 99. See `{PROGRAM} runs list`." in capsys.readouterr().err


def test_the_latest_run_of_an_empty_history_is_none(tmp_path: Path, capsys: Out) -> None:
    """The message says how to get one."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: b}")

    assert main(["--project", str(tmp_path), "runs", "get", "latest"]) == 2
    assert "has no run yet. Run a job first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "near"), [(["valdate"], "validate"), (["runs", "lst"], "list"), (["sql", "x", "--format", "jsn"], "json")]
)
def test_a_name_that_is_nearly_right_is_offered(capsys: Out, words: list[str], near: str) -> None:
    """One line, without the usage of the whole command."""
    with pytest.raises(SystemExit, match="2"):
        read_arguments(words)

    told = capsys.readouterr().err
    assert told.count("\n") == 1 and f"Did you mean `{near}`?" in told


def test_the_jobs_of_a_bundle_are_listed_with_their_last_runs(tmp_path: Path, capsys: Out) -> None:
    """What a person may run, and what is broken; a name that is nearly right is offered by `run`."""
    task = {"task_key": "a", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}
    bundle = {
        "bundle": {"name": "b"},
        "resources": {
            "jobs": {
                "daily": {
                    "name": "Daily",
                    "tasks": [task],
                    "parameters": [{"name": "day", "default": "1"}],
                    "schedule": {
                        "quartz_cron_expression": "0 0 6 * * ?",
                        "timezone_id": "UTC",
                        "pause_status": "PAUSED",
                    },
                },
                "broken": {"name": "Broken", "tasks": [{**task, "depends_on": [{"task_key": "none"}]}]},
            }
        },
    }
    (tmp_path / "databricks.yml").write_text(json.dumps(bundle))
    project = ["--project", str(tmp_path)]

    assert main([*project, "run", "daily", "--json"]) == 0
    assert main([*project, "run", "dialy"]) == 2
    assert "Did you mean `daily`?" in capsys.readouterr().err
    assert main([*project, "jobs"]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert main([*project, "jobs", "--json"]) == 0
    daily = json.loads(capsys.readouterr().out)[1]

    assert rows[1] == f"broken cannot run: see {PROGRAM} validate"
    assert rows[2].startswith("daily 1 day 0 0 6 * * ?") and rows[2].endswith("PAUSED SUCCESS (run 1)")
    assert (daily["parameters"], daily["last_run"]) == ({"day": "1"}, {"run_id": 1, "result": "SUCCESS"})


def test_reset_asks_a_person_before_it_deletes(
    project: list[str], capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--dry-run` only tells; a pipe is asked like a person, and if nobody answers, nothing is deleted."""
    state = Project.at(Path(project[1])).state("main")
    state.warehouse.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))

    assert main([*project, "reset", "--dry-run"]) == 0 and state.runs_db.is_file()
    assert "0 tables, 0 files in volumes, 0 runs" in capsys.readouterr().out
    assert main([*project, "reset"]) == 0 and state.runs_db.is_file()
    assert "nothing was deleted" in capsys.readouterr().out
    assert main([*project, "reset"]) == 2 and state.runs_db.is_file()
    assert "found nobody to ask; nothing was deleted. Add --yes." in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main([*project, "reset"]) == 0 and not state.folder.exists()


def test_a_run_that_had_ended_is_not_said_to_be_cancelled(tmp_path: Path, capsys: Out) -> None:
    """As in the Jobs API, cancelling it is no error; the words say that nothing was done."""
    task = {"task_key": "a", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "2"}}
    (tmp_path / "databricks.yml").write_text(
        json.dumps({"bundle": {"name": "b"}, "resources": {"jobs": {"j": {"name": "J", "tasks": [task]}}}})
    )
    project = ["--project", str(tmp_path)]
    assert main([*project, "run", "j"]) == 0
    said = capsys.readouterr().out

    assert main([*project, "runs", "cancel", "1"]) == 0
    assert capsys.readouterr().out == "run 1 had already ended, nothing was done: SUCCESS\n"
    row = next(line.split() for line in said.splitlines() if line.startswith("a "))
    assert (row[1], row[-1]) == ("SUCCESS", "false")


def test_a_state_beside_the_bundle_is_hidden_from_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a token and tables, in somebody's repository; elsewhere nothing is written."""
    monkeypatch.delenv("LOCAL_STATE", raising=False)
    root = tmp_path / "bundle"
    root.mkdir()
    (root / "databricks.yml").write_text("bundle: {name: b}")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)

    Project.at(root).state("main").make().server_file.write_text("{}")
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "elsewhere"))
    Project.at(root).state("main").make()

    seen = subprocess.run(["git", "status", "--short"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert seen == "?? databricks.yml\n"
    assert not (tmp_path / "elsewhere" / ".gitignore").exists()
