"""What the record says of the end of a task and of a run."""

from collections.abc import Mapping

from local.bundle.model import Job
from local.jobs.plan import SKIPPED

MESSAGES = {
    "UPSTREAM_FAILED": "An upstream task failed.",
    "UPSTREAM_CANCELED": "An upstream task was cancelled.",
    "EXCLUDED": "Not run: the condition of its dependencies was not met.",
    "DISABLED": "Not run: the task or what it needs is disabled.",
    "CANCELED": "Cancelled.",
}
_ENDED_BADLY = ("FAILED", "TIMEDOUT")


def end_message(job: Job, states: Mapping[str, str], result: str) -> str:
    """Why a run whose tasks ended as *states* has the *result*."""
    if result == "TIMEDOUT":
        return f"Timed out after {job.timeout_seconds} seconds."
    failed = next((key for key, state in states.items() if state in _ENDED_BADLY), None)
    if failed and result == "FAILED":
        return f"Task {failed} failed with message: Workload failed, see run output for details."
    if passed_over := [key for key, state in states.items() if state == SKIPPED]:
        return f"Passed over, since their types do not run locally: {', '.join(passed_over)}."
    return MESSAGES.get(result, "")
