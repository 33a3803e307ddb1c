"""Translates the requests of Spark Connect: a handler for each kind of message in a plan."""

import hashlib
from collections.abc import Callable, MutableMapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyspark.sql.connect.proto as proto
import zstandard
from google.protobuf.message import Message

from lakelocal.dialect.arguments import fill_arguments
from lakelocal.dialect.autoloader import AutoLoader, ReadMode
from lakelocal.dialect.catalog import CatalogPlans
from lakelocal.dialect.constants import Constants
from lakelocal.dialect.datasets import Datasets
from lakelocal.dialect.delta_api import DeltaApi
from lakelocal.dialect.expressions import Expressions
from lakelocal.dialect.identifiers import fill_identifiers
from lakelocal.dialect.immediate import execute_immediate, execute_in_script, without_catalog
from lakelocal.dialect.names import Names, join_name, shorten, split_name
from lakelocal.dialect.preparation import Preparation
from lakelocal.dialect.read_files import ReadFiles, TemporaryView, temporary_view
from lakelocal.dialect.routines.procedures import Procedures
from lakelocal.dialect.routines.python import PythonFunctions
from lakelocal.dialect.routines.store import Routines
from lakelocal.dialect.scripts import ReadOnlyServer, is_script, translate_script
from lakelocal.dialect.server import Server, run
from lakelocal.dialect.sessions import Sessions
from lakelocal.dialect.settings import translate_settings
from lakelocal.dialect.sql import SqlText
from lakelocal.dialect.statement import NOTHING
from lakelocal.dialect.statements import Statements
from lakelocal.dialect.substitution import substitute
from lakelocal.dialect.syntax.time_travel import version_options
from lakelocal.dialect.table_functions import expand_table_functions
from lakelocal.dialect.volumes import PATH_OPTIONS, Volumes
from lakelocal.dialect.walk import Handlers, walk
from lakelocal.errors import DialectError
from lakelocal.paths import DatabricksPaths
from lakelocal.project import State
from lakelocal.sql.writing import quoted


def _as_it_is(command: bytes, schema: str) -> bytes:
    return command


_PICKLED = ("spark.connect.PythonUDF", "spark.connect.PythonUDTF", "spark.connect.PythonDataSource")
_UNDEFINED = "<undefined>"  # the value that SET shows for a setting that is not set
_DEEPEST = 20  # levels of procedures that call each other


@dataclass
class Dialect:
    """Databricks' dialect for one state; one object serves all sessions and threads of a process.

    *carry* is called with each pickled Python function, table function or data source, and with the session's current
    schema in the metastore; what it returns is sent to the server instead. For *datasets*, see `Statements`.
    """

    state: State
    carry: Callable[[bytes, str], bytes] = _as_it_is
    datasets: Datasets | None = None
    volumes: Volumes = field(init=False)
    sessions: Sessions = field(init=False)
    statements: Statements = field(init=False)
    preparation: Preparation = field(init=False)
    functions: dict[tuple[str, str], str] = field(default_factory=dict)  # see `PythonFunctions`

    def __post_init__(self) -> None:
        self.volumes = Volumes(DatabricksPaths(self.state))
        self.sessions = Sessions(self.volumes.catalogs)
        self.preparation = Preparation(self.volumes)
        self.statements = Statements(self.volumes, self.sessions, self.datasets)

    def rewrite(self, request: Message, server: Server, variants: frozenset[str] = frozenset()) -> Message:
        """A new message: *request* as open-source Spark understands it.

        *server* is asked, in the session of the request, if the translation depends on what exists there. *variants*
        are the values with a path (`value:path`) that are not strings.

        Raises:
            DialectError: the request contains something that has no counterpart here.
        """
        if isinstance(request, proto.ConfigRequest):
            return translate_settings(request, self.volumes)
        if not isinstance(request, (proto.ExecutePlanRequest, proto.AnalyzePlanRequest)):
            return request
        rewritten = deepcopy(request)
        Rewriter(self, request.session_id, server, variants).rewrite(rewritten)
        return rewritten


