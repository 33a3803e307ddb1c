"""What the states of runs and tasks mean, above all their results: one table, for everything that reads a state.

A result is a `result_state` of Jobs API 2.2. A run or task without one is in its `life_cycle_state`. Here that is
`SKIPPED` also for a task that was passed over on request, because its type does not run on this machine: tasks after it
continue as after a success.

Source: Databricks SDK (`databricks.sdk.service.jobs`): `RunResultState`, `RunLifeCycleState`, `TerminationCodeCode`,
`TerminationTypeType`; Databricks documentation, "Configure task dependencies" and "View job run details".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SKIPPED = "SKIPPED"


class Ending(StrEnum):
    """How the end of a run or an attempt is described to people."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Meaning:
    """What one state means.

    *counts_as* is one of the five results that `run_if` and the result of a run distinguish: `SUCCESS`, `FAILED`,
    `CANCELED`, `EXCLUDED`, `DISABLED`; empty if it is not an end. *ran* is false if nothing was executed. *told* is how
    notifications describe it, None if they do not. *tone* is how it is shown: a class of the page's style and a key of
    `COLOURS`. *code* and *type* are those of `status.termination_details`; an end without a result is a bug. *message*
    is what the record says if nothing else is known; `{seconds}` stands for the timeout.
    """

    counts_as: str
    ran: bool
    told: Ending | None
    tone: str
    code: str = "INTERNAL_ERROR"
    type: str = "INTERNAL_ERROR"
    message: str = ""

    @property
    def succeeded(self) -> bool:
        return self.counts_as == "SUCCESS"

    @property
    def failed(self) -> bool:
        return self.counts_as == "FAILED"

    @property
    def canceled(self) -> bool:
        return self.counts_as == "CANCELED"

    @property
    def is_fine(self) -> bool:
        """Does it hold nothing up? EXCLUDED counts as a success for later tasks, and needs no repair."""
        return self.counts_as in ("SUCCESS", "EXCLUDED")

    @property
    def broke(self) -> bool:
        """Did it run, and fail by itself? It may then be retried."""
        return self.failed and self.ran


# fmt: off
STATES: Mapping[str, Meaning] = {
    # counts as, ran, told, tone; code and type of its termination; message
    "SUCCESS":
        Meaning("SUCCESS",  True,  Ending.SUCCEEDED, "good",  "SUCCESS", "SUCCESS"),
    "SUCCESS_WITH_FAILURES":
        Meaning("SUCCESS",  True,  Ending.SUCCEEDED, "mixed", "SUCCESS_WITH_FAILURES", "SUCCESS"),
    "FAILED":
        Meaning("FAILED",   True,  Ending.FAILED,    "bad",   "RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
    "TIMEDOUT":
        Meaning("FAILED",   True,  Ending.FAILED,    "bad",   "CANCELED", "CLIENT_ERROR",
                "Timed out after {seconds} seconds."),
    "INTERNAL_ERROR":
        Meaning("FAILED",   True,  Ending.FAILED,    "bad",   "INTERNAL_ERROR", "INTERNAL_ERROR"),
    "CANCELED":
        Meaning("CANCELED", True,  Ending.CANCELED,  "bad",   "USER_CANCELED", "CLIENT_ERROR", "Cancelled."),
    "MAXIMUM_CONCURRENT_RUNS_REACHED":
        Meaning("FAILED",   False, Ending.SKIPPED,   "bad",   "MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
    "UPSTREAM_FAILED":
        Meaning("FAILED",   False, Ending.SKIPPED,   "none",  "SKIPPED", "SUCCESS", "An upstream task failed."),
    "UPSTREAM_CANCELED":
        Meaning("CANCELED", False, Ending.CANCELED,  "none",  "SKIPPED", "SUCCESS", "An upstream task was cancelled."),
    "EXCLUDED":
        Meaning("EXCLUDED", False, None,             "none",  "SKIPPED", "SUCCESS",
                "Not run: the condition of its dependencies was not met."),
    "DISABLED":
        Meaning("DISABLED", False, None,             "none",  "DISABLED", "SUCCESS",
                "Not run: the task or what it needs is disabled."),
    SKIPPED:
        Meaning("SUCCESS",  False, Ending.SKIPPED,   "none",  "SKIPPED", "SUCCESS"),
    # states that are not an end
    "QUEUED":            Meaning("", False, None, "none"),
    "PENDING":           Meaning("", False, None, "none"),
    "BLOCKED":           Meaning("", False, None, "none"),
    "RUNNING":           Meaning("", True,  None, "active"),
    "TERMINATING":       Meaning("", True,  None, "active"),
    "WAITING":           Meaning("", True,  None, "active"),
    "WAITING_FOR_RETRY": Meaning("", True,  None, "active"),
}
# fmt: on
_UNKNOWN = Meaning("", True, None, "none")
COLOURS: Mapping[str, str] = {"good": "green", "mixed": "yellow", "bad": "red", "active": "cyan", "none": "dim"}


def state_of(state: Mapping[str, Any]) -> str:
    """The result in *state*, a `state` of the Jobs API or a row of the history; without one, the life cycle state."""
    return str(state.get("result_state") or state["life_cycle_state"])


def meaning(state: str | None) -> Meaning:
    """What *state* means; a state that is not in the table counts as nothing."""
    return STATES.get(state or "", _UNKNOWN)


def colour_of(state: str) -> str:
    """The colour of *state* in a terminal, as a name for `rich`."""
    return COLOURS[meaning(state).tone]


def attempt_name(number: int) -> str:
    """What people call the attempt whose `attempt_number` is *number*: they count from 1, the Jobs API from 0."""
    return f"attempt {number + 1}"


def message_of(result: str, *, timeout_seconds: int = 0) -> str:
    """What the record says about the end of a run or task with *result*; empty if the result says everything."""
    return meaning(result).message.format(seconds=timeout_seconds)


def end_message(result: str, states: Mapping[str, str], *, timeout_seconds: int = 0) -> str:
    """Why a run has the *result*, given the *states* in which its tasks ended, by key."""
    broken = next((key for key, state in states.items() if meaning(state).broke), None)
    if result == "FAILED" and broken:
        return f"Task {broken} failed with message: Workload failed, see run output for details."
    passed_over = [key for key, state in states.items() if state == SKIPPED]
    if passed_over and result != "TIMEDOUT":
        return f"Passed over, since their types do not run locally: {', '.join(passed_over)}."
    return message_of(result, timeout_seconds=timeout_seconds)
