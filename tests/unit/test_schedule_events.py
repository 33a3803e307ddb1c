"""Triggers that wait for files or tables: what makes them fire, when, and what the run knows of it."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakelocal.cli.parser import read_arguments
from lakelocal.lakeflow.references import Scope, WrongReference, resolve
from lakelocal.lakeflow.trigger_events import TableVersion, TriggerEvent
from lakelocal.project import State
from lakelocal.schedule.events import Watch
from lakelocal.schedule.plan import Firing
from lakelocal.schedule.starting import Starter
from lakelocal.schedule.triggers import FileArrival, ScheduledJob, TableUpdate
from lakelocal.schedule.watched import Watched

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
URL = "/Volumes/main/raw/files"
A, B, C = {"a": (1, 1)}, {"b": (1, 2)}, {"c": (1, 3)}


def fired(watch: Watch, *looks: tuple[int, dict[str, tuple[int, int]]]) -> list[int]:
    """The seconds after noon at which *watch* fires, for what is there at which second."""
    return [second for second, seen in looks if watch.look(seen, NOON + timedelta(seconds=second))]


def test_only_files_that_come_later_fire() -> None:
    """Not those that are there at first, nor those that are written again; one that comes back is new."""
    looks = [(0, A), (5, A), (10, A | B), (15, A | B), (20, {"a": (9, 9), "b": (1, 2)}), (25, A), (30, A | B)]

    assert fired(Watch(FileArrival(URL)), *looks) == [10, 30]


def test_files_that_go_on_arriving_are_waited_for() -> None:
    """`wait_after_last_change_seconds` counts from the last file, also from one that grows."""
    looks = [(0, {}), (5, A), (15, A | B), (25, A | {"b": (2, 5)}), (34, A | {"b": (2, 5)}), (35, A | {"b": (2, 5)})]

    assert fired(Watch(FileArrival(URL, quiet=timedelta(seconds=10))), *looks) == [35]


def test_firings_have_a_least_distance() -> None:
    """What comes meanwhile is one firing at its end."""
    watch = Watch(FileArrival(URL, least_between=timedelta(seconds=60)))

    assert fired(watch, (0, {}), (5, A), (20, A | B), (40, A | B | C), (64, A | B | C), (65, A | B | C), (99, A)) == [
        5,
        65,
    ]


@pytest.mark.parametrize(("all_of", "at"), [(False, [5, 10, 20]), (True, [10])])
def test_one_table_or_all_of_them(all_of: bool, at: list[int]) -> None:
    """A table that is created counts as updated; for all of them, updates are collected."""
    watch = Watch(TableUpdate(("m.s.t", "m.s.u"), all_of))
    t, u = "m.s.t", "m.s.u"

    looks = [(0, {t: (1, 10)}), (5, {t: (2, 20)}), (10, {t: (2, 20), u: (0, 30)}), (15, {t: (2, 20), u: (0, 30)})]
    assert fired(watch, *looks, (20, {t: (3, 40), u: (0, 30)})) == at


def test_two_schedulers_claim_the_same_firing() -> None:
    """However far apart they look; the next file is another one."""
    one, other = Watch(FileArrival(URL)), Watch(FileArrival(URL))
    for watch in (one, other):
        watch.look({}, NOON)
    first = one.look(A, NOON + timedelta(seconds=3))
    second = other.look(A, NOON + timedelta(seconds=7))
    third = one.look(A | B, NOON + timedelta(seconds=9))

    assert first is not None and second is not None and third is not None
    assert first.slot == second.slot != third.slot
    assert first.event == TriggerEvent(URL)


def commit(log: Path, version: int, *actions: dict) -> None:
    log.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(each) for each in ({"commitInfo": {"timestamp": 1000 + version}}, *actions)]
    (log / f"{version:020}.json").write_text("\n".join(lines))


ADDED = {"add": {"path": "a.parquet", "dataChange": True}}
MOVED = {"add": {"path": "b.parquet", "dataChange": False}}


def test_what_is_there_is_read_from_files_and_logs(tmp_path: Path) -> None:
    """Files at any depth; of a table the newest version that changed data. What is not there is not seen."""
    state = State(tmp_path, "main", tmp_path / "main")
    (state.volumes / "raw" / "files" / "deep").mkdir(parents=True)
    (state.volumes / "raw" / "files" / "deep" / "a.csv").write_text("a")
    state.warehouse.mkdir()
    state.metastore.mkdir()
    log = state.warehouse / "s.db" / "t" / "_delta_log"
    commit(log, 0, {"metaData": {}})
    watched = Watched(lambda catalog: state if catalog == "main" else None)
    tables = TableUpdate(("main.s.t", "main.s.none", "other.s.t"))

    assert [Path(name).name for name in watched.seen_by(FileArrival(URL))] == ["a.csv"]
    assert not watched.seen_by(FileArrival("/Volumes/other/raw/files"))
    assert not watched.seen_by(FileArrival("/Volumes/main/raw/../../.."))
    assert watched.seen_by(tables) == {}
    commit(log, 1, ADDED)
    assert watched.seen_by(tables) == {"main.s.t": (1, 1001)}
    commit(log, 2, MOVED)
    assert watched.seen_by(tables) == {"main.s.t": (1, 1001)}
    commit(log, 3, {"remove": {"path": "a.parquet", "dataChange": True}})
    assert watched.seen_by(tables) == {"main.s.t": (3, 1003)}

    shutil.rmtree(log)
    for version in range(3):
        commit(log, version, MOVED)
    commit(log, 3, MOVED)
    os.utime(log / f"{3:020}.json", ns=(1, 1))
    assert watched.seen_by(tables) == {}, "another table, whose newest version has the same number"


def scope(event: TriggerEvent) -> Scope:
    run = {"job_id": 1, "run_name": "j", "run_id": 2, "start_time": 0, "trigger": event.type}
    return Scope.of_run({**run, "trigger_event": json.loads(json.dumps(event.as_json()))})


def test_a_run_knows_what_started_it() -> None:
    """As its references name it, also after it has been recorded and read."""
    tables = {"m.s.t": TableVersion(7, 1_767_268_800_000), "m.s.u": TableVersion(0, 0)}
    updated = scope(TriggerEvent("", ("m.s.t",), tables))

    assert resolve("{{job.trigger.file_arrival.location}}", scope(TriggerEvent(URL))) == URL
    assert resolve("{{job.trigger.table_update.updated_tables}}", updated) == '["m.s.t"]'
    assert resolve("{{job.trigger.table_update.`m.s.t`.version}}", updated) == "7"
    assert resolve("{{job.trigger.table_update.m.s.u.version}}", updated) == "0"
    assert resolve("{{job.trigger.table_update.M.S.T.commit_timestamp.iso_date}}", updated) == "2026-01-01"
    assert resolve("{{job.trigger.type}}", updated) == "table"
    unknown, other = "{{job.trigger.table_update.m.s.x.version}}", "{{job.trigger.file_arrival.location}}"
    for text, wrong in ((unknown, "`m.s.x`"), (other, "new files")):
        with pytest.raises(WrongReference, match=wrong):
            resolve(text, updated)


def test_the_command_of_a_run_tells_what_started_it(tmp_path: Path) -> None:
    """The scheduler of a bundle starts its runs by the command line, which reads the event again."""
    job = ScheduledJob("arrivals", 1, "dev", FileArrival(URL))
    watch = Watch(FileArrival(URL))
    watch.look({}, NOON)
    firing = Firing(job, NOON, NOON, fired=watch.look(A, NOON))

    command = Starter(tmp_path, "dev", tmp_path).command(firing)
    read = read_arguments(command[command.index("run") :])

    assert read.trigger_event == TriggerEvent(URL)
    with pytest.raises(SystemExit):
        read_arguments(["run", "arrivals", "--trigger-event", '{"location": 1}'])
