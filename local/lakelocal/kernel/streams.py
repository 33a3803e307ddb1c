"""`display` of a stream: shows the rows that are available now.

On Databricks, the table keeps growing while the cell runs. Here, the stream processes what is available, writes it into
a temporary view, and ends; if a stream does not end, the rows that have arrived within `SECONDS` are shown.
"""

import contextlib
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lakelocal.kernel.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SECONDS = 30


def stream_table(frame: "DataFrame", rows: int, table_of: Callable[["DataFrame"], Table]) -> Table:
    """The table of at most *rows* rows of the stream *frame*; *table_of* makes the table of a batch frame."""
    name = f"display_{uuid.uuid4().hex}"
    session = frame.sparkSession
    query = _started(frame, rows, name)
    try:
        if not query.awaitTermination(SECONDS):
            print(f"display: the stream has not ended; these are the rows that have arrived in {SECONDS} seconds.")
    finally:
        query.stop()
    try:
        return table_of(session.table(name))
    finally:
        session.catalog.dropTempView(name)


def _started(frame: "DataFrame", rows: int, name: str) -> Any:
    """The started query, which ends when no more rows are available; an aggregation gives its complete result."""
    from pyspark.errors import AnalysisException

    with contextlib.suppress(AnalysisException):  # an aggregation without a watermark never has final rows
        return _writer(frame.limit(rows + 1), name).outputMode("append").start()
    return _writer(frame, name).outputMode("complete").start()


def _writer(frame: "DataFrame", name: str) -> Any:
    return frame.writeStream.format("memory").queryName(name).trigger(availableNow=True)
