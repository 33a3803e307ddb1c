"""What happened, and to what: one event of a run or of an attempt, as the listener of a run receives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakelocal.lakeflow.model import Job, Task


@dataclass(frozen=True)
class Occasion:
    """One event: of a run of *job*, or, if *task* is given, of an *attempt* of it.

    *run* and *attempt* have the shape of Jobs API `runs/get` and of an entry of its `tasks`. *last*: no further attempt
    of the task follows. *at* is when it happened. All times are epoch ms. *folder* is that of the bundle, where the
    commands of a message work; "" if it is not known.
    """

    event: str
    job: Job
    run: Mapping[str, Any]
    at: int
    task: Task | None = None
    attempt: Mapping[str, Any] | None = None
    last: bool = True
    folder: str = ""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings with the switches: those of the task, otherwise those of the job. Tasks do not inherit them."""
        return self.task.settings if self.task else self.job.settings

    @property
    def subject(self) -> Mapping[str, Any]:
        """What it happened to: the attempt, otherwise the run."""
        return self.run if self.attempt is None else self.attempt

    @property
    def result(self) -> str:
        """`result_state` if it has ended, "" before that."""
        return self.subject.get("state", {}).get("result_state") or ""

    @property
    def life_cycle(self) -> str:
        """`life_cycle_state`."""
        return self.subject.get("state", {}).get("life_cycle_state") or ""

    @property
    def attempt_number(self) -> int:
        """The number of the attempt, from 0; 0 for a run."""
        return int((self.attempt or {}).get("attempt_number", 0))

    @property
    def seconds(self) -> float:
        """The seconds from the start to the end, or to the event if there is no end yet."""
        end = self.subject.get("end_time") or self.at
        return float(max(0, end - self.subject.get("start_time", end)) / 1000)
