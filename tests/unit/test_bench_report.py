"""The benchmark's report: medians, ratios, and what it keeps."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.__main__ import Report
from tests.bench.counting import Counts
from tests.bench.lakehouse import Measured
from tests.bench.parts import Figure


def figure(what: str, orders: int, *seconds: float, against: str = "") -> Figure:
    runs = [Measured(one, cpu=2 * one, counts=Counts(int(one), 10 * int(one))) for one in seconds]
    return Figure("part", what, orders, runs, against)


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path / "kept" / "figures.json", Console(file=io.StringIO(), width=200), {"commit": "abc"})


def test_a_figure_is_the_median_of_its_runs():
    """The counts are those of the median run, the lower of two."""
    assert figure("a", 1, 3.0, 9.0, 4.0).seconds == 4.0
    assert figure("a", 1, 3.0, 9.0, 4.0).typical.counts == Counts(4, 40)
    assert figure("a", 1, 3.0, 9.0).typical.seconds == 3.0


def test_a_ratio_is_to_the_line_of_the_same_size_unless_it_names_another(report):
    """Without that line, there is no ratio."""
    report.add(figure("theirs", 3_000, 40.0))
    report.add(figure("day", 3_000, 10.0))

    assert report.ratio(figure("ours", 3_000, 20.0, against="theirs")) == 0.5
    assert report.ratio(figure("ours", 9_000, 20.0, against="theirs")) is None
    assert report.ratio(figure("day", 9_000, 13.0, against="day @ 3000")) == 1.3


def test_each_figure_is_told_and_kept_at_once(report):
    """As a line, and in the JSON file with its runs."""
    report.add(figure("theirs", 3_000, 40.0))
    report.add(figure("ours", 3_000, 20.0, 30.0, 25.0, against="theirs"))
    report.keep("cdc", [{"what": "1 into 2", "ratio": 3.0}])

    said = report.console.file.getvalue().splitlines()
    assert said[1].startswith(
        "ours, 3,000 orders: 25.0 s (20.0, 30.0, 25.0), 50 s of CPU, 25 executions, 250 jobs; 0.62"
    )
    kept = json.loads(report.place.read_text())
    assert kept["commit"] == "abc" and kept["tables"]["cdc"][0]["ratio"] == 3.0
    assert [(one["what"], one["median_seconds"], one["ratio"]) for one in kept["figures"]] == [
        ("theirs", 40.0, None),
        ("ours", 25.0, 0.625),
    ]
