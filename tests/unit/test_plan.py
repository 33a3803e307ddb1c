"""The planner against tables of Databricks' rules; expected values are written out, not computed."""

import itertools

import pytest

from local.bundle import Dependency, Task
from local.jobs.plan import next_attempt_at, next_step, ordered, run_result

S, F, X, U, C, D = "SUCCESS", "FAILED", "EXCLUDED", "UPSTREAM_FAILED", "CANCELED", "DISABLED"
RUNS = "RUNS"


def make(key: str, *after: str, **settings) -> Task:
    depends_on = tuple(Dependency(*each.split("=")) for each in after)
    return Task(key=key, kind="notebook_task", settings={}, depends_on=depends_on, **settings)


def verdict(run_if: str, *upstream: str) -> str:
    """What becomes of a task with *run_if* behind dependencies that ended so."""
    keys = [f"u{number}" for number in range(len(upstream))]
    tasks = [*(make(key) for key in keys), make("t", *keys, run_if=run_if)]
    step = next_step(tasks, dict(zip(keys, upstream, strict=True)))
    return RUNS if step.start == ("t",) else step.ended["t"]


@pytest.mark.parametrize(
    ("run_if", "upstream", "expected"),
    [
        ("ALL_SUCCESS", (S, S), RUNS),
        ("ALL_SUCCESS", (S, F), U),
        ("ALL_SUCCESS", (S, X), RUNS),
        ("ALL_SUCCESS", (S, U), U),
        ("ALL_SUCCESS", (S, "TIMEDOUT"), U),
        ("ALL_SUCCESS", (S, "SUCCESS_WITH_FAILURES"), RUNS),
        ("ALL_SUCCESS", (S, C), "UPSTREAM_CANCELED"),
        ("ALL_SUCCESS", (S, "UPSTREAM_CANCELED"), "UPSTREAM_CANCELED"),
        ("ALL_SUCCESS", (S, D), D),
        ("AT_LEAST_ONE_SUCCESS", (S, F), RUNS),
        ("AT_LEAST_ONE_SUCCESS", (F, F), U),
        ("AT_LEAST_ONE_SUCCESS", (X, F), RUNS),
        ("AT_LEAST_ONE_SUCCESS", (D, S), RUNS),
        ("AT_LEAST_ONE_SUCCESS", (D, D), D),
        ("NONE_FAILED", (S, S), RUNS),
        ("NONE_FAILED", (S, X), RUNS),
        ("NONE_FAILED", (S, F), U),
        ("NONE_FAILED", (X, U), U),
        ("ALL_DONE", (F, F), RUNS),
        ("ALL_DONE", (U, C), RUNS),
        ("ALL_DONE", (D,), RUNS),
        ("AT_LEAST_ONE_FAILED", (S, F), RUNS),
        ("AT_LEAST_ONE_FAILED", (S, U), RUNS),
        ("AT_LEAST_ONE_FAILED", (S, C), RUNS),
        ("AT_LEAST_ONE_FAILED", (S, S), X),
        ("AT_LEAST_ONE_FAILED", (S, X), X),
        ("AT_LEAST_ONE_FAILED", (D, F), RUNS),
        ("ALL_FAILED", (F, U), RUNS),
        ("ALL_FAILED", (F, S), X),
        ("ALL_FAILED", (F, X), X),
        ("ALL_FAILED", (F, D), D),
    ],
)
def test_run_if(run_if: str, upstream: tuple[str, ...], expected: str) -> None:
    """EXCLUDED counts as success; upstream failures and cancellations count as failed."""
    assert verdict(run_if, *upstream) == expected


@pytest.mark.parametrize(
    "run_if",
    ["ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED"],
)
def test_only_excluded_dependencies_exclude(run_if: str) -> None:
    """All dependencies EXCLUDED: the task is too, whatever its run_if."""
    assert verdict(run_if, X, X) == X


def test_nothing_is_decided_before_all_dependencies_ended() -> None:
    """run_if is evaluated once: a failure alone does not end a task whose other dependency runs."""
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
    """A branch behind an excluded task is excluded as a whole."""
    tasks = [make("a"), make("b", "a", run_if="ALL_FAILED"), make("c", "b"), make("d", "c", run_if="ALL_DONE")]

    assert next_step(tasks, {"a": S}).ended == {"b": X, "c": X, "d": X}


def test_a_branch_of_another_outcome_is_excluded() -> None:
    """Only the branch whose outcome the condition gave runs; the task that joins them runs."""
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


def test_a_slow_branch_delays_no_other() -> None:
    """A task starts as soon as its own dependencies ended."""
    tasks = [make("slow"), make("fast"), make("next", "fast")]

    assert next_step(tasks, {"slow": "RUNNING", "fast": S}).start == ("next",)


def test_a_partial_run_ignores_what_is_not_selected() -> None:
    """Dependencies outside of the selection do not count; those inside keep their order."""
    tasks = [make("a"), make("b", "a"), make("c", "b")]

    assert next_step(tasks, {}, only={"b", "c"}).start == ("b",)
    assert next_step(tasks, {"b": S}, only={"b", "c"}).start == ("c",)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({"a": S, "b": S, "leaf": S}, "SUCCESS"),
        ({"a": S, "b": X, "leaf": X}, "SUCCESS"),
        ({"a": F, "b": S, "leaf": S}, "SUCCESS_WITH_FAILURES"),
        ({"a": S, "b": S, "leaf": F}, "FAILED"),
        ({"a": F, "b": U, "leaf": U}, "FAILED"),
        ({"a": S, "b": S, "leaf": "TIMEDOUT"}, "FAILED"),
        ({"a": S, "b": C, "leaf": "UPSTREAM_CANCELED"}, "CANCELED"),
    ],
)
def test_leaves_decide_the_result_of_a_run(states: dict[str, str], expected: str) -> None:
    """Tasks with dependants count only for SUCCESS_WITH_FAILURES."""
    assert run_result([make("a"), make("b", "a"), make("leaf", "b")], states) == expected


@pytest.mark.parametrize(
    ("settings", "attempt", "result", "expected"),
    [
        ({"max_retries": 1, "min_retry_interval_millis": 60_000}, 0, F, 160.0),
        ({"max_retries": 1}, 1, F, None),
        ({"max_retries": 1}, 0, S, None),
        ({"max_retries": 1}, 0, "TIMEDOUT", None),
        ({"max_retries": 1, "retry_on_timeout": True}, 0, "TIMEDOUT", 100.0),
        ({"max_retries": 1}, 0, C, None),
        ({"max_retries": -1}, 1000, F, 100.0),
        ({}, 0, F, None),
    ],
)
def test_retries(settings: dict, attempt: int, result: str, expected: float | None) -> None:
    """The interval counts from the start (100 s) of the failed attempt; timeouts are retried only if asked."""
    assert next_attempt_at(make("a", **settings), attempt=attempt, result=result, started_at=100.0) == expected


def test_every_plan_ends() -> None:
    """Whatever the four tasks of a diamond end with, the plan never stalls: all get a result."""
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


def test_ordered_puts_dependencies_first() -> None:
    """The order of the definition stays where it may."""
    tasks = [make("c", "b"), make("b", "a"), make("a"), make("z")]

    assert [task.key for task in ordered(tasks)] == ["a", "b", "c", "z"]
