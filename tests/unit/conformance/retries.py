"""Retries: (settings, retries so far, result) of an attempt begun at 100 s -> when the next begins, or None."""

from conformance import RETRIES, Rule

RULES = [
    Rule(
        "retries.interval-from-start",
        "min_retry_interval_millis counts from the start of the failed attempt",
        RETRIES,
        ({"max_retries": 1, "min_retry_interval_millis": 60_000}, 0, "FAILED", 160.0),
    ),
    Rule(
        "retries.at-once",
        "without an interval, the next attempt begins at once",
        RETRIES,
        ({"max_retries": 1}, 0, "FAILED", 100.0),
    ),
    Rule(
        "retries.used-up",
        "max_retries counts the attempts after the first",
        RETRIES,
        ({"max_retries": 1}, 1, "FAILED", None),
    ),
    Rule("retries.success", "a task that succeeded is not retried", RETRIES, ({"max_retries": 1}, 0, "SUCCESS", None)),
    Rule("retries.no-timeout", "a timeout is not retried", RETRIES, ({"max_retries": 1}, 0, "TIMEDOUT", None)),
    Rule(
        "retries.on-timeout",
        "with retry_on_timeout, it is",
        RETRIES,
        ({"max_retries": 1, "retry_on_timeout": True}, 0, "TIMEDOUT", 100.0),
    ),
    Rule("retries.canceled", "a cancelled task is not retried", RETRIES, ({"max_retries": 1}, 0, "CANCELED", None)),
    Rule("retries.forever", "max_retries -1 retries forever", RETRIES, ({"max_retries": -1}, 1000, "FAILED", 100.0)),
    Rule("retries.default", "by default a task has one attempt", RETRIES, ({}, 0, "FAILED", None)),
    Rule(
        "retries.condition-task",
        "a condition task has no retries",
        "Jobs API: ConditionTask",
        ({"kind": "condition_task", "max_retries": 3}, 0, "FAILED", None),
    ),
]