@dataclass
class Rewriter:
    """Translates one request, in place."""

    dialect: Dialect
    session: str
    server: Server
    variants: frozenset[str]
    use: ReadMode = field(default_factory=lambda: ReadMode(runs=False))
    depth: int = 0  # how deeply the current procedure call is nested

    @cached_property
    def sql(self) -> SqlText:
        place = self.dialect.sessions.at(self.session)
        names = Names(self.dialect.volumes.catalogs, place.catalog)
        return SqlText(self.dialect.volumes, names, place.schema, self.variants)

    @cached_property
    def catalog(self) -> CatalogPlans:
        return CatalogPlans(self.sql, self.dialect.sessions, self.session, self.server)

    @cached_property
    def delta(self) -> DeltaApi:
        return DeltaApi(self._full_name, self.dialect.volumes.translate, self._register)

    def rewrite(self, request: Message) -> None:
        if isinstance(request, proto.ExecutePlanRequest):
            decompress(request.plan)
            command = request.plan.command
            self.use = self._use(command)
            if command.HasField("extension") and (text := self.delta.command(command.extension)):
                command.sql_command.input.sql.query = text
            if command.HasField("sql_command"):
                self._statement(command.sql_command)
        walk(request, self.handlers)
        self.dialect.preparation.make(self.sql.names.needed, self.server)

    def _use(self, command: proto.Command) -> ReadMode:
        """How the request reads the sources in it."""
        if not command.HasField("write_stream_operation_start"):
            return ReadMode(runs=True)
        stream = command.write_stream_operation_start
        named = {key.lower(): value for key, value in stream.options.items()}.get("checkpointlocation")
        checkpoint = Path(self.sql.volumes.translate(named)) if named else None
        return ReadMode(runs=True, checkpoint=checkpoint, bounded=stream.available_now or stream.once)

    @cached_property
    def handlers(self) -> Handlers:
        return {
            "spark.connect.Relation": self._relation,
            "spark.connect.SQL": self._sql,
            "spark.connect.SqlCommand": self._sql,
            "spark.connect.Read.NamedTable": self._named_table,
            "spark.connect.Expression": self._expression,
            "spark.connect.WriteOperation": self._write,
            "spark.connect.WriteOperationV2": self._write,
            "spark.connect.WriteStreamOperationStart": self._write,
            "spark.connect.MergeIntoTableCommand": self._merge,
            **dict.fromkeys(_PICKLED, self._carry),
            **self.catalog.handlers,
        }

    def _statement(self, command: proto.SqlCommand) -> None:
        """Translate the SQL of a command, the only place where statements have effects; other SQL is a query."""
        for holder, name in _sql_texts(command):
            setattr(holder, name, self._translated(fill_arguments(getattr(holder, name), holder)))

    def _translated(self, text: str) -> str:
        constants = Constants(self.server)
        text = execute_immediate(substitute(text, self._setting), constants)
        text = fill_identifiers(text, constants.known)
        text = self._procedures.statement(text) or self._functions.statement(text) or text
        if is_script(text):
            return translate_script(text, self._in_script)
        text = fill_identifiers(text, constants.known)
        if (view := temporary_view(text)) is not None:
            self._create_view(view)
            return NOTHING
        return self._alone(text, self.server)

    def _in_script(self, text: str, variables: frozenset[str]) -> str:
        """Translate a statement in a script with *variables*, which have no values yet."""
        server, own = ReadOnlyServer(self.server), self.dialect.state.catalog
        constants = Constants(server, variables)
        text = execute_in_script(text, constants, own)
        if is_script(called := self._procedures.statement(text) or ""):
            return self._called(called)
        text = fill_identifiers(text, constants.known, lambda expression: without_catalog(expression, own))
        return self._alone(text, server)

    @property
    def _procedures(self) -> Procedures:
        return Procedures(Routines(self.dialect.state), self.dialect.sessions.at(self.session))

    def _called(self, script: str) -> str:
        """Translate the script of a procedure that another script calls."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise DialectError("CALL: found a procedure that calls itself, which is not possible here. Use a loop.")
        try:
            return translate_script(script, self._in_script)
        finally:
            self.depth -= 1

    def _alone(self, text: str, server: Server) -> str:
        statements, names = self.dialect.statements, self.sql.names
        return statements.translate(text, self.session, names, server, self._plain)

    @cached_property
    def _functions(self) -> PythonFunctions:
        dialect, session = self.dialect, self.session

        def carry(command: bytes) -> bytes:
            return dialect.carry(command, dialect.sessions.schema(session))

        routines, place = Routines(dialect.state), dialect.sessions.at(session)
        return PythonFunctions(routines, place, session, self.server, dialect.functions, carry)

    def _spark_text(self, text: str) -> str:
        """The SQL *text* for Spark, with calls of functions that Spark does not have replaced."""
        return self.sql.rewrite(expand_table_functions(self._functions.calls(text), self._described))

    def _setting(self, key: str) -> str | None:
        """The value of a setting of the session; None if it is not set."""
        value = next((row["value"] for row in run(self.server, f"SET {quoted(key)}")), _UNDEFINED)
        return None if value == _UNDEFINED else str(value)

    def _described(self, function: str) -> list[dict[str, Any]]:
        return run(self.server, self.sql.rewrite(f"DESCRIBE FUNCTION EXTENDED {function}"))

    def _plain(self, text: str) -> str:
        """The SQL *text* as Spark understands it; what it names is created if it does not exist yet."""
        plain = self._spark_text(text)
        self.dialect.preparation.make(self.sql.names.needed, self.server)
        return plain

    def _create_view(self, view: TemporaryView) -> None:
        """Create *view* from a plan, since one that is created by a statement loses the relations beside the text."""
        plan = proto.Plan()
        command = plan.command.create_dataframe_view
        command.name, command.is_global, command.replace = view.name, view.is_global, view.replaces
        command.input.sql.query = view.query
        walk(plan, self.handlers)
        self.server.rows(plan)

    def _sql(self, message: proto.SQL | proto.SqlCommand) -> None:
        name = "query" if isinstance(message, proto.SQL) else "sql"
        if text := getattr(message, name):
            setattr(message, name, self._spark_text(text))

    def _expression(self, expression: proto.Expression) -> None:
        if expression.HasField("expression_string"):
            text = expression.expression_string
            text.expression = self._functions.calls(text.expression)
        Expressions(self.sql).rewrite(expression)

    def _named_table(self, message: proto.Read.NamedTable) -> None:
        name, version = version_options(message.unparsed_identifier)
        message.unparsed_identifier = self.sql.name(name, f"The table {shorten(name)}")
        message.options.update(version)

    def _relation(self, relation: proto.Relation) -> None:
        if relation.HasField("read") and relation.read.HasField("data_source"):
            source = relation.read.data_source
            if source.format.lower() == "cloudfiles":
                relation.CopyFrom(AutoLoader(self.sql, self.use).relation(relation.read))
                return
            source.paths[:] = [self.sql.volumes.translate(path) for path in source.paths]
            self._options(source.options)
        elif relation.HasField("catalog"):
            self.catalog.answer(relation)
        elif relation.HasField("extension") and (written := self.delta.relation(relation.extension)):
            written.common.CopyFrom(relation.common)
            relation.CopyFrom(written)
            walk(relation, self.handlers)
        else:
            ReadFiles(self.sql, self.server, AutoLoader(self.sql, self.use)).expand(relation)

    def _write(self, message: proto.WriteOperation | proto.WriteOperationV2 | proto.WriteStreamOperationStart) -> None:
        holder = message.table if isinstance(message, proto.WriteOperation) else message
        if holder.table_name:
            holder.table_name = self._target(holder.table_name)
        if not isinstance(message, proto.WriteOperationV2) and message.path:
            message.path = self.sql.volumes.translate(message.path, writes=True)
        self._options(message.options, writes=True)

    def _merge(self, message: proto.MergeIntoTableCommand) -> None:
        message.target_table_name = self._target(message.target_table_name)

    def _target(self, name: str) -> str:
        """The name in the metastore of the table *name*, which is written to."""
        where = f"The table {shorten(name)}"
        self.sql.names.written(split_name(name) or [name], where)
        return self.sql.name(name, where)

    def _carry(self, message: proto.PythonUDF | proto.PythonUDTF | proto.PythonDataSource) -> None:
        message.command = self.dialect.carry(message.command, self.dialect.sessions.schema(self.session))

    def _full_name(self, parts: list[str]) -> str:
        place = self.dialect.sessions.at(self.session)
        return join_name([place.catalog, place.schema, *parts][-3:] if len(parts) < 3 else parts)

    def _register(self, function: proto.CommonInlineUserDefinedFunction) -> str:
        """Register *function* with this session, and return the name that SQL can call it by."""
        known = proto.CommonInlineUserDefinedFunction()
        known.CopyFrom(function)
        known.ClearField("arguments")
        known.function_name = f"python_function_{hashlib.sha256(known.SerializeToString()).hexdigest()[:12]}"
        command = proto.Command(register_function=known)
        walk(command, self.handlers)
        self.server.rows(proto.Plan(command=command))
        return known.function_name

    def _options(self, options: MutableMapping[str, str], *, writes: bool = False) -> None:
        for key, value in list(options.items()):
            if key.lower() in PATH_OPTIONS:
                options[key] = self.sql.volumes.translate(value, writes=writes)


def _sql_texts(command: proto.SqlCommand) -> list[tuple[proto.SQL | proto.SqlCommand, str]]:
    """The message and the field of each SQL text that *command* runs."""
    if not command.HasField("input"):
        return [(command, "sql")] if command.sql else []
    relation = command.input.with_relations.root if command.input.HasField("with_relations") else command.input
    return [(relation.sql, "query")] if relation.HasField("sql") else []


def decompress(plan: proto.Plan) -> None:
    """Replace a compressed operation by its contents; the server accepts both."""
    if not plan.HasField("compressed_operation"):
        return
    packed = plan.compressed_operation
    data = zstandard.ZstdDecompressor().decompressobj().decompress(packed.data)
    if packed.op_type == proto.Plan.CompressedOperation.OP_TYPE_RELATION:
        plan.root.CopyFrom(proto.Relation.FromString(data))
    else:
        plan.command.CopyFrom(proto.Command.FromString(data))
