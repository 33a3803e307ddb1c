"""The whole comparison: opens sessions, reads and compares tables, and looks for rows that differ."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lakelocal.compute import state_warehouse
from lakelocal.errors import UsageError
from lakelocal.parity.compare import Comparison, Verdict, compare_relations, compare_tasks, shared_columns
from lakelocal.parity.digests import Digest, read_digest
from lakelocal.parity.outline import Relation, read_outline, together
from lakelocal.parity.scope import DiffScope
from lakelocal.parity.search import Source, differing_rows
from lakelocal.parity.sides import Side, compute_for, is_same_place
from lakelocal.parity.tasks import task_pictures
from lakelocal.program import PROGRAM

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

Outline = Mapping[str, Relation]


@dataclass(frozen=True)
class Options:
    """What to compare, and where the tables of each side are, if not where its run ran (a URL, may contain a token)."""

    scope: DiffScope = field(default_factory=DiffScope)
    remote_a: str | None = None
    remote_b: str | None = None


def compare_runs(a: Side, b: Side, options: Options, tell: Callable[[str], None] = lambda what: None) -> Comparison:
    """Compare two ended runs; *tell* is called with what is being done.

    Raises:
        UsageError: a pattern matches no table, or the place of a run is not named.
        LocalError: Spark cannot be used on one side.
    """
    tasks = compare_tasks(task_pictures(a.run), task_pictures(b.run))
    tell("starting Spark")
    with ExitStack() as opened:
        spark_a, spark_b = _sessions(a, b, options, opened)
        outline_a, outline_b = together(  # both servers start at the same time
            lambda side: _outline(*side, options.scope),
            [(spark_a, a), (spark_b, b)],
        )
        _check_patterns(options.scope, [*outline_a, *outline_b])

        names = sorted({*outline_a, *outline_b})

        def verdict(name: str) -> Verdict:
            tell(f"{name}, {names.index(name) + 1} of {len(names)} tables")
            left, right = outline_a.get(name), outline_b.get(name)
            if left is None or right is None or not (left.readable and right.readable):
                return compare_relations(left, right, None, options.scope)
            return compare_table(Source(spark_a, left), Source(spark_b, right), options.scope)

        return Comparison((*tasks, *together(verdict, names)))


def _outline(spark: "SparkSession", side: Side, scope: DiffScope) -> dict[str, Relation]:
    state = side.state
    return read_outline(spark, state.catalog, side.end_ms, scope, state_warehouse.other_catalogs(state))


def _sessions(a: Side, b: Side, options: Options, opened: ExitStack) -> tuple["SparkSession", "SparkSession"]:
    """A session for each side, or one for both if they are the same place; each is closed with *opened*."""
    compute_a = compute_for(a, options.remote_a, "--remote-a")
    compute_b = compute_for(b, options.remote_b, "--remote-b")
    first = compute_a.session()
    opened.callback(first.stop)
    if is_same_place(compute_a, compute_b):
        return first, first
    second = compute_b.session()
    opened.callback(second.stop)
    return first, second


def compare_table(a: Source, b: Source, scope: DiffScope) -> Verdict:
    """The verdict on one table or view that both sides can read, with some of the rows that differ."""
    columns = shared_columns(a.relation, b.relation, scope)
    verdict = compare_relations(a.relation, b.relation, _digests(a, b, columns), scope)
    if not verdict.rows_differ or not columns:
        return verdict
    return replace(verdict, rows=differing_rows(a, b, columns))


def _digests(a: Source, b: Source, columns: Mapping[str, Any]) -> tuple[Digest | str, Digest | str]:
    """The digests of both sides; computed only once if both are the same version of the same table."""
    first = read_digest(a.spark, a.relation, columns)
    same = a.spark is b.spark and a.relation == b.relation
    return first, first if same else read_digest(b.spark, b.relation, columns)


def _check_patterns(scope: DiffScope, names: list[str]) -> None:
    """Refuse patterns that match nothing: an empty comparison because of a typo would look like success."""
    for pattern in scope.tables:
        if pattern != "*" and not any(replace(scope, tables=(pattern,)).takes(name) for name in names):
            raise UsageError(
                f"--tables: found no table or view `{pattern}` on either side; expected a pattern of `schema.table`, "
                f"such as 'silver.*'. See `{PROGRAM} sql \"SHOW TABLES IN schema\"`."
            )
