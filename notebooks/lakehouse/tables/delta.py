"""Delta tables by their contracts: how they are created, what they hold now, what a write did."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import ContractError, PlaceError
from lakehouse.tables.contracts import Contract, load_contract

_ABSENT = ("TABLE_OR_VIEW_NOT_FOUND", "DELTA_TABLE_NOT_FOUND", "DELTA_MISSING_DELTA_TABLE")
_NO_SCHEMA = ("SCHEMA_NOT_FOUND", "NO_SUCH_CATALOG_EXCEPTION", "CATALOG_NOT_FOUND")
GENERATION = "lakehouse.generation"
_CLUSTERED = 4  # columns at most, Delta's limit


@dataclass(frozen=True)
class Commit:
    """The newest commit of a table; *rows* is what it wrote, where that is counted; *at_ms* is since 1970 UTC."""

    version: int
    rows: int
    at_ms: int


@dataclass(frozen=True)
class Identity:
    """Which table a name stands for: *id* changes when it is replaced, *generation* is bronze's own mark."""

    id: str
    generation: str


@dataclass(frozen=True)
class Written:
    """What a write did to *table*; no version where nothing was committed."""

    table: str
    rows: int
    version: int | None

    def __str__(self) -> str:
        if self.version is None:
            return f"{self.table}: nothing new"
        return f"wrote {self.rows:,} rows to {self.table} (version {self.version})"


def text(value: str) -> str:
    """*value* as a SQL string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def latest_commit(spark: SparkSession, table: str) -> Commit | None:
    """The newest commit of *table*, None where there is no such table; reads one file of its log."""
    rows = _rows_or_none(spark, f"DESCRIBE HISTORY {table} LIMIT 1", table)
    if not rows:
        return None
    metrics = rows[0]["operationMetrics"] or {}
    at_ms = int(rows[0]["timestamp"].timestamp() * 1000)
    return Commit(rows[0]["version"], int(metrics.get("numOutputRows", 0)), at_ms)


def identity(spark: SparkSession, table: str) -> Identity | None:
    """Which table *table* is now, None where there is none."""
    rows = _rows_or_none(spark, f"DESCRIBE DETAIL {table}", table)
    if not rows:
        return None
    return Identity(rows[0]["id"], (rows[0]["properties"] or {}).get(GENERATION, ""))


def replace_empty(spark: SparkSession, contract: Contract, properties: dict[str, str]) -> None:
    """Create the contract's table, empty; one that exists is emptied in the same commit."""
    columns = ",\n  ".join(f"`{c.name}` {c.type} COMMENT {text(c.description)}" for c in contract.columns)
    listed = ", ".join(f"{text(name)} = {text(value)}" for name, value in properties.items())
    _rows_or_none(
        spark,
        f"CREATE OR REPLACE TABLE {contract.table} (\n  {columns}\n) USING delta\n"
        f"COMMENT {text(contract.grain)}" + (f"\nTBLPROPERTIES ({listed})" if listed else ""),
        contract.table,
    )


def replace_table(
    spark: SparkSession, rows: DataFrame, contract: Contract, properties: dict[str, str] | None = None
) -> Written:
    """Write *rows* as the contract's table, in place of what it held, in one commit.

    The columns of *rows* are cast to the contract's types and get its comments; *properties* become the table's. It is
    clustered by its keys, by which a merge looks for its rows.
    """
    columns = [
        F.col(column.name).alias(column.name, metadata={"comment": column.description}) for column in contract.columns
    ]
    view = f"replace_{contract.name}"
    as_contract(rows, contract).select(*columns).createOrReplaceTempView(view)
    listed = ", ".join(f"{text(name)} = {text(value)}" for name, value in (properties or {}).items())
    spark.sql(
        f"CREATE OR REPLACE TABLE {contract.table} USING delta\n"
        + (f"CLUSTER BY ({', '.join(contract.keys[:_CLUSTERED])})\n" if contract.keys else "")
        + f"COMMENT {text(contract.grain)}\n"
        + (f"TBLPROPERTIES ({listed})\n" if listed else "")
        + f"AS SELECT * FROM {view}"
    )
    commit = latest_commit(spark, contract.table)
    return Written(contract.table, commit.rows, commit.version)


