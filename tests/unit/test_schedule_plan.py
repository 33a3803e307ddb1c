"""Which firings there are, and what they lead to; and whole schedules, simulated."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakelocal.schedule import (
    Assumption,
    Firing,
    Outcome,
    Schedule,
    ScheduledJob,
    Simulated,
    clock_changes,
    decide,
    firings,
    simulate,
)
from lakelocal.schedule.plan import remarks
from lakelocal.schedule.triggers import Continuous, Cron, NotLocal, Periodic, Trigger

VECTORS = json.loads((Path(__file__).parent / "fixtures" / "quartz_vectors.json").read_text())
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def job(
    trigger: Trigger | str = "0 0 * * * ?", *, key: str = "j", zone: str = "UTC", **settings: object
) -> ScheduledJob:
    if isinstance(trigger, str):
        trigger = Cron(Schedule(trigger, zone))
    return ScheduledJob(key, sum(map(ord, key)), "dev", trigger, **settings)


def played(one: ScheduledJob, lasts: timedelta, *, start: datetime = NOON, days: float = 1) -> list[Simulated]:
    return list(simulate([one], {one.id: Assumption(lasts, "")}, start=start, until=start + days * DAY))


@pytest.mark.parametrize(
    ("settings", "active", "outcome", "reason"),
    [
        ({}, 0, Outcome.RUN, ""),
        ({}, 1, Outcome.QUEUED, "1 of 1 concurrent runs active"),
        ({"queue": False}, 1, Outcome.SKIPPED, "1 of 1 concurrent runs active, no queue"),
        ({"max_concurrent_runs": 3}, 2, Outcome.RUN, ""),
        ({"max_concurrent_runs": 3}, 3, Outcome.QUEUED, "3 of 3 concurrent runs active"),
        ({"max_concurrent_runs": 0}, 0, Outcome.SKIPPED, "max_concurrent_runs is 0"),
        ({"max_concurrent_runs": 0, "queue": False}, 0, Outcome.SKIPPED, "max_concurrent_runs is 0"),
        ({"paused": True}, 0, Outcome.PAUSED, "pause_status is PAUSED"),
    ],
)
def test_decisions(settings: dict, active: int, outcome: Outcome, reason: str) -> None:
    """By the job's limits and the active runs."""
    decision = decide(Firing(job(**settings), NOON, NOON), active=active)

    assert (decision.outcome, decision.reason) == (outcome, reason)


def test_a_firing_that_is_seen_too_late_was_missed() -> None:
    """A minute is the limit: more means that the machine was asleep."""
    firing = Firing(job(), NOON, NOON)

    assert decide(firing, active=0, now=NOON + MINUTE).outcome is Outcome.RUN
    assert decide(firing, active=0, now=NOON + MINUTE + timedelta(seconds=1)).outcome is Outcome.MISSED


def test_a_local_time_that_is_skipped_is_told_even_of_a_paused_job() -> None:
    """It would not have fired in either case."""
    berlin = job("0 30 2 * * ?", zone="Europe/Berlin", paused=True)
    told = firings([berlin], start=NOON, after=datetime(2026, 3, 28, 12, tzinfo=UTC))

    outcomes = [decide(each, active=0) for each in islice(told, 2)]

    assert [each.outcome for each in outcomes] == [Outcome.NO_SUCH_TIME, Outcome.PAUSED]
    assert outcomes[0].reason == "02:30:00 is skipped in Europe/Berlin"


def test_firings_of_all_jobs_come_in_order() -> None:
    """By time, then by key; jobs that no clock starts have none."""
    jobs = [
        job("0 0 0/2 * * ?", key="b"),
        job("0 0 * * * ?", key="a"),
        job(Periodic(90 * MINUTE), key="c"),
        job(Continuous(), key="d"),
        job(NotLocal("trigger.file_arrival"), key="e"),
    ]

    found = [(each.at.strftime("%H:%M"), each.job.key) for each in islice(firings(jobs, start=NOON, after=NOON), 5)]

    assert found == [("13:00", "a"), ("13:30", "c"), ("14:00", "a"), ("14:00", "b"), ("15:00", "a")]


def test_firings_closer_than_databricks_allows_are_remarked() -> None:
    """Ten seconds between two runs."""
    jobs = [job("0/5 * * * * ?", key="often"), job("0/10 * * * * ?", key="enough")]

    assert [text.partition(":")[0] for text in remarks(jobs, start=NOON)] == ["often"]


def test_runs_wait_in_the_queue_for_a_place() -> None:
    """Hourly runs of 90 minutes, one at a time: each begins when the one before ends."""
    steps = played(job(), 90 * MINUTE, days=1 / 6)

    assert [(str(step.decision.outcome), step.begins, step.ends) for step in steps] == [
        ("RUN", NOON, NOON + 90 * MINUTE),
        ("QUEUED", NOON + 90 * MINUTE, NOON + 180 * MINUTE),
        ("QUEUED", NOON + 180 * MINUTE, NOON + 270 * MINUTE),
        ("QUEUED", NOON + 270 * MINUTE, NOON + 360 * MINUTE),
    ]


def test_without_queue_every_second_run_is_skipped() -> None:
    """Hourly runs of 90 minutes; a run that ends on the hour leaves its slot to the next."""
    skipping = [str(step.decision.outcome) for step in played(job(queue=False), 90 * MINUTE, days=1 / 6)]
    fitting = [str(step.decision.outcome) for step in played(job(queue=False), 60 * MINUTE, days=1 / 6)]

    assert skipping == ["RUN", "SKIPPED", "RUN", "SKIPPED"]
    assert fitting == ["RUN"] * 4


