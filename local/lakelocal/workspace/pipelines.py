"""Pipelines API: the deployed pipelines, their updates and events. Source: Databricks REST API, Pipelines 2.0."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ConfigDict, Field
from starlette.routing import BaseRoute

from lakelocal.history.rows import RecordedUpdate
from lakelocal.history.updates import event_shape
from lakelocal.lakeflow.update_progress import COMPLETED, FAILED, INITIALIZING
from lakelocal.workspace.endpoints import Asked, Number, endpoint
from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.event_filter import events_where, pipelines_filter
from lakelocal.workspace.paging import page_of, position_of, token_of
from lakelocal.workspace.pipeline_store import DeployedPipeline
from lakelocal.workspace.pipeline_updates import (
    FoundUpdate,
    events_of,
    forget_pipeline,
    found_update,
    stop_update,
    updates_of,
    wait_until_idle,
)
from lakelocal.workspace.pipeline_updates import start_update as start
from lakelocal.workspace.workspace import Workspace

MOST_PIPELINES, PIPELINES = 100, 25
MOST_EVENTS, MOST_UPDATES, LATEST = 250, 100, 5
_OF_REQUESTS = ("allow_duplicate_names", "dry_run", "expected_last_modified", "pipeline_id", "connection", "version")
_BESIDE_SPEC = ("run_as", "parameters")
_NOT_HERE = (
    "refresh_selection_by_path", "full_refresh_selection_by_path", "reset_checkpoint_selection", "rewind_spec",
    "replace_where_overrides",
)  # fmt: skip
_STARTS = ("CREATED", "WAITING_FOR_RESOURCES", INITIALIZING)


class PipelineSettings(Asked):
    """The settings of a pipeline."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    allow_duplicate_names: bool = False
    dry_run: bool = False
    catalog: str | None = None
    schema_name: str | None = Field(None, alias="schema")
    target: str | None = None
    libraries: Sequence[Mapping[str, Any]] | None = None
    configuration: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as the client sent them."""
        given = {**self.model_dump(by_alias=True, exclude_unset=True), **(self.model_extra or {})}
        return {name: value for name, value in given.items() if name not in _OF_REQUESTS}


class EditPipeline(PipelineSettings):
    """All settings of a pipeline, and the time of the last change that the client knows of."""

    pipeline_id: str
    expected_last_modified: Number | None = None


class OnePipeline(Asked):
    """One pipeline."""

    pipeline_id: str


class DeletePipeline(OnePipeline):
    """A pipeline, and whether its datasets are deleted too."""

    cascade: bool = True


class ListPipelines(Asked):
    """Which pipelines to list."""

    filter: str = ""
    max_results: int = Field(PIPELINES, ge=0, le=MOST_PIPELINES)
    order_by: str = ""
    page_token: str = ""


class StartUpdate(OnePipeline):
    """What an update refreshes."""

    model_config = ConfigDict(extra="allow")

    full_refresh: bool = False
    refresh_selection: Sequence[str] = ()
    full_refresh_selection: Sequence[str] = ()
    validate_only: bool = False
    parameters: Mapping[str, Any] = Field(default_factory=dict)


class OneUpdate(OnePipeline):
    """One update."""

    update_id: str


class ListUpdates(OnePipeline):
    """Which updates to list; the newest come first."""

    max_results: int = Field(MOST_UPDATES, ge=0)
    page_token: str = ""
    until_update_id: str = ""


class ListEvents(OnePipeline):
    """Which events to list; the newest come first unless `order_by` says otherwise."""

    filter: str = ""
    max_results: int = Field(MOST_EVENTS, ge=0)
    order_by: str = ""
    page_token: str = ""


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    root, one = "/api/2.0/pipelines", "/api/2.0/pipelines/{pipeline_id}"
    return [
        endpoint("POST", root, PipelineSettings, create),
        endpoint("GET", root, ListPipelines, list_pipelines),
        endpoint("GET", one, OnePipeline, get),
        endpoint("PUT", one, EditPipeline, update),
        endpoint("DELETE", one, DeletePipeline, delete),
        endpoint("POST", f"{one}/updates", StartUpdate, start_update),
        endpoint("GET", f"{one}/updates", ListUpdates, list_updates),
        endpoint("GET", f"{one}/updates/{{update_id}}", OneUpdate, get_update),
        endpoint("GET", f"{one}/events", ListEvents, list_events),
        endpoint("POST", f"{one}/stop", OnePipeline, stop),
    ]


def create(workspace: Workspace, asked: PipelineSettings) -> Mapping[str, Any]:
    """Create a pipeline."""
    _check(workspace, asked)
    if asked.dry_run:
        return {"effective_settings": _spec("", asked.settings)}
    return {"pipeline_id": workspace.jobs.pipelines.create(asked.settings, workspace.user)}


def list_pipelines(workspace: Workspace, asked: ListPipelines) -> Mapping[str, Any]:
    """List the pipelines, page by page, by id or by name; the filters are `name LIKE` and `notebook=`."""
    if asked.order_by not in ("", "id asc", "id", "name asc", "name"):
        raise wrong_value(f"`order_by`: found `{asked.order_by[:80]}`; expected `id asc` or `name asc`.")
    pattern, path = pipelines_filter(asked.filter)
    found = [each for each in workspace.jobs.pipelines.pipelines(like=pattern) if not path or path in _notebooks(each)]

    def place(each: DeployedPipeline) -> str:
        return f"{each.name}\0{each.pipeline_id}" if asked.order_by.startswith("name") else each.pipeline_id

    page, token = page_of(found, place, asked.max_results, MOST_PIPELINES, asked.page_token)
    result: dict[str, Any] = {"next_page_token": token} if token else {}
    return {**result, **({"statuses": [_told(workspace, each) for each in page]} if page else {})}


def get(workspace: Workspace, asked: OnePipeline) -> Mapping[str, Any]:
    """Return a pipeline, with its settings as the client sent them and its latest updates."""
    deployed = pipeline_of(workspace, asked.pipeline_id)
    beside = {name: deployed.settings[name] for name in _BESIDE_SPEC if deployed.settings.get(name)}
    return {
        **_told(workspace, deployed),
        "spec": _spec(deployed.pipeline_id, deployed.settings),
        "last_modified": deployed.changed_time,
        "effective_publishing_mode": "DEFAULT_PUBLISHING_MODE",
        **beside,
    }


def update(workspace: Workspace, asked: EditPipeline) -> Mapping[str, Any]:
    """Replace the settings of a pipeline."""
    before = pipeline_of(workspace, asked.pipeline_id)
    if asked.expected_last_modified is not None and asked.expected_last_modified < before.changed_time:
        text = f"Pipeline {before.pipeline_id} was changed at {before.changed_time}, after the time that was expected."
        raise ApiError("RESOURCE_CONFLICT", text)
    _check(workspace, asked, own_id=before.pipeline_id)
    if not workspace.jobs.pipelines.put(before.pipeline_id, asked.settings):
        raise _no_pipeline(before.pipeline_id)
    return {}


def delete(workspace: Workspace, asked: DeletePipeline) -> Mapping[str, Any]:
    """Delete a pipeline and, unless `cascade` is false, its tables; its updates stay in the history of runs."""
    deployed = pipeline_of(workspace, asked.pipeline_id)
    stop_update(workspace, deployed.pipeline_id)
    wait_until_idle(workspace, deployed.pipeline_id)
    forget_pipeline(workspace, deployed, tables=asked.cascade)
    workspace.jobs.pipelines.delete(deployed.pipeline_id)
    return {}


def start_update(workspace: Workspace, asked: StartUpdate) -> Mapping[str, Any]:
    """Start an update of a pipeline."""
    deployed = pipeline_of(workspace, asked.pipeline_id)
    refused = [name for name in _NOT_HERE if (asked.model_extra or {}).get(name)]
    if refused:
        raise wrong_value(f"`{refused[0]}`: found it, which is a Beta that does not run here. Name tables instead.")
    if asked.full_refresh and (asked.refresh_selection or asked.full_refresh_selection):
        raise wrong_value("Found `full_refresh` beside a selection of tables; expected one of the two.")
    selection = {
        "full_refresh": asked.full_refresh,
        "refresh_selection": list(asked.refresh_selection),
        "full_refresh_selection": list(asked.full_refresh_selection),
        "validate_only": asked.validate_only,
    }
    parameters = {name: str(value) for name, value in asked.parameters.items()}
    return {"update_id": start(workspace, deployed, selection, parameters)}


def list_updates(workspace: Workspace, asked: ListUpdates) -> Mapping[str, Any]:
    """List a pipeline's updates, page by page: those of the API, of jobs, and of the command line, the newest first."""
    deployed = pipeline_of(workspace, asked.pipeline_id)
    found = updates_of(workspace, deployed.pipeline_id)
    if asked.until_update_id:
        last = [number for number, each in enumerate(found) if each.update.update_id == asked.until_update_id]
        found = found[: last[0] + 1] if last else found
    start_at = (position_of(asked.page_token, int) or (0,))[0]
    size = min(asked.max_results or MOST_UPDATES, MOST_UPDATES)
    page = found[max(start_at, 0) :][:size]
    result: dict[str, Any] = {"updates": [_update(deployed, each.update) for each in page]} if page else {}
    if len(found) > max(start_at, 0) + size:
        result["next_page_token"] = token_of(max(start_at, 0) + size)
    return result


