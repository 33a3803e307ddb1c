"""What is read back must be what was written, and generated rows must only refer to rows that have landed."""

from collections.abc import Iterable, Mapping

from lakehouse.errors import LakehouseError, samples
from lakehouse.generator.feed import FeedFile
from lakehouse.generator.volume import BatchFile


class LandedRowsError(LakehouseError):
    """Raised when landed files differ from what was written, or generated rows refer to rows that never landed."""


def check_counts(files: Iterable[BatchFile | FeedFile], read: Mapping[str, int]) -> None:
    """Check that Spark reads as many rows as were written: that no comment was cut at a line break or a quote.

    Args:
        files: what was written; a real file, which was copied without being counted, may have any number of rows.
        read: file name -> number of rows, from `count_rows`.

    Raises:
        LandedRowsError: files have more or fewer rows; the message names them.
    """
    written = {file.name: file.rows for file in files if file.rows is not None}
    wrong = [name for name, rows in written.items() if read.get(name, 0) != rows]
    if wrong:
        told = samples([f"{name}: {read.get(name, 0):,} rows, {written[name]:,} written" for name in wrong])
        raise LandedRowsError(
            f"Landed files: found {told} when they were read back, expected what was written. "
            "Were files changed while they landed? Reset the catalog and land again.",
            files=wrong,
        )


def check_references(dangling: Mapping[str, int]) -> None:
    """Check that generated rows refer only to rows that have landed.

    Raises:
        LandedRowsError: some do not; the message names the columns.
    """
    broken = {reference: rows for reference, rows in dangling.items() if rows}
    if broken:
        told = ", ".join(f"{rows:,} rows by `{reference}`" for reference, rows in broken.items())
        raise LandedRowsError(
            f"Landed files: found {told} that refer to nothing, expected none. "
            "Were landed files deleted? Reset the catalog and land again.",
            references=broken,
        )
