"""What `apply_changes` costs beside two other ways to write the events: `make bench PARTS=cdc`.

1. *append*: the same events appended to a table, nothing derived;
2. *textbook*: the latest event of each key in two statements, a MERGE that closes the current rows that changed and
   an INSERT of the new ones. It loses late events and all but one event of a key in a batch;
3. *apply_changes*: SCD type 2, right for any order.

Figures are seconds on the wall clock of one machine, medians of runs that each begin with new tables and do the three
ways in turn: read the ratios. Afterwards one event for one key shows what pruning leaves to do, from Delta's metrics
of the commit.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lakelocal.compute import open_session
from lakelocal.project import State
from lakelocal.server import stop_server

SCHEMA = "bench_cdc"
FEED = "TBLPROPERTIES (delta.enableChangeDataFeed = 'true')"
CALL = {
    "keys": ["customer_id"],
    "sequence_by": "sequence_number",
    "apply_as_deletes": "operation = 'DELETE'",
    "except_column_list": ["operation", "sequence_number"],
    "stored_as_scd_type": 2,
}


def events(count: int, *, keys: int, first: int, seed: int) -> str:
    """SQL of *count* events for *keys* keys, their sequences from *first*; 1 in 20 deletes."""
    return (
        f"SELECT sha2(cast(pmod(xxhash64(id, {seed}), {keys}) AS STRING), 0) AS customer_id, "
        f"cast(10000 + pmod(xxhash64(id, 1), 89999) AS STRING) AS zip, concat('city ', pmod(xxhash64(id, 2), 4000)) AS "
        "city, concat('S', pmod(xxhash64(id, 3), 27)) AS state, IF(id % 20 = 7, 'DELETE', 'UPDATE') AS operation, "
        f"{first} + id AS sequence_number FROM range({count})"
    )


def textbook(spark, source: str, target: str) -> None:
    """The usual two statements: close the current rows that changed, insert the latest events."""
    latest = (
        "SELECT customer_id, max_by(struct(*), sequence_number) AS e, max(sequence_number) AS at "
        f"FROM {source} GROUP BY customer_id"
    )
    spark.sql(
        f"MERGE INTO {target} t USING ({latest}) s ON t.customer_id = s.customer_id AND t.__END_AT IS NULL "
        "WHEN MATCHED AND (t.zip, t.city, t.state) <> (s.e.zip, s.e.city, s.e.state) THEN UPDATE SET __END_AT = s.at"
    )
    spark.sql(
        f"INSERT INTO {target} SELECT s.customer_id, s.e.zip, s.e.city, s.e.state, s.at, NULL FROM ({latest}) s "
        f"LEFT ANTI JOIN {target} t ON t.customer_id = s.customer_id AND t.__END_AT IS NULL "
        "WHERE s.e.operation <> 'DELETE'"
    )


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def one_batch(spark, name: str, query: str, *, base: str | None = None) -> dict[str, float]:
    """Seconds of each way to take in the events of *query*, on top of the events of *base*."""
    from lakehouse.cdc import apply_changes

    history = "customer_id STRING, zip STRING, city STRING, state STRING, __START_AT BIGINT, __END_AT BIGINT"
    spark.sql(f"CREATE TABLE {SCHEMA}.{name}_book ({history})")
    spark.sql(f"CREATE TABLE {SCHEMA}.{name}_new AS {query}")
    spark.sql(f"CREATE TABLE {SCHEMA}.{name} {FEED} AS {base or query + ' LIMIT 0'}")
    spark.sql(f"CREATE TABLE {SCHEMA}.{name}_plain AS SELECT * FROM {SCHEMA}.{name}")
    call = {"source": f"{SCHEMA}.{name}", "target": f"{SCHEMA}.{name}_history", **CALL}
    if base:
        apply_changes(spark, **call)
        textbook(spark, f"{SCHEMA}.{name}", f"{SCHEMA}.{name}_book")
    found = {
        "append": timed(lambda: spark.sql(f"INSERT INTO {SCHEMA}.{name}_plain SELECT * FROM {SCHEMA}.{name}_new")),
        "textbook": timed(lambda: textbook(spark, f"{SCHEMA}.{name}_new", f"{SCHEMA}.{name}_book")),
    }
    spark.sql(f"INSERT INTO {SCHEMA}.{name} SELECT * FROM {SCHEMA}.{name}_new")
    found["apply_changes"] = timed(lambda: apply_changes(spark, **call))
    return found


def one_event(spark, name: str) -> dict[str, str]:
    """What one event for one key changes in the history *name*: Delta's metrics, beside the whole table."""
    from lakehouse.cdc import apply_changes

    target = f"{SCHEMA}.{name}_history"
    before = spark.sql(f"DESCRIBE DETAIL {target}").first()
    (key,) = spark.sql(f"SELECT min(customer_id) FROM {target}").first()
    holding = spark.sql(
        "SELECT count(*) FROM (SELECT min(customer_id) AS l, max(customer_id) AS g FROM "
        f"{target} GROUP BY _metadata.file_path) WHERE '{key}' BETWEEN l AND g"
    ).first()[0]
    spark.sql(f"INSERT INTO {SCHEMA}.{name} VALUES ('{key}', '1', 'a new city', 'XX', 'UPDATE', 9000000000)")
    call = {"source": f"{SCHEMA}.{name}", "target": target, **CALL}
    seconds = timed(lambda: apply_changes(spark, **call))
    metrics = spark.sql(f"DESCRIBE HISTORY {target} LIMIT 1").first().operationMetrics
    wanted = ("FilesRemoved", "BytesRemoved", "FilesAdded", "BytesAdded", "DeletionVectorsAdded", "RowsCopied")
    return {
        "files of the table": f"{before.numFiles:,}",
        "bytes of the table": f"{before.sizeInBytes:,}",
        "files whose key range holds the key": str(holding),
        **{name: metrics.get(f"numTarget{name}", "0") for name in wanted},
        "seconds": f"{seconds:.1f}",
    }


