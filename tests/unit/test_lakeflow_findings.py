"""A finding as a value: its line, its JSON, its order; and that `run` and `validate` produce the same ones."""

import json
from pathlib import Path

import pytest

from lakelocal.bundle import load_bundle
from lakelocal.errors import BundleError
from lakelocal.lakeflow.findings import ERROR, WARNING, Finding, FindingError, Findings, Where
from lakelocal.validate import validate
from tests.unit.validate_bundles import ROOT, job, project, task

AT = Where("jobs/daily.json", 12, "daily", "bronze", ("notebook_task", "base_parameters", "day"))
NOT_TAKEN = Finding(AT, "parameter-not-taken", "the parameter `day`", "one that `n.ipynb` takes: none", "Remove it.")


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (AT, "`jobs/daily.json:12`: job `daily`, task `bronze`: "),
        (Where("jobs/daily.json", 3, "daily"), "`jobs/daily.json:3`: job `daily`: "),
        (Where("databricks.yml"), "`databricks.yml`: "),
        (Where(), ""),
    ],
)
def test_a_finding_is_one_line(where: Where, line: str) -> None:
    """Where, what was found, what was expected, what to do."""
    finding = NOT_TAKEN.moved(where)

    assert str(finding) == f"{line}found the parameter `day`; expected one that `n.ipynb` takes: none. Remove it."


def test_a_finding_is_json() -> None:
    """With file and line separate, and the field relative to the task."""
    assert NOT_TAKEN.as_json() == {
        "severity": "warning",
        "file": "jobs/daily.json",
        "line": 12,
        "job": "daily",
        "task": "bronze",
        "field": "notebook_task.base_parameters.day",
        "rule": "parameter-not-taken",
        "found": "the parameter `day`",
        "expected": "one that `n.ipynb` takes: none",
        "action": "Remove it.",
    }
    assert NOT_TAKEN.moved(Where("databricks.yml")).as_json()["line"] is None


def test_a_number_in_a_path_is_that_of_an_entry() -> None:
    """As in the references of a bundle."""
    assert Where(path=("parameters", 0, "default")).dotted == "parameters[0].default"
    assert Where(path=()).dotted == ""


def test_the_rule_says_how_severe_a_finding_is() -> None:
    """An error cannot be deployed or cannot run; with a warning, the run differs from what the bundle seems to say."""
    assert NOT_TAKEN.severity == WARNING
    assert Finding(AT, "cycle", "a cycle", "none", "Remove it.").severity == ERROR


def test_findings_are_in_the_order_of_the_files() -> None:
    """By line number, not as text; findings about the whole file come first."""
    findings = [NOT_TAKEN.moved(Where("a.yml", line)) for line in (10, 9, 0)] + [NOT_TAKEN.moved(Where("A.yml", 11))]

    assert [str(each.where) for each in sorted(findings)] == ["A.yml:11", "a.yml", "a.yml:9", "a.yml:10"]


def test_one_of_two_findings_that_differ_in_their_path_is_enough() -> None:
    """They read the same."""
    assert len({NOT_TAKEN, NOT_TAKEN.moved(Where("jobs/daily.json", 12, "daily", "bronze", ("libraries", 1)))}) == 1


def test_findings_are_collected_and_raised_together(tmp_path: Path) -> None:
    """What is raised on the way is added; files in the bundle are relative to it, those outside are absolute."""
    findings = Findings(tmp_path / "bundle")
    findings.raise_any()
    with findings.caught():
        raise FindingError(NOT_TAKEN)
    findings.add("limit", "26 tags", "at most 25", "Remove some.", findings.at((tmp_path / "bundle" / "j.yml", 2)))
    findings.add("limit", "27 tags", "at most 25", "Remove some.", findings.at((tmp_path / "other.yml", 3)))

    with pytest.raises(BundleError) as raised:
        findings.raise_any()

    assert isinstance(raised.value, FindingError)
    assert raised.value.findings == tuple(findings)
    assert str(raised.value).splitlines() == [
        str(NOT_TAKEN),
        "`j.yml:2`: found 26 tags; expected at most 25. Remove some.",
        f"`{tmp_path / 'other.yml'}:3`: found 27 tags; expected at most 25. Remove some.",
    ]


def test_another_error_is_not_a_finding() -> None:
    """It is passed on."""
    with pytest.raises(BundleError, match="no finding"), Findings(Path()).caught():
        raise BundleError("no finding")


WRONG = {
    "unknown": (job(nmae=1), "found the unknown field `nmae`; expected a field of a Job. Did you mean `name`?"),
    "truth": (job(task("a", max_retries=True)), "found `True` as `max_retries`; expected a whole number. Correct"),
    "half": (job(task("a", max_retries=3.5)), "found `3.5` as `max_retries`; expected a whole number. Correct"),
    "mapping": (job(task("a", description={"b": 1})), "found a mapping as `description`; expected a text. Correct"),
    "word": (job(task("a", run_if="NEVER")), "found `NEVER` as `run_if`; expected one of `ALL_SUCCESS`, `ALL_DONE`"),
    "outcome": (job(task("a"), task("b", "a=true")), "found an outcome of `a`, a notebook_task; expected an outcome"),
    "cycle": (job(task("a", "b"), task("b", "a")), "found a cycle of dependencies in `a`, `b`; expected none. Remo"),
    "file": (job(task("a", sql_task={"warehouse_id": "w", "file": {"path": "q.sql"}})), "found no file `q.sql`; expe"),
    "inside": (
        job(task("a", for_each_task={"inputs": "[1]", "concurrency": 101, "task": task("b")})),
        "found the concurrency 101; expected 1 to 100. Correct it.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_run_finds_is_what_validate_finds(tmp_path: Path, name: str) -> None:
    """One reader, one finding, one line of the file; for example `max_retries: true`, which is not a number."""
    broken, words = WRONG[name]
    place = project(tmp_path, json.dumps({"resources": {"jobs": {"j": broken}}}, indent=1), head=ROOT)

    read = load_bundle(place)
    told = read.faults.get("j", read.warnings)

    assert told == tuple(validate(place).findings)
    assert [words in str(finding) for finding in told] == [True]
    assert told[0].where.line > 1
    if told[0].severity == ERROR:
        with pytest.raises(FindingError, match=r"jobs\.json"):
            read.job("j")
