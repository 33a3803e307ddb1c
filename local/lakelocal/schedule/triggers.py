"""What starts a job automatically: its `schedule`, `trigger` or `continuous`.

* `schedule` fires by its Quartz expression, in its zone.
* `trigger.periodic` fires every interval, counted from the scheduler's start (Databricks counts from the first run).
* `continuous` begins a run whenever none is active; after a failure the scheduler waits, longer each time.
* `trigger.file_arrival` fires when new files are in a folder of a volume, `trigger.table_update` when tables have new
  rows: see `events`.
* `trigger.model`, a `sql_condition`, the beta list `triggers`, and files outside of volumes are not scheduled here, and
  are reported by name.

A missing `pause_status` is UNPAUSED and a missing `queue` is enabled, as the Databricks CLI deploys them.

Source: Databricks CLI 1.13 (defaults), `databricks-bundles` (fields and units), documentation "Run jobs on a schedule".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from lakelocal.bundle import Bundle, Job
from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import Finding, FindingError, Steps, Where
from lakelocal.program import PROGRAM
from lakelocal.schedule.quartz import Occurrence, Schedule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = ("schedule", "trigger", "continuous", "triggers")
_UNITS = {
    "MINUTES": timedelta(minutes=1),
    "HOURS": timedelta(hours=1),
    "DAYS": timedelta(days=1),
    "WEEKS": timedelta(weeks=1),
}


class Trigger:
    """What starts a job. *zone* is the zone for showing its times; *occurrences* are its times, by default none."""

    zone = ZoneInfo("UTC")

    def occurrences(self, after: datetime, start: datetime) -> Iterator[Occurrence]:
        """The times of the trigger after *after*, for a scheduler that began at *start*."""
        return iter(())

    def slot(self, at: datetime) -> int:
        """The number that only one scheduler may claim for a firing at *at*: its second."""
        return (at - EPOCH) // timedelta(seconds=1)


@dataclass(frozen=True)
class Cron(Trigger):
    """Fires by a Quartz expression, no matter when the scheduler began."""

    schedule: Schedule

    def __str__(self) -> str:
        return str(self.schedule)

    @property
    def zone(self) -> ZoneInfo:  # type: ignore[override]
        return self.schedule.zone

    def occurrences(self, after: datetime, start: datetime) -> Iterator[Occurrence]:
        return self.schedule.occurrences(after)


@dataclass(frozen=True)
class Periodic(Trigger):
    """Fires at each whole multiple of *every* after the scheduler's start."""

    every: timedelta

    def __str__(self) -> str:
        return f"every {self.every}, from the scheduler's start"

    def occurrences(self, after: datetime, start: datetime) -> Iterator[Occurrence]:
        for number in count(max(0, (after - start) // self.every) + 1):
            at = start + number * self.every
            yield Occurrence(at, at.replace(tzinfo=None))

    def slot(self, at: datetime) -> int:
        """The number of the interval: schedulers that began at different times would have different seconds."""
        return (at - EPOCH) // self.every


@dataclass(frozen=True)
class Continuous(Trigger):
    """Keeps one run active."""

    def __str__(self) -> str:
        return "continuous: a run begins when the last has ended"


@dataclass(frozen=True)
class FileArrival(Trigger):
    """Fires when new files are below *url*, a folder of a volume.

    *quiet* is how long nothing may have changed before, *least_between* the least time since the last firing.
    """

    url: str
    quiet: timedelta = timedelta()
    least_between: timedelta = timedelta()

    def __str__(self) -> str:
        return f"new files in {self.url}"


@dataclass(frozen=True)
class TableUpdate(Trigger):
    """Fires when one of *tables* has been updated, or *all_of* them; the rest is as for new files."""

    tables: tuple[str, ...]
    all_of: bool = False
    quiet: timedelta = timedelta()
    least_between: timedelta = timedelta()

    def __str__(self) -> str:
        return f"an update of {(' and ' if self.all_of else ' or ').join(self.tables)}"


Waiting: TypeAlias = FileArrival | TableUpdate
"""A trigger that waits for something other than the clock."""


@dataclass(frozen=True)
class NotLocal(Trigger):
    """Waits for something that does not happen here; *kind* is its name in the job."""

    kind: str

    def __str__(self) -> str:
        return f"`{self.kind}` is not scheduled locally"


@dataclass(frozen=True)
class ScheduledJob:
    """A job that has a trigger, and what limits its runs. *timeout* is None if the job has none."""

    key: str
    id: int
    target: str
    trigger: Trigger
    paused: bool = False
    max_concurrent_runs: int = 1
    queue: bool = True
    timeout: timedelta | None = None


def scheduled_jobs(bundle: Bundle, keys: Iterable[str] = ()) -> list[ScheduledJob]:
    """The jobs of *bundle* that have a trigger; with *keys*, exactly those jobs.

    Raises:
        UsageError: a key names no job, or a job without a trigger.
        FindingError: expressions, zones or intervals that cannot be read; all of them, with file and line.
    """
    found: list[ScheduledJob] = []
    findings: list[Finding] = []
    for job in [bundle.job(key) for key in keys] or bundle.sound_jobs().values():
        try:
            if trigger := _trigger(job):
                found.append(_scheduled(job, bundle.target, *trigger))
            elif keys:
                raise UsageError(
                    f"`{job.where}`: job `{job.key}`: found no `schedule`, `trigger` or `continuous`; expected one. "
                    f"Add it, or start the job with `{PROGRAM} run`."
                )
        except FindingError as error:
            findings += (finding.moved(replace(job.where, path=finding.where.path)) for finding in error.findings)
    if findings:
        raise FindingError(*findings)
    return found


def kinds_of(settings: Mapping[str, Any]) -> list[str]:
    """The fields of a job's *settings* that start it; an empty `continuous` is one, too."""
    return [kind for kind in _KINDS if settings.get(kind) not in (None, [])]


def _scheduled(job: Job, target: str, trigger: Trigger, paused: bool) -> ScheduledJob:
    return ScheduledJob(
        key=job.key,
        id=job.id,
        target=target,
        trigger=trigger,
        paused=paused,
        max_concurrent_runs=job.max_concurrent_runs,
        queue=job.queue,
        timeout=timedelta(seconds=job.timeout_seconds) if job.timeout_seconds else None,
    )


def _trigger(job: Job) -> tuple[Trigger, bool] | None:
    """The trigger of *job* and whether it is paused; None if nothing starts it automatically."""
    kinds = kinds_of(job.settings)
    if not kinds:
        return None
    if len(kinds) > 1:
        found = " and ".join(f"`{kind}`" for kind in kinds)
        raise FindingError(Finding(Where(path=(kinds[0],)), "schedule", found, "one of them", "Remove the rest."))
    settings = job.settings[kinds[0]]
    if kinds[0] == "triggers":
        return NotLocal("triggers"), False
    return _READERS[kinds[0]](settings), settings.get("pause_status") == "PAUSED"


def _read_schedule(settings: Mapping[str, Any]) -> Trigger:
    if settings.get("sql_condition"):
        return NotLocal("schedule.sql_condition")
    _check_given(settings, ("schedule",), "quartz_cron_expression", "timezone_id")
    return Cron(Schedule(settings["quartz_cron_expression"], settings["timezone_id"]))


def _read_trigger(settings: Mapping[str, Any]) -> Trigger:
    kinds = [name for name in settings if name != "pause_status" and settings[name]]
    reader = _EVENT_READERS.get(kinds[0]) if len(kinds) == 1 else None
    if reader is None:
        others = [name for name in kinds if name not in _EVENT_READERS] or kinds
        return NotLocal(f"trigger.{others[0]}" if others else "trigger")
    return reader(settings[kinds[0]])


def _read_periodic(periodic: Mapping[str, Any]) -> Trigger:
    _check_given(periodic, ("trigger", "periodic"), "interval", "unit")
    interval, unit = int(periodic["interval"]), periodic["unit"]
    if interval < 1:
        where, found = Where(path=("trigger", "periodic", "interval")), f"the interval {interval} of trigger.periodic"
        raise FindingError(Finding(where, "schedule", found, f"1 or more {unit}", "Correct it."))
    return Periodic(interval * _UNITS[unit])


def _read_file_arrival(settings: Mapping[str, Any]) -> Trigger:
    _check_given(settings, ("trigger", "file_arrival"), "url")
    url = str(settings["url"]).removeprefix("dbfs:")
    if not _IN_VOLUME.fullmatch(url):
        return NotLocal("trigger.file_arrival")
    return FileArrival(url, *_pauses(settings))


def _read_table_update(settings: Mapping[str, Any]) -> Trigger:
    _check_given(settings, ("trigger", "table_update"), "table_names")
    names = tuple(str(name) for name in settings["table_names"])
    wrong = [name for name in names if name.count(".") != 2]
    if wrong or not names:
        found = f"`{wrong[0]}` in `trigger.table_update.table_names`" if wrong else "no name of a table"
        where = Where(path=("trigger", "table_update", "table_names"))
        raise FindingError(Finding(where, "schedule", found, "catalog.schema.table", "Correct it."))
    return TableUpdate(names, settings.get("condition") == "ALL_UPDATED", *_pauses(settings))


def _pauses(settings: Mapping[str, Any]) -> tuple[timedelta, timedelta]:
    fields = ("wait_after_last_change_seconds", "min_time_between_triggers_seconds")
    quiet, between = (timedelta(seconds=int(settings.get(name) or 0)) for name in fields)
    return quiet, between


def _check_given(settings: Mapping[str, Any], path: Steps, *names: str) -> None:
    for name in names:
        if settings.get(name) is None:
            where, found = Where(path=(*path, name)), f"no `{name}` in `{'.'.join(map(str, path))}`"
            raise FindingError(Finding(where, "schedule", found, "one", "Add it."))


def _read_continuous(settings: Mapping[str, Any]) -> Trigger:
    return Continuous()


_IN_VOLUME = re.compile(r"/Volumes(/[^/]+){3}/?.*")
_EVENT_READERS = {
    "periodic": _read_periodic,
    "file_arrival": _read_file_arrival,
    "table_update": _read_table_update,
}
_READERS = {"schedule": _read_schedule, "trigger": _read_trigger, "continuous": _read_continuous}
