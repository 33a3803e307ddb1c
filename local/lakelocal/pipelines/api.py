"""`import dlt` and `from pyspark import pipelines as dp`: one module, whose functions record definitions.

A decorator does not call the function: the query of a dataset is evaluated after all sources have been loaded, as on
Databricks, so a query that uses the variable of a loop sees its last value. The arguments of decorators are evaluated
at once.

Source: Databricks documentation, "Lakeflow Spark Declarative Pipelines Python language reference"; names of older code:
`create_table`, `create_target_table`, `apply_changes`, `read`, `read_stream`.
"""

import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakelocal.pipelines.definitions import (
    Action,
    Changes,
    Dataset,
    Defaults,
    Definitions,
    Expectation,
    Flow,
    Kind,
    Origin,
)
from lakelocal.pipelines.errors import DefinitionError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MODULES = ("dlt", "pyspark.pipelines")
_WITHOUT_EFFECT = ("refresh_policy", "cluster_by_auto")
_TARGET = "create_streaming_table"


@dataclass(frozen=True)
class _Rules:
    """A query, and the expectations of the decorators below the one that defines the dataset."""

    query: Callable[..., Any]
    expectations: tuple[Expectation, ...] = ()


@dataclass
class Recorder:
    """The functions of the module, which add to *definitions*.

    *defaults* and *file* are those of the source that is being loaded. *read* returns the DataFrame of a table, given
    its name and whether it is read as a stream.
    """

    definitions: Definitions
    read_table: Callable[[str, bool], "DataFrame"]
    defaults: Defaults = field(init=False)
    file: str = ""

    def __post_init__(self) -> None:
        self.defaults = self.definitions.defaults

    def install(self) -> None:
        """Let sources import this module, as `dlt` and instead of Spark's own `pyspark.pipelines`."""
        import pyspark

        for name in MODULES:
            module = types.ModuleType(name, __doc__)
            vars(module).update(self._names())
            sys.modules[name] = module
            if name == "pyspark.pipelines":
                pyspark.pipelines = module  # type: ignore[attr-defined]  # `from pyspark import pipelines`

    def _names(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "create_table": self.create_table,
            "materialized_view": self.materialized_view,
            "view": self.temporary_view,
            "temporary_view": self.temporary_view,
            "create_view": self.temporary_view,
            **dict.fromkeys(
                (_TARGET, "create_target_table", "create_streaming_live_table"), self.create_streaming_table
            ),
            "append_flow": self.append_flow,
            **dict.fromkeys(("create_auto_cdc_flow", "apply_changes"), self.create_auto_cdc_flow),
            **dict.fromkeys(
                ("create_auto_cdc_from_snapshot_flow", "apply_changes_from_snapshot"),
                self.create_auto_cdc_from_snapshot_flow,
            ),
            "create_sink": self.create_sink,
            "foreach_batch_sink": self.foreach_batch_sink,
            "on_event_hook": self.on_event_hook,
            "expect": self._expect(Action.WARN),
            "expect_or_drop": self._expect(Action.DROP),
            "expect_or_fail": self._expect(Action.FAIL),
            "expect_all": self._expect_all(Action.WARN),
            "expect_all_or_drop": self._expect_all(Action.DROP),
            "expect_all_or_fail": self._expect_all(Action.FAIL),
            "read": lambda name: self.read_table(name, False),
            "read_stream": lambda name: self.read_table(name, True),
            "update_flow": self._refused("update_flow", "write the sink with a `foreach_batch_sink`"),
            "replace_flow": self._refused("replace_flow", "use a materialized view"),
        }

    def table(self, query_function: Any = None, **given: Any) -> Any:
        """`@table`: a streaming table if the query is a stream, otherwise a materialized view."""
        return self._decorator(Kind.TABLE, query_function, given)

    def create_table(self, query_function: Any = None, **given: Any) -> Any:
        """The older name of `@table`.

        Raises:
            DefinitionError: it is used as `create_table("name", ...)`, a managed table for append flows.
        """
        if isinstance(query_function, str) or (query_function is None and "name" in given and len(given) == 1):
            raise self._wrong(
                "create_table", "a table without a query (Beta)", "`create_streaming_table`", "Use that instead"
            )
        return self.table(query_function, **given)

    def materialized_view(self, query_function: Any = None, **given: Any) -> Any:
        """`@materialized_view`: a table with the current rows of its query."""
        return self._decorator(Kind.MATERIALIZED_VIEW, query_function, given)

    def temporary_view(self, query_function: Any = None, **given: Any) -> Any:
        """`@temporary_view` or `@view`: a named query, which becomes a part of each query that reads it."""
        return self._decorator(Kind.TEMPORARY_VIEW, query_function, given)

    def create_streaming_table(self, name: str, **given: Any) -> None:
        """A streaming table without its own query, as a target for flows."""
        rules = [
            rule
            for argument, action in (
                ("expect_all", Action.WARN),
                ("expect_all_or_drop", Action.DROP),
                ("expect_all_or_fail", Action.FAIL),
            )
            for rule in self._rules(_TARGET, given.pop(argument, None) or {}, action)
        ]
        given.pop("spark_conf", None)
        self.definitions.add(self._dataset(Kind.STREAMING_TABLE, name, given, _TARGET, tuple(rules)))

    def append_flow(
        self,
        *,
        target: str,
        name: str | None = None,
        once: bool = False,
        spark_conf: Mapping[str, Any] | None = None,
        comment: str | None = None,
        depends_on: Sequence[str] | None = None,
        import_checkpoint: Any = None,
    ) -> Callable[[Any], None]:
        """`@append_flow`: a query that adds rows to a streaming table or a sink; *once*: as a batch, a single time."""
        if import_checkpoint is not None:
            raise self._wrong("append_flow", "`import_checkpoint` (Beta)", "none", "Remove it")
        if depends_on:
            raise self._wrong("append_flow", "`depends_on` (Preview)", "none", "Read the datasets in the query")

        def define(query: Any) -> None:
            function = query.query if isinstance(query, _Rules) else query
            if isinstance(query, _Rules):
                raise self._wrong(
                    "append_flow",
                    "an expectation on a flow",
                    "it on the target",
                    "Use `create_streaming_table(expect_all=...)`",
                )
            self.definitions.add_flow(
                Flow(
                    name or function.__name__,
                    target,
                    self.defaults,
                    self._origin(function),
                    function,
                    once=bool(once),
                    conf=_texts(spark_conf),
                    explicit=True,
                )
            )

        return define

    def create_auto_cdc_flow(
        self,
        target: str,
        source: str,
        keys: Any,
        sequence_by: Any,
        ignore_null_updates: bool = False,
        apply_as_deletes: Any = None,
        apply_as_truncates: Any = None,
        column_list: Any = None,
        except_column_list: Any = None,
        stored_as_scd_type: Any = 1,
        track_history_column_list: Any = None,
        track_history_except_column_list: Any = None,
        name: str | None = None,
        once: bool = False,
        **other: Any,
    ) -> None:
        """AUTO CDC: makes the rows of the target from the change events in *source*, a dataset or a table."""
        name = name or other.pop("flow_name", None)
        self._refuse_other("create_auto_cdc_flow", other)
        changes = Changes(
            source,
            _column_names(keys),
            sequence_by=sequence_by,
            apply_as_deletes=apply_as_deletes,
            apply_as_truncates=apply_as_truncates,
            column_list=_column_names(column_list),
            except_column_list=_column_names(except_column_list),
            stored_as_scd_type=self._scd_type(stored_as_scd_type),
            track_history_column_list=_column_names(track_history_column_list),
            track_history_except_column_list=_column_names(track_history_except_column_list),
            ignore_null_updates=bool(ignore_null_updates),
        )
        self._changes(name, target, changes, once)

    def create_auto_cdc_from_snapshot_flow(
        self,
        target: str,
        source: Any = None,
        keys: Any = None,
        stored_as_scd_type: Any = 1,
        track_history_column_list: Any = None,
        track_history_except_column_list: Any = None,
        **other: Any,
    ) -> None:
        """AUTO CDC FROM SNAPSHOT: makes the rows of the target from complete copies of a table."""
        source = source if source is not None else other.pop("snapshot_and_version", None)
        source = _one_snapshot(source) if isinstance(source, tuple) else source
        name = other.pop("name", None) or other.pop("flow_name", None)
        self._refuse_other("create_auto_cdc_from_snapshot_flow", other)
        changes = Changes(
            source,
            _column_names(keys),
            stored_as_scd_type=self._scd_type(stored_as_scd_type),
            track_history_column_list=_column_names(track_history_column_list),
            track_history_except_column_list=_column_names(track_history_except_column_list),
            snapshot=True,
        )
        self._changes(name, target, changes, False)

    def _changes(self, name: str | None, target: str, changes: Changes, once: bool) -> None:
        flow = Flow(
            name or target, target, self.defaults, self._origin(), once=bool(once), changes=changes, explicit=True
        )
        self.definitions.add_flow(flow)

    def create_sink(self, name: str, format: str, options: Mapping[str, Any] | None = None) -> None:
        """A target outside of the pipeline, for append flows."""
        self.definitions.add(
            Dataset(name, Kind.SINK, self.defaults, self._origin(), format=str(format), options=_texts(options))
        )

    def foreach_batch_sink(self, function: Any = None, *, name: str | None = None) -> Any:
        """`@foreach_batch_sink`: a function that is called with each batch and its number."""

        def define(given: Any) -> None:
            self.definitions.add(
                Dataset(
                    name or given.__name__,
                    Kind.SINK,
                    self.defaults,
                    self._origin(given),
                    format="foreachBatch",
                    function=given,
                )
            )

        return define if function is None else define(function)

    def on_event_hook(self, function: Any = None, **given: Any) -> Any:
        """`@on_event_hook`: accepted, but hooks are not called on this machine."""

        def define(hook: Any) -> None:
            self.definitions.note(f"the event hook `{hook.__name__}` is not called on this machine")

        return define if function is None else define(function)

    def _decorator(self, kind: Kind, query_function: Any, given: dict[str, Any]) -> Any:
        def define(query: Any) -> None:
            rules = query if isinstance(query, _Rules) else _Rules(query)
            if not callable(rules.query):
                raise self._wrong(
                    kind.value.lower(), f"{type(query).__name__} as its query", "a function", "Decorate one"
                )
            self._define(kind, rules, dict(given))

        if query_function is None:
            return define
        if callable(query_function) or isinstance(query_function, _Rules):
            return define(query_function)
        raise self._wrong(
            kind.value.lower(), f"`{query_function!r}` as the first argument", "a function", "Name it: `name=...`"
        )

    def _define(self, kind: Kind, rules: _Rules, given: dict[str, Any]) -> None:
        call = {Kind.TEMPORARY_VIEW: "temporary_view", Kind.MATERIALIZED_VIEW: "materialized_view"}.get(kind, "table")
        name = given.pop("name", None) or rules.query.__name__
        conf = _texts(given.pop("spark_conf", None))
        if kind is Kind.TABLE and (given.pop("replace_using", None) or given.pop("sequence_by", None)):
            raise self._wrong(call, "`replace_using`", "none", "Use a materialized view")
        dataset = self._dataset(kind, name, given, call, rules.expectations, rules.query)
        self.definitions.add(dataset)
        self.definitions.add_flow(Flow(name, name, self.defaults, dataset.origin, rules.query, conf=conf))

    def _dataset(
        self,
        kind: Kind,
        name: str,
        given: dict[str, Any],
        call: str,
        rules: tuple[Expectation, ...],
        function: Any = None,
    ) -> Dataset:
        if given.pop("row_filter", None):
            raise self._wrong(
                call,
                "`row_filter`",
                "none: a filter that protects rows is not left out",
                "Filter the rows in the query",
            )
        for argument in _WITHOUT_EFFECT:
            if given.pop(argument, None):
                self.definitions.note(f"`{argument}` has no effect on this machine")
        if given.pop("path", None):
            raise self._wrong(call, "`path`", "a table of the catalog, as with Unity Catalog", "Remove it")
        dataset = Dataset(
            name,
            kind,
            self.defaults,
            self._origin(function),
            comment=given.pop("comment", None),
            properties=_texts(given.pop("table_properties", None)),
            partition_by=_column_names(given.pop("partition_cols", None)),
            cluster_by=_column_names(given.pop("cluster_by", None)),
            schema=given.pop("schema", None),
            private=bool(given.pop("private", False)) | bool(given.pop("temporary", False)),
            expectations=self._unique(call, rules),
        )
        self._refuse_other(call, given)
        return dataset

    def _expect(self, action: Action) -> Callable[..., Any]:
        call = "expect" if action is Action.WARN else f"expect_or_{action}"

        def expect(name: str, inv: Any = None, *, constraint: Any = None) -> Callable[[Any], _Rules]:
            condition = inv if inv is not None else constraint
            return self._with_rules(self._rules(call, {name: condition}, action))

        return expect

    def _expect_all(self, action: Action) -> Callable[..., Any]:
        call = "expect_all" if action is Action.WARN else f"expect_all_or_{action}"
        return lambda expectations: self._with_rules(self._rules(call, expectations, action))

    def _rules(self, call: str, conditions: Any, action: Action) -> list[Expectation]:
        if not isinstance(conditions, Mapping) or any(condition is None for condition in conditions.values()):
            raise self._wrong(call, f"`{conditions!r}`", "a condition for each name", "Write `{'name': 'condition'}`")
        return [Expectation(str(name), condition, action) for name, condition in conditions.items()]

    def _with_rules(self, rules: list[Expectation]) -> Callable[[Any], _Rules]:
        def decorate(query: Any) -> _Rules:
            if query is None:
                raise self._wrong(
                    "expect", "an expectation above the decorator of its dataset", "it below", "Exchange the two lines"
                )
            below = query if isinstance(query, _Rules) else _Rules(query)
            return replace(below, expectations=(*rules, *below.expectations))

        return decorate

    def _unique(self, call: str, rules: tuple[Expectation, ...]) -> tuple[Expectation, ...]:
        names = [rule.name for rule in rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise self._wrong(call, f"two expectations `{twice[0]}`", "one of each name", "Rename one")
        return rules

    def _scd_type(self, given: Any) -> int:
        if str(given) not in ("1", "2"):
            raise self._wrong(
                "create_auto_cdc_flow", f"`stored_as_scd_type={given!r}`", "1 or 2", "Choose one of these"
            )
        return int(given)

    def _refused(self, call: str, instead: str) -> Callable[..., Any]:
        def refuse(*arguments: Any, **given: Any) -> Any:
            raise self._wrong(call, "this flow", "one that runs on this machine", instead[0].upper() + instead[1:])

        return refuse

    def _refuse_other(self, call: str, given: Mapping[str, Any]) -> None:
        if left := [name for name, value in given.items() if value is not None]:
            raise self._wrong(call, f"the argument `{left[0]}`", "one that runs on this machine", "Remove it")

    def _wrong(self, call: str, found: str, expected: str, action: str) -> DefinitionError:
        return DefinitionError(f"{self._origin()}: `{call}`: found {found}; expected {expected}. {action}.")

    def _origin(self, function: Any = None) -> Origin:
        """Where *function* is defined; without a function, the line of the source that is being run."""
        code = getattr(function, "__code__", None)
        if code is not None and Path(code.co_filename).name == Path(self.file).name:
            return Origin(Path(self.file).name, code.co_firstlineno)
        frame = sys._getframe()
        while frame.f_back is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back
        line = frame.f_lineno if frame.f_code.co_filename == self.file else 0
        return Origin(Path(self.file).name, line)


def _one_snapshot(given: tuple[Any, Any]) -> Callable[[Any], tuple[Any, Any] | None]:
    """The copy and its version that older code gives in place of a function."""
    return lambda last: given if last is None or given[1] > last else None


def _texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    """Settings as texts; booleans as Spark writes them."""
    plain = {True: "true", False: "false"}
    return {str(key): plain[value] if isinstance(value, bool) else str(value) for key, value in (given or {}).items()}


def _column_names(given: Any) -> tuple[str, ...]:
    """The names of columns that are given as texts or as Spark columns."""
    if given is None:
        return ()
    listed = [given] if isinstance(given, str) or not isinstance(given, list | tuple) else given
    return tuple(column if isinstance(column, str) else column_name(column) for column in listed)


def column_name(column: Any) -> str:
    """The name of a Spark column such as `col("id")`."""
    expression = column._expr
    return str(getattr(expression, "_unparsed_identifier", None) or expression)