@dataclass(frozen=True)
class Case:
    """*count* events of *query* on top of those of *base*; *limit*: at most so many times a plain append."""

    label: str
    count: int
    query: str
    base: str | None = None
    limit: int | None = None


def cases(rows: int) -> list[Case]:
    """What is measured, for a largest target of *rows* events."""
    found = []
    for count, limit in ((rows // 100, None), (rows // 10, 4), (rows, None)):
        query = events(count, keys=max(1, count // 2), first=1, seed=4)
        found.append(Case(f"{count:,} into an empty target", count, query, limit=limit))
    for held, limit in ((rows // 10, None), (rows, 8)):
        count = rows // 100
        late = events(count, keys=held, first=held - rows // 1000, seed=4)
        label = f"{count:,} into {held:,} events"
        found.append(Case(label, count, late, base=events(held, keys=held, first=1, seed=4), limit=limit))
    return found


def run(spark, rows: int, repeat: int, out: Console) -> list[dict]:
    """All measurements, medians of *repeat*; prints two tables. One row a case: seconds by way, and the ratio."""
    spark.sql(f"CREATE SCHEMA {SCHEMA}")
    one_batch(spark, "warm_up", events(1_000, keys=500, first=1, seed=1), base=events(500, keys=250, first=1, seed=1))
    table = Table(
        "events", "append s", "textbook s", "apply_changes s", "events/s", "x append", "at most", "x textbook"
    )
    measured, name = [], ""
    for index, case in enumerate(cases(rows)):
        runs = []
        for number in range(repeat):
            name = f"case_{index}_{number}"
            runs.append(one_batch(spark, name, case.query, base=case.base))
        found = {way: statistics.median(run[way] for run in runs) for way in runs[0]}
        ours = found["apply_changes"]
        times = ours / found["append"]
        figures = [f"{found[way]:.1f}" for way in ("append", "textbook", "apply_changes")]
        ratios = [f"{times:.1f}", str(case.limit or ""), f"{ours / found['textbook']:.1f}"]
        table.add_row(case.label, *figures, f"{case.count / ours:,.0f}", *ratios)
        out.print(f"{case.label}: {ours:.1f} s, {times:.1f} times a plain append")
        measured.append({"what": case.label, "seconds": found, "runs": runs, "ratio": times, "limit": case.limit})
    out.print(table)
    for label, value in one_event(spark, name).items():
        out.print(f"one event: {label}: {value}")
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cdc.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="events of the largest case (1,000,000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case, of which the median counts (3)")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "notebooks"))  # where a notebook finds the package
    os.environ.setdefault("SPARK_CONNECT_MODE_ENABLED", "1")
    with tempfile.TemporaryDirectory() as folder:
        state = State(Path(folder), "olist_dev", Path(folder) / "olist_dev").make()
        spark = open_session(state)
        try:
            figures = run(spark, options.rows, options.repeat, Console(width=120))
        finally:
            spark.stop()
            stop_server(state)
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
