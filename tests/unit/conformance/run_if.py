"""`run_if`: (run_if, results of the dependencies) -> the task's result, or RUNS."""

from conformance import DEPENDENCIES, DISABLED, UNDOCUMENTED, Rule

S, F, X, U, C, D = "SUCCESS", "FAILED", "EXCLUDED", "UPSTREAM_FAILED", "CANCELED", "DISABLED"
UC, T, SF, SKIPPED, RUNS = "UPSTREAM_CANCELED", "TIMEDOUT", "SUCCESS_WITH_FAILURES", "SKIPPED", "RUNS"
ALL_EXCLUDED = "a task whose dependencies are all EXCLUDED is EXCLUDED, whatever its run_if"
DISABLED_PARENT = "a disabled dependency is neither a success nor a failure"


def rule(
    name: str, what: str, run_if: str, upstream: tuple[str, ...], expected: str, source: str = DEPENDENCIES
) -> Rule:
    return Rule(f"run_if.{run_if}.{name}", what, source, (run_if, upstream, expected))


RULES = [
    rule("all-succeeded", "runs when every dependency ran and succeeded", "ALL_SUCCESS", (S, S), RUNS),
    rule("one-failed", "not met: UPSTREAM_FAILED", "ALL_SUCCESS", (S, F), U),
    rule("one-excluded", "EXCLUDED counts as success", "ALL_SUCCESS", (S, X), RUNS),
    rule("one-upstream-failed", "UPSTREAM_FAILED counts as failed, not as skipped", "ALL_SUCCESS", (S, U), U),
    rule("one-timed-out", "a timeout is a failure", "ALL_SUCCESS", (S, T), U),
    rule("child-with-failures", "SUCCESS_WITH_FAILURES is a success", "ALL_SUCCESS", (S, SF), RUNS),
    rule("one-canceled", "a cancelled dependency cancels what is downstream", "ALL_SUCCESS", (S, C), UC),
    rule("one-upstream-canceled", "the cancellation continues downstream", "ALL_SUCCESS", (S, UC), UC),
    rule("canceled-and-failed", "a failure outweighs a cancellation", "ALL_SUCCESS", (F, C), U, UNDOCUMENTED),
    rule("one-disabled", "a task that needs a disabled one is DISABLED", "ALL_SUCCESS", (S, D), D, DISABLED),
    rule("disabled-and-failed", "a failure outweighs a disabled dependency", "ALL_SUCCESS", (F, D), U, UNDOCUMENTED),
    rule(
        "passed-over",
        "a task that does not run locally does not hold others up",
        "ALL_SUCCESS",
        (S, SKIPPED),
        RUNS,
        UNDOCUMENTED,
    ),
    rule("all-excluded", ALL_EXCLUDED, "ALL_SUCCESS", (X, X), X),
    rule("one-succeeded", "runs when at least one dependency succeeded", "AT_LEAST_ONE_SUCCESS", (S, F), RUNS),
    rule("none-succeeded", "not met: UPSTREAM_FAILED", "AT_LEAST_ONE_SUCCESS", (F, F), U),
    rule("excluded-and-failed", "EXCLUDED counts as success", "AT_LEAST_ONE_SUCCESS", (X, F), RUNS),
    rule("all-excluded", ALL_EXCLUDED, "AT_LEAST_ONE_SUCCESS", (X, X), X),
    rule("disabled-and-succeeded", "runs if another parent qualifies", "AT_LEAST_ONE_SUCCESS", (D, S), RUNS, DISABLED),
    rule(
        "all-disabled",
        "a task all of whose dependencies are disabled is DISABLED",
        "AT_LEAST_ONE_SUCCESS",
        (D, D),
        D,
        DISABLED,
    ),
    rule("all-canceled", "cancelled dependencies cancel it", "AT_LEAST_ONE_SUCCESS", (C, UC), UC),
    rule("all-succeeded", "runs when none failed and at least one ran", "NONE_FAILED", (S, S), RUNS),
    rule("one-excluded", "an EXCLUDED dependency is not a failure", "NONE_FAILED", (S, X), RUNS),
    rule("one-failed", "not met: UPSTREAM_FAILED", "NONE_FAILED", (S, F), U),
    rule("one-upstream-failed", "UPSTREAM_FAILED is a failure", "NONE_FAILED", (X, U), U),
    rule("one-canceled", "a cancelled dependency counts as failed", "NONE_FAILED", (S, C), UC),
    rule("all-excluded", ALL_EXCLUDED, "NONE_FAILED", (X, X), X),
    rule("one-disabled", DISABLED_PARENT, "NONE_FAILED", (S, D), RUNS, UNDOCUMENTED),
    rule("only-disabled", "none of its dependencies ran", "NONE_FAILED", (D,), D, UNDOCUMENTED),
    rule("all-failed", "runs when all have finished, whatever their results", "ALL_DONE", (F, F), RUNS),
    rule("upstream-failed-and-canceled", "no result prevents it", "ALL_DONE", (U, C), RUNS),
    rule("disabled", "runs after a disabled task", "ALL_DONE", (D,), RUNS, DISABLED),
    rule("one-excluded", "runs as long as one dependency is not EXCLUDED", "ALL_DONE", (X, F), RUNS),
    rule("all-excluded", ALL_EXCLUDED, "ALL_DONE", (X, X), X),
    rule("one-failed", "runs when at least one dependency failed", "AT_LEAST_ONE_FAILED", (S, F), RUNS),
    rule("one-upstream-failed", "UPSTREAM_FAILED counts as failed", "AT_LEAST_ONE_FAILED", (S, U), RUNS),
    rule("one-timed-out", "a timeout is a failure", "AT_LEAST_ONE_FAILED", (S, T), RUNS),
    rule("one-canceled", "a task whose run_if handles failure runs", "AT_LEAST_ONE_FAILED", (S, C), RUNS),
    rule("none-failed", "not met: EXCLUDED", "AT_LEAST_ONE_FAILED", (S, S), X),
    rule("one-excluded", "EXCLUDED is not a failure", "AT_LEAST_ONE_FAILED", (S, X), X),
    rule("all-excluded", ALL_EXCLUDED, "AT_LEAST_ONE_FAILED", (X, X), X),
    rule("disabled-and-failed", "runs if another parent qualifies", "AT_LEAST_ONE_FAILED", (D, F), RUNS, DISABLED),
    rule(
        "only-disabled",
        "a task all of whose dependencies are disabled is DISABLED",
        "AT_LEAST_ONE_FAILED",
        (D,),
        D,
        DISABLED,
    ),
    rule("all-failed", "runs when every dependency failed", "ALL_FAILED", (F, F), RUNS),
    rule("failed-and-upstream-failed", "UPSTREAM_FAILED counts as failed", "ALL_FAILED", (F, U), RUNS),
    rule("failed-and-canceled", "a cancelled dependency counts as failed", "ALL_FAILED", (F, C), RUNS),
    rule("one-succeeded", "not met: EXCLUDED", "ALL_FAILED", (F, S), X),
    rule("one-excluded", "EXCLUDED counts as success", "ALL_FAILED", (F, X), X),
    rule("all-excluded", ALL_EXCLUDED, "ALL_FAILED", (X, X), X),
    rule("one-disabled", "does not run after a disabled task", "ALL_FAILED", (F, D), D, DISABLED),
]
