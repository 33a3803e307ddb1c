"""`make bench`: what the lakehouse costs, measured side by side in one run on one machine."""

import argparse
import json
import os
import platform
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lakelocal.server.settings import Settings
from tests.bench.lakehouse import ROOT
from tests.bench.parts import PIPELINES, Bench, Figure

PARTS = {
    "main": "cold main pipeline beside Spark Declarative Pipelines on the same files",
    "declarative": "main pipeline as a declarative pipeline, here and by Spark's own engine",
    "daily": "daily job: cold, with nothing new, with one more day, on a warm server",
    "days": "one more day of 100 orders upon histories of several sizes",
    "scale": "whole daily job at growing sizes: time and peak memory of the server",
    "ways": "daily job beside a plain script of its cells and a Spark for each notebook",
    "engine": "what it costs to run a notebook, without Spark",
    "cdc": "apply_changes beside a plain append and the textbook MERGE",
}
SIZES = {
    "main": [3_000, 100_000],
    "declarative": [3_000, 100_000],
    "daily": [3_000],
    "days": [3_000, 30_000, 300_000],
    "scale": [10_000, 100_000, 1_000_000],
    "engine": [50],
    "cdc": [1_000_000],
}
EXAMPLES = """examples:
  make bench                                          everything: hours
  make bench PARTS="main daily" OPTIONS="--repeat 1"  two parts, each figure measured once: minutes
  make bench PARTS=days OPTIONS="--size 3000"         one more day upon 3,000 orders only
  make bench OPTIONS="--output before.json"           where the figures are kept as JSON

parts:
"""
READING = """
How to read it: a figure is the median of its runs. Seconds depend on the machine and on what else it does; compare
those of one run by their ratios. Executions and Spark jobs, counted in Spark's event log, hardly differ from run to
run: `python -m tests.bench.counting LOG` says who starts them. CPU is that of all processes, clients and server.
3,000 orders are the real sample where it lies beside the checkout; all others are generated.
"""


@dataclass
class Report:
    """Prints each figure as a line, and keeps all of them as JSON in *place*, rewritten after each."""

    place: Path
    console: Console
    about: dict
    figures: list[Figure] = field(default_factory=list)
    tables: dict[str, list] = field(default_factory=dict)

    def add(self, figure: Figure) -> None:
        """Print and keep *figure*."""
        self.figures.append(figure)
        ratio = f"; {found:.2f} times {figure.against}" if (found := self.ratio(figure)) else ""
        told = f"{figure.what}, {figure.orders:,} orders: {_told(figure)}{ratio}"
        self.console.print(told, markup=False, highlight=False)
        self._write()

    def keep(self, part: str, rows: list) -> None:
        """Keep the figures of a part that has printed them itself."""
        self.tables[part] = [*self.tables.get(part, []), *rows]
        self._write()

    def _write(self) -> None:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        figures = [one.as_dict() | {"ratio": self.ratio(one)} for one in self.figures]
        content = {**self.about, "figures": figures, "tables": self.tables}
        part = self.place.with_suffix(".part")
        part.write_text(json.dumps(content, indent=1) + "\n")
        part.replace(self.place)

    def ratio(self, figure: Figure) -> float | None:
        """Its time divided by that of the figure that it is compared with; None if there is none."""
        what, _, orders = figure.against.partition(" @ ")
        size = int(orders) if orders else figure.orders
        other = next((one for one in self.figures if one.what == what and one.orders == size), None)
        return round(figure.seconds / other.seconds, 3) if other else None

    def table(self) -> Table:
        """All figures side by side."""
        table = Table(title="Medians")
        table.add_column("what")
        for heading in ("orders", "s", "CPU s", "executions", "jobs", "peak MiB", "ratio", "at most"):
            table.add_column(heading, justify="right")
        table.add_column("to")
        for figure in self.figures:
            run, ratio = figure.typical, self.ratio(figure)
            table.add_row(
                figure.what, f"{figure.orders:,}", f"{figure.seconds:.1f}", f"{run.cpu:.0f}",
                str(run.counts.executions), str(run.counts.jobs), f"{run.peak_mib:,}" if run.peak_mib else "",
                f"{ratio:.2f}" if ratio else "", f"{figure.limit:.1f}" if figure.limit and ratio else "",
                figure.against.replace(" @ ", " upon ") if ratio else "",
            )  # fmt: skip
        return table


def _told(figure: Figure) -> str:
    run = figure.typical
    single = f" ({', '.join(f'{one.seconds:.1f}' for one in figure.runs)})" if len(figure.runs) > 1 else ""
    peak = f", peak {run.peak_mib:,} MiB" if run.peak_mib else ""
    note = f"; {figure.note}" if figure.note else ""
    return f"{figure.seconds:.1f} s{single}, {run.cpu:.0f} s of CPU, {run.counts}{peak}{note}"


def _about(options: argparse.Namespace) -> dict:
    settings = Settings.read()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit.stdout.strip() or None,
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "load": os.getloadavg()},
        "server": {"memory": settings.memory, "cores": settings.cores, "jit": settings.jit},
        "parts": options.parts,
        "repeat": options.repeat,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__.splitlines()[0],
        epilog=EXAMPLES + "".join(f"  {name:<11} {text}\n" for name, text in PARTS.items()) + READING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="which parts (default: all): " + ", ".join(PARTS))
    parser.add_argument("--repeat", type=int, default=3, help="runs of each figure, of which the median counts (3)")
    parser.add_argument(
        "--size", type=int, nargs="+", help="orders, events or notebooks, in place of a part's own sizes"
    )
    parser.add_argument("--output", type=Path, help="JSON file for the figures (.local/bench/TIME.json)")
    options = parser.parse_args()
    options.parts = options.parts or list(PARTS)
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"found the part `{unknown[0]}`; expected one of {', '.join(PARTS)}")
    if options.repeat < 1:
        parser.error(f"--repeat: found {options.repeat}; expected 1 or more")
    return options


def main() -> None:
    """Measure the requested parts."""
    options, console = _options(), Console(width=150)
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    report = Report(options.output or ROOT / ".local" / "bench" / f"{name}.json", console, _about(options))
    sizes = {part: options.size or own for part, own in SIZES.items()}

    def say(text: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')} {text}", style="dim", markup=False, highlight=False)

    bench = Bench(options.repeat, sizes, say, report.add, report.keep)
    measures = {
        "main": bench.main_pipeline, "declarative": bench.declarative_pipeline, "daily": bench.daily_job,
        "days": bench.more_days, "scale": bench.scale, "ways": bench.ways, "engine": bench.engine, "cdc": bench.cdc,
    }  # fmt: skip
    for part in options.parts:
        console.rule(f"{part}: {PARTS[part]}")
        measures[part]()
    if report.figures:
        console.print(report.table())
        if not any(figure.what == PIPELINES for figure in report.figures):
            console.print("The part `main` measures what the others are compared with.")
    console.print(f"kept in {report.place}", markup=False, highlight=False)


if __name__ == "__main__":
    main()
