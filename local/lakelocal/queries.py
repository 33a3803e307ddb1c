"""One statement on a Spark session: its rows, or an error of one line; and values as text, for people and for JSON."""

import datetime
import decimal
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from lakelocal.errors import LocalError
from lakelocal.spark_errors.messages import without_spark_details

_LEAST_BYTES = 8  # of a row in Arrow, such as one BIGINT


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Raise what Spark refuses inside the block as a LocalError of one line."""
    try:
        yield
    except PySparkException as error:
        raise LocalError(without_spark_details(str(error))) from error


def execute(spark: SparkSession, statement: str, arguments: Mapping[str, Any] | None = None) -> pa.Table:
    """The rows of *statement*, in which `:name` is the value of *arguments* of that name.

    Raises:
        LocalError: Spark refuses it; the message is one line.
    """
    with _in_one_line():
        return spark.sql(statement, dict(arguments) if arguments else None).toArrow()


def columns(spark: SparkSession, table: str) -> list[dict[str, Any]]:
    """The columns of a table or view, as Spark's catalog lists them: name, description, dataType, nullable and others.

    Raises:
        LocalError: Spark cannot read the table; the message is one line.
    """
    with _in_one_line():
        return [column._asdict() for column in spark.catalog.listColumns(table)]


def rows_of(result: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of *result* as values of Python; a map is a dictionary."""
    columns = [column.to_pylist(maps_as_pydicts="strict") for column in result.columns]
    return list(zip(*columns, strict=True))


def plain(value: object) -> object:
    """*value* as text or as a number: DATE as `YYYY-MM-DD`, TIMESTAMP as ISO 8601 in UTC, nested values as JSON."""
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:  # TIMESTAMP_NTZ has no zone
            return value.isoformat()
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")  # never as 1E-10
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | Mapping):
        return to_json(value)
    return value if isinstance(value, str | int | float) else str(value)


def to_json(value: object) -> str:
    """*value* as JSON: DATE as `YYYY-MM-DD`, TIMESTAMP as ISO 8601 in UTC, DECIMAL as a number with exact digits."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(to_json(item) for item in value) + "]"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(str(value))
    if value is None or isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(plain(value), ensure_ascii=False)


def select(
    spark: SparkSession,
    statement: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    limit: int | None = None,
    most_bytes: int,
) -> tuple[list[tuple[str, str]], pa.Table]:
    """The name and the type of each column of *statement*, and its rows, at most *limit* of them.

    Raises:
        LocalError: as `execute`, or the rows have more than *most_bytes*; the rest of them is not fetched.
    """
    with _in_one_line():
        found = spark.sql(statement, dict(arguments) if arguments else None)
        fields = [(field.name, field.dataType.simpleString()) for field in found.schema.fields]
        # Spark sends a partition when it has all rows of it, so what would be too much is not to be computed either.
        most_rows = most_bytes // _LEAST_BYTES
        wanted = most_rows + 1 if limit is None else min(limit, most_rows + 1)
        given: Any = found._plan
        is_command = given.to_proto(spark.client).root.HasField("local_relation")  # its rows are here already
        plan: Any = (found if is_command and limit is None else found.limit(wanted))._plan
        parts, size, rows = list[pa.Table](), 0, 0
        for part in spark.client.to_table_as_iterator(plan.to_proto(spark.client), plan.observations):
            if isinstance(part, pa.Table):
                parts.append(part)
                size, rows = size + part.nbytes, rows + part.num_rows
            if size > most_bytes or rows > most_rows:
                raise LocalError(
                    f"The result has more than {most_bytes // 1024**2} MiB. Ask for fewer rows with `row_limit`, or "
                    "write them to a table or a volume."
                )
        return fields, pa.concat_tables(parts) if parts else pa.table({})
