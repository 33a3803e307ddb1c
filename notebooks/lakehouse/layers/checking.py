"""Text becomes typed rows, and each row is checked against the rules of its contract.

Every row of bronze ends up in the silver table or in `ops.quarantine_<table>`, with the first rule that it breaks. The
write that creates a table also counts the rules; what is added to a table is counted by one query for all tables.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from lakehouse.errors import ContractError
from lakehouse.layers.reading import parse_rule
from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import key_texts, schema_of, text
from lakehouse.tables.operations import RuleCount

DUPLICATE_KEY = "duplicate_key"
CHECKED = "checked_rows"
REMOVED = "removed_rows"
MANY_KEYS = 10_000  # more keys than these are not listed one by one
_IN_PARTITION = 2**33  # `monotonically_increasing_id` numbers the rows of each partition from a multiple of this


@dataclass(frozen=True)
class Checked:
    """Rows of one bronze table, typed and checked.

    *rows* has the contract's columns, `_text` (the original columns as a struct), `_broken` (NULL for a valid row,
    otherwise a struct of `rule` and `reason`) and, if only *changes* were read, `_change_type`. *brought* are the
    columns that the files contain. *key_is_row* says whether a key stands for one row of a file, which it does not for
    points. *sequence* is a column whose bounds are reported, if any.
    """

    contract: Contract
    rows: DataFrame
    brought: tuple[str, ...]
    key_is_row: bool
    changes: bool
    sequence: str = ""

    @property
    def valid(self) -> DataFrame:
        """The rows that break no rule, with the contract's columns and `_text`."""
        return self.rows.where("_broken IS NULL")

    @property
    def broken(self) -> DataFrame:
        """The rows that break a rule: the columns of the files as text, `rule`, `reason` and `_source_file`."""
        broken = self.rows.where("_broken IS NOT NULL")
        return broken.selectExpr("_text.*", "_broken.rule", "_broken.reason", "_source_file")

    def observed(self, observation: Observation) -> "Checked":
        """The same rows; whatever reads all of them also counts the rules, into *observation*."""
        counts = [F.expr(sql).alias(name) for name, sql in self.counted().items()]
        return replace(self, rows=self.rows.observe(observation, *counts))

    def counted(self) -> dict[str, str]:
        """SQL aggregates over the rows: how many there are, and how many break each rule.

        A DROP rule counts the rows that it sends to quarantine; a WARN rule counts among the valid rows.
        """
        drops = {rule: f"count_if(_broken.rule = {text(rule)})" for rule, level in self.rules() if level == "DROP"}
        warns = {
            rule.rule: f"count_if(_broken IS NULL AND NOT ({rule.condition}))" for rule in self.contract.rules("WARN")
        }
        return {CHECKED: "count(*)"} | drops | warns

    def rules(self) -> list[tuple[str, str]]:
        """(rule, level) of every rule that is counted, in the order in which they are reported."""
        dropping = [(rule, "DROP") for rule in drop_rules(self.contract)]
        warning = [(rule.rule, "WARN") for rule in self.contract.rules("WARN")]
        return dropping + warning + ([(DUPLICATE_KEY, "WARN")] if self.key_is_row else [])

    def told(self, counts: dict[str, int]) -> list[RuleCount]:
        """*counts*, by the names of `counted` and `duplicate_key`, in the form in which they are stored."""
        return [
            RuleCount(self.contract.table, rule, level, counts[CHECKED], counts[rule]) for rule, level in self.rules()
        ]


@dataclass(frozen=True)
class News:
    """What one query finds out about new rows.

    *counts* are those of `Checked.counted`, `removed_rows`, and `duplicate_key`: the number of keys for which one file
    has different contents, if a key is one row. *keys* are the distinct keys of the rows, with their values as text;
    None if there are too many, or if the table has no keys. *bounds* are the lowest and the highest value of the
    sequence, None if no row has one.
    """

    counts: dict[str, int]
    keys: list[list[str | None]] | None
    bounds: tuple[int, int] | None


def show_rules(contracts: Iterable[Contract]) -> pd.DataFrame:
    """The expectations of *contracts*, one row per rule: table, level, rule, condition."""
    rows = [(c.table, one.level, one.rule, one.condition) for c in contracts for one in c.expectations]
    return pd.DataFrame(rows, columns=["table", "level", "rule", "condition"])


