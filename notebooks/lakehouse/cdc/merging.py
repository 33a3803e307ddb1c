"""The difference between the rows that a target should have and those that it has, written in one commit."""

from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from lakehouse.cdc.columns import END, GONE, INTERNAL, START, Columns, comparable, quote
from lakehouse.cdc.growing import mapping
from lakehouse.cdc.pruning import is_bounded
from lakehouse.cdc.settings import PREFIX, Target, listed
from lakehouse.tables.delta import latest_commit, text

_ROWS_A_FILE = 50_000
_CLUSTERED = 4  # Delta's limit
_WITH_STATISTICS = 32  # Delta's default: the first columns of a table, those within structs counted
_WANTED, _HAS = INTERNAL + "wanted", INTERNAL + "has"


@dataclass(frozen=True)
class Applied:
    """What a write did to a target; no version where nothing was committed."""

    upserted: int
    deleted: int
    version: int | None


def create_target(
    spark: SparkSession, target: Target, rows: DataFrame, columns: Columns, *, settings: dict[str, str], events: int
) -> Applied:
    """Write *rows* as the target, in one commit with what it has to remember.

    The rows are spread over the files by ranges of the keys, so that later calls rewrite few of them; deletion vectors
    leave the files of a merge in that order. An empty table is replaced; its comments and properties stay.

    Args:
        events: about how many rows there are.
    """
    files = -(-events // _ROWS_A_FILE)
    names = [quote(name) for name in columns.key_names]
    if files > 1:
        rows = rows.repartitionByRange(files, *names).sortWithinPartitions(*names)
    properties = {"delta.enableDeletionVectors": "true"} | mapping(columns) | _statistics(columns)
    properties |= target.properties | {PREFIX + name: value for name, value in settings.items()}
    clustered = ", ".join([quote(key.name) for key in columns.keys if is_bounded(key.dataType)][:_CLUSTERED])
    history = [START, END] if START in rows.columns else []
    view = _view(_as_before(rows.select(*[quote(name) for name in columns.order], *history), target))
    try:
        spark.sql(
            f"CREATE OR REPLACE TABLE {target.name} USING delta {f'CLUSTER BY ({clustered})' if clustered else ''} "
            f"{f'COMMENT {text(target.comment)}' if target.comment else ''} TBLPROPERTIES ({listed(properties)}) "
            f"AS SELECT * FROM {view}"
        )
    finally:
        spark.catalog.dropTempView(view)
    commit = latest_commit(spark, target.name)
    return Applied(commit.rows, 0, commit.version)


def _statistics(columns: Columns) -> dict[str, str]:
    """The table property that makes Delta keep statistics of all keys, which prune files; none where it does anyway."""
    kinds = {field.name: field.dataType for field in (*columns.keys, *columns.values)}
    last = max(columns.order.index(name) for name in columns.key_names)
    width = sum(_width(kinds[name]) for name in columns.order[: last + 1])
    return {"delta.dataSkippingNumIndexedCols": str(width)} if width > _WITH_STATISTICS else {}


def _width(kind: DataType) -> int:
    return sum(_width(field.dataType) for field in kind.fields) if isinstance(kind, StructType) else 1


def _as_before(rows: DataFrame, target: Target) -> DataFrame:
    """*rows* with the comments that the columns of *target* have."""
    if target.columns is None:
        return rows
    comments = {f.name.lower(): f.metadata for f in target.columns.fields if "comment" in f.metadata}
    return rows.select(
        *[
            F.col(quote(name)).alias(name, metadata={"comment": comments[name.lower()]["comment"]})
            if name.lower() in comments
            else F.col(quote(name))
            for name in rows.columns
        ]
    )


def difference(wanted: DataFrame, has: DataFrame, columns: Columns) -> DataFrame:
    """The rows to write: those wanted that *has* lacks or holds otherwise, and, marked as gone, those too many.

    Args:
        wanted: the target's columns, unique by the keys and, with history, `__START_AT`.
        has: the same columns, as the target holds them.
    """
    kept = START in wanted.columns
    by = columns.key_names + ([START] if kept else [])
    rest = [(quote(f.name), f.dataType) for f in columns.values] + ([(END, columns.sequence_type)] if kept else [])
    same = " AND ".join(f"{comparable(f'w.{name}', kind)} <=> {comparable(f'h.{name}', kind)}" for name, kind in rest)
    on = " AND ".join(f"w.{quote(name)} = h.{quote(name)}" for name in by)
    pairs = (
        wanted.selectExpr("*", f"true AS {_WANTED}")
        .alias("w")
        .join(has.selectExpr("*", f"true AS {_HAS}").alias("h"), F.expr(on), "full_outer")
    )
    changed = pairs.where(f"w.{_WANTED} IS NULL OR h.{_HAS} IS NULL OR NOT ({same or 'true'})")
    return changed.selectExpr(
        *[f"coalesce(w.{quote(name)}, h.{quote(name)}) AS {quote(name)}" for name in by],
        *[f"w.{name} AS {name}" for name, _ in rest],
        f"w.{_WANTED} IS NULL AS {GONE}",
    )


def merge_difference(
    spark: SparkSession, target: str, rows: DataFrame, columns: Columns, *, within: str = "true"
) -> Applied:
    """Write the *rows* of a `difference` into *target*, in one commit; none where there are none.

    Args:
        within: SQL over `{t}`, literal bounds on the keys of *rows*.
    """
    view = _view(rows)
    kept = START in rows.columns
    by = columns.key_names + ([START] if kept else [])
    rest = columns.value_names + ([END] if kept else [])
    on = " AND ".join([*(f"t.{quote(name)} = s.{quote(name)}" for name in by), within.format(t="t")])
    update = ", ".join(f"t.{quote(name)} = s.{quote(name)}" for name in rest)
    names = ", ".join(quote(name) for name in by + rest)
    values = ", ".join(f"s.{quote(name)}" for name in by + rest)
    try:
        result = spark.sql(
            f"MERGE INTO {target} t USING {view} s ON {on} WHEN MATCHED AND s.{GONE} THEN DELETE "
            f"{f'WHEN MATCHED THEN UPDATE SET {update}' if rest else ''} "
            f"WHEN NOT MATCHED AND NOT s.{GONE} THEN INSERT ({names}) VALUES ({values})"
        ).first()
    finally:
        spark.catalog.dropTempView(view)
    upserted = result["num_inserted_rows"] + result["num_updated_rows"]
    version = latest_commit(spark, target).version if result["num_affected_rows"] else None
    return Applied(upserted, result["num_deleted_rows"], version)


def _view(rows: DataFrame) -> str:
    """The name of a temporary view of *rows*."""
    view = f"cdc_{uuid4().hex}"
    rows.createOrReplaceTempView(view)
    return view


def held_rows(spark: SparkSession, target: str, columns: Columns, *, history: bool) -> DataFrame:
    """The rows of *target*, with the columns that this call writes."""
    names = [quote(name) for name in columns.key_names + columns.value_names]
    return spark.table(target).select(*names, *((START, END) if history else ()))
