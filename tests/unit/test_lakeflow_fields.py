"""The table of verdicts is complete and contains only fields; and the functions that use it."""

import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from databricks.bundles.jobs import Job, Task

from lakelocal.bundle import load_bundle
from lakelocal.bundle.field_types import bare, model_fields
from lakelocal.errors import BundleError, UsageError
from lakelocal.jobs.checks import check_run
from lakelocal.jobs.task_types import RUNNERS
from lakelocal.lakeflow.fields import TABLE, Refusal, ignored, refusal, rule_of, verdicts
from lakelocal.lakeflow.verdicts import APPROXIMATED, HONOURED, IGNORED, REFUSED, VERDICTS
from lakelocal.validate import validate
from tests.unit.validate_bundles import ROOT, job, project, task


def fields_of(model: type, path: str) -> Iterator[tuple[str, Any]]:
    """Every field below *model* as dotted path and type, except those of a task inside a task."""
    for name, (kind, _) in model_fields(model).items():
        item = bare(typing.get_args(kind)[-1]) if typing.get_origin(kind) in (list, dict) else kind
        yield f"{path}{name}", item
        if is_dataclass(item) and item is not Task:
            yield from fields_of(item, f"{path}{name}.")


FIELDS = dict([*fields_of(Job, ""), *fields_of(Task, "tasks.")])


def is_covered(path: str) -> bool:
    """Does *path* have its own verdict, or is it below one that covers everything (ignored or refused)?"""
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
    """A field that the model no longer has, or a value that its enum does not know, fails here."""
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
        ("trigger.periodic.unit", "DAYS", APPROXIMATED),
        ("trigger.file_arrival.url", "/Volumes/a/b/c", APPROXIMATED),
        ("trigger.model.condition", "x", IGNORED),
        ("webhook_notifications.on_failure.id", "x", APPROXIMATED),
    ],
)
def test_the_nearest_rule_above_a_field_counts(path: str, value: str, verdict: str) -> None:
    """A rule for the value, then for the field, then for the field that contains it."""
    assert rule_of(path, value)[0] == verdict


def test_a_job_is_judged_by_what_it_sets(tmp_path: Path) -> None:
    """Including tasks in for-each tasks; lists count once; null or empty values are not set."""
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

    assert {(each.task, each.field, each.verdict) for each in verdicts(read) if each.verdict != HONOURED} == {
        ("", "tags", IGNORED),
        ("", "job_clusters", IGNORED),
        ("", "job_clusters.new_cluster.spark_version", APPROXIMATED),
        ("b", "tasks.environment_key", APPROXIMATED),
        ("b", "tasks.webhook_notifications.on_failure.id", APPROXIMATED),
        ("f", "tasks.libraries.jar", IGNORED),
        ("f", "tasks.sql_task.warehouse_id", IGNORED),
        ("f", "tasks.sql_task.query", REFUSED),
    }
    assert len(verdicts(read)) == len(set(verdicts(read)))
    assert ignored(read) == ["job_clusters", "tags", "tasks.libraries.jar", "tasks.sql_task.warehouse_id"]
    assert refusal(read, read.task("b")) is None
    assert refusal(read, read.task("f")) == Refusal(
        "a `sql_task` with `query`", "it lives in the workspace; use `sql_task.file`"
    )


def test_what_the_runner_has_no_function_for_is_refused() -> None:
    """The runner has one for every other task type."""
    types = {path for path in FIELDS if path.startswith("tasks.") and path.count(".") == 1 and path.endswith("_task")}

    assert {path.removeprefix("tasks.") for path in types if rule_of(path)[0] != REFUSED} == set(RUNNERS)


def test_whatever_is_refused_says_what_to_use() -> None:
    """A note on a refused field is the advice in the error message."""
    assert [path for path, (verdict, note) in TABLE.items() if verdict == REFUSED and "; use " not in note] == []


GIT = {"git_url": "https://example.com/r.git", "git_provider": "gitHub", "git_branch": "main"}
CLUSTER = {"spark_version": "17", "num_workers": 1}


