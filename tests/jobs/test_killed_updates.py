"""Updates of a pipeline in which the server, the kernel or the runner is killed: a repeat makes the right tables.

Each round lands a file, starts an update, kills one of the three when the event log has got to an event by chance, and
repeats the update. The tables are compared with those that plain Python makes of the files, and at the end with those
of a pipeline of the same sources that nothing has disturbed. `PIPELINE_KILLS` sets the number of rounds; the output
shows the moments.
"""

import json
import os
import random
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.jobs.daily import Here
from tests.jobs.kernels import kernel_of

KILLS = int(os.environ.get("PIPELINE_KILLS", "10"))
VICTIMS = ("server", "kernel", "runner")
ANEW = ("--full-refresh", "events,latest,history", "--refresh", "totals")  # all but the sink, which keeps its rows
EVENTS_A_FILE = 12
USUAL = 40  # events of an update, as long as none is known
LIMIT = 280  # seconds for the end of a run
pytestmark = [
    pytest.mark.slow(f"{KILLS} updates, each killed and repeated"),
    pytest.mark.timeout(300 + 200 * KILLS),
]

BUNDLE = """
bundle: {name: shop}
resources:
  pipelines:
    killed:
      name: killed
      schema: killed
      libraries: [{file: {path: orders.py}}]
      configuration: {files: "FILES", copies: main.copies.of_killed}
    calm:
      name: calm
      schema: calm
      libraries: [{file: {path: orders.py}}]
      configuration: {files: "FILES", copies: main.copies.of_calm}
"""
ORDERS = """
from pyspark import pipelines as dp
from pyspark.sql import functions as F

COLUMNS = "id INT, op STRING, seq INT, amount INT"


def landing():
    files = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").schema(COLUMNS)
    return files.load(spark.conf.get("files")).select("id", "op", "seq", "amount")


dp.create_streaming_table(
    "events", expect_all={"small": "amount < 50"}, expect_all_or_drop={"has a value": "amount IS NOT NULL"}
)


@dp.append_flow(target="events")
def landed():
    return landing()


@dp.append_flow(target="events", once=True)
def older():
    return spark.createDataFrame([(100, "U", 1, 7), (101, "U", 2, 8)], COLUMNS)


@dp.temporary_view
@dp.expect_or_drop("is of somebody", "id IS NOT NULL")
def changes():
    return landing()


for kind, target in ((1, "latest"), (2, "history")):
    dp.create_streaming_table(target)
    dp.create_auto_cdc_flow(
        target=target,
        source="changes",
        keys=["id"],
        sequence_by="seq",
        apply_as_deletes=F.expr("op = 'D'"),
        except_column_list=["op"],
        stored_as_scd_type=kind,
    )


@dp.materialized_view
def totals():
    return spark.read.table("events").groupBy("id").agg(F.sum("amount").alias("total"))


dp.create_sink("copies", "delta", {"tableName": spark.conf.get("copies")})


@dp.append_flow(target="copies")
def copied():
    return landing().select("id", "seq")
"""
Rows = list[dict[str, Any]]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator["Shop"]:
    found = Shop(tmp_path)
    yield found
    found.here("down")


def test_a_repeat_makes_the_tables_of_an_undisturbed_update(shop):
    chance, hit = random.Random(KILLS), 0
    landed: Rows = []
    copied: Rows = []
    for number in range(KILLS):
        landed += shop.land(number, chance)
        how = ANEW if number % 4 == 3 else ()
        copied = copied if how else list(landed)
        victim = VICTIMS[number % len(VICTIMS)]
        ended = shop.disturbed(victim, chance.random(), how)
        print(f"round {number}: {ended}")
        hit += "was killed" in ended

        assert shop.update("killed", *how)["state"]["result_state"] == "SUCCESS"
        assert shop.tables("killed") == expected(landed, copied), ended

    assert shop.update("killed")["state"]["result_state"] == "SUCCESS"
    assert shop.update("calm")["state"]["result_state"] == "SUCCESS"
    assert shop.tables("killed") == shop.tables("calm") == expected(landed, landed)
    assert hit > KILLS // 2