def check_rows(
    bronze: DataFrame,
    contract: Contract,
    derived: dict[str, str],
    *,
    key_is_row: bool = True,
    changes: bool = False,
    sequence: str = "",
) -> Checked:
    """Type the rows of *bronze* by the parse rules and check them against the rules of *contract*.

    Values that do not parse come first, then the contract's DROP rules in their order; the first broken rule counts.

    Args:
        derived: SQL over the typed columns, by the name of a column that the files do not contain.
        changes: *bronze* has `_change_type`, which is kept.
    """
    brought = _brought(contract)
    typed = [f"{_parse(contract, name)} AS {name}" for name in brought]
    kept = ["_source_file", "_file_modified_at", *(["_change_type"] if changes else [])]
    rows = bronze.selectExpr(f"struct({', '.join(brought)}) AS _text", *typed, *kept)
    if made := [f"{sql} AS {name}" for name, sql in derived.items() if name in contract.column_names]:
        rows = rows.selectExpr("*", *made)
    rows = rows.selectExpr("*", f"{_first_broken(contract, brought)} AS _broken")
    return Checked(contract, rows, brought, key_is_row, changes, sequence)


def _brought(contract: Contract) -> tuple[str, ...]:
    """The columns of *contract* that the files of its bronze table contain."""
    files = load_contract(contract.reads[0]).column_names
    return tuple(name for name in contract.column_names if name in files and not name.startswith("_"))


def drop_rules(contract: Contract) -> list[str]:
    """The rules that send a row to quarantine, in their order: values that parse, then the contract's own."""
    parses = [f"{name}_parses" for name in _parsed(contract, _brought(contract))]
    return parses + [rule.rule for rule in contract.rules("DROP")]


def _parse(contract: Contract, name: str) -> str:
    (column,) = (column for column in contract.columns if column.name == name)
    try:
        return parse_rule(column.format or column.type).format(text=f"`{name}`")
    except KeyError:
        raise ContractError(
            f"`{contract.name}.yml`: found the column `{name}` of {column.format or column.type}; expected a type or "
            "format that a text is read by. Add it to PARSE_RULES in notebooks/lakehouse/layers/reading.py.",
            table=contract.table,
            column=name,
        ) from None


def _parsed(contract: Contract, brought: tuple[str, ...]) -> list[str]:
    """The columns that may fail to parse: all columns of the files that are not free text."""
    return [c.name for c in contract.columns if c.name in brought and (c.format or c.type != "STRING")]


def _first_broken(contract: Contract, brought: tuple[str, ...]) -> str:
    types = {column.name: column.format or column.type for column in contract.columns}
    cases = [
        (f"{name}_parses", f"_text.{name} <> '' AND {name} IS NULL", [name], f"expected {types[name]}")
        for name in _parsed(contract, brought)
    ]
    for rule in contract.rules("DROP"):
        used = [name for name in brought if re.search(rf"\b{name}\b", rule.condition)]
        cases.append((rule.rule, f"NOT ({rule.condition})", used, f"expected {rule.condition}"))
    if not cases:
        return "CAST(NULL AS STRUCT<rule: STRING, reason: STRING>)"
    whens = [
        f"WHEN {broken} THEN named_struct('rule', {text(rule)}, 'reason', {_reason(used, expected)})"
        for rule, broken, used, expected in cases
    ]
    return f"CASE {' '.join(whens)} END"


def _reason(used: list[str], expected: str) -> str:
    found = [f"'`{name}`: found ', coalesce(concat('`', _text.{name}, '`'), 'NULL'), ', '" for name in used]
    return f"concat({', '.join([*found, text(expected)])})"


def differs_within_key(contract: Contract, *, where: str = "true") -> str:
    """SQL aggregate over the rows of one key: do those that satisfy *where* have different contents?"""
    # A hash skips NULLs, so their positions are hashed too.
    content = ", ".join(f"{name}, {name} IS NULL" for name in contract.column_names if not name.startswith("_"))
    least, greatest = (f"{kind}(xxhash64({content})) FILTER (WHERE {where})" for kind in ("min", "max"))
    return f"coalesce({least} <> {greatest}, false)"


def look_at(checked: Iterable[Checked]) -> dict[str, News]:
    """What is new for several tables, by table, found with one query for all of them."""
    rows = [_seen(one).selectExpr(f"{text(one.contract.table)} AS table", "to_json(struct(*))") for one in checked]
    return {table: _news(json.loads(told)) for table, told in reduce(DataFrame.union, rows).collect()}


