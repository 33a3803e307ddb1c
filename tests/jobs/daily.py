"""The command line with its own state, and what the generator expects of the change feeds."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "olist_sample"
SMALL_DAY, SMALL_VARS = "2018-09-01", ("scale=300", "history_days=20")  # generated: the smallest data with everything
SMALL = ("--strict", *(word for each in SMALL_VARS for word in ("--var", each)))
SOURCE = f"file:{SAMPLE.resolve()}" if SAMPLE.is_dir() else ""
DAILY = ("--strict", "--var", f"source={SOURCE}") if SOURCE else SMALL
SAMPLE_DAYS = ("2018-10-18", "2018-10-19", "2018-10-20")  # the sample's last orders are from the day before
FEEDS = ("customers", "products", "sellers")


class Here:
    """`python -m local` with the state folder *states*, run by the Python *python*; *remote* says where Spark runs.

    The bundle is the one in *root*.
    """

    def __init__(
        self, states: Path, *, python: str = sys.executable, remote: str = "", root: Path = ROOT, **environment: str
    ) -> None:
        self.states = states
        self.root = root
        self.python = python
        self.feed = states / "olist_dev" / "volumes" / "raw" / "olist" / "cdc"
        self.environment = {**os.environ, "LOCAL_STATE": str(states), "LOCAL_REMOTE": remote, **environment}

    def __call__(self, *arguments: str, limit: int = 1100) -> str:
        done = subprocess.run(
            [self.python, "-m", "local", *arguments],
            cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=limit,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        return done.stdout

    @contextmanager
    def started(self, *arguments: str, **options) -> Iterator[subprocess.Popen]:
        """The same without waiting; the process is killed at the end if it is still running."""
        command = [self.python, "-m", "local", *arguments]
        with subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, **options
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, job: str, *more: str) -> dict:
        return json.loads(self("run", job, "--json", *more))

    def daily(self, run_date: str) -> dict:
        return self.run("olist_daily_job", *DAILY, "--param", f"run_date={run_date}")

    def small_arguments(self, day: str = SMALL_DAY) -> list[str]:
        """The arguments of `run` for the daily job of *day* on few generated rows, the same in each state."""
        return ["olist_daily_job", *SMALL, "--param", f"run_date={day}"]

    def small(self, day: str = SMALL_DAY) -> dict:
        """Run that job."""
        return self.run(*self.small_arguments(day))

    def rows(self, statement: str) -> list[dict]:
        return json.loads(self("sql", statement, "--format", "json"), parse_float=Decimal)

    def versions(self) -> dict[str, int]:
        """The newest version of each Delta table, `schema.db/table`."""
        logs = self.states.glob("olist_dev/warehouse/*.db/*/_delta_log")
        return {
            str(log.parent.relative_to(log.parents[2])): max(int(commit.stem) for commit in log.glob("*.json"))
            for log in logs
        }

    def truth(self, day: str, name: str) -> list[dict]:
        """The expected rows of a table after *day*, as text; None if the file is empty."""
        with (self.feed / "_truth" / day / f"{name}.csv").open(encoding="utf-8", newline="") as opened:
            return [{k: v if v != "" else None for k, v in row.items()} for row in csv.DictReader(opened)]

    def defects(self, day: str) -> dict[str, int]:
        """The number of each kind of defect in the files of *day*."""
        made: dict[str, int] = {}
        for file in json.loads((self.feed / "_manifests" / f"{day}.json").read_text())["files"]:
            for defect, count in file["defects"].items():
                made[defect] = made.get(defect, 0) + count
        return made


def check_feeds(here: Here, day: str) -> None:
    """Check that all six tables and the quarantine equal what the generator expects after *day*."""
    names = [f"{entity}_{kind}" for entity in FEEDS for kind in ("current", "history")]
    found = rows_of(here, {name: f"silver.silver_{name}" for name in names})
    for name in names:
        expected = here.truth(day, name)
        assert list(found[name][0]) == list(expected[0])
        assert _in_order(found[name]) == _in_order(expected), f"{name} after {day}"
    quarantined = rows_of(here, {entity: f"ops.quarantine_stg_cdc_{entity}" for entity in FEEDS})
    rules = {entity: dict(Counter(row["rule"] for row in rows)) for entity, rows in quarantined.items()}
    expected_rules: dict[str, dict[str, int]] = {entity: {} for entity in FEEDS}
    for row in here.truth(day, "quarantine"):
        if row["rows"] != "0":
            expected_rules[row["entity"]][row["rule"]] = int(row["rows"])
    assert rules == expected_rules, f"quarantine after {day}"


def check_days(here: Here, *days: str) -> None:
    """Check that gold has the orders of the landed files: those of each of *days*, and all earlier ones."""
    first = min(days)
    found = here.rows(
        f"SELECT IF(order_date < '{first}', 'before', string(order_date)) AS day, sum(order_count) AS n "
        "FROM gold.gold_daily_orders GROUP BY 1"
    )
    bought: dict[str, str] = {}
    for file in (here.feed.parent / "orders").glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as opened:
            bought |= {row["order_id"]: row["order_purchase_timestamp"][:10] for row in csv.DictReader(opened)}
    expected = Counter(day if day >= first else "before" for day in bought.values())
    assert {row["day"]: row["n"] for row in found} == expected and expected.keys() <= {"before", *days}


def rows_of(here: Here, tables: dict[str, str]) -> dict[str, list[dict]]:
    """All rows of *tables*, by name, from one statement."""
    parts = [
        f"SELECT '{name}' AS name, to_json(struct(*), map('ignoreNullFields', 'false')) AS row FROM {table}"
        for name, table in tables.items()
    ]
    found: dict[str, list[dict]] = {name: [] for name in tables}
    for line in here.rows(" UNION ALL ".join(parts)):
        found[line["name"]].append(json.loads(line["row"]))
    return found


def _in_order(rows: list[dict]) -> list[tuple]:
    """Rows as text, sorted; whole numbers have no `.0`, and zip codes have five digits."""
    return sorted((tuple(_text(name, value) for name, value in row.items()) for row in rows), key=repr)


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    if name.endswith("zip_code_prefix"):
        return text.zfill(5)
    is_number = name.startswith("product_") and name not in ("product_id", "product_category_name")
    return text.removesuffix(".0") if is_number else text
