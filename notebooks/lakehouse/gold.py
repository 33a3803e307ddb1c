"""Gold views and the checks that must hold before anyone reads them."""

from decimal import Decimal

from pyspark.sql import SparkSession

from lakehouse.contracts import Contract, load_contract
from lakehouse.errors import ExpectationError
from lakehouse.operations import RuleCount, record_counts
from lakehouse.tables import text
from lakehouse.together import run_together


def create_views(spark: SparkSession, queries: dict[str, str]) -> None:
    """Create the gold views, each with the comments of its contract, in place of those that exist.

    Args:
        queries: SQL by view name (without schema).
    """
    run_together({name: lambda n=name: _create(spark, load_contract(n), queries[n]) for name in queries})
    print(f"created {len(queries)} views: {', '.join(f'gold.{name}' for name in queries)}")


def _create(spark: SparkSession, contract: Contract, query: str) -> None:
    columns = ",\n  ".join(f"`{c.name}` COMMENT {text(c.description)}" for c in contract.columns)
    typed = ", ".join(f"CAST({c.name} AS {c.type}) AS {c.name}" for c in contract.columns)
    spark.sql(
        f"CREATE OR REPLACE VIEW {contract.table} (\n  {columns}\n)\nCOMMENT {text(contract.grain)}\n"
        f"AS SELECT {typed} FROM ({query}) AS v({', '.join(contract.column_names)})"
    )


def check_totals(spark: SparkSession, totals: dict[str, dict[str, str]], *, run_id: str) -> None:
    """Hold the views against silver: their totals must agree, and every row must keep the contract's FAIL rules.

    Args:
        totals: by view name, SQL queries of one row over silver: what the sum of a column of the view must be.

    Raises:
        ExpectationError: a total differs (names view, column and both numbers) or rows break a rule.
    """
    checks = []
    for name, expected in totals.items():
        contract = load_contract(name)
        sums = ", ".join(f"coalesce(sum({column}), 0)" for column in expected)
        failed = "".join(f", count_if(NOT ({rule.condition}))" for rule in contract.rules("FAIL"))
        silver = ", ".join(f"coalesce(({query}), 0)" for query in expected.values())
        checks.append((contract, f"SELECT count(*), {sums}{failed}, {silver} FROM {contract.table}"))
    found = run_together({contract.name: lambda q=query: tuple(spark.sql(q).first()) for contract, query in checks})
    counts, wrong = [], []
    for contract, _ in checks:
        counted, told = _judge(contract, list(totals[contract.name]), found[contract.name])
        counts += counted
        wrong += told
    record_counts(spark, run_id, counts)
    if wrong:
        raise ExpectationError("\n".join(wrong), rules=[c.rule for c in counts if c.failed_rows])


def _judge(contract: Contract, columns: list[str], found: tuple) -> tuple[list[RuleCount], list[str]]:
    """The counts of the rules of one view, and a line for each that does not hold."""
    rules = contract.rules("FAIL")
    rows, sums = found[0], found[1 : 1 + len(columns)]
    failed, silver = found[1 + len(columns) : 1 + len(columns) + len(rules)], found[-len(columns) :]
    counts, wrong = [], []
    for column, gold, expected in zip(columns, sums, silver, strict=True):
        differs = Decimal(gold) != Decimal(expected)
        counts.append(RuleCount(contract.table, f"{column}_agrees_with_silver", "FAIL", rows, int(differs)))
        if differs:
            wrong.append(
                f"`{contract.table}`: found a total `{column}` of {gold}, expected {expected} as in silver. "
                "Compare the view's SQL with silver, or run with refresh_mode=full."
            )
    for rule, count in zip(rules, failed, strict=True):
        counts.append(RuleCount(contract.table, rule.rule, "FAIL", rows, count))
        if count:
            wrong.append(f"`{contract.table}`: found {count} rows that break `{rule.rule}`, expected {rule.condition}.")
    return counts, wrong
