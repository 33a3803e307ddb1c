"""`dbutils.data`: what a frame contains, at a glance.

Source: Databricks documentation, "Data utility (dbutils.data)".
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.help import HasHelp
from lakelocal.kernel.display import is_frame, is_pandas, publish_table, table_of_pandas
from lakelocal.kernel.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

_QUARTILES = [0.25, 0.5, 0.75]
_VALUES = ("mean", "stddev", "min", "25%", "50%", "75%", "max")


class Data(HasHelp):
    """Summary statistics of frames."""

    _name = "dbutils.data"

    def summarize(self, df: Any, precise: bool = False) -> None:
        """Show statistics of each column of a Spark or pandas DataFrame; some are estimates unless *precise*.

        Databricks also draws a histogram of each column; here, `display(df)` draws one of any column that you choose.
        """
        if is_frame(df):
            if df.isStreaming:
                raise DbutilsError(
                    "dbutils.data.summarize: found a streaming DataFrame; expected a batch DataFrame. "
                    "Write the stream to a table, and summarize that."
                )
            publish_table(_of_spark(df, precise))
        elif is_pandas(df):
            publish_table(_of_pandas(df))
        else:
            raise DbutilsError(
                f"dbutils.data.summarize: found a {type(df).__name__}; expected a Spark or pandas DataFrame."
            )


def _of_spark(frame: "DataFrame", precise: bool) -> Table:
    """A table with a row for each column of *frame*, computed by one statement."""
    from pyspark.sql import functions as F

    # Columns are addressed by position, since names may occur twice or contain dots.
    fields = frame.schema.fields
    numbered = frame.toDF(*(f"column_{at}" for at in range(len(fields))))
    wanted = [
        each for at, field in enumerate(fields) for each in _statistics(F.col(f"column_{at}"), field.dataType, precise)
    ]
    named = [each.alias(f"s{at}") for at, each in enumerate(wanted)]
    all_rows, *found = numbered.agg(F.count(F.lit(1)), *named).collect()[0]
    each = len(wanted) // len(fields) if fields else 0
    rows = []
    for at, field in enumerate(fields):
        count, distinct, mean, stddev, least, quartiles, greatest = found[at * each : (at + 1) * each]
        values = [mean, stddev, least, *(quartiles or [None] * len(_QUARTILES)), greatest]
        rows.append([field.name, field.dataType.simpleString(), count, all_rows - count, distinct, *values])
    return _table(rows, "distinct" if precise else "distinct (estimated)")


def _statistics(column: "Column", kind: "DataType", precise: bool) -> "list[Column]":
    """The number of values and of distinct values, mean, standard deviation, minimum, quartiles, and maximum."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import AtomicType, BinaryType, NumericType

    none = F.lit(None)
    has_order = isinstance(kind, AtomicType) and not isinstance(kind, BinaryType) and kind.typeName() != "variant"
    is_number = isinstance(kind, NumericType)
    distinct = F.count_distinct(column) if precise else F.approx_count_distinct(column)
    quartiles = F.percentile(column, _QUARTILES) if precise else F.percentile_approx(column, _QUARTILES)
    return [
        F.count(column),
        distinct if has_order else none,
        F.mean(column) if is_number else none,
        F.stddev(column) if is_number else none,
        F.min(column) if has_order else none,
        quartiles if is_number else none,
        F.max(column) if has_order else none,
    ]


def _of_pandas(frame: "pd.DataFrame") -> Table:
    """A table with a row for each column of *frame*."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    rows = []
    for at, (name, kind) in enumerate(table_of_pandas(frame.iloc[:0].reset_index(drop=True)).columns):
        column = frame.iloc[:, at]
        there = column.dropna()
        distinct = there.map(repr).nunique() if column.dtype == object else there.nunique()
        statistics = dict.fromkeys(_VALUES)
        if is_numeric_dtype(column) and not is_bool_dtype(column) and len(there):
            found = there.astype(float).describe()
            statistics = {shown: float(found["std" if shown == "stddev" else shown]) for shown in _VALUES}
        elif len(there) and kind not in ("array", "map"):
            statistics |= {"min": there.min(), "max": there.max()}
        rows.append([name, kind, len(there), len(column) - len(there), int(distinct), *statistics.values()])
    return _table(rows, "distinct")


def _table(rows: list[list[Any]], distinct: str) -> Table:
    first = [("column", "string"), ("type", "string"), ("count", "bigint"), ("missing", "bigint"), (distinct, "bigint")]
    values = [
        (name, "double" if all(isinstance(row[at], int | float | Decimal | None) for row in rows) else "string")
        for at, name in enumerate(_VALUES, len(first))
    ]
    return Table([*first, *values], rows)