@pytest.mark.parametrize(
    ("own", "of_task", "ignored_fields", "honoured_fields"),
    [
        (
            {"git_source": GIT},
            {"notebook_task": {"notebook_path": "n.ipynb", "source": "WORKSPACE"}},
            ["git_source"],
            [],
        ),
        ({}, {"disable_auto_optimization": True}, [], ["tasks.disable_auto_optimization"]),
        ({"permissions": [{"level": "CAN_VIEW", "group_name": "users"}]}, {}, ["permissions"], []),
        ({"tags": {"team": "data"}}, {}, ["tags"], []),
        (
            {"schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}},
            {},
            [],
            ["schedule.timezone_id"],
        ),
        ({"trigger": {"model": {"condition": "MODEL_CREATED"}}}, {}, ["trigger.model"], []),
        ({"continuous": {"task_retry_mode": "NEVER"}}, {}, ["continuous.task_retry_mode"], []),
        (
            {"environments": [{"environment_key": "e", "spec": {"environment_version": "4"}}]},
            {"environment_key": "e"},
            ["environments.spec.environment_version"],
            ["environments.environment_key"],
        ),
        (
            {"health": {"rules": [{"metric": "STREAMING_BACKLOG_FILES", "op": "GREATER_THAN", "value": 1}]}},
            {},
            ["health.rules.metric"],
            ["health.rules.op"],
        ),
        (
            {},
            {"email_notifications": {"on_streaming_backlog_exceeded": ["a@example.com"]}},
            ["tasks.email_notifications.on_streaming_backlog_exceeded"],
            [],
        ),
        (
            {},
            {"sql_task": {"warehouse_id": "w", "file": {"path": "q.sql"}}},
            ["tasks.sql_task.warehouse_id"],
            ["tasks.sql_task.file.path"],
        ),
        (
            {"job_clusters": [{"job_cluster_key": "c", "new_cluster": CLUSTER}]},
            {"job_cluster_key": "c", "libraries": [{"jar": "a.jar"}]},
            ["job_clusters", "tasks.libraries.jar"],
            [],
        ),
    ],
)
def test_run_and_validate_say_the_same_of_a_field(
    tmp_path: Path, own: dict, of_task: dict, ignored_fields: list[str], honoured_fields: list[str]
) -> None:
    """What a run ignores, `validate` calls ignored: both read one table."""
    jobs = {"j": job(task("a", **of_task), **own)}
    place = project(tmp_path, jobs, files={"q.sql": "SELECT 1"}, head=ROOT)

    said = {each.field: each.verdict for each in validate(place).fields}
    read = load_bundle(place)

    assert [field for field in sorted(said) if said[field] == IGNORED] == ignored_fields
    assert [said.get(field) for field in honoured_fields] == [HONOURED] * len(honoured_fields)
    assert ignored(read.job("j")) == ignored_fields


@pytest.mark.parametrize(
    ("field", "is_known"), [("format", True), ("edit_mode", True), ("deployment", True), ("access_control_list", False)]
)
def test_fields_of_the_rest_api_that_a_bundle_does_not_have(tmp_path: Path, field: str, is_known: bool) -> None:
    """No model of bundles has them. The CLI knows those that it sets itself; a run ignores all of them."""
    place = project(tmp_path, {"j": job(**{field: "x"})}, head=ROOT)
    told = [] if is_known else [("unknown-field", f"the unknown field `{field}`")]

    assert [(each.rule, each.found) for each in validate(place).findings] == told
    assert [(each.rule, each.found) for each in load_bundle(place).warnings] == told
    assert field not in load_bundle(place).job("j").settings


@pytest.mark.parametrize(
    ("own", "of_task", "field", "message"),
    [
        (
            {"git_source": GIT},
            {},
            "tasks.notebook_task.source",
            "found a `notebook_task` with `source: GIT`, which does not run locally: nothing is cloned; use "
            "`source: WORKSPACE` and a file of the bundle.",
        ),
        (
            {"git_source": GIT},
            {"sql_task": {"warehouse_id": "w", "file": {"path": "in/git.sql"}}},
            "tasks.sql_task.file.source",
            "found a `sql_task` with `source: GIT`, which does not run locally",
        ),
        (
            {"git_source": GIT},
            {"notebook_task": {"notebook_path": "in/git", "source": "GIT"}},
            "tasks.notebook_task.source",
            "found a `notebook_task` with `source: GIT`, which does not run locally",
        ),
        (
            {"git_source": GIT},
            {"for_each_task": {"inputs": "[1]", "task": task("inner", notebook_task={"notebook_path": "in/git"})}},
            "tasks.notebook_task.source",
            "task `inner`: found a `notebook_task` with `source: GIT`, which does not run locally",
        ),
        (
            {},
            {"sql_task": {"warehouse_id": "w", "file": {"path": "q.sql"}, "query": {"query_id": "1"}}},
            "tasks.sql_task.query",
            "found a `sql_task` with `query`, which does not run locally: it lives in the workspace; use "
            "`sql_task.file`.",
        ),
        (
            {},
            {"dbt_task": {"commands": ["dbt run"]}},
            "tasks.dbt_task",
            "found a `dbt_task`, which does not run locally: dbt does not run here; use a notebook that calls it.",
        ),
    ],
)
def test_run_refuses_what_validate_calls_refused(
    tmp_path: Path, own: dict, of_task: dict, field: str, message: str
) -> None:
    """A file comes from Git by default if the job has a `git_source`: what the bundle has beside it does not count.

    Such a task fails when its turn comes; `run` passes over all of these if requested.
    """
    jobs = {"j": job(task("a", **of_task), **own)}
    place = project(tmp_path, jobs, files={"q.sql": "SELECT 1"}, head=ROOT)

    refused = [each.field for each in validate(place).fields if each.verdict == REFUSED]
    read = load_bundle(place)

    assert refused == [field]
    if "git_source" in own:
        assert [message in each for each in check_run(read, read.job("j"))] == [True]
    else:
        with pytest.raises(UsageError) as raised:
            check_run(read, read.job("j"))
        assert message in str(raised.value)
        assert str(raised.value).endswith("Run the others with --only, or pass over it with --skip-unsupported.")
    assert [message in each for each in check_run(read, read.job("j"), skip_unsupported=True)] == [True]


def test_a_task_without_anything_to_run_is_refused(tmp_path: Path) -> None:
    """A SQL task names one of query, alert, dashboard and file."""
    read = load_bundle(project(tmp_path, {"j": job(task("a", sql_task={"warehouse_id": "w"}))}, head=ROOT)).job("j")

    assert refusal(read, read.task("a")) == Refusal(
        "a `sql_task` without a `file`", "it has nothing to run; use `sql_task.file`"
    )


def test_a_missing_file_of_git_hinders_no_other_job(tmp_path: Path) -> None:
    """The CLI leaves paths of a job with a `git_source` unchanged; one of the bundle itself must exist."""
    in_git = task("a", notebook_task={"notebook_path": "in/git"})
    jobs = {"j": job(in_git, git_source=GIT), "other": job()}

    place = project(tmp_path, jobs, head=ROOT)
    read = load_bundle(place)

    assert read.job("j").task("a").notebook is None
    assert check_run(read, read.job("other")) == ()
    assert list(validate(place).findings) == []
    with pytest.raises(BundleError, match=r"no notebook `in/git`"):
        load_bundle(project(tmp_path, {"j": job(in_git)}, head=ROOT)).job("j")