def get_update(workspace: Workspace, asked: OneUpdate) -> Mapping[str, Any]:
    """Return an update of a pipeline."""
    deployed = pipeline_of(workspace, asked.pipeline_id)
    return {"update": _update(deployed, found_update(workspace, deployed.pipeline_id, asked.update_id).update)}


def list_events(workspace: Workspace, asked: ListEvents) -> Mapping[str, Any]:
    """List the events of all updates of a pipeline, page by page."""
    deployed = pipeline_of(workspace, asked.pipeline_id)
    if asked.order_by.lower() not in ("", "timestamp asc", "timestamp desc", "timestamp"):
        raise wrong_value(f"`order_by`: found `{asked.order_by[:80]}`; expected `timestamp asc` or `timestamp desc`.")
    ascending = asked.order_by.lower() in ("timestamp asc", "timestamp")
    condition, values = events_where(asked.filter)
    if position := position_of(asked.page_token, int, int):
        ascending = bool(position[1])
        condition = f"({condition}) AND time {'>' if ascending else '<'} ?"
        values.append(position[0])
    size = min(asked.max_results or MOST_EVENTS, MOST_EVENTS)
    found = events_of(workspace, deployed.pipeline_id, (condition, values), ascending=ascending, limit=size + 1)
    page = found[:size]
    shapes = [event_shape(each, deployed.name) for each in page]
    result: dict[str, Any] = {"events": [_without_nothing(each) for each in shapes]} if shapes else {}
    if len(found) > size:
        result["next_page_token"] = token_of(page[-1].time, int(ascending))
    return result


