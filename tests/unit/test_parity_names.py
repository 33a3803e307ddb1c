"""How a run is named in `diff`, which run that is, and where its tables are read."""

from pathlib import Path

import pytest
from recorded_runs import start_run

from lakelocal.cli.main import main
from lakelocal.compute import REMOTE
from lakelocal.errors import RunError, UsageError
from lakelocal.history.records import Records
from lakelocal.parity.sides import RunName, compute_for, find_side, is_same_place, parse_name
from lakelocal.project import State

JOB = {"job_id": 1, "job_key": "j", "run_name": "Job", "target": "dev", "trigger": "ONE_TIME"}


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, "main", tmp_path / "state" / "main").make()


def record(state: State, *, end: int | None = 1000, **values) -> int:
    """A run that ended at *end* (epoch ms; None: it has not)."""
    records = Records.of(state)
    run_id = start_run(records, **JOB, **values)
    if end is not None:
        records.update_run(run_id, life_cycle_state="TERMINATED", result_state="SUCCESS", end_time=end)
    return run_id


@pytest.mark.parametrize(
    ("text", "name", "is_folder"),
    [
        ("12", RunName("", 12), False),
        ("latest", RunName("", None), False),
        ("staging:12", RunName("staging", 12), False),
        ("staging:latest", RunName("staging", None), False),
        ("../x/.local/dev:7", RunName("../x/.local/dev", 7), True),
        ("./dev:latest", RunName("./dev", None), True),
        ("/a:b/dev:7", RunName("/a:b/dev", 7), True),
        ("~/dev:7", RunName("~/dev", 7), True),
    ],
)
def test_a_name_is_a_run_behind_its_place(text, name, is_folder):
    """The last colon is the separator, because a path may contain one."""
    assert parse_name(text) == name
    assert name.is_folder is is_folder


@pytest.mark.parametrize("text", ["", "newest", ":12", "dev:", "dev:-1", "12:dev", "./dev", "dev:²"])
def test_another_text_is_refused_with_the_forms_that_there_are(text):
    """A misspelt name must not be mistaken for a target or a folder."""
    with pytest.raises(UsageError, match="expected RUN_ID, `latest`, TARGET:RUN_ID or FOLDER"):
        parse_name(text)


def test_the_latest_is_the_run_that_ended_last_of_those_that_no_other_started(state):
    """A run's set-up is recorded after it and ends before it; a child's end is not the end of the whole."""
    wanted = record(state, end=9000)
    record(state, end=1000)
    record(state, end=9001, parent_run_id=wanted)
    record(state, end=None)

    assert find_side("latest", lambda _: state).run.run_id == wanted


def test_a_target_chooses_its_state(state):
    """The same id may be in the histories of several targets."""
    run_id = record(state)
    asked = []

    side = find_side(f"staging:{run_id}", lambda target: asked.append(target) or state)

    assert (asked, side.state) == (["staging"], state)


def test_a_folder_is_the_state_of_the_catalog_that_it_is_named_after(state):
    """No target of the bundle is asked for it."""
    run_id = record(state, end=5000)

    side = find_side(f"{state.folder}:{run_id}", lambda _: pytest.fail("a target was asked"))

    assert (side.state.catalog, side.state.folder, side.end_ms) == ("main", state.folder.resolve(), 5000)


def test_a_folder_without_a_history_is_no_state_and_stays_as_it_is(tmp_path):
    """Reading must not create a state."""
    with pytest.raises(RunError, match="found no run history in"):
        find_side(f"{tmp_path}/nowhere:1", lambda _: pytest.fail("a target was asked"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["9", "latest", "nowhere:9"])
def test_runs_that_cannot_be_compared_are_not_called_different(tmp_path, monkeypatch, capsys, name):
    """Exit code 1 would tell a script that somebody compared them."""
    (tmp_path / "databricks.yml").write_text("bundle: {name: example}\ntargets: {dev: {default: true}}\n")
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "state"))

    assert main(["--project", str(tmp_path), "diff", name, "latest"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_run_that_has_not_ended_has_no_end_to_compare(state):
    """Its tables are still being written."""
    run_id = record(state, end=None)

    with pytest.raises(UsageError, match=f"run {run_id} has not ended"):
        find_side(str(run_id), lambda _: state)


def test_a_run_of_the_own_server_is_read_there_whatever_the_environment(state, monkeypatch):
    """`LOCAL_REMOTE` is for the other side."""
    monkeypatch.setenv(REMOTE, "sc://localhost:1/;token=s3cret")
    side = find_side(str(record(state)), lambda _: state)

    assert compute_for(side, None, "--remote-a").remote == ""


def test_a_remote_run_is_read_at_the_place_that_the_environment_names_again(state, monkeypatch):
    """Records contain no token."""
    monkeypatch.setenv(REMOTE, "sc://spark:15002/;token=s3cret")
    side = find_side(str(record(state, remote="sc://spark:15002")), lambda _: state)

    assert compute_for(side, None, "--remote-a").remote == "sc://spark:15002/;token=s3cret"


@pytest.mark.parametrize(("url", "found"), [("", "nothing"), ("sc://other:1/;token=s3cret", "sc://other:1")])
def test_another_place_in_the_environment_is_refused(state, monkeypatch, url, found):
    """Its tables would be those of another run; the message has the label, never the token."""
    monkeypatch.setenv(REMOTE, url)
    side = find_side(str(record(state, remote="sc://spark:15002")), lambda _: state)

    with pytest.raises(UsageError) as raised:
        compute_for(side, None, "--remote-b")

    assert f"ran at `sc://spark:15002`; found {REMOTE} with `{found}`" in str(raised.value)
    assert "--remote-b" in str(raised.value) and "s3cret" not in str(raised.value)


def test_an_option_says_where_the_tables_are_now(state):
    """A server may listen on another port by now; the connection itself verifies whose tables it has."""
    side = find_side(str(record(state, remote="sc://spark:15002")), lambda _: state)

    assert compute_for(side, "sc://spark:7077", "--remote-a").label == "sc://spark:7077"


def test_one_session_serves_two_runs_of_one_state_and_place(state, tmp_path):
    """Another state is another server."""
    own = find_side(str(record(state)), lambda _: state)
    away = State(tmp_path, "main", tmp_path / "other" / "main").make()
    other = find_side(str(record(away)), lambda _: away)
    here, there = compute_for(own, None, "-"), compute_for(other, None, "-")

    assert is_same_place(here, compute_for(own, None, "-"))
    assert not is_same_place(here, there)
    assert not is_same_place(here, compute_for(own, "sc://spark:7077", "-"))
