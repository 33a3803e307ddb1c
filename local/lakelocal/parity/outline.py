"""The tables of a catalog at a point in time: their versions and schemas, without their rows.

A Delta table is read at its last version at that time (time travel). A view, or a table in another format, has no
versions: its present state equals that of the time only if no table of the catalog has a later commit.

Commit times come from the storage, the end of a run from this machine: the two clocks have to agree.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql.types import DataType

from lakelocal.history.recorded import utc
from lakelocal.parity.scope import DiffScope
from lakelocal.spark_errors.messages import without_spark_details
from lakelocal.sql.writing import quoted

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

WORKERS = 4  # statements on small tables mostly wait
_NOT_DATA = "information_schema"
Commit = tuple[int, int]  # version, epoch ms
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Relation:
    """A table or a view at a point in time.

    *version* is None if it has no versions. *columns* maps names to types, in the table's order. *hidden* says why its
    state at that time cannot be known, *problem* why it cannot be read although it should be readable.
    """

    name: str
    is_view: bool = False
    version: int | None = None
    columns: Mapping[str, DataType] = field(default_factory=dict)
    hidden: str = ""
    problem: str = ""

    @property
    def readable(self) -> bool:
        """Can its rows be read?"""
        return not self.hidden and not self.problem

    @property
    def source(self) -> str:
        """What to write after FROM."""
        name = _sql_name(self.name)
        return name if self.version is None else f"{name} VERSION AS OF {self.version}"


def read_outline(
    spark: "SparkSession", catalog: str, end_ms: int, scope: DiffScope, others: Sequence[str] = ()
) -> dict[str, Relation]:
    """The relations of *catalog* that are in *scope*, by `schema.table`, as of *end_ms*.

    With them, by `catalog.schema.table`, those of the catalogs *others*.

    Raises:
        LocalError: Spark cannot be used.
    """
    spark.sql(f"USE CATALOG {quoted(catalog)}")
    is_view = _names(spark)
    for other in others:
        is_view |= {f"{other}.{name}": view for name, view in _names(spark, other).items()}
    chosen = [name for name in is_view if scope.takes(name)]
    histories = _histories(spark, [name for name in chosen if not is_view[name]])
    if any(histories.get(name) is None for name in chosen):
        others = [name for name, view in is_view.items() if not view and name not in histories]
        histories |= _histories(spark, others)
    moved_on = moved_since(histories, end_ms)
    planned = [relation_at(name, is_view[name], histories.get(name), end_ms, moved_on) for name in chosen]
    found = together(lambda relation: _with_columns(spark, relation), [each for each in planned if each])
    return {relation.name: relation for relation in found}


def relation_at(name: str, is_view: bool, history: list[Commit] | None, end_ms: int, moved_on: str) -> Relation | None:
    """The relation *name* as of *end_ms*; None if it did not exist.

    Args:
        history: its commits; None if it has no versions.
        moved_on: a table of the catalog with a later commit; empty if there is none.
    """
    if history is None:
        why = f"no versions, and `{moved_on}` was written after {utc(end_ms)}" if moved_on else ""
        return Relation(name, is_view, hidden=why)
    earlier = [version for version, at in history if at <= end_ms]
    if earlier:
        return Relation(name, version=max(earlier))
    oldest = min(version for version, _ in history)
    if oldest == 0:
        return None
    return Relation(name, problem=f"its history begins after {utc(end_ms)}, with version {oldest}")


def moved_since(histories: Mapping[str, list[Commit] | None], end_ms: int) -> str:
    """The name of a table with a commit after *end_ms*; empty if there is none."""
    return next((name for name, commits in histories.items() for _, at in commits or () if at > end_ms), "")


def together(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results of *work* for all *items*, several at a time."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))


def rows_of(spark: "SparkSession", query: str) -> list[dict[str, Any]]:
    """The rows of *query*."""
    rows: list[dict[str, Any]] = spark.sql(query).toArrow().to_pylist()
    return rows


def _names(spark: "SparkSession", catalog: str | None = None) -> dict[str, bool]:
    """All tables and views of *catalog*, by default the current one: `schema.table`, and whether it is a view."""
    within = f" IN {quoted(catalog)}" if catalog else ""
    schemas = [next(iter(row.values())) for row in rows_of(spark, f"SHOW SCHEMAS{within}")]
    found: dict[str, bool] = {}
    for schema in sorted(schema for schema in schemas if schema != _NOT_DATA):
        for kind, is_view in (("TABLES", False), ("VIEWS", True)):
            for row in rows_of(spark, f"SHOW {kind} IN {'.'.join(map(quoted, filter(None, (catalog, schema))))}"):
                if not row["isTemporary"]:
                    name = row["tableName" if kind == "TABLES" else "viewName"]
                    found[f"{schema}.{name}"] = is_view
    return dict(sorted(found.items()))


def _histories(spark: "SparkSession", names: list[str]) -> dict[str, list[Commit] | None]:
    return dict(zip(names, together(lambda name: _history(spark, name), names), strict=True))


def _history(spark: "SparkSession", name: str) -> list[Commit] | None:
    """The commits of a table; None if it is not a Delta table."""
    try:
        commits = spark.sql(f"DESCRIBE HISTORY {_sql_name(name)}").select("version", "timestamp").toArrow()
    except AnalysisException:
        return None
    return [(row["version"], round(row["timestamp"].timestamp() * 1000)) for row in commits.to_pylist()]


def _with_columns(spark: "SparkSession", relation: Relation) -> Relation:
    """*relation* with its columns, or with the reason why it cannot be read."""
    if not relation.readable:
        return relation
    try:
        schema = spark.sql(f"SELECT * FROM {relation.source}").schema
    except PySparkException as error:
        return replace(relation, problem=without_spark_details(str(error)))
    return replace(relation, columns={each.name: each.dataType for each in schema.fields})


def _sql_name(name: str) -> str:
    """`schema.table` or `catalog.schema.table` as quoted identifiers; no name may contain a dot."""
    return ".".join(quoted(part) for part in name.split("."))
