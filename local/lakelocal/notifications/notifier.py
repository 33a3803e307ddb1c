"""The listener that notifies: it turns the events of runs into messages, puts them in the outbox and has them sent."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.notifications.dispatcher import Dispatcher
from lakelocal.notifications.messages import are_asked_for, messages
from lakelocal.notifications.occasion import Occasion
from lakelocal.notifications.outbox import Outbox
from lakelocal.notifications.settings import read_settings, sender_of
from lakelocal.project import State

DRAIN_SECONDS = 15


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def notifying(bundle: Bundle, state: State, say: Callable[[str], None]) -> "Iterator[list[Notifier]]":
    """The listeners for the runs in this block: a notifier if a job of *bundle* lists a recipient, otherwise none.

    Raises:
        ProjectError: `.local/notifications.yml` is invalid, and it is needed.
    """
    if are_asked_for(bundle):
        with Notifier(state, say=say) as notifier:
            yield [notifier]
    else:
        yield []


class Notifier:
    """Notifies people of runs in *state*, as configured in their jobs and tasks.

        with Notifier(state) as notifier:
            run_job(bundle, "daily", state=state, options=RunOptions(listeners=[notifier]))

    An event writes files to the outbox and returns. Delivery, if `.local/notifications.yml` configures it, continues in
    the background; leaving the block waits for it for at most *drain_seconds*. *say* is called once, from another
    thread, for each server or webhook that does not accept messages.

    Raises:
        ProjectError: `.local/notifications.yml` is invalid (at the start), or the outbox cannot be written.
    """

    def __init__(
        self, state: State, *, say: Callable[[str], None] = _to_stderr, drain_seconds: float = DRAIN_SECONDS
    ) -> None:
        settings = read_settings(state.notifications_file)
        outbox = Outbox(state.outbox, sender_of(settings))
        self.drain_seconds = drain_seconds
        self._folder = str(state.root)
        self._dispatcher = Dispatcher(outbox, settings, say)

    def run_event(self, event: str, job: Job, run: Mapping[str, Any]) -> None:
        """Handle *event* of a run of *job*."""
        self._tell(Occasion(event, job, run, _now_ms(), folder=self._folder))

    def task_event(
        self, event: str, job: Job, task: Task, run: Mapping[str, Any], attempt: Mapping[str, Any], *, last: bool
    ) -> None:
        """Handle *event* of an attempt of *task*; *last*: no further attempt follows."""
        at = _now_ms()
        self._tell(Occasion(event, job, run, at, task=task, attempt=attempt, last=last, folder=self._folder))

    def __enter__(self) -> "Notifier":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dispatcher.drain(self.drain_seconds)

    def _tell(self, what: Occasion) -> None:
        for message in messages(what):
            self._dispatcher.submit(message)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
