"""Three business days of the daily job on real customers, products and sellers, held against the generator's truth."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "olist_sample"
DAYS = ("2018-10-18", "2018-10-19", "2018-10-20")
FEEDS = ("customers", "products", "sellers")
pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside this checkout")


class Here:
    """The command line with a state of its own."""

    def __init__(self, states: Path) -> None:
        self.states = states
        self.feed = states / "olist_dev" / "volumes" / "raw" / "olist" / "cdc"

    def __call__(self, *arguments: str, limit: int = 580) -> str:
        environment = {**os.environ, "LOCAL_STATE": str(self.states)}
        done = subprocess.run(
            [sys.executable, "-m", "local", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        return done.stdout

    def run(self, job: str, *more: str) -> dict:
        return json.loads(self("run", job, "--strict", "--json", "--before", "notebooks/00_setup.ipynb", *more))

    def rows(self, statement: str) -> list[dict]:
        return json.loads(self("sql", statement, "--format", "json"))

    def truth(self, day: str, name: str) -> list[dict]:
        """The expected rows of a table after *day*, as text; None where the file has nothing."""
        with (self.feed / "_truth" / day / f"{name}.csv").open(encoding="utf-8", newline="") as opened:
            return [{k: v if v != "" else None for k, v in row.items()} for row in csv.DictReader(opened)]


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Iterator[Here]:
    command = Here(tmp_path_factory.mktemp("cdc"))
    yield command
    command("down")


def in_order(rows: list[dict]) -> list[tuple]:
    """Rows as text, sorted; whole numbers have no `.0` and zip codes their five digits."""
    return sorted((tuple(_text(name, value) for name, value in row.items()) for row in rows), key=repr)


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    if name.endswith("zip_code_prefix"):
        return text.zfill(5)
    is_number = name.startswith("product_") and name not in ("product_id", "product_category_name")
    return text.removesuffix(".0") if is_number else text


def check(here: Here, day: str) -> None:
    """All six tables and the quarantine equal what the generator expects after *day*."""
    for entity in FEEDS:
        for kind in ("current", "history"):
            expected = here.truth(day, f"{entity}_{kind}")
            found = here.rows(f"SELECT * FROM silver.silver_{entity}_{kind}")
            assert list(found[0]) == list(expected[0])
            assert in_order(found) == in_order(expected), f"{entity}_{kind} after {day}"
    for entity in FEEDS:
        expected = {
            row["rule"]: int(row["rows"])
            for row in here.truth(day, "quarantine")
            if row["entity"] == entity and row["rows"] != "0"
        }
        found = here.rows(f"SELECT rule, count(*) AS n FROM ops.quarantine_stg_cdc_{entity} GROUP BY rule")
        assert {row["rule"]: row["n"] for row in found} == expected, f"quarantine of {entity} after {day}"


@pytest.mark.timeout(1800)
def test_three_days_equal_the_truth_and_so_does_a_full_refresh(here):
    """Every kind of defect is there; the two pipelines run beside each other."""
    made: dict[str, int] = {}
    for day in DAYS:
        run = here.run("olist_daily_job", "--var", f"source=file:{SAMPLE.resolve()}", "--param", f"run_date={day}")

        assert run["state"]["result_state"] == "SUCCESS"
        times = {task["task_key"]: (task["start_time"], task["end_time"]) for task in run["tasks"]}
        main, feed = times["run_main_pipeline"], times["run_cdc_pipeline"]
        assert max(main[0], feed[0]) < min(main[1], feed[1])
        for file in json.loads((here.feed / "_manifests" / f"{day}.json").read_text())["files"]:
            for defect, count in file["defects"].items():
                made[defect] = made.get(defect, 0) + count
        check(here, day)
    assert made and all(made.values()), made

    assert here.run("olist_cdc_pipeline", "--param", "refresh_mode=full")["state"]["result_state"] == "SUCCESS"
    check(here, DAYS[-1])
