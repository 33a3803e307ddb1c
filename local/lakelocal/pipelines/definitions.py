"""What the sources of a pipeline define, as values: datasets, flows, sinks and expectations.

Nothing here reads or writes data. A name is stored as it is written, together with the catalog and schema that are
current at that place in the source; `Definitions.key` turns it into a name that is the same everywhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from lakelocal.dialect.names import split_name
from lakelocal.pipelines.errors import DefinitionError

INTERNAL = "__pipeline_internal"  # the schema of private tables, and of the events of AUTO CDC
Key: TypeAlias = tuple[str, str, str]  # catalog, schema and name, in lower case; the first two are "" without a schema


def shown(key: Sequence[str]) -> str:
    """*key* as a dotted name for people, without a schema if only the pipeline sees the dataset."""
    return ".".join(part for part in key if part)


class Kind(StrEnum):
    """The kind of a dataset. `TABLE` is defined by `@table`, and its query decides which of the first two it is."""

    STREAMING_TABLE = "STREAMING_TABLE"
    MATERIALIZED_VIEW = "MATERIALIZED_VIEW"
    TABLE = "TABLE"
    TEMPORARY_VIEW = "VIEW"
    PUBLISHED_VIEW = "PUBLISHED_VIEW"
    SINK = "SINK"


TITLES = {
    Kind.STREAMING_TABLE: "streaming table",
    Kind.MATERIALIZED_VIEW: "materialized view",
    Kind.TABLE: "table",
    Kind.TEMPORARY_VIEW: "temporary view",
    Kind.PUBLISHED_VIEW: "view",
    Kind.SINK: "sink",
}


class Action(StrEnum):
    """What happens to a row that violates an expectation."""

    WARN = "warn"
    DROP = "drop"
    FAIL = "fail"


@dataclass(frozen=True)
class Expectation:
    """A rule for the rows of a dataset; *condition* is SQL or a Spark column that uses the columns of its query."""

    name: str
    condition: Any
    action: Action


@dataclass(frozen=True)
class Defaults:
    """The *catalog* and *schema* for names that lack them, at one place in a source."""

    catalog: str
    schema: str


@dataclass(frozen=True)
class Origin:
    """Where something is defined: a file, and a line in it, or 0 if that is not known."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}" if self.line else self.file


@dataclass(frozen=True)
class Dataset:
    """A table, a view or a sink.

    *schema* is the DDL or the StructType that it declares, *columns* is the same in SQL, with constraints and comments.
    *private* tables exist for the pipeline only. *options* are those of a sink, *function* is that of a
    `foreach_batch_sink`, and *text* is the query of a published view.
    """

    name: str
    kind: Kind
    defaults: Defaults
    origin: Origin
    comment: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    schema: Any = None
    private: bool = False
    expectations: tuple[Expectation, ...] = ()
    format: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    function: Callable[..., object] | None = None
    text: str = ""

    @property
    def is_table(self) -> bool:
        """Are its rows stored as a table?"""
        return self.kind in (Kind.STREAMING_TABLE, Kind.MATERIALIZED_VIEW, Kind.TABLE)

    @property
    def is_inside(self) -> bool:
        """Is it seen by the pipeline alone?"""
        return self.private or self.kind in (Kind.TEMPORARY_VIEW, Kind.SINK)

    @property
    def is_view(self) -> bool:
        return self.kind in (Kind.TEMPORARY_VIEW, Kind.PUBLISHED_VIEW)


@dataclass(frozen=True)
class Changes:
    """The arguments of an AUTO CDC flow, named as in `create_auto_cdc_flow`; *snapshot*: the source has complete
    copies.

    *source* is the name of a dataset or table; for snapshots, it may be a function that takes the last version and
    returns the next copy.
    """

    source: Any
    keys: tuple[str, ...]
    sequence_by: Any = None
    apply_as_deletes: Any = None
    apply_as_truncates: Any = None
    column_list: tuple[str, ...] = ()
    except_column_list: tuple[str, ...] = ()
    stored_as_scd_type: int = 1
    track_history_column_list: tuple[str, ...] = ()
    track_history_except_column_list: tuple[str, ...] = ()
    ignore_null_updates: bool = False
    snapshot: bool = False


