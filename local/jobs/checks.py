"""What is refused before a run starts, and what is said about it: warnings, and fields that a local run ignores."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from local.bundle.model import Bundle, Job, Task
from local.errors import UsageError
from local.jobs.parameters import check_task_parameters
from local.jobs.references import check_references

SUPPORTED = ("notebook_task", "run_job_task")
LEVELS = 3
_TASK_FIELDS = {
    *("task_key", "description", "depends_on", "run_if", "disabled", "notebook_task", "run_job_task"),
    *("max_retries", "min_retry_interval_millis", "retry_on_timeout", "timeout_seconds"),
}
# A schedule or trigger has no part in a run that a person starts, on Databricks neither; the others change no result.
_JOB_FIELDS = {
    *("name", "description", "parameters", "tasks", "timeout_seconds", "schedule", "trigger", "continuous"),
    *("tags", "format", "edit_mode", "deployment", "permissions"),
}


@dataclass(frozen=True)
class Findings:
    """What a person should know before the run: *warnings*, and the names of fields that are *ignored* here."""

    warnings: tuple[str, ...]
    ignored: tuple[str, ...]


def check_run(bundle: Bundle, job: Job, *, strict: bool, only: Collection[str] | None = None) -> Findings:
    """Check *job* (of a partial run, the tasks *only*) and all jobs that it starts.

    Raises:
        UsageError: a task type that does not run here, jobs in a circle or more than three levels deep, an unknown
            member in a reference; with *strict* also a parameter that a notebook does not take.
    """
    if only is not None:
        job = replace(job, tasks=tuple(task for task in job.tasks if task.key in only))
    jobs = list(_closure(bundle, job, ()))
    if refused := [text for each in jobs for task in each.tasks if (text := _unsupported(each, task))]:
        raise UsageError("\n".join(refused))
    for each in jobs:
        _check_job_references(each)
    warnings = [text for each in jobs for task in each.tasks if (text := check_task_parameters(bundle, task))]
    if warnings and strict:
        raise UsageError("\n".join(f"{text}. Remove it, or run without --strict." for text in warnings))
    ignored = sorted({name for each in jobs for name in _ignored(each)})
    return Findings(tuple(warnings), tuple(ignored))


def speaks_of_spark(bundle: Bundle, job: Job) -> bool:
    """Does a notebook of *job*, or of a job that it starts, hold the word `spark` or an SQL cell?

    A guess for starting things early: a kernel that needs Spark gets it in any case.
    """
    notebooks = {task.notebook for each in _closure(bundle, job, ()) for task in each.tasks if task.notebook}
    texts = (notebook.read_text(encoding="utf-8") for notebook in notebooks)
    return any("spark" in text or "%sql" in text for text in texts)


def upstream_of(job: Job, task: Task) -> list[str]:
    """The keys of all tasks before *task*, directly or not, in the order of the job."""
    needs = {each.key: [d.task_key for d in each.depends_on] for each in job.tasks}
    found: set[str] = set()
    todo = [task.key]
    while todo:
        for key in needs.get(todo.pop(), []):
            if key not in found:
                found.add(key)
                todo.append(key)
    return [key for key in needs if key in found]


def _closure(bundle: Bundle, job: Job, parents: tuple[str, ...]) -> Iterator[Job]:
    """*job* and the jobs that it starts, each once a path."""
    path = (*parents, job.key)
    if job.key in parents:
        raise UsageError(f"`{job.where}`: found jobs that start each other: {' -> '.join(path)}; expected no circle.")
    if len(path) > LEVELS:
        raise UsageError(
            f"`{job.where}`: found {len(path)} levels of jobs ({' -> '.join(path)}); expected at most {LEVELS}."
        )
    yield job
    for task in job.tasks:
        if task.child is not None:
            yield from _closure(bundle, bundle.job(task.child), path)


def _unsupported(job: Job, task: Task) -> str | None:
    if task.kind in SUPPORTED:
        return None
    return (
        f"`{task.where}`: job `{job.key}`, task `{task.key}`: found a `{task.kind}`, which does not run locally; "
        f"expected one of {', '.join(f'`{name}`' for name in SUPPORTED)}. Run the others with --only."
    )


def _check_job_references(job: Job) -> None:
    for name, default in job.parameters.items():
        check_references(default, parameters=job.parameters, tasks={}, where=f"`{job.where}`: parameter `{name}`")
    notebooks = {task.key: str(task.notebook or "") for task in job.tasks}
    for task in job.tasks:
        upstream = {key: notebooks[key] for key in upstream_of(job, task)}
        for name, value in task.parameters.items():
            where = f"`{task.where}`: job `{job.key}`, task `{task.key}`, parameter `{name}`"
            check_references(str(value), parameters=job.parameters, tasks=upstream, where=where)


def _ignored(job: Job) -> Iterator[str]:
    yield from (name for name in job.settings if name not in _JOB_FIELDS)
    for task in job.tasks:
        yield from (name for name in task.settings if name not in _TASK_FIELDS)
