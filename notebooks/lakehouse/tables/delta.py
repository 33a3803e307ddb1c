"""Delta tables by their contracts: how they are created, which version they have, what a write did.

Queries about tables are cheaper than they look: the columns and the newest version of a table come from the analysis of
a plan, which starts no Spark job. Only reading or writing rows executes anything.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lakehouse.errors import ContractError, PlaceError, counted, samples
from lakehouse.tables.contracts import Contract, load_contract

_ABSENT = ("TABLE_OR_VIEW_NOT_FOUND", "DELTA_TABLE_NOT_FOUND", "DELTA_MISSING_DELTA_TABLE")
_NO_SCHEMA = ("SCHEMA_NOT_FOUND", "NO_SUCH_CATALOG_EXCEPTION", "CATALOG_NOT_FOUND")
_CLUSTERED = 4  # at most so many columns, Delta's limit
# Types for which Delta keeps the minimum and maximum per file; it does not cluster by others.
_WITH_STATISTICS = re.compile(r"(BYTE|TINYINT|SMALLINT|INT|BIGINT|FLOAT|DOUBLE|DECIMAL|STRING|DATE|TIMESTAMP)")
_NO_VERSION = 10**15  # a version that no table reaches

# Change data feed tells a reader which rows a version added, at no cost for a table that is only appended to.
READ_BY_VERSION = {"delta.enableChangeDataFeed": "true"}


@dataclass(frozen=True)
class Written:
    """What a write did to *table*; *rows* is 0 if nothing was committed."""

    table: str
    rows: int

    def __str__(self) -> str:
        return f"wrote {counted(self.rows, 'row')} to {self.table}" if self.rows else f"{self.table}: nothing new"


def text(value: str) -> str:
    """*value* as a SQL string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    escaped = escaped.replace("$", "\\u0024")  # followed by braces, it would be replaced by a setting, even in literals
    return f"'{escaped}'"


