"""Jobs of any shape: each mistake is found where it is, and nothing makes `validate` itself fail."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.field_types import FOR_VALIDATION, fit_to_model
from lakelocal.lakeflow.findings import RULES, Finding, Findings
from lakelocal.validate import validate
from tests.unit.test_validate_rules import CASES, FILES
from tests.unit.validate_bundles import ROOT, found, job, project, task

HEAD = ROOT + "variables: {x: {default: 1}}\n"
JUNK: list[Any] = [
    *(None, 0, -1, 1.5, True, "", "x", "[1, 2]", "{{job.id}}", "{{", "{{}}", "{{input}}", "${var.x}", "${var.nope}"),
    *([], [1], [None], [[]], [{}], {}, {"a": 1}, {"task_key": "a"}, {"task_key": ["a"]}),
]


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"max_retries": "3"}, []),  # numbers in strings are read, as the CLI does
        ({"max_retries": 3.0}, []),
        ({"max_retries": "3.5"}, ["wrong-type"]),
        ({"max_retries": True}, ["wrong-type"]),
        ({"disabled": "yes"}, []),
        ({"disabled": "maybe"}, ["wrong-type"]),
        ({"disabled": 1}, ["wrong-type"]),
        ({"description": 5}, []),  # so are strings that look like numbers
        ({"description": {"a": 1}}, ["wrong-type"]),
        ({"libraries": [{"jar": "x"}, "y", None]}, ["wrong-type", "null-value"]),
        ({"health": {"rules": [{"metric": "M", "op": "GREATER_THAN", "value": 1}]}}, ["wrong-enum"]),
        (
            {"health": {"rules": [{"op": "GREATER_THAN", "vaule": 1}]}},
            ["unknown-field", "missing-field", "missing-field"],
        ),
        ({"email_notifications": None, "run_if": None}, ["null-value"]),
        ({"run_if": "", "description": ""}, []),  # what is empty is not set
        ({"new_cluster": {"autoscale": {"min_workers": "few"}, "num_wrokers": 1}}, ["wrong-type", "unknown-field"]),
    ],
)
def test_fields_types_and_words(fields: dict[str, Any], rules: list[str]) -> None:
    """All of them, at any depth, accepting what the CLI reads as a number, a string or a boolean."""
    source = {"tasks": [task("a", **fields)]}

    findings = Findings(Path())
    fit_to_model("jobs", "j", as_table(source), findings, FOR_VALIDATION)

    assert [each.rule for each in findings] == rules


def test_what_does_not_fit_is_left_out() -> None:
    """The later rules only see values of the right types."""
    source = {"nmae": 1, "timeout_seconds": "x", "tags": ["a"], "tasks": [1, task("a", max_retries=[], run_if="X")]}

    findings = Findings(Path())
    fit = fit_to_model("jobs", "j", as_table(source), findings, FOR_VALIDATION)

    assert fit == {"tasks": [task("a")]}
    assert [(each.where.task, each.where.path) for each in findings] == [
        ("", ("nmae",)),
        ("", ("timeout_seconds",)),
        ("", ("tags",)),
        ("", ("tasks", 0)),
        ("a", ("max_retries",)),
        ("a", ("run_if",)),
    ]


def test_a_misfit_from_a_complex_variable_stands_where_the_variable_has_it(tmp_path: Path) -> None:
    """That is where it has to be corrected."""
    head = ROOT + "variables: {m: {type: complex, default: {on_failre: [x]}}}\n"

    findings = found(tmp_path, {"j": job(email_notifications="${var.m}")}, head=head)

    assert [(each.rule, str(each.where)) for each in findings] == [("unknown-field", "databricks.yml:3")]


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("bundle: {name: b}\nresources: 5\n", 2),
        ("bundle: {name: b}\nresources:\n  jobs: [1]\n", 3),
        ("bundle: {name: b}\nresources:\n  jobs:\n    j: [1]\n", 4),
        ("bundle: {name: b}\ntargets: [dev]\n", 2),
        ("bundle: {name: b}\ntargets:\n  dev: 1\n", 3),
        ("bundle: {name: b}\ntargets:\n  dev:\n    resources: x\n", 4),
        ("bundle: {name: b}\nvariables: [x]\n", 2),
        ("bundle: {name: b}\ninclude: jobs.json\n", 2),
    ],
)
def test_blocks_that_are_no_mappings(tmp_path: Path, head: str, line: int) -> None:
    """The rest of the bundle is read without them."""
    findings = found(tmp_path, {"j": job()}, head=head)

    assert [(each.rule, str(each.where)) for each in findings] == [("wrong-type", f"databricks.yml:{line}")]


def nodes(value: Any, path: tuple = ()) -> Iterator[tuple]:
    yield path
    for step in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from nodes(value[step], (*path, step))


def replaced(value: Any, path: tuple, new: Any) -> Any:
    if not path:
        return new
    value = copy.copy(value)
    value[path[0]] = replaced(value[path[0]], path[1:], new)
    return value


@st.composite
def bundles(draw: st.DrawFn) -> Any:
    """A fragment with three jobs that tests of the rules use, with some values replaced by junk."""
    small = [case[-1] for case in CASES if len(json.dumps(case[-1])) < 5000]
    jobs = {key: draw(st.sampled_from(small)) for key in ("j", "k")}
    tree: Any = {"resources": {"jobs": {**jobs, "other": job()}}}
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(nodes(tree))))
        tree = replaced(tree, path, draw(st.sampled_from(JUNK)))
    return tree


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=bundles())
def test_no_bundle_makes_validate_fail(tmp_path: Path, tree: Any) -> None:
    """Whatever the files contain, the answer is a list of complete findings."""
    findings = list(validate(project(tmp_path, json.dumps(tree), FILES, HEAD)).findings)

    assert all(is_whole(each) for each in findings)


def is_whole(finding: Finding) -> bool:
    return finding.rule in RULES and all((finding.found, finding.expected, finding.action))


def as_table(value: Any) -> Any:
    """*value* with the places that a file would give it."""
    if isinstance(value, list):
        return [as_table(each) for each in value]
    if not isinstance(value, dict):
        return value
    result = YamlMapping((Path("jobs.json"), 1))
    for name, inner in value.items():
        result.put(name, as_table(inner), (Path("jobs.json"), 1))
    return result
