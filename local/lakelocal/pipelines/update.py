"""One update of a pipeline: its sources are loaded, its queries evaluated, its tables set up, its flows run.

Source: Databricks documentation, "Run a pipeline update": an error of analysis stops the update before anything is
written; a failed flow does not stop those that do not depend on it, and those below it are skipped.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakelocal.errors import LocalError
from lakelocal.lakeflow import update_progress as log
from lakelocal.lakeflow.update_progress import Counts, Event
from lakelocal.pipelines import graph
from lakelocal.pipelines.api import Recorder
from lakelocal.pipelines.changes import ChangeFlows
from lakelocal.pipelines.definitions import INTERNAL, Defaults, Definitions, Key, Kind, shown
from lakelocal.pipelines.errors import PipelineError, outside_of_a_query, said
from lakelocal.pipelines.events import Events
from lakelocal.pipelines.expectations import violation_in
from lakelocal.pipelines.flows import Writer
from lakelocal.pipelines.loading import Loader
from lakelocal.pipelines.memory import Memory
from lakelocal.pipelines.order import UpdateOrder
from lakelocal.pipelines.resolving import Resolution, ResolvedFlow, Resolver
from lakelocal.pipelines.session import PipelineSession
from lakelocal.pipelines.tables import Tables
from lakelocal.sql.writing import quoted

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from pyspark.sql.connect.session import SparkSession

AT_ONCE = 4  # flows that run at the same time, and tables that are set up
_ATTEMPTS = 3  # of a flow whose source says that it has to start again
_AGAIN = ("UNKNOWN_FIELD_EXCEPTION", "start the stream again")
_ATTEMPTS_KEY = "pipelines.maxFlowRetryAttempts"
_SETTINGS = {
    "spark.sql.ansi.enabled": "false",  # as in pipelines on Databricks: a division by zero is NULL
    "spark.sql.streaming.numRecentProgressUpdates": "100000",  # the counts of all batches are read at the end
}


@dataclass
class Outcome:
    """The outcome of one flow."""

    status: str
    counts: Counts = field(default_factory=Counts)
    error: str = ""
    seconds: float = 0.0


def show_nothing(columns: list[tuple[str, str]], rows: list[list[object]]) -> None:
    """Show no rows, since there is no notebook that anybody reads."""


def say(message: str) -> None:
    """Print *message* at once."""
    print(message, flush=True)


@dataclass(frozen=True)
class Surroundings:
    """What an update needs: the *shell* of a kernel, its *spark* session, and the *names* that sources may use.

    Without a shell, all sources must be SQL. *pipelines* is the folder in the catalog's state with the memory of
    pipelines. *show* shows rows, with the names and types of their columns, and *say* shows a line, to the reader of
    the executed notebook. *tell* is called with each event.
    """

    shell: "InteractiveShell | None"
    spark: "SparkSession"
    pipelines: Path
    names: Mapping[str, Any]
    tell: Callable[[Event], None]
    show: Callable[[list[tuple[str, str]], list[list[object]]], None] = show_nothing
    say: Callable[[str], None] = say


class Update:
    """One update, in the cells of its task: `load`, `resolve` and `run`, in this order."""

    def __init__(self, order: UpdateOrder, surroundings: Surroundings) -> None:
        self.order = order
        self.surroundings = surroundings
        self._closing = ExitStack()
        self.memory = Memory.open(self.surroundings.pipelines, self.order.id)
        self._closing.enter_context(self.memory.alone())
        self.memory = Memory.open(self.surroundings.pipelines, self.order.id)  # as the previous update has left it
        self.definitions = Definitions(Defaults(self.order.catalog, self.order.schema))
        self.session = PipelineSession(self.surroundings.spark, self.definitions, self.order.configuration)
        self.events = Events(self.order.update_id, self.surroundings.tell, self.surroundings.say)
        self.tables = Tables(self.session, self.memory, self.definitions.defaults)
        self.changes = ChangeFlows(self.session, self.memory, self.definitions, self.tables)
        self.resolution = Resolution()
        self.chosen: set[Key] = set()
        self.full: set[Key] = set()
        self.outcomes: dict[str, Outcome] = {}

    def load(self) -> None:
        """Run the sources, and show what they define."""
        with self._failing():
            self._prepare()
            recorder = Recorder(self.definitions, self.session.read_table)
            if self.surroundings.shell:
                recorder.install()
            shell, names = self.surroundings.shell, self.surroundings.names
            loader = Loader(shell, self.order, recorder, self.session.query, names)
            try:
                loader.load()
            except Exception:
                self._refuse_reads_outside()
                raise
            self._refuse_reads_outside()
            graph.check(self.definitions)
            self.chosen, self.full = graph.refreshed(self.definitions, self.order.selection)
        self._tell(*self.order.notes, *self.definitions.notes)
        self._show_defined()

    def resolve(self) -> None:
        """Evaluate all queries, and show which dataset reads which. Nothing is written."""
        told = len(self.definitions.notes)
        with self._failing():
            resolver = Resolver(self.definitions, self.session, self.memory, self.full, self.changes.schema_of)
            self.resolution = resolver.resolve()
            tables = {key: kind for key, kind in self.resolution.kinds.items() if kind in _TABLES}
            published = [key for key in tables if not self._is_private(key)]
            self.exists = self.tables.existing(published)
            for key, kind in tables.items():
                self.tables.check(self.definitions.datasets[key], key, kind, exists=self._exists(key))
        self._log_definitions()
        self._tell(*self.definitions.notes[told:])
        self._show_graph()

    def run(self) -> None:
        """Set up the tables, run the flows, and show what they wrote.

        Raises:
            PipelineError: a flow failed; the others have run.
        """
        if self.order.selection.validate_only:
            self.events.update(log.COMPLETED)
            self._closing.close()
            self.surroundings.say("The pipeline is valid. Nothing was written.")
            return
        with self._failing():
            self.events.update(log.SETTING_UP)
            self._set_up()
            self.events.update(log.RUNNING)
            self._run_flows()
            self._show_written()
            self._raise_failures()
        self.events.update(log.COMPLETED)
        self._closing.close()

    def _prepare(self) -> None:
        self.events.update(log.INITIALIZING)
        spark = self.session.spark
        own = {"pipelines.id": self.order.id, "spark.pipelines.updateId": self.order.update_id}
        for key in self.session.set_what_can_be({**_SETTINGS, **self.order.configuration, **own}):
            self.definitions.note(f"`{key}` of the configuration is a setting of a cluster, without effect here")
        self.session.take_over(self.memory.session)
        self._closing.callback(self.memory.session.unlink, missing_ok=True)
        catalog, schema = quoted(self.order.catalog), quoted(self.order.schema)
        self.session.sql(f"USE CATALOG {catalog}")
        if spark.catalog.databaseExists(schema):
            self.session.sql(f"USE SCHEMA {schema}")

    def _refuse_reads_outside(self) -> None:
        for read in self.session.touched:
            key = self.definitions.key(read.parts, self.definitions.defaults)
            if key in self.definitions.datasets:
                raise outside_of_a_query(".".join(read.parts))

    def _exists(self, key: Key) -> bool:
        known = self.memory.of(key)
        return bool(known and not known.is_new) if self._is_private(key) else key in self.exists

    def _is_private(self, key: Key) -> bool:
        return self.definitions.datasets[key].private

    def _set_up(self) -> None:
        chosen = [key for key, kind in self.resolution.kinds.items() if kind in _TABLES and key in self.chosen]
        new = [key for key in chosen if not self._exists(key)]
        new += [
            key for key, kind in self.resolution.kinds.items() if kind is Kind.PUBLISHED_VIEW and key in self.chosen
        ]
        inside = (self.order.catalog, INTERNAL, "")
        self.tables.make_schemas(inside if self._is_private(key) else key for key in new)
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            list(pool.map(self._set_up_table, chosen))

    def _set_up_table(self, key: Key) -> None:
        schema, exists, full = self.resolution.schemas[key], self._exists(key), key in self.full
        dataset = self.definitions.datasets[key]
        try:
            if self._is_made_by_changes(key):
                self.changes.set_up(key, schema, full=full, exists=exists)
            else:
                self.tables.set_up(dataset, key, self.resolution.kinds[key], schema, exists=exists, full=full)
        except LocalError:  # it names its place
            raise
        except Exception as error:
            raise PipelineError(f"{dataset.origin}: `{dataset.name}` was not created: {said(error)}") from error

    def _is_made_by_changes(self, key: Key) -> bool:
        return any(flow.changes for flow in self.definitions.flows_into(key))

    def _run_flows(self) -> None:
        writer = Writer(self.definitions, self.session, self.memory, self.resolution.kinds, self.resolution.schemas)
        waiting = {flow.name: flow for flow in self.resolution.flows}
        for flow in list(waiting.values()):
            if status := self._not_run(flow):
                self.outcomes[flow.name] = Outcome(status)
                self.events.flow(flow.name, shown(flow.key), status)
                del waiting[flow.name]
            else:
                self.events.flow(flow.name, shown(flow.key), log.QUEUED)
        running: dict[Future[Outcome], ResolvedFlow] = {}
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            while waiting or running:
                for flow in self._startable(waiting, running.values()):
                    del waiting[flow.name]
                    running[pool.submit(self._run_flow, writer, flow)] = flow
                if not running:
                    self._skip(waiting)
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    self.outcomes[running.pop(done).name] = done.result()

    def _not_run(self, flow: ResolvedFlow) -> str:
        if flow.key not in self.chosen:
            return log.EXCLUDED
        table = self.memory.of(flow.key)
        return log.IDLE if flow.flow.once and table is not None and flow.name in table.once else ""

    def _startable(self, waiting: Mapping[str, ResolvedFlow], running: "Any") -> Iterator[ResolvedFlow]:
        """The waiting flows whose inputs are all complete; flows with their own settings run alone."""
        busy = list(running)
        if any(flow.flow.conf for flow in busy):
            return
        left = {flow.key for flow in (*waiting.values(), *busy)}
        for flow in list(waiting.values()):
            if self._failed_above(flow):
                del waiting[flow.name]  # type: ignore[attr-defined]  # it is a dictionary
                self._skip({flow.name: flow})
                continue
            if (flow.reads - {flow.key}) & left or (flow.flow.conf and busy):
                continue
            yield flow
            busy.append(flow)
            if flow.flow.conf:
                return

    def _failed_above(self, flow: ResolvedFlow) -> bool:
        bad = {each.key for each in self.resolution.flows if self.outcomes.get(each.name, _FINE).status in _BAD}
        return bool((flow.reads - {flow.key}) & bad)

    def _skip(self, flows: Mapping[str, ResolvedFlow]) -> None:
        for flow in flows.values():
            self.outcomes[flow.name] = Outcome(log.SKIPPED)
            self.events.flow(flow.name, shown(flow.key), log.SKIPPED, why="A flow that it reads from has failed.")

    def _run_flow(self, writer: Writer, flow: ResolvedFlow) -> Outcome:
        started = time.monotonic()
        attempts = int(self.order.configuration.get(_ATTEMPTS_KEY, _ATTEMPTS - 1)) + 1
        self.events.flow(flow.name, shown(flow.key), log.STARTING)
        for attempt in range(1, attempts + 1):
            self.events.flow(flow.name, shown(flow.key), log.RUNNING)
            try:
                with self.session.with_settings(flow.flow.conf):
                    counts = self.changes.run(flow) if flow.flow.changes else writer.write(flow)
            except Exception as error:
                why = _said(error)
                if attempt < attempts and any(word in why for word in _AGAIN):
                    self.surroundings.say(f"{flow.name}: {why} It starts again.")
                    continue
                self.events.flow(flow.name, shown(flow.key), log.FAILED, error=why)
                return Outcome(log.FAILED, error=why, seconds=time.monotonic() - started)
            break
        self.events.flow(flow.name, shown(flow.key), log.COMPLETED, counts=counts)
        return Outcome(log.COMPLETED, counts, seconds=time.monotonic() - started)

    def _raise_failures(self) -> None:
        failed = {name: outcome for name, outcome in self.outcomes.items() if outcome.status == log.FAILED}
        if not failed:
            return
        name, first = next(iter(failed.items()))
        skipped = sum(outcome.status == log.SKIPPED for outcome in self.outcomes.values())
        more = f" Other flows that failed: {len(failed) - 1}." if len(failed) > 1 else ""
        below = f" Flows skipped because they read from a failed one: {skipped}." if skipped else ""
        raise PipelineError(f"Flow `{name}` failed: {first.error}{more}{below}")

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Let the update fail if the block fails."""
        try:
            yield
        except BaseException as error:
            self.events.update(log.FAILED, error=_said(error))
            self._closing.close()
            raise

    def _tell(self, *notes: str) -> None:
        for note in notes:
            self.surroundings.say(f"note: {note}")

    def _log_definitions(self) -> None:
        for key, kind in self.resolution.kinds.items():
            dataset = self.definitions.datasets[key]
            rules = [
                {"name": rule.name, "constraint": str(rule.condition), "action": rule.action.value.upper()}
                for rule in dataset.expectations
            ]
            details = {
                "dataset_type": kind.value,
                "num_flows": len(list(self.definitions.flows_into(key))),
                "expectations": rules,
            }
            self.events.definition("dataset_definition", details, dataset_name=shown(key))
        for key, dataset in self.definitions.datasets.items():
            if dataset.kind is Kind.SINK:
                self.events.definition("sink_definition", {"format": dataset.format}, dataset_name=shown(key))
        for flow in (*self.resolution.views, *self.resolution.flows):
            described: dict[str, Any] = {
                "input_datasets": [{"name": shown(key)} for key in sorted(flow.inputs)],
                "output_dataset": shown(flow.key),
                "flow_type": _flow_type(flow, self.resolution.kinds.get(flow.key)),
                "once": flow.flow.once,
                "spark_conf": dict(flow.flow.conf),
            }
            self.events.definition("flow_definition", described, flow_name=flow.name)

    def _show_defined(self) -> None:
        rows: list[list[object]] = [
            [shown(key), dataset.kind.value.replace("_", " ").lower(), str(dataset.origin), len(dataset.expectations)]
            for key, dataset in self.definitions.datasets.items()
        ]
        columns = [("dataset", "string"), ("defined as", "string"), ("where", "string"), ("expectations", "int")]
        self.surroundings.show(columns, rows)

    def _show_graph(self) -> None:
        rows: list[list[object]] = [
            [
                shown(flow.key),
                _title(self.resolution.kinds.get(flow.key)),
                ", ".join(sorted(shown(key) for key in flow.reads)),
            ]
            for flow in self.resolution.flows
        ]
        self.surroundings.show([("dataset", "string"), ("type", "string"), ("reads", "string")], rows)

    def _show_written(self) -> None:
        rows: list[list[object]] = []
        for flow in self.resolution.flows:
            outcome = self.outcomes[flow.name]
            rules = "; ".join(f"{rule.name}: {rule.failed:,} failed" for rule in outcome.counts.rules if rule.failed)
            rows.append(
                [
                    flow.name,
                    _title(self.resolution.kinds.get(flow.key)),
                    outcome.status,
                    outcome.counts.changed if outcome.status == log.COMPLETED else None,
                    outcome.counts.dropped if outcome.status == log.COMPLETED else None,
                    rules,
                    round(outcome.seconds, 1),
                ]
            )
        columns = [("flow", "string"), ("type", "string"), ("state", "string"), ("rows", "bigint")]
        columns += [("dropped", "bigint"), ("expectations", "string"), ("seconds", "double")]
        self.surroundings.show(columns, rows)


_TABLES = (Kind.STREAMING_TABLE, Kind.MATERIALIZED_VIEW)
_BAD = (log.FAILED, log.SKIPPED)
_FINE = Outcome(log.COMPLETED)


def _flow_type(flow: ResolvedFlow, kind: Kind | None) -> str:
    if flow.flow.changes:
        return "SNAPSHOT_CHANGE" if flow.flow.changes.snapshot else "CHANGE"
    types = {Kind.MATERIALIZED_VIEW: "MATERIALIZED_VIEW", Kind.PUBLISHED_VIEW: "VIEW", Kind.TEMPORARY_VIEW: "VIEW"}
    return types.get(kind, "APPEND") if kind else "APPEND"


def _title(kind: Kind | None) -> str:
    return kind.value.replace("_", " ").lower() if kind else "sink"


def _said(error: BaseException) -> str:
    """The error as one paragraph; for a violated expectation, Databricks' own text."""
    return violation_in(str(error)) or said(error)
