"""Evaluates the queries of a pipeline in a Spark Connect session.

A query reads datasets of its own pipeline by name, in any of the ways that Spark has. An interceptor in front of the
channel sees each request, and replaces such a name

- of a view: by the view's own plan, in every phase;
- of a table, while the pipeline is analyzed: by an empty relation with the schema that the table will have;
- of a table, while a flow runs: by the table.

A dataset whose query has not been evaluated yet raises `UnresolvedError`, and the query that reads it is evaluated
again later. A query may therefore use the `columns` and the `schema` of what it reads, as on Databricks.
"""

import hashlib
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pyspark.sql.connect.proto as proto
from google.protobuf.message import Message

from lakelocal.dialect.arguments import fill_arguments
from lakelocal.dialect.names import FORMATS, join_name
from lakelocal.dialect.plans import decompress
from lakelocal.dialect.walk import walk
from lakelocal.pipelines.definitions import Dataset, Defaults, Definitions, Key, Kind
from lakelocal.pipelines.errors import AnalysisError, UnresolvedError, outside_of_a_query
from lakelocal.pipelines.reading import Read, Renamed, Replacement, is_streaming, reads_of, replace_reads
from lakelocal.spark_settings import set_all, settings_of_clusters
from lakelocal.sql.tokens import tokenize

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