def stop(workspace: Workspace, asked: OnePipeline) -> Mapping[str, Any]:
    """Ask the active update of a pipeline to end; do nothing if there is none."""
    stop_update(workspace, pipeline_of(workspace, asked.pipeline_id).pipeline_id)
    return {}


def pipeline_of(workspace: Workspace, pipeline_id: str) -> DeployedPipeline:
    """The pipeline with this id.

    Raises:
        ApiError: there is none.
    """
    found = workspace.jobs.pipelines.pipeline(pipeline_id)
    if found is None:
        raise _no_pipeline(pipeline_id)
    return found


def state_of_pipeline(updates: Sequence[FoundUpdate]) -> str:
    """The state of a pipeline with these *updates*, the newest first."""
    active = next((each.update for each in updates if each.update.end_time is None), None)
    if active is None:
        return "IDLE"
    return "STOPPING" if active.cancel_requested else "STARTING" if active.state in _STARTS else "RUNNING"


def _check(workspace: Workspace, asked: PipelineSettings, own_id: str = "") -> None:
    """Refuse settings that the API refuses; errors that only prevent an update are reported when one starts."""
    for name, value in (("schema", asked.schema_name), ("target", asked.target)):
        if value and not value.replace("_", "").isalnum():
            raise wrong_value(
                f"`{name}`: '{value[:80]}' is not a valid name. Valid names must contain only alphanumeric characters "
                "and underscores, and cannot contain spaces, periods, forward slashes, or control characters."
            )
    others = (each for each in workspace.jobs.pipelines.pipelines() if each.pipeline_id != own_id)
    if asked.name and not asked.allow_duplicate_names and any(each.name == asked.name for each in others):
        raise ApiError(
            "RESOURCE_CONFLICT",
            f"The pipeline name '{asked.name}' is already used by another pipeline. This check can be skipped by "
            "setting `allow_duplicate_names = true` in the request.",
        )


def _told(workspace: Workspace, deployed: DeployedPipeline) -> dict[str, Any]:
    """*deployed* as an entry of the list."""
    latest = updates_of(workspace, deployed.pipeline_id, limit=LATEST)
    found: dict[str, Any] = {
        "pipeline_id": deployed.pipeline_id,
        "name": deployed.name,
        "state": state_of_pipeline(latest),
        "creator_user_name": deployed.creator,
        "run_as_user_name": deployed.creator,
    }
    ended = next((each.update for each in latest if each.update.state in (COMPLETED, FAILED)), None)
    if ended is not None:
        found["health"] = "HEALTHY" if ended.state == COMPLETED else "UNHEALTHY"
    if latest:
        found["latest_updates"] = [
            {
                "update_id": each.update.update_id,
                "state": each.update.state,
                "creation_time": _moment(each.update.creation_time),
            }
            for each in latest
        ]
    return found


def _spec(pipeline_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in settings.items() if name not in _BESIDE_SPEC}
    return {**({"id": pipeline_id} if pipeline_id else {}), **own}


def _update(deployed: DeployedPipeline, found: RecordedUpdate) -> dict[str, Any]:
    lists = {name: value for name, value in found.selection.items() if value or not isinstance(value, list)}
    return {
        "pipeline_id": found.pipeline_id,
        "update_id": found.update_id,
        "config": _spec(deployed.pipeline_id, deployed.settings),
        "cause": found.cause,
        "state": found.state,
        "creation_time": found.creation_time,
        **lists,
        **({"parameters": dict(found.parameters)} if found.parameters else {}),
    }


def _notebooks(deployed: DeployedPipeline) -> list[str]:
    libraries = deployed.settings.get("libraries") or []
    blocks = (each.get("notebook") for each in libraries if isinstance(each, Mapping))
    return [str(block.get("path")) for block in blocks if isinstance(block, Mapping)]


def _without_nothing(event: Mapping[str, Any]) -> dict[str, Any]:
    origin = {name: value for name, value in event["origin"].items() if value is not None}
    return {name: value for name, value in {**event, "origin": origin}.items() if value is not None}


def _moment(ms: int) -> str:
    at = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def _no_pipeline(pipeline_id: str) -> Exception:
    return not_there(f"The specified pipeline {pipeline_id[:80]} was not found.")
