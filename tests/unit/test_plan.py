"""The planner against tables of Databricks' rules; expected values are written out, not computed."""

import itertools

import pytest
from conformance import cases
from conformance import results as result_rules
from conformance import retries as retry_rules
from conformance import run_if as run_if_rules

from lakelocal.bundle import Dependency, Task
from lakelocal.lakeflow.plan import next_attempt_at, next_step, run_result

S, F, X, U, C, D = "SUCCESS", "FAILED", "EXCLUDED", "UPSTREAM_FAILED", "CANCELED", "DISABLED"


def make(key: str, *after: str, **settings) -> Task:
    depends_on = tuple(Dependency(*each.split("=")) for each in after)
    return Task(**{"key": key, "kind": "notebook_task", "settings": {}, "depends_on": depends_on, **settings})


@pytest.mark.parametrize(("run_if", "upstream", "expected"), cases(run_if_rules.RULES))
def test_run_if(run_if: str, upstream: tuple[str, ...], expected: str) -> None:
    """The decision for a task with *run_if* after dependencies with these results."""
    keys = [f"u{number}" for number in range(len(upstream))]
    tasks = [*(make(key) for key in keys), make("t", *keys, run_if=run_if)]

    step = next_step(tasks, dict(zip(keys, upstream, strict=True)))

    assert ("RUNS" if step.start == ("t",) else step.ended["t"]) == expected


def test_nothing_is_decided_before_all_dependencies_ended() -> None:
    """run_if is evaluated once: a failure alone does not end a task whose other dependency is running."""
    tasks = [make("a"), make("b"), make("t", "a", "b", run_if="AT_LEAST_ONE_FAILED")]

    step = next_step(tasks, {"a": F, "b": "RUNNING"})

    assert step.start == ()
    assert step.ended == {}


def test_results_cascade_in_one_step() -> None:
    """What cannot run ends at once, down to the leaf; a handler of failures starts."""
    tasks = [make("a"), make("b", "a"), make("c", "b"), make("clean", "c", run_if="AT_LEAST_ONE_FAILED")]

    step = next_step(tasks, {"a": F})

    assert step.ended == {"b": U, "c": U}
    assert step.start == ("clean",)


def test_excluded_cascades() -> None:
    """A branch after an excluded task is excluded as a whole."""
    tasks = [make("a"), make("b", "a", run_if="ALL_FAILED"), make("c", "b"), make("d", "c", run_if="ALL_DONE")]

    assert next_step(tasks, {"a": S}).ended == {"b": X, "c": X, "d": X}


def test_a_branch_of_another_outcome_is_excluded() -> None:
    """Only the branch for the condition's outcome runs; the task that joins them runs."""
    tasks = [
        make("if"),
        make("yes", "if=true"),
        make("no", "if=false"),
        make("join", "yes", "no", run_if="NONE_FAILED"),
    ]

    first = next_step(tasks, {"if": S}, outcomes={"if": "true"})
    last = next_step(tasks, {"if": S, "yes": S, "no": X}, outcomes={"if": "true"})

    assert (first.start, first.ended) == (("yes",), {"no": X})
    assert last.start == ("join",)


def test_a_disabled_task_does_not_run() -> None:
    """Its result is DISABLED, and what needs its success is DISABLED too."""
    tasks = [make("a", disabled=True), make("b", "a"), make("c", "a", run_if="ALL_DONE")]

    step = next_step(tasks, {})

    assert step.ended == {"a": D, "b": D}
    assert step.start == ("c",)


def test_a_condition_that_failed_has_no_branch() -> None:
    """Both branches are UPSTREAM_FAILED; neither is excluded."""
    tasks = [make("if", kind="condition_task"), make("yes", "if=true"), make("no", "if=false")]

    assert next_step(tasks, {"if": F}).ended == {"yes": U, "no": U}


@pytest.mark.parametrize(
    ("kind", "inner"),
    [
        ("condition_task", {"left": "{{tasks.off.values.n}}", "op": "EQUAL_TO", "right": "1"}),
        ("for_each_task", {"inputs": "{{tasks.off.values.list}}"}),
    ],
)
def test_a_task_that_reads_a_disabled_one_runs_and_fails_for_want_of_its_input(kind: str, inner: dict) -> None:
    """It is not silently DISABLED; one that reads something else is."""
    tasks = [
        make("off", disabled=True),
        make("reads", "off", kind=kind, settings={kind: inner}),
        make("other", "off", kind=kind, settings={kind: {"left": "{{tasks.on.values.n}}", "inputs": "[]"}}),
    ]

    step = next_step(tasks, {})

    assert step.start == ("reads",)
    assert step.ended == {"off": D, "other": D}


def test_a_slow_branch_delays_no_other() -> None:
    """A task starts as soon as its own dependencies ended."""
    tasks = [make("slow"), make("fast"), make("next", "fast")]

    assert next_step(tasks, {"slow": "RUNNING", "fast": S}).start == ("next",)


def test_a_partial_run_ignores_what_is_not_selected() -> None:
    """Dependencies outside the selection do not count; those inside keep their order."""
    tasks = [make("a"), make("b", "a"), make("c", "b")]

    assert next_step(tasks, {}, only={"b", "c"}).start == ("b",)
    assert next_step(tasks, {"b": S}, only={"b", "c"}).start == ("c",)


@pytest.mark.parametrize(("results", "expected"), cases(result_rules.RULES))
def test_leaves_decide_the_result_of_a_run(results: tuple[str, str, str], expected: str) -> None:
    """Tasks with dependants count only for SUCCESS_WITH_FAILURES."""
    tasks = [make("a"), make("b", "a"), make("leaf", "b")]

    assert run_result(tasks, dict(zip(("a", "b", "leaf"), results, strict=True))) == expected


@pytest.mark.parametrize(("settings", "retry", "result", "expected"), cases(retry_rules.RULES))
def test_retries(settings: dict, retry: int, result: str, expected: float | None) -> None:
    """The attempt began at 100 s."""
    assert next_attempt_at(make("a", **settings), attempt=retry, result=result, started_at=100.0) == expected


def test_every_plan_ends() -> None:
    """Whatever results the four tasks of a diamond have, the plan never stalls: all get a result."""
    ends = (S, F, C)
    runs = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
    for first, second, one, two in itertools.product(ends, ends, runs, runs):
        tasks = [make("a"), make("b", "a", run_if=one), make("c", "a"), make("d", "b", "c", run_if=two)]
        states: dict[str, str] = {}
        results = {"a": first, "b": second, "c": S, "d": S}
        for _ in range(5):
            step = next_step(tasks, states)
            states.update(step.ended)
            states.update({key: results[key] for key in step.start})
        assert states.keys() == {"a", "b", "c", "d"}
        assert "RUNNING" not in states.values()


def test_an_internal_error_is_a_failure() -> None:
    """As in the Jobs API for `max_retries` and notifications; a planner must not take it for no end at all."""
    handler = [make("a"), make("b", "a"), make("clean", "a", run_if="ALL_FAILED")]

    step = next_step(handler, {"a": "INTERNAL_ERROR"})

    assert (step.start, step.ended) == (("clean",), {"b": U})
    assert run_result([make("a")], {"a": "INTERNAL_ERROR"}) == F
    assert next_attempt_at(make("a", max_retries=1), attempt=0, result="INTERNAL_ERROR", started_at=100.0) == 100.0
