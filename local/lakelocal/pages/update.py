"""The update of a pipeline on a page: its datasets as a graph, with the states and row counts of their flows.

A dataset has the state of the worst of its flows; one that was written but lost rows to an expectation is marked.
The template `parts.html` draws it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lakelocal.history.recorded import Attempt, Update
from lakelocal.lakeflow.update_progress import (
    COMPLETED,
    EXCLUDED,
    FAILED,
    IDLE,
    QUEUED,
    RUNNING,
    SKIPPED,
    STARTING,
    STOPPED,
    Event,
    FlowProgress,
    Progress,
    RuleCount,
    rows_in_words,
    tone_of,
)
from lakelocal.pages.graph import MARGIN, NAME_LETTER, Graph, Node, clipped, line_between
from lakelocal.pages.layout import Box, layered

_WIDTH, _HEIGHT = 220, 68
_TEXT_WIDTH = _WIDTH - 24
_WORST_FIRST = (FAILED, STOPPED, RUNNING, STARTING, SKIPPED, QUEUED, COMPLETED, IDLE, EXCLUDED)
_KINDS = {
    "STREAMING_TABLE": "streaming table",
    "MATERIALIZED_VIEW": "materialized view",
    "VIEW": "temporary view",
    "PUBLISHED_VIEW": "view",
    "SINK": "sink",
}
_FLOWS = {"CHANGE": "AUTO CDC", "SNAPSHOT_CHANGE": "AUTO CDC from snapshots"}
SOURCE = "not of this pipeline"


@dataclass(frozen=True)
class FlowRow:
    """A flow as a row; *anchor* is its id on the page. Numbers are None where they are not known.

    *rules* are its expectations; one of a view has the name of the view, because that is not the flow's dataset.
    """

    anchor: str
    name: str
    full_name: str
    kind: str
    state: str
    seconds: float | None
    rows: str
    dropped: int | None
    rules: Sequence[tuple[RuleCount, str]]
    error: str


@dataclass(frozen=True)
class UpdatePart:
    """What a page shows about an update: *refreshed* says what it refreshes, *graph* shows its datasets."""

    update_id: str
    state: str
    refreshed: str
    graph: Graph
    flows: Sequence[FlowRow]
    events: Sequence[Event]


def update_part(attempt: Attempt) -> UpdatePart | None:
    """The update that *attempt* runs; None if it runs none or has not begun one."""
    update, shape = attempt.update, attempt.shape.get("pipeline_update")
    if update is None or shape is None:
        return None
    anchors = {flow.name: f"flow-{attempt.run_id}-{number}" for number, flow in enumerate(update.progress.shown())}
    return UpdatePart(
        shape["update_id"],
        shape["state"],
        in_words(shape),
        _graph(update.progress, anchors, shape["update_id"]),
        list(_rows(update, anchors)),
        update.events,
    )


def in_words(shape: Mapping[str, object]) -> str:
    """What the update refreshes, in words."""
    if shape.get("validate_only"):
        return "validates only"
    if shape.get("full_refresh"):
        return "full refresh of all tables"
    lists = {"refresh": "refresh_selection", "full refresh": "full_refresh_selection"}
    named = {word: shape.get(name) for word, name in lists.items()}
    said = [
        f"{word} of {', '.join(map(str, names))}" for word, names in named.items() if isinstance(names, list) and names
    ]
    return "; ".join(said) or "refresh of all tables"


def _rows(update: Update, anchors: Mapping[str, str]) -> Iterator[FlowRow]:
    progress = update.progress
    last = update.events[-1].time if update.events else 0
    names = _Names(progress)
    for flow in progress.shown():
        counts, done = flow.counts, bool(flow.said)
        upserted = (
            f"{counts.upserted:,} upserted, {counts.deleted or 0:,} deleted" if counts.upserted is not None else ""
        )
        yield FlowRow(
            anchors[flow.name],
            names.short(flow.name),
            flow.name,
            _kind(flow, progress),
            flow.state,
            flow.seconds(last) if flow.started else None,
            (upserted or f"{counts.written:,}") if done else "",
            counts.dropped if done and counts.rules else None,
            [(rule, rule.dataset if _last(rule.dataset) != _last(flow.dataset) else "") for rule in counts.rules],
            flow.error,
        )


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _kind(flow: FlowProgress, progress: Progress) -> str:
    dataset = progress.datasets.get(flow.dataset)
    return _FLOWS.get(flow.kind) or _KINDS.get(dataset.kind if dataset else "", "")


@dataclass(frozen=True)
class _Dataset:
    """A node of the graph: the *flows* into the dataset *name*; a source from outside the pipeline has none."""

    name: str
    kind: str
    flows: Sequence[FlowProgress]

    @property
    def state(self) -> str:
        states = {flow.state for flow in self.flows}
        return next((state for state in _WORST_FIRST if state in states), "")

    @property
    def tone(self) -> str:
        lost = self.state == COMPLETED and any(flow.lost_rows for flow in self.flows)
        return "mixed" if lost else tone_of(self.state) if self.state else "none"

    @property
    def rows(self) -> str:
        """`1,204 rows, 12 dropped`, for all its flows together."""
        done = [flow.counts for flow in self.flows if flow.said]
        if not done:
            return ""
        dropped = sum(counts.dropped for counts in done)
        failed = sum(rule.failed for counts in done for rule in counts.rules)
        lost = f", {dropped:,} dropped" if dropped else f", {failed:,} failed" if failed else ""
        return rows_in_words(sum(counts.changed for counts in done)) + lost


def _graph(progress: Progress, anchors: Mapping[str, str], update_id: str) -> Graph:
    flows: dict[str, list[FlowProgress]] = {}
    for flow in progress.flows.values():
        flows.setdefault(flow.dataset, []).append(flow)
    kinds = {**dict.fromkeys(flows, ""), **{name: each.kind for name, each in progress.datasets.items()}}
    inputs = [name for each in progress.flows.values() for name in each.inputs if name not in kinds]
    datasets = [_Dataset(name, "", ()) for name in dict.fromkeys(inputs)]
    datasets += [_Dataset(name, kind, flows.get(name, ())) for name, kind in kinds.items() if name]
    edges = dict.fromkeys(
        (name, flow.dataset) for flow in progress.flows.values() for name in flow.inputs if name != flow.dataset
    )
    layout = layered({each.name: (_WIDTH, _HEIGHT) for each in datasets}, edges)
    names = _Names(progress)
    nodes = [_node(each, layout.nodes[each.name], names, anchors) for each in datasets]
    lines = [line_between(boxes, "") for boxes in layout.edges.values()]
    label = f"Datasets of the update {update_id[:6]}"
    return Graph(label, layout.width + 2, layout.height + 2 * MARGIN, nodes, lines)


def _node(dataset: _Dataset, place: Box, names: "_Names", anchors: Mapping[str, str]) -> Node:
    kind = _KINDS.get(dataset.kind, "table" if dataset.flows else SOURCE)
    state = ", ".join(text for text in (dataset.state, kind) if text)
    told = [f"{flow.name} {flow.state} {flow.said}".strip() for flow in dataset.flows if flow.state]
    anchor = next((anchors[flow.name] for flow in dataset.flows if flow.name in anchors), "")
    return Node(
        box=Box(place.left + 1, place.top + MARGIN, place.width, place.height),
        name=clipped(names.short(dataset.name), _TEXT_WIDTH, NAME_LETTER),
        state=clipped(state, _TEXT_WIDTH),
        title="; ".join([f"{dataset.name}: {state}", *told]),
        tone=dataset.tone,
        run_if="",
        href=f"#{anchor}" if anchor else "",
        inner=None,
        more=clipped(dataset.rows, _TEXT_WIDTH),
    )


class _Names:
    """Shortens names of datasets and flows: leaves out the schema that most of them have."""

    def __init__(self, progress: Progress) -> None:
        schemas = Counter(name.rpartition(".")[0] for name in progress.flows if name.count(".") == 2)
        self._usual = next(iter(schemas.most_common(1)), ("", 0))[0]
        self._catalog = self._usual.partition(".")[0]

    def short(self, name: str) -> str:
        for usual in (self._usual, self._catalog):
            if usual and name.startswith(f"{usual}."):
                return name.removeprefix(f"{usual}.")
        return name


def clock(event: Event) -> str:
    """The time of day of *event*, in UTC."""
    return datetime.fromtimestamp(event.time / 1000, UTC).strftime("%H:%M:%S")
