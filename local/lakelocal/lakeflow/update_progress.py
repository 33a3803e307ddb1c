"""The events of a pipeline's update, and the progress that they add up to.

    flow_event("main.shop.orders", "main.shop.orders", COMPLETED, counts=Counts(written=3))

`Progress` is computed from the events, whether they come from the kernel while the update runs or from the history
later. Therefore, the live view, the summary, the pages and the APIs show the same.

Source: Databricks documentation, "Pipeline event log schema"; Databricks SDK (`databricks.sdk.service.pipelines`):
`UpdateInfoState`, `UpdateInfoCause`, `PipelineEvent`.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from lakelocal.lakeflow.results import COLOURS, meaning

QUEUED, STARTING, RUNNING, COMPLETED, FAILED, SKIPPED, EXCLUDED, IDLE, STOPPED, CANCELED = (
    "QUEUED", "STARTING", "RUNNING", "COMPLETED", "FAILED", "SKIPPED", "EXCLUDED", "IDLE", "STOPPED", "CANCELED",
)  # fmt: skip
CREATED, WAITING, INITIALIZING, SETTING_UP = "CREATED", "WAITING_FOR_RESOURCES", "INITIALIZING", "SETTING_UP_TABLES"
UPDATE_ENDS = frozenset({COMPLETED, FAILED, CANCELED})
FLOW_ENDS = frozenset({COMPLETED, FAILED, SKIPPED, EXCLUDED, IDLE, STOPPED})
FLOWS_SHOWN = 8  # if there are more, a terminal shows only those that are running, did not succeed, or lost rows
_FINE = frozenset({COMPLETED, EXCLUDED, IDLE})
_TONES: Mapping[str, str] = {
    COMPLETED: "good",
    STOPPED: "bad",
    **dict.fromkeys((STARTING, WAITING, INITIALIZING, SETTING_UP, "RESETTING", "STOPPING"), "active"),
}
_LEVELS: Mapping[str, str] = {FAILED: "ERROR", SKIPPED: "WARN", STOPPED: "WARN"}
JOB_TASK, API_CALL, USER_ACTION, RETRY = "JOB_TASK", "API_CALL", "USER_ACTION", "RETRY_ON_FAILURE"


def tone_of(state: str) -> str:
    """How to show the *state* of an update or a flow; states that runs and tasks have too look the same."""
    return _TONES.get(state) or meaning(state).tone


def unsuccessful_end(result: str | None) -> str:
    """How an update ended whose task or run has ended with *result*, not in success; a time limit cancels it."""
    return CANCELED if meaning(result).canceled or result == "TIMEDOUT" else FAILED


def colour_of(state: str) -> str:
    """The colour of *state* in a terminal, as a name for `rich`."""
    return COLOURS[tone_of(state)]


@dataclass(frozen=True)
class RuleCount:
    """How many rows passed and failed the expectation *name* of *dataset*."""

    name: str
    dataset: str
    passed: int
    failed: int


@dataclass(frozen=True)
class Counts:
    """What one flow counted: the rows that it wrote, those that its rules dropped, and its rules.

    An AUTO CDC flow counts the rows that it *upserted* and *deleted* instead.
    """

    written: int = 0
    dropped: int = 0
    rules: tuple[RuleCount, ...] = ()
    upserted: int | None = None
    deleted: int | None = None

    @property
    def changed(self) -> int:
        """The rows that were written; for an AUTO CDC flow, those that it changed or removed."""
        return self.written if self.upserted is None else self.upserted + (self.deleted or 0)

    def as_progress(self) -> dict[str, Any]:
        """The counts in the format of an event's `flow_progress`."""
        metrics = {"num_output_rows": self.written}
        if self.upserted is not None:
            metrics = {"num_upserted_rows": self.upserted, "num_deleted_rows": self.deleted or 0}
        if not self.rules:
            return {"metrics": metrics}
        rules = [
            {"name": each.name, "dataset": each.dataset, "passed_records": each.passed, "failed_records": each.failed}
            for each in self.rules
        ]
        return {"metrics": metrics, "data_quality": {"dropped_records": self.dropped, "expectations": rules}}

    @classmethod
    def of_progress(cls, progress: Mapping[str, Any]) -> Self:
        """The counts in `flow_progress` of an event."""
        metrics, quality = progress.get("metrics") or {}, progress.get("data_quality") or {}
        rules = (
            RuleCount(each["name"], each["dataset"], each["passed_records"], each["failed_records"])
            for each in quality.get("expectations", ())
        )
        return cls(
            metrics.get("num_output_rows", 0),
            quality.get("dropped_records", 0),
            tuple(rules),
            metrics.get("num_upserted_rows"),
            metrics.get("num_deleted_rows"),
        )


