"""`python -m tests.bench.ways`: what the engine costs, compared within one run on one machine.

Four ways of doing the work of the daily job on the same files, each starting from empty tables:

1. *daily job*: `python -m local run olist_daily_job` against a warm server;
2. *plain script*: the cells of the same notebooks in one Python process, against the same warm server, one notebook
   after the other and one table after the other;
3. *concurrent script*: the same, with the tables of a layer made at the same time as in the notebooks;
4. *naive chain*: each notebook with its own Spark, started for it and stopped after it, like notebooks that build their
   own `SparkSession` with Delta.

Figures are seconds on the wall clock and CPU seconds of the clients; read the ratios, not the seconds.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table

from tests.bench.lakehouse import ROOT, SAMPLE, Lakehouse, children_cpu

STEPS = ("10_generate_data", "20_bronze", "30_silver", "40_gold", "50_cdc_bronze", "60_cdc_stage", "70_cdc_apply")
TASKS = (
    ("olist_daily_job", "generate_data"),
    *(("olist_main_pipeline", task) for task in ("bronze", "silver", "gold")),
    *(("olist_cdc_pipeline", task) for task in ("cdc_bronze", "cdc_stage", "cdc_apply")),
)
RUN_DATE = "2018-10-18"


@dataclass(frozen=True)
class Timing:
    """Seconds of one way of doing the work: on the wall clock, and of CPU in the client processes."""

    wall: float
    cpu: float


class Ways:
    """The ways to fill *lakehouse*, from the files of *source* or generated."""

    def __init__(self, lakehouse: Lakehouse, source: str) -> None:
        self.lakehouse = lakehouse
        self.source = source

    def job(self) -> dict:
        """The daily job, as `runs/get` shows it."""
        return self.lakehouse.run("olist_daily_job", RUN_DATE)

    def script(self, *notebooks: str, together: bool = True) -> None:
        """The cells of *notebooks* as one plain script; *together*: the tables of a layer at the same time."""
        alone = () if together else ("--one-by-one",)
        command = (sys.executable, "-m", "tests.bench.ways", "--source", self.source, *alone, "--script", *notebooks)
        self.lakehouse.call(*command)

    def naive(self) -> None:
        """One server for each notebook."""
        for job, task in TASKS:
            self.lakehouse.down()
            self.lakehouse.run(job, RUN_DATE, only=task)

    def timed(self, work: Callable[[], object]) -> tuple[Timing, object]:
        """Do *work* on empty tables; return its time and its result."""
        self.lakehouse.empty()
        before, start = children_cpu(), time.monotonic()
        result = work()
        return Timing(time.monotonic() - start, children_cpu() - before), result


def run_script(notebooks: list[str], source: str, *, one_by_one: bool) -> None:
    """Run the code cells of *notebooks* in this process, with the names that a kernel has and the job's parameters."""
    from IPython.core.interactiveshell import InteractiveShell

    os.chdir(ROOT / "notebooks")
    sys.path.insert(0, str(ROOT / "notebooks"))
    if one_by_one:
        from lakehouse.tables import together

        together.AT_ONCE = 1
    shell = InteractiveShell.instance()
    shell.extension_manager.load_extension("lakelocal.kernel")
    given = {"catalog": "olist_dev", "run_date": RUN_DATE, "source": source, "refresh_mode": "incremental"}
    for name in notebooks:
        for cell in nbformat.read(f"{name}.ipynb", as_version=4).cells:
            if cell.cell_type == "code":
                shell.run_cell(cell.source).raise_error()
            if "parameters" in cell.metadata.get("tags", []):
                shell.push({key: value for key, value in given.items() if key in shell.user_ns})


def breakdown(attempts: list[dict]) -> list[tuple[str, float, float, float]]:
    """For each attempt at a notebook task: seconds before the first cell, in cells, and after the last."""
    rows = []
    for attempt in attempts:
        cells = [
            cell.metadata.papermill
            for cell in nbformat.read(attempt["output_notebook"], as_version=4).cells
            if cell.cell_type == "code" and cell.metadata.papermill.get("start_time")
        ]
        first, last = _epoch(cells[0]["start_time"]), _epoch(cells[-1]["end_time"])
        start, end = attempt["start_time"] / 1000, attempt["end_time"] / 1000
        rows.append((attempt["task_key"], first - start, last - first, end - last))
    return rows


def covered(attempts: list[dict]) -> float:
    """Seconds during which at least one of *attempts* ran."""
    total = until = 0.0
    for start, end in sorted((attempt["start_time"] / 1000, attempt["end_time"] / 1000) for attempt in attempts):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def main() -> None:
    """Measure, and print the table and where the engine's time goes."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ways", description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="", help="folder of the Olist CSV files (default: the sample, if present)")
    parser.add_argument("--script", nargs="+", metavar="NOTEBOOK", help="only run these notebooks in this process")
    parser.add_argument("--one-by-one", action="store_true", help="with --script: one table after the other")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    source = options.source or (f"file:{SAMPLE.resolve()}" if SAMPLE.is_dir() else "")
    if options.script:
        run_script(options.script, source, one_by_one=options.one_by_one)
        return
    with tempfile.TemporaryDirectory() as states, Lakehouse(Path(states), source=source) as lakehouse:
        figures = show(Ways(lakehouse, source))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1) + "\n")


def show(ways: Ways) -> list[dict]:
    """Time the four ways one after the other and print the results; one row per way."""
    console = Console(width=110)
    console.print("warming the server: the daily job once, not counted ...")
    ways.timed(ways.job)
    console.print("timing: daily job ...")
    job, run = ways.timed(ways.job)
    console.print("timing: plain script ...")
    script, _ = ways.timed(lambda: ways.script(*STEPS, together=False))
    console.print("timing: concurrent script ...")
    concurrent, _ = ways.timed(lambda: ways.script(*STEPS))
    console.print("timing: naive chain ...")
    naive, _ = ways.timed(ways.naive)
    table = Table("way", "wall s", "client CPU s", "ratio to the plain script", title="The daily job's work, four ways")
    timings = {
        "daily job, warm server": job,
        "plain script, warm server": script,
        "concurrent script, warm server": concurrent,
        "naive chain, a Spark a notebook": naive,
    }
    for name, timing in timings.items():
        table.add_row(name, f"{timing.wall:.1f}", f"{timing.cpu:.1f}", f"{timing.wall / script.wall:.2f}")
    console.print(table)
    console.print(f"the naive chain takes {naive.wall / job.wall:.1f} times the daily job")
    show_breakdown(console, ways, run, job)
    return [{"what": name, **asdict(timing)} for name, timing in timings.items()]


def show_breakdown(console: Console, ways: Ways, run: dict, job: Timing) -> None:
    """Where the wall time of the daily job was spent."""
    children = [attempt["run_job_output"]["run_id"] for attempt in run["tasks"] if "run_job_output" in attempt]
    runs = [run, *(json.loads(ways.lakehouse.local("runs", "get", str(child))) for child in children)]
    attempts = [attempt for one in runs for attempt in one["tasks"] if "output_notebook" in attempt]
    table = Table("task", "kernel start", "cells", "save and end", title="Where the time of the daily job goes, s")
    for key, before, inside, after in breakdown(attempts):
        table.add_row(key, f"{before:.1f}", f"{inside:.1f}", f"{after:.1f}")
    in_run = (run["end_time"] - run["start_time"]) / 1000
    table.add_row("no notebook runs", "", f"{in_run - covered(attempts):.1f}", "")
    table.add_row("start and end of the command", "", f"{job.wall - in_run:.1f}", "")
    console.print(table)


if __name__ == "__main__":
    main()
