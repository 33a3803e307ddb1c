"""AUTO CDC flows: their events are stored in a ledger for the target, from which `apply_changes` makes its rows.

The ledger is a table that only the pipeline sees. Each flow appends the new rows of its source to it, as a stream with
its own checkpoint, or a single time if it is a once flow. As on Databricks, events are thus those that have arrived,
whatever happens to them in the source later, and a flow that was killed is simply repeated. Snapshots need no ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from lakelocal.apply_changes.apply import apply_changes_from_snapshot, apply_together
from lakelocal.apply_changes.columns import resolve_columns
from lakelocal.apply_changes.errors import ChangesError
from lakelocal.apply_changes.flow import make_flow
from lakelocal.apply_changes.progress import Progress
from lakelocal.lakeflow.update_progress import Counts
from lakelocal.pipelines.api import column_name
from lakelocal.pipelines.definitions import INTERNAL, Changes, Definitions, Flow, Key, Kind
from lakelocal.pipelines.errors import AnalysisError
from lakelocal.pipelines.expectations import counts_of, observation, with_rules
from lakelocal.pipelines.flows import append_once, rules_of_views, stream_into
from lakelocal.pipelines.memory import Memory
from lakelocal.pipelines.resolving import ResolvedFlow
from lakelocal.pipelines.session import Evaluation, PipelineSession
from lakelocal.pipelines.tables import Tables, internal_name, merged, name_of, stored_name
from lakelocal.sql.tokens import tokenize

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql import SparkSession as AnySparkSession
    from pyspark.sql.types import StructType

_SEQUENCE, _DELETES, _TRUNCATES = "_pipeline_sequence", "_pipeline_deletes", "_pipeline_truncates"
_COMPUTED = (_SEQUENCE, _DELETES, _TRUNCATES)
_START, _END = "__START_AT", "__END_AT"


@dataclass
class ChangeFlows:
    """The AUTO CDC flows of one pipeline."""

    session: PipelineSession
    memory: Memory
    definitions: Definitions
    tables: Tables
    _columns: dict[str, "StructType"] = field(default_factory=dict)  # of the events, by flow
    _applying: dict[Key, Lock] = field(default_factory=dict)

    @property
    def spark(self) -> "AnySparkSession":
        """The session, as `apply_changes` takes it: of Connect or not."""
        return self.session.spark  # type: ignore[return-value]  # both have the same methods

    def schema_of(self, flow: Flow, source: "StructType | None", *, begins: bool) -> "StructType | None":
        """The columns of the target of *flow*, whose source has the columns *source*; None if they are not known yet.

        *begins*: this update creates the target, or rebuilds it.

        Raises:
            AnalysisError: the arguments of the flow do not fit its source.
        """
        changes = flow.changes
        assert changes is not None, "asked for AUTO CDC flows only"
        if changes.snapshot:
            return self._schema_of_snapshots(flow, changes, source, begins=begins)
        assert source is not None, "the source of changes has a name"
        self._refuse_reserved(flow, source)
        events = self._events(self.session.spark.createDataFrame([], source), changes).schema
        self._columns[flow.name] = events
        return _target_schema(flow, self._arguments(flow, changes, source), events)

    def set_up(self, key: Key, schema: "StructType", *, full: bool, exists: bool) -> None:
        """Prepare the target *key* and its ledger; if the target is refreshed fully, both are emptied."""
        dataset = self.definitions.datasets[key]
        flows = [flow for flow in self.definitions.flows_into(key) if flow.changes and not flow.changes.snapshot]

        def make_ledger() -> None:
            self.tables.make_schemas([(self.definitions.defaults.catalog, INTERNAL, "")])
            if flows:
                events = self._columns[flows[0].name]
                for flow in flows[1:]:
                    events = merged(events, self._columns[flow.name])
                self.tables.make_empty(self.ledger(key), events)

        self.tables.set_up(
            dataset,
            key,
            Kind.STREAMING_TABLE,
            schema,
            exists=exists,
            full=full,
            grows=False,
            beside=make_ledger,
        )

    def ledger(self, key: Key, what: str = "changes") -> str:
        """The table with the events of the target *key*."""
        return internal_name(key, self.definitions.defaults, self.memory.id, what)

    def run(self, flow: ResolvedFlow) -> Counts:
        """Add the new events to the ledger, and update the target."""
        changes = flow.flow.changes
        assert changes is not None, "asked for AUTO CDC flows only"
        with self._applying.setdefault(flow.key, Lock()):
            if changes.snapshot:
                return self._apply_snapshots(flow, changes)
            batches = self._append(flow, changes)
            views = rules_of_views(flow, self.definitions)
            return replace(self._apply(flow, changes), rules=counts_of(views, flow.name, flow.name, batches).rules)

    def _append(self, flow: ResolvedFlow, changes: Changes) -> Sequence[Mapping[str, Any]]:
        """Append the new events of *flow* to the ledger; returns what was counted in the process."""
        assert flow.frame is not None, "the source of changes has a name"
        table = self.memory.of(flow.key)
        assert table is not None, "it is set up"
        schemas = self.memory.files_schema(flow.name, table.generation)
        with self.session.evaluating(
            Evaluation(flow.name, flow.flow.defaults, runs=True, schemas=schemas)
        ) as evaluation:
            frame = self._events(flow.frame, changes)
            frame = with_rules(frame, (), observation(flow.name, flow.name), flow.name)
            ledger = self.ledger(flow.key)
            if flow.flow.once:
                if flow.name not in table.once:
                    append_once(frame, ledger, f"{self.memory.id}:{flow.name}:{table.generation}")
                    table.once.append(flow.name)
                    self.memory.save()
                return [evaluation.counts]
            checkpoint = self.memory.checkpoint(flow.key, flow.flow.name, table.generation)
            return stream_into(frame, ledger, checkpoint, flow.name)

    def _apply(self, flow: ResolvedFlow, changes: Changes) -> Counts:
        dataset = self.definitions.datasets[flow.key]
        target = stored_name(dataset, flow.key, self.definitions.defaults, self.memory.id)
        ledger = self.ledger(flow.key)
        arguments = self._arguments(flow.flow, changes, self._columns[flow.flow.name])
        progress = Progress(self.spark, [target], schema=self._internal())
        done = apply_together(self.spark, {target: {"source": ledger, **arguments}}, progress=progress)[target]
        return Counts(upserted=done.num_upserted_rows, deleted=done.num_deleted_rows)

    def _apply_snapshots(self, flow: ResolvedFlow, changes: Changes) -> Counts:
        dataset = self.definitions.datasets[flow.key]
        target = stored_name(dataset, flow.key, self.definitions.defaults, self.memory.id)
        progress = Progress(self.spark, [target], schema=self._internal())
        source = changes.source if callable(changes.source) else self._copy(flow)
        done = apply_changes_from_snapshot(
            self.spark,
            target=target,
            source=source,
            keys=list(changes.keys),
            stored_as_scd_type=changes.stored_as_scd_type,
            track_history_column_list=list(changes.track_history_column_list),
            track_history_except_column_list=list(changes.track_history_except_column_list),
            progress=progress,
        )
        self._remember_columns(flow.key, target)
        return Counts(upserted=done.num_upserted_rows, deleted=done.num_deleted_rows)

    def _remember_columns(self, key: Key, target: str) -> None:
        """A snapshot may have had new columns."""
        table = self.memory.of(key)
        found = self.session.spark.table(target).schema.jsonValue()
        if table is not None and found != table.schema:
            table.schema = found
            self.memory.save()

    def _copy(self, flow: ResolvedFlow) -> Any:
        """The source in this update as a single snapshot, whose version is the time."""
        assert flow.frame is not None, "the source has a name"
        table = self.memory.of(flow.key)
        schemas = self.memory.files_schema(flow.name, table.generation if table else 0)
        copy = self.ledger(flow.key, "copy")
        with self.session.evaluating(Evaluation(flow.name, flow.flow.defaults, runs=True, schemas=schemas)):
            writer = flow.frame.drop(_START, _END).write.format("delta").mode("overwrite")
            writer.option("overwriteSchema", "true").saveAsTable(copy)
        version = datetime.now(UTC)
        given: list[Any] = [(self.session.spark.table(copy), version)]
        return lambda last: given.pop() if given else None

    def _events(self, frame: "DataFrame", changes: Changes) -> "DataFrame":
        """*frame* with columns for what orders its events and what marks deletions, if those are expressions."""
        from pyspark.sql import functions as F

        if _columns_in(changes.sequence_by) is None:
            frame = frame.withColumn(_SEQUENCE, _as_column(changes.sequence_by))
        for name, condition in ((_DELETES, changes.apply_as_deletes), (_TRUNCATES, changes.apply_as_truncates)):
            if condition is not None and not isinstance(condition, str):
                frame = frame.withColumn(name, F.coalesce(condition.cast("boolean"), F.lit(False)))
        return frame

    def _arguments(self, flow: Flow, changes: Changes, source: "StructType") -> dict[str, Any]:
        """The arguments of `apply_changes`, whose source is the ledger."""
        left_out = {name.lower() for name in (*changes.except_column_list, *_COMPUTED)}
        stored = changes.column_list or [each.name for each in source.fields if each.name.lower() not in left_out]
        deletes, truncates = changes.apply_as_deletes, changes.apply_as_truncates
        return {
            "keys": list(changes.keys),
            "sequence_by": _columns_in(changes.sequence_by) or [_SEQUENCE],
            "apply_as_deletes": deletes if deletes is None or isinstance(deletes, str) else _DELETES,
            "apply_as_truncates": truncates if truncates is None or isinstance(truncates, str) else _TRUNCATES,
            "column_list": list(stored),
            "stored_as_scd_type": changes.stored_as_scd_type,
            "track_history_column_list": list(changes.track_history_column_list),
            # A column that is not stored cannot open a version.
            "track_history_except_column_list": [
                name for name in changes.track_history_except_column_list if name.lower() not in left_out
            ],
            "ignore_null_updates": changes.ignore_null_updates,
        }

    def _schema_of_snapshots(
        self, flow: Flow, changes: Changes, source: "StructType | None", *, begins: bool
    ) -> "StructType | None":
        from pyspark.sql.types import StructType, TimestampType

        kind: Any = TimestampType()
        if callable(changes.source):
            known = self.memory.of(self.definitions.key(flow.target, flow.defaults))
            if known and known.schema and not begins:  # the first copy may be gone by now
                return StructType.fromJson(known.schema)
            found = changes.source(None)
            if found is None:
                return StructType.fromJson(known.schema) if known and known.schema else None
            source = found[0].schema
            kind = self.session.spark.createDataFrame([(found[1],)], ["version"]).schema["version"].dataType
        assert source is not None, "a snapshot has columns"
        kept = StructType([each for each in source.fields if each.name.upper() not in (_START, _END)])
        return _with_history(kept, changes, kind)

    def _refuse_reserved(self, flow: Flow, source: "StructType") -> None:
        if reserved := [each.name for each in source.fields if each.name.upper() in (_START, _END)]:
            raise AnalysisError(
                f"{flow.origin}: Please rename the following system reserved columns in your source: "
                f"{', '.join(reserved)}. AUTO CDC writes them itself."
            )

    def _internal(self) -> str:
        return name_of((self.definitions.defaults.catalog, INTERNAL))


def _target_schema(flow: Flow, arguments: Mapping[str, Any], events: "StructType") -> "StructType":
    from pyspark.sql.types import StructType

    try:
        columns = resolve_columns(
            make_flow(source=str(flow.changes and flow.changes.source), target=flow.target, **arguments), events
        )
    except ChangesError as error:
        raise AnalysisError(f"{flow.origin}: {error}") from error
    stored = {each.name: each for each in (*columns.keys, *columns.values)}
    kept = StructType([each for each in events.fields if each.name in stored])
    order = [events[name] for name in arguments["sequence_by"]]
    kind: Any = order[0].dataType if len(order) == 1 else StructType(order)
    assert flow.changes is not None, "asked for AUTO CDC flows only"
    return _with_history(kept, flow.changes, kind)


def _with_history(columns: "StructType", changes: Changes, kind: Any) -> "StructType":
    from pyspark.sql.types import StructField, StructType

    if changes.stored_as_scd_type != 2:
        return columns
    return StructType([*columns.fields, StructField(_START, kind), StructField(_END, kind)])


def _columns_in(sequence: Any) -> list[str] | None:
    """The columns that *sequence* names: one, or those of `struct(a, b)`; None if it is any other expression."""
    if isinstance(sequence, str):
        tokens = tokenize(sequence) or ()
        if len(tokens) == 1 and tokens[0].is_name:
            return [tokens[0].text]
        names = tokens[2:-1:2]
        commas = [token.word for token in tokens[3:-1:2]]
        is_struct = [token.word for token in tokens[:2]] == ["STRUCT", "("] and tokens[-1].word == ")"
        if is_struct and all(each.is_name for each in names) and set(commas) <= {","}:
            return [each.text for each in names]
        return None
    expression = sequence._expr
    arguments = getattr(expression, "_args", None) or getattr(expression, "_children", None)
    if getattr(expression, "_name", "") == "struct" and arguments:
        inner = [getattr(each, "_unparsed_identifier", None) for each in arguments]
        return [str(name) for name in inner] if all(inner) else None
    return [column_name(sequence)] if getattr(expression, "_unparsed_identifier", None) else None


def _as_column(given: Any) -> "Column":
    from pyspark.sql import functions as F

    return F.expr(given) if isinstance(given, str) else given
