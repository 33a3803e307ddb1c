"""The notebooks and the declarative pipelines make equal tables from the same files.

Rows are compared here, as multisets, and read from the files of Delta without Spark, except those of views. One column
differs by its nature: `run_id`, because a row that a pipeline has quarantined belongs to no run of a job. Means may
differ in their last digits, because floating point numbers are added in another order. The first test continues on the
tables of test_daily_job.py, without which it makes its own.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow.parquet as pq
import pytest

from lakehouse.layers.checking import drop_rules
from lakehouse.tables.contracts import find_contracts, landed_tables, load_contract, silver_tables, typed_tables
from lakelocal.history.reading import History
from lakelocal.history.updates import Updates
from tests.jobs.daily import DAILY, FEEDS, SAMPLE_DAYS, SOURCE, Here, check_feeds, rows_of

BRONZE = [*landed_tables(feeds=False), *landed_tables(feeds=True)]
TYPED = [*typed_tables(), *typed_tables(feeds=True)]
SCD = [load_contract(f"silver_{entity}_{kind}") for entity in FEEDS for kind in ("current", "history")]
STORED = [*silver_tables(), *SCD]
REPORTS = find_contracts("gold_*")
# Rows of one file, by folder: some break a rule, and one key has two contents.
LINES = {
    "orders": [
        {"order_id": "lost", "order_status": "lost"},
        {"order_id": "when", "order_status": "shipped", "order_purchase_timestamp": "yesterday"},
        {"order_id": "twice", "order_status": "shipped", "customer_id": "c1"},
        {"order_id": "twice", "order_status": "created", "customer_id": "c2"},
    ],
    "order_items": [
        {"order_id": "twice", "order_item_id": "1", "price": "-1", "freight_value": "2"},
        {"order_id": "twice", "order_item_id": "2", "price": "-1", "freight_value": "free"},
        {"order_id": "twice", "order_item_id": "3", "price": "10.50", "freight_value": "2"},
    ],
    "order_reviews": [{"review_id": "r", "order_id": "twice", "review_score": "6"}],
    "geolocation": [{"geolocation_zip_code_prefix": "1001", "geolocation_lat": "52.5", "geolocation_lng": "13.4"}],
}
BROKEN = Counter(
    {
        ("silver_orders", "order_status_known"): 1,
        ("silver_orders", "order_purchase_timestamp_parses"): 1,
        ("silver_order_items", "price_not_negative"): 1,
        ("silver_order_items", "freight_value_parses"): 1,  # the row breaks two rules, and counts for the first
        ("silver_order_reviews", "review_score_from_1_to_5"): 1,
        ("silver_geolocation", "point_in_brazil"): 1,
    }
)
Rules = Counter[tuple[str, str]]  # the number of rows by table and rule
pytestmark = pytest.mark.timeout(3000)


@dataclass
class BothWays:
    """The tables of both ways in one state; *before* are the job runs and updates that count no longer."""

    here: Here
    before: set[str] = field(default_factory=set)

    def update(self, day: str) -> None:
        """Run the pipelines on the files of *day*, which has been landed."""
        succeeded(self.here.run("olist_declarative_job", *DAILY, "--param", f"run_date={day}"))

    def refresh_fully(self) -> None:
        """Make all tables again, by both ways."""
        self.before = {run for run, *_ in self._of_notebooks()} | {update for update, *_ in self._of_pipelines()}
        succeeded(self.here.run("olist_weekly_refresh_job"))
        for pipeline in ("olist_main_declarative", "olist_cdc_declarative"):
            succeeded(self.here.run(pipeline, "--full-refresh-all"))

    def land(self, day: str) -> None:
        """Land `LINES` as further files of *day*."""
        for folder, rows in LINES.items():
            columns = [c.name for c in load_contract(f"bronze_{folder}").columns if not c.name.startswith("_")]
            place = self.here.feed.parent / folder / f"{folder}_{day}_by_hand.csv"
            with place.open("w", encoding="utf-8", newline="") as opened:
                writer = csv.DictWriter(opened, columns)
                writer.writeheader()
                writer.writerows(rows)

    def check(self) -> Rules:
        """Check that both ways have made the same; return what the rules that drop rows have counted."""
        self._check_tables()
        counted = self._failed(self._of_notebooks())
        assert counted == self._failed(self._of_pipelines())
        dropping = {(contract.name, rule) for contract in TYPED for rule in drop_rules(contract)}
        dropped = Counter({rule: count for rule, count in counted.items() if rule in dropping})
        assert dropped == self._quarantined("ops") == self._quarantined("declarative")
        return dropped

    def _check_tables(self) -> None:
        pairs = {contract.table: f"declarative.{contract.name}" for contract in STORED}
        pairs |= {f"ops.quarantine_{c.name}": f"declarative.quarantine_{c.name}" for c in TYPED}
        found = {name: self._stored(name) for pair in pairs.items() for name in pair}
        reports = {contract.table: f"declarative.{contract.name}" for contract in REPORTS}
        found |= rows_of(self.here, {name: name for pair in reports.items() for name in pair})
        assert all(found[contract.table] for contract in [*STORED, *REPORTS])
        for notebooks, pipeline in (pairs | reports).items():
            one, other = as_rows(found[notebooks]), as_rows(found[pipeline])
            assert one == other, f"{notebooks}: notebooks only {one - other}, pipeline only {other - one}"

    def _stored(self, table: str) -> list[dict]:
        """All rows of the Delta table *table*, by its log and its files."""
        schema, name = table.split(".")
        folder = self.here.states / "olist_dev" / "warehouse" / f"{schema}.db" / name
        files: dict[str, None] = {}
        for commit in sorted((folder / "_delta_log").glob("*.json")):
            for action in map(json.loads, commit.read_text(encoding="utf-8").splitlines()):
                if "remove" in action:
                    files.pop(action["remove"]["path"], None)
                if "add" in action:
                    assert not action["add"].get("deletionVector"), table
                    files[action["add"]["path"]] = None
        return [row for file in files for row in pq.read_table(folder / file).to_pylist()]

    def _of_notebooks(self) -> list[tuple[str, str, str, int]]:
        """Run, table, rule and the number of rows that broke it."""
        rows = sorted(self._stored("ops.expectation_results"), key=lambda row: row["recorded_at"])
        return [(r["run_id"], r["table_name"].split(".")[1], r["rule"], r["failed_rows"]) for r in rows]

    def _of_pipelines(self) -> list[tuple[str, str, str, int]]:
        """Update, table, rule and the number of rows that violated it, from the event logs."""
        found = []
        updates = Updates(History(self.here.states / "olist_dev" / "runs.db"))
        for event in (event for pipeline in updates.pipelines() for event in updates.events(pipeline)):
            progress = event.details.get("flow_progress", {})
            for each in progress.get("data_quality", {}).get("expectations", []):
                table = each["dataset"].removeprefix("checked_")
                found.append((event.update_id, table, each["name"], each["failed_records"]))
        return found

    def _failed(self, counts: Iterable[tuple[str, str, str, int]]) -> Rules:
        """How many rows of bronze broke each rule of a row, of those that both ways have judged since `before`.

        Rules of whole tables are counted anew in each run, so the last count holds.
        """
        by_row = {(c.name, rule) for c in TYPED for rule in [*drop_rules(c), *(r.rule for r in c.rules("WARN"))]}
        by_row |= {(c.name, rule.rule) for c in BRONZE for rule in c.rules("WARN")}
        by_table = {("silver_orders_enriched", r.rule) for r in load_contract("silver_orders_enriched").rules("WARN")}
        failed: Rules = Counter()
        for run, table, rule, count in counts:
            if run not in self.before and (table, rule) in by_row:
                failed[table, rule] += count
            elif (table, rule) in by_table:
                failed[table, rule] = count
        return +failed

    def _quarantined(self, schema: str) -> Rules:
        return Counter(
            (contract.name, row["rule"])
            for contract in TYPED
            for row in self._stored(f"{schema}.quarantine_{contract.name}")
        )


def as_rows(rows: list[dict]) -> Counter[tuple]:
    """How often each of *rows* occurs, with its columns by name and in order."""
    return Counter(tuple((name, _alike(value)) for name, value in row.items() if name != "run_id") for row in rows)


def _alike(value: object) -> object:
    return f"{value:.11g}" if isinstance(value, float) else value


def succeeded(run: dict) -> None:
    assert run["state"]["result_state"] == "SUCCESS", run["state"]


def test_both_ways_make_equal_tables_of_all_days_at_once(here: Here) -> None:
    """The pipelines read in one update what the notebooks have read day by day."""
    if not here.versions():
        succeeded(here.daily(SAMPLE_DAYS[0]))
    both = BothWays(here)
    both.update(SAMPLE_DAYS[0])

    assert both.check(), "the feeds have broken lines"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    """A separate state and server."""
    here = Here(tmp_path_factory.mktemp("both"))
    yield BothWays(here)
    here("down")


@pytest.mark.slow("three days and a full refresh, by both ways")
@pytest.mark.skipif(not SOURCE, reason="the sample of real orders is not beside this checkout")
def test_both_ways_make_equal_tables_day_by_day_and_after_a_full_refresh(own: BothWays) -> None:
    """The second day has rows that break rules, and two rows of one key in one file."""
    first, second, third = SAMPLE_DAYS
    succeeded(own.here.daily(first))
    own.update(first)
    before = own.check()

    own.land(second)
    succeeded(own.here.daily(second))
    own.update(second)
    assert own.check() - before >= BROKEN

    succeeded(own.here.daily(third))
    own.update(third)
    dropped = own.check()
    check_feeds(own.here, third)

    own.refresh_fully()
    assert own.check() == dropped
