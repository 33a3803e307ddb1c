"""The scheduler on a clock of the test: what it starts, reports and leaves, and that no firing is taken twice."""

import io
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from lakelocal.errors import RunError
from lakelocal.schedule import Firing, Schedule, ScheduledJob
from lakelocal.schedule.claims import Claims
from lakelocal.schedule.scheduler import Doing, Scheduler
from lakelocal.schedule.starting import Started, Starter
from lakelocal.schedule.triggers import Continuous, Cron, Periodic, Trigger
from lakelocal.schedule.views import ScheduleLines, table

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class TestClock:
    """A clock that is set by the test; waiting takes no time."""

    __test__ = False

    def __init__(self, at: datetime, end: datetime) -> None:
        self.at, self.end = at, end

    def now(self) -> datetime:
        return self.at

    def wait(self, until: datetime) -> bool:
        self.at = until
        return until >= self.end


class EndedProcess:
    """A run that is over as soon as it has begun; its pid is not a process."""

    pid = 2**22 + 1

    def __init__(self, code: int | None) -> None:
        self.code = code

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None: ...

    def wait(self, timeout: float) -> int:
        return self.code or 0


class Bench:
    """Schedulers with one file of claims; records what they started and reported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.claims = Claims(folder / "schedule.db")
        self.started: list[tuple[str, datetime]] = []
        self.said: list[str] = []
        self.active: dict[int, int] = {}
        self.codes: list[int | None] = []

    def start(self, firing: Firing) -> Started:
        self.started.append((firing.job.key, firing.at))
        log = self.folder / "run.log"
        log.write_text("first words\nlast words\n\n")
        return Started(EndedProcess(self.codes.pop(0) if self.codes else 0), log, "process 7")

    def scheduler(
        self, *jobs: ScheduledJob, begins: datetime = NOON, hours: float = 24, **settings: object
    ) -> Scheduler:
        doing = Doing(
            claims=self.claims,
            start_run=settings.pop("start_run", self.start),
            active_runs=lambda: dict(self.active),
            last_result=lambda job_id: "",
            view=ScheduleLines(lambda line: self.said.append(line[10:])),
        )
        clock = TestClock(begins, begins + hours * HOUR)
        return Scheduler(jobs, clock=clock, doing=doing, **{"poll": HOUR, **settings})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def job(trigger: Trigger | str, *, key: str = "j", zone: str = "UTC", **settings: object) -> ScheduledJob:
    if isinstance(trigger, str):
        trigger = Cron(Schedule(trigger, zone))
    return ScheduledJob(key, sum(map(ord, key)), "dev", trigger, **settings)


def test_runs_start_when_they_are_due(bench: Bench) -> None:
    """For each job that is not paused; nothing that was due before the start; the end of each run is reported."""
    jobs = (job("0 30 0/6 * * ?", key="six"), job("0 0 * * * ?", key="paused", paused=True))

    bench.scheduler(*jobs).run()

    assert bench.started == [("six", NOON + hours * HOUR) for hours in (0.5, 6.5, 12.5, 18.5)]
    assert sum("run started" in text for text in bench.said) == 4
    assert sum("run ended with exit code 0" in text for text in bench.said) == 4
    assert not any("paused" in text for text in bench.said)


def test_a_local_time_that_is_skipped_is_told_and_a_repeated_one_fires_once(bench: Bench) -> None:
    """02:30 in Berlin around both clock changes of 2026."""
    berlin = job("0 30 2 * * ?", zone="Europe/Berlin")

    bench.scheduler(berlin, begins=datetime(2026, 3, 28, 12, tzinfo=UTC), hours=48).run()
    bench.scheduler(berlin, begins=datetime(2026, 10, 24, 12, tzinfo=UTC), hours=24).run()

    assert [at for _, at in bench.started] == [
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ]
    assert "j, 2026-03-29 01:00:00 UTC: NO SUCH TIME: 02:30:00 is skipped in Europe/Berlin" in bench.said


def test_what_the_limits_will_do_is_foretold_and_left_to_the_run(bench: Bench) -> None:
    """The process starts in any case: it waits in the queue, or records that it was skipped."""
    jobs = [job("0 0 13 * * ?", key="queued"), job("0 0 13 * * ?", key="never", max_concurrent_runs=0)]
    bench.active = {jobs[0].id: 1}

    bench.scheduler(*jobs, hours=2).run()

    assert [key for key, _ in bench.started] == ["never", "queued"]
    assert any("to be QUEUED: 1 of 1 concurrent runs active" in text for text in bench.said)
    assert any("to be SKIPPED: max_concurrent_runs is 0" in text for text in bench.said)


def test_a_machine_that_slept_has_missed_firings(bench: Bench) -> None:
    """They are reported, not made up; the next one fires."""
    scheduler = bench.scheduler(job("0 0 * * * ?"))

    scheduler.clock.at = NOON + 2.5 * HOUR
    scheduler.step()
    scheduler.clock.at = NOON + 3 * HOUR
    scheduler.step()

    assert bench.started == [("j", NOON + 3 * HOUR)]
    assert sum("MISSED: nothing ran at that time" in text for text in bench.said) == 2


def test_a_clock_that_is_put_back_fires_nothing_twice(bench: Bench) -> None:
    """As a time server may do just after a firing."""
    scheduler = bench.scheduler(job("0 0 * * * ?"))

    for at in (HOUR, HOUR - SECOND, HOUR, HOUR + SECOND):
        scheduler.clock.at = NOON + at
        scheduler.step()

    assert bench.started == [("j", NOON + HOUR)]
    assert not any("another scheduler" in text for text in bench.said)


@pytest.mark.parametrize("trigger", ["0 0/10 * * * ?", Periodic(timedelta(minutes=10))])
def test_two_schedulers_do_not_fire_a_job_twice(bench: Bench, trigger: str | Trigger) -> None:
    """Started three minutes apart, checking at different times: each interval has one run, by one of them."""
    one, two = job(trigger), job(trigger)
    first = bench.scheduler(one)
    second = bench.scheduler(two, begins=NOON + timedelta(minutes=3))

    for minute in range(4, 244):
        for scheduler in (first, second) if minute % 20 < 10 else (second, first):
            scheduler.clock.at = NOON + timedelta(minutes=minute)
            scheduler.step()

    slots = Counter(one.trigger.slot(at) for _, at in bench.started)
    assert set(slots.values()) == {1}
    assert len(bench.started) == 24
    assert any("another scheduler has it" in text for text in bench.said)


def test_a_continuous_job_runs_again_when_it_has_ended(bench: Bench) -> None:
    """Not while a run of it is active, whoever started it."""
    always = job(Continuous())
    scheduler = bench.scheduler(always)
    bench.codes = [None, 0]

    scheduler.step()
    scheduler.clock.at += SECOND
    scheduler.step()
    assert len(bench.started) == 1

    scheduler.running[next(iter(scheduler.running))].process.code = 0
    bench.active = {always.id: 1}
    scheduler.clock.at += SECOND
    scheduler.step()
    assert len(bench.started) == 1

    bench.active = {}
    scheduler.clock.at += SECOND
    scheduler.step()
    assert len(bench.started) == 2


def test_a_continuous_job_that_fails_rests_longer_each_time(bench: Bench) -> None:
    """10, 20, 40 s after the failure is noticed, at most 10 minutes; a success resets it."""
    bench.codes = [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0]

    bench.scheduler(job(Continuous()), hours=0.54, poll=SECOND).run()

    times = [at for _, at in bench.started]
    seen_after = 1  # one check per second: the end is noticed one second after the start
    rests = [(later - at).total_seconds() - seen_after for at, later in pairwise(times)]
    assert rests[:12] == [10, 20, 40, 0, 10, 20, 40, 80, 160, 320, 600, 600]


def test_a_run_that_fails_is_told_with_its_last_words(bench: Bench) -> None:
    """And where all of its output is."""
    bench.codes = [2]

    bench.scheduler(job("0 0 13 * * ?"), hours=3).run()

    assert f"run ended with exit code 2: last words (all of it: {bench.folder / 'run.log'})" in bench.said[-1]


def test_a_run_that_never_began_has_no_last_words(bench: Bench) -> None:
    """Such as a run of a workspace that is skipped because somebody else has just started one."""
    bench.scheduler(
        job("0 0 13 * * ?"), hours=3, start_run=lambda firing: Started(EndedProcess(1), bench.folder / "none", "run 5")
    ).run()

    assert bench.said[-1].endswith("run ended with exit code 1: it did not begin")


def test_a_run_that_cannot_be_started_stops_no_other(bench: Bench) -> None:
    """Another job that is due at the same time runs, and the job itself is tried again when it is due again."""

    def start(firing: Firing) -> Started:
        if firing.job.key == "broken" and firing.at < NOON + 2 * HOUR:
            raise RunError("The disk is full.")
        return bench.start(firing)

    bench.scheduler(job("0 0 * * * ?", key="broken"), job("0 0 * * * ?", key="whole"), hours=3, start_run=start).run()

    assert [key for key, _ in bench.started] == ["whole", "broken", "whole"]
    assert "broken, 2026-01-01 13:00:00 UTC: no run was started: The disk is full." in bench.said


def test_a_continuous_job_that_cannot_be_started_rests_as_after_a_failure(bench: Bench) -> None:
    """Its claim does not keep it from being started later."""
    tried: list[datetime] = []

    def start(firing: Firing) -> Started:
        tried.append(firing.at)
        if len(tried) < 3:
            raise RunError("The disk is full.")
        return bench.start(firing)

    bench.codes = [None]
    bench.scheduler(job(Continuous()), hours=0.1, poll=SECOND, start_run=start).run()

    assert [(later - at).total_seconds() for at, later in pairwise(tried)] == [10, 20]
    assert len(bench.started) == 1


WAITS = [sys.executable, "-c", "input()"]


def waiting(folder: Path) -> Started:
    """A real process that lives until its input ends."""
    process = subprocess.Popen(WAITS, stdin=subprocess.PIPE)
    return Started(process, folder / "run.log", f"process {process.pid}")


def test_two_schedulers_keep_one_run_of_a_continuous_job(bench: Bench) -> None:
    """The claim of the first holds as long as its run lives, even before that is in the run history."""
    run = waiting(bench.folder)
    first = bench.scheduler(job(Continuous()), start_run=lambda firing: run)
    second = bench.scheduler(job(Continuous()))

    first.step()
    for _ in range(3):
        second.clock.at += SECOND
        second.step()
    assert bench.started == []

    run.process.communicate()
    second.clock.at += SECOND
    second.step()
    assert len(bench.started) == 1


@pytest.mark.parametrize("stop_runs", [False, True])
def test_at_the_end_runs_go_on_unless_told_otherwise(bench: Bench, stop_runs: bool) -> None:
    """With `--stop-runs` they get SIGTERM, which cancels a run, and the scheduler waits for them."""
    run = waiting(bench.folder)
    scheduler = bench.scheduler(job("0 0 13 * * ?"), hours=2, start_run=lambda firing: run)

    scheduler.run()
    scheduler.leave(stop_runs=stop_runs)

    alive = run.process.poll() is None
    run.process.communicate()
    assert alive is not stop_runs
    assert bench.said[-1] == "the scheduler has ended"
    assert ("stopped, exit code" if stop_runs else f"continues (process {run.process.pid})") in bench.said[-2]


def test_the_table_shows_what_is_next_and_what_runs(bench: Bench) -> None:
    """Times in UTC and in the zone; a paused job has none; plain lines say the same at the start."""
    berlin, paused = job("0 0 6 * * ?", zone="Europe/Berlin"), job("0 0 * * * ?", key="p", paused=True)
    bench.active = {berlin.id: 2}
    rows = bench.scheduler(berlin, paused, job(Continuous(), key="c")).rows()
    console = Console(width=150, file=io.StringIO(), force_terminal=False)

    console.print(table(rows))

    shown = [line.split("  ") for line in console.file.getvalue().splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in shown[1:]] == [
        ["j", "0 0 6 * * ? (Europe/Berlin)", "2026-01-02 05:00:00", "Fri 06:00:00 +0100", "2"],
        ["p", "0 0 * * * ? (UTC)", "PAUSED"],
        ["c", "continuous: a run begins when the last has ended"],
    ]
    assert [str(row) for row in rows[:2]] == [
        "j: 0 0 6 * * ? (Europe/Berlin), next 2026-01-02 05:00:00 UTC",
        "p: 0 0 * * * ? (UTC), PAUSED",
    ]


def test_the_command_of_a_run(tmp_path: Path) -> None:
    """This Python, the project, the target, the time in UTC; a continuous job has no scheduled time."""
    starter = Starter(tmp_path, "prod", tmp_path, ["--var=scale=5"])
    berlin = datetime.fromisoformat("2026-03-28T06:00:00+01:00")

    timed = starter.command(Firing(job("0 0 6 * * ?"), berlin, berlin.replace(tzinfo=None)))
    always = starter.command(Firing(job(Continuous()), berlin, berlin.replace(tzinfo=None)))

    local = [sys.executable, "-m", "lakelocal", "--project", str(tmp_path), "run", "j", "--target", "prod"]
    assert timed == [*local, "--scheduled-at", "2026-03-28T05:00:00Z", "--var=scale=5"]
    assert always == [*local, "--var=scale=5"]


RACER = """
import sys
from pathlib import Path
from lakelocal.schedule.claims import Claims
print("ready", flush=True)
sys.stdin.readline()
claims = Claims(Path(sys.argv[1]))
print(*[slot for slot in range(300) if claims.take(7, slot)])
"""


def test_processes_that_race_for_claims_get_each_once(tmp_path: Path) -> None:
    """Four at once, on a file that none of them finds: no slot twice, none lost, no error."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path / "schedule.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 4
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()

    taken = [int(slot) for racer in racers for slot in racer.communicate(timeout=120)[0].split()]

    assert [racer.returncode for racer in racers] == [0] * 4
    assert sorted(taken) == list(range(300))