class Shop:
    """The bundle in *root*, with a state of its own; its files land in a volume."""

    def __init__(self, root: Path) -> None:
        self.here = Here(root / "states", root=root)
        (root / "orders.py").write_text(ORDERS)
        (root / "databricks.yml").write_text(BUNDLE.replace("FILES", "/Volumes/main/landing/files"))
        self.here("sql", "CREATE SCHEMA landing", "CREATE VOLUME landing.files", "CREATE SCHEMA copies")
        self.files = self.here.states / "main" / "volumes" / "landing" / "files"

    def land(self, number: int, chance: random.Random) -> Rows:
        """One more file: changes of a few ids, some without an id or a value."""
        rows: Rows = [
            {
                "id": chance.choice((1, 2, 3, 4, None)),
                "op": chance.choice("UUUD"),
                "seq": number * EVENTS_A_FILE + each,
                "amount": chance.choice((None, *range(0, 100, 10))),
            }
            for each in range(EVENTS_A_FILE)
        ]
        (self.files / f"{number}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return rows

    def update(self, pipeline: str, *how: str) -> dict[str, Any]:
        return self.here.run(pipeline, *how)

    def disturbed(self, victim: str, at: float, how: tuple[str, ...]) -> str:
        """Run an update and kill *victim* when *at* (0 to 1) of its events are told; how that ended."""
        before, usual = self._told()
        wanted = before + 1 + int(at * usual)
        with self.here.started("run", "killed", *how) as runner:
            while runner.poll() is None and self._told()[0] < wanted:
                _wait(runner, 0.02)
            _wait(runner, at * 0.3)
            if runner.poll() is not None or not (found := self._find(victim, runner)):
                return f"the update had ended before, with {runner.wait(LIMIT)}"
            found.kill()
            code = runner.wait(LIMIT)
            return f"the {victim} was killed behind event {wanted - before} of about {usual}; the run ended with {code}"

    def _find(self, victim: str, runner: subprocess.Popen) -> psutil.Process | None:
        if victim == "server":
            status = json.loads(self.here("status", "--json"))
            return psutil.Process(status["pid"]) if status["state"] == "running" else None
        process = psutil.Process(runner.pid)
        return process if victim == "runner" else kernel_of(process, "update")

    def _told(self) -> tuple[int, int]:
        """How many events of updates are recorded, and how many the update with the most of them has told."""
        place = self.here.states / "main" / "runs.db"
        if not place.is_file():
            return 0, USUAL
        with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=10)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
                return 0, USUAL  # the file is being made
            counts = [count for (count,) in database.execute("SELECT count(*) FROM events GROUP BY update_id")]
        return sum(counts), max(counts, default=USUAL)

    def tables(self, schema: str) -> dict[str, Counter[str]]:
        """The rows of each table, as texts; a row that is there twice counts twice."""
        names = {name: f"{schema}.{name}" for name in ("events", "latest", "history", "totals")}
        names["copies"] = f"copies.of_{schema}"
        each = (f"SELECT '{name}' AS t, to_json(struct(*)) AS row FROM {table}" for name, table in names.items())
        found: dict[str, Counter[str]] = {name: Counter() for name in names}
        for row in self.here.rows(" UNION ALL ".join(each)):
            found[row["t"]][_text(json.loads(row["row"]))] += 1
        return found


def _wait(runner: subprocess.Popen, seconds: float) -> None:
    """Wait *seconds*, or until the *runner* has ended."""
    try:
        runner.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def expected(landed: Rows, copied: Rows) -> dict[str, Counter[str]]:
    """What the tables are to hold, by plain Python: each event once, whatever happened."""
    kept = [row for row in landed if row["amount"] is not None]
    kept += [{"id": 100, "op": "U", "seq": 1, "amount": 7}, {"id": 101, "op": "U", "seq": 2, "amount": 8}]
    totals: dict[Any, int] = defaultdict(int)
    for row in kept:
        totals[row["id"]] += row["amount"]
    changes: dict[int, Rows] = defaultdict(list)
    for row in landed:
        if row["id"] is not None:
            changes[row["id"]].append(row)
    history = []
    for key, rows in changes.items():
        ends = [row["seq"] for row in rows[1:]] + [None]
        history += [
            {"id": key, "seq": row["seq"], "amount": row["amount"], "__START_AT": row["seq"], "__END_AT": end}
            for row, end in zip(rows, ends, strict=True)
            if row["op"] == "U"
        ]
    latest = [
        {"id": rows[-1]["id"], "seq": rows[-1]["seq"], "amount": rows[-1]["amount"]}
        for rows in changes.values()
        if rows[-1]["op"] == "U"
    ]
    tables = {
        "events": kept,
        "latest": latest,
        "history": history,
        "totals": [{"id": key, "total": total} for key, total in totals.items()],
        "copies": [{"id": row["id"], "seq": row["seq"]} for row in copied],
    }
    return {name: Counter(map(_text, rows)) for name, rows in tables.items()}


def _text(row: dict[str, Any]) -> str:
    """*row* without its NULLs, as Spark writes JSON."""
    return json.dumps({name: value for name, value in row.items() if value is not None}, sort_keys=True)
