"""Who is told that a run or an attempt began, ended or takes long: the seam for notifications."""

from collections.abc import Mapping
from typing import Any, Protocol

from local.bundle.model import Job, Task

ON_START = "on_start"
ON_SUCCESS = "on_success"
ON_FAILURE = "on_failure"
ON_DURATION = "on_duration_warning_threshold_exceeded"


class Listener(Protocol):
    """Hears of events, from several threads; it must return soon, and what it raises is shown, not passed on.

    *event* is `on_start`, `on_success`, `on_failure` or `on_duration_warning_threshold_exceeded`. `on_failure` is told
    for everything that did not succeed: FAILED, TIMEDOUT, CANCELED, and what never ran because of it (UPSTREAM_FAILED,
    UPSTREAM_CANCELED, MAXIMUM_CONCURRENT_RUNS_REACHED); the listener filters. EXCLUDED and DISABLED tasks, and
    condition tasks, are not told of.

    Source: Jobs API 2.2, `JobEmailNotifications`, `TaskEmailNotifications` and the two notification settings.
    """

    def run_event(self, event: str, job: Job, run: Mapping[str, Any]) -> None:
        """*run* of *job*, as `runs/get` shows it. Not told between the attempts of a task."""

    def task_event(
        self, event: str, job: Job, task: Task, run: Mapping[str, Any], attempt: Mapping[str, Any], *, last: bool
    ) -> None:
        """*attempt* of *task*, as the entry of `tasks` in *run* shows it. *last*: no further attempt follows."""
