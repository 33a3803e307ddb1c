"""The contents of a table as three numbers, computed where the table is, with one query per table."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql.types import DataType

from lakelocal.parity.hashing import row_hash
from lakelocal.parity.outline import Relation, rows_of
from lakelocal.spark_errors.messages import without_spark_details

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

SUM = "sum(CAST(h AS DECIMAL(20, 0)))"  # as BIGINT it would overflow


@dataclass(frozen=True)
class Digest:
    """The number of rows, and the sum and XOR of their hashes (None if there are no rows)."""

    rows: int
    total: Decimal | None
    parity: int | None


def read_digest(spark: "SparkSession", relation: Relation, columns: Mapping[str, DataType]) -> Digest | str:
    """The digest of *relation* over *columns*; a text if it cannot be read (deleted files, a broken view)."""
    query = f"SELECT count(*) AS n, {SUM} AS total, bit_xor(h) AS parity FROM {hashed(relation, columns)}"
    try:
        (row,) = rows_of(spark, query)
    except PySparkException as error:
        return without_spark_details(str(error))
    return Digest(row["n"], row["total"], row["parity"])


def hashed(relation: Relation, columns: Mapping[str, DataType], more: str = "") -> str:
    """A subquery with the hash of each row as `h`; *more* are further columns."""
    return f"(SELECT {row_hash(columns)} AS h{more} FROM {relation.source})"
