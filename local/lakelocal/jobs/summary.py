"""What is printed after a run: its tasks, the tables that it changed, why it failed, and what to do next.

In a terminal all of this fits the window if it can: the tables are then listed one by one, or added up by schema.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lakelocal.console import console_for_people, paragraph
from lakelocal.history.api import repair_command, run_shape
from lakelocal.history.reading import History
from lakelocal.history.reasons import shortened
from lakelocal.history.updates import Updates
from lakelocal.jobs.changes import changes_of
from lakelocal.jobs.live import ITERATIONS_SHOWN
from lakelocal.jobs.tables import TableChange
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.results import colour_of, meaning, state_of
from lakelocal.lakeflow.task_types.for_each import input_text
from lakelocal.lakeflow.update_progress import FlowProgress
from lakelocal.lakeflow.update_progress import colour_of as colour_of_flow
from lakelocal.notifications.outbox import Outbox
from lakelocal.program import PROGRAM
from lakelocal.project import State

_LINES_AROUND = 10  # of a terminal: what stands between and below the tables
_REFUSED = "yellow"

Shape = Mapping[str, Any]  # a run or an attempt as `runs/get` shows it


def print_summary(run: Shape, history: History, state: State, console: Console | None = None) -> None:
    """Print the summary of the ended *run*."""
    console = console or console_for_people()
    lines = list(_lines(run, history))
    if lines:
        console.print()
        console.print(_task_table(lines))
    changes = changes_of(run["run_id"], history, state)
    changed = [change for change in changes if change.commits]
    if changed:
        rows = len(lines) + sum(len(line.flows) for line in lines)
        space = console.height - rows - _LINES_AROUND if console.is_terminal else len(changed)
        console.print()
        console.print(change_table(changed) if len(changed) <= space else _schema_table(changed))
    failed = [line for line in lines if "error" in line.attempt and meaning(line.result).failed]
    if len(failed) > 1:  # for one failure, the last lines say everything
        console.print()
        for line in failed:
            text = f"{line.name.strip()}: {shortened(line.attempt['error'])}"
            console.print(paragraph(text, console), style="red", soft_wrap=True)
    notebook = next((line.attempt["output_notebook"] for line in failed if "output_notebook" in line.attempt), None)
    _print_end(run, notebook, changes if lines else [], state, console)


def _print_end(
    run: Shape, notebook: str | None, changes: Sequence[TableChange], state: State, console: Console
) -> None:
    """Print the last lines: how the run ended, the *notebook* that failed, the next commands, and the reason.

    The reason comes last: it is in sight however short the window is.
    """
    result = state_of(run["state"])
    took = duration(run["run_duration"] / 1000)
    console.print(Text(f"\nrun {run['run_id']}:"), Text(result, style=colour_of(result)), Text(f"after {took}"))
    if refused := _refused(run, changes):
        console.print(Text(f"  refused {refused}", style=_REFUSED), soft_wrap=True)
    if notebook:
        console.print(Text(f"  see     {notebook}"), soft_wrap=True)
    for label, command in _ways_on(run, changes, state):
        console.print(Text(f"  {label:<7} {command}"), soft_wrap=True)
    if why := run.get("reason") or run["state"]["state_message"]:
        label = "  why     "
        console.print(paragraph(why, console, label), style="red" if "reason" in run else "", soft_wrap=True)


def _refused(run: Shape, changes: Sequence[TableChange]) -> str:
    """How many rows were refused, and the command that shows those of the table with most; empty if there are none."""
    found = [each for each in changes if each.has_refused_rows and each.inserted]
    if not found:
        return ""
    rows = f"{sum(each.inserted for each in found):,} rows"
    where = f" in {len(found)} tables" if len(found) > 1 else ""
    most = max(found, key=lambda each: each.inserted)
    return f'{rows}{where}: {PROGRAM} sql "SELECT * FROM {most.name}" --target {run["target"]}'


def _ways_on(run: Shape, changes: Sequence[TableChange], state: State) -> Iterator[tuple[str, str]]:
    """Pairs of a label and a command; the target is named, because it need not be the default."""
    which = f"{run['run_id']} --target {run['target']}"
    if changes:
        changed = sum(change.commits > 0 for change in changes)
        yield "tables", f"{PROGRAM} runs tables {which} ({changed} changed, {len(changes) - changed} unchanged)"
    yield "look", f"{PROGRAM} runs open {which}"
    if messages := Outbox(state.outbox).count_since(datetime.fromtimestamp(run["start_time"] / 1000, UTC)):
        yield "read", f"{PROGRAM} outbox --target {run['target']} ({messages} new message{'s' * (messages != 1)})"
    if repair := repair_command(run):
        yield "repair", repair


@dataclass(frozen=True)
class _Line:
    """A task as a row of the table: its last *attempt*, after *earlier* others, *depth* levels of jobs down.

    *remark* is what there is to say about it besides its result, *flows* are those of a pipeline that deserve a row.
    """

    depth: int
    attempt: Shape
    earlier: int = 0
    remark: str = ""
    flows: Sequence[FlowProgress] = ()

    @property
    def result(self) -> str:
        return state_of(self.attempt["state"])

    @property
    def name(self) -> str:
        """The key of the task; for an iteration, with its index and input, indented below the for-each task."""
        iteration = self.attempt.get("iteration")
        if not iteration:
            return f"{self.attempt['task_key']}"
        return f"  {self.attempt['task_key']}[{iteration['index']}] {input_text(iteration['input'])}"


def _lines(run: Shape, history: History, depth: int = 0) -> Iterator[_Line]:
    """The tasks of *run*, in the order in which they began; those of a child run follow the task that started it."""
    order = list(dict.fromkeys(_place(attempt)[0] for attempt in run["tasks"]))
    attempts = sorted(run["tasks"], key=lambda each: (order.index(_place(each)[0]), *_place(each)[1:]))
    tasks = [list(group) for _, group in groupby(attempts, key=lambda each: _place(each)[:2])]
    for _, group in groupby(tasks, key=lambda attempts: _place(attempts[0])[0]):
        task, *iterations = group
        yield _line(depth, task, history, _counted([each[-1] for each in iterations]))
        for attempts in iterations:
            if len(iterations) <= ITERATIONS_SHOWN or not meaning(state_of(attempts[-1]["state"])).is_fine:
                yield _line(depth, attempts, history)
        if child := task[-1].get("run_job_output"):
            yield from _lines(run_shape(history, child["run_id"]), history, depth + 1)


def _line(depth: int, attempts: Sequence[Shape], history: History, remark: str = "") -> _Line:
    last = attempts[-1]
    remark = remark or last.get("condition_task", {}).get("outcome", "")
    if "pipeline_update" not in last:
        return _Line(depth, last, len(attempts) - 1, remark)
    progress = Updates(history).progress(last["pipeline_update"]["update_id"])
    return _Line(depth, last, len(attempts) - 1, remark or progress.said, progress.notable())


def _place(attempt: Shape) -> tuple[str, int, int]:
    """The sort key of an attempt: its task, then the iterations of a for-each task by index."""
    iteration = attempt.get("iteration") or {"for_each_task_key": attempt["task_key"], "index": -1}
    return iteration["for_each_task_key"], iteration["index"], attempt["attempt_number"]


def _counted(iterations: Sequence[Shape]) -> str:
    """`26 iterations, 1 failed`; empty if there are none."""
    if not iterations:
        return ""
    failed = sum(not meaning(state_of(each["state"])).is_fine for each in iterations)
    return f"{len(iterations)} iterations{f', {failed} failed' if failed else ''}"


def _task_table(lines: Sequence[_Line]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("task", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("notebook", overflow="fold")
    for line in lines:
        notebook = "/".join(line.attempt.get("output_notebook", "").rsplit("/", 2)[1:])
        attempts = f"{line.earlier + 1} attempts" if line.earlier else ""
        table.add_row(
            Text("  " * line.depth + line.name),
            Text(line.result, style=colour_of(line.result)),
            duration(line.attempt["run_duration"] / 1000),
            Text(", ".join(text for text in (notebook, line.remark, attempts) if text)),
        )
        for flow in line.flows:
            table.add_row(
                Text("  " * (line.depth + 1) + flow.short_name),
                Text(flow.state, style=colour_of_flow(flow.state)),
                duration(flow.seconds(flow.ended)) if flow.started else "",
                Text(flow.said),
            )
    return table


def change_table(changes: Sequence[TableChange]) -> Table:
    """*changes*, one table a row; those with refused rows are marked."""
    table = _table("table", "rows now", "version")
    for change in changes:
        rows = "?" if change.rows is None else f"{change.rows:,}"
        table.add_row(Text(change.name), *_counts([change]), rows, str(change.version), style=_style([change]))
    return table


def _schema_table(changes: Sequence[TableChange]) -> Table:
    """*changes*, one schema a row; tables with refused rows are a row of their own."""
    table = _table("schema", "tables changed")
    in_order = sorted(changes, key=lambda change: (change.schema, change.has_refused_rows))
    for (schema, refused), group in groupby(in_order, key=lambda change: (change.schema, change.has_refused_rows)):
        tables = list(group)
        name = f"{schema}, rows refused" if refused else schema
        table.add_row(Text(name), *_counts(tables), str(len(tables)), style=_style(tables))
    return table


def _table(first: str, *last: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in ("inserted", "updated", "deleted", *last):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _counts(changes: Sequence[TableChange]) -> Iterator[str]:
    for name in ("inserted", "updated", "deleted"):
        total = sum(getattr(change, name) for change in changes)
        yield f"{total:,}" if total else "-"


def _style(changes: Sequence[TableChange]) -> str:
    return _REFUSED if any(change.has_refused_rows and change.inserted for change in changes) else ""
