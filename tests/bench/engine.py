"""`python -m tests.bench.engine`: the cost of running a notebook, without Spark, compared in one run on one machine.

1. *From ready to first cell*: tasks one after the other, from the moment the runner starts an attempt to the start of
   its first cell: forked from the idle template, and started from nothing.
2. *Many notebooks*: the same notebook as tasks of a job, eight at a time, and through bare papermill in one process,
   one after the other.

Figures are seconds on the wall clock and CPU seconds of all processes; read the ratios, not the seconds.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table

from lakelocal.context import TaskContext

ROOT = Path(__file__).resolve().parents[2]
WIDE = 8
STARTS = 10
PAPERMILL = """
import sys, papermill
for number in range(int(sys.argv[2])):
    papermill.execute_notebook(sys.argv[1], f"out-{number}.ipynb", progress_bar=False)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of one way of running notebooks; *waits* are those from ready to first cell, if they are known."""

    wall: float
    cpu: float
    waits: list[float]


class Bench:
    """A bundle of one notebook in *folder*, and the ways to run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notebook = folder / "work.ipynb"
        cells = [nbformat.v4.new_code_cell(text) for text in ("total = sum(range(1000))", "print(total)")]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), self.notebook)
        (folder / "databricks.yml").write_text("bundle: {name: bench}\ninclude: [jobs.json]\n")

    def job(self, count: int, wide: int) -> Cost:
        """A run of *count* tasks in *wide* chains, by the command line."""
        tasks = [
            {
                "task_key": f"t{number}",
                "notebook_task": {"notebook_path": "./work.ipynb"},
                "depends_on": [{"task_key": f"t{number - wide}"}] if number >= wide else [],
            }
            for number in range(count)
        ]
        jobs = {"resources": {"jobs": {"bench": {"name": "bench", "tasks": tasks}}}}
        (self.folder / "jobs.json").write_text(json.dumps(jobs))
        cost, output = self._timed("-m", "lakelocal", "--project", str(self.folder), "run", "bench", "--json")
        attempts = json.loads(output)["tasks"]
        waits = [_first_cell(each["output_notebook"]) - each["start_time"] / 1000 for each in attempts]
        return Cost(cost.wall, cost.cpu, waits)

    def nothing(self, count: int) -> Cost:
        """*count* attempts for which nothing was prepared."""
        costs = [self._from_nothing(number) for number in range(count)]
        waits = [wait for cost in costs for wait in cost.waits]
        return Cost(sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs), waits)

    def papermill(self, count: int) -> Cost:
        """Bare papermill, one notebook after the other in one process."""
        return self._timed("-c", PAPERMILL, str(self.notebook), str(count))[0]

    def _from_nothing(self, number: int) -> Cost:
        place, output = self.folder / f"{number}.json", self.folder / f"nothing-{number}.ipynb"
        TaskContext(1, "bench", 1, 1, "t", 0, str(self.notebook), str(place) + ".exit", "").save(place)
        start = time.time()
        cost, _ = self._timed("-m", "lakelocal", "attempt", str(place), str(output))
        return Cost(cost.wall, cost.cpu, [_first_cell(str(output)) - start])

    def _timed(self, *arguments: str) -> tuple[Cost, str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LOCAL_STATE": str(self.folder / "state")}
        before, start = _cpu(), time.monotonic()
        command = [sys.executable, *arguments]
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            output = process.stdout.read()
            if process.wait(600):
                raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}\n{output[-2000:]}")
        return Cost(time.monotonic() - start, _cpu() - before, []), output


def _cpu() -> float:
    """CPU seconds of all child processes of this process that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _first_cell(notebook: str) -> float:
    """When the first code cell of an executed notebook began (epoch s)."""
    cells = nbformat.read(notebook, as_version=4).cells
    started = next(cell.metadata.papermill["start_time"] for cell in cells if cell.cell_type == "code")
    return datetime.fromisoformat(started).timestamp()


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50, help="notebooks in the second table (default: 50)")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = show(Bench(Path(folder)), options.count, Console(width=110))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1) + "\n")


def show(bench: Bench, count: int, console: Console) -> list[dict]:
    """Time each way and print the tables; one row per way, with wall and CPU seconds and the waits."""
    bench.job(1, 1)  # the files of the libraries are now in memory
    chain, nothing = bench.job(STARTS + 1, 1), bench.nothing(STARTS // 2)
    first, idle = chain.waits[0], statistics.median(chain.waits[1:])
    cold = statistics.median(nothing.waits)
    table = Table("start of an attempt", "median s", "slowest s", "ratio", title="From ready to first cell")
    table.add_row("forked, idle template", f"{idle:.2f}", f"{max(chain.waits[1:]):.2f}", f"{idle / cold:.2f}")
    table.add_row("forked, template still importing (first task)", f"{first:.2f}", "", f"{first / cold:.2f}")
    table.add_row("from nothing", f"{cold:.2f}", f"{max(nothing.waits):.2f}", "1.00")
    console.print(table)
    many, bare = bench.job(count, WIDE), bench.papermill(count)
    table = Table("way", "wall s", "CPU s", "wall a notebook", "CPU a notebook", "ratio", title=f"{count} notebooks")
    for name, cost in ((f"job, {WIDE} at a time", many), ("bare papermill, one process", bare)):
        each = (cost.wall, cost.cpu, cost.wall / count, cost.cpu / count, cost.wall / bare.wall)
        table.add_row(name, *(f"{figure:.2f}" for figure in each))
    console.print(table)
    ways = {"one after the other": chain, "from nothing": nothing, f"{WIDE} at a time": many, "bare papermill": bare}
    return [{"what": name, **asdict(cost)} for name, cost in ways.items()]


if __name__ == "__main__":
    main()
