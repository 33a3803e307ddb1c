"""`run`: run a job of the bundle to its end."""

import argparse
import json
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakelocal.cli.refresh import add_refresh, with_refresh
from lakelocal.cli.scope import bundle_of, parameters_of, project_of, variables_of
from lakelocal.cli.values import moment
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.compute import REMOTE, WORKSPACE
from lakelocal.errors import UsageError
from lakelocal.lakeflow.trigger_events import TriggerEvent
from lakelocal.pool.forks import Template, template_ahead

if TYPE_CHECKING:
    from lakelocal.bundle import Bundle
    from lakelocal.jobs.command import RunOptions


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    command = add_verb(verbs, "run", run, "run a job of the bundle, with its parameters, retries and timeouts")
    command.add_argument(
        "job",
        nargs="?",
        help="the key of a job, for example daily, of a pipeline, or of a script; optional if the bundle has one job",
    )
    add_values(command)
    command.add_argument(
        "--only", metavar="TASKS", help="run only these tasks: a,b; +a and all that it needs, a+ and all that needs it"
    )
    add_checks(command)
    add_remote(command)
    command.add_argument(
        "--scheduled-at", type=moment, metavar="TIME", help="run as its schedule would at this time (ISO 8601)"
    )
    command.add_argument(
        "--trigger-event", type=_event, metavar="JSON", help="run as the job's trigger would after this event"
    )
    command.add_argument(
        "--before", type=Path, metavar="NOTEBOOK", help="run this notebook first, once per state folder"
    )
    command.add_argument(
        "--check", type=Path, metavar="NOTEBOOK",
        help="run this notebook before anything else, with the run's parameters and --var; if it fails, nothing runs",
    )  # fmt: skip
    add_refresh(command)
    command.add_argument("--json", action="store_true", help="print the run as `runs get` of the Jobs API shows it")


def _event(text: str) -> TriggerEvent:
    try:
        return TriggerEvent.of(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        expected = '{"location": URL, "updated": [TABLE], "tables": {TABLE: {"version": N, "committed_ms": MS}}}'
        raise argparse.ArgumentTypeError(f"found {text[:80]!r}; expected {expected}") from error


def add_values(command: argparse.ArgumentParser, parameter: str = "a job parameter; may be repeated") -> None:
    """Add the options of every verb that starts runs, for values of parameters and variables."""
    command.add_argument("--param", action="append", default=[], metavar="K=V", help=parameter)
    command.add_argument("--var", action="append", default=[], metavar="K=V", help="a bundle variable; may be repeated")


def add_checks(command: argparse.ArgumentParser) -> None:
    """Add the options of every verb that starts runs, for what is refused."""
    command.add_argument(
        "--strict",
        action="store_true",
        help="refuse what is otherwise left out with a warning: unknown fields, parameters that no notebook takes",
    )
    command.add_argument("--skip-unsupported", action="store_true", help="skip tasks whose type does not run locally")


def add_remote(command: argparse.ArgumentParser) -> None:
    """Add the option of every verb that needs Spark, for where Spark runs."""
    command.add_argument(
        "--remote", nargs="?", const=WORKSPACE, metavar="URL",
        help=f"run Spark at this Spark Connect URL, or without a URL in the Databricks workspace of the environment; "
        f"a URL with a token is better given as {REMOTE}, because everyone on the machine can see a command line",
    )  # fmt: skip


def run_options(options: Namespace, **more: Any) -> "RunOptions":
    """`RunOptions` from the options of `add_checks` and `add_remote`, and *more*; the server is started ahead."""
    from lakelocal.jobs.command import RunOptions

    return RunOptions(
        strict=options.strict,
        skip_unsupported=options.skip_unsupported,
        json=options.json,
        remote=options.remote,
        start_ahead=True,
        **more,
    )


def run(options: Namespace) -> int:
    """Run a job to its end; the exit code says how it ended."""
    with template_ahead() as template:
        return _run(options, template)


def _run(options: Namespace, template: Template | None) -> int:
    from lakelocal.jobs.command import exit_code, run_job  # imported here, while the template imports too

    variables = variables_of(options)
    bundle = bundle_of(options, variables)
    if options.job in bundle.scripts:
        return _run_script(bundle, options)
    bundle = with_refresh(bundle, options)
    state = project_of(options).state(bundle.catalog)
    parameters = parameters_of(options)
    given = {
        "only": options.only,
        "scheduled_at": options.scheduled_at,
        "event": options.trigger_event,
        "before": _notebook("--before", options.before),
        "check": _notebook("--check", options.check),
        "variables": variables,
        "template": template,
    }
    job = options.job or bundle.only_job().key
    shape = run_job(bundle, job, state=state, parameters=parameters, options=run_options(options, **given))
    if options.json:
        print(json.dumps(shape, indent=1, ensure_ascii=False))
    return exit_code(shape)


def _run_script(bundle: "Bundle", options: Namespace) -> int:
    from lakelocal.cli.script import run_script  # imported here, because scripts are rare

    if options.param or options.only:
        raise UsageError(
            f"run {options.job}: found --param or --only; a script takes neither. Give it values by environment "
            "variables, or by `env` in the bundle."
        )
    return run_script(bundle, bundle.script(options.job))


def _notebook(option: str, given: Path | None) -> Path | None:
    """The absolute path of the notebook that *option* names; None if it names none."""
    if given and not given.is_file():
        raise UsageError(f"{option}: found no notebook `{given}`. Correct its path.")
    return given.resolve() if given else None
