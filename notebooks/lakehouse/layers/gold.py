"""Gold views and the checks that must hold before anyone reads them."""

from decimal import Decimal

from pyspark.sql import SparkSession

from lakehouse.errors import ExpectationError
from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import text
from lakehouse.tables.operations import RuleCount, record_counts
from lakehouse.tables.together import run_together


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


def check_totals(spark: SparkSession, silver: str, totals: dict[str, dict[str, str]], *, run_id: str) -> None:
    """Hold the views against silver: their totals must agree, and every row must keep the contract's FAIL rules.

    Args:
        silver: SQL of one row, the totals of the silver tables.
        totals: by view name, the column of *silver* that the sum of a column of the view must be.

    Raises:
        ExpectationError: a total differs (names view, column and both numbers) or rows break a rule.
    """
    contracts = {name: load_contract(name) for name in totals}
    queries = {name: _sums(contract, list(totals[name])) for name, contract in contracts.items()} | {"": silver}
    found = run_together({name: lambda q=query: spark.sql(q).first() for name, query in queries.items()})
    expected = found.pop("").asDict()
    counts, wrong = [], []
    for name, contract in contracts.items():
        wanted = {column: expected[of] for column, of in totals[name].items()}
        counted, told = _judge(contract, wanted, tuple(found[name]))
        counts += counted
        wrong += told
    record_counts(spark, run_id, counts)
    if wrong:
        raise ExpectationError("\n".join(wrong), rules=[count.rule for count in counts if count.failed_rows])
    print(f"{len(contracts)} views agree with silver")


def _sums(contract: Contract, columns: list[str]) -> str:
    """SQL of one row: the number of rows, the sums of *columns*, the failures of the FAIL rules."""
    sums = [f"coalesce(sum({column}), 0)" for column in columns]
    failed = [f"count_if(NOT ({rule.condition}))" for rule in contract.rules("FAIL")]
    return f"SELECT {', '.join(['count(*)', *sums, *failed])} FROM {contract.table}"


def _judge(contract: Contract, expected: dict[str, object], found: tuple) -> tuple[list[RuleCount], list[str]]:
    """The counts of the rules of one view, and a line for each that does not hold."""
    rows, sums, failed = found[0], found[1 : 1 + len(expected)], found[1 + len(expected) :]
    counts, wrong = [], []
    for (column, silver), gold in zip(expected.items(), sums, strict=True):
        differs = Decimal(gold) != Decimal(silver or 0)
        counts.append(RuleCount(contract.table, f"{column}_agrees_with_silver", "FAIL", rows, int(differs)))
        if differs:
            wrong.append(
                f"`{contract.table}`: found a total `{column}` of {gold}, expected {silver} as in silver. "
                "Compare the view's SQL with silver, or run with refresh_mode=full."
            )
    for rule, count in zip(contract.rules("FAIL"), failed, strict=True):
        counts.append(RuleCount(contract.table, rule.rule, "FAIL", rows, count))
        if count:
            wrong.append(f"`{contract.table}`: found {count} rows that break `{rule.rule}`, expected {rule.condition}.")
    return counts, wrong
