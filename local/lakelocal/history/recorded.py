"""A recorded run with everything below it: its tasks, their attempts, and the runs that these started."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakelocal.history.api import run_shape
from lakelocal.history.reading import History
from lakelocal.history.records import now_ms
from lakelocal.history.rows import RecordedRun
from lakelocal.history.updates import Updates
from lakelocal.lakeflow.results import attempt_name, meaning, state_of
from lakelocal.lakeflow.task_types.for_each import input_text
from lakelocal.lakeflow.update_progress import Event, Progress


@dataclass(frozen=True)
class Shown:
    """A run or an attempt as `runs/get` shows it."""

    shape: Mapping[str, Any]

    @property
    def run_id(self) -> int:
        return int(self.shape["run_id"])

    @property
    def result(self) -> str:
        """How it ended, or the state that it is in."""
        return state_of(self.shape["state"])

    @property
    def ran(self) -> bool:
        """Was anything executed?"""
        return meaning(self.result).ran

    @property
    def succeeded(self) -> bool:
        """Did it run, and succeed?"""
        return self.ran and meaning(self.result).succeeded

    @property
    def is_active(self) -> bool:
        return not self.shape["end_time"]

    @property
    def message(self) -> str:
        """Why it failed, otherwise the message of its state."""
        return str(self.shape.get("reason") or self.shape["state"]["state_message"])


@dataclass(frozen=True)
class Update:
    """An update of a pipeline: what has happened in it, and what that adds up to."""

    events: Sequence[Event]
    progress: Progress


@dataclass(frozen=True)
class Attempt(Shown):
    """One attempt of a task; *child* is the run that it started, *update* that of the pipeline that it updated."""

    child: "Run | None" = None
    update: "Update | None" = None

    @property
    def number(self) -> int:
        """Its number as in the API: the first attempt has 0."""
        return int(self.shape["attempt_number"])

    @property
    def trace(self) -> str:
        return str(self.shape.get("error_trace", ""))

    @property
    def runs_notebook(self) -> bool:
        """Is it of a type that leaves an executed notebook, once it has begun?"""
        return self.ran and not {"for_each_task", "condition_task", "run_job_task"} & self.shape.keys()

    @property
    def notebook(self) -> Path | None:
        """The executed notebook; None for a task that has none, or does not have one yet. The file may be gone."""
        place = self.shape.get("output_notebook")
        return Path(place) if place else None


@dataclass(frozen=True)
class Work:
    """A task, or one iteration of a for-each task, with its attempts in the run and its repairs, in order.

    *awaited*: the repair that is active will run it again, but has not begun to.
    """

    task_key: str
    label: str
    attempts: tuple[Attempt, ...]
    awaited: bool = False

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]

    @property
    def result(self) -> str:
        """How its last attempt ended, or the state that it is in."""
        return "PENDING" if self.awaited else self.last.result

    def name_of(self, attempt: Attempt) -> str:
        """`attempt 1` for the first attempt, as people count; empty if there is no other."""
        return attempt_name(attempt.number) if len(self.attempts) + self.awaited > 1 else ""

    @property
    def name_of_next(self) -> str:
        """`attempt 2` if one attempt has been recorded."""
        return attempt_name(self.last.number + 1)

    @property
    def title(self) -> str:
        """Its label; for an iteration, with the input: `city[1] Recife`."""
        return f"{self.label} {input_text(self.last.shape['iteration']['input'])}" if self.is_iteration else self.label

    @property
    def outer_key(self) -> str:
        """The key of the task of the job: for an iteration, that of its for-each task."""
        return str(self.last.shape["iteration"]["for_each_task_key"]) if self.is_iteration else self.task_key

    @property
    def is_iteration(self) -> bool:
        return "iteration" in self.last.shape


@dataclass(frozen=True)
class Run(Shown):
    """A run, as read at *read_ms* (epoch ms).

    *tasks* are those in the job's settings at the time of the run; for a partial run, the selected ones. Its
    duration counts from *counted_from* (epoch ms), see `History.counted_from`.
    """

    tasks: tuple[Mapping[str, Any], ...]
    works: tuple[Work, ...]
    read_ms: int
    counted_from: int

    @property
    def name(self) -> str:
        return str(self.shape["run_name"])

    @property
    def cause(self) -> Attempt | None:
        """The attempt because of which the run failed, in whichever run below it; None if no task failed.

        It is the one that `reasons` tells of: of the tasks that failed in their last attempts, the first.
        """
        failed = [work for work in self.works if meaning(work.last.result).broke]
        loops = {work.outer_key for work in failed if work.is_iteration}
        causes = [work.last for work in failed if work.is_iteration or work.task_key not in loops]
        first = min(causes, key=lambda attempt: attempt.run_id, default=None)
        below = first.child.cause if first and first.child else None
        return below or first

    @property
    def children(self) -> Iterator["Run"]:
        """The runs that its tasks started, in the order of the tasks; of one task, the newest first."""
        for work in self.works:
            for attempt in reversed(work.attempts):
                if attempt.child:
                    yield attempt.child

    def with_descendants(self) -> Iterator["Run"]:
        """This run, and all runs below it."""
        yield self
        for child in self.children:
            yield from child.with_descendants()

    def end_ms(self, of: Mapping[str, Any]) -> int:
        """When the run or attempt *of* ended, or when it was read if it has not (epoch ms)."""
        return int(max(of["end_time"] or self.read_ms, of["start_time"]))

    def seconds(self, of: Mapping[str, Any]) -> float:
        """How long the attempt *of* took, or has taken so far."""
        return (self.end_ms(of) - int(of["start_time"])) / 1000

    @property
    def phases(self) -> Sequence[Mapping[str, Any]]:
        """The original run and its repairs, with their times."""
        return self.shape.get("repair_history") or [self.shape]

    def failed_before(self, work: Work) -> list[Work]:
        """The tasks that failed or were cancelled, because of which *work* did not run."""
        works = {each.task_key: each for each in self.works if not each.is_iteration}
        found: dict[str, Work] = {}
        stopped = [work]
        while stopped:
            last = stopped.pop().last
            needed = [] if last.ran or meaning(last.result).is_fine else last.shape["depends_on"]
            keys = [each["task_key"] for each in needed]
            new = {key: works[key] for key in keys if key in works and key not in found}
            found |= new
            stopped += new.values()
        return [each for each in found.values() if each.last.ran and not meaning(each.result).is_fine]

    @property
    def duration(self) -> float:
        """How long it and all its repairs took, or have taken so far, in seconds."""
        return (self.end_ms(self.shape) - self.counted_from) / 1000


def read_run(history: History, run_id: int) -> Run:
    """The run *run_id* with all runs below it.

    Raises:
        RunError: there is no such run.
    """
    shape = run_shape(history, run_id)
    run = history.run(run_id)
    defined, only = run.settings.get("tasks", []), run.only_tasks
    tasks = tuple(task for task in defined if only is None or task["task_key"] in only)
    works = tuple(_awaited(work, run, shape) for work in _works(history, shape["tasks"]))
    return Run(shape, tasks, works, now_ms(), history.counted_from(run))


def _awaited(work: Work, run: RecordedRun, shape: Mapping[str, Any]) -> Work:
    """*work*, marked if the active repair of *run* will run it again but has not begun to."""
    if run.end_time is not None or work.outer_key not in (run.repair_tasks or ()):
        return work
    return replace(work, awaited=work.last.run_id not in shape["repair_history"][-1]["task_run_ids"])


def utc(ms: int) -> str:
    """*ms* (epoch ms) as `2018-09-02 06:00:00`."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _works(history: History, tasks: list[Mapping[str, Any]]) -> Iterator[Work]:
    """Tasks in the order in which they began; the iterations of a for-each task follow it, by index."""
    groups: dict[tuple[int, int, str], list[Attempt]] = {}
    began: dict[str, int] = {}
    for task in tasks:
        child = read_run(history, task["run_job_output"]["run_id"]) if "run_job_output" in task else None
        iteration = task.get("iteration")
        outer = iteration["for_each_task_key"] if iteration else task["task_key"]
        place = began.setdefault(outer, len(began))
        index = iteration["index"] if iteration else -1
        attempt = Attempt(task, child, _update(history, task))
        groups.setdefault((place, index, task["task_key"]), []).append(attempt)
    for (_, index, key), attempts in sorted(groups.items(), key=lambda group: group[0]):
        yield Work(key, f"{key}[{index}]" if index >= 0 else key, tuple(attempts))


def _update(history: History, task: Mapping[str, Any]) -> Update | None:
    if "pipeline_update" not in task:
        return None
    events = Updates(history).events_of(task["pipeline_update"]["update_id"])
    return Update(events, Progress.after(events))
