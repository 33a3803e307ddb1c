"""The tables that a change feed makes, `_current` and `_history`: all at the same time, then held against rules."""

from collections.abc import Iterable

from pyspark.sql import SparkSession

from lakehouse.cdc import ChangeCounts, apply_changes
from lakehouse.errors import ExpectationError
from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import Written, differences, replace_empty, text
from lakehouse.tables.operations import RuleCount, append, read_operations, record_counts
from lakehouse.tables.together import run_together


def prepare_targets(spark: SparkSession, names: Iterable[str], *, full: bool) -> None:
    """Create those of the tables *names* (without schema) that are missing, empty and with the contract's comments.

    With *full* every table is derived from all events by the next `apply_changes`. It keeps its rows until then, and
    what differs is written in one commit; only one whose columns are not the contract's is emptied.
    """
    contracts = [load_contract(name) for name in names]
    again = []
    for contract in contracts:
        if not spark.catalog.tableExists(contract.table) or (full and differences(spark, contract)):
            replace_empty(spark, contract, {})
        elif full:
            again.append(contract.table)
    if again:
        forget_progress(spark, again)


def forget_progress(spark: SparkSession, targets: Iterable[str]) -> None:
    """Let *targets* read all of their sources the next time, as if they had read nothing; in one commit."""
    names = ", ".join(text(target) for target in targets)
    known = read_operations(spark, f"SELECT DISTINCT target, source FROM ops.progress WHERE target IN ({names})")
    append(spark, "ops.progress", [(row["target"], row["source"], None, None, None) for row in known])


def apply_together(spark: SparkSession, calls: dict[str, dict]) -> dict[str, ChangeCounts]:
    """Call `apply_changes` for all targets at the same time; prints a line a target.

    Args:
        calls: by target, the other arguments.

    Raises:
        TablesFailedError: a target failed; the others were written.
    """
    done = run_together({target: lambda t=target, c=call: _apply(spark, t, c) for target, call in calls.items()})
    return {target: counts for target, (_, counts) in done.items()}


def _apply(spark: SparkSession, target: str, arguments: dict) -> tuple[Written, ChangeCounts]:
    counts = apply_changes(spark, target=target, **arguments)
    return Written(target, counts.num_upserted_rows + counts.num_deleted_rows, counts.version), counts


def check_targets(
    spark: SparkSession, names: Iterable[str], queries: dict[str, dict[str, str]], *, run_id: str
) -> None:
    """Every row must keep the FAIL rules of its contract, and every query must count none.

    Args:
        names: the tables, without schema.
        queries: by table (without schema) and rule, SQL that counts the rows that break the rule.

    Raises:
        ExpectationError: a rule is broken; names table, rule and rows.
    """
    contracts = [load_contract(name) for name in names]
    found = run_together(
        {c.table: lambda c=c: tuple(spark.sql(_query(c, queries.get(c.name, {}))).first()) for c in contracts}
    )
    counts = []
    for contract in contracts:
        rows, *failed = found[contract.table]
        rules = [rule.rule for rule in contract.rules("FAIL")] + list(queries.get(contract.name, {}))
        counts += [RuleCount(contract.table, rule, "FAIL", rows, n) for rule, n in zip(rules, failed, strict=True)]
    record_counts(spark, run_id, counts)
    if broken := [count for count in counts if count.failed_rows]:
        lines = [
            f"`{count.table_name}`: found {count.failed_rows} rows that break `{count.rule}`, expected none. "
            "See runbooks/O40_scd_issues."
            for count in broken
        ]
        raise ExpectationError("\n".join(lines), rules=[count.rule for count in broken])
    print(f"{len(counts)} rules hold in {len(contracts)} tables")


def _query(contract: Contract, queries: dict[str, str]) -> str:
    failed = [f"count_if(NOT ({rule.condition}))" for rule in contract.rules("FAIL")]
    counts = ["count(*)", *failed, *(f"({query})" for query in queries.values())]
    return f"SELECT {', '.join(counts)} FROM {contract.table}"
