"""Gold views, and the checks that must hold before anyone reads them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial, reduce

from pyspark.sql import DataFrame, SparkSession

from lakehouse.errors import ContractError, ExpectationError, samples
from lakehouse.tables.contracts import Contract, find_contracts, load_contract, load_query
from lakehouse.tables.delta import newest_version, refuse_other_columns, text
from lakehouse.tables.operations import RuleCount, append, read_operations, record_counts
from lakehouse.tables.together import run_together

_WITH_NULLS = "map('ignoreNullFields', 'false')"
_CHECKS = "checks of gold"  # the name of the reader in `ops.progress`


@dataclass
class GoldRun:
    """One run over the gold views: the SQL of each view that was created, by name without schema."""

    spark: SparkSession
    run_id: str
    full: bool
    queries: dict[str, str] = field(default_factory=dict)


def create_view(run: GoldRun, name: str) -> None:
    """Create or replace the gold view *name* (without schema) by its query, with the comments of its contract.

    Prints the query. The session must be in the schema of silver.

    Raises:
        ContractError: the query has other columns than the contract; the view is left unchanged.
    """
    contract, query = load_contract(name), load_query(name)
    print(query)
    refuse_other_columns(run.spark.sql(query).columns, contract)
    columns = ",\n  ".join(f"`{c.name}` COMMENT {text(c.description)}" for c in contract.columns)
    typed = ", ".join(f"CAST({c.name} AS {c.type}) AS {c.name}" for c in contract.columns)
    run.spark.sql(
        f"CREATE OR REPLACE VIEW {contract.table} (\n  {columns}\n)\nCOMMENT {text(contract.grain)}\n"
        f"AS SELECT {typed} FROM ({query})"
    )
    run.queries[name] = query
    print(f"created {contract.table}")


def check_totals(run: GoldRun, silver: str, totals: dict[str, dict[str, str]]) -> list[RuleCount]:
    """Check the views against silver: their totals must agree, and every row must satisfy the contract's FAIL rules.

    Every gold contract must have its view. Views whose tables have no new version since their last check, and whose SQL
    and rules are unchanged, are not checked again, unless this is a full run.

    Args:
        silver: SQL of one row, the totals of the silver tables.
        totals: by view name, the column of *silver* that the sum of a column of the view must be; a view that is not
            named is checked against its rules only.

    Returns:
        The counts of the rules; empty if nothing was checked.

    Raises:
        ContractError: a contract has no view.
        ExpectationError: a total differs (the message names view, column and both numbers), or rows break a rule.
    """
    contracts = {contract.name: contract for contract in find_contracts("gold_*")}
    if lacking := sorted(contracts.keys() - run.queries.keys()):
        raise ContractError(
            f"{samples(lacking)}: found a contract in `config/tables`, but no view of this run; expected a cell with "
            "`create_view`. Write one.",
            tables=lacking,
        )
    versions = _versions(run.spark, contracts.values())
    rules = _fingerprint(run.queries, silver, totals, contracts.values())
    if not run.full and _passed(run.spark) == {table: (rules, version) for table, version in versions.items()}:
        print(f"{len(contracts)} views agree with silver, as checked before: no table has changed since")
        return []
    found = _totals(
        run.spark, silver, {name: (contract, list(totals.get(name, {}))) for name, contract in contracts.items()}
    )
    expected = found.pop("silver")
    counts, wrong = [], []
    for name, contract in contracts.items():
        wanted = {column: expected[of] for column, of in totals.get(name, {}).items()}
        told = _judge(contract, wanted, found[name])
        counts += told.counts
        wrong += told.wrong
    record_counts(run.spark, run.run_id, counts)
    if wrong:
        raise ExpectationError("\n".join(wrong), rules=[count.rule for count in counts if count.failed_rows])
    append(run.spark, "ops.progress", [(_CHECKS, table, rules, version, None) for table, version in versions.items()])
    print(f"{len(contracts)} views agree with silver")
    return counts


def _versions(spark: SparkSession, contracts: Iterable[Contract]) -> dict[str, int | None]:
    """The newest version of every silver table from which the views are made."""
    tables = {table for contract in contracts for table in _made_of(contract)}
    return run_together({table: partial(newest_version, spark, table) for table in sorted(tables)})


def _made_of(contract: Contract) -> set[str]:
    reads = [load_contract(name) for name in contract.reads]
    silver = {read.table for read in reads if not read.folder}
    return silver.union(*(_made_of(read) for read in reads)) if reads else set()


def _fingerprint(
    queries: dict[str, str], silver: str, totals: dict[str, dict[str, str]], contracts: Iterable[Contract]
) -> str:
    """A short text that changes if the views, or what they are checked against, change."""
    rules = [[(rule.rule, rule.condition) for rule in contract.rules("FAIL")] for contract in contracts]
    return hashlib.sha256(json.dumps([queries, silver, totals, rules], sort_keys=True).encode()).hexdigest()[:12]


def _passed(spark: SparkSession) -> dict[str, tuple[str, int]]:
    """For each silver table, the rules and the version for which the checks last passed."""
    rows = read_operations(spark.table("ops.progress").where(f"target = {text(_CHECKS)}").collect)
    rows.sort(key=lambda row: row["recorded_at"])
    return {row["source"]: (row["source_table_id"], row["source_version"]) for row in rows}


_Total = int | Decimal | None  # from JSON: a whole number, a number with a fraction, or the sum of no rows


def _totals(
    spark: SparkSession, silver: str, views: dict[str, tuple[Contract, list[str]]]
) -> dict[str, dict[str, _Total]]:
    """The totals of silver and of each view, by name, from one query for all."""
    rows = [spark.sql(silver).selectExpr("'silver' AS name", f"to_json(struct(*), {_WITH_NULLS}) AS totals")]
    for name, (contract, columns) in views.items():
        sums = {column: f"coalesce(sum({column}), 0)" for column in columns}
        failed = {rule.rule: f"count_if(NOT ({rule.condition}))" for rule in contract.rules("FAIL")}
        counted = {"rows": "count(*)", **sums, **failed}
        listed = ", ".join(f"{text(key)}, {sql}" for key, sql in counted.items())
        rows.append(
            spark.table(contract.table).selectExpr(
                f"{text(name)} AS name", f"to_json(named_struct({listed}), {_WITH_NULLS})"
            )
        )
    found = reduce(DataFrame.union, rows).collect()
    return {name: json.loads(totals, parse_float=Decimal) for name, totals in found}


@dataclass(frozen=True)
class _Verdict:
    """The counts of the rules of one view, and one line for each that does not hold."""

    counts: list[RuleCount]
    wrong: list[str]


def _judge(contract: Contract, expected: dict[str, _Total], found: dict[str, _Total]) -> _Verdict:
    counts, wrong, rows = [], [], int(found["rows"] or 0)
    for column, silver in expected.items():
        differs = Decimal(found[column] or 0) != Decimal(silver or 0)
        counts.append(RuleCount(contract.table, f"{column}_agrees_with_silver", "FAIL", rows, int(differs)))
        if differs:
            wrong.append(
                f"`{contract.table}`: found a total `{column}` of {found[column]}, expected {silver} as in silver. "
                "Compare the view's SQL with silver, or run with refresh_mode=full."
            )
    for rule in contract.rules("FAIL"):
        count = int(found[rule.rule] or 0)
        counts.append(RuleCount(contract.table, rule.rule, "FAIL", rows, count))
        if count:
            wrong.append(f"`{contract.table}`: found {count} rows that break `{rule.rule}`, expected {rule.condition}.")
    return _Verdict(counts, wrong)
