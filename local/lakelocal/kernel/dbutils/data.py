"""`dbutils.data`: what a frame holds, at a glance.

Source: Databricks documentation, "Data utility (dbutils.data)".
"""

from typing import Any

from lakelocal.errors import DbutilsError
from lakelocal.kernel.dbutils.help import HasHelp
from lakelocal.kernel.display import display, is_frame

_STATISTICS = ("count", "count_distinct", "mean", "stddev", "min", "25%", "50%", "75%", "max")
_ESTIMATED = (*(name for name in _STATISTICS if name != "count_distinct"), "approx_count_distinct")


class Data(HasHelp):
    """What a frame holds."""

    _name = "dbutils.data"

    def summarize(self, df: Any, precise: bool = False) -> None:
        """Show the statistics of each column of a Spark or pandas frame; distinct values estimated unless *precise*.

        A table here, where Databricks draws histograms too.
        """
        if is_frame(df):
            if df.isStreaming:
                raise DbutilsError(
                    "dbutils.data.summarize: found a streaming DataFrame; expected one that ends. "
                    "Write the stream to a table, and summarize that."
                )
            display(df.summary(*(_STATISTICS if precise else _ESTIMATED)))
        elif hasattr(df, "describe"):
            display(df.describe(include="all"))
        else:
            raise DbutilsError(
                f"dbutils.data.summarize: found a {type(df).__name__}; expected a DataFrame of Spark or of pandas."
            )
