"""The parts of the benchmark: each measures one thing, and reports each figure as soon as it is available."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.counting import counts
from tests.bench.lakehouse import ROOT, SAMPLE, Lakehouse, Measured
from tests.bench.pipelines import PIPELINE, run_pipeline, write_bundle, write_project

SAMPLE_ORDERS = 3_000
SAMPLE_DATE = "2018-10-18"  # the day after the sample's last order
GENERATED_DATE = "2018-09-01"
MAIN, DAILY = "olist_main_pipeline", "olist_daily_job"
PIPELINES = "declarative pipelines, cold"
# A further day has as many orders as a day at the end of the history: with these days of history, about a hundred.
HISTORY_DAYS = {3_000: 27, 10_000: 129, 30_000: 374, 100_000: 1_250, 300_000: 3_730}
# The feeds change a fraction of the living keys each day; on a history of this size it is the default of the bundle.
CHANGE_RATE, CHANGED_ORDERS = 0.02, 3_000


@dataclass
class Figure:
    """One line of the report: the same work measured once or several times; its value is the median.

    *against* names the line that its seconds are compared with, *limit* is the largest acceptable ratio.
    """

    part: str
    what: str
    orders: int
    runs: list[Measured] = field(default_factory=list)
    against: str = ""
    limit: float | None = None
    note: str = ""

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def typical(self) -> Measured:
        """The run whose time is the median; of an even number, the lower of the two."""
        return sorted(self.runs, key=lambda run: run.seconds)[(len(self.runs) - 1) // 2]

    def as_dict(self) -> dict:
        """Plain values for JSON, with the median and the single runs."""
        return {**asdict(self), "median_seconds": self.seconds}


@dataclass(frozen=True)
class Bench:
    """What the parts share: how often each is repeated, at which sizes, and where it reports.

    *say* receives progress, *tell* a figure, *keep* the figures that a program with its own tables has printed.
    """

    repeat: int
    sizes: dict[str, list[int]]
    say: Callable[[str], None]
    tell: Callable[[Figure], None]
    keep: Callable[[str, list], None]

    def main_pipeline(self) -> None:
        """The main pipeline with no server running and its files landed, alternating with Declarative Pipelines."""
        for orders in self.sizes["main"]:
            ours = Figure("main", "main pipeline, cold", orders, against=PIPELINES, limit=_main_limit(orders))
            theirs = Figure("main", PIPELINES, orders)
            with _lakehouse(orders) as lakehouse:
                self.say(f"landing {orders:,} orders")
                day = _first_day(orders)
                lakehouse.run(DAILY, day, only="generate_data")
                lakehouse.down()
                with _kept(lakehouse.state) as restore:
                    for number in range(self.repeat):
                        self.say(f"{ours.what}, {orders:,} orders, {number + 1} of {self.repeat}")
                        restore()
                        self._add(ours, lakehouse.measure(MAIN, day))
                        lakehouse.down()
                        self.say(f"{theirs.what}, {orders:,} orders, {number + 1} of {self.repeat}")
                        self._add(theirs, measure_pipelines(lakehouse.files))
            self.tell(theirs)
            self.tell(ours)

    def declarative_pipeline(self) -> None:
        """The main pipeline as a declarative pipeline, no server running: here and by Spark's own engine, in turn."""
        for orders in self.sizes["declarative"]:
            ours = Figure("declarative", "declarative pipeline here, cold", orders, against=PIPELINES, limit=1.5)
            theirs = Figure("declarative", PIPELINES, orders)
            with _lakehouse(orders) as lakehouse, TemporaryDirectory() as folder:
                self.say(f"landing {orders:,} orders")
                lakehouse.run(DAILY, _first_day(orders), only="generate_data")
                lakehouse.down()
                bundle = write_bundle(Path(folder) / "bundle", lakehouse.files)
                with _kept(lakehouse.state) as restore:
                    for number in range(self.repeat):
                        self.say(f"{ours.what}, {orders:,} orders, {number + 1} of {self.repeat}")
                        restore()
                        self._add(ours, lakehouse.measured(partial(lakehouse.run_bundle, bundle, PIPELINE)))
                        lakehouse.down()
                        self.say(f"{theirs.what}, {orders:,} orders, {number + 1} of {self.repeat}")
                        self._add(theirs, measure_pipelines(lakehouse.files))
            self.tell(theirs)
            self.tell(ours)

    def daily_job(self) -> None:
        """The daily job in an empty state without a server; again; one more day; on a warm server with empty tables."""
        for orders in self.sizes["daily"]:
            cold = Figure("daily", "daily job, cold", orders, against=PIPELINES, limit=1.6)
            again = Figure("daily", "daily job, nothing new, warm", orders, against=PIPELINES, limit=0.2)
            more = Figure("daily", "daily job, one more day, warm", orders, against=PIPELINES, limit=0.5)
            warm = Figure("daily", "daily job, empty tables, warm", orders, against=PIPELINES)
            for number in range(self.repeat):
                with _lakehouse(orders) as lakehouse:
                    day = _first_day(orders)
                    for figure, on in ((cold, day), (again, day), (more, _after(day, 1)), (warm, day)):
                        self.say(f"{figure.what}, {orders:,} orders, {number + 1} of {self.repeat}")
                        if figure is warm:
                            lakehouse.empty()
                        self._add(figure, lakehouse.measure(DAILY, on))
            for figure in (cold, again, more, warm):
                self.tell(figure)

    def more_days(self) -> None:
        """Days of about 100 orders, each on top of the previous, on histories of several sizes; the server is warm.

        A day changes as many keys of the feeds on each of them: what differs is the history, not the day.
        """
        smallest = min(self.sizes["days"])
        for orders in self.sizes["days"]:
            first = Figure("days", "first day", orders)
            further = Figure("days", "one more day of 100", orders)
            if orders != smallest:
                further.against, further.limit = f"{further.what} @ {smallest}", 1.3
            variables = {"history_days": _history_days(orders), "cdc_change_rate": _change_rate(orders)}
            with _lakehouse(orders, **variables) as lakehouse:
                self.say(f"first day, {orders:,} orders")
                self._add(first, lakehouse.measure(DAILY, GENERATED_DATE))
                self.tell(first)
                bought = []
                for number in range(1, self.repeat + 1):
                    self.say(f"one more day upon {orders:,} orders, {number} of {self.repeat}")
                    day = _after(GENERATED_DATE, number)
                    self._add(further, lakehouse.measure(DAILY, day))
                    orders_of_day = f"SELECT order_count FROM gold.gold_daily_orders WHERE order_date = '{day}'"
                    bought += [str(row["order_count"]) for row in lakehouse.rows(orders_of_day)]
                further.note = f"orders of the days: {', '.join(bought)}"
                self.tell(further)

    def scale(self) -> None:
        """The whole daily job on generated orders, with no server running, each size once: its time and peak memory."""
        for orders in self.sizes["scale"]:
            figure = Figure("scale", "daily job, cold", orders)
            self.say(f"{figure.what}, {orders:,} generated orders")
            with _lakehouse(orders, history_days=730) as lakehouse:
                self._add(figure, lakehouse.measure(DAILY, GENERATED_DATE))
            self.tell(figure)

    def ways(self) -> None:
        """The daily job compared with a plain script of the same cells and with one Spark per notebook."""
        self._program("ways", "tests.bench.ways")

    def engine(self) -> None:
        """The cost of running a notebook, without Spark, compared with bare papermill."""
        self._program("engine", "tests.bench.engine", "--count", str(self.sizes["engine"][0]))

    def cdc(self) -> None:
        """`apply_changes` compared with a plain append and the textbook MERGE."""
        for events in self.sizes["cdc"]:
            self._program("cdc", "tests.cdc.bench", "--rows", str(events), "--repeat", str(self.repeat))

    def _add(self, figure: Figure, run: Measured) -> None:
        figure.runs.append(run)
        self.say(f"  {figure.what}, {figure.orders:,} orders: {run}")

    def _program(self, part: str, module: str, *arguments: str) -> None:
        with TemporaryDirectory() as folder:
            output = Path(folder) / "figures.json"
            command = [sys.executable, "-m", module, *arguments, "--output", str(output)]
            if code := subprocess.run(command, cwd=ROOT).returncode:
                raise RuntimeError(f"`{' '.join(command)}` ended with {code}; see its output above.")
            self.keep(part, json.loads(output.read_text()))


