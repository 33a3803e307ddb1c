"""The table of `runs list`: one row per run, with the runs that it started below it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from lakelocal.history.records import now_ms
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.results import colour_of, state_of

Shape = Mapping[str, Any]  # a run as `runs/list` shows it


def run_table(shapes: Sequence[Shape], *, limit: int) -> Table:
    """The newest *limit* runs that no other run started, newest first, with their child runs.

    *shapes* are all runs, newest first. Parameters with their default value are left out.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("job", overflow="ellipsis", no_wrap=True)
    table.add_column("started (UTC)", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("parameters", overflow="ellipsis", no_wrap=True)
    for depth, shape in _in_families(shapes, limit):
        result = state_of(shape["state"])
        table.add_row(
            str(shape["run_id"]),
            Text("  " * depth + str(shape["run_name"])),
            datetime.fromtimestamp(shape["start_time"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            duration(shape.get("run_duration", now_ms() - shape["start_time"]) / 1000),
            Text(result, style=colour_of(result)),
            Text("" if depth else _parameters(shape)),
        )
    return table


def _in_families(shapes: Sequence[Shape], limit: int) -> Iterator[tuple[int, Shape]]:
    """Each run with its depth; child runs follow their parent in the order in which they began."""
    known = {shape["run_id"] for shape in shapes}
    children: dict[int, list[Shape]] = {}
    for shape in reversed(shapes):
        children.setdefault(shape.get("parent_run_id", 0), []).append(shape)

    def family(shape: Shape, depth: int) -> Iterator[tuple[int, Shape]]:
        yield depth, shape
        for child in children.get(shape["run_id"], []):
            yield from family(child, depth + 1)

    for shape in [shape for shape in shapes if shape.get("parent_run_id", 0) not in known][:limit]:
        yield from family(shape, 0)


def _parameters(shape: Shape) -> str:
    differing = [each for each in shape["job_parameters"] if each["value"] != each["default"]]
    return " ".join(f"{each['name']}={each['value']}" for each in differing)
