"""What a repair runs again, in the job a -> b -> c, a -> d, d -> handler: (last results, chosen, dependents) -> tasks.

A result is a letter: Succeeded, Failed, Upstream failed, X excluded, Canceled, Timed out, - never recorded.
"""

from conformance import REPAIR, UNDOCUMENTED, Rule


def rule(
    name: str, what: str, results: str, chosen: str, dependents: bool, expected: str, source: str = REPAIR
) -> Rule:
    return Rule(f"repairs.{name}", what, source, (results, chosen, dependents, expected))


# results are of a, b, c, d, handler
RULES = [
    rule("failed-and-skipped", "failed and skipped tasks run again", "SFUSX", "", True, "b c"),
    rule(
        "dependents", "tasks that depend on them run again, even if they had succeeded", "SSSFS", "", True, "d handler"
    ),
    rule("no-dependents", "or not", "SSSFS", "", False, "d"),
    rule("timed-out", "a task that timed out has failed", "STUSX", "", True, "b c"),
    rule("canceled", "so has one that was cancelled", "SCUSX", "", False, "b c"),
    rule("never-ran", "tasks that a killed runner never reached are run", "SF-SX", "", False, "b c", UNDOCUMENTED),
    rule(
        "excluded-stays",
        "an excluded task is decided again only together with its dependencies",
        "SSSSX",
        "",
        True,
        "",
        UNDOCUMENTED,
    ),
    rule("chosen", "named tasks run again, whatever their result", "SSSSX", "b", False, "b"),
    rule("chosen-dependents", "with the tasks that depend on them", "SSSSX", "b", True, "b c"),
    rule("chosen-only", "instead of those that failed", "SFUSX", "d", True, "d handler"),
]
