"""How faithful a local run is to a job: field by field, only those that the job sets.

fields = fidelity(job)                # what is honoured, approximated, ignored, refused, each with a note
ignored(job)                          # ["job_clusters", "tasks.libraries"]
refused(task)                         # "`dbt_task`: dbt does not run here: call it from a notebook", or None
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from local.bundle.model import Job, Task
from local.validate.fidelity_table import APPROXIMATED, HONOURED, IGNORED, REFUSED, TABLE, VERDICTS

_TASKS = "tasks"
_NESTED = "tasks.for_each_task.task"
_WITH_EFFECT = (HONOURED, APPROXIMATED)


@dataclass(frozen=True)
class FieldVerdict:
    """The verdict on one field that the job *job*, or its task *task*, sets. *field* is its dotted path."""

    job: str
    task: str
    field: str
    verdict: str
    note: str


def fidelity(job: Job) -> list[FieldVerdict]:
    """The verdict on every field that *job* and its tasks set, in the order in which they are written."""
    return list(_job_verdicts(job))


def ignored(job: Job) -> list[str]:
    """The fields of *job* and its tasks that have no effect in a local run, sorted, each once."""
    return sorted({each.field for each in _job_verdicts(job) if each.verdict == IGNORED})


def effective(job: Job) -> Iterator[Any]:
    """The values of *job* and its tasks that have an effect in a local run."""
    for path, settings in [("", _own(job)), *((_TASKS, task.settings) for task in job.tasks)]:
        yield from (value for field, value in _fields(path, settings) if rule_of(field, value)[0] in _WITH_EFFECT)


def refused(task: Task) -> str | None:
    """Why *task* does not run here, or None."""
    reasons = [each for each in _verdicts("", task.key, _TASKS, task.settings) if each.verdict == REFUSED]
    return "; ".join(f"`{each.field.removeprefix('tasks.')}`: {each.note}" for each in reasons) or None


def rule_of(field: str, value: Any = None) -> tuple[str, str]:
    """The verdict on *field* (where it is *value*), and why.

    Raises:
        KeyError: neither the field nor one above it is in the table.
    """
    if f"{field}={value}" in TABLE:
        return TABLE[f"{field}={value}"]
    while field not in TABLE:
        if "." not in field:
            raise KeyError(field)
        field = field.rpartition(".")[0]
    return TABLE[field]


def summary(fields: Iterable[FieldVerdict]) -> str:
    """`12 fields honoured, 1 approximated, 2 ignored, 0 refused`."""
    counts = Counter(each.verdict for each in fields)
    return f"{counts[VERDICTS[0]]} fields {VERDICTS[0]}, " + ", ".join(
        f"{counts[each]} {each}" for each in VERDICTS[1:]
    )


def _job_verdicts(job: Job) -> Iterator[FieldVerdict]:
    yield from _verdicts(job.key, "", "", _own(job))
    for task in job.tasks:
        yield from _verdicts(job.key, task.key, _TASKS, task.settings)


def _own(job: Job) -> dict[str, Any]:
    return {name: value for name, value in job.settings.items() if name != _TASKS}


def _verdicts(job: str, task: str, path: str, settings: Any) -> Iterator[FieldVerdict]:
    """The verdicts on what *settings* has below *path*: each field that the table speaks of, as deep as it goes."""
    seen: set[FieldVerdict] = set()
    for field, value in _fields(path, settings):
        verdict = FieldVerdict(job, task, field, *rule_of(field, value))
        if verdict not in seen:  # entries of a list have the same fields
            seen.add(verdict)
            yield verdict


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The deepest fields below *path* that the table names, with their values."""
    for each in value if isinstance(value, list) else [value]:
        if path == _NESTED:
            yield from _fields(_TASKS, each)
        elif isinstance(each, dict) and (not path or _goes_deeper(path)):
            for name, inner in each.items():
                if inner is not None:
                    yield from _fields(f"{path}.{name}" if path else name, inner)
        else:
            yield path, each


def _goes_deeper(path: str) -> bool:
    return any(known.startswith(f"{path}.") for known in TABLE)
