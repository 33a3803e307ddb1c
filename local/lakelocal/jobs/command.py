"""What the command line calls: run a job and show its progress, and show recorded runs."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakelocal.compute import Compute, compute_of
from lakelocal.errors import LocalError
from lakelocal.history.api import run_list, run_shape
from lakelocal.history.reading import History
from lakelocal.history.records import Records
from lakelocal.interrupts import on_interrupt
from lakelocal.jobs.attempts import Engine
from lakelocal.jobs.checks import check_run, speaks_of_spark
from lakelocal.jobs.listener import Listener
from lakelocal.jobs.new_run import Origin
from lakelocal.jobs.notebooks_beside import run_check
from lakelocal.jobs.prepare import prepare
from lakelocal.jobs.run import JobRun
from lakelocal.jobs.selection import select_tasks
from lakelocal.jobs.stop import Stop
from lakelocal.jobs.summary import print_summary
from lakelocal.jobs.views import Lines, Silent, View
from lakelocal.lakeflow.model import Bundle, Job
from lakelocal.lakeflow.parameters import job_parameters
from lakelocal.lakeflow.references import NO_WORKSPACE, WorkspaceAddress
from lakelocal.lakeflow.results import meaning
from lakelocal.lakeflow.trigger_events import TriggerEvent
from lakelocal.notifications.notifier import notifying
from lakelocal.pipes import print_line
from lakelocal.pool.forks import Template
from lakelocal.pool.pool import Pool
from lakelocal.project import State


@dataclass(frozen=True)
class RunOptions:
    """How a run is started and shown.

    *only* is the comma-separated task list of a partial run. *strict* refuses a parameter that its notebook does
    not take; *skip_unsupported* skips tasks whose type cannot run here. *scheduled_at* is the time (with a zone)
    for which a schedule starts the run, whose trigger is then PERIODIC; *event* is what happened, if it waited for
    that. *listeners* are notified of runs and attempts, in addition to the notifications that the jobs configure.
    *json* prints nothing at all: the caller prints the run. *remote* says where Spark runs (see
    `lakelocal.compute`; None: as the environment says). *start_ahead* starts the server in the background, before
    the first kernel needs it, if a notebook of the run refers to Spark. *before* is a notebook that must run once
    in each state folder; *check* is one that refuses wrong parameters before anything else runs: it gets the
    parameters of the run, and *variables*, the bundle variables that the user set. *template* is a process for
    attempts that has already begun its imports; the run ends it. *pool* provides processes for several runs instead
    of the run's own pool; the caller who created it closes it. *workspace* is the one that serves the run.
    """

    only: str | None = None
    strict: bool = False
    skip_unsupported: bool = False
    scheduled_at: datetime | None = None
    event: TriggerEvent | None = None
    json: bool = False
    listeners: Sequence[Listener] = ()
    remote: str | None = None
    start_ahead: bool = False
    before: Path | None = None
    check: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    template: Template | None = None
    pool: Pool | None = None
    workspace: WorkspaceAddress = NO_WORKSPACE


def run_job(
    bundle: Bundle,
    job_key: str,
    *,
    state: State,
    parameters: Mapping[str, str] | None = None,
    options: RunOptions | None = None,
) -> dict[str, Any]:
    """Run the job *job_key* to its end and return the run as `runs/get` shows it.

    Ctrl-C (or SIGTERM) stops everything: the run is then CANCELED and none of its processes is left running.

    Raises:
        UsageError: unknown job, parameter or task, or a job that cannot run here; raised before anything runs.
    """
    options = options or RunOptions()
    job = bundle.job(job_key)
    values = job_parameters(job, parameters or {})
    only = select_tasks(job, options.only) if options.only else None
    scheduled = options.scheduled_at
    warnings = check_run(
        bundle,
        job,
        parameters=values,
        only=only,
        strict=options.strict,
        skip_unsupported=options.skip_unsupported,
        scheduled=scheduled is not None,
        event=options.event,
    )
    origin = Origin("PERIODIC", scheduled=scheduled.astimezone(UTC)) if scheduled else Origin()
    if options.event:
        origin = Origin(options.event.type, event=options.event)

    def checked(run: JobRun, stop: Stop) -> None:
        if options.check:
            run_check(run, options.check, options.variables, stop)
        prepare(run, stop)

    def work(engine: Engine, stop: Stop) -> int:
        run = JobRun.new(engine, job, values, only=only, origin=origin, before=options.before)
        run.execute(stop, checked)
        return run.run_id

    return watched(bundle, job, warnings, work, state=state, options=options)


def watched(
    bundle: Bundle,
    job: Job,
    warnings: Iterable[str],
    work: Callable[[Engine, Stop], int],
    *,
    state: State,
    options: RunOptions,
) -> dict[str, Any]:
    """Report the *warnings* about *job*, do *work*, which returns a run id, and return that run; Ctrl-C stops it."""
    with engine_of(bundle, job, state, options) as (engine, stop):
        say_warnings(engine, warnings)
        run_id = work(engine, stop)
    shape = run_shape(engine.records, run_id)
    if not options.json:
        print_summary(shape, engine.records, state)
    return shape


def say_warnings(engine: Engine, warnings: Iterable[str]) -> None:
    """Report what the user should know before the job runs."""
    for warning in warnings:
        engine.view.note(f"warning: {warning}")


@contextlib.contextmanager
def engine_of(bundle: Bundle, job: Job, state: State, options: RunOptions) -> Iterator[tuple[Engine, Stop]]:
    """What runs of *job* need: the engine, closed at the end, and the stop that Ctrl-C and SIGTERM request."""
    view = _view(options.json)
    stop = Stop()
    spark = speaks_of_spark(bundle, job)
    state = replace(state, files=bundle.files)
    compute = compute_of(state.make(), options.remote)
    pool = options.pool or Pool(
        state.logs / "pool.log", spark=spark, more=compute.libraries, note=view.note, template=options.template
    )
    if spark and options.start_ahead:
        # No daemon: a server whose start was cut off before it was recorded would be lost, and could not be stopped.
        threading.Thread(target=_warm_up, args=(compute,)).start()

    def end() -> None:
        if stop.reason is None:
            view.note("stopping: ending every task; notebooks are saved as far as they ran")
        stop.request("CANCELED")

    try:
        with (
            contextlib.nullcontext(pool) if options.pool else pool,
            notifying(bundle, state, view.note) as notifiers,
            on_interrupt(end),
        ):
            listeners = (*notifiers, *options.listeners)
            records, skips = Records.of(state), options.skip_unsupported
            yield Engine(bundle, compute, records, view, pool, spark, listeners, skips, options.workspace), stop
    finally:
        view.close()


def get_run(state: State, run_id: int) -> dict[str, Any]:
    """A recorded run as `runs/get` shows it.

    Raises:
        RunError: there is no such run.
    """
    return run_shape(History.of(state), run_id)


def list_runs(
    state: State, *, limit: int | None = 20, active_only: bool = False, job_id: int | None = None
) -> list[dict[str, Any]]:
    """The newest runs first, as `runs/list` shows them; all without a *limit*."""
    return run_list(History.of(state), limit=limit, active_only=active_only, job_id=job_id)


def exit_code(run: Mapping[str, Any]) -> int:
    """The exit code for *run*: 0 if it ended with SUCCESS or SUCCESS_WITH_FAILURES, otherwise 1."""
    return 0 if meaning(run["state"].get("result_state")).succeeded else 1


def _view(json: bool) -> View:
    if json:
        return Silent()
    if sys.stdout.isatty():
        from lakelocal.jobs.live import Live

        return Live()
    return Lines(print_line)


def _warm_up(compute: Compute) -> None:
    with contextlib.suppress(LocalError):  # the attempt that needs Spark reports and records the error
        compute.warm_up()
