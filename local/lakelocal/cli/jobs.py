"""`jobs`: the jobs of the bundle, what starts them, and how their last runs ended; below them, its pipelines."""

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakelocal.cli import pipelines
from lakelocal.cli.scope import bundle_of, project_of
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.errors import BundleError
from lakelocal.program import PROGRAM

if TYPE_CHECKING:
    from rich.table import Table

    from lakelocal.bundle import Bundle
    from lakelocal.history.reading import History


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    summary = "list the jobs of the bundle: their tasks, their parameters, what starts them, and their last runs"
    command = add_verb(verbs, "jobs", jobs, summary)
    command.add_argument("--json", action="store_true", help="print JSON, one object per job")


def jobs(options: Namespace) -> int:
    """Print one row per job, in the order of their keys; a job with errors says so."""
    from lakelocal.console import console_for_people
    from lakelocal.history.reading import History  # after the bundle, whose errors are then reported sooner

    bundle = bundle_of(options)
    history = History.of(project_of(options).state(bundle.catalog))
    starts = _triggers(bundle)
    found = [_described(bundle, key, history, starts) for key in sorted({*bundle.jobs, *bundle.faults})]
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        console = console_for_people()
        console.print(_table(found) if found else f"the bundle `{bundle.name}` has no jobs")
        if of_pipelines := pipelines.described(bundle, history):
            console.print()
            console.print(pipelines.table_of(of_pipelines))
    return 0


def _described(bundle: "Bundle", key: str, history: "History", starts: Mapping[str, str]) -> dict[str, Any]:
    job = bundle.jobs.get(key)
    runs = history.runs(limit=1, job_id=job.id) if job else []
    return {
        "job": key,
        "name": job.name if job else "",
        "tasks": [task.key for task in job.tasks] if job else [],
        "parameters": dict(job.parameters) if job else {},
        "starts": starts.get(key, ""),
        "errors": len(bundle.faults.get(key, ())),
        "last_run": {"run_id": runs[0].run_id, "result": runs[0].state} if runs else None,
    }


def _triggers(bundle: "Bundle") -> dict[str, str]:
    """What starts each job automatically, in words, by its key."""
    from lakelocal.schedule.report import describe
    from lakelocal.schedule.triggers import scheduled_jobs

    try:
        return {job.key: describe(job) for job in scheduled_jobs(bundle)}
    except BundleError as error:  # an error for `validate` and `schedule`; here it only hides the triggers
        return dict.fromkeys(bundle.jobs, str(error))


def _table(found: list[dict[str, Any]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    from lakelocal.lakeflow.results import colour_of

    table = Table(box=None, pad_edge=False)
    for name in ("job", "tasks", "parameters", "starts", "last run"):
        table.add_column(name, justify="right" if name == "tasks" else "left", overflow="fold")
    for each in found:
        last = each["last_run"]
        result = Text(f"{last['result']} (run {last['run_id']})", style=colour_of(last["result"])) if last else Text()
        if each["errors"]:
            table.add_row(each["job"], "", "", Text(f"cannot run: see {PROGRAM} validate", style="red"), result)
        else:
            names, starts = Text(" ".join(each["parameters"])), Text(each["starts"] or "by hand")
            table.add_row(each["job"], str(len(each["tasks"])), names, starts, result)
    return table
