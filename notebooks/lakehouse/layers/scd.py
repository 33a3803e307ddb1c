"""The `_current` and `_history` tables of the change feeds: written at the same time, then checked against rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from lakehouse.cdc import ChangeCounts, TableComments, apply_together
from lakehouse.cdc.delta import columns_of
from lakehouse.cdc.progress import Progress
from lakehouse.errors import ContractError, ExpectationError, counted
from lakehouse.layers.checking import MANY_KEYS, collected_keys, numbered
from lakehouse.layers.flows import EntityFlow
from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import among, differences, only_row, replace_empty
from lakehouse.tables.operations import RuleCount, record_counts
from lakehouse.tables.progress import Feed, open_changes

# The source in a row of progress for the checks: the target's version that passed them, and its source's version then.
_CHECKS = "rules of 70_cdc_apply"
_UNIQUE = "one_row_per_key"


def apply_flows(
    spark: SparkSession, flows: Iterable[EntityFlow], progress: Progress, *, full: bool
) -> dict[str, ChangeCounts]:
    """Bring both tables of all *flows* up to date; prints one line per table.

    With *full*, every table is derived from all events. It keeps its rows until then, and what differs is written in
    one commit; only a table whose columns differ from its contract is emptied. A table that is created gets the
    comments of its contract.

    Raises:
        TargetsFailedError: a table failed; the others were written.
    """
    calls = {target: arguments for flow in flows for target, arguments in flow.calls.items()}
    contracts = {target: load_contract(target.split(".")[1]) for target in calls}
    if full:
        for target, contract in contracts.items():
            if columns_of(spark, target) is not None and differences(spark, contract):
                replace_empty(spark, contract, {})
    comments = {target: _comments(contract) for target, contract in contracts.items()}
    counts = apply_together(spark, calls, full=full, comments=comments, progress=progress)
    for target, done in counts.items():
        rows = done.num_upserted_rows + done.num_deleted_rows
        print(
            f"{target}: "
            + ("nothing new" if done.version is None else f"{counted(rows, 'row')} in version {done.version}")
        )
    return counts


def _comments(contract: Contract) -> TableComments:
    return TableComments(contract.grain, {column.name: column.description for column in contract.columns})


@dataclass(frozen=True)
class _Rule:
    """A rule that no row of *table* may break; *failed* is SQL over what `check_flows` has of a key: how many do."""

    table: str
    name: str
    failed: str


def check_flows(
    spark: SparkSession,
    flows: Iterable[EntityFlow],
    rules: Mapping[str, Mapping[str, str]],
    progress: Progress,
    counts: Mapping[str, ChangeCounts],
    *,
    run_id: str,
    full: bool,
) -> None:
    """Check the tables against their contracts and *rules*, if they may have changed since they last passed.

    A table must have its contract's columns, satisfy the FAIL rules of its contract, have one row per key, and no key
    may break a rule. One query checks everything and reads the rows of each key once: only of the keys that have new
    events, if nothing else can have changed. With *full*, every table is checked as a whole.

    Args:
        counts: what `apply_flows` did, by table.
        rules: by kind of table and name, SQL that counts what breaks the rule within one key. It may use `current_rows`
            and `open_rows`, the rows of both tables without bounds; `versions`, the (`start`, `end`) pairs of the
            history in order; and `events`, the sequence numbers of the staged events.

    Raises:
        ContractError: the columns of a table differ from its contract.
        ExpectationError: a rule is broken; the message names table, rule and rows.
    """
    waiting = [flow for flow in flows if full or not all(_passed(progress, flow, t) for t in flow.targets.values())]
    if not waiting:
        print("nothing was added since the rules last held: not checked again")
        return
    contracts = [flow.contract(kind) for flow in waiting for kind in flow.targets]
    if wrong := [line for contract in contracts for line in differences(spark, contract)]:
        raise ContractError("\n".join(wrong))
    within = {} if full else _touched(spark, waiting, progress, counts)
    found = _counted(spark, {flow: _rules(flow, rules) for flow in waiting}, within)
    record_counts(spark, run_id, found)
    if broken := [count for count in found if count.failed_rows]:
        lines = [
            f"`{count.table_name}`: found {count.failed_rows} rows that break `{count.rule}`, expected none. "
            "See runbooks/O40_scd_issues."
            for count in broken
        ]
        raise ExpectationError("\n".join(lines), rules=[count.rule for count in broken])
    held = [progress.find(table, flow.source) for flow in waiting for table in flow.targets.values()]
    progress.record(replace(mark, source=_CHECKS, settings={}, at_ms=0) for mark in held if mark)
    print(f"{len(found)} rules hold in {len(contracts)} tables")


def _passed(progress: Progress, flow: EntityFlow, table: str) -> bool:
    """Has *table* passed its checks since it was last written, or last read new events?"""
    written, checked = progress.find(table, flow.source), progress.find(table, _CHECKS)
    if written is None or checked is None or not written.at_ms:  # without a time, it was recorded just now
        return False
    return checked.target_version == written.target_version and checked.at_ms >= written.at_ms


def _touched(
    spark: SparkSession, flows: Iterable[EntityFlow], progress: Progress, counts: Mapping[str, ChangeCounts]
) -> dict[EntityFlow, str]:
    """SQL for the keys with new events, by flow, if no other key can have changed since its rules last held."""
    new = {flow: rows for flow in flows if (rows := _new_events(spark, flow, progress, counts)) is not None}
    if not new:
        return {}
    looked_at = [
        numbered(rows).selectExpr(
            f"'{flow.entity}' AS entity", "count(*) AS events", f"{collected_keys(flow.keys)} AS keys"
        )
        for flow, rows in new.items()
    ]
    told = {row["entity"]: row for row in reduce(DataFrame.union, looked_at).collect()}
    within = {}
    for flow in new:
        events = told[flow.entity]["events"]
        # A run that was killed before its checks has read them: then this run has read none.
        read = {counts[table].events_read for table in flow.targets.values()}
        if events <= MANY_KEYS and read <= {0, events}:
            within[flow] = among(flow.contract("current"), flow.keys, told[flow.entity]["keys"])
    return within


def _new_events(
    spark: SparkSession, flow: EntityFlow, progress: Progress, counts: Mapping[str, ChangeCounts]
) -> DataFrame | None:
    """The events of *flow* since its rules last held; None if its tables may have changed in another way.

    Only the flow may have written its tables since then, each at most once, from these events and no others.
    """
    read = set()  # the versions of the source: when the rules held, and now
    for table in flow.targets.values():
        written, checked = progress.find(table, flow.source), progress.find(table, _CHECKS)
        if written is None or checked is None or checked.target_version is None:
            return None
        by_flow = counts[table].version
        if written.target_version != checked.target_version:
            if written.target_version != checked.target_version + 1 or by_flow not in (None, written.target_version):
                return None
            if by_flow is None and not _was_merged(spark, table):  # by a run that was killed before its checks
                return None
        read.add((checked.source_version, written.source_version))
    held, now = read.pop()
    if read or held is None or now is None or held >= now:
        return None
    feed, events = open_changes(spark, Feed(flow.current, flow.source, "", held + 1, now))
    return None if feed.is_all else events.where("_change_type = 'insert'")


def _was_merged(spark: SparkSession, table: str) -> bool:
    """Is the newest version of *table* a MERGE, which is how a flow commits?"""
    return str(only_row(spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1"))["operation"]) == "MERGE"


def _rules(flow: EntityFlow, rules: Mapping[str, Mapping[str, str]]) -> list[_Rule]:
    """All rules of both tables of *flow*: those of the contracts, those of the keys, and *rules*."""
    found = []
    for kind, table in flow.targets.items():
        contract = [rule.rule for rule in flow.contract(kind).rules("FAIL")]
        found += [_Rule(table, name, f"{kind}_failed[{place}]") for place, name in enumerate(contract)]
        unique = (
            "size(versions) - size(array_distinct(versions.start))" if kind == "history" else "size(current_rows) - 1"
        )
        found.append(_Rule(table, _UNIQUE, f"greatest({unique}, 0)"))
        found += [_Rule(table, name, failed) for name, failed in rules[kind].items()]
    return found


def _counted(
    spark: SparkSession, rules: Mapping[EntityFlow, list[_Rule]], within: Mapping[EntityFlow, str]
) -> list[RuleCount]:
    """How many rows of each table break each rule, by one query for all tables; *within* is SQL for some keys only."""
    queries = (_query(flow, of_flow, within.get(flow, "true")) for flow, of_flow in rules.items())
    rows = spark.sql(" UNION ALL ".join(f"({query})" for query in queries)).collect()
    found = {row["entity"]: row for row in rows}
    return [
        RuleCount(
            rule.table,
            rule.name,
            "FAIL",
            found[flow.entity]["current_count" if rule.table == flow.current else "history_count"],
            failed,
        )
        for flow, of_flow in rules.items()
        for rule, failed in zip(of_flow, found[flow.entity]["failed"], strict=True)
    ]


def _query(flow: EntityFlow, rules: Iterable[_Rule], within: str) -> str:
    """SQL of one row: the number of rows *within* each table of *flow*, and of those that break each of *rules*."""
    keys = ", ".join(flow.keys)
    failed = {
        kind: ", ".join(f"CAST(NOT ({rule.condition}) AS INT)" for rule in flow.contract(kind).rules("FAIL"))
        for kind in flow.targets
    }
    sums = {
        kind: ", ".join(
            f"coalesce(sum({kind}_failed[{place}]), 0)" for place in range(len(flow.contract(kind).rules("FAIL")))
        )
        for kind in flow.targets
    }
    return f"""
        SELECT '{flow.entity}' AS entity, coalesce(sum(size(current_rows)), 0) AS current_count,
            coalesce(sum(size(versions)), 0) AS history_count,
            array({", ".join(f"coalesce(sum({rule.failed}), 0)" for rule in rules)}) AS failed
        FROM (
            SELECT collect_list(current_row) AS current_rows, collect_list(open_row) AS open_rows,
                array_sort(collect_list(version)) AS versions, collect_set(event) AS events,
                array({sums["current"]}) AS current_failed, array({sums["history"]}) AS history_failed
            FROM (
                SELECT {keys}, struct(*) AS current_row, NULL AS open_row, NULL AS version, NULL AS event,
                    array({failed["current"]}) AS current_failed, NULL AS history_failed
                FROM {flow.current} WHERE {within}
                UNION ALL
                SELECT {keys}, NULL, CASE WHEN __END_AT IS NULL THEN struct(* EXCEPT (__START_AT, __END_AT)) END,
                    struct(__START_AT AS start, __END_AT AS end), NULL, NULL, array({failed["history"]})
                FROM {flow.history} WHERE {within}
                UNION ALL
                SELECT {keys}, NULL, NULL, NULL, sequence_number, NULL, NULL FROM {flow.source} WHERE {within})
            GROUP BY {keys})"""