def measure_pipelines(files: Path) -> Measured:
    """A run of Declarative Pipelines from scratch on the landed *files*, including the start of its JVM."""
    with TemporaryDirectory() as folder:
        events = Path(folder) / "events"
        events.mkdir()
        spec = write_project(Path(folder) / "project", files)
        start = time.monotonic()
        cost = run_pipeline(spec, events=events)
        return Measured(time.monotonic() - start, cost.cpu, counts(events), cost.peak_mib)


def _main_limit(orders: int) -> float:
    return 1.2 if orders <= SAMPLE_ORDERS else 0.8


def _is_sample(orders: int) -> bool:
    return orders == SAMPLE_ORDERS and SAMPLE.is_dir()


def _first_day(orders: int) -> str:
    return SAMPLE_DATE if _is_sample(orders) else GENERATED_DATE


def _after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


def _history_days(orders: int) -> int:
    return HISTORY_DAYS.get(orders, max(1, orders // 80))


def _change_rate(orders: int) -> float:
    return CHANGE_RATE * CHANGED_ORDERS / orders


@contextmanager
def _lakehouse(orders: int, **variables: object) -> Iterator[Lakehouse]:
    """An empty lakehouse in a temporary folder; 3,000 orders are the real sample unless *variables* are given."""
    with TemporaryDirectory() as folder:
        if not variables and _is_sample(orders):
            made = Lakehouse(Path(folder), source=SAMPLE.resolve().as_uri())
        else:
            made = Lakehouse(Path(folder), variables={"scale": orders, "history_days": 730, **variables})
        with made:
            yield made


@contextmanager
def _kept(state: Path) -> Iterator[Callable[[], None]]:
    """A function that restores the folder *state* to its current contents; its tables know it by its path."""
    kept = state.with_name(f"{state.name}.kept")
    shutil.copytree(state, kept, symlinks=True)  # its links name folders that a run made

    def restore() -> None:
        shutil.rmtree(state)
        shutil.copytree(kept, state, symlinks=True)

    yield restore
    shutil.rmtree(kept)