@dataclass(frozen=True)
class Flow:
    """A flow writes to the dataset *target*: the DataFrame that *query* returns, or *changes*.

    A *once* flow runs in the first update that has it, and again only after a full refresh. *conf* has Spark settings
    for this flow.
    """

    name: str
    target: str
    defaults: Defaults
    origin: Origin
    query: Callable[[], Any] | None = None
    once: bool = False
    conf: Mapping[str, str] = field(default_factory=dict)
    changes: Changes | None = None
    explicit: bool = False  # defined on its own, not as the query of its target


@dataclass
class Definitions:
    """Everything that the sources of one pipeline define, in this order."""

    defaults: Defaults
    datasets: dict[Key, Dataset] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, dataset: Dataset) -> None:
        """Define *dataset*.

        Raises:
            DefinitionError: its name is not a valid name, or another dataset has it.
        """
        key = self.key_of(dataset)
        if other := self.datasets.get(key):
            raise DefinitionError(
                f"{dataset.origin}: Cannot redefine dataset `{dataset.name}`: found it as a {TITLES[dataset.kind]} "
                f"here and as a {TITLES[other.kind]} in {other.origin}. Rename one of them."
            )
        self.datasets[key] = dataset

    def add_flow(self, flow: Flow) -> None:
        """Define *flow*.

        Raises:
            DefinitionError: another flow has its name.
        """
        for other in self.flows:
            if other.name.lower() == flow.name.lower() and self.key(other.name, other.defaults) == self.key(
                flow.name, flow.defaults
            ):
                raise DefinitionError(
                    f"{flow.origin}: Cannot redefine flow `{flow.name}`: {other.origin} defines it, too. Give one of "
                    "them another name."
                )
        self.flows.append(flow)

    def note(self, text: str) -> None:
        """Record that something has no effect here; it is shown once."""
        if text not in self.notes:
            self.notes.append(text)

    def key_of(self, dataset: Dataset) -> Key:
        """The key of *dataset*, which has no schema if only the pipeline sees it; a private table may have one."""
        parts = parts_of(dataset.name, dataset.origin)
        if not dataset.is_inside or (dataset.private and len(parts) > 1):
            return qualified(parts, dataset.defaults)
        if len(parts) > 1:
            raise DefinitionError(
                f"{dataset.origin}: found the {TITLES[dataset.kind]} `{dataset.name}`; expected a name without dots, "
                "since only this pipeline sees it. Remove the schema."
            )
        return ("", "", parts[0].lower())

    def key(self, name: str | Sequence[str], defaults: Defaults) -> Key:
        """The key of the dataset or table that *name* means at a place with *defaults*."""
        parts = list(split_name(name) or [name]) if isinstance(name, str) else list(name)
        if len(parts) > 1 and parts[0].lower() == "live":
            parts = parts[1:]
        if len(parts) == 1:
            inside: Key = ("", "", parts[0].lower())
            if inside in self.datasets:
                return inside
        return qualified(parts, defaults)

    def flows_into(self, key: Key) -> Iterator[Flow]:
        """The flows that write to the dataset *key*, in order."""
        return (flow for flow in self.flows if self.key(flow.target, flow.defaults) == key)


def parts_of(name: str, origin: Origin) -> list[str]:
    """The parts of *name*, without `LIVE`.

    Raises:
        DefinitionError: it is not a valid name.
    """
    parts = split_name(name) if isinstance(name, str) else None
    if parts and len(parts) > 1 and parts[0].lower() == "live":
        parts = parts[1:]
    if not parts or len(parts) > 3:
        raise DefinitionError(
            f"{origin}: found the name `{name}`; expected `name`, `schema.name` or `catalog.schema.name`. Correct it."
        )
    return parts


def qualified(parts: Sequence[str], defaults: Defaults) -> Key:
    """*parts* in lower case, completed by *defaults*."""
    catalog, schema, name = [defaults.catalog, defaults.schema, *parts][-3:] if len(parts) < 3 else parts[-3:]
    if len(parts) == 2:
        catalog = defaults.catalog
    return (catalog.lower(), schema.lower(), name.lower())