_QUERIES = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE", "("})
_CHECKS_MODE = "pipelines.incompatibleViewCheck.enabled"


@dataclass
class Resolved:
    """What is known of a dataset once its query is evaluated: its *schema* (a StructType) and whether it *streams*.

    *plan* is that of a view. *stored* is the name by which a table is read. *again* evaluates
    the query of a view again, if it requests rows of the pipeline; *reads* are then the datasets that it requested.
    """

    streams: bool
    schema: Any = None
    plan: proto.Relation | None = None
    defaults: Defaults | None = None
    stored: str = ""
    again: "Callable[[], DataFrame] | None" = None
    reads: frozenset[Key] = frozenset()


@dataclass
class Evaluation:
    """The query that a thread evaluates or runs: that of the flow or view *name*, at a place with *defaults*.

    *runs*: tables are actually read. *reads* collects the keys of the datasets and tables that the query reads,
    *counts* what the server has counted in it, by observation. *schemas* is the folder for Auto Loader's schemas.
    *asks_rows*: the query itself has requested rows of the pipeline, as `collect` and `count` do; during the analysis
    it gets none. *plans* are those of views that do so, evaluated again for this run.
    """

    name: str
    defaults: Defaults
    runs: bool
    schemas: Path
    reads: set[Key] = field(default_factory=set)
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    asks_rows: bool = False
    plans: dict[Key, proto.Relation] = field(default_factory=dict)


class PipelineSession:
    """The session *spark*, with requests in which the datasets of *definitions* are replaced."""

    def __init__(self, spark: "SparkSession", definitions: Definitions, configuration: Mapping[str, str]) -> None:
        self.spark = spark
        self.definitions = definitions
        self.resolved: dict[Key, Resolved] = {}
        self.touched: list[Read] = []  # what is read while the sources are loaded
        self._checks_mode = configuration.get(_CHECKS_MODE, "true").lower() != "false"
        self._current = threading.local()
        self._sql = spark.sql
        self._follow()

    @property
    def evaluation(self) -> Evaluation | None:
        """The query that this thread evaluates; None while the sources are loaded, and between queries."""
        return getattr(self._current, "evaluation", None)

    @contextmanager
    def evaluating(self, evaluation: Evaluation) -> Iterator[Evaluation]:
        """Assign the requests of this thread to *evaluation*."""
        before = self.evaluation
        self._current.evaluation = evaluation
        try:
            yield evaluation
        finally:
            self._current.evaluation = before

    def take_over(self, file: Path) -> None:
        """Let *file* name this session, and end the one that it names, with all that still runs in it.

        That was the session of an update that was killed: the server would go on with its flows beside this one. The
        session has to be connected: to end another one does not connect it.
        """
        client = self.spark.client
        former = file.read_text(encoding="utf-8") if file.is_file() else ""
        if former not in ("", client._session_id):
            who = proto.UserContext(user_id=client._user_id or "")
            released = proto.ReleaseSessionRequest(session_id=former, user_context=who)
            with suppress(grpc.RpcError):  # a server that is busy ends the session later
                client._stub.ReleaseSession(released, metadata=client._builder.metadata())
        file.write_text(client._session_id, encoding="utf-8")

    def sql(self, text: str) -> "DataFrame":
        """Run the statement *text*, which is one of the emulator itself."""
        return self._sql(text)

    def set(self, settings: Mapping[str, str]) -> None:
        """Set all *settings* of the session in one request."""
        pairs = [proto.KeyValue(key=key, value=value) for key, value in settings.items()]
        self._configure(set=proto.ConfigRequest.Set(pairs=pairs))

    def set_what_can_be(self, settings: Mapping[str, str]) -> list[str]:
        """Set *settings* of the session, and return those that only a cluster has, from its start.

        Raises:
            IllegalArgumentException: a value does not fit its setting.
        """
        return settings_of_clusters(self.spark.client.config(set_all(settings)).warnings)

    @contextmanager
    def with_settings(self, settings: Mapping[str, str]) -> Iterator[None]:
        """The session with *settings* until the end of the block."""
        if not settings:
            yield
            return
        asked = proto.ConfigRequest.GetOption(keys=list(settings))
        before = {key: value for key, value in self._configure(get_option=asked).pairs if value is not None}
        self.set(settings)
        try:
            yield
        finally:
            if before:
                self.set(before)
            if new := [key for key in settings if key not in before]:
                self._configure(unset=proto.ConfigRequest.Unset(keys=new))

    def _configure(self, **operation: Any) -> Any:
        answer = self.spark.client.config(proto.ConfigRequest.Operation(**operation))
        for text in answer.warnings:
            warnings.warn(text, stacklevel=3)
        return answer

    def query(self, text: str, args: Any = None, **frames: Any) -> "DataFrame":
        """`spark.sql`: in a query of the pipeline, a plan that is only sent when its rows or schema are needed.

        A plan that Spark returned during the analysis would read the empty relations that stand for tables then.
        """
        from pyspark.sql.connect.dataframe import DataFrame
        from pyspark.sql.connect.functions import lit
        from pyspark.sql.connect.plan import SQL, SubqueryAlias
        from pyspark.sql.connect.sql_formatter import SQLStringFormatter

        first = next(iter(tokenize(text) or ()), None)
        if self.evaluation is None or first is None or first.word not in _QUERIES:
            return self._sql(text, args, **frames)
        formatter = SQLStringFormatter(self.spark)
        text = formatter.format(text, **frames) if frames else text
        views = [SubqueryAlias(frame._plan, name) for frame, name in formatter._temp_views]
        by_name = {name: lit(value) for name, value in args.items()} if isinstance(args, dict) else {}
        by_place = [lit(value) for value in args or ()] if not isinstance(args, dict) else []
        written = SQL(text, by_place, by_name).plan(self.spark.client).sql
        return DataFrame(SQL(fill_arguments(text, written), views=views), self.spark)

    def read_table(self, name: str, streaming: bool) -> "DataFrame":
        """`dlt.read` and `dlt.read_stream`.

        Raises:
            DefinitionError: the sources are still being loaded.
        """
        if self.evaluation is None:
            raise outside_of_a_query(name)
        return self.spark.readStream.table(name) if streaming else self.spark.table(name)

    def as_published(self, text: str, defaults: Defaults) -> str:
        """The query *text* of a published view, with the names of datasets in three parts."""
        holder = proto.Relation(sql=proto.SQL(query=text))

        def find(read: Read) -> Replacement:
            resolved = self.resolved.get(self.definitions.key(read.parts, defaults))
            return Renamed(resolved.stored) if resolved and resolved.stored else self._outside(read, defaults)

        replace_reads(holder, find)
        return holder.sql.query

    def plan_of(self, frame: "DataFrame") -> proto.Relation:
        """The plan of *frame*, before names are replaced."""
        written: Any = frame
        plan: proto.Plan = written._plan.to_proto(self.spark.client)
        decompress(plan)
        return deepcopy(plan.root)

    def streams(self, plan: proto.Relation, defaults: Defaults) -> bool:
        """Does *plan*, at a place with *defaults*, read a stream, directly or through a view?"""
        keys = [self.definitions.key(read.parts, defaults) for read in reads_of(plan)]
        through = [self.resolved[key] for key in keys if key in self.resolved and self.resolved[key].plan is not None]
        return is_streaming(plan) or any(each.streams for each in through)

    def note_reads(self, evaluation: Evaluation, plan: Message) -> frozenset[Key]:
        """Add what *plan* reads to the evaluation, and return what it reads directly, without views' inputs.

        Raises:
            UnresolvedError: it reads a dataset of the pipeline that is not resolved yet.
        """
        found = list(reads_of(plan))
        for read in found:
            self._find(read, evaluation.defaults, evaluation)
        return frozenset(self.definitions.key(read.parts, evaluation.defaults) for read in found)

    def rewritten(self, request: Message) -> Message:
        """*request* with the names of datasets replaced, as it is sent to the server."""
        if not isinstance(request, (proto.ExecutePlanRequest, proto.AnalyzePlanRequest)):
            return request
        evaluation = self.evaluation
        if evaluation is None:
            self.touched += reads_of(request)
            return request
        changed = deepcopy(request)
        for plan in _plans(changed):
            decompress(plan)
        before = set(evaluation.reads)
        evaluation.reads.clear()
        replace_reads(changed, lambda read: self._find(read, evaluation.defaults, evaluation))
        if isinstance(changed, proto.ExecutePlanRequest) and changed.plan.HasField("root"):
            evaluation.asks_rows |= any(self._is_written(key) for key in evaluation.reads)
        evaluation.reads |= before
        _keep_schemas(changed, evaluation.schemas)
        return changed

    def _is_written(self, key: Key) -> bool:
        """Is *key* a table of the pipeline, or a view whose query asks for rows of one?"""
        resolved = self.resolved.get(key)
        return resolved is not None and (resolved.plan is None or resolved.again is not None)

    def _find(self, read: Read, defaults: Defaults, evaluation: Evaluation) -> Replacement:
        """The replacement for *read* in a query at a place with *defaults*."""
        key = self.definitions.key(read.parts, defaults)
        evaluation.reads.add(key)
        dataset = self.definitions.datasets.get(key)
        if dataset is None or dataset.kind is Kind.SINK:
            return self._outside(read, defaults)
        resolved = self.resolved.get(key)
        if resolved is None:
            raise UnresolvedError(key)
        if resolved.plan is not None:
            return self._view(read, dataset, resolved, evaluation)
        if evaluation.runs:
            return Renamed(resolved.stored)
        return self._stand_in(resolved.schema, streaming=read.streaming)

    def _outside(self, read: Read, defaults: Defaults) -> Replacement:
        """The replacement for a table outside of the pipeline, whose name is completed by *defaults*."""
        parts = read.parts
        if len(parts) > 1 and parts[0].lower() == "live":
            parts = parts[1:]
        if len(parts) > 2 or (len(parts) == 2 and parts[0].lower() in FORMATS and "/" in parts[1]):
            return None
        own = (defaults.catalog, defaults.schema, *parts)[-3:] if len(parts) == 1 else (defaults.catalog, *parts)
        return Renamed(join_name(own))

    def _view(self, read: Read, dataset: Dataset, resolved: Resolved, evaluation: Evaluation) -> Replacement:
        assert resolved.plan is not None and resolved.defaults is not None, "it is a view"
        if self._checks_mode and read.streaming != resolved.streams:
            self._refuse_mode(dataset, streams=resolved.streams)
        holder = proto.Plan(root=deepcopy(self._plan_of_view(read, resolved, evaluation)))
        defaults = resolved.defaults
        replace_reads(holder, lambda inner: self._find(inner, defaults, evaluation))
        _name_observations(holder, evaluation.name)
        return holder.root

    def _plan_of_view(self, read: Read, resolved: Resolved, evaluation: Evaluation) -> proto.Relation:
        """The plan of a view; in a running flow, a query that requests rows is evaluated again with current rows."""
        assert resolved.plan is not None and resolved.defaults is not None, "it is a view"
        evaluation.reads |= resolved.reads
        if resolved.again is None or not evaluation.runs:
            return resolved.plan
        key = self.definitions.key(read.parts, evaluation.defaults)
        if key not in evaluation.plans:
            with self.evaluating(replace(evaluation, defaults=resolved.defaults)):
                evaluation.plans[key] = self.plan_of(resolved.again())
        return evaluation.plans[key]

    def _refuse_mode(self, dataset: Dataset, *, streams: bool) -> None:
        kind, way, other = ("streaming", "readStream", "read") if streams else ("batch", "read", "readStream")
        raise AnalysisError(
            f"View `{dataset.name}` is a {kind} view and must be referenced using {way}; found {other}. In SQL, "
            f"{'write STREAM before its name' if streams else 'remove STREAM'}. `{_CHECKS_MODE}=false` in the "
            "configuration turns this check off."
        )

    def _stand_in(self, schema: Any, *, streaming: bool) -> proto.Relation:
        """An empty relation with *schema*, as a stream or a batch."""
        from pyspark.sql import functions as F

        spark = self.spark
        if not streaming:
            return self.plan_of(spark.createDataFrame([], schema))
        rows = spark.readStream.format("rate").load()
        columns = [F.lit(None).cast(each.dataType).alias(each.name) for each in schema.fields]
        return self.plan_of(rows.where("false").select(*columns))

    def _follow(self) -> None:
        """Pass the requests of the session through `rewritten`, and calls of its `sql` through `query`."""
        from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub

        client = self.spark.client
        client._channel = grpc.intercept_channel(client._channel, _Interceptor(self))
        client._stub = SparkConnectServiceStub(client._channel)
        self.spark.sql = self.query  # type: ignore[method-assign, assignment]  # the same arguments, less precisely


class _Interceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Sends each request as `PipelineSession.rewritten` returns it, and stores what the server has counted."""

    def __init__(self, session: PipelineSession) -> None:
        self._session = session

    def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        return continuation(client_call_details, self._session.rewritten(request))

    def intercept_unary_stream(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        evaluation = self._session.evaluation
        call = continuation(client_call_details, self._session.rewritten(request))
        return call if evaluation is None else _Counted(call, evaluation)


class _Counted(Iterator[Any]):
    """The responses of *call*, whose observed metrics are added to *evaluation*."""

    def __init__(self, call: Any, evaluation: Evaluation) -> None:
        self._call, self._evaluation = call, evaluation

    def __next__(self) -> Any:
        answer = next(self._call)
        for metrics in getattr(answer, "observed_metrics", ()):
            values = [getattr(value, value.WhichOneof("literal_type")) for value in metrics.values]
            self._evaluation.counts[metrics.name] = dict(zip(metrics.keys, values, strict=True))
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


def _plans(request: Any) -> Iterator[proto.Plan]:
    """The plans in *request*."""
    if isinstance(request, proto.ExecutePlanRequest):
        yield request.plan
    else:
        for _, question in request.ListFields():
            if isinstance(question, Message) and "plan" in question.DESCRIPTOR.fields_by_name:
                yield question.plan  # type: ignore[attr-defined]  # the fields are those of one of many messages


def _keep_schemas(request: Message, schemas: Path) -> None:
    """Let each Auto Loader source in *request* without a schema location store its schema in *schemas*."""

    def read(source: proto.Read.DataSource) -> None:
        given = {name.lower() for name in source.options}
        if source.format.lower() == "cloudfiles" and "cloudfiles.schemalocation" not in given:
            what = "\0".join([*source.paths, source.options.get("cloudFiles.format", "")])
            place = schemas / hashlib.sha256(what.encode()).hexdigest()[:12]
            source.options["cloudFiles.schemaLocation"] = str(place)

    walk(request, {"spark.connect.Read.DataSource": read})


OWN = "{reader}"  # a placeholder, in the name of a view's observation, for the flow that reads the view


def _name_observations(message: Message, reader: str) -> None:
    def collect(metrics: proto.CollectMetrics) -> None:
        metrics.name = metrics.name.replace(OWN, reader)

    walk(message, {"spark.connect.CollectMetrics": collect})
