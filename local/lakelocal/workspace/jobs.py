"""Jobs API: the deployed jobs. Source: Databricks REST API, Jobs 2.2; older versions have the same endpoints."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, Field
from starlette.routing import BaseRoute

from lakelocal.lakeflow.findings import FindingError
from lakelocal.workspace.deployed import Deployed, read_deployed
from lakelocal.workspace.endpoints import Asked, Number, versions
from lakelocal.workspace.errors import not_there, wrong_value
from lakelocal.workspace.job_store import DeployedJob
from lakelocal.workspace.paging import part_of, position_of, token_of
from lakelocal.workspace.scheduler import trigger_of
from lakelocal.workspace.workspace import Workspace

MOST_JOBS = 100
_ARRAYS = ("tasks", "job_clusters", "parameters", "environments")
_KEYED = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "environments": "environment_key",
    "parameters": "name",
}
_BESIDE_SETTINGS = ("access_control_list", "connection", "version")


class CreateJob(Asked):
    """The settings of a new job."""

    model_config = ConfigDict(extra="allow")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as the client sent them."""
        given = self.model_extra or {}
        return {name: value for name, value in given.items() if name not in _BESIDE_SETTINGS}


class OneJob(Asked):
    """One job."""

    job_id: Number


class GetJob(OneJob):
    """One job, or a part of its arrays."""

    page_token: str = ""
    version: str = ""


class ResetJob(OneJob):
    """All settings of a job."""

    new_settings: dict[str, Any]


class UpdateJob(OneJob):
    """The settings of a job that change."""

    new_settings: dict[str, Any] = Field(default_factory=dict)
    fields_to_remove: Sequence[str] = ()


class ListJobs(Asked):
    """Which jobs to list; the newest come first."""

    name: str | None = None
    limit: int = Field(20, ge=0, le=MOST_JOBS)
    offset: int = Field(0, ge=0, le=10_000)
    page_token: str = ""
    expand_tasks: bool = False


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        *versions("POST", "/jobs/create", CreateJob, create),
        *versions("POST", "/jobs/reset", ResetJob, reset),
        *versions("POST", "/jobs/update", UpdateJob, update),
        *versions("POST", "/jobs/delete", OneJob, delete),
        *versions("GET", "/jobs/get", GetJob, get),
        *versions("GET", "/jobs/list", ListJobs, list_jobs),
    ]


def create(workspace: Workspace, asked: CreateJob) -> Mapping[str, Any]:
    """Create a job."""
    _check(workspace, DeployedJob(0, asked.settings, 0, 0, workspace.user))
    return {"job_id": workspace.jobs.create(asked.settings, workspace.user)}


def reset(workspace: Workspace, asked: ResetJob) -> Mapping[str, Any]:
    """Replace the settings of a job."""
    return _put(workspace, asked.job_id, asked.new_settings)


def update(workspace: Workspace, asked: UpdateJob) -> Mapping[str, Any]:
    """Replace some settings of a job; the entries of keyed arrays, such as tasks, are replaced one by one."""
    settings = dict(job_of(workspace, asked.job_id).settings)
    for path in asked.fields_to_remove:
        _remove(settings, path)
    _check_shape(asked.new_settings)
    for name, value in asked.new_settings.items():
        settings[name] = _merged(settings.get(name), value, _KEYED[name]) if name in _KEYED else value
    return _put(workspace, asked.job_id, settings)


def delete(workspace: Workspace, asked: OneJob) -> Mapping[str, Any]:
    """Delete a job; its runs stay."""
    if not workspace.jobs.delete(asked.job_id):
        raise _no_job(asked.job_id)
    return {}


def get(workspace: Workspace, asked: GetJob) -> Mapping[str, Any]:
    """Return a job, with its settings as the client sent them."""
    deployed = job_of(workspace, asked.job_id)
    if asked.version != "2.2":
        return _shown(deployed, deployed.settings)
    settings, token = part_of(deployed.settings, _ARRAYS, asked.page_token)
    return {**_shown(deployed, settings), **({"next_page_token": token, "has_more": True} if token else {})}


def list_jobs(workspace: Workspace, asked: ListJobs) -> Mapping[str, Any]:
    """List the jobs, page by page."""
    limit = asked.limit or MOST_JOBS
    position = position_of(asked.page_token, int, int)
    before = (position[0], position[1]) if position else None
    found = workspace.jobs.jobs(name=asked.name, limit=asked.offset + limit + 1, before=before)[asked.offset :]
    shown, has_more = found[:limit], len(found) > limit
    result: dict[str, Any] = {"has_more": has_more}
    if shown:
        result["jobs"] = [_listed(job, asked.expand_tasks) for job in shown]
    if has_more:
        result["next_page_token"] = token_of(shown[-1].created_time, shown[-1].job_id)
    return result


