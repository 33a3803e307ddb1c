"""How a run or a task has ended: (life cycle state, result) as recorded -> `status.termination_details.code`."""

from conformance import API, UNDOCUMENTED, Rule


def rule(name: str, what: str, life_cycle: str, result: str | None, code: str, source: str = API) -> Rule:
    return Rule(f"states.code.{name}", what, source, (life_cycle, result, code))


RULES = [
    rule("success", "SUCCESS: everything succeeded", "TERMINATED", "SUCCESS", "SUCCESS"),
    rule(
        "partly",
        "SUCCESS_WITH_FAILURES: some tasks failed",
        "TERMINATED",
        "SUCCESS_WITH_FAILURES",
        "SUCCESS_WITH_FAILURES",
    ),
    rule("failed", "RUN_EXECUTION_ERROR: a task failed", "INTERNAL_ERROR", "FAILED", "RUN_EXECUTION_ERROR"),
    rule("user-canceled", "USER_CANCELED: a person cancelled it", "TERMINATED", "CANCELED", "USER_CANCELED"),
    rule(
        "timed-out", "CANCELED: the platform ended it, for example at its timeout", "TERMINATED", "TIMEDOUT", "CANCELED"
    ),
    rule("upstream-failed", "SKIPPED: an upstream task failed", "TERMINATED", "UPSTREAM_FAILED", "SKIPPED"),
    rule("excluded", "SKIPPED: the condition was not met", "TERMINATED", "EXCLUDED", "SKIPPED"),
    rule(
        "upstream-canceled",
        "SKIPPED: an upstream task was cancelled",
        "TERMINATED",
        "UPSTREAM_CANCELED",
        "SKIPPED",
        UNDOCUMENTED,
    ),
    rule("disabled", "DISABLED: the task is disabled", "TERMINATED", "DISABLED", "DISABLED"),
    rule(
        "limit",
        "MAX_CONCURRENT_RUNS_EXCEEDED: no slot was free",
        "SKIPPED",
        "MAXIMUM_CONCURRENT_RUNS_REACHED",
        "MAX_CONCURRENT_RUNS_EXCEEDED",
    ),
]
