"""Jobs API: the runs of deployed jobs, and all other runs in the history. Source: Databricks REST API, Jobs 2.2."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, Field, field_validator
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute

from lakelocal.errors import LocalError, UsageError
from lakelocal.export.pruning import delete_run
from lakelocal.history.filters import SUBMIT_RUN, RunFilter
from lakelocal.history.rows import RecordedRun
from lakelocal.jobs.cancel import request_cancel
from lakelocal.jobs.checks import UnsupportedTasksError, check_run
from lakelocal.jobs.progress import last_results
from lakelocal.jobs.repair import parameters_of_repair
from lakelocal.jobs.selection import select_tasks, tasks_to_repair
from lakelocal.lakeflow.field_values import as_text
from lakelocal.lakeflow.parameters import job_parameters
from lakelocal.workspace.deployed import WITHOUT_JOB, Deployed, catalog_of, read_deployed
from lakelocal.workspace.endpoints import Asked, Number, versions
from lakelocal.workspace.errors import ApiError, wrong_value
from lakelocal.workspace.job_store import DeployedJob, new_job_id
from lakelocal.workspace.jobs import job_of, readable
from lakelocal.workspace.origins import origin_of
from lakelocal.workspace.paging import position_of, token_of
from lakelocal.workspace.run_answers import RunAnswers
from lakelocal.workspace.run_numbers import NumberedRun
from lakelocal.workspace.workspace import Workspace

MOST_RUNS = 25
_LONGEST_TOKEN = 64
# The parameters of older jobs, by their places in a task. The API accepts them only for jobs without job parameters.
_OF_TASKS = {
    "notebook_params": (("notebook_task", "base_parameters"),),
    "python_params": (("spark_python_task", "parameters"), ("python_wheel_task", "parameters")),
    "python_named_params": (("python_wheel_task", "named_parameters"),),
    "sql_params": (("sql_task", "parameters"),),
}
_NOT_HERE = ("jar_params", "spark_submit_params", "dbt_commands")
_OF_PIPELINES = ("full_refresh", "refresh_selection", "full_refresh_selection")


class Texts(Asked):
    """Values of parameters, which become texts, whatever their type in JSON."""

    job_parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("job_parameters")
    @classmethod
    def _as_texts(cls, given: dict[str, Any]) -> dict[str, str]:
        return {name: _text(value) for name, value in given.items()}


class RunNow(Texts):
    """A run of a job."""

    model_config = ConfigDict(extra="allow")

    job_id: Number
    only: Sequence[str] = ()
    idempotency_token: str = Field("", max_length=_LONGEST_TOKEN)
    queue: Mapping[str, Any] | None = None


class Submit(Asked):
    """A run of tasks that do not belong to a job."""

    model_config = ConfigDict(extra="allow")

    run_name: str = "Untitled"
    idempotency_token: str = Field("", max_length=_LONGEST_TOKEN)


class OneRun(Asked):
    """One run."""

    run_id: Number


class GetRun(OneRun):
    """One run, or a part of its arrays; the answer may wait for a change."""

    include_history: bool = False
    include_resolved_values: bool = False
    page_token: str = ""
    connection: str = ""
    version: str = ""


class ListRuns(Asked):
    """Which runs to list; those that began last come first."""

    active_only: bool = False
    completed_only: bool = False
    job_id: Number | None = None
    expand_tasks: bool = False
    limit: int = Field(20, ge=0, le=MOST_RUNS)
    offset: int = Field(0, ge=0, le=10_000)
    page_token: str = ""
    run_type: str = ""
    start_time_from: Number | None = None
    start_time_to: Number | None = None


class Repair(Texts):
    """Which tasks of a run that has ended to run again."""

    run_id: Number
    rerun_tasks: Sequence[str] = ()
    rerun_all_failed_tasks: bool = False
    rerun_dependent_tasks: bool = False
    latest_repair_id: Number | None = None


class CancelAll(Asked):
    """Which runs to cancel: the active runs of a job, or those in the queues of all jobs."""

    job_id: Number | None = None
    all_queued_runs: bool = False


class Export(OneRun):
    """Which views of a run to export."""

    views_to_export: str = "CODE"


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        *versions("POST", "/jobs/run-now", RunNow, run_now),
        *versions("POST", "/jobs/runs/submit", Submit, submit),
        *versions("GET", "/jobs/runs/get", GetRun, get),
        *versions("GET", "/jobs/runs/list", ListRuns, list_runs),
        *versions("GET", "/jobs/runs/get-output", OneRun, get_output),
        *versions("GET", "/jobs/runs/export", Export, export),
        *versions("POST", "/jobs/runs/cancel", OneRun, cancel),
        *versions("POST", "/jobs/runs/cancel-all", CancelAll, cancel_all),
        *versions("POST", "/jobs/runs/repair", Repair, repair),
        *versions("POST", "/jobs/runs/delete", OneRun, delete),
    ]


def run_now(workspace: Workspace, asked: RunNow) -> Mapping[str, Any]:
    """Start a run of a deployed job."""
    deployed = job_of(workspace, asked.job_id)
    deployed = _with_pipeline_parameters(_with_task_parameters(deployed, asked), asked)
    found = readable(workspace, deployed)
    values = _of_api(lambda: job_parameters(found.job, asked.job_parameters))
    only = _of_api(lambda: select_tasks(found.job, ",".join(asked.only))) if asked.only else None
    queue = found.job.queue if asked.queue is None else bool(asked.queue.get("enabled"))
    return _started(workspace, deployed, found, values, token=asked.idempotency_token, only=only, queue=queue)


def submit(workspace: Workspace, asked: Submit) -> Mapping[str, Any]:
    """Start a run of tasks that do not belong to a job."""
    beside = ("access_control_list", "connection", "version")
    given = {name: value for name, value in (asked.model_extra or {}).items() if name not in beside}
    settings = {**given, "name": asked.run_name, "run_type": SUBMIT_RUN}
    deployed = DeployedJob(new_job_id(), settings, 0, 0, workspace.user)
    found = readable(workspace, deployed)
    return _started(workspace, deployed, found, dict(found.job.parameters), token=asked.idempotency_token)


async def get(workspace: Workspace, asked: GetRun) -> Mapping[str, Any]:
    """Return a run, or the run of a task; if the client requests it again, the answer waits for a change."""
    found = await run_in_threadpool(workspace.numbers.find, asked.run_id)
    if not asked.page_token:
        await workspace.waiting.for_change(found, asked.connection)
    is_current = asked.version == "2.2"
    return await run_in_threadpool(
        RunAnswers(workspace).run, found, history=asked.include_history, page_token=asked.page_token, parts=is_current
    )


def list_runs(workspace: Workspace, asked: ListRuns) -> Mapping[str, Any]:
    """List the runs of all catalogs, page by page."""
    if asked.active_only and asked.completed_only:
        raise wrong_value("Found both `active_only` and `completed_only`; expected at most one of them.")
    limit = asked.limit or MOST_RUNS
    position = position_of(asked.page_token, int, int)
    wanted = RunFilter(
        job_id=asked.job_id,
        active=True if asked.active_only else False if asked.completed_only else None,
        since=asked.start_time_from,
        until=asked.start_time_to,
        run_type=asked.run_type,
        updates=False,
    )
    keys: list[tuple[int, NumberedRun]] = []
    for state, span in workspace.numbers.states():
        before = None if position is None else (position[0], position[1] - span)
        history = workspace.numbers.history(state)
        newest = history.newest_keys(wanted, limit=asked.offset + limit + 1, before=before)
        keys += [(start, NumberedRun(state, history, span, run_id)) for start, run_id in newest]
    keys.sort(key=lambda each: (each[0], each[1].number), reverse=True)
    keys = keys[asked.offset :]
    shown, has_more = keys[:limit], len(keys) > limit
    result: dict[str, Any] = {"has_more": has_more}
    recorded = _recorded([run for _, run in shown])
    if runs := [each for each in recorded if not asked.active_only or each[1].end_time is None]:
        answers = RunAnswers(workspace)
        result["runs"] = [answers.listed(found, run, expand=asked.expand_tasks) for found, run in runs]
    if has_more:
        start, last = shown[-1]
        result["next_page_token"] = token_of(start, last.number)
    return result


def _recorded(found: Sequence[NumberedRun]) -> Iterator[tuple[NumberedRun, RecordedRun]]:
    """What is recorded of the runs *found*, in their order, without those that have been deleted since."""
    recorded: dict[int, RecordedRun] = {}
    for history, span in {(each.records, each.offset) for each in found}:
        of_state = history.runs_with([each.run_id for each in found if each.offset == span])
        recorded |= {run_id + span: run for run_id, run in of_state.items()}
    return ((each, recorded[each.number]) for each in found if each.number in recorded)


def get_output(workspace: Workspace, asked: OneRun) -> Mapping[str, Any]:
    """Return the output of a task."""
    return RunAnswers(workspace).output(workspace.numbers.find(asked.run_id))


def export(workspace: Workspace, asked: Export) -> Mapping[str, Any]:
    """Return the executed notebooks of a run, as HTML pages."""
    if asked.views_to_export not in ("CODE", "ALL"):
        raise wrong_value(
            f"`views_to_export`: found `{asked.views_to_export}`; expected CODE or ALL; only notebooks can be exported."
        )
    return {"views": RunAnswers(workspace).views(workspace.numbers.find(asked.run_id))}


def cancel(workspace: Workspace, asked: OneRun) -> Mapping[str, Any]:
    """Ask a run to end; do nothing if it has ended."""
    found = workspace.numbers.find_run(asked.run_id)
    request_cancel(found.records, found.run_id)
    return {}


def cancel_all(workspace: Workspace, asked: CancelAll) -> Mapping[str, Any]:
    """Ask the active runs of a job to end; without a job, all runs that wait in a queue."""
    if asked.job_id is None and not asked.all_queued_runs:
        raise wrong_value("Found neither `job_id` nor `all_queued_runs`; expected one of them.")
    for state, _ in workspace.numbers.states():
        records = workspace.numbers.history(state)
        for run in records.runs(limit=None, active_only=True, job_id=asked.job_id):
            if not asked.all_queued_runs or run.life_cycle_state == "QUEUED":
                request_cancel(records, run.run_id)
    return {}


def repair(workspace: Workspace, asked: Repair) -> Mapping[str, Any]:
    """Run tasks of an ended run again, with the current settings of the job."""
    found = workspace.numbers.find_run(asked.run_id)
    records = found.records
    recorded = records.run(found.run_id)
    if recorded.end_time is None:
        raise ApiError(
            "INVALID_STATE", f"Run {asked.run_id} is {recorded.life_cycle_state}; expected one that has ended."
        )
    if bool(asked.rerun_tasks) == asked.rerun_all_failed_tasks:
        raise wrong_value("Expected either `rerun_tasks` or `rerun_all_failed_tasks`.")
    if recorded.repair_count and asked.latest_repair_id != recorded.repair_count:
        expected = f"expected {recorded.repair_count}, the id of the last repair"
        raise wrong_value(f"`latest_repair_id`: found {asked.latest_repair_id}; {expected}.")
    deployed = workspace.jobs.job(recorded.job_id)
    if deployed is None and recorded.settings.get("run_type") not in WITHOUT_JOB:
        raise wrong_value(
            f"Run {asked.run_id} is of a job that is not deployed here. Repair it in its project: `runs repair`."
        )
    deployed = deployed or DeployedJob(recorded.job_id, recorded.settings, 0, 0, workspace.user)
    readable(workspace, deployed)
    job = read_deployed(deployed, workspace.jobs, workspace.places.tree, key=recorded.job_key)
    results = last_results(records.attempts(found.run_id))
    dependents = asked.rerun_dependent_tasks or asked.rerun_all_failed_tasks
    chosen = ",".join(asked.rerun_tasks)
    again = _of_api(lambda: tasks_to_repair(job.job, results, chosen=chosen, dependents=dependents))
    if recorded.only_tasks and not chosen:
        again &= frozenset(recorded.only_tasks)
    if not again:
        raise wrong_value(f"Run {asked.run_id}: found no task that failed. Name the tasks in `rerun_tasks`.")
    known = {name: value for name, (_, value) in recorded.job_parameters.items()}
    given = _of_api(lambda: parameters_of_repair(job.job, known, asked.job_parameters))
    number = workspace.starts.repair(deployed, job.job, found.state, found.run_id, again=again, parameters=given)
    return {"repair_id": number}


def delete(workspace: Workspace, asked: OneRun) -> Mapping[str, Any]:
    """Delete an ended run, with its files and the runs that it started."""
    found = workspace.numbers.find_run(asked.run_id)
    if not delete_run(found.state, found.run_id):
        raise ApiError("INVALID_STATE", f"Run {asked.run_id} is active; expected one that has ended. Cancel it first.")
    workspace.jobs.delete_run(found.state.catalog, found.run_id)
    return {}


def _started(
    workspace: Workspace,
    deployed: DeployedJob,
    found: Deployed,
    values: Mapping[str, str],
    *,
    token: str,
    only: frozenset[str] | None = None,
    queue: bool | None = None,
) -> Mapping[str, Any]:
    _of_api(lambda: check_run(found.bundle, found.job, parameters=values, only=only))
    state = workspace.project.state(catalog_of(deployed.settings, workspace.jobs))
    target = origin_of(deployed, workspace.places.tree).target
    job = found.job if queue is None else found.with_queue(queue)
    state, run_id = workspace.starts.start(deployed, job, state, values, target=target, only=only, token=token)
    number = workspace.numbers.offset(state.catalog) + run_id
    return {"run_id": number, "number_in_job": number}


def _with_pipeline_parameters(deployed: DeployedJob, asked: RunNow) -> DeployedJob:
    """*deployed* whose tasks refresh of their pipelines what the request says, in place of what they say themselves."""
    given = (asked.model_extra or {}).get("pipeline_params")
    if not given:
        return deployed
    if not isinstance(given, Mapping) or not set(given) <= set(_OF_PIPELINES):
        expected = ", ".join(f"`{name}`" for name in _OF_PIPELINES)
        raise wrong_value(f"`pipeline_params`: found {str(given)[:80]!r}; expected an object with {expected}.")
    settings = json.loads(json.dumps(deployed.settings))
    for task in settings.get("tasks") or []:
        if isinstance(block := task.get("pipeline_task"), dict):
            others = {name: value for name, value in block.items() if name not in _OF_PIPELINES}
            task["pipeline_task"] = {**others, **given}
    return _with_settings(deployed, settings)


def _with_settings(deployed: DeployedJob, settings: Mapping[str, Any]) -> DeployedJob:
    return DeployedJob(deployed.job_id, settings, deployed.created_time, deployed.changed_time, deployed.creator)


def _with_task_parameters(deployed: DeployedJob, asked: RunNow) -> DeployedJob:
    """*deployed* with the parameters that older clients pass to all tasks of a kind."""
    given = {name: (asked.model_extra or {}).get(name) for name in (*_OF_TASKS, *_NOT_HERE)}
    named = [name for name, value in given.items() if value]
    if not named:
        return deployed
    if deployed.settings.get("parameters"):
        raise wrong_value(f"`{named[0]}`: job {deployed.job_id} has job parameters; expected `job_parameters`.")
    if refused := [name for name in named if name in _NOT_HERE]:
        raise wrong_value(f"`{refused[0]}`: the tasks that use it do not run here. Leave it out.")
    settings = json.loads(json.dumps(deployed.settings))
    for task in settings.get("tasks") or []:
        for name in named:
            for kind, field in _OF_TASKS[name]:
                if isinstance(block := task.get(kind), dict):
                    block[field] = _replaced(block.get(field), given[name], name)
    return _with_settings(deployed, settings)


def _replaced(before: Any, given: Any, name: str) -> Any:
    if isinstance(given, Mapping):
        return {**(before if isinstance(before, Mapping) else {}), **{key: _text(each) for key, each in given.items()}}
    if isinstance(given, list):
        return [_text(each) for each in given]
    raise wrong_value(f"`{name}`: found {str(given)[:80]!r}; expected a list or an object.")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else as_text(value)


def _of_api(work: Any) -> Any:
    """The result of *work*; an error is worded as in the API, not as on the command line."""
    try:
        return work()
    except UnsupportedTasksError as error:
        raise wrong_value(f"{' '.join(error.texts)} Name the other tasks in `only`.") from error
    except UsageError as error:
        text = " ".join(str(error).splitlines())
        for option, field in (("--param", "job_parameters"), ("--only", "only"), ("--tasks", "rerun_tasks")):
            text = text.replace(f"{option}:", f"`{field}`:")
        raise wrong_value(text) from error
    except LocalError as error:
        raise wrong_value(" ".join(str(error).splitlines())) from error
