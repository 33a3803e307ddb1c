"""The result of a run from those of its tasks, in the job a -> b -> leaf."""

from conformance import RESULTS, UNDOCUMENTED, Rule

RULES = [
    Rule(
        "results.all-succeeded", "SUCCESS: all tasks succeeded", RESULTS, (("SUCCESS", "SUCCESS", "SUCCESS"), "SUCCESS")
    ),
    Rule(
        "results.leaf-excluded", "EXCLUDED counts as success", RESULTS, (("SUCCESS", "EXCLUDED", "EXCLUDED"), "SUCCESS")
    ),
    Rule(
        "results.leaf-succeeded-after-failure",
        "SUCCESS_WITH_FAILURES: a task failed, all leaves succeeded",
        RESULTS,
        (("FAILED", "SUCCESS", "SUCCESS"), "SUCCESS_WITH_FAILURES"),
    ),
    Rule(
        "results.leaf-excluded-after-failure",
        "an EXCLUDED leaf is a leaf that succeeded",
        RESULTS,
        (("FAILED", "SUCCESS", "EXCLUDED"), "SUCCESS_WITH_FAILURES"),
    ),
    Rule("results.leaf-failed", "FAILED: a leaf failed", RESULTS, (("SUCCESS", "SUCCESS", "FAILED"), "FAILED")),
    Rule(
        "results.leaf-upstream-failed",
        "an UPSTREAM_FAILED leaf is a failed leaf",
        RESULTS,
        (("FAILED", "UPSTREAM_FAILED", "UPSTREAM_FAILED"), "FAILED"),
    ),
    Rule(
        "results.leaf-timed-out",
        "a leaf that timed out has failed",
        RESULTS,
        (("SUCCESS", "SUCCESS", "TIMEDOUT"), "FAILED"),
    ),
    Rule(
        "results.leaf-child-with-failures",
        "a child run that succeeded with failures is a success",
        RESULTS,
        (("SUCCESS", "SUCCESS", "SUCCESS_WITH_FAILURES"), "SUCCESS"),
    ),
    Rule(
        "results.leaf-upstream-canceled",
        "a run whose leaves were cancelled is CANCELED",
        UNDOCUMENTED,
        (("SUCCESS", "CANCELED", "UPSTREAM_CANCELED"), "CANCELED"),
    ),
    Rule(
        "results.leaf-disabled",
        "a disabled leaf is not a failure",
        UNDOCUMENTED,
        (("SUCCESS", "SUCCESS", "DISABLED"), "SUCCESS"),
    ),
    Rule(
        "results.leaf-passed-over",
        "here only: a task that does not run locally is not a failure",
        UNDOCUMENTED,
        (("SUCCESS", "SUCCESS", "SKIPPED"), "SUCCESS"),
    ),
]
