"""Which tasks of a run start, and how tasks and runs end: pure functions of states.

A state is `PENDING`, `RUNNING` or a result; `results` says what each result counts as.

Source: Databricks documentation, "Configure task dependencies" and "Job run result"; see the rules of `run_if`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lakelocal.lakeflow.model import Task
from lakelocal.lakeflow.references import tasks_named
from lakelocal.lakeflow.results import meaning
from lakelocal.lakeflow.task_types import type_of

PENDING = "PENDING"
RUNNING = "RUNNING"
RUN_IF = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
FOREVER = -1


@dataclass(frozen=True)
class Step:
    """What to do next: *start* these tasks; the tasks in *ended* have these results without having run."""

    start: tuple[str, ...]
    ended: Mapping[str, str]


def next_step(
    tasks: Sequence[Task],
    states: Mapping[str, str],
    *,
    outcomes: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> Step:
    """The tasks that can start now, and those that end without running, including what follows from that.

    Args:
        tasks: all tasks of the job.
        states: the state of each task; a missing task is `PENDING`.
        outcomes: "true" or "false" of each condition task that has ended.
        only: the selection of a partial run: other tasks do not run, and do not count in `run_if`.
    """
    known = dict(states)
    ended: dict[str, str] = {}
    start: list[str] = []
    changed = True
    while changed:
        changed = False
        for task in tasks:
            if known.get(task.key, PENDING) != PENDING or task.key in start:
                continue
            if only is not None and task.key not in only:
                continue
            verdict = _verdict(task, known, outcomes or {}, only)
            if verdict == RUNNING:
                start.append(task.key)
            elif verdict is not None:
                known[task.key] = ended[task.key] = verdict
                changed = True
    return Step(tuple(start), ended)


def _verdict(
    task: Task, states: Mapping[str, str], outcomes: Mapping[str, str], only: Collection[str] | None
) -> str | None:
    """`RUNNING` if *task* may start, its result if it never will, None while dependencies are open."""
    upstream = []
    for dependency in task.depends_on:
        if only is not None and dependency.task_key not in only:
            continue
        state = states.get(dependency.task_key, PENDING)
        if state in (PENDING, RUNNING):
            return None
        other_branch = dependency.outcome is not None and outcomes.get(dependency.task_key) != dependency.outcome
        upstream.append("EXCLUDED" if other_branch and meaning(state).succeeded else state)
    if task.disabled:
        return "DISABLED"
    if upstream and all(state == "EXCLUDED" for state in upstream):
        return "EXCLUDED"
    if not upstream or is_met(task.run_if, upstream):
        return RUNNING
    result = unmet(task.run_if, upstream)
    return RUNNING if result == "DISABLED" and _reads_disabled(task, states) else result


def _reads_disabled(task: Task, states: Mapping[str, str]) -> bool:
    """Does a condition or for-each task take its input from a disabled task? It then runs, and fails for lack of it."""
    operands = [task.inner.get(name) for name in type_of(task.kind).operands]
    return any(states.get(key) == "DISABLED" for key in tasks_named(operands))


def is_met(run_if: str, upstream: Sequence[str]) -> bool:
    """Does a task with *run_if* run after dependencies with the results *upstream* (at least one)?

    EXCLUDED counts as success; UPSTREAM_FAILED and cancelled dependencies count as failed; DISABLED counts as neither.
    """
    ends = [meaning(state) for state in upstream]
    good = [end.is_fine for end in ends]
    bad = [end.failed or end.canceled for end in ends]
    match run_if:
        case "ALL_SUCCESS":
            return all(good)
        case "AT_LEAST_ONE_SUCCESS":
            return any(good)
        case "NONE_FAILED":
            return not any(bad) and any(end.succeeded for end in ends)
        case "ALL_DONE":
            return True
        case "AT_LEAST_ONE_FAILED":
            return any(bad)
        case "ALL_FAILED":
            return all(bad)
    raise ValueError(f"run_if: found `{run_if}`, expected one of {', '.join(RUN_IF)}")


def unmet(run_if: str, upstream: Sequence[str]) -> str:
    """The result of a task whose *run_if* is not met."""
    found = {meaning(state).counts_as for state in upstream}
    if run_if in ("AT_LEAST_ONE_FAILED", "ALL_FAILED"):
        return "DISABLED" if "DISABLED" in found and "SUCCESS" not in found else "EXCLUDED"
    if "FAILED" in found:
        return "UPSTREAM_FAILED"
    if "CANCELED" in found:
        return "UPSTREAM_CANCELED"
    return "DISABLED" if "DISABLED" in found else "UPSTREAM_FAILED"


def run_result(tasks: Sequence[Task], states: Mapping[str, str], only: Collection[str] | None = None) -> str:
    """The result of a run whose tasks have all ended: its leaves decide."""
    chosen = [task for task in tasks if only is None or task.key in only]
    needed = {key for task in chosen for key in task.needs}
    ends = {task.key: meaning(states[task.key]) for task in chosen}
    leaves = [end for key, end in ends.items() if key not in needed]
    if any(end.failed for end in leaves):
        return "FAILED"
    if any(end.canceled for end in leaves):
        return "CANCELED"
    if any(end.failed or end.canceled for end in ends.values()):
        return "SUCCESS_WITH_FAILURES"
    return "SUCCESS"


def has_retries(kind: str) -> bool:
    """May tasks of the type *kind* be retried? Condition tasks support neither retries nor notifications."""
    return not type_of(kind).branches


def next_attempt_at(task: Task, *, attempt: int, result: str, started_at: float) -> float | None:
    """When the attempt after number *attempt* (from 0) starts, on the clock of *started_at* (s); None: no more.

    `min_retry_interval_millis` counts from the start of the failed attempt.
    """
    if not has_retries(task.kind):
        return None
    if not meaning(result).broke or (result == "TIMEDOUT" and not task.retry_on_timeout):
        return None
    if task.max_retries != FOREVER and attempt >= task.max_retries:
        return None
    return started_at + task.min_retry_interval_millis / 1000
