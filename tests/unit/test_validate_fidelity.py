"""The table of verdicts is complete and has nothing that is not a field; the functions over it."""

import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from databricks.bundles.jobs import Job, Task

from local.bundle import load_bundle
from local.validate import fidelity, ignored, refused
from local.validate.fidelity import rule_of
from local.validate.fidelity_table import APPROXIMATED, HONOURED, IGNORED, REFUSED, TABLE, VERDICTS
from local.validate.shape import bare, model_fields
from tests.unit.validate_bundles import ROOT, job, project, task


def fields_of(model: type, path: str) -> Iterator[tuple[str, Any]]:
    """Every field below *model* as dotted path and type, but those of a task inside of a task."""
    for name, (kind, _) in model_fields(model).items():
        item = bare(typing.get_args(kind)[-1]) if typing.get_origin(kind) in (list, dict) else kind
        yield f"{path}{name}", item
        if is_dataclass(item) and item is not Task:
            yield from fields_of(item, f"{path}{name}.")


FIELDS = dict([*fields_of(Job, ""), *fields_of(Task, "tasks.")])


def is_covered(path: str) -> bool:
    """Has *path* a verdict of its own, or lies below one that says all: ignored or refused?"""
    above = path.rpartition(".")[0]
    while above:
        if TABLE.get(above, ("",))[0] in (IGNORED, REFUSED):
            return True
        above = above.rpartition(".")[0]
    return path in TABLE


def test_every_field_of_databricks_model_has_a_verdict() -> None:
    """What a run honours or approximates is listed field by field; a new field of the model fails here."""
    assert len(FIELDS) > 300
    assert [path for path in FIELDS if not is_covered(path)] == []


def test_every_verdict_is_about_a_field() -> None:
    """A field that the model no longer has, or a word that its enum does not know, fails here."""
    for path, (verdict, _) in TABLE.items():
        field, _, word = path.partition("=")
        assert field in FIELDS, path
        assert verdict in VERDICTS
        if word:
            assert issubclass(FIELDS[field], Enum)
            assert word in [member.value for member in FIELDS[field]]


def test_whatever_is_not_honoured_says_why() -> None:
    """A verdict without a reason helps nobody."""
    assert [path for path, (verdict, note) in TABLE.items() if verdict != HONOURED and not note] == []


@pytest.mark.parametrize(
    ("path", "value", "verdict"),
    [
        ("tasks.run_if", "ALL_DONE", HONOURED),
        ("tasks.libraries.pypi.package", "x", APPROXIMATED),
        ("tasks.libraries.maven.coordinates", "x", IGNORED),
        ("tasks.notebook_task.source", "WORKSPACE", HONOURED),
        ("tasks.notebook_task.source", "GIT", REFUSED),
        ("tasks.new_cluster.aws_attributes.availability", "SPOT", IGNORED),
        ("tasks.sql_task.file.path", "q.sql", HONOURED),
        ("tasks.sql_task.query.query_id", "1", REFUSED),
        ("health.rules.metric", "RUN_DURATION_SECONDS", HONOURED),
        ("health.rules.metric", "STREAMING_BACKLOG_BYTES", IGNORED),
        ("trigger.periodic.unit", "DAYS", HONOURED),
        ("trigger.file_arrival.url", "s3://x", IGNORED),
        ("webhook_notifications.on_failure.id", "x", APPROXIMATED),
    ],
)
def test_the_nearest_rule_above_a_field_counts(path: str, value: str, verdict: str) -> None:
    """A rule for the value, then for the field, then for what it lies in."""
    assert rule_of(path, value)[0] == verdict


def test_a_job_is_judged_by_what_it_sets(tmp_path: Path) -> None:
    """Tasks in for-each tasks too; lists once; what is null or empty is not set."""
    inner = task(
        "inner",
        libraries=[{"jar": "a.jar"}, {"jar": "b.jar"}],
        sql_task={"warehouse_id": "w", "query": {"query_id": "1"}},
    )
    jobs = {
        "j": job(
            task("f", for_each_task={"inputs": "[1]", "task": inner}, description=None),
            task("b", environment_key="e", webhook_notifications={"on_failure": [{"id": "x"}], "on_success": []}),
            tags={"team": "data"},
            job_clusters=[{"job_cluster_key": "c", "new_cluster": {"spark_version": "x", "num_workers": 1}}],
            environments=[{"environment_key": "e"}],
        )
    }

    read = load_bundle(project(tmp_path, jobs, head=ROOT)).job("j")

    verdicts = {(each.task, each.field, each.verdict) for each in fidelity(read) if each.verdict != HONOURED}
    assert verdicts == {
        ("", "tags", IGNORED),
        ("", "job_clusters", IGNORED),
        ("b", "tasks.environment_key", APPROXIMATED),
        ("b", "tasks.webhook_notifications.on_failure.id", APPROXIMATED),
        ("f", "tasks.libraries.jar", IGNORED),
        ("f", "tasks.sql_task.warehouse_id", IGNORED),
        ("f", "tasks.sql_task.query", REFUSED),
    }
    assert len(fidelity(read)) == len(set(fidelity(read)))
    assert ignored(read) == ["job_clusters", "tags", "tasks.libraries.jar", "tasks.sql_task.warehouse_id"]
    assert refused(read.task("b")) is None
    assert refused(read.task("f")) == "`sql_task.query`: it lives in the workspace; use `sql_task.file`"
