"""Text becomes typed rows, and each row is held against the rules of its contract.

Every row of bronze ends up in the silver table or in `ops.quarantine_<table>`, with the first rule that it breaks.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import text
from lakehouse.tables.operations import RuleCount


@dataclass(frozen=True)
class Typing:
    """How the text of a file becomes the values of a silver table.

    *parse* is SQL by format or type of a column, with `{text}` for the column's text; its result is NULL where the text
    does not parse. *derived* is SQL over the parsed columns, by the name of a column that the files do not bring.
    """

    parse: dict[str, str]
    derived: dict[str, str]


def rules_of(tables: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """(table, level, rule, condition) of the expectations of *tables* (names without schema), for a reader."""
    contracts = [load_contract(table) for table in tables]
    return [(c.table, one.level, one.rule, one.condition) for c in contracts for one in c.expectations]


def check_rows(bronze: DataFrame, contract: Contract, typing: Typing) -> DataFrame:
    """The rows of *bronze* with the contract's columns, `_text` (the columns as they came) and `_broken`.

    `_broken` is NULL for a valid row, else a struct of `rule` and `reason`: of the first rule that the row breaks,
    values that do not parse first, in the contract's order.
    """
    brought = _brought(bronze, contract)
    parsed = [
        f"{typing.parse[column.format or column.type].format(text=column.name)} AS {column.name}"
        for column in contract.columns
        if column.name in brought
    ]
    rows = bronze.selectExpr(f"struct({', '.join(brought)}) AS _text", *parsed, "_source_file", "_file_modified_at")
    if derived := [f"{sql} AS {name}" for name, sql in typing.derived.items() if name in contract.column_names]:
        rows = rows.selectExpr("*", *derived)
    return rows.selectExpr("*", f"{_first_broken(contract, brought)} AS _broken")


def _brought(bronze: DataFrame, contract: Contract) -> list[str]:
    names = [name for name in contract.column_names if not name.startswith("_")]
    return [name for name in names if name in bronze.columns]


def parse_rules(contract: Contract, brought: list[str]) -> list[str]:
    """The columns that may fail to parse: all that a file brings and that are not free text."""
    return [c.name for c in contract.columns if c.name in brought and (c.format or c.type != "STRING")]


def _first_broken(contract: Contract, brought: list[str]) -> str:
    types = {column.name: column.format or column.type for column in contract.columns}
    cases = [
        (f"{name}_parses", f"_text.{name} <> '' AND {name} IS NULL", [name], f"expected {types[name]}")
        for name in parse_rules(contract, brought)
    ]
    for rule in contract.rules("DROP"):
        used = [name for name in brought if re.search(rf"\b{name}\b", rule.condition)]
        cases.append((rule.rule, f"NOT ({rule.condition})", used, f"expected {rule.condition}"))
    whens = [
        f"WHEN {broken} THEN named_struct('rule', {text(rule)}, 'reason', {_reason(used, expected)})"
        for rule, broken, used, expected in cases
    ]
    return f"CASE {' '.join(whens)} END"


def _reason(used: list[str], expected: str) -> str:
    found = [f"'`{name}`: found ', coalesce(concat('`', _text.{name}, '`'), 'NULL'), ', '" for name in used]
    return f"concat({', '.join([*found, text(expected)])})"


def count_rules(checked: DataFrame, contract: Contract, *, key_is_row: bool = True) -> list[RuleCount]:
    """How many of the *checked* rows break each rule; one query.

    A DROP rule counts the rows that go to quarantine by it; a WARN rule counts among the valid rows. `duplicate_key`
    counts the keys that one file gives with different contents, where a key stands for one row (*key_is_row*).
    """
    brought = checked.select("_text.*").columns
    drops = [f"{name}_parses" for name in parse_rules(contract, brought)] + [r.rule for r in contract.rules("DROP")]
    warns = contract.rules("WARN")
    # A hash passes over NULLs: where they are counts too.
    content = ", ".join(f"{name}, {name} IS NULL" for name in contract.column_names if not name.startswith("_"))
    groups = checked.groupBy(*contract.keys, "_source_file", F.col("_broken.rule").alias("_rule")).agg(
        F.expr("count(*) AS _rows"),
        F.expr(f"min(xxhash64({content})) <> max(xxhash64({content})) AS _differs"),
        *[F.expr(f"count_if(_broken IS NULL AND NOT ({warn.condition})) AS _warn{i}") for i, warn in enumerate(warns)],
    )
    found = groups.agg(
        F.expr("coalesce(sum(_rows), 0)"),
        *[F.expr(f"coalesce(sum(_rows) FILTER (WHERE _rule = {text(rule)}), 0)") for rule in drops],
        *[F.expr(f"coalesce(sum(_warn{i}), 0)") for i in range(len(warns))],
        F.expr("count_if(_rule IS NULL AND _differs)"),
    ).first()
    names = [(rule, "DROP") for rule in drops] + [(warn.rule, "WARN") for warn in warns] + [("duplicate_key", "WARN")]
    return [
        RuleCount(contract.table, rule, level, found[0], count)
        for (rule, level), count in zip(names, found[1:], strict=True)
        if key_is_row or rule != "duplicate_key"
    ]


def valid_rows(checked: DataFrame) -> DataFrame:
    """Those of the *checked* rows that break no rule, with the contract's columns."""
    return checked.where("_broken IS NULL").drop("_text", "_broken")


def dropped_rows(counts: list[RuleCount]) -> int:
    """How many rows go to quarantine by *counts*."""
    return sum(count.failed_rows for count in counts if count.level == "DROP")


def quarantine_table(contract: Contract) -> str:
    return f"ops.quarantine_{contract.name}"


def write_quarantine(spark: SparkSession, checked: DataFrame, contract: Contract, *, run_id: str) -> None:
    """Add the rows that break a rule: their columns as text, `rule`, `reason`, `_source_file`, `run_id`.

    A file's rows are added by one commit, so files that are there already are left out: a repeated run adds nothing.
    """
    table = quarantine_table(contract)
    if not spark.catalog.tableExists(table):
        replace_quarantine(spark, checked, contract, run_id=run_id, rows=1)
        return
    there = spark.table(table).select("_source_file").distinct()
    broken = _broken_rows(checked, run_id)
    broken.join(there, "_source_file", "left_anti").select(*broken.columns).writeTo(table).append()


def replace_quarantine(spark: SparkSession, checked: DataFrame, contract: Contract, *, run_id: str, rows: int) -> None:
    """As `write_quarantine`, in place of what the table holds, in one commit; *rows* is how many there are to write."""
    table, comment = quarantine_table(contract), f"Rows of {contract.table} that break a rule, as text"
    broken = _broken_rows(checked, run_id)
    if rows:
        broken.writeTo(table).using("delta").tableProperty("comment", comment).createOrReplace()
        return
    columns = ", ".join(f"{name} STRING" for name in broken.columns)  # needs no Spark job
    spark.sql(f"CREATE OR REPLACE TABLE {table} ({columns}) USING delta COMMENT {text(comment)}")


def _broken_rows(checked: DataFrame, run_id: str) -> DataFrame:
    return checked.where("_broken IS NOT NULL").selectExpr(
        "_text.*", "_broken.rule", "_broken.reason", "_source_file", f"{text(run_id)} AS run_id"
    )
