"""The jobs of the bundle, which its files define, and those that clients have deployed: *Run now*, pause."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute

from lakelocal.bundle import load_bundle
from lakelocal.errors import BundleError, LocalError
from lakelocal.history.filters import RunFilter
from lakelocal.history.reading import History
from lakelocal.jobs.checks import check_run
from lakelocal.lakeflow.model import Bundle, Job
from lakelocal.lakeflow.parameters import job_parameters
from lakelocal.pages.jobs import LAST_RUNS, JobView
from lakelocal.pages.links import ToPages
from lakelocal.pages.runs import RunLine, run_line
from lakelocal.pages.triggers import MANUAL
from lakelocal.program import PROGRAM
from lakelocal.schedule.report import describe, next_times
from lakelocal.schedule.triggers import ScheduledJob, scheduled_jobs
from lakelocal.workspace import jobs as api
from lakelocal.workspace import runs as runs_api
from lakelocal.workspace.errors import ApiError, not_there
from lakelocal.workspace.job_store import DeployedJob
from lakelocal.workspace.origins import origin_of
from lakelocal.workspace.scheduler import trigger_of
from lakelocal.workspace.site.answers import Visit, html, moved, page
from lakelocal.workspace.site.commands import start_run
from lakelocal.workspace.workspace import Workspace

PARAMETER = "parameter."
_TRIGGERS = ("schedule", "trigger", "continuous")


def routes() -> list[BaseRoute]:
    """The pages of this module."""
    return [
        page("/jobs", show_list),
        page("/jobs/of-bundle/{key}", show_of_bundle),
        page("/jobs/of-bundle/{key}/run", run_of_bundle, "POST"),
        page("/jobs/{job}", show_deployed),
        page("/jobs/{job}/run", run_deployed, "POST"),
        page("/jobs/{job}/pause", lambda visit: _pause(visit, "PAUSED"), "POST"),
        page("/jobs/{job}/unpause", lambda visit: _pause(visit, "UNPAUSED"), "POST"),
    ]


def show_list(visit: Visit) -> Response:
    """All jobs."""
    workspace = visit.workspace
    deployed = [_deployed_view(workspace, each) for each in workspace.jobs.jobs()]
    try:
        bundle = load_bundle(workspace.project, target=None, variables={})
    except LocalError as error:
        note, own = f"The bundle cannot be read: {error}", []
    else:
        read = f"Target {bundle.target}, read from the current files of the bundle."
        note = f"{read} Triggers start runs only while `{PROGRAM} schedule` is running."
        own = [_bundle_view(workspace, bundle, key) for key in sorted({*bundle.jobs, *bundle.faults})]
    note_deployed = "Jobs that clients have deployed. Triggers start runs while this server is running."
    groups = [("Jobs of the bundle", note, own), ("Deployed jobs", note_deployed, deployed)]
    return html(visit, "jobs.html", title="Jobs", groups=groups)


def show_of_bundle(visit: Visit) -> Response:
    """A job of the bundle."""
    view = _bundle_view(visit.workspace, _bundle(visit.workspace), visit.ids["key"])
    return _job_page(visit, view)


def show_deployed(visit: Visit) -> Response:
    """A deployed job; if none has this id, the job of the bundle whose runs have it."""
    job_id = visit.id("job")
    if deployed := visit.workspace.jobs.job(job_id):
        return _job_page(visit, _deployed_view(visit.workspace, deployed))
    with contextlib.suppress(LocalError):
        bundle = load_bundle(visit.workspace.project, target=None, variables={})
        for key, job in bundle.jobs.items():
            if job.id == job_id:
                return moved(_href_of_bundle(key))
    raise not_there(f"Job {job_id} does not exist here. Its runs are in the list of runs.")


def run_of_bundle(visit: Visit) -> Response:
    """Start a run as `run` does, after the same checks, with the set-up of the job's last run."""
    workspace, key = visit.workspace, visit.ids["key"]
    bundle = _bundle(workspace)
    job = bundle.job(key)
    given = _given(visit, job.parameters)
    check_run(bundle, job, parameters=job_parameters(job, given))
    history = History.of(workspace.project.state(bundle.catalog))
    before = history.newest(RunFilter(job_id=job.id), limit=1)
    options = [f"--param={name}={value}" for name, value in given.items()]
    if before and before[0].before_notebook:
        options += ["--before", before[0].before_notebook]
    return start_run(workspace, bundle, key, job, options)


def run_deployed(visit: Visit) -> Response:
    """Start a run as the API does."""
    deployed = api.job_of(visit.workspace, visit.id("job"))
    job = api.readable(visit.workspace, deployed).job
    asked = runs_api.RunNow(job_id=deployed.job_id, idempotency_token="", job_parameters=_given(visit, job.parameters))
    return moved(f"/runs/{runs_api.run_now(visit.workspace, asked)['run_id']}")


