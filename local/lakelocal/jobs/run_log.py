"""The log of a run: what its tasks, and those of the runs below it, print, in the order of time.

It is read from the events that the runner keeps of each attempt, so it can be read while the run goes on.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lakelocal.errors import UsageError
from lakelocal.history.reading import History
from lakelocal.history.recorded import Attempt, Run, read_run
from lakelocal.jobs.event_log import events_file, read_events
from lakelocal.lakeflow.results import attempt_name
from lakelocal.near_names import next_step
from lakelocal.project import State


@dataclass(frozen=True)
class Line:
    """What *task* printed at the time *at* (epoch ms); shown like the lines of `run`, with the local time of day."""

    at: int
    task: str
    text: str

    def __str__(self) -> str:
        return f"{datetime.fromtimestamp(self.at / 1000):%H:%M:%S}  {self.task}: {self.text}"


class RunLog:
    """The log of the run *run_id*, or that of its task *task* alone.

    Raises:
        UsageError: the run has no such task.
    """

    def __init__(self, state: State, history: History, run_id: int, task: str = "") -> None:
        self.state, self.history, self.run_id, self.task = state, history, run_id, task
        self._told: Counter[int] = Counter()  # the number of lines that were returned, by attempt
        self._done: set[int] = set()  # the attempts that had ended then
        run = read_run(history, run_id)
        keys = list(dict.fromkeys(key for each in run.with_descendants() for key in _keys(each)))
        if task and task not in keys:
            known = ", ".join(f"`{key}`" for key in keys)
            raise UsageError(f"run {run_id}: found no task `{task}`; its tasks are {known}. {next_step(task, keys)}")

    def has_ended(self) -> bool:
        """Has the run ended?"""
        return self.history.run(self.run_id).end_time is not None

    def new_lines(self) -> list[Line]:
        """The lines since the last call, in the order of time."""
        found: list[Line] = []
        for run_id, attempt, title in self._attempts(read_run(self.history, self.run_id)):
            if attempt.run_id in self._done:
                continue
            new = list(self._lines(run_id, attempt, title))[self._told[attempt.run_id] :]
            self._told[attempt.run_id] += len(new)
            if not attempt.is_active:
                self._done.add(attempt.run_id)
            found += new
        return sorted(found, key=lambda line: line.at)

    def _attempts(self, run: Run, above: str = "", *, wanted: bool = False) -> Iterator[tuple[int, Attempt, str]]:
        """The wanted attempts of *run* and of the runs below it: each with the id of its run, and a title."""
        for work in run.works:
            chosen = wanted or self.task in ("", work.task_key, work.title, work.outer_key)
            for attempt in work.attempts:
                title = f"{above}{work.title}"
                if chosen:
                    yield run.run_id, attempt, f"{title} ({attempt_name(attempt.number)})" if attempt.number else title
                if attempt.child:
                    yield from self._attempts(attempt.child, f"{title} > ", wanted=chosen)

    def _lines(self, run_id: int, attempt: Attempt, title: str) -> Iterator[Line]:
        for event in read_events(events_file(self.state, run_id, attempt.shape)):
            if event["event"] == "printed":
                yield Line(event["at"], title, event["line"])
            elif event["event"] == "cell":
                heading = f": {event['heading']}" if event.get("heading") else ""
                yield Line(event["at"], title, f"code cell {event['index']} of {event['total']}{heading}")
        if not attempt.is_active:
            reason = f": {attempt.message}" if attempt.message else ""
            yield Line(attempt.shape["end_time"], title, f"{attempt.result}{reason}")


def _keys(run: Run) -> Iterator[str]:
    """The keys by which tasks of *run* may be named: also those that have not begun, and iterations."""
    for task in run.tasks:
        yield task["task_key"]
    for work in run.works:
        yield from (work.task_key, work.title)
