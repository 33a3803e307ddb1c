"""Dependencies, outcomes and `run_if`: which tasks never start.

A task never starts if the planner of the runner (`lakelocal.lakeflow.plan`) starts it in no course of the run. The
results that each task can have are worked out from the first tasks on: of a task that can start, success and failure
(and both outcomes of a condition, unless it compares two literals); of one that cannot, what the planner gives it.
What the planner does with a task depends on which results are among its dependencies, not on how many: so the sets of
results are played, at most 2 to the power of their number, however many dependencies there are. Dependencies count as
independent of each other, so a task that is reported can indeed never start; that some others cannot may be missed.
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
    """Every task starts in some course of the run."""
    ends = possible_ends(view)
    idle = {key for key, found in ends.items() if not _starts(found)}
    for task in view.tasks:
        if task.key not in idle or task.settings.get("disabled"):
            continue
        before = [str(entry["task_key"]) for entry in task.dependencies]
        causes = [key for key in before if key in idle]
        if any(not _is_disabled(view, key) for key in causes):
            continue  # a consequence: the task before it is reported
        run_if = task.settings.get("run_if") or "ALL_SUCCESS"
        found = f"run_if {run_if} after {', '.join(_told(ends[key], key) for key in before)}: it never starts"
        yield view.finding(
            "never-runs",
            found,
            "a task that starts in some course of the run",
            "Correct run_if, an outcome or a condition, or remove the task.",
            task=task,
            path=("run_if",) if "run_if" in task.source else ("depends_on",),
        )


def possible_ends(view: JobView) -> dict[str, frozenset[End]]:
    """The ends that each task can have, by its key; tasks in a cycle, or after unknown ones, have none here."""
    tasks = {task.key: task for task in view.tasks}
    ends: dict[str, frozenset[End]] = {}
    for key in order({key: task.needs for key, task in tasks.items()}):
        if all(before in ends for before in tasks[key].needs):
            ends[key] = _ends(tasks[key], ends)
    return ends


def _ends(task: TaskView, ends: Mapping[str, frozenset[End]]) -> frozenset[End]:
    found: set[End] = set()
    for among in _courses(task, ends):
        step = _played(task, among)
        if step is None:
            found |= _own_ends(task)
        else:
            found.add((step, ""))
    return frozenset(found)


def _courses(task: TaskView, ends: Mapping[str, frozenset[End]]) -> set[frozenset[tuple[str, str, str]]]:
    """The sets of (result, outcome, wanted outcome) that can be among the dependencies of *task*."""
    courses: set[frozenset[tuple[str, str, str]]] = {frozenset()}
    for entry in task.dependencies:
        before = ends[entry["task_key"]]
        # The outcome of a task that has none is reported as such, and left out here.
        wanted = str(entry.get("outcome") or "").lower() if any(outcome for _, outcome in before) else ""
        wanted = wanted if wanted in OUTCOMES else ""
        courses = {course | {(result, outcome, wanted)} for course in courses for result, outcome in before}
    return courses


def _played(task: TaskView, among: frozenset[tuple[str, str, str]]) -> str | None:
    """What the planner makes of *task* after these ends: its result, or None where it starts."""
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


def _own_ends(task: TaskView) -> set[End]:
    """The ends of a task that has started."""
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


def _told(ends: frozenset[End], key: str) -> str:
    words = sorted({f"{result} ({outcome})" if outcome else result for result, outcome in ends})
    return f"`{key}` ({' or '.join(words)})"
