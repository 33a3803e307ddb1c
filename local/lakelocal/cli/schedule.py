"""`schedule`: run the jobs of the bundle when they are due, print when that is, or simulate it."""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from lakelocal.bundle import Bundle, load_bundle, target_names
from lakelocal.cli.scope import bundle_of, project_of, variables_of
from lakelocal.cli.values import at_least_one, interval, moment, span_of_job
from lakelocal.cli.verbs import Verbs
from lakelocal.errors import BundleError, UsageError
from lakelocal.near_names import near_name
from lakelocal.program import PROGRAM

NEXT = "next"
TIMES = 10
DESCRIPTION = f"""\
Run the jobs of a target when they are due, as Databricks does: time zone, pause_status, max_concurrent_runs and
queue are honoured. It stays in the foreground; Ctrl-C ends it, and the runs that it started continue.

  {PROGRAM} schedule --target prod               all jobs of the target that have a trigger
  {PROGRAM} schedule daily                       only this job
  {PROGRAM} schedule next daily -n 10            its next times, in UTC and in its time zone
  {PROGRAM} schedule --simulate 400d             what would happen, in all targets; nothing runs

A periodic trigger counts from the start of the scheduler. A continuous job starts again when its run has ended.
Triggers on files or tables are not scheduled here. Firings that were due while no scheduler ran are not made up, and a
changed bundle takes effect at the next start. Two schedulers at the same time do not fire a job twice.
"""


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    parser = verbs.add_parser(
        "schedule",
        help="run jobs when they are due; `next` prints their next times; --simulate, what would happen",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=schedule)
    parser.add_argument("jobs", nargs="*", metavar="[next] JOB", help="keys of jobs (default: all jobs with a trigger)")
    parser.add_argument("--target", metavar="T", help="target of the bundle; --simulate uses all by default")
    parser.add_argument("--var", action="append", default=[], metavar="K=V", help="a bundle variable; may be repeated")
    parser.add_argument("--stop-runs", action="store_true", help="at the end, cancel the runs that it started")
    parser.add_argument(
        "--simulate", type=interval, metavar="TIME", help="simulate this period, such as 7d or 36h; nothing runs"
    )
    parser.add_argument(
        "--from",
        dest="start",
        type=moment,
        metavar="WHEN",
        help="for next and --simulate: the start, in ISO 8601, in UTC if it has no offset",
    )
    parser.add_argument(
        "--assume",
        action="append",
        default=[],
        type=span_of_job,
        metavar="JOB=TIME",
        help="for --simulate: how long the runs of a job last",
    )
    parser.add_argument("-n", type=at_least_one, metavar="N", help=f"for next: how many times (default {TIMES})")
    parser.add_argument("--json", action="store_true", help="for next and --simulate: print JSON")


def schedule(options: argparse.Namespace) -> int:
    """Do what the options ask for."""
    if options.jobs[:1] == [NEXT]:
        _check_options(options, "`schedule next`", "--from", "-n", "--json")
        return _next(options)
    if options.simulate is not None:
        _check_options(options, "a simulation", "--simulate", "--from", "--assume", "--json")
        return _simulate(options)
    _check_options(options, "a scheduler", "--stop-runs")
    return _run(options)


def _check_options(options: argparse.Namespace, what: str, *allowed: str) -> None:
    """Refuse options that would have no effect."""
    given = {
        "--stop-runs": options.stop_runs,
        "--simulate": options.simulate,
        "--from": options.start,
        "--assume": options.assume,
        "-n": options.n,
        "--json": options.json,
    }
    if stray := [name for name, value in given.items() if value and name not in allowed]:
        raise UsageError(f"schedule: found {stray[0]}; {what} takes {', '.join(allowed)}. Leave it out.")


def _refuse_misspelt_next(jobs: list[str], bundle: Bundle) -> None:
    """Refuse a first word that is no job but nearly `next`: a message about jobs would not help."""
    if jobs and jobs[0] not in bundle.jobs and near_name(jobs[0], [NEXT]):
        raise UsageError(f"schedule: found no job `{jobs[0]}`. Did you mean `{PROGRAM} schedule {NEXT} JOB`?")


def _run(options: argparse.Namespace) -> int:
    from lakelocal.schedule.command import run_scheduler

    bundle = bundle_of(options, variables_of(options))
    _refuse_misspelt_next(options.jobs, bundle)
    run_scheduler(
        bundle,
        options.jobs,
        state=project_of(options).state(bundle.catalog),
        run_options=[f"--var={each}" for each in options.var],
        stop_runs=options.stop_runs,
    )
    return 0


def _next(options: argparse.Namespace) -> int:
    from lakelocal.schedule import report, scheduled_jobs

    if len(options.jobs) != 2:
        raise UsageError(f"schedule next: found {len(options.jobs) - 1} jobs; expected one. Write `schedule next JOB`.")
    (job,) = scheduled_jobs(bundle_of(options, variables_of(options)), options.jobs[1:])
    times = report.next_times(job, _start(options), options.n or TIMES)
    if options.json:
        print(json.dumps(report.next_json(job, times), indent=1))
    else:
        _print(f"{job.key}, target {job.target}: {report.describe(job)}", report.next_table(job, times))
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from lakelocal.schedule.command import simulation

    start = _start(options)
    found = simulation(
        [(bundle, project_of(options).state(bundle.catalog)) for bundle in _bundles(options)],
        options.jobs,
        start=start,
        until=start + options.simulate,
        given=dict(options.assume),
    )
    if options.json:
        print(json.dumps(found.as_json(), indent=1))
    else:
        firings = found.firings()
        _print(*([firings, ""] if firings.row_count else []), found.summary())
    return 0


def _bundles(options: argparse.Namespace) -> Iterator[Bundle]:
    """The bundle for `--target`, or for each target in turn."""
    project = project_of(options)
    for target in [options.target] if options.target else target_names(project):
        try:
            yield load_bundle(project, target=target, variables=variables_of(options))
        except BundleError as error:
            raise BundleError(f"Target `{target}`: {error}") from error


def _print(*parts: object) -> None:
    from lakelocal.console import console_for_people

    console = console_for_people()
    for part in parts:
        console.print(part)


def _start(options: argparse.Namespace) -> datetime:
    """The time given by `--from`, or the current time."""
    return options.start or datetime.now(UTC).replace(microsecond=0)
