"""What is refused before a run starts, and what is said about it: warnings, and fields that a local run ignores."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from local.bundle.mistakes import Mistakes
from local.bundle.model import Bundle, Job, Task
from local.bundle.variables import unset_in
from local.errors import UsageError
from local.jobs.kinds import RUNNERS, runs_here
from local.jobs.parameters import check_task_parameters
from local.jobs.reference_checks import Known, check_references
from local.jobs.selection import upstream_of
from local.lakeflow.plan import INPUTS

LEVELS = 3
_NOTIFICATIONS = ("email_notifications", "webhook_notifications", "notification_settings")
_TASK_FIELDS = {
    *_NOTIFICATIONS,
    *("task_key", "description", "depends_on", "run_if", "disabled", *RUNNERS),
    *("max_retries", "min_retry_interval_millis", "retry_on_timeout", "timeout_seconds", "health"),
    *("libraries", "environment_key"),
}
_PYTHON_LIBRARIES = {"whl", "requirements", "pypi"}
# A schedule or trigger has no part in a run that a person starts, on Databricks neither; the others change no result.
_JOB_FIELDS = {
    *_NOTIFICATIONS,
    *("name", "description", "parameters", "tasks", "timeout_seconds", "schedule", "trigger", "continuous"),
    *(
        "max_concurrent_runs",
        "queue",
        "health",
        "tags",
        "format",
        "edit_mode",
        "deployment",
        "permissions",
        "environments",
    ),
}


@dataclass(frozen=True)
class Findings:
    """What a person should know before the run: *warnings*, and the names of fields that are *ignored* here."""

    warnings: tuple[str, ...]
    ignored: tuple[str, ...]


def check_run(
    bundle: Bundle,
    job: Job,
    *,
    parameters: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    strict: bool = False,
    skip_unsupported: bool = False,
    scheduled: bool = False,
    backfill: bool = False,
) -> Findings:
    """Check *job* (of a partial run, the tasks *only*) and all jobs that it starts.

    Args:
        parameters: the values of the job's parameters; its defaults where there are none.
        strict: refuse a parameter that its notebook does not take.
        skip_unsupported: pass over tasks whose type does not run here, with a warning.
        scheduled: a schedule starts the run, so that it has a trigger time.
        backfill: the run is part of a backfill, so that it has a time to name with `backfill`.

    Raises:
        BundleError: a value that has an effect refers to a variable without a value.
        UsageError: a task type that does not run here, jobs in a circle or more than three levels deep, an unknown
            member in a reference; with *strict* also a parameter that a notebook does not take.
    """
    if only is not None:
        job = replace(job, tasks=tuple(task for task in job.tasks if task.key in only))
    jobs = list(_closure(bundle, job, (), job.parameters if parameters is None else parameters))
    _check_variables(bundle, [each for each, _ in jobs])
    refused = [text for each, _ in jobs for task in each.every_task() if (text := _unsupported(each, task))]
    if refused and not skip_unsupported:
        advice = "Run the others with --only, or pass over it with --skip-unsupported."
        raise UsageError("\n".join(f"{text} {advice}" for text in refused))
    for each, own in jobs:
        _check_job_references(each, own, scheduled=scheduled and each is job, backfill=backfill and each is job)
    tasks = [task for each, _ in jobs for task in each.every_task()]
    warnings = [text for task in tasks if (text := check_task_parameters(bundle, task))]
    if warnings and strict:
        raise UsageError("\n".join(f"{text}. Remove it, or run without --strict." for text in warnings))
    ignored = sorted({name for each, _ in jobs for name in _ignored(each)})
    return Findings((*(f"{text} It is passed over." for text in refused), *warnings), tuple(ignored))


def _check_variables(bundle: Bundle, jobs: Collection[Job]) -> None:
    if bundle.unset:
        from local.validate.fidelity import effective  # here, since few bundles have such a variable

        values = [value for job in jobs for value in effective(job)]
        Mistakes(unset_in(values, bundle.unset)).raise_any()


def speaks_of_spark(bundle: Bundle, job: Job) -> bool:
    """Does a notebook or file of *job*, or of a job that it starts, hold the word `spark` or SQL?

    A guess for starting things early: a kernel that needs Spark gets it in any case.
    """
    tasks = [task for each, _ in _closure(bundle, job, (), {}) for task in each.every_task()]
    files = {file for task in tasks for file in (task.notebook, task.file) if file}
    texts = (file.read_text(encoding="utf-8") for file in files if file.suffix != ".sql")
    return any(file.suffix == ".sql" for file in files) or any("spark" in text or "%sql" in text for text in texts)


def _closure(
    bundle: Bundle, job: Job, parents: tuple[str, ...], parameters: Mapping[str, str]
) -> Iterator[tuple[Job, Mapping[str, str]]]:
    """*job* and the jobs that it starts, each once a path, with the parameters whose references it resolves itself."""
    path = (*parents, job.key)
    if job.key in parents:
        raise UsageError(f"`{job.where}`: found jobs that start each other: {' -> '.join(path)}; expected no circle.")
    if len(path) > LEVELS:
        raise UsageError(
            f"`{job.where}`: found {len(path)} levels of jobs ({' -> '.join(path)}); expected at most {LEVELS}."
        )
    yield job, parameters
    for task in job.every_task():
        if task.child is not None:
            child = bundle.job(task.child)
            given = {*job.parameters, *parameters, *task.parameters}
            own = {name: default for name, default in child.parameters.items() if name not in given}
            yield from _closure(bundle, child, path, own)


def _unsupported(job: Job, task: Task) -> str | None:
    if runs_here(task) or task.nested is not None:
        return None  # a nested task is named by itself
    return (
        f"`{task.where}`: job `{job.key}`, task `{task.key}`: found a `{task.kind}`{_form(task)}, which does not run "
        f"locally; "
        f"expected one of {', '.join(f'`{name}`' for name in RUNNERS)}."
    )


def _form(task: Task) -> str:
    return " without a `file`" if task.kind == "sql_task" else ""


def _check_job_references(job: Job, parameters: Mapping[str, str], *, scheduled: bool, backfill: bool) -> None:
    names = {**job.parameters, **parameters}
    for name, value in parameters.items():
        known = Known(names, {}, scheduled=scheduled, backfill=backfill)
        check_references(value, known, where=f"`{job.where}`: parameter `{name}`")
    notebooks = {task.key: str(task.notebook or "") for task in job.tasks}
    for task in job.tasks:
        upstream = {key: notebooks[key] for key in upstream_of(job, task)}
        known = Known(names, upstream, scheduled=scheduled, backfill=backfill)
        _check_task_references(job, task, known)
        if task.nested is not None:
            _check_task_references(job, task.nested, replace(known, nested=True))


def _check_task_references(job: Job, task: Task, known: Known) -> None:
    where = f"`{task.where}`: job `{job.key}`, task `{task.key}`"
    own = task.parameters
    for name, value in own.items() if isinstance(own, Mapping) else enumerate(own):
        check_references(value, known, where=f"{where}, parameter `{name}`")
    for name in INPUTS.get(task.kind, ()):
        check_references(task.inner.get(name), known, where=f"{where}, `{name}`")


def _ignored(job: Job) -> Iterator[str]:
    yield from (name for name in job.settings if name not in _JOB_FIELDS)
    for task in job.every_task():
        yield from (name for name in task.settings if name not in _TASK_FIELDS)
        kinds = (kind for library in task.settings.get("libraries") or () for kind in library)
        yield from (f"libraries.{kind}" for kind in kinds if kind not in _PYTHON_LIBRARIES)