@dataclass(frozen=True)
class Event:
    """An event of an update. *details* has one key, the *event_type*; *time* is in epoch milliseconds."""

    event_type: str
    message: str
    details: Mapping[str, Any]
    level: str = "INFO"
    flow_name: str = ""
    dataset_name: str = ""
    error: str = ""
    time: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def as_json(self) -> dict[str, Any]:
        """The event for `of`."""
        return asdict(self)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The event that `as_json` made *given* from."""
        return cls(**given)


def created_event(update_id: str, cause: str, selection: Mapping[str, Any]) -> Event:
    """The event that an update was created by *cause*; *selection* are the fields of `StartUpdate`."""
    message = f"Update {update_id[:6]} started by {cause}."
    return Event("create_update", message, {"create_update": {"cause": cause, **selection}})


def update_event(update_id: str, state: str, error: str = "") -> Event:
    """The event that the update has reached *state*."""
    message = f"Update {update_id[:6]} is {state}."
    details = {"update_progress": {"state": state}}
    return Event("update_progress", message, details, level=_LEVELS.get(state, "INFO"), error=error)


def flow_event(
    name: str, dataset: str, status: str, *, counts: Counts | None = None, error: str = "", why: str = ""
) -> Event:
    """The event that the flow *name* into *dataset* has reached *status*."""
    verb = "has" if status in (COMPLETED, FAILED) else "is"
    return Event(
        "flow_progress",
        f"Flow '{name}' {verb} {status}.{f' {why}' if why else ''}",
        {"flow_progress": {"status": status, **(counts.as_progress() if counts else {})}},
        level=_LEVELS.get(status, "INFO"),
        flow_name=name,
        dataset_name=dataset,
        error=error,
    )


def definition_event(kind: str, details: Mapping[str, Any], *, flow_name: str = "", dataset_name: str = "") -> Event:
    """The event that defines a dataset (*kind* `dataset_definition`) or a flow (`flow_definition`)."""
    message = f"{kind.partition('_')[0].title()} '{flow_name or dataset_name}' defined."
    return Event(kind, message, {kind: details}, flow_name=flow_name, dataset_name=dataset_name)


@dataclass(frozen=True)
class FlowProgress:
    """The progress of a flow; *inputs* are the datasets and tables that it reads.

    *kind* is the `flow_type` of its definition; times are in epoch milliseconds, 0 until they are known.
    """

    name: str
    dataset: str = ""
    kind: str = ""
    inputs: tuple[str, ...] = ()
    state: str = ""
    started: int = 0
    ended: int = 0
    counts: Counts = Counts()
    error: str = ""

    @property
    def short_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def lost_rows(self) -> bool:
        """Did an expectation fail for some of its rows?"""
        return any(rule.failed for rule in self.counts.rules)

    def seconds(self, now_ms: int) -> float:
        """How long it took, or has taken until *now_ms*."""
        return max(0, (self.ended or now_ms) - self.started) / 1000 if self.started else 0.0

    @property
    def said(self) -> str:
        """What it wrote: `1,204 rows, 12 dropped, positive: 3 failed`; empty if it did not complete."""
        if self.state != COMPLETED or self.kind == "VIEW":
            return ""
        counts = self.counts
        parts = [rows_in_words(counts.written)]
        if counts.upserted is not None:
            parts = [f"{counts.upserted:,} upserted", f"{counts.deleted or 0:,} deleted"]
        if counts.dropped:
            parts.append(f"{counts.dropped:,} dropped")
        return ", ".join([*parts, *(f"{rule.name}: {rule.failed:,} failed" for rule in counts.rules if rule.failed)])


@dataclass(frozen=True)
class DatasetProgress:
    """The definition of a dataset; *rules* are its expectations, each with `name`, `constraint` and `action`."""

    name: str
    kind: str
    rules: tuple[Mapping[str, str], ...] = ()


@dataclass
class Progress:
    """The progress of an update according to its events; *error* says why it failed."""

    state: str = CREATED
    error: str = ""
    flows: dict[str, FlowProgress] = field(default_factory=dict)
    datasets: dict[str, DatasetProgress] = field(default_factory=dict)

    @classmethod
    def after(cls, events: Iterable[Event]) -> "Progress":
        """The progress after *events*, in their order."""
        progress = cls()
        for event in events:
            progress.take(event)
        return progress

    def take(self, event: Event) -> None:
        """Take *event* into account."""
        told = event.details.get(event.event_type) or {}
        if event.event_type == "update_progress":
            self.state, self.error = told["state"], event.error
        elif event.event_type == "dataset_definition":
            rules = tuple(told["expectations"])
            self.datasets[event.dataset_name] = DatasetProgress(event.dataset_name, told["dataset_type"], rules)
        elif event.event_type == "flow_definition":
            flow = self._flow(event.flow_name)
            inputs = tuple(each["name"] for each in told["input_datasets"])
            self.flows[flow.name] = replace(flow, dataset=told["output_dataset"], kind=told["flow_type"], inputs=inputs)
        elif event.event_type == "flow_progress":
            self._go_on(self._flow(event.flow_name), event, told)

    def shown(self) -> list[FlowProgress]:
        """The flows that have a state, in the order in which they are defined: those of temporary views have none."""
        return [flow for flow in list(self.flows.values()) if flow.state]  # another thread may be drawing

    def notable(self) -> list[FlowProgress]:
        """The flows that a terminal shows: all, or, if there are many, those that are running, failed or lost rows."""
        found = self.shown()
        if len(found) <= FLOWS_SHOWN:
            return found
        return [each for each in found if each.state not in (QUEUED, *_FINE) or each.lost_rows]

    @property
    def said(self) -> str:
        """`3 of 10 flows, 2 running, 1 failed`, or `10 flows` when all have succeeded; empty before they are known."""
        flows = self.shown()
        if not flows:
            return ""
        ended = sum(flow.state in FLOW_ENDS for flow in flows)
        counted = Counter(_told_as(flow.state) for flow in flows)
        of = f"{len(flows)} flow{'s' * (len(flows) != 1)}"
        parts = [of if ended == len(flows) else f"{ended} of {of}"]
        return ", ".join([*parts, *(f"{counted[word]} {word}" for word in _WORDS if counted[word])])

    def unended(self) -> Iterator[FlowProgress]:
        """The flows that have begun but not ended."""
        return (flow for flow in self.flows.values() if flow.state in (STARTING, RUNNING))

    def _flow(self, name: str) -> FlowProgress:
        return self.flows.get(name) or FlowProgress(name)

    def _go_on(self, flow: FlowProgress, event: Event, told: Mapping[str, Any]) -> None:
        state = str(told["status"])
        self.flows[flow.name] = replace(
            flow,
            dataset=event.dataset_name or flow.dataset,
            state=state,
            started=flow.started or (event.time if state in (STARTING, RUNNING) else 0),
            ended=event.time if state in FLOW_ENDS else 0,
            counts=Counts.of_progress(told) if "metrics" in told else flow.counts,
            error=event.error,
        )


def rows_in_words(number: int) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{number:,} row{'s' * (number != 1)}"


_WORDS = ("running", "failed", "skipped", "stopped")


def _told_as(state: str) -> str:
    return "running" if state in (STARTING, RUNNING) else state.lower()
