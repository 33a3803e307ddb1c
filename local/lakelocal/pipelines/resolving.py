"""Evaluates the queries of a pipeline, each after those that it reads, without reading or writing a row.

Source: Databricks documentation, "Lakeflow Spark Declarative Pipelines concepts": an error in any query stops the
update before any table is written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lakelocal.errors import LocalError
from lakelocal.pipelines import graph
from lakelocal.pipelines.definitions import TITLES, Dataset, Definitions, Flow, Key, Kind
from lakelocal.pipelines.errors import AnalysisError, UnresolvedError, said
from lakelocal.pipelines.expectations import observation, with_rules
from lakelocal.pipelines.memory import Memory
from lakelocal.pipelines.reading import pivots_without_values
from lakelocal.pipelines.session import Evaluation, PipelineSession, Resolved
from lakelocal.pipelines.statements import plain_columns
from lakelocal.pipelines.tables import check_columns, merged, stored_name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


@dataclass
class ResolvedFlow:
    """A flow whose query has been evaluated: the *frame* of its rows (None for changes), what it *reads*, its target.

    *inputs* has what it reads directly; *reads* includes what the views that it reads read.
    *asks_rows*: its query requests rows of the pipeline, so it is evaluated again when it runs.
    """

    flow: Flow
    key: Key  # of the target
    name: str  # in three parts, as the event log has it
    streams: bool
    frame: "DataFrame | None"
    reads: frozenset[Key]
    inputs: frozenset[Key]
    asks_rows: bool = False


@dataclass
class Resolution:
    """The evaluated queries of a pipeline: the flows in their order, and the type of each dataset.

    *views* has the queries of temporary views, which are run as a part of those that read them.
    """

    flows: list[ResolvedFlow] = field(default_factory=list)
    views: list[ResolvedFlow] = field(default_factory=list)
    kinds: dict[Key, Kind] = field(default_factory=dict)
    schemas: dict[Key, Any] = field(default_factory=dict)


@dataclass
class Resolver:
    """Evaluates the queries of *definitions* in *session*; *changes_schema* returns the columns of an AUTO CDC target.

    *full* has the keys of the tables that are fully refreshed, whose former columns do not count.
    """

    definitions: Definitions
    session: PipelineSession
    memory: Memory
    full: set[Key]
    changes_schema: "Callable[..., StructType | None]"
    result: Resolution = field(default_factory=Resolution)
    errors: dict[Key, str] = field(default_factory=dict)
    waiting: dict[Key, set[Key]] = field(default_factory=dict)

    def resolve(self) -> Resolution:
        """Evaluate all queries.

        Raises:
            AnalysisError: queries cannot be evaluated, with all that is wrong; or datasets read each other.
        """
        left = list(self.definitions.datasets)
        while left:
            again = [key for key in left if not self._resolve(key)]
            if len(again) == len(left):
                break
            left = again
        if self.errors or left:
            self._raise(left)
        return self.result

    def _resolve(self, key: Key) -> bool:
        """Evaluate the flows into the dataset *key*; False if one of them reads a dataset that is not resolved yet."""
        dataset = self.definitions.datasets[key]
        try:
            flows = [self._flow(flow, key, dataset) for flow in self.definitions.flows_into(key)]
            if dataset.kind is not Kind.SINK:
                self._dataset(key, dataset, flows)
        except UnresolvedError as unresolved:
            self.waiting.setdefault(key, set()).add(unresolved.reading)  # type: ignore[arg-type]  # it is a key
            return False
        except LocalError as error:
            self.errors[key] = _placed(str(error), dataset)
            return True
        except Exception as error:
            self.errors[key] = _placed(said(error), dataset)
            return True
        if dataset.kind is Kind.TEMPORARY_VIEW:
            self.result.views += flows
        else:
            self.result.flows += flows
        return True

    def _flow(self, flow: Flow, key: Key, dataset: Dataset) -> ResolvedFlow:
        name = self.flow_name(flow)
        schemas = self.memory.files_schema(name, self._generation(key))
        with self.session.evaluating(Evaluation(name, flow.defaults, runs=False, schemas=schemas)) as evaluation:
            if flow.changes is not None:
                return self._changes(flow, key, name, evaluation)
            frame = frame_of(flow, dataset, name)
            plan = self.session.plan_of(frame)
            if pivots_without_values(plan):
                raise AnalysisError(
                    f"{flow.origin}: found `pivot` without values in the query of `{flow.name}`; its columns would "
                    "depend on rows that are not there yet, which pipelines do not have. Name the values."
                )
            inputs = self.session.note_reads(evaluation, plan)
            if key in evaluation.reads:
                graph.check_cycles({key: {key}}, {key: dataset.name})
            streams = self.session.streams(plan, flow.defaults)
            self._check_mode(flow, dataset, streams=streams)
            if evaluation.asks_rows:
                self.definitions.note(
                    f"{flow.origin}: the query of `{flow.name}` requests rows of the pipeline (collect, count, ...); "
                    "it gets none during the analysis, and is evaluated again when it runs"
                )
            return ResolvedFlow(
                flow, key, name, streams, frame, frozenset(evaluation.reads), inputs, evaluation.asks_rows
            )

    def _check_mode(self, flow: Flow, dataset: Dataset, *, streams: bool) -> None:
        if flow.once and streams:
            raise AnalysisError(
                f"{flow.origin}: the once flow `{flow.name}` reads a stream; expected a batch query. Use spark.read, "
                "or remove STREAM in SQL."
            )
        if dataset.kind is Kind.MATERIALIZED_VIEW and streams:
            raise AnalysisError(
                f"{flow.origin}: Cannot create materialized view `{dataset.name}` from a streaming query. Read in "
                "batch, or define a streaming table."
            )
        if dataset.kind in (Kind.STREAMING_TABLE, Kind.SINK) and not streams and not flow.once:
            raise AnalysisError(
                f"{flow.origin}: Cannot create {TITLES[dataset.kind]} `{dataset.name}` from batch query. Read a stream "
                "(spark.readStream, or STREAM in SQL), or define a materialized view."
            )

    def _changes(self, flow: Flow, key: Key, name: str, evaluation: Evaluation) -> ResolvedFlow:
        changes = flow.changes
        assert changes is not None, "asked by the caller"
        frame, inputs = None, frozenset[Key]()
        if isinstance(changes.source, str):
            frame = self.session.read_table(changes.source, streaming=not (changes.snapshot or flow.once))
            plan = self.session.plan_of(frame)
            inputs = self.session.note_reads(evaluation, plan)
        return ResolvedFlow(flow, key, name, not changes.snapshot, frame, frozenset(evaluation.reads), inputs)

    def _dataset(self, key: Key, dataset: Dataset, flows: list[ResolvedFlow]) -> None:
        streams = any(flow.streams for flow in flows)
        if dataset.is_view:
            self._view(key, dataset, flows[0])
            return
        kind = dataset.kind
        if kind is Kind.TABLE:
            kind = Kind.STREAMING_TABLE if streams else Kind.MATERIALIZED_VIEW
        schema = self._schema(key, dataset, kind, flows)
        check_columns(dataset, schema)
        self.result.kinds[key], self.result.schemas[key] = kind, schema
        stored = stored_name(dataset, key, self.definitions.defaults, self.memory.id)
        self.session.resolved[key] = Resolved(kind is Kind.STREAMING_TABLE, schema=schema, stored=stored)

    def _view(self, key: Key, dataset: Dataset, flow: ResolvedFlow) -> None:
        assert flow.frame is not None, "a view has a query"
        evaluation = Evaluation(
            flow.name, flow.flow.defaults, runs=False, schemas=self.memory.files_schema(flow.name, 0)
        )
        with self.session.evaluating(evaluation):
            flow.frame.schema  # noqa: B018  # it is analyzed, so that what is wrong is wrong here
        self.result.kinds[key] = dataset.kind
        datasets = self.definitions.datasets
        inside = next((each for each in flow.reads if each in datasets and datasets[each].is_inside), None)
        if dataset.kind is Kind.PUBLISHED_VIEW and inside is not None:
            raise AnalysisError(
                f"[INVALID_TEMP_OBJ_REFERENCE] {dataset.origin}: the view `{dataset.name}` reads `{inside[-1]}`, which "
                "only this pipeline sees; expected published tables and views. Publish it, or read others."
            )
        found = Resolved(flow.streams, plan=self.session.plan_of(flow.frame), defaults=flow.flow.defaults)
        if flow.asks_rows:
            found = replace(found, again=lambda: frame_of(flow.flow, dataset, flow.name), reads=flow.reads)
        self.session.resolved[key] = found

    def _schema(self, key: Key, dataset: Dataset, kind: Kind, flows: list[ResolvedFlow]) -> "StructType":
        """The columns of the table *key*: those that it declares, or else those of its flows, one after the other."""
        from pyspark.sql.types import StructType

        known = self.memory.of(key)
        begins = known is None or known.is_new or key in self.full
        found = None
        for flow in flows:
            evaluation = Evaluation(
                flow.name,
                flow.flow.defaults,
                runs=False,
                schemas=self.memory.files_schema(flow.name, self._generation(key)),
            )
            with self.session.evaluating(evaluation):
                own = flow.frame.schema if flow.frame is not None else None
                own = self.changes_schema(flow.flow, own, begins=begins) if flow.flow.changes else own
                if own is not None:
                    found = own if found is None else merged(found, own)
        if isinstance(dataset.schema, StructType):
            return dataset.schema
        if dataset.schema:
            declared = self.session.spark.createDataFrame([], plain_columns(dataset.schema)).schema
            _check_declared(dataset, declared, found)
            return declared
        if found is None:
            raise AnalysisError(
                f"{dataset.origin}: the columns of `{dataset.name}` are not known before its snapshots are read; "
                "expected `schema=...`. Declare the columns."
            )
        found = nullable(found)
        if kind is Kind.STREAMING_TABLE and known and known.schema and not begins:
            return merged(StructType.fromJson(known.schema), found)
        return found

    def _generation(self, key: Key) -> int:
        """The generation of the table *key* in this update."""
        known = self.memory.of(key)
        if known is None:
            return 0
        return known.generation + 1 if key in self.full or known.is_new else known.generation

    def flow_name(self, flow: Flow) -> str:
        """The name of *flow* in three parts."""
        key = self.definitions.key(flow.name, flow.defaults)
        parts = key if key[0] else (self.definitions.defaults.catalog, self.definitions.defaults.schema, key[-1])
        return ".".join(parts)

    def _raise(self, left: list[Key]) -> None:
        names: Mapping[Key, str] = {key: each.name for key, each in self.definitions.datasets.items()}
        if not self.errors:
            graph.check_cycles({key: self.waiting.get(key, set()) for key in left}, names)
        lines = [f"`{names[key]}`: {error}" for key, error in self.errors.items()]
        below = [
            f"`{names[key]}`: Failed to read dataset `{names[next(iter(self.waiting[key]))]}`. Dataset is defined in "
            "the pipeline but could not be resolved."
            for key in left
            if self.waiting.get(key)
        ]
        first, *more = [*lines, *below]
        also = "".join(f"\n  {line}" for line in more)
        raise AnalysisError(f"{first} Nothing was written.{f' Neither does this resolve:{also}' if more else ''}")


def frame_of(flow: Flow, dataset: Dataset, name: str) -> "DataFrame":
    """What the query of *flow* into *dataset* returns now, with the expectations of its target.

    Those of a view count for each flow that reads it. *name* is that of the flow in three parts.

    Raises:
        AnalysisError: it returns no DataFrame.
    """
    assert flow.query is not None, "a flow has a query or changes"
    frame: DataFrame = flow.query()
    if not hasattr(frame, "_plan"):
        raise AnalysisError(
            f"{flow.origin}: the query of `{flow.name}` returned {type(frame).__name__}; expected a Spark "
            "DataFrame. Return one."
        )
    if not dataset.expectations and dataset.is_view:
        return frame
    seen_as = observation(dataset.name) if dataset.is_view else observation(dataset.name, name)
    return with_rules(frame, dataset.expectations, seen_as, name)


def _placed(error: str, dataset: Dataset) -> str:
    """*error* with the place of *dataset*, unless it contains one."""
    place = str(dataset.origin)
    return error if place in error or not place else f"{place}: {error}"


def _check_declared(dataset: Dataset, declared: "StructType", found: "StructType | None") -> None:
    """Refuse a query with columns that its table does not declare."""
    names = {each.name.lower() for each in declared.fields}
    unknown = [each.name for each in (found.fields if found is not None else ()) if each.name.lower() not in names]
    if unknown:
        raise AnalysisError(
            f"[USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE] {dataset.origin}: the query of `{dataset.name}` "
            f"returns `{unknown[0]}`, which its schema does not have. Add the column to the schema, or remove it from "
            "the query."
        )


def nullable(schema: "StructType") -> "StructType":
    """The *schema* of a query as that of a table: rows of other queries may have NULL."""
    from pyspark.sql.types import StructType

    written = schema.jsonValue()
    return StructType.fromJson({**written, "fields": [{**each, "nullable": True} for each in written["fields"]]})
