"""The interface for notifications: who is notified when a run or an attempt begins, ends or takes too long."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from lakelocal.history.api import run_shape
from lakelocal.history.records import Records
from lakelocal.lakeflow.events import has_notifications
from lakelocal.lakeflow.model import Job, Task


class Listener(Protocol):
    """Receives events from several threads. It must return quickly; exceptions that it raises are shown, not passed on.

    *event* is `on_start`, `on_success`, `on_failure` or `on_duration_warning_threshold_exceeded`.
    `lakelocal.lakeflow.events` says which of them a result is, and which ends are not notified at all; each listener
    filters the failures itself.

    Source: Jobs API 2.2, `JobEmailNotifications`, `TaskEmailNotifications` and the two notification settings.
    """

    def run_event(self, event: str, job: Job, run: Mapping[str, Any]) -> None:
        """Receive an event of *run* of *job*, in the form of `runs/get`. Not called between the attempts of a task."""

    def task_event(
        self, event: str, job: Job, task: Task, run: Mapping[str, Any], attempt: Mapping[str, Any], *, last: bool
    ) -> None:
        """Receive an event of *attempt* of *task*, as in `tasks` of *run*. *last*: no further attempt follows."""


class Announcer:
    """Notifies all *listeners*; if there are none, nothing is read for them."""

    def __init__(self, listeners: Sequence[Listener], records: Records, note: Callable[[str], None]) -> None:
        self.listeners = listeners
        self.records = records
        self.note = note

    def run(self, event: str, job: Job, run_id: int) -> None:
        """Notify of an event of the run *run_id*."""
        if self.listeners:
            shape = run_shape(self.records, run_id)
            self._each(lambda listener: listener.run_event(event, job, shape))

    def task(self, event: str, job: Job, task: Task, *, run_id: int, attempt_id: int, last: bool) -> None:
        """Notify of an event of the attempt *attempt_id* in the run *run_id*, if its task has notifications."""
        if self.listeners and has_notifications(task.kind):
            shape = run_shape(self.records, run_id)
            attempt = next(each for each in shape["tasks"] if each["run_id"] == attempt_id)
            self._each(lambda listener: listener.task_event(event, job, task, shape, attempt, last=last))

    def _each(self, tell: Callable[[Listener], None]) -> None:
        for listener in self.listeners:
            try:
                tell(listener)
            except Exception as error:  # a notification that fails must not fail the run
                self.note(f"warning: {type(listener).__name__}: {type(error).__name__}: {error}")