def job_of(workspace: Workspace, job_id: int) -> DeployedJob:
    """The job with this id.

    Raises:
        ApiError: there is none.
    """
    found = workspace.jobs.job(job_id)
    if found is None:
        raise _no_job(job_id)
    return found


def readable(workspace: Workspace, deployed: DeployedJob) -> Deployed:
    """*deployed* as the engine runs it.

    Raises:
        ApiError: it has errors; the message lists all of them in one line.
    """
    _check_shape(deployed.settings)
    found = read_deployed(deployed, workspace.jobs, workspace.places.tree)
    try:
        found.bundle.job(found.job.key)
    except FindingError as error:
        texts = (": ".join(part for part in (each.where.inside, each.message) if part) for each in error.findings)
        raise wrong_value(" ".join(texts)) from error
    return found


def _put(workspace: Workspace, job_id: int, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    before = job_of(workspace, job_id)
    settings = {name: value for name, value in settings.items() if name not in _BESIDE_SETTINGS}
    _check(workspace, DeployedJob(job_id, settings, before.created_time, before.changed_time, before.creator))
    if not workspace.jobs.put(job_id, settings):
        raise _no_job(job_id)
    return {}


def _check(workspace: Workspace, deployed: DeployedJob) -> None:
    """Refuse a job that could never run: cycles, unknown dependencies, a schedule that cannot be read."""
    found = readable(workspace, deployed)
    try:
        trigger_of(found)
    except FindingError as error:
        raise wrong_value(" ".join(each.message for each in error.findings)) from error


def _check_shape(settings: Mapping[str, Any]) -> None:
    """Refuse keyed arrays that are malformed: all code that reads a job relies on their form."""
    for name, key in _KEYED.items():
        entries = settings.get(name)
        if entries is None:
            continue
        if not isinstance(entries, list):
            raise wrong_value(f"`{name}`: found {_short(entries)}; expected a list.")
        for number, entry in enumerate(entries):
            _check_entry(entry, f"{name}[{number}]", key)
            loop = entry.get("for_each_task") if name == "tasks" else None
            if isinstance(loop, Mapping) and loop.get("task") is not None:
                _check_entry(loop["task"], f"{name}[{number}].for_each_task.task", key)


def _check_entry(entry: Any, where: str, key: str) -> None:
    if not isinstance(entry, Mapping):
        raise wrong_value(f"`{where}`: found {_short(entry)}; expected an object.")
    if not isinstance(entry.get(key), str):
        raise wrong_value(f"`{where}.{key}`: found {_short(entry.get(key))}; expected a text.")
    for kind, block in entry.items():
        if kind.endswith("_task") and block is not None and not isinstance(block, Mapping):
            raise wrong_value(f"`{where}.{kind}`: found {_short(block)}; expected an object.")


def _short(value: Any) -> str:
    return f"`{str(value)[:80]}`" if value is not None else "nothing"


def _remove(settings: dict[str, Any], path: str) -> None:
    """Remove a field, or an entry of a keyed array: `tasks/load`."""
    name, slash, key = path.partition("/")
    if slash and name in _KEYED:
        settings[name] = [each for each in settings.get(name) or [] if each.get(_KEYED[name]) != key]
    elif slash:
        raise wrong_value(f"`fields_to_remove`: found `{path}`; expected a field of the job, or `tasks/KEY`.")
    else:
        settings.pop(name, None)


def _merged(before: Any, given: Any, key: str) -> Any:
    if not isinstance(before, list) or not isinstance(given, list):
        return given
    new = {each.get(key): each for each in given if isinstance(each, Mapping)}
    kept = [new.pop(each.get(key), each) for each in before]
    return [*kept, *new.values()]


def _listed(deployed: DeployedJob, expand: bool) -> Mapping[str, Any]:
    settings, token = part_of(deployed.settings, _ARRAYS, "")
    if not expand:
        settings = {name: value for name, value in settings.items() if name not in ("tasks", "job_clusters")}
    return {**_shown(deployed, settings), **({"has_more": True} if token else {})}


def _shown(deployed: DeployedJob, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "job_id": deployed.job_id,
        "creator_user_name": deployed.creator,
        "run_as_user_name": deployed.creator,
        "created_time": deployed.created_time,
        "settings": settings,
    }


def _no_job(job_id: int) -> Exception:
    return not_there(f"Job {job_id} does not exist.")
