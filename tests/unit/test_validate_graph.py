"""Tasks that never start: known cases by name, and random graphs, explored completely."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakelocal.lakeflow.model import Dependency, Task
from lakelocal.lakeflow.plan import RUN_IF, next_step
from tests.unit.validate_bundles import condition, found, job, task

OFF = {"disabled": True}
TRUE, FALSE = condition("1"), condition("2")  # constant: 1 is 1, 2 is not


def after(*before: str, run_if: str = "ALL_SUCCESS", **fields: Any) -> dict[str, Any]:
    return task("z", *before, run_if=run_if, **fields)


@pytest.mark.parametrize(
    ("tasks", "idle"),
    [
        # nothing that fails, nothing that succeeds
        ([task("a", **OFF), after("a", run_if="AT_LEAST_ONE_FAILED")], {"z"}),
        ([task("a", **OFF), after("a", run_if="ALL_FAILED")], {"z"}),
        ([task("a", **OFF), after("a")], {"z"}),
        ([task("a", **OFF), after("a", run_if="ALL_DONE")], set()),
        ([task("a", **OFF), task("b"), after("a", "b")], {"z"}),
        ([task("a", **OFF), task("b"), after("a", "b", run_if="AT_LEAST_ONE_SUCCESS")], set()),
        ([task("a", **OFF), task("b"), after("a", "b", run_if="ALL_FAILED")], {"z"}),
        ([task("a", **OFF), task("b"), after("a", "b", run_if="AT_LEAST_ONE_FAILED")], set()),
        # branches: the one that is not taken is excluded, and all excluded cascades
        ([task("c", condition_task=TRUE), after("c=false")], {"z"}),
        ([task("c", condition_task=TRUE), after("c=false", run_if="ALL_DONE")], {"z"}),
        ([task("c", condition_task=TRUE), after("c=true")], set()),
        ([task("c", condition_task=TRUE), after("c=true", run_if="ALL_FAILED")], {"z"}),
        ([task("c", condition_task=condition()), after("c=true", run_if="ALL_FAILED")], set()),
        ([task("c", condition_task=FALSE), task("a"), after("c=true", "a")], set()),
        ([task("c", condition_task=FALSE), task("a"), after("c=true", "a", run_if="NONE_FAILED")], set()),
        ([task("c", condition_task=FALSE), task("a"), after("c=true", "a", run_if="ALL_FAILED")], {"z"}),
        # only the first of a chain is reported
        ([task("c", condition_task=TRUE), task("y", "c=false"), after("y")], {"y"}),
        ([task("a", **OFF), task("y", "a"), after("y", run_if="ALL_DONE")], {"y"}),
        # a task that is disabled itself is meant to be
        ([task("a", **OFF), after("a", **OFF)], set()),
        # cycles and unknown tasks are reported by their own rules
        ([task("a", "z"), after("a", run_if="ALL_FAILED")], set()),
    ],
)
def test_a_task_that_no_course_of_the_run_starts(tmp_path: Path, tasks: list[dict], idle: set[str]) -> None:
    """`run_if` over what can come before it."""
    findings = found(tmp_path, {"j": job(*tasks)})

    assert {each.where.task for each in findings if each.rule == "never-runs"} == idle


def test_many_dependencies_are_no_more_work(tmp_path: Path) -> None:
    """Sets of results are explored, not the three hundred results."""
    many = [task(f"t{number}") for number in range(300)]
    off = task("off", **OFF)

    findings = found(
        tmp_path, {"j": job(*many, off, after(*(f"t{n}" for n in range(300)), "off", run_if="ALL_FAILED"))}
    )

    assert [(each.rule, each.where.task) for each in findings] == [("never-runs", "z")]


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to five tasks; each depends on some before it."""
    tasks: list[dict[str, Any]] = []
    conditions: set[str] = set()
    for number in range(draw(st.integers(2, 5))):
        key = f"t{number}"
        before = draw(st.lists(st.sampled_from([each["task_key"] for each in tasks]), unique=True)) if tasks else []
        edges = [
            f"{each}={draw(st.sampled_from(['true', 'false']))}" if each in conditions else each for each in before
        ]
        fields: dict[str, Any] = {"run_if": draw(st.sampled_from(RUN_IF))}
        kind = draw(st.sampled_from(["notebook", "notebook", "condition", "constant", "disabled"]))
        if kind in ("condition", "constant"):
            fields["condition_task"] = condition() if kind == "condition" else TRUE
            conditions.add(key)
        tasks.append(task(key, *edges, **fields, **(OFF if kind == "disabled" else {})))
    return tasks


def started(tasks: list[dict[str, Any]]) -> Iterator[str]:
    """The tasks that start in some course of the run: all courses are explored, with nothing left out."""
    plan = [
        Task(
            key=each["task_key"],
            kind="",
            settings={},
            depends_on=tuple(Dependency(d["task_key"], d.get("outcome")) for d in each.get("depends_on", ())),
            run_if=each["run_if"],
            disabled=each.get("disabled", False),
        )
        for each in tasks
    ]
    ends = {each["task_key"]: list(_ends(each)) for each in tasks}
    for course in itertools.product(*ends.values()):
        chosen = dict(zip(ends, course, strict=True))
        states: dict[str, str] = {}
        outcomes: dict[str, str] = {}
        while (step := next_step(plan, states, outcomes=outcomes)).start or step.ended:
            states.update(step.ended)
            for key in step.start:
                states[key], outcome = chosen[key]
                outcomes |= {key: outcome} if outcome else {}
                yield key


def _ends(source: dict[str, Any]) -> Iterator[tuple[str, str]]:
    constant = source.get("condition_task") == TRUE
    if "condition_task" in source:
        yield from [("SUCCESS", "true")] if constant else [("SUCCESS", "true"), ("SUCCESS", "false")]
    else:
        yield "SUCCESS", ""
    if not constant:
        yield "FAILED", ""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tasks=graphs())
def test_what_is_told_never_starts(tmp_path: Path, tasks: list[dict[str, Any]]) -> None:
    """In no course of a complete exploration; and if each task has at most one dependency, nothing is missed."""
    can_start = set(started(tasks))
    told = {each.where.task for each in found(tmp_path, {"j": job(*tasks)}) if each.rule == "never-runs"}
    disabled = {each["task_key"] for each in tasks if each.get("disabled")}

    assert not told & can_start
    if all(len(each.get("depends_on", ())) <= 1 for each in tasks):
        parents = {each["task_key"]: [d["task_key"] for d in each.get("depends_on", ())] for each in tasks}
        idle = set(parents) - can_start - disabled
        assert told == {key for key in idle if not set(parents[key]) & idle}
