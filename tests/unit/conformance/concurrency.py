"""A new run beside others of its job: (max_concurrent_runs, active, waiting, queue enabled) -> its state."""

from conformance import CONCURRENCY, UNDOCUMENTED, Rule

RULES = [
    Rule("concurrency.free-slot", "a run starts if a slot is free", CONCURRENCY, (1, 0, 0, True, "RUNNING")),
    Rule("concurrency.several", "up to max_concurrent_runs at once", CONCURRENCY, (3, 2, 0, True, "RUNNING")),
    Rule("concurrency.ceiling-queue", "at the limit, a run waits in the queue", CONCURRENCY, (1, 1, 0, True, "QUEUED")),
    Rule("concurrency.ceiling-no-queue", "without a queue, it is skipped", CONCURRENCY, (1, 1, 0, False, "SKIPPED")),
    Rule(
        "concurrency.behind-others",
        "a free slot goes to the run that has waited longest",
        UNDOCUMENTED,
        (2, 1, 1, True, "QUEUED"),
    ),
    Rule(
        "concurrency.zero",
        "0 skips every run",
        "Jobs API: JobSettings.max_concurrent_runs",
        (0, 0, 0, False, "SKIPPED"),
    ),
    Rule(
        "concurrency.zero-with-queue",
        "0 skips every run, the queue does not help",
        "Jobs API: JobSettings.max_concurrent_runs",
        (0, 0, 0, True, "SKIPPED"),
    ),
]
