"""All rules in Markdown, a table for each topic: local/CONFORMANCE.md, by `python tests/unit/write_conformance.py`.

A rule is *proved* where Databricks says it and a test shows it here. Where Databricks is silent it is *not confirmed*,
also with a test: the test then shows what this machine does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance import (
    NOT_CONFIRMED,
    UNDOCUMENTED,
    Proved,
    Rule,
    Unproved,
    concurrency,
    conditions,
    elsewhere,
    foreach,
    notifications,
    parameters,
    references,
    repairs,
    results,
    retries,
    run_if,
    selections,
    states,
    surroundings,
    unproved,
)

PROVED = "proved"
# The tables, each with the test that runs all of its rows.
TABLES: Mapping[str, Sequence[Rule]] = {
    "tests/unit/test_plan.py::test_run_if": run_if.RULES,
    "tests/unit/test_plan.py::test_leaves_decide_the_result_of_a_run": results.RULES,
    "tests/unit/test_plan.py::test_retries": retries.RULES,
    "tests/unit/test_states.py::test_the_code_of_an_end": states.RULES,
    "tests/unit/test_rules.py::test_conditions": conditions.RULES,
    "tests/unit/test_rules.py::test_inputs": foreach.RULES,
    "tests/unit/test_rules.py::test_slots": concurrency.RULES,
    "tests/unit/test_parameters.py::test_which_parameter_wins": parameters.RULES,
    "tests/unit/test_references.py::test_resolve": references.RESOLVED,
    "tests/unit/test_references.py::test_an_unknown_member_is_an_error": references.REFUSED,
    "tests/unit/test_selection.py::test_select_tasks": selections.RULES,
    "tests/unit/test_selection.py::test_tasks_to_repair": repairs.RULES,
    "tests/unit/test_notifications_rules.py::test_rule": notifications.RULES,
}
# The sections: each heading with its topics, which are the first words of the ids.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Dependencies, `run_if`, partial runs": ("run_if", "disabled", "selections"),
    "The result of a run": ("results",),
    "States": ("states",),
    "Retries, timeouts, concurrency, limits": ("retries", "timeouts", "concurrency", "continuous", "limits"),
    "Parameters and child jobs": ("parameters", "run_job"),
    "Conditions, for-each tasks, pipelines": ("conditions", "foreach", "pipelines"),
    "Dynamic value references and backfills": ("references", "backfills"),
    "Task values and `dbutils`": ("task_values", "notebook", "widgets"),
    "One notebook for papermill and Databricks": ("papermill",),
    "Schedules, notifications, health, environments, repairs": (
        *("schedules", "health", "notifications", "environments", "git_source", "performance", "repairs"),
    ),
}
HEAD = """\
# Which rules of Lakeflow Jobs hold here

Made by `python tests/unit/write_conformance.py` from the tables that the tests run; a test fails where this file or a
name in it is stale. A rule is *proved* where Databricks says it and the named test shows it here. It is *not confirmed*
where Databricks is silent; a test named beside it shows what this machine does.
"""


@dataclass(frozen=True)
class Row:
    """A rule as the document shows it: the *tests* that prove it, or the *reason* why there are none."""

    id: str
    what: str
    source: str
    status: str
    tests: tuple[str, ...] = ()
    reason: str = ""

    @property
    def topic(self) -> str:
        return self.id.partition(".")[0]


def rows() -> list[Row]:
    """All rules, in the order of their tables."""
    return [*_tabled(), *map(_proved, (*elsewhere.PROVED, *surroundings.PROVED)), *map(_unproved, unproved.UNPROVED)]


def document() -> str:
    """The Markdown of `rows`."""
    everything = rows()
    parts = [HEAD, _counts(everything)]
    for heading, topics in SECTIONS.items():
        parts.append(f"## {heading}\n")
        for topic in topics:
            parts.append(f"### {topic}\n\n" + _table([row for row in everything if row.topic == topic]))
    return "\n".join(parts)


def _tabled() -> Iterator[Row]:
    for test, rules in TABLES.items():
        yield from (_proved(Proved(rule.id, rule.what, rule.source, (test,))) for rule in rules)


def _proved(rule: Proved) -> Row:
    status = NOT_CONFIRMED if rule.source == UNDOCUMENTED else PROVED
    return Row(rule.id, rule.what, rule.source, status, rule.tests)


def _unproved(rule: Unproved) -> Row:
    return Row(rule.id, rule.what, rule.source, rule.status, reason=rule.reason)


def _counts(everything: list[Row]) -> str:
    lines = ["| section | rules | proved by a test | not applicable locally | not confirmed | of these with a test |",
             "| --- | --: | --: | --: | --: | --: |"]  # fmt: skip
    for heading, topics in SECTIONS.items():
        lines.append(_count(heading, [row for row in everything if row.topic in topics]))
    return "\n".join([*lines, _count("**all**", everything)]) + "\n"


def _count(heading: str, of: list[Row]) -> str:
    counts = Counter(row.status for row in of)
    tested = sum(row.status == NOT_CONFIRMED and bool(row.tests) for row in of)
    absent = len(of) - counts[PROVED] - counts[NOT_CONFIRMED]
    return f"| {heading} | {len(of)} | {counts[PROVED]} | {absent} | {counts[NOT_CONFIRMED]} | {tested} |"


def _table(of: list[Row]) -> str:
    lines = ["| rule | what Databricks does | source | here |", "| --- | --- | --- | --- |"]
    lines += [f"| `{row.id}` | {_cell(row.what)} | {_cell(row.source)} | {_cell(_here(row))} |" for row in of]
    return "\n".join(lines) + "\n"


def _here(row: Row) -> str:
    said = "" if row.status == PROVED else f"{row.status}: "
    return said + (row.reason or ", ".join(f"`{test}`" for test in row.tests))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
