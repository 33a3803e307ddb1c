"""What is refused before a run starts, and what is reported about it: warnings, and fields that a local run ignores."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lakelocal.bundle.variables import unset_variables_in
from lakelocal.bundle.workspace_values import workspace_values_in_job, workspace_values_in_task
from lakelocal.errors import UsageError
from lakelocal.jobs.selection import upstream_of
from lakelocal.lakeflow.child_jobs import started_by, wrong_start
from lakelocal.lakeflow.fields import effective, ignored, refusal
from lakelocal.lakeflow.findings import LEFT_OUT, Finding, FindingError, Where
from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.lakeflow.parameters import check_task_parameters
from lakelocal.lakeflow.references import FOR_EACH, Known, KnownTask, Need, needs_met, wrong_references
from lakelocal.lakeflow.task_types import type_of
from lakelocal.lakeflow.task_types.for_each import literal_inputs
from lakelocal.lakeflow.trigger_events import TriggerEvent

_LIBRARIES = "tasks.libraries."


class UnsupportedTasksError(UsageError):
    """Raised for tasks that cannot run here; each of *texts* says which one, why, and what to use instead."""

    def __init__(self, texts: Sequence[str]) -> None:
        advice = "Run the others with --only, or pass over it with --skip-unsupported."
        super().__init__("\n".join(f"{text} {advice}" for text in texts))
        self.texts = texts


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
    event: TriggerEvent | None = None,
) -> tuple[str, ...]:
    """Check *job* (in a partial run, only the tasks *only*) and all jobs that it starts; return the warnings.

    Args:
        parameters: the values of the job's parameters; those that are missing have their defaults.
        strict: refuse what is otherwise left out with a warning, such as a parameter that the task's notebook does
            not take.
        skip_unsupported: skip tasks that cannot run here, with a warning, instead of refusing the run.
        scheduled: a schedule starts the run, so it has a trigger time.
        backfill: the run is part of a backfill, so `backfill` references have a value.
        event: what happened that starts the run, so that references to it have a value.

    Raises:
        BundleError: a value that affects the run refers to a variable that has no value.
        UnsupportedTasksError: a task that cannot run here.
        UsageError: jobs that start each other in a cycle or more than three levels deep,
            or an unknown member in a reference; with *strict*, also whatever would be left out.
    """
    if only is not None:
        job = replace(job, tasks=tuple(task for task in job.tasks if task.key in only))
    all_jobs = started_by(bundle, job)
    _check_starts(bundle, all_jobs)
    _check_variables(bundle, all_jobs)
    jobs = list(_with_parameters(bundle, job, job.parameters if parameters is None else parameters))
    unsupported = [found for each in all_jobs for task in each.every_task() if (found := _unsupported(each, task))]
    refused = [text for text, late in unsupported if skip_unsupported or not late]
    if refused and not skip_unsupported:
        raise UnsupportedTasksError(refused)
    fails = [f"{text} It fails when its turn comes." for text, late in unsupported if late and not skip_unsupported]
    has = needs_met(scheduled=scheduled, backfill=backfill, event=event)
    for each, own in jobs:
        _check_job_references(each, own, has if each is job else frozenset())
    tasks = [task for each in all_jobs for task in each.every_task()]
    warnings = [str(finding) for task in tasks for finding in check_task_parameters(bundle, task)]
    warnings += [str(finding) for each, own in jobs for finding in _of_workspace(each, own)]
    left_out = _left_out(bundle, all_jobs)
    if strict and (left_out or warnings):
        raise UsageError("\n".join(f"{text} Or run without --strict." for text in (*left_out, *warnings)))
    passed_over = [f"{text} It is passed over." for text in refused]
    return (*passed_over, *fails, *left_out, *_libraries(all_jobs), *warnings)


def _libraries(jobs: Collection[Job]) -> list[str]:
    """A warning for each kind of library that is not installed here: code may need it. Other fields may be missed."""
    found = {field for job in jobs for field in ignored(job) if field.startswith(_LIBRARIES)}
    return [f"`{field}`: not installed here; a task that needs it will fail." for field in sorted(found)]


def _of_workspace(job: Job, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """What *job*, run with *parameters*, is given in plain text because only a workspace has its value."""
    for finding in workspace_values_in_job(parameters):
        yield finding.moved(Where(job=job.key))
    for task in job.every_task():
        for finding in workspace_values_in_task(job, task):
            yield finding.moved(replace(task.where, path=finding.where.path))


def _left_out(bundle: Bundle, jobs: Collection[Job]) -> list[str]:
    """What in the bundle and *jobs* the CLI warns about and then ignores, and so does a run."""
    keys = {"", *(job.key for job in jobs)}
    return [str(each) for each in bundle.warnings if each.where.job in keys and each.rule in LEFT_OUT]


def _check_variables(bundle: Bundle, jobs: Collection[Job]) -> None:
    if bundle.unset:
        values = [value for job in jobs for value in effective(job)]
        if found := unset_variables_in(values, bundle.unset):
            raise FindingError(*found)


def speaks_of_spark(bundle: Bundle, job: Job) -> bool:
    """Does a notebook or file of *job*, or of a job that it starts, contain `spark` or SQL; or is there a pipeline?

    This is only a guess, used to start things early: a kernel that needs Spark gets it in any case.
    """
    tasks = [task for each in started_by(bundle, job) for task in each.every_task()]
    if any(task.pipeline for task in tasks):
        return True
    files = {file for task in tasks for file in (task.notebook, task.file) if file}
    texts = (file.read_text(encoding="utf-8") for file in files if file.suffix != ".sql")
    return any(file.suffix == ".sql" for file in files) or any("spark" in text or "%sql" in text for text in texts)


def _check_starts(bundle: Bundle, jobs: Collection[Job]) -> None:
    """Check that the jobs do not start each other in a cycle or too many levels deep."""
    findings = [
        finding
        for job in jobs
        for task in job.every_task()
        if task.child is not None and (finding := wrong_start(bundle, job, bundle.jobs[task.child], task.where))
    ]
    if findings:
        raise UsageError("\n".join(str(finding) for finding in findings))


def _with_parameters(
    bundle: Bundle, job: Job, parameters: Mapping[str, str]
) -> Iterator[tuple[Job, Mapping[str, str]]]:
    """*job* and the jobs that it starts, once per path, with the parameters whose references it resolves itself."""
    yield job, parameters
    for task in job.every_task():
        if task.child is not None:
            child = bundle.jobs[task.child]
            given = {*job.parameters, *parameters, *task.parameters}
            own = {name: default for name, default in child.parameters.items() if name not in given}
            yield from _with_parameters(bundle, child, own)


def _unsupported(job: Job, task: Task) -> tuple[str, bool] | None:
    """What *task* cannot do here, with what to use instead, and whether it fails only in its turn; None if it runs."""
    refused = refusal(job, task)
    if refused is None or task.nested is not None:
        return None  # a nested task is named by itself
    return f"`{task.where}`: job `{job.key}`, task `{task.key}`: {refused}", refused.late


def _check_job_references(job: Job, parameters: Mapping[str, str], has: frozenset[Need]) -> None:
    known = Known({**job.parameters, **parameters}, has=has)
    for name, value in parameters.items():
        _check_references(value, known, where=f"`{job.where}`: parameter `{name}`")
    for task in job.tasks:
        upstream = {key: KnownTask.of_type(job.task(key).kind) for key in upstream_of(job, task)}
        of_task = replace(known, tasks=upstream)
        _check_task_references(job, task, of_task)
        if task.nested is not None:
            inputs = literal_inputs(task.inner.get("inputs"))
            _check_task_references(job, task.nested, replace(of_task, has=has | {FOR_EACH}, inputs=inputs))


def _check_task_references(job: Job, task: Task, known: Known) -> None:
    where = f"`{task.where}`: job `{job.key}`, task `{task.key}`"
    own = task.parameters
    for name, value in own.items() if isinstance(own, Mapping) else enumerate(own):
        _check_references(value, known, where=f"{where}, parameter `{name}`")
    for name in type_of(task.kind).operands:
        _check_references(task.inner.get(name), known, where=f"{where}, `{name}`")


def _check_references(value: Any, known: Known, *, where: str) -> None:
    for wrong in wrong_references(value, known):
        if not wrong.stays:
            raise UsageError(f"{where}: {wrong}")