def _news(told: dict[str, Any]) -> News:
    keys, key_rows = told.pop("keys", None), told.pop("key_rows", 0)
    low, high = told.pop("low", None), told.pop("high", None)
    return News(told, keys if key_rows <= MANY_KEYS else None, None if low is None else (low, high))


def _seen(checked: Checked) -> DataFrame:
    """One row: the counts, the keys, the number of rows that these come from, and the bounds of the sequence."""
    sums = checked.counted()
    if checked.changes:
        sums[REMOVED] = "count_if(_change_type <> 'insert')"
    rows = checked.rows
    totals = [F.expr(sql).alias(name) for name, sql in sums.items()]
    if checked.key_is_row:
        differs = F.expr(differs_within_key(checked.contract, where="_broken IS NULL")).alias(DUPLICATE_KEY)
        rows = rows.groupBy(*checked.contract.keys, "_source_file").agg(*totals, differs)
        totals = [F.expr(f"coalesce(sum({name}), 0)").alias(name) for name in sums]
        totals.append(F.expr(f"count_if({DUPLICATE_KEY})").alias(DUPLICATE_KEY))
    if checked.contract.keys:
        totals += [F.expr(collected_keys(checked.contract.keys)).alias("keys"), F.expr("count(*)").alias("key_rows")]
    if checked.sequence:
        totals += [
            F.expr(f"{bound}({checked.sequence}) FILTER (WHERE _broken IS NULL)").alias(name)
            for name, bound in (("low", "min"), ("high", "max"))
        ]
    return numbered(rows).agg(*totals)


def numbered(rows: DataFrame) -> DataFrame:
    """*rows* with `_number`, for `collected_keys`."""
    return rows.withColumn("_number", F.monotonically_increasing_id())


def collected_keys(keys: Sequence[str]) -> str:
    """SQL aggregate over `numbered` rows: their distinct keys, in the form of `key_texts`.

    These are all keys if there are no more than `MANY_KEYS` rows. Only the first rows of each partition are kept,
    because a load of millions of rows would fill the memory.
    """
    return f"collect_set({key_texts(keys)}) FILTER (WHERE _number % {_IN_PARTITION} < {MANY_KEYS})"


def dropped_rows(counts: list[RuleCount]) -> int:
    """The number of rows that go to quarantine according to *counts*."""
    return sum(count.failed_rows for count in counts if count.level == "DROP")


def add_to_quarantine(spark: SparkSession, checked: Checked, *, run_id: str) -> None:
    """Add the rows that break a rule to `ops.quarantine_<table>`.

    There is one row per broken row: its columns as text, `rule`, `reason`, `_source_file`, `run_id`. The rows of a file
    are added in one commit, so files that are already there are left out: a repeated run adds nothing.
    """
    table = f"ops.quarantine_{checked.contract.name}"
    if schema_of(spark, table) is None:
        replace_quarantine(spark, checked, run_id=run_id, rows=1)
        return
    there = spark.table(table).select("_source_file").distinct()
    broken = _of_run(checked, run_id)
    broken.join(there, "_source_file", "left_anti").select(*_quarantine_columns(checked)).writeTo(table).append()


def replace_quarantine(spark: SparkSession, checked: Checked, *, run_id: str, rows: int) -> None:
    """Like `add_to_quarantine`, but replacing the contents of the table, in one commit; *rows* is the new row count."""
    table = f"ops.quarantine_{checked.contract.name}"
    comment = f"Rows of {checked.contract.table} that break a rule, as text"
    if rows:
        broken = _of_run(checked, run_id).writeTo(table).using("delta")
        broken.tableProperty("comment", comment).createOrReplace()
        return
    columns = ", ".join(f"{name} STRING" for name in _quarantine_columns(checked))  # needs no Spark job
    spark.sql(f"CREATE OR REPLACE TABLE {table} ({columns}) USING delta COMMENT {text(comment)}")


def _quarantine_columns(checked: Checked) -> list[str]:
    return [*checked.brought, "rule", "reason", "_source_file", "run_id"]


def _of_run(checked: Checked, run_id: str) -> DataFrame:
    return checked.broken.selectExpr("*", f"{text(run_id)} AS run_id")
