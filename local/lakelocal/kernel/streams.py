"""`display` of a stream: the rows that are available now.

On Databricks the table goes on growing while the cell runs. Here the stream runs once over what there is, into a
temporary view, and ends; of a stream that goes on for ever, what has come in `SECONDS` shows.
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
    """The table of at most *rows* rows of the stream *frame*; *table_of* reads a frame that is none."""
    name = f"display_{uuid.uuid4().hex}"
    session = frame.sparkSession
    query = _started(frame, rows, name)
    try:
        if not query.awaitTermination(SECONDS):
            print(f"display: the stream goes on; this is what has come in {SECONDS} seconds.")
    finally:
        query.stop()
    try:
        return table_of(session.table(name))
    finally:
        session.catalog.dropTempView(name)


def _started(frame: "DataFrame", rows: int, name: str) -> Any:
    """The stream, which ends where nothing more is available; an aggregation gives its last result as a whole."""
    from pyspark.errors import AnalysisException

    with contextlib.suppress(AnalysisException):  # an aggregation without a watermark has no rows that are final
        return _writer(frame.limit(rows + 1), name).outputMode("append").start()
    return _writer(frame, name).outputMode("complete").start()


def _writer(frame: "DataFrame", name: str) -> Any:
    return frame.writeStream.format("memory").queryName(name).trigger(availableNow=True)