def test_two_days_in_the_queue_are_the_limit() -> None:
    """Runs of 30 hours each day: the wait grows by 6 h a day, and at more than 48 h a run is given up."""
    steps = played(job("0 0 12 * * ?"), 30 * HOUR, days=12)

    waits = [(step.begins - step.decision.firing.at) / HOUR if step.begins else None for step in steps]
    assert waits == [0, 6, 12, 18, 24, 30, 36, 42, 48, None, 30, 36]
    assert steps[9].decision.outcome is Outcome.SKIPPED
    assert "48 h" in steps[9].decision.reason


def test_no_concurrent_runs_means_no_runs() -> None:
    """`max_concurrent_runs: 0` skips every run, queue or not."""
    assert {step.decision.outcome for step in played(job(max_concurrent_runs=0), MINUTE)} == {Outcome.SKIPPED}


def test_a_continuous_job_follows_itself() -> None:
    """From the start, without a pause; a paused one does nothing."""
    steps = played(job(Continuous()), 8 * HOUR)

    assert [step.begins for step in steps] == [NOON, NOON + 8 * HOUR, NOON + 16 * HOUR]
    assert {str(step.decision.outcome) for step in steps} == {"RUN"}
    assert played(job(Continuous(), paused=True), 8 * HOUR) == []


@settings(deadline=None, max_examples=100)
@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=6),
    lasts=st.integers(1, 200),
    places=st.integers(1, 4),
    queue=st.booleans(),
)
def test_a_simulation_agrees_with_walking_minute_by_minute(
    minutes: set[int], lasts: int, places: int, queue: bool
) -> None:
    """Another way to the same result: lists of running and waiting runs, checked each minute; firings in 12 hours."""
    at = ",".join(map(str, sorted(minutes)))
    steps = played(job(f"0 {at} * * * ?", max_concurrent_runs=places, queue=queue), lasts * MINUTE, days=0.5)

    running: list[int] = []
    waiting: list[int] = []
    begun: dict[int, int] = {}
    skipped: set[int] = set()
    for minute in range(12 * 60 + len(steps) * lasts):
        running = [end for end in running if end > minute]
        skipped.update(fired for fired in waiting if minute - fired > 48 * 60)
        waiting = [fired for fired in waiting if fired not in skipped]
        if minute % 60 in minutes and minute < 12 * 60:
            waiting.append(minute)
        while waiting and len(running) < places:
            begun[waiting[0]] = minute
            running.append(minute + lasts)
            del waiting[0]
        if not queue:
            skipped.update(waiting)
            waiting = []

    found = {(step.decision.firing.at - NOON) // MINUTE: step for step in steps}
    assert {fired: (step.begins - NOON) // MINUTE for fired, step in found.items() if step.begins} == begun
    assert {fired for fired, step in found.items() if step.decision.outcome is Outcome.SKIPPED} == skipped


def test_four_hundred_days_over_changing_clocks_agree_with_asking_one_by_one() -> None:
    """Three jobs in zones with clock changes: the same times as `next_after`, including each skipped local time."""
    jobs = [
        job("0 30 2 * * ?", key="berlin", zone="Europe/Berlin"),
        job("0 0/30 * * * ?", key="new-york", zone="America/New_York"),
        job("0 15 2 ? * SUN", key="lord-howe", zone="Australia/Lord_Howe"),
    ]
    start, until = NOON, NOON + 400 * DAY
    assumed = {each.id: Assumption(MINUTE, "") for each in jobs}

    steps = list(simulate(jobs, assumed, start=start, until=until))

    for each in jobs:
        asked, at = [], start - timedelta(seconds=1)
        while (at := each.trigger.schedule.next_after(at)) < until:
            asked.append(at)
        own = [step for step in steps if step.decision.firing.job is each]
        assert [step.begins for step in own if step.begins] == asked
    gaps = [step.decision.firing for step in steps if step.decision.outcome is Outcome.NO_SUCH_TIME]
    assert [(each.job.key, str(each.wall)) for each in gaps] == [
        ("new-york", "2026-03-08 02:00:00"),
        ("new-york", "2026-03-08 02:30:00"),
        ("berlin", "2026-03-29 02:30:00"),
        ("lord-howe", "2026-10-04 02:15:00"),
    ]


@pytest.mark.parametrize(("expression", "zone", "after", "expected"), VECTORS["fires"])
def test_a_simulation_of_400_days_has_the_times_of_quartz(
    expression: str, zone: str, after: str, expected: list[int]
) -> None:
    """The first eight runs, as Quartz gave them, as far as they are in the period; from just after the start."""
    start = datetime.fromisoformat(after) + timedelta(seconds=1)
    one = job(expression, zone=zone, max_concurrent_runs=1000)

    steps = simulate([one], {one.id: Assumption(MINUTE, "")}, start=start, until=start + 400 * DAY)

    times = [step.begins.timestamp() for step in islice((step for step in steps if step.begins), 8)]
    assert times == [at for at in expected if at < (start + 400 * DAY).timestamp()]


def test_changes_of_clocks_are_found() -> None:
    """As in the zone database, to the second; each zone once."""
    zones = [ZoneInfo(name) for name in ("Europe/Berlin", "UTC", "Australia/Lord_Howe", "Europe/Berlin")]

    found = clock_changes(zones, start=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC))

    assert [(f"{each.at:%Y-%m-%d %H:%M:%S}", str(each)) for each in found] == [
        ("2026-03-29 01:00:00", "clocks of Europe/Berlin go forward from 02:00 to 03:00"),
        ("2026-04-04 15:00:00", "clocks of Australia/Lord_Howe go back from 02:00 to 01:30"),
        ("2026-10-03 15:30:00", "clocks of Australia/Lord_Howe go forward from 02:00 to 02:30"),
        ("2026-10-25 01:00:00", "clocks of Europe/Berlin go back from 03:00 to 02:00"),
    ]
