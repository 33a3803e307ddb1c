"""The task graph of a run as SVG: each task with its state and duration, `run_if` and `outcome` if not the default."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakelocal.export.layout import GraphLayout, Point, layered
from lakelocal.export.markup import Markup, element
from lakelocal.export.recorded import Run, Work
from lakelocal.jobs.views import duration
from lakelocal.lakeflow.results import meaning

_WIDTH, _HEIGHT = 200, 50
_GAP_X, _GAP_Y = 80, 26
_LETTERS = 25
DEFAULT_RUN_IF = "ALL_SUCCESS"


@dataclass(frozen=True)
class Node:
    """A task of the graph; *depends_on* as in the job; *work* is what it has done, None if it has not begun."""

    key: str
    depends_on: Sequence[Mapping[str, Any]]
    run_if: str
    work: Work | None
    iterations: int = 0


def nodes_of(run: Run) -> list[Node]:
    """The tasks that ran or may still run, in the order of the job.

    Tasks that have not begun come from the job's settings. For a run that has ended, only recorded tasks are included.
    """
    works = {work.task_key: work for work in run.works if not work.is_iteration}
    defined = {task["task_key"]: task for task in run.tasks}
    counted: dict[str, int] = {}
    for work in run.works:
        if work.is_iteration:
            outer = work.last.shape["iteration"]["for_each_task_key"]
            counted[outer] = counted.get(outer, 0) + 1
    shapes = {**(defined if run.is_active else {}), **{key: work.last.shape for key, work in works.items()}}
    order = {key: at for at, key in enumerate(defined)}
    return [
        Node(
            key,
            shape.get("depends_on") or [],
            shape.get("run_if") or DEFAULT_RUN_IF,
            works.get(key),
            counted.get(key, 0),
        )
        for key, shape in sorted(shapes.items(), key=lambda each: order.get(each[0], len(order)))
    ]


def graph(run: Run) -> Markup:
    """The graph of *run* in its natural size; each task links to its attempts in the page."""
    nodes = nodes_of(run)
    needs = {(each["task_key"], node.key): each for node in nodes for each in node.depends_on}
    layout = layered([node.key for node in nodes], needs)
    width = layout.layers * (_WIDTH + _GAP_X) - _GAP_X + 2
    height = layout.rows * (_HEIGHT + _GAP_Y) + 2
    return element(
        "svg",
        [_edge(points, needs[edge].get("outcome")) for edge, points in layout.edges.items()],
        [_node(run, node, layout) for node in nodes],
        class_="graph", viewBox=f"0 0 {width} {height}", width=width, height=height, role="img",
        aria_label=f"Task graph of run {run.run_id}",
    )  # fmt: skip


def _edge(points: Sequence[Point], outcome: str | None) -> Iterator[Markup]:
    """A curve through the gaps between the layers, horizontal where it passes a layer."""
    (layer, row), *rest = points
    x, y = _left(layer) + _WIDTH, _middle(row)
    path = [f"M{x:.6g} {y:.6g}"]
    for layer, row in rest:
        end_x, end_y = _left(layer), _middle(row)
        half = (x + end_x) / 2
        path.append(f"C{half:.6g} {y:.6g} {half:.6g} {end_y:.6g} {end_x:.6g} {end_y:.6g}H{end_x + _WIDTH:.6g}")
        x, y = end_x + _WIDTH, end_y
    path[-1] = path[-1].rpartition("H")[0]
    x -= _WIDTH
    yield element("path", d="".join(path), class_="edge")
    yield element("path", d=f"M{x:.6g} {y:.6g}l-8 -4v8z", class_="arrow")
    if outcome is not None:
        layer, row = points[1]  # at the edge's first stop: at its start, the labels of the outcomes would overlap
        yield element("text", outcome, x=_left(layer) - 10, y=_middle(row) - 6, class_="on-edge outcome")


def _node(run: Run, node: Node, layout: GraphLayout) -> Markup:
    layer, row = layout.nodes[node.key]
    x, y = _left(layer), _middle(row) - _HEIGHT / 2
    result = node.work.last.result if node.work else "PENDING"
    below = [result]
    if node.work and node.work.last.ran:
        below.append(duration(run.seconds(node.work.last.shape)))
    if node.work and len(node.work.attempts) > 1:
        below.append(f"{len(node.work.attempts)} attempts")
    if node.iterations:
        below.append(f"{node.iterations} iterations")
    box = element(
        "g",
        element("title", f"{node.key}: {', '.join(below)}"),
        element("rect", x=x + 1, y=y + 1, width=_WIDTH, height=_HEIGHT, rx=6, class_=f"node {meaning(result).tone}"),
        element("text", clipped(node.key, _LETTERS), x=x + 12, y=y + 21, class_="name"),
        element("text", clipped(", ".join(below), _LETTERS + 6), x=x + 12, y=y + 39, class_="state"),
    )
    condition = (
        element("text", node.run_if, x=x + 1, y=y - 4, class_="on-edge") if node.run_if != DEFAULT_RUN_IF else None
    )
    linked = element("a", box, href=f"#attempt-{node.work.last.run_id}") if node.work else box
    return element("g", condition, linked)


def clipped(text: str, letters: int) -> str:
    """*text*, with `…` in place of what exceeds *letters* characters."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _left(layer: int) -> float:
    return layer * (_WIDTH + _GAP_X)


def _middle(row: float) -> float:
    return row * (_HEIGHT + _GAP_Y) + _GAP_Y + _HEIGHT / 2 - 4
