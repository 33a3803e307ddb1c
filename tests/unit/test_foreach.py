"""How many iterations of a for-each task run at once."""

import threading
from typing import Any

import pytest

from local.bundle import Task
from local.jobs.foreach import run_iterations
from local.jobs.stop import Stop

LIMIT_SECONDS = 30


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
    """One by default: fewer would wait for ever, more are counted."""
    attempt = Iterations(together, **settings)

    assert run_iterations(attempt, Stop()).result == "SUCCESS"
    assert attempt.most == together