def newest_version(spark: SparkSession, table: str) -> int | None:
    """The newest version of *table*, None if there is no such table.

    Delta refuses to read a version that does not exist and says which versions do, which needs no Spark job. If the
    refusal does not say so, the table's history is queried.
    """
    try:
        spark.read.option("versionAsOf", _NO_VERSION).table(table).schema  # noqa: B018 - asks the server
    except PySparkException as error:
        if _is_absent(error):
            return None
        latest = (error.getMessageParameters() or {}).get("latest", "")
        if latest.isdigit():
            return int(latest)
    return int(only_row(spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1"))["version"])


def version_of(spark: SparkSession, table: str) -> int:
    """The newest version of *table*, which this run has made or found.

    Raises:
        PlaceError: it no longer exists.
    """
    version = newest_version(spark, table)
    if version is None:
        raise PlaceError(
            f"`{table}`: found no such table any more, expected the one that this run loads. Someone dropped it "
            "meanwhile; run again, which makes it anew.",
            table=table,
        )
    return version


def only_row(frame: DataFrame) -> Row:
    """The only row of *frame*, which is an aggregate or an answer from Delta."""
    row = frame.first()
    assert row is not None
    return row


def schema_of(spark: SparkSession, table: str) -> StructType | None:
    """The columns of *table*, None if there is no such table."""
    try:
        return spark.table(table).schema
    except PySparkException as error:
        if _is_absent(error):
            return None
        raise


def existing(spark: SparkSession, tables: Iterable[str]) -> set[str]:
    """Those of *tables* that exist."""
    tables = set(tables)
    try:
        reduce(DataFrame.union, (spark.table(table).select(F.lit(1)) for table in sorted(tables))).schema  # noqa: B018
        return tables
    except PySparkException as error:
        if not _is_absent(error):
            raise
    return {table for table in tables if schema_of(spark, table) is not None}


def _is_absent(error: PySparkException) -> bool:
    return (error.getCondition() or "").startswith(_ABSENT)


def replace_empty(spark: SparkSession, contract: Contract, properties: dict[str, str] | None = None) -> None:
    """Create the contract's table, empty and clustered by its keys; an existing one is emptied in the same commit.

    Raises:
        PlaceError: there is no such schema.
    """
    try:
        spark.sql(
            f"CREATE OR REPLACE TABLE {contract.table} (\n  {described_columns(contract)}\n) USING delta\n"
            f"{_clauses(contract, properties)}"
        )
    except PySparkException as error:
        _refuse_missing_schema(contract.table.split(".")[0], error)
        raise


def use_schema(spark: SparkSession, schema: str) -> None:
    """Let queries of this session find the tables of *schema* by their names alone.

    Raises:
        PlaceError: there is no such schema.
    """
    try:
        spark.sql(f"USE SCHEMA {schema}")
    except PySparkException as error:
        _refuse_missing_schema(schema, error)
        raise


def _refuse_missing_schema(schema: str, error: PySparkException) -> None:
    if (error.getCondition() or "").startswith(_NO_SCHEMA):
        raise PlaceError(f"Schema not found: {schema}, run notebooks/00_setup", schema=schema) from error


def replace_rows(
    spark: SparkSession, rows: DataFrame, contract: Contract, properties: dict[str, str] | None = None
) -> None:
    """Write *rows* as all rows of the contract's table.

    A missing table is created and then filled; nobody can miss its rows in between. An existing table is replaced in
    one commit, by a statement for which Spark Connect reports no observed metrics: other ways of overwriting a table
    make Delta forget the columns by which it is clustered.
    """
    rows = as_contract(rows, contract)
    if schema_of(spark, contract.table) is None:
        replace_empty(spark, contract, properties)
        rows.writeTo(contract.table).append()
        return
    clauses = _clauses(contract, properties).replace("{", "{{").replace("}", "}}")  # the statement has a placeholder
    told = [F.col(c.name).alias(c.name, metadata={"comment": c.description}) for c in contract.columns]
    spark.sql(
        f"CREATE OR REPLACE TABLE {contract.table} USING delta\n{clauses}\nAS SELECT * FROM {{rows}}",
        rows=rows.select(*told),
    )


def described_columns(contract: Contract) -> str:
    """The columns of *contract* as SQL: name, type and comment of each."""
    return ",\n  ".join(f"`{c.name}` {c.type} COMMENT {text(c.description)}" for c in contract.columns)


def clustered_by(contract: Contract) -> list[str]:
    """The columns that the contract's table is clustered by: its keys, which a merge uses to find rows."""
    keys = [c.name for c in contract.columns if c.name in contract.keys and _WITH_STATISTICS.match(c.type.upper())]
    return keys[:_CLUSTERED]


def _clauses(contract: Contract, properties: dict[str, str] | None) -> str:
    """The SQL after the name of a new table."""
    keys = clustered_by(contract)
    clauses = [f"CLUSTER BY ({', '.join(keys)})"] if keys else []
    clauses.append(f"COMMENT {text(contract.grain)}")
    if properties:
        listed = ", ".join(f"{text(name)} = {text(value)}" for name, value in properties.items())
        clauses.append(f"TBLPROPERTIES ({listed})")
    return "\n".join(clauses)


def in_order(contract: Contract) -> list[str]:
    """The columns that decide which of two rows of a key is the latest: age of the file, its name, then the others."""
    first = [name for name in ("_file_modified_at", "_source_file") if name in contract.column_names]
    return first + [name for name in contract.column_names if name not in first]


def as_contract(rows: DataFrame, contract: Contract) -> DataFrame:
    """*rows* with the contract's columns, in its order and with its types."""
    return rows.select(*[F.col(column.name).cast(column.type).alias(column.name) for column in contract.columns])


def key_texts(keys: Iterable[str]) -> str:
    """SQL of an array with the *keys* of a row as text, which `among` turns back into values."""
    return f"array({', '.join(f'CAST({key} AS STRING)' for key in keys)})"


def among(contract: Contract, columns: Sequence[str], found: Iterable[Sequence[str | None]]) -> str:
    """SQL that holds for the rows whose *columns* have values in *found*, and perhaps for some others.

    With several columns, each value is looked for separately. The values are literals, by which Delta skips files.
    """
    types = {column.name: column.type for column in contract.columns}
    conditions = []
    for name, values in zip(columns, zip(*found, strict=True), strict=False):
        literals = sorted({text(value) for value in values if value is not None})
        if types[name].upper() != "STRING":
            literals = [f"CAST({literal} AS {types[name]})" for literal in literals]
        conditions.append(f"{name} IN ({', '.join(literals)})" if literals else "false")
    return " AND ".join(conditions) if conditions else "false"


def merge(
    spark: SparkSession,
    rows: DataFrame,
    contract: Contract,
    *,
    when: str,
    within: str | None = None,
    whole: bool = False,
) -> Written:
    """Merge *rows*, one per key, into the contract's table: new keys are inserted, known ones updated if *when* holds.

    Delta rewrites each file in which a key is found, even if none of its rows changes; so rows that would change
    nothing are left out of the source, and if none are left, nothing is committed.

    Args:
        when: SQL over `{s}` (the new row) and `{t}` (the row in the table), structs of all columns, `in_order`.
        within: SQL that holds for all *rows*, so that other rows of the table need not be read.
        whole: *rows* are all that the table should have of those *within*; its other rows there are deleted.
    """
    names = in_order(contract)
    row, held = (f"struct({', '.join(f'{side}.{name}' for name in names)})" for side in ("s", "t"))
    same_key = " AND ".join(f"t.{key} = s.{key}" for key in contract.keys)
    (key, *_), absent = contract.keys, "s.{0} IS NULL"
    there = spark.table(contract.table)
    pairs = (
        as_contract(rows, contract)
        .alias("s")
        .join(
            (there if within is None else there.where(within)).alias("t"),
            F.expr(same_key),
            "full" if whole else "left",
        )
    )
    changed = pairs.where(f"t.{key} IS NULL OR {absent.format(key)} OR {when.format(s=row, t=held)}").selectExpr(
        *(f"coalesce(s.{name}, t.{name}) AS {name}" if name in contract.keys else f"s.{name}" for name in names),
        f"{absent.format(key)} AS _gone",
    )
    listed = ", ".join(names)
    result = spark.sql(
        f"MERGE INTO {contract.table} t USING {{changed}} s ON {same_key} WHEN MATCHED AND s._gone THEN DELETE "
        f"WHEN MATCHED THEN UPDATE SET {', '.join(f't.{name} = s.{name}' for name in names)} "
        f"WHEN NOT MATCHED THEN INSERT ({listed}) VALUES ({', '.join(f's.{name}' for name in names)})",
        changed=changed,
    )
    return Written(contract.table, only_row(result)["num_affected_rows"])


def refuse_other_columns(found: Sequence[str], contract: Contract) -> None:
    """Check that a query yields the columns of *contract*, by name and in its order.

    Raises:
        ContractError: it does not; the message says which columns are missing, surplus or out of order.
    """
    expected = contract.column_names
    if list(found) == expected:
        return
    missing = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected or list(found).count(name) > 1]
    if missing or surplus:
        parts = [f"no {samples(missing)}"] if missing else []
        parts += [f"{samples(surplus)}, which the contract does not name once"] if surplus else []
        told = " and ".join(parts)
    else:
        place = next(index for index, name in enumerate(expected) if found[index] != name)
        told = f"`{found[place]}` as column {place + 1}, where the contract has `{expected[place]}`"
    raise ContractError(
        f"`{contract.table}`: found in the query {told}; expected the columns {', '.join(expected)}, in this order. "
        f"Correct the query, or `config/tables/{contract.name}.yml`.",
        table=contract.table,
        found=list(found),
        expected=expected,
    )


def check_columns(spark: SparkSession, names: Iterable[str]) -> None:
    """Check the columns and types of the tables or views *names* (without schema) against their contracts.

    Raises:
        ContractError: a column differs; the message has one line for each.
    """
    contracts = [load_contract(name) for name in names]
    wrong = [line for contract in contracts for line in differences(spark, contract)]
    if wrong:
        raise ContractError("\n".join(wrong))
    if contracts:
        print(f"checked the columns of {counted(len(contracts), 'table')}: those of the contracts")


def check_keys(spark: SparkSession, names: Iterable[str], within: Mapping[str, str]) -> None:
    """Check that each of the tables *names* (without schema) has one row per key and no NULL key; one query for all.

    Args:
        within: SQL by table (with schema) if only some rows are checked: those for which it holds, and NULL keys.

    Raises:
        ContractError: a key is NULL or duplicated.
    """
    keyed = [contract for contract in map(load_contract, names) if contract.keys]
    if not keyed:
        return
    counts = []
    for c in keyed:
        looked_at = spark.table(c.table)
        if c.table in within:
            looked_at = looked_at.where(" OR ".join([within[c.table], *(f"{key} IS NULL" for key in c.keys)]))
        keys = f"count(DISTINCT {', '.join(c.keys)}) AS keys"  # a NULL in a key is not counted
        counts.append(looked_at.selectExpr(f"{text(c.table)} AS table", "count(*) AS rows", keys))
    wrong = [
        f"`{table}`: found {rows} rows, {keys} keys; expected one row per key. Run refresh_mode=full."
        for table, rows, keys in reduce(DataFrame.union, counts).collect()
        if rows != keys
    ]
    if wrong:
        raise ContractError("\n".join(wrong))
    print(f"checked the keys of {counted(len(keyed), 'table')}: one row each")


def differences(spark: SparkSession, contract: Contract) -> list[str]:
    """One line for each column of the contract's table that differs from the contract."""
    found = _types(schema_of(spark, contract.table) or StructType())
    expected = [(column.name, column.type.upper().replace(" ", "")) for column in contract.columns]
    return [
        f"`{contract.table}`: found the column {' '.join(have) if have else 'missing'}, "
        f"expected {' '.join(want) if want else 'none'}. Correct `config/tables/{contract.name}.yml`, or run "
        "refresh_mode=full."
        for have, want in zip_longest(found, expected)
        if have != want
    ]


def _types(schema: StructType) -> list[tuple[str, str]]:
    return [(field.name, field.dataType.simpleString().upper()) for field in schema.fields]
