"""What is printed after a run: its tasks with durations, the tables that it changed, and where its notebooks are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lakelocal.compute import state_warehouse
from lakelocal.console import console_for_people
from lakelocal.history.api import run_shape
from lakelocal.history.reading import History
from lakelocal.history.reasons import shortened
from lakelocal.history.records import now_ms
from lakelocal.jobs.tables import TableChange, table_changes
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.results import colour_of, state_of
from lakelocal.notifications.outbox import Outbox
from lakelocal.program import PROGRAM
from lakelocal.project import State


def print_summary(run: Mapping[str, Any], history: History, state: State, console: Console | None = None) -> None:
    """Print the summary of the ended *run* (its `runs/get` shape)."""
    console = console or console_for_people()
    lines = list(_lines(run, history))
    if lines:
        console.print()
        console.print(_attempt_table(lines))
    changes = changes_of(run, state)
    if any(change.commits for change in changes):
        console.print()
        console.print(_change_table(changes))
    unchanged = [change.name for change in changes if not change.commits]
    if lines and unchanged:
        console.print(f"\nunchanged: {', '.join(unchanged)}", soft_wrap=True)
    failed = [line.attempt for line in lines if line.counts and "error" in line.attempt]
    if len(failed) > 1:  # for one failure, the last lines say everything
        console.print()
    for attempt in failed if len(failed) > 1 else []:
        console.print(Text(f"{_name(attempt).strip()}: {shortened(attempt['error'])}", style="red"), soft_wrap=True)
    _print_end(run, next((each.get("output_notebook") for each in failed), None), state, console)


def changes_of(run: Mapping[str, Any], state: State) -> list[TableChange]:
    """What *run* (its `runs/get` shape) did, or has done so far, to each table; nothing if no table can be seen."""
    tables = state_warehouse.tables_folder(state)
    until = run["end_time"] or now_ms()
    return table_changes(tables, since_ms=run["start_time"], until_ms=until) if tables else []


def _print_end(run: Mapping[str, Any], notebook: str | None, state: State, console: Console) -> None:
    """Print the last lines: how the run ended, why, the *notebook* that failed, and the next commands."""
    result = state_of(run["state"])
    took = duration((run["end_time"] - run["start_time"]) / 1000)
    console.print(Text(f"\nrun {run['run_id']}:"), Text(result, style=colour_of(result)), Text(f"after {took}"))
    if why := run.get("reason") or run["state"]["state_message"]:
        console.print(Text(f"  why     {why}", style="red" if "reason" in run else ""), soft_wrap=True)
    if notebook:
        console.print(Text(f"  see     {notebook}"), soft_wrap=True)
    for label, command in _ways_on(run, state):
        console.print(Text(f"  {label:<7} {command}"), soft_wrap=True)


def _ways_on(run: Mapping[str, Any], state: State) -> Iterator[tuple[str, str]]:
    """Pairs of a label and a command; the target is named, because it need not be the default."""
    which = f"{run['run_id']} --target {run['target']}"
    yield "look", f"{PROGRAM} runs open {which}"
    if "reason" in run and run["tasks"]:
        yield "repair", f"{PROGRAM} runs repair {which}"
    if messages := Outbox(state.outbox).count_since(datetime.fromtimestamp(run["start_time"] / 1000, UTC)):
        yield "read", f"{PROGRAM} outbox --target {run['target']} ({messages} new message{'s' * (messages != 1)})"


@dataclass(frozen=True)
class _Line:
    """An attempt as a row of the table, *depth* levels of jobs down; *counts*: no later attempt replaced it."""

    depth: int
    attempt: Mapping[str, Any]
    counts: bool


def _lines(run: Mapping[str, Any], history: History, depth: int = 0, counts: bool = True) -> Iterator[_Line]:
    """All attempts of *run*, grouped by task; those of a child run follow the task that started it."""
    order = list(dict.fromkeys(_place(attempt)[0] for attempt in run["tasks"]))
    last = {_place(attempt)[:2]: attempt["run_id"] for attempt in run["tasks"]}
    for attempt in sorted(run["tasks"], key=lambda each: (order.index(_place(each)[0]), *_place(each)[1:])):
        own = counts and last[_place(attempt)[:2]] == attempt["run_id"]
        yield _Line(depth, attempt, own)
        if child := attempt.get("run_job_output"):
            yield from _lines(run_shape(history, child["run_id"]), history, depth + 1, own)


def _place(attempt: Mapping[str, Any]) -> tuple[str, int, int]:
    """The sort key of an attempt: its task, then the iterations of a for-each task by index."""
    iteration = attempt.get("iteration") or {"for_each_task_key": attempt["task_key"], "index": -1}
    return iteration["for_each_task_key"], iteration["index"], attempt["attempt_number"]


def _attempt_table(lines: list[_Line]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("task", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("notebook", overflow="fold")
    for line in lines:
        attempt = line.attempt
        result = state_of(attempt["state"])
        number = f" (attempt {attempt['attempt_number']})" if attempt["attempt_number"] else ""
        notebook = attempt.get("output_notebook", "")
        table.add_row(
            Text("  " * line.depth + _name(attempt) + number),
            Text(result, style=colour_of(result)),
            duration(attempt["run_duration"] / 1000),
            Text("/".join(notebook.rsplit("/", 2)[1:])),
        )
    return table


def _name(attempt: Mapping[str, Any]) -> str:
    """The key of the task; for an iteration, with its index, indented below the for-each task."""
    iteration = attempt.get("iteration")
    return f"  {attempt['task_key']}[{iteration['index']}]" if iteration else attempt["task_key"]


def _change_table(changes: list[TableChange]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("table", no_wrap=True)
    for name in ("inserted", "updated", "deleted", "rows now", "version"):
        table.add_column(name, justify="right", no_wrap=True)
    for change in changes:
        if change.commits:
            rows = "?" if change.rows is None else f"{change.rows:,}"
            counts = (f"{n:,}" if n else "-" for n in (change.inserted, change.updated, change.deleted))
            table.add_row(Text(change.name), *counts, rows, str(change.version))
    return table
