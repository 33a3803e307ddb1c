"""The difference between the rows that a target should have and those that it has, written in one commit."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from .columns import END, GONE, INTERNAL, START, Columns, comparable, quote
from .delta import newest_commit, newest_version, only_row, run_with, text
from .growing import mapping
from .pruning import is_bounded
from .settings import PREFIX, Target, listed

_ROWS_A_FILE = 50_000
_CLUSTERED = 4  # Delta's limit
_WITH_STATISTICS = 32  # Delta's default: the first columns of a table, counting those within structs
_WANTED, _HAS, _THERE = (INTERNAL + name for name in ("wanted", "has", "there"))


@dataclass(frozen=True)
class Applied:
    """What a write did to a target; *version* is None if nothing was committed."""

    upserted: int
    deleted: int
    version: int | None


def files_for(events: int) -> int:
    """The number of files into which the rows of *events* events are written."""
    return max(1, -(-events // _ROWS_A_FILE))


def by_key_ranges(rows: DataFrame, columns: Columns, files: int) -> DataFrame:
    """*rows* in *files* partitions by ranges of the keys; windows over a key then find its rows already together."""
    return rows.repartitionByRange(files, *[quote(name) for name in columns.key_names]) if files > 1 else rows


def create_target(
    spark: SparkSession, target: Target, rows: DataFrame, columns: Columns, *, settings: dict[str, str], files: int
) -> Applied:
    """Write *rows* as the target, in one commit with what it has to remember.

    If there are several *files*, the rows are arranged `by_key_ranges`, so that later calls rewrite few of them;
    deletion vectors leave the files of a merge in that order. A merge into a single file is more likely to rewrite it
    than to write vectors. An empty table is replaced; its comments and properties are kept.
    """
    properties = {"delta.enableDeletionVectors": str(files > 1).lower()} | mapping(columns) | _statistics(columns)
    properties |= target.properties | {PREFIX + name: value for name, value in settings.items()}
    clustered = ", ".join([quote(key.name) for key in columns.keys if is_bounded(key.dataType)][:_CLUSTERED])
    history = [START, END] if START in rows.columns else []
    run_with(
        spark,
        f"CREATE OR REPLACE TABLE {target.name} USING delta {f'CLUSTER BY ({clustered})' if clustered else ''} "
        f"{f'COMMENT {text(target.comment)}' if target.comment else ''} TBLPROPERTIES ({listed(properties)}) "
        "AS SELECT * FROM",
        _with_comments(rows.select(*[quote(name) for name in columns.order], *history), target.comments),
        "",
    )
    commit = newest_commit(spark, target.name)
    return Applied(commit.rows, 0, commit.version)


def _statistics(columns: Columns) -> dict[str, str]:
    """The table property that makes Delta keep statistics of all keys, which prune files; empty if it does anyway."""
    kinds = {field.name: field.dataType for field in (*columns.keys, *columns.values)}
    last = max(columns.order.index(name) for name in columns.key_names)
    width = sum(_width(kinds[name]) for name in columns.order[: last + 1])
    return {"delta.dataSkippingNumIndexedCols": str(width)} if width > _WITH_STATISTICS else {}


def _width(kind: DataType) -> int:
    return sum(_width(field.dataType) for field in kind.fields) if isinstance(kind, StructType) else 1


def _with_comments(rows: DataFrame, comments: dict[str, str]) -> DataFrame:
    """*rows* with the *comments* of their columns, which are given by lower-case name."""
    columns = [
        F.col(quote(name)).alias(name, metadata={"comment": comments[name.lower()]})
        if name.lower() in comments
        else F.col(quote(name))
        for name in rows.columns
    ]
    return rows.select(*columns)


def difference(wanted: DataFrame, has: DataFrame, columns: Columns) -> DataFrame:
    """The rows to write: wanted rows that *has* lacks or has with other values, and, marked as gone, surplus rows.

    Both sides meet in one grouping, which sorts less than a join of the two.

    Args:
        wanted: the target's columns, unique by the keys and, with history, `__START_AT`.
        has: the same columns, as the target has them.
    """
    kept = START in wanted.columns
    by = [quote(name) for name in columns.key_names + ([START] if kept else [])]
    rest = [(quote(f.name), f.dataType) for f in columns.values] + ([(END, columns.sequence_type)] if kept else [])
    row = f"struct({', '.join(['true AS ' + _THERE, *(name for name, _ in rest)])})"
    sides = wanted.selectExpr(*by, f"{row} AS {_WANTED}").unionByName(
        has.selectExpr(*by, f"{row} AS {_HAS}"), allowMissingColumns=True
    )
    pairs = sides.groupBy(*by).agg(
        F.expr(f"first({_WANTED}, true) AS {_WANTED}"), F.expr(f"first({_HAS}, true) AS {_HAS}")
    )
    same = " AND ".join(
        f"{comparable(f'{_WANTED}.{name}', kind)} <=> {comparable(f'{_HAS}.{name}', kind)}" for name, kind in rest
    )
    changed = pairs.where(f"{_WANTED} IS NULL OR {_HAS} IS NULL OR NOT ({same or 'true'})")
    values = [f"{_WANTED}.{name} AS {name}" for name, _ in rest]
    return changed.selectExpr(*by, *values, f"{_WANTED} IS NULL AS {GONE}")


def merge_difference(
    spark: SparkSession, target: str, rows: DataFrame, columns: Columns, *, within: str = "true"
) -> Applied:
    """Write the *rows* of a `difference` into *target*, in one commit; no commit if there are none.

    Args:
        within: SQL over `{t}`, literal bounds on the keys of *rows*.
    """
    kept = START in rows.columns
    by = columns.key_names + ([START] if kept else [])
    rest = columns.value_names + ([END] if kept else [])
    on = " AND ".join([*(f"t.{quote(name)} = s.{quote(name)}" for name in by), within.format(t="t")])
    update = ", ".join(f"t.{quote(name)} = s.{quote(name)}" for name in rest)
    names = ", ".join(quote(name) for name in by + rest)
    values = ", ".join(f"s.{quote(name)}" for name in by + rest)
    answer = run_with(
        spark,
        f"MERGE INTO {target} t USING",
        rows,
        f"s ON {on} WHEN MATCHED AND s.{GONE} THEN DELETE "
        f"{f'WHEN MATCHED THEN UPDATE SET {update}' if rest else ''} "
        f"WHEN NOT MATCHED AND NOT s.{GONE} THEN INSERT ({names}) VALUES ({values})",
    )
    result = only_row(answer)
    upserted = result["num_inserted_rows"] + result["num_updated_rows"]
    version = newest_version(spark, target) if result["num_affected_rows"] else None
    return Applied(upserted, result["num_deleted_rows"], version)


def held_rows(spark: SparkSession, target: str, columns: Columns, *, history: bool) -> DataFrame:
    """The rows of *target*, with the columns that this call writes."""
    names = [quote(name) for name in columns.key_names + columns.value_names]
    return spark.table(target).select(*names, *((START, END) if history else ()))
