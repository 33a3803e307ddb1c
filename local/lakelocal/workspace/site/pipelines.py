"""The pipelines of the bundle, which its files define, and those that clients have deployed: *Update now*, stop."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute

from lakelocal.bundle import load_bundle
from lakelocal.errors import LocalError
from lakelocal.jobs.checks import check_run
from lakelocal.lakeflow.findings import show
from lakelocal.lakeflow.model import Bundle
from lakelocal.pages.links import ToPages
from lakelocal.pages.pipelines import LAST_UPDATES, PipelineView
from lakelocal.pages.runs import RunLine
from lakelocal.pages.triggers import trigger_in_words
from lakelocal.pages.update import in_words
from lakelocal.workspace import pipelines as api
from lakelocal.workspace.deployed_files import as_clients_know
from lakelocal.workspace.deployed_pipelines import read
from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.origins import origin_of
from lakelocal.workspace.pipeline_store import DeployedPipeline
from lakelocal.workspace.pipeline_updates import FoundUpdate, active_update, found_update, updates_of
from lakelocal.workspace.site.answers import Visit, html, moved, page
from lakelocal.workspace.site.commands import start_run
from lakelocal.workspace.workspace import Workspace

_WHAT: dict[str, dict[str, bool]] = {"": {}, "full": {"full_refresh": True}, "validate": {"validate_only": True}}
_CHOSEN = "chosen"


def routes() -> list[BaseRoute]:
    """The pages of this module."""
    return [
        page("/pipelines", show_list),
        page("/pipelines/of-bundle/{key}", show_of_bundle),
        page("/pipelines/of-bundle/{key}/update", update_of_bundle, "POST"),
        page("/pipelines/{pipeline}", show_deployed),
        page("/pipelines/{pipeline}/update", update_deployed, "POST"),
        page("/pipelines/{pipeline}/stop", stop, "POST"),
        page("/pipelines/{pipeline}/updates/{update}", show_update),
    ]


def show_list(visit: Visit) -> Response:
    """All pipelines."""
    workspace = visit.workspace
    deployed = [_deployed_view(workspace, each) for each in workspace.jobs.pipelines.pipelines()]
    try:
        bundle = _bundle(workspace)
    except LocalError as error:
        note, own = f"The bundle cannot be read: {error}", []
    else:
        note = f"Target {bundle.target}, read from the current files of the bundle."
        own = [_bundle_view(workspace, bundle, key) for key in sorted(bundle.pipelines)]
    groups = [
        ("Pipelines of the bundle", note, own),
        ("Deployed pipelines", "Pipelines that clients have deployed.", deployed),
    ]
    return html(visit, "pipelines.html", title="Pipelines", groups=groups)


def show_of_bundle(visit: Visit) -> Response:
    """A pipeline of the bundle."""
    view = _bundle_view(visit.workspace, _bundle(visit.workspace), visit.ids["key"])
    return html(visit, "pipeline.html", title=view.name, pipeline=view)


def show_deployed(visit: Visit) -> Response:
    """A deployed pipeline; if none has this id, the pipeline of the bundle that has it."""
    pipeline_id = visit.ids["pipeline"]
    if deployed := visit.workspace.jobs.pipelines.pipeline(pipeline_id):
        view = _deployed_view(visit.workspace, deployed)
        return html(visit, "pipeline.html", title=view.name, pipeline=view)
    for key, pipeline in _bundle(visit.workspace).pipelines.items():
        if pipeline.id == pipeline_id:
            return moved(_href_of_bundle(key))
    raise not_there(f"Pipeline {pipeline_id[:80]} does not exist here.")


def show_update(visit: Visit) -> Response:
    """Show the run to which an update belongs."""
    found = found_update(visit.workspace, visit.ids["pipeline"], visit.ids["update"])
    return moved(f"/runs/{found.run_number}")


def update_of_bundle(visit: Visit) -> Response:
    """Start an update as `run` does, after the same checks."""
    workspace, key = visit.workspace, visit.ids["key"]
    bundle = _bundle(workspace)
    if key not in bundle.updates:
        raise not_there(f"The bundle has no pipeline `{key[:80]}`.")
    if fault := bundle.pipelines[key].fault:
        raise wrong_value(str(fault))
    job = bundle.updates[key]
    selection = _asked(visit)
    check_run(bundle, job, parameters=job.parameters)
    return start_run(workspace, bundle, key, job, _options(selection))


def update_deployed(visit: Visit) -> Response:
    """Start an update as the API does."""
    pipeline_id = visit.ids["pipeline"]
    asked = api.StartUpdate(pipeline_id=pipeline_id, **_asked(visit))
    update_id = api.start_update(visit.workspace, asked)["update_id"]
    return moved(f"/pipelines/{quote(pipeline_id, safe='')}/updates/{update_id}")


def stop(visit: Visit) -> Response:
    """Ask the active update to end."""
    pipeline_id = visit.ids["pipeline"]
    api.stop(visit.workspace, api.OnePipeline(pipeline_id=pipeline_id))
    return moved(f"/pipelines/{quote(pipeline_id, safe='')}")


def _asked(visit: Visit) -> dict[str, Any]:
    """What the form selects for the refresh, as fields of `StartUpdate`."""
    what = visit.value("what")
    if what in _WHAT:
        return dict(_WHAT[what])
    lists = {
        "refresh_selection": _names(visit.value("refresh")),
        "full_refresh_selection": _names(visit.value("full_refresh")),
    }
    if what != _CHOSEN or not any(lists.values()):
        raise wrong_value("No table is named. Name the tables to refresh, separated by commas.")
    return lists


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _options(selection: dict[str, Any]) -> Iterator[str]:
    """*selection* as options of `run`."""
    if selection.get("full_refresh"):
        yield "--full-refresh-all"
    if selection.get("validate_only"):
        yield "--validate-only"
    for option, field in (("--refresh", "refresh_selection"), ("--full-refresh", "full_refresh_selection")):
        if names := selection.get(field):
            yield f"{option}={','.join(names)}"


def _bundle(workspace: Workspace) -> Bundle:
    return load_bundle(workspace.project, target=None, variables={})


def _href_of_bundle(key: str) -> str:
    return f"/pipelines/of-bundle/{quote(key, safe='')}"


def _bundle_view(workspace: Workspace, bundle: Bundle, key: str) -> PipelineView:
    pipeline = bundle.pipelines.get(key)
    if pipeline is None:
        raise not_there(f"The bundle has no pipeline `{key[:80]}`.")
    return PipelineView(
        href=_href_of_bundle(key),
        name=pipeline.name,
        key=key,
        origin=f"bundle {bundle.name}, target {bundle.target}",
        schema=f"{pipeline.catalog}.{pipeline.schema}",
        sources=[show(file, bundle.root) for file in pipeline.sources],
        last=_last_updates(workspace, pipeline.id),
        wrong=str(pipeline.fault) if pipeline.fault else "",
    )


def _deployed_view(workspace: Workspace, deployed: DeployedPipeline) -> PipelineView:
    tree = workspace.places.tree
    origin, own = origin_of(deployed, tree), f"/pipelines/{quote(deployed.pipeline_id, safe='')}"
    where = f"bundle {origin.bundle}, target {origin.target}" if origin.bundle else deployed.creator
    key, last = origin.key or deployed.pipeline_id, _last_updates(workspace, deployed.pipeline_id)
    try:
        pipeline = read(deployed, tree)
    except ApiError as error:
        return PipelineView(own, deployed.name, key, where, "", [], last, wrong=error.message)
    return PipelineView(
        href=own,
        name=deployed.name,
        key=key,
        origin=where,
        schema=f"{pipeline.catalog}.{pipeline.schema}",
        sources=[as_clients_know(str(file), tree) for file in pipeline.sources],
        last=last,
        wrong=str(pipeline.fault) if pipeline.fault else "",
        can_stop=active_update(workspace, deployed.pipeline_id) is not None,
    )


def _last_updates(workspace: Workspace, pipeline_id: str) -> list[RunLine]:
    return [_line(each) for each in updates_of(workspace, pipeline_id, limit=LAST_UPDATES)]


def _line(found: FoundUpdate) -> RunLine:
    """An update as a line of the list of runs; its link shows the run that it is part of."""
    update, links = found.update, ToPages(found.offset)
    return RunLine(
        number=found.run_number,
        href=links.run(found.run_id if update.attempt_id is None else update.attempt_id),
        name=update.pipeline_name,
        job_id=0,
        result=update.state,
        start_ms=update.creation_time,
        counted_from=update.creation_time,
        end_ms=update.end_time,
        trigger=trigger_in_words(update.cause),
        started_by="",
        parameters=in_words(update.selection),
        reason="",
        catalog=found.state.catalog,
    )
