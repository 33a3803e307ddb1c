"""How many iterations of a for-each task run at once, and what is reported of one that timed out."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lakelocal.bundle import Bundle, Job, Task
from lakelocal.jobs.listener import Announcer
from lakelocal.jobs.progress import Progress
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.task import TaskRun
from lakelocal.jobs.task_types.for_each import run
from lakelocal.jobs.views import Silent
from lakelocal.lakeflow.references import Scope
from lakelocal.project import State

LIMIT_SECONDS = 120


class Iterations:
    """A for-each attempt and its owner: its iterations wait for each other, *together* at a time, and are counted."""

    def __init__(self, together: int, **settings: Any) -> None:
        self.task = Task("loop", "for_each_task", {"for_each_task": {"inputs": "[1, 2, 3, 4]", **settings}})
        self.owner = self
        self.error = ""
        self.most = self._active = 0
        self._barrier = threading.Barrier(together)
        self._lock = threading.Lock()

    def resolved(self, value: Any, field: str) -> Any:
        return value

    def record(self, **columns: Any) -> None: ...

    def show_iterations(self, count: int, concurrency: int) -> None: ...

    def iteration(self, index: int, value: Any) -> "Iterations":
        return self

    def execute(self, stop: Stop) -> str:
        with self._lock:
            self._active += 1
            self.most = max(self.most, self._active)
        self._barrier.wait(LIMIT_SECONDS)
        with self._lock:
            self._active -= 1
        return "SUCCESS"


@pytest.mark.parametrize(
    ("settings", "together"), [({}, 1), ({"concurrency": 2}, 2), ({"concurrency": 4}, 4)], ids=["default", "2", "4"]
)
def test_iterations_run_as_many_at_a_time_as_the_task_says(settings: dict[str, int], together: int) -> None:
    """One by default: with fewer it would wait forever, more would be counted."""
    attempt = Iterations(together, **settings)

    assert run(attempt, Stop()).result == "SUCCESS"
    assert attempt.most == together


class Run:
    """A run whose run-job task never ends by itself; it keeps what is recorded of the attempts."""

    def __init__(self, state: State) -> None:
        self.path, self.run_id, self.repair_count, self.parameters = (), 1, 0, {}
        self.job = Job("j", 1, "J", {}, ())
        self.scope = Scope(1, "J", 1, 0)
        self.progress = Progress()
        self.recorded: dict[str, Any] = {}
        self.engine = SimpleNamespace(
            bundle=Bundle("b", state.folder, "dev", "main", {}, jobs={"j": self.job}),
            state=state,
            records=self,
            view=Silent(),
            announcer=Announcer((), self, print),
        )

    def start_attempt(self, **columns: Any) -> int:
        return 2

    def update_attempt(self, run_id: int, **columns: Any) -> None:
        self.recorded |= columns

    def child(self, job: Job, parameters: Any, path: Any) -> "Run":
        return self

    def execute(self, stop: Stop) -> str:
        stop.wait(LIMIT_SECONDS)
        return "CANCELED"


def test_a_timeout_is_told_in_the_same_words_everywhere(tmp_path: Path) -> None:
    """The record of an attempt said that it had timed out, the errors counted for its for-each task did not."""
    run = Run(State(tmp_path, "main", tmp_path / "state").make())
    attempts = TaskRun(run, Task("t", "run_job_task", {}, child="j", timeout_seconds=1))

    assert attempts.execute(Stop()) == "TIMEDOUT"
    assert (attempts.error, run.recorded["state_message"]) == ("Timed out after 1 seconds.",) * 2
    assert run.recorded["error"] is None
