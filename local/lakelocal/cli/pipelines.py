"""`pipelines`: the pipelines of the bundle, what they are made of, and how their last updates ended."""

import json
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from lakelocal.cli.scope import bundle_of, project_of
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.program import PROGRAM

if TYPE_CHECKING:
    from rich.table import Table

    from lakelocal.bundle import Bundle
    from lakelocal.history.reading import History


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    summary = "list the pipelines of the bundle: their tables' schema, their sources, and their last updates"
    command = add_verb(verbs, "pipelines", pipelines, summary)
    command.add_argument("--json", action="store_true", help="print JSON, one object per pipeline")


def pipelines(options: Namespace) -> int:
    """Print one row per pipeline, in the order of their keys; one that cannot be updated says so."""
    from lakelocal.console import console_for_people
    from lakelocal.history.reading import History  # after the bundle, whose errors are then reported sooner

    bundle = bundle_of(options)
    found = described(bundle, History.of(project_of(options).state(bundle.catalog)))
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        console_for_people().print(table_of(found) if found else f"the bundle `{bundle.name}` has no pipelines")
    return 0


def described(bundle: "Bundle", history: "History") -> list[dict[str, Any]]:
    """The pipelines of *bundle*, with what *history* has of them."""
    from lakelocal.history.updates import Updates
    from lakelocal.lakeflow.findings import show

    updates = Updates(history)
    found = []
    for key, pipeline in sorted(bundle.pipelines.items()):
        last = next(iter(updates.of_pipeline(pipeline.id, limit=1)), None)
        found.append(
            {
                "pipeline": key,
                "pipeline_id": pipeline.id,
                "name": pipeline.name,
                "schema": f"{pipeline.catalog}.{pipeline.schema}",
                "sources": [show(file, bundle.root) for file in pipeline.sources],
                "error": str(pipeline.fault) if pipeline.fault else "",
                "last_update": last
                and {
                    "update_id": last.update_id,
                    "run_id": last.job_run_id,
                    "state": last.state,
                },
            }
        )
    return found


def table_of(found: list[dict[str, Any]]) -> "Table":
    """The pipelines of `described` as a table."""
    from rich.table import Table
    from rich.text import Text

    from lakelocal.lakeflow.update_progress import colour_of

    table = Table(box=None, pad_edge=False)
    for name in ("pipeline", "schema", "sources", "last update"):
        table.add_column(name, justify="right" if name == "sources" else "left", overflow="fold")
    for each in found:
        last = each["last_update"]
        state = Text(f"{last['state']} (run {last['run_id']})", style=colour_of(last["state"])) if last else Text()
        if each["error"]:
            table.add_row(each["pipeline"], Text(f"cannot run: see {PROGRAM} validate", style="red"), "", state)
        else:
            table.add_row(each["pipeline"], each["schema"], str(len(each["sources"])), state)
    return table
