"""The task graph of a run as boxes and lines: each task shows its state, its duration and the tasks of its child runs.

`run_if` and `outcome` are shown if they are not the default. The template `graph.svg` draws it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from lakelocal.history.recorded import Run, Work
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.results import meaning
from lakelocal.pages.layout import Box, layered
from lakelocal.pages.links import Links

_WIDTH, _HEIGHT = 230, 50
_PADDING = 12  # around the tasks of a child run, and beside the text in a box
MARGIN = 22  # above and below the drawing, for the text above a box
NAME_LETTER, LETTER = 7.6, 6.6  # pixels of a small letter in a name, and in the lines below it
_CAPITAL, _NARROW = 1.25, 0.55  # how much wider a capital is, and a space or a comma
DEFAULT_RUN_IF = "ALL_SUCCESS"


@dataclass(frozen=True)
class Task:
    """A task of the graph; *depends_on* is as in the job; *work* is None if the task has not begun."""

    key: str
    depends_on: Sequence[Mapping[str, Any]]
    run_if: str
    work: Work | None
    iterations: int = 0

    @property
    def result(self) -> str:
        return self.work.last.result if self.work else "PENDING"


@dataclass(frozen=True)
class Node:
    """A task or a dataset as a box. *name*, *state* and *more*, one below the other, are cut to its width.

    *title* is the full text; *inner* is the graph of the run that the task started.
    """

    box: Box
    name: str
    state: str
    title: str
    tone: str
    run_if: str
    href: str
    inner: "Graph | None"
    more: str = ""


@dataclass(frozen=True)
class Line:
    """A dependency: an SVG *path*, and the *outcome* that it requires, written at *x*, *y*."""

    path: str
    tip: str
    outcome: str
    x: float
    y: float


@dataclass(frozen=True)
class Graph:
    """A drawing of *width* by *height* pixels."""

    label: str
    width: float
    height: float
    nodes: Sequence[Node]
    lines: Sequence[Line]


def tasks_of(run: Run) -> list[Task]:
    """The tasks that ran or may still run, in the order of the job.

    Tasks that have not begun, or that a repair has yet to run again, come from the job's settings. For a run that has
    ended, only recorded tasks are included.
    """
    begun = [work for work in run.works if not work.awaited]
    works = {work.task_key: work for work in begun if not work.is_iteration}
    defined = {task["task_key"]: task for task in run.tasks}
    counted: dict[str, int] = {}
    for work in begun:
        if work.is_iteration:
            counted[work.outer_key] = counted.get(work.outer_key, 0) + 1
    shapes = {**(defined if run.is_active else {}), **{key: work.last.shape for key, work in works.items()}}
    order = {key: at for at, key in enumerate(defined)}
    return [
        Task(
            key,
            shape.get("depends_on") or [],
            shape.get("run_if") or DEFAULT_RUN_IF,
            works.get(key),
            counted.get(key, 0),
        )
        for key, shape in sorted(shapes.items(), key=lambda each: order.get(each[0], len(order)))
    ]


def graph(run: Run, links: Links) -> Graph:
    """The graph of *run*; a task that started runs contains their graphs."""
    tasks = tasks_of(run)
    inner = {task.key: graph(child, links) for task in tasks if task.work and (child := task.work.last.child)}
    needs = {(each["task_key"], task.key): each for task in tasks for each in task.depends_on}
    layout = layered({task.key: _size(inner.get(task.key)) for task in tasks}, needs)
    nodes = [_node(run, task, layout.nodes[task.key], inner.get(task.key), links) for task in tasks]
    lines = [line_between(boxes, needs[edge].get("outcome", "")) for edge, boxes in layout.edges.items()]
    return Graph(f"Task graph of run {run.run_id}", layout.width + 2, layout.height + 2 * MARGIN, nodes, lines)


def _size(inner: Graph | None) -> tuple[float, float]:
    if inner is None or not inner.nodes:
        return _WIDTH, _HEIGHT
    return max(_WIDTH, inner.width + 2 * _PADDING), _HEIGHT + inner.height


def _node(run: Run, task: Task, place: Box, inner: Graph | None, links: Links) -> Node:
    box = Box(place.left + 1, place.top + MARGIN, place.width, place.height)
    said = list(_said(run, task))
    return Node(
        box=box,
        name=clipped(task.key, box.width - 2 * _PADDING, NAME_LETTER),
        state=clipped(", ".join(said), box.width - 2 * _PADDING),
        title=f"{task.key}: {', '.join(said)}",
        tone=meaning(task.result).tone,
        run_if=task.run_if if task.run_if != DEFAULT_RUN_IF else "",
        href=links.attempt(task.work.last) if task.work else "",
        inner=inner if inner and inner.nodes else None,
    )


def _said(run: Run, task: Task) -> Iterator[str]:
    """The state, the duration, and the number of attempts or iterations."""
    yield task.result
    if task.work and task.work.last.ran:
        yield duration(run.seconds(task.work.last.shape))
    if task.work and len(task.work.attempts) > 1:
        yield f"{len(task.work.attempts)} attempts"
    if task.work and task.work.last.child:
        yield f"run {task.work.last.child.run_id}"
    if task.iterations:
        yield f"{task.iterations} iteration{'s' if task.iterations > 1 else ''}"
    if task.work and task.work.last.update and (said := task.work.last.update.progress.said):
        yield said


def line_between(boxes: Sequence[Box], outcome: str) -> Line:
    """A curve from the first of *boxes* to the last, through the gaps between layers, horizontal beside a box."""
    first, *rest = boxes
    x, y = first.right + 1, first.middle + MARGIN
    path = [f"M{x:.6g} {y:.6g}"]
    for box in rest:
        end_x, end_y = box.left + 1, box.middle + MARGIN
        half = (x + end_x) / 2
        path.append(f"C{half:.6g} {y:.6g} {half:.6g} {end_y:.6g} {end_x:.6g} {end_y:.6g}")
        if box is not rest[-1]:
            path.append(f"H{box.right + 1:.6g}")
        x, y = box.right + 1, end_y
    last, stop = rest[-1], rest[0]  # the outcome is written at the first bend: at the start, two would overlap
    tip = f"M{last.left + 1:.6g} {last.middle + MARGIN:.6g}l-8 -4v8z"
    return Line("".join(path), tip, outcome, stop.left - 9, stop.middle + MARGIN - 6)


def clipped(text: str, width: float, letter: float = LETTER) -> str:
    """*text*, with `…` in place of what exceeds *width* pixels; a small letter takes *letter* pixels."""
    ends = list(accumulate(letter * _breadth(each) for each in text))
    if not ends or ends[-1] <= width:
        return text
    return f"{text[: bisect_right(ends, width - letter)]}…"


def _breadth(letter: str) -> float:
    return _CAPITAL if letter.isupper() else _NARROW if letter in " ,.:" else 1
