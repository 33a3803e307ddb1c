"""Finds tasks that can never start, because of their dependencies, outcomes and `run_if`.

A task can never start if the planner of the runner (`lakelocal.lakeflow.plan`) would not start it in any course of the
run. To find this out, the ends that each task can have are worked out, beginning with the tasks without dependencies. A
task that can start may succeed or fail (a condition has both outcomes, unless it compares two literals); a task that
cannot start has the result that the planner gives it.

What the planner does with a task depends on which results occur among its dependencies, not on how often. It is
therefore enough to try every set of results, and there are few sets, however many dependencies a task has. Dependencies
count as independent of each other: a task that is reported can indeed never start, but some that cannot may be missed.
"""

from collections.abc import Iterator, Mapping

from lakelocal.lakeflow.findings import Finding
from lakelocal.lakeflow.graph import order
from lakelocal.lakeflow.model import Dependency, Task
from lakelocal.lakeflow.plan import next_step
from lakelocal.lakeflow.task_types import type_of
from lakelocal.lakeflow.task_types.condition import constant_outcome
from lakelocal.validate.job_view import JobView, TaskView

End = tuple[str, str]  # the result of a task, and its outcome if it is a condition
OUTCOMES = ("true", "false")
_DEPENDENT = "task"


def check_reachable(view: JobView) -> Iterator[Finding]:
    """Check that every task starts in at least one course of the run."""
    ends = possible_ends(view)
    idle = {key for key, found in ends.items() if not _starts(found)}
    for task in view.tasks:
        if task.key not in idle or task.settings.get("disabled"):
            continue
        before = [str(entry["task_key"]) for entry in task.dependencies]
        causes = [key for key in before if key in idle]
        if any(not _is_disabled(view, key) for key in causes):
            continue  # only a consequence: a task that it depends on is reported
        run_if = task.settings.get("run_if") or "ALL_SUCCESS"
        found = f"run_if {run_if} after {', '.join(_in_words(ends[key], key) for key in before)}: it never starts"
        yield view.finding(
            "never-runs",
            found,
            "a task that can start",
            "Correct run_if, an outcome or a condition, or remove the task.",
            task=task,
            path=("run_if",) if "run_if" in task.source else ("depends_on",),
        )


def possible_ends(view: JobView) -> dict[str, frozenset[End]]:
    """The ends that each task can have, by its key; tasks in a cycle, or after unknown tasks, are left out."""
    tasks = {task.key: task for task in view.tasks}
    ends: dict[str, frozenset[End]] = {}
    for key in order({key: task.needs for key, task in tasks.items()}):
        if all(before in ends for before in tasks[key].needs):
            ends[key] = _ends(tasks[key], ends)
    return ends


def _ends(task: TaskView, ends: Mapping[str, frozenset[End]]) -> frozenset[End]:
    found: set[End] = set()
    for among in _courses(task, ends):
        step = _result_from_planner(task, among)
        if step is None:
            found |= _ends_after_start(task)
        else:
            found.add((step, ""))
    return frozenset(found)


def _courses(task: TaskView, ends: Mapping[str, frozenset[End]]) -> set[frozenset[tuple[str, str, str]]]:
    """The sets of (result, outcome, required outcome) that can occur among the dependencies of *task*."""
    courses: set[frozenset[tuple[str, str, str]]] = {frozenset()}
    for entry in task.dependencies:
        before = ends[entry["task_key"]]
        # An outcome that is required of a task without outcomes is reported by another check, and ignored here.
        wanted = str(entry.get("outcome") or "").lower() if any(outcome for _, outcome in before) else ""
        wanted = wanted if wanted in OUTCOMES else ""
        courses = {course | {(result, outcome, wanted)} for course in courses for result, outcome in before}
    return courses


def _result_from_planner(task: TaskView, among: frozenset[tuple[str, str, str]]) -> str | None:
    """The result that the planner gives *task* after the dependencies *among*; None if it starts the task."""
    named = {f"{number}": each for number, each in enumerate(sorted(among))}
    dependent = Task(
        key=_DEPENDENT,
        kind=task.kind,
        settings={},
        depends_on=tuple(Dependency(key, wanted or None) for key, (_, _, wanted) in named.items()),
        run_if=str(task.settings.get("run_if") or "ALL_SUCCESS"),
        disabled=bool(task.settings.get("disabled")),
    )
    states = {key: result for key, (result, _, _) in named.items()}
    outcomes = {key: outcome for key, (_, outcome, _) in named.items()}
    return next_step([dependent], states, outcomes=outcomes).ended.get(_DEPENDENT)


def _ends_after_start(task: TaskView) -> set[End]:
    """The ends that *task* can have once it has started."""
    if not type_of(task.kind).branches:
        return {("SUCCESS", ""), ("FAILED", "")}
    constant = constant_outcome(task.inner)
    if constant is not None:
        return {("SUCCESS", constant)}
    return {("SUCCESS", "true"), ("SUCCESS", "false"), ("FAILED", "")}


def _starts(ends: frozenset[End]) -> bool:
    return any(result == "SUCCESS" for result, _ in ends)


def _is_disabled(view: JobView, key: str) -> bool:
    task = view.task(key)
    return task is not None and bool(task.settings.get("disabled"))


def _in_words(ends: frozenset[End], key: str) -> str:
    words = sorted({f"{result} ({outcome})" if outcome else result for result, outcome in ends})
    return f"`{key}` ({' or '.join(words)})"
