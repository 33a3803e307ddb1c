"""The list of runs, one run, and one attempt with its executed notebook; cancelling and repairing."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute

from lakelocal.history.api import can_run_again
from lakelocal.history.filters import RunFilter
from lakelocal.history.recorded import Attempt, Run, read_run
from lakelocal.history.rows import RecordedRun
from lakelocal.jobs.cancel import request_cancel
from lakelocal.jobs.changes import changes_of
from lakelocal.jobs.event_log import Doing, events_file, notebook_file, read_doing
from lakelocal.lakeflow.results import meaning
from lakelocal.pages.links import ToPages
from lakelocal.pages.notebooks import Notebooks, import_ahead
from lakelocal.pages.run import section, title_of
from lakelocal.pages.runs import Filter, RunLine, run_line
from lakelocal.project import State
from lakelocal.workspace import runs as api
from lakelocal.workspace.deployed import WITHOUT_JOB
from lakelocal.workspace.errors import wrong_value
from lakelocal.workspace.paging import position_of, token_of
from lakelocal.workspace.run_numbers import NumberedRun
from lakelocal.workspace.site.answers import Visit, html, moved, number_of, page
from lakelocal.workspace.site.commands import start_command
from lakelocal.workspace.site.live import live, look_of
from lakelocal.workspace.workspace import Workspace

LINES = 50
GROW_SECONDS = 5


def routes() -> list[BaseRoute]:
    """The pages of this module."""
    return [
        page("/", lambda visit: moved("/runs")),
        page("/runs", show_list),
        live("/changes/runs", show_list, lambda visit: look_of(_files_of_list(visit))),
        page("/runs/{run}", show),
        live("/changes/runs/{run}", show, _look_of_run),
        page("/jobs/{job}/runs/{run}", lambda visit: moved(f"/runs/{visit.id('run')}")),
        page("/runs/{run}/cancel", cancel, "POST"),
        page("/runs/{run}/repair", repair, "POST"),
    ]


def show_list(visit: Visit) -> Response:
    """The newest runs, filtered by the form."""
    import_ahead()  # whoever looks at runs will look at notebooks next
    job = visit.value("job")
    wanted = Filter(visit.value("result"), number_of(job, "job") if job else None, visit.value("text"))
    before = position_of(visit.value("before"), int, int)
    found = list(_newest(visit.workspace, wanted, before))
    found.sort(key=lambda each: (each[0].start_time, each[0].run_id + each[2]), reverse=True)
    shown = found[:LINES]
    older = ""
    if len(found) > LINES:
        last, _, offset = shown[-1]
        older = _list_address(visit, before=token_of(last.start_time, last.run_id + offset))
    lines = [_line(visit.workspace, run, state, offset) for run, state, offset in shown]
    return html(
        visit,
        "runs.html",
        title="Runs",
        lines=lines,
        filter=wanted,
        jobs=_jobs(visit.workspace),
        older=older,
        newer=_list_address(visit, before="") if before else "",
        live="" if before else _list_address(visit).replace("/runs", "/changes/runs", 1),
        stamp="",
        is_active=any(line.end_ms is None for line in lines),
    )


def _list_address(visit: Visit, **changed: str) -> str:
    return Visit(visit.workspace, "/runs", {}, visit.values).with_values(stamp=None, **changed)


def _newest(
    workspace: Workspace, wanted: Filter, before: Sequence[int] | None
) -> Iterator[tuple[RecordedRun, State, int]]:
    chosen = RunFilter(
        job_id=wanted.job,
        active=True if wanted.result == "active" else None,
        results=wanted.states,
        text=wanted.text,
    )
    for state, offset in workspace.numbers.states():
        begin = None if before is None else (before[0], before[1] - offset)
        runs = workspace.numbers.history(state).newest(chosen, limit=LINES + 1, before=begin)
        yield from ((run, state, offset) for run in runs)


def _line(workspace: Workspace, run: RecordedRun, state: State, offset: int) -> RunLine:
    return run_line(run, workspace.numbers.history(state), ToPages(offset), state.catalog)


def _jobs(workspace: Workspace) -> list[tuple[int, str]]:
    """The jobs that have runs."""
    found: dict[int, str] = {}
    for state, _ in workspace.numbers.states():
        found |= workspace.numbers.history(state).job_names()
    return sorted(found.items(), key=lambda each: each[1])


def _files_of_list(visit: Visit) -> Iterator[Path]:
    for state, _ in visit.workspace.numbers.states():
        yield from _history_files(state)


def _history_files(state: State) -> Iterator[Path]:
    yield state.runs_db
    yield state.runs_db.with_name(f"{state.runs_db.name}-wal")


def show(visit: Visit) -> Response:
    """One run or one attempt, depending on what the number belongs to."""
    found = visit.workspace.numbers.find(visit.id("run"))
    run = read_run(found.records, found.run_id)
    return _show_run(visit, found, run) if found.attempt_id is None else _show_attempt(visit, found, run)


def _show_run(visit: Visit, found: NumberedRun, run: Run) -> Response:
    links = ToPages(found.offset)
    return html(
        visit,
        "run.html",
        title=title_of(run),
        each=section(run, links),
        above=found.records.runs_above(found.records.run(found.run_id)),
        links=links,
        own=f"/runs/{found.number}",
        live=f"/changes/runs/{found.number}",
        stamp="",
        children=list(run.with_descendants())[1:],
        doing=dict(_doing(found.state, run)),
        changes=[change for change in changes_of(run.run_id, found.records, found.state) if change.commits],
        catalog=found.state.catalog,
        repairable=list(_repairable(run)) if can_run_again(run.shape) else [],
    )


def _doing(state: State, run: Run) -> Iterator[tuple[int, Doing]]:
    """What the running attempts of *run* and its child runs are doing, by their ids."""
    for each in run.with_descendants():
        for attempt in _running(each):
            if doing := read_doing(events_file(state, each.run_id, attempt.shape)):
                yield attempt.run_id, doing


def _running(run: Run) -> Iterator[Attempt]:
    if run.is_active:
        yield from (work.last for work in run.works if work.last.is_active)


def _repairable(run: Run) -> Iterator[tuple[str, str, bool]]:
    """The tasks that can run again: key, result, and whether it is selected by default."""
    for work in run.works:
        if not work.is_iteration:
            yield work.task_key, work.last.result, not meaning(work.last.result).is_fine


def _look_of_run(visit: Visit) -> object:
    """A value that changes when something has happened, and every few seconds, since the bars of active tasks grow."""
    return look_of(_files_of_run(visit)), time.monotonic() // GROW_SECONDS


def _files_of_run(visit: Visit) -> Iterator[Path]:
    found = visit.workspace.numbers.find(visit.id("run"))
    yield from _history_files(found.state)
    run = read_run(found.records, found.run_id)
    for each in run.with_descendants():
        for attempt in _running(each):
            yield events_file(found.state, each.run_id, attempt.shape)
            if attempt.run_id == found.attempt_id:
                yield notebook_file(found.state, each.run_id, attempt.shape)


def _show_attempt(visit: Visit, found: NumberedRun, run: Run) -> Response:
    work = next(each for each in run.works if any(attempt.run_id == found.attempt_id for attempt in each.attempts))
    attempt = next(each for each in work.attempts if each.run_id == found.attempt_id)
    recorded = found.records.run(found.run_id)
    place = attempt.notebook or notebook_file(found.state, found.run_id, attempt.shape)
    has_notebook = attempt.notebook is not None or place.exists()
    notebook = Notebooks().html(place) if has_notebook else None
    return html(
        visit,
        "attempt.html",
        title=f"{work.title}, {title_of(run)}",
        run=run,
        attempt=attempt,
        above=[*found.records.runs_above(recorded), recorded],
        work=work,
        links=ToPages(found.offset),
        doing=read_doing(events_file(found.state, found.run_id, attempt.shape)) if attempt.is_active else None,
        notebook=notebook,
        has_failed_cell=notebook is not None and 'id="failed-cell"' in notebook,
        live=f"/changes/runs/{visit.id('run')}",
        stamp="",
    )


def cancel(visit: Visit) -> Response:
    """Ask a run to end."""
    found = visit.workspace.numbers.find_run(visit.id("run"))
    request_cancel(found.records, found.run_id)
    return moved(f"/runs/{found.number}")


def repair(visit: Visit) -> Response:
    """Run tasks of an ended run again: as the API does for deployed jobs, as `runs repair` does for others."""
    found = visit.workspace.numbers.find_run(visit.id("run"))
    recorded = found.records.run(found.run_id)
    tasks = list(visit.values.get("task", ()))
    if not tasks:
        raise wrong_value("No task is chosen. Choose the tasks to run again.")
    dependents = visit.value("dependents") == "yes"
    if visit.workspace.jobs.job(recorded.job_id) or recorded.settings.get("run_type") in WITHOUT_JOB:
        asked = api.Repair(
            run_id=found.number,
            rerun_tasks=tasks,
            rerun_dependent_tasks=dependents,
            latest_repair_id=recorded.repair_count or None,
        )
        api.repair(visit.workspace, asked)
    else:
        options = [] if dependents else ["--no-dependents"]
        command = ["runs", "repair", str(found.run_id), "--target", recorded.target, f"--tasks={','.join(tasks)}"]
        begun = recorded.repair_count + 1
        start_command(
            visit.workspace,
            [*command, *options],
            f"repair-{found.run_id}",
            lambda: found.records.run(found.run_id).repair_count >= begun,
        )
    return moved(f"/runs/{found.number}")
