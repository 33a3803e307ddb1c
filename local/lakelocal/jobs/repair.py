"""Repairing a run that has ended: its failed tasks, and those that depend on them, run again within the same run.

The job is used as it is defined now, with the parameters that the run had. A run-job task starts a new run of its job;
a for-each task runs all its inputs again. Source: Jobs API 2.2, `runs/repair`; Databricks documentation, "Re-run failed
and skipped tasks". Neither says what happens to child runs and iterations.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lakelocal.errors import UsageError
from lakelocal.history.reading import RUNNER_GONE
from lakelocal.history.records import Records
from lakelocal.history.rows import RecordedRun
from lakelocal.jobs.admission import enter_again
from lakelocal.jobs.attempts import Engine
from lakelocal.jobs.checks import check_run
from lakelocal.jobs.command import RunOptions, watched
from lakelocal.jobs.launch import AttemptFiles
from lakelocal.jobs.prepare import prepare
from lakelocal.jobs.progress import earlier_progress, file_name, last_results
from lakelocal.jobs.run import JobRun
from lakelocal.jobs.selection import tasks_to_repair
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow.model import Bundle, Job
from lakelocal.lakeflow.references import Scope
from lakelocal.near_names import next_step
from lakelocal.processes import kill_all
from lakelocal.project import State


def repair_run(
    bundle: Bundle,
    run_id: int,
    *,
    state: State,
    tasks: str = "",
    dependents: bool = True,
    parameters: Mapping[str, str] | None = None,
    options: RunOptions | None = None,
) -> dict[str, Any]:
    """Run the failed tasks of the run *run_id* again, to the end, and return the run as `runs/get` shows it.

    Args:
        tasks: a comma-separated list of tasks to run again; empty: those that failed, were cancelled or never ran.
        dependents: whether the tasks that depend on them run again too.
        parameters: job parameters whose values differ from those of the run.

    Raises:
        RunError: there is no such run, or it has not ended.
        UsageError: unknown task or parameter, the run belongs to another target, or there is nothing to repair.
    """
    options = options or RunOptions()
    records = Records.of(state)
    recorded = records.run(run_id)
    job = _job(bundle, recorded)
    attempts = records.attempts(run_id)
    results = last_results(attempts)
    again = tasks_to_repair(job, results, chosen=tasks, dependents=dependents)
    only = frozenset(recorded.only_tasks) if recorded.only_tasks else None
    again = again if only is None or tasks else again & only
    if not again:
        raise UsageError(f"Run {run_id}: found no task that failed. Name the tasks to run again with --tasks.")
    known = {name: value for name, (_, value) in recorded.job_parameters.items()}
    given = parameters_of_repair(job, known, parameters or {})
    warnings = check_run(
        bundle,
        job,
        parameters={**known, **given},
        only=again | {task.key for task in job.tasks if task.key in results},
        strict=options.strict,
        skip_unsupported=options.skip_unsupported,
        scheduled=recorded.trigger_time is not None,
    )

    def work(engine: Engine, stop: Stop) -> int:
        enter_again(records, run_id, job, again)
        execute_repair(engine, stop, job, run_id, again=again, parameters=given)
        return run_id

    return watched(bundle, job, warnings, work, state=state, options=options)


def execute_repair(
    engine: Engine, stop: Stop, job: Job, run_id: int, *, again: Collection[str], parameters: Mapping[str, str]
) -> None:
    """Run the tasks *again* of the run *run_id*, which has been reopened for that, and what they leave to be done.

    *parameters* are the job parameters whose values differ from those of the run.
    """
    records, state = engine.records, engine.state
    recorded, attempts = records.run(run_id), records.attempts(run_id)
    number = recorded.repair_count
    _end_what_is_left(records, state, run_id)
    progress = earlier_progress(job, attempts, again=again, state=state, run_id=run_id)
    scope = Scope.of_run(vars(recorded), job_name=job.name, repair_count=number, workspace=engine.workspace)
    before = Path(recorded.before_notebook) if recorded.before_notebook else None
    only = frozenset(recorded.only_tasks) | set(again) if recorded.only_tasks else None
    run = JobRun(engine, job, scope, only=only, before=before, progress=progress)
    records.update_run(run_id, remote=engine.compute.label or None)
    run.take_parameters(parameters, {name: value for name, (_, value) in recorded.job_parameters.items()})
    engine.view.note(f"repair {number} of run {run_id}: {', '.join(_in_order(job, again))}")
    for key in _in_order(job, again):
        if child := job.task(key).child:
            engine.view.note(f"{key} starts a new run of the job `{child}`")
    if reused := [f"{key} ({progress.states[key]})" for key in _in_order(job, progress.states)]:
        engine.view.note(f"reused: {', '.join(reused)}")
    run.execute(stop, prepare)


def _in_order(job: Job, keys: Collection[str]) -> list[str]:
    """*keys* in the order of the job."""
    return [task.key for task in job.tasks if task.key in keys]


def _job(bundle: Bundle, run: RecordedRun) -> Job:
    job = bundle.job(run.job_key)
    if job.id != run.job_id:
        raise UsageError(
            f"Run {run.run_id}: found a run of the target `{run.target}`, expected `{bundle.target}`. "
            f"Repeat with --target {run.target}."
        )
    return job


def parameters_of_repair(job: Job, known: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a repair gives a run with the values *known*: those that are new in *job*, and *parameters*.

    Raises:
        UsageError: one of *parameters* is none of the job's.
    """
    legal = {**job.parameters, **known}
    if unknown := [name for name in parameters if name not in legal]:
        names = ", ".join(f"`{name}`" for name in legal) or "none"
        raise UsageError(
            f"--param: job `{job.key}`: found `{unknown[0]}`; its parameters are {names}. "
            f"{next_step(unknown[0], legal)}"
        )
    return {**{name: value for name, value in job.parameters.items() if name not in known}, **parameters}


def _end_what_is_left(records: Records, state: State, run_id: int) -> None:
    """End the processes of attempts whose runner was killed: two attempts of the same task must not overlap."""
    for attempt in records.attempts(run_id):
        if attempt.state_message != RUNNER_GONE:
            continue
        if attempt.child_run_id is not None:
            _end_what_is_left(records, state, attempt.child_run_id)
        name = file_name(attempt.task_key, attempt.iteration)
        kill_all(str(AttemptFiles.of(state, run_id, name, attempt.attempt_number).inner("json")), [])
