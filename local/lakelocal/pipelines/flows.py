"""Writes the rows of each kind of flow, and counts them.

streaming table   a stream that processes what is new since its checkpoint, and ends; it appends, except that
                  aggregates without a watermark replace the former rows
once              one append, which is not repeated after a crash
materialized view one commit that replaces the rows, and the columns if they have changed
published view    CREATE OR REPLACE VIEW
sink              a stream with its own checkpoint
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException

from lakelocal.lakeflow.update_progress import Counts
from lakelocal.pipelines.definitions import Dataset, Definitions, Expectation, Key, Kind
from lakelocal.pipelines.errors import PipelineError
from lakelocal.pipelines.expectations import counters, counts_of
from lakelocal.pipelines.memory import Memory
from lakelocal.pipelines.resolving import ResolvedFlow, frame_of, nullable
from lakelocal.pipelines.session import Evaluation, PipelineSession
from lakelocal.pipelines.tables import definition_of, stored_name
from lakelocal.sql.writing import literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

_NOT_APPENDED = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"  # sums without a watermark


@dataclass(frozen=True)
class Writer:
    """Runs flows of the pipeline, whose tables have been set up."""

    definitions: Definitions
    session: PipelineSession
    memory: Memory
    kinds: Mapping[Key, Kind]
    schemas: Mapping[Key, Any]

    def write(self, flow: ResolvedFlow) -> Counts:
        """Run *flow* to its end."""
        dataset = self.definitions.datasets[flow.key]
        table = self.memory.of(flow.key)
        generation = table.generation if table else 0
        evaluation = Evaluation(
            flow.name, flow.flow.defaults, runs=True, schemas=self.memory.files_schema(flow.name, generation)
        )
        kind = self.kinds.get(flow.key, dataset.kind)
        if kind is Kind.PUBLISHED_VIEW:
            self._publish(flow, dataset)
            return Counts()
        with self.session.evaluating(evaluation):
            if flow.asks_rows:
                flow = replace(flow, frame=frame_of(flow.flow, dataset, flow.name))
            if kind is Kind.MATERIALIZED_VIEW:
                batches: Sequence[Mapping[str, Any]] = self._replace(flow, dataset, evaluation)
            elif flow.flow.once:
                batches = self._append_once(flow, dataset, evaluation)
            else:
                batches = self._stream(flow, dataset, generation)
        return counts_of(self._rules(flow, dataset), dataset.name, flow.name, batches)

    def _rules(self, flow: ResolvedFlow, dataset: Dataset) -> dict[str, Sequence[Expectation]]:
        """The expectations that apply in *flow*, by dataset: those of its target and of the views that it reads."""
        return {
            **rules_of_views(flow, self.definitions),
            **({dataset.name: dataset.expectations} if dataset.expectations else {}),
        }

    def _stored(self, key: Key, dataset: Dataset) -> str:
        return stored_name(dataset, key, self.definitions.defaults, self.memory.id)

    def _replace(self, flow: ResolvedFlow, dataset: Dataset, evaluation: Evaluation) -> list[Mapping[str, Any]]:
        assert flow.frame is not None, "a materialized view has a query"
        table = self.memory.of(flow.key)
        assert table is not None, "it is set up"
        schema = nullable(flow.frame.schema) if flow.asks_rows and not dataset.schema else self.schemas[flow.key]
        stored = self._stored(flow.key, dataset)
        from pyspark.sql import functions as F

        if schema.jsonValue() == table.schema and definition_of(dataset) == table.definition:
            flow.frame.writeTo(stored).overwrite(F.lit(True))
            return [evaluation.counts]
        self._recreate(flow, dataset, stored)
        table.schema, table.definition = schema.jsonValue(), definition_of(dataset)
        self.memory.save()
        # Spark Connect does not return what was counted in a statement that replaces a table.
        flow.frame.groupBy().count().collect()
        return [evaluation.counts]

    def _recreate(self, flow: ResolvedFlow, dataset: Dataset, stored: str) -> None:
        """Replace the rows and the definition of a table in one commit."""
        from pyspark.sql import functions as F

        assert flow.frame is not None, "a materialized view has a query"
        writer = flow.frame.writeTo(stored).using("delta")
        for key, value in dataset.properties.items():
            writer = writer.tableProperty(key, value)
        if dataset.comment:
            writer = writer.tableProperty("comment", dataset.comment)
        if dataset.partition_by:
            writer = writer.partitionedBy(*(F.col(name) for name in dataset.partition_by))
        if dataset.cluster_by:
            writer = writer.clusterBy(*dataset.cluster_by)
        writer.createOrReplace()

    def _append_once(self, flow: ResolvedFlow, dataset: Dataset, evaluation: Evaluation) -> list[Mapping[str, Any]]:
        assert flow.frame is not None, "a once flow has a query"
        table = self.memory.of(flow.key)
        assert table is not None, "it is set up"
        append_once(flow.frame, self._stored(flow.key, dataset), f"{self.memory.id}:{flow.name}:{table.generation}")
        table.once.append(flow.name)
        self.memory.save()
        return [evaluation.counts]

    def _stream(self, flow: ResolvedFlow, dataset: Dataset, generation: int) -> list[Mapping[str, Any]]:
        assert flow.frame is not None, "an append flow has a query"
        checkpoint = self.memory.checkpoint(flow.key, flow.flow.name, generation)
        if dataset.kind is not Kind.SINK:
            stored = self._stored(flow.key, dataset)
            try:
                return stream_into(flow.frame, stored, checkpoint, flow.name)
            except AnalysisException as error:
                if flow.flow.explicit or error.getCondition() != _NOT_APPENDED:
                    raise
                return stream_into(flow.frame, stored, checkpoint, flow.name, mode="complete")
        writer = _stream_writer(flow.frame, checkpoint, flow.name)
        if dataset.function is not None:
            return _batches(writer.foreachBatch(dataset.function).start())
        return _batches(self._to_sink(writer, dataset))

    def _to_sink(self, writer: Any, dataset: Dataset) -> "StreamingQuery":
        options = dict(dataset.options)
        table = next((options.pop(name) for name in list(options) if name.lower() == "tablename"), None)
        writer = writer.format(dataset.format).options(**options)
        query: StreamingQuery = writer.toTable(table) if table else writer.start()
        return query

    def _publish(self, flow: ResolvedFlow, dataset: Dataset) -> None:
        if not dataset.text:
            raise PipelineError(f"{dataset.origin}: the view `{dataset.name}` has no query in SQL.")
        comment = f" COMMENT {literal(dataset.comment)}" if dataset.comment else ""
        text = self.session.as_published(dataset.text, flow.flow.defaults)
        self.session.sql(f"CREATE OR REPLACE VIEW {self._stored(flow.key, dataset)}{comment} AS {text}")


def rules_of_views(flow: ResolvedFlow, definitions: Definitions) -> dict[str, Sequence[Expectation]]:
    """The expectations of the views that *flow* reads, by view."""
    read = [definitions.datasets[key] for key in sorted(flow.reads) if key in definitions.datasets]
    return {each.name: each.expectations for each in read if each.is_view and each.expectations}


def stream_into(
    frame: "DataFrame", table: str, checkpoint: Path, name: str, *, mode: str = "append"
) -> list[Mapping[str, Any]]:
    """Append the new rows of the stream *frame* to *table*; returns what each batch has counted.

    In the *mode* `complete`, that of aggregates without a watermark, each batch replaces the rows of the table.
    """
    writer = _stream_writer(frame, checkpoint, name).outputMode(mode).option("mergeSchema", "true")
    return _batches(writer.toTable(table))


def append_once(frame: "DataFrame", table: str, application: str) -> None:
    """Append the rows of *frame* to *table*, unless a call with the same *application* has done so."""
    writer = frame.write.format("delta").mode("append").option("mergeSchema", "true")
    # Delta commits a transaction with this name only once, so a repetition after a crash adds nothing.
    writer.option("txnAppId", application).option("txnVersion", 1).saveAsTable(table)


def _stream_writer(frame: "DataFrame", checkpoint: Path, name: str) -> Any:
    writer = frame.writeStream.queryName(name).outputMode("append")
    return writer.option("checkpointLocation", str(checkpoint)).trigger(availableNow=True)


def _batches(query: "StreamingQuery") -> list[Mapping[str, Any]]:
    """Wait until *query* ends, and return what each of its batches has counted; raises its error."""
    query.awaitTermination()
    if (error := query.exception()) is not None:
        raise error
    return [
        {name: counters(row.asDict()) for name, row in (progress.observedMetrics or {}).items()}
        for progress in query.recentProgress
    ]