def _pause(visit: Visit, status: str) -> Response:
    """Pause or unpause the trigger of a deployed job."""
    deployed = api.job_of(visit.workspace, visit.id("job"))
    changed = {
        name: {**deployed.settings[name], "pause_status": status} for name in _TRIGGERS if deployed.settings.get(name)
    }
    api.update(visit.workspace, api.UpdateJob(job_id=deployed.job_id, new_settings=changed))
    return moved(f"/jobs/{deployed.job_id}")


def _given(visit: Visit, defaults: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the form whose values differ from the defaults."""
    found = {name.removeprefix(PARAMETER): each[0] for name, each in visit.values.items() if name.startswith(PARAMETER)}
    return {name: value for name, value in found.items() if value != defaults.get(name)}


def _job_page(visit: Visit, view: JobView) -> Response:
    job_id = view.last[0].job_id if view.last else None
    return html(visit, "job.html", title=view.name, job=view, all_runs=f"/runs?job={job_id}" if job_id else "")


def _bundle(workspace: Workspace) -> Bundle:
    return load_bundle(workspace.project, target=None, variables={})


def _href_of_bundle(key: str) -> str:
    return f"/jobs/of-bundle/{quote(key, safe='')}"


def _bundle_view(workspace: Workspace, bundle: Bundle, key: str) -> JobView:
    job = bundle.jobs.get(key)
    if job is None and key not in bundle.faults:
        raise not_there(f"The bundle has no job `{key[:80]}`.")
    faults = " ".join(str(each) for each in bundle.faults.get(key, ()))
    starts, next_ms, trigger = MANUAL, None, None
    try:
        trigger = next(iter(scheduled_jobs(bundle, [key])), None) if job and _has_trigger(job) and not faults else None
    except BundleError as error:
        starts = str(error)
    if trigger:
        starts, next_ms = describe(trigger), _next(trigger)
    return JobView(
        href=_href_of_bundle(key),
        name=job.name if job else key,
        key=key,
        origin=f"bundle {bundle.name}, target {bundle.target}",
        tasks=[task.key for task in job.tasks] if job else [],
        parameters=dict(job.parameters) if job else {},
        trigger=starts,
        next_ms=next_ms,
        last=list(_last_runs(workspace, job.id)) if job else [],
        wrong=faults,
    )


def _deployed_view(workspace: Workspace, deployed: DeployedJob) -> JobView:
    origin = origin_of(deployed, workspace.places.tree)
    own = f"/jobs/{deployed.job_id}"
    where = f"bundle {origin.bundle}, target {origin.target}" if origin.bundle else deployed.creator
    last = list(_last_runs(workspace, deployed.job_id))
    name, key = deployed.name, origin.key or str(deployed.job_id)
    try:
        read = api.readable(workspace, deployed)
        trigger = trigger_of(read)
    except (LocalError, ApiError) as error:
        tasks = [str(task.get("task_key")) for task in deployed.settings.get("tasks") or []]
        return JobView(own, name, key, where, tasks, {}, MANUAL, None, last, wrong=str(error))
    pausable = trigger is not None and any(deployed.settings.get(each) for each in _TRIGGERS)
    return JobView(
        href=own,
        name=name,
        key=key,
        origin=where,
        tasks=[task.key for task in read.job.tasks],
        parameters=dict(read.job.parameters),
        trigger=describe(trigger) if trigger else MANUAL,
        next_ms=_next(trigger) if trigger else None,
        last=last,
        pause=("unpause" if trigger and trigger.paused else "pause") if pausable else "",
    )


def _has_trigger(job: Job) -> bool:
    return any(job.settings.get(name) for name in (*_TRIGGERS, "triggers"))


def _next(trigger: ScheduledJob) -> int | None:
    """When *trigger* fires next, in epoch milliseconds; None if it is paused or does not depend on the clock."""
    if trigger.paused:
        return None
    times = [each for each in next_times(trigger, datetime.now(UTC), 1) if each.exists]
    return int(times[0].at.timestamp() * 1000) if times else None


def _last_runs(workspace: Workspace, job_id: int) -> Iterator[RunLine]:
    found = []
    for state, offset in workspace.numbers.states():
        history = workspace.numbers.history(state)
        found += [(run, history, offset, state) for run in history.newest(RunFilter(job_id=job_id), limit=LAST_RUNS)]
    found.sort(key=lambda each: each[0].start_time, reverse=True)
    for run, history, offset, state in found[:LAST_RUNS]:
        yield run_line(run, history, ToPages(offset), state.catalog)
