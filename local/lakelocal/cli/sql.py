"""`sql`: one statement, printed as a table, as CSV or as JSON."""

import csv
import datetime
import decimal
import json
import math
import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from lakelocal.cli.run import add_remote
from lakelocal.cli.scope import state_of
from lakelocal.cli.values import at_least_one
from lakelocal.cli.verbs import Verbs, add_verb
from lakelocal.errors import LocalError, UsageError
from lakelocal.kernel.failures import what_spark_says

FORMATS = ("table", "csv", "json")


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    command = add_verb(verbs, "sql", sql, "run one SQL statement in the target's catalog and print the result")
    command.add_argument("statement", help='for example "SELECT * FROM gold.gold_daily_orders"')
    command.add_argument("--format", choices=FORMATS, default="table", help="json and csv have all rows")
    add_remote(command)
    command.add_argument("--limit", type=at_least_one, default=100, help="rows of a table (default 100)")


def sql(options: Namespace) -> int:
    """Run the statement and print its rows."""
    names, rows = _query(options)
    if options.format == "json":
        if len(set(names)) < len(names):
            raise UsageError(
                f"Two columns have one name ({', '.join(names)}): JSON needs each once. Give them aliases."
            )
        print("[" + ",\n ".join(to_json(dict(zip(names, row, strict=True))) for row in rows) + "]")
    elif options.format == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows([["" if value is None else _plain(value) for value in row] for row in rows])
    else:
        _print_table(names, rows, options.limit)
    return 0


def to_json(value: object) -> str:
    """*value* as JSON text: DATE `YYYY-MM-DD`, TIMESTAMP ISO 8601 in UTC, DECIMAL a number with its exact digits."""
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
    return json.dumps(_plain(value), ensure_ascii=False)


def _query(options: Namespace) -> tuple[list[str], list[tuple[Any, ...]]]:
    from pyspark.errors import PySparkException  # slow to import: only where a statement is run

    from lakelocal.compute import open_session

    spark = open_session(state_of(options), options.remote)
    try:
        result = spark.sql(options.statement).toArrow()
    except PySparkException as error:
        raise LocalError(what_spark_says(str(error))) from error
    finally:
        spark.stop()
    columns = [column.to_pylist(maps_as_pydicts="strict") for column in result.columns]
    return result.column_names, list(zip(*columns, strict=True))


def _print_table(names: list[str], rows: list[tuple[Any, ...]], limit: int) -> None:
    from rich.table import Table

    from lakelocal.console import console_for_people

    table = Table(*names)
    for row in rows[:limit]:
        table.add_row(*("NULL" if value is None else str(_plain(value)) for value in row))
    console = console_for_people()
    if names:
        console.print(table)
    shown = f", {limit} shown (--limit)" if len(rows) > limit else ""
    console.print(f"{len(rows):,} rows{shown}")


def _plain(value: object) -> object:
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:  # TIMESTAMP_NTZ has no zone
            return value.isoformat()
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | Mapping):
        return to_json(value)
    return value if isinstance(value, str | int | float) else str(value)