def in_order(contract: Contract) -> list[str]:
    """The columns by which the latest of two rows of a key is known: age of the file, its name, then the others."""
    first = [name for name in ("_file_modified_at", "_source_file") if name in contract.column_names]
    return first + [name for name in contract.column_names if name not in first]


def as_contract(rows: DataFrame, contract: Contract) -> DataFrame:
    """*rows* with the contract's columns, in its order and of its types."""
    return rows.select(*[F.col(column.name).cast(column.type).alias(column.name) for column in contract.columns])


def merge(spark: SparkSession, rows: DataFrame, contract: Contract, *, when: str) -> Written:
    """Merge *rows*, one per key, into the contract's table: new keys are inserted, known ones updated *when* it holds.

    Delta rewrites each file in which a key is found, also where no row of it changes; so what would change nothing is
    left out of the source, and where nothing is left nothing is committed.

    Args:
        when: SQL over `{s}` (the row) and `{t}` (what the table has), structs of all columns, `in_order`.
    """
    names = in_order(contract)
    condition = when.format(
        s=f"struct({', '.join(f's.{name}' for name in names)})", t=f"struct({', '.join(f't.{name}' for name in names)})"
    )
    same_key = " AND ".join(f"t.{key} = s.{key}" for key in contract.keys)
    there = spark.table(contract.table).alias("t")
    changed = as_contract(rows, contract).alias("s").join(there, F.expr(same_key), "left")
    view = f"merge_{contract.name}"
    changed.where(f"t.{contract.keys[0]} IS NULL OR {condition}").select("s.*").createOrReplaceTempView(view)
    result = spark.sql(
        f"MERGE INTO {contract.table} t USING {view} s ON {same_key} "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    affected = result.first()["num_affected_rows"]
    return Written(contract.table, affected, latest_commit(spark, contract.table).version if affected else None)


def _rows_or_none(spark: SparkSession, statement: str, table: str) -> list | None:
    try:
        return spark.sql(statement).collect()
    except PySparkException as error:
        condition = error.getCondition() or ""
        if condition.startswith(_NO_SCHEMA):
            schema = table.split(".")[0]
            raise PlaceError(f"Schema not found: {schema}, run notebooks/00_setup", schema=schema) from error
        if condition.startswith(_ABSENT):
            return None
        raise


def check_tables(spark: SparkSession, names: list[str], *, unique: Iterable[str] = ()) -> None:
    """Hold tables or views against their contracts: columns and types of all, one row a key in those of *unique*.

    Raises:
        ContractError: a column differs, or a key is NULL or there twice.
    """
    wrong = [line for name in names for line in differences(spark, load_contract(name))]
    keyed = [contract for contract in map(load_contract, sorted(unique)) if contract.keys]
    counts = [
        f"SELECT '{c.table}', count(*), count(DISTINCT {', '.join(c.keys)}) FROM {c.table}"  # NULL keys are not counted
        for c in keyed
    ]
    for table, rows, keys in spark.sql(" UNION ALL ".join(counts)).collect() if counts else []:
        if rows != keys:
            wrong.append(f"`{table}`: found {rows} rows, {keys} keys; expected one row a key. Run refresh_mode=full.")
    if wrong:
        raise ContractError("\n".join(wrong))
    print(f"{len(names)} tables agree with their contracts")


def differences(spark: SparkSession, contract: Contract) -> list[str]:
    """A line for each column of the contract's table that is not as the contract has it."""
    found = [(f.name, f.dataType.simpleString().upper()) for f in spark.table(contract.table).schema.fields]
    expected = [(column.name, column.type.upper().replace(" ", "")) for column in contract.columns]
    return [
        f"`{contract.table}`: found the column {' '.join(have) if have else 'missing'}, "
        f"expected {' '.join(want) if want else 'none'}. Correct `config/tables/{contract.name}.yml`, or run "
        "refresh_mode=full."
        for have, want in zip_longest(found, expected)
        if have != want
    ]
