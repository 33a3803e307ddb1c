"""The rules about jobs: each broken once, with its place, and nothing else found."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.validate_bundles import (
    condition,
    found,
    job,
    notebook,
    starts,
    task,
)

EACH = {"inputs": '["x"]', "task": task("inner")}
PYTHON = {"python_file": "p.py"}
WITH_CLUSTER = {"existing_cluster_id": "c"}
BIG = "x" * 1_000_001
HOOKS = [{"id": str(number)} for number in range(4)]
HEALTH = {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}]}
LATE = "on_duration_warning_threshold_exceeded"
GIT = {"git_url": "https://example.com/r", "git_provider": "gitHub"}


def value_of(text: str, *after: str, **fields: Any) -> dict[str, Any]:
    """A task whose parameter `v` is *text*."""
    return task("z", *after, notebook_task={"notebook_path": "takes.ipynb", "base_parameters": {"v": text}}, **fields)


FILES = {
    "takes.ipynb": notebook("dbutils.widgets.text('v', '')"),
    "sets.ipynb": notebook("dbutils.jobs.taskValues.set(key='k', value=1)"),
    "needs.ipynb": notebook("dbutils.widgets.get('need')"),
    "p.py": "print(1)",
    "q.sql": "SELECT 1",
}
SETS = task("a", notebook_task={"notebook_path": "sets.ipynb"})
NEEDS = {"notebook_path": "needs.ipynb"}

# rule, task, text of the line, words of the message, the job
CASES: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("unknown-field", "", '"nmae"', "Did you mean `name`?", job(nmae="x")),
    (
        "unknown-field",
        "a",
        '"notebok_path"',
        "a NotebookTask",
        job(task("a", notebook_task={"notebook_path": "n.ipynb", "notebok_path": 1})),
    ),
    ("wrong-type", "", '"timeout_seconds"', "`soon`", job(timeout_seconds="soon")),
    ("wrong-type", "a", '"max_retries"', "a whole number", job(task("a", max_retries=True))),
    ("wrong-type", "a", '"libraries"', "a list", job(task("a", libraries="x"))),
    ("wrong-type", "f", '"concurrency"', "a list as", job(task("f", for_each_task={**EACH, "concurrency": ["x"]}))),
    ("for-each-retries", "f", '"max_retries"', "on a for-each", job(task("f", for_each_task=EACH, max_retries=1))),
    ("wrong-enum", "b", '"run_if"', "Did you mean `ALL_SUCCESS`?", job(task("a"), task("b", "a", run_if="ALL_SUCCES"))),
    (
        "missing-field",
        "a",
        '"condition_task"',
        "no `right`",
        job(task("a", condition_task={"left": "{{job.id}}", "op": "EQUAL_TO"})),
    ),
    (
        "missing-field",
        "",
        '"schedule"',
        "no `timezone_id`",
        job(schedule={"quartz_cron_expression": "0 0 6 * * ?"}),
    ),
    ("missing-field", "", '"schedule"', "no `quartz_cron_expression`", job(schedule={"timezone_id": "UTC"})),
    ("no-tasks", "", '"j"', "no tasks", {"name": "J"}),
    ("task-key", "a b", "task_key", "`a b`", job(task("a b"))),
    ("task-type", "a", "{", "2 task types", job(task("a", condition_task=condition(), run_job_task=starts("other")))),
    ("unknown-dependency", "a", '"x"', "`x`", job(task("a", "x"))),
    ("cycle", "", '"j"', "`a`, `b`", job(task("a", "b"), task("b", "a"))),
    ("cycle", "", '"j"', "cycle of dependencies in `a`, `b`;", job(task("a", "b"), task("b", "a"), task("c", "b"))),
    ("outcome", "b", '"outcome"', "an outcome of `a`, a notebook_task", job(task("a"), task("b", "a=true"))),
    ("outcome", "b", '"outcome"', "the outcome `yes`", job(task("a", condition_task=condition()), task("b", "a=yes"))),
    ("duplicate-dependency", "b", "{", "`a` twice", job(task("a"), task("b", "a", "a"))),
    ("duplicate-entry", "", "{", "the name `p` twice", job(parameters=[{"name": "p", "default": "1"}] * 2)),
    (
        "duplicate-entry",
        "",
        "{",
        "the environment_key `e` twice",
        job(environments=[{"environment_key": "e", "spec": {"environment_version": "4"}}] * 2),
    ),
    (
        "constant-condition",
        "a",
        '"condition_task"',
        "always `true`",
        job(task("a", condition_task=condition("1.0", "LESS_THAN", "12"))),
    ),
    ("condition-operand", "a", '"left"', "the list `[1, 2]`", job(task("a", condition_task=condition("[1, 2]")))),
    (
        "condition-operand",
        "a",
        '"right"',
        "`many` as `right` of LESS_THAN",
        job(task("a", condition_task=condition(op="LESS_THAN", right="many"))),
    ),
    ("for-each-inputs", "f", '"inputs"', "a JSON array", job(task("f", for_each_task={**EACH, "inputs": "x, y"}))),
    ("for-each-inputs", "f", '"inputs"', "`{", job(task("f", for_each_task={**EACH, "inputs": '{"a": 1}'}))),
    (
        "for-each-nested",
        "f",
        '"task"',
        "(`g`) inside",
        job(task("f", for_each_task={"inputs": "[1]", "task": {"task_key": "g", "for_each_task": EACH}})),
    ),
    (
        "unknown-pipeline",
        "p",
        '"pipeline_id"',
        "pipeline_id `123`",
        job(task("p", notebook_task=None, pipeline_task={"pipeline_id": "123"})),
    ),
    ("unknown-job", "a", "job_id", "job_id `5`", job(task("a", run_job_task={"job_id": 5}))),
    ("job-cycle", "a", '"job_id"', "j -> j", job(task("a", run_job_task=starts("j")))),
    (
        "missing-file",
        "a",
        '"notebook_path"',
        "`gone.ipynb`",
        job(task("a", notebook_task={"notebook_path": "gone.ipynb"})),
    ),
    (
        "missing-file",
        "a",
        '"notebook_path"',
        "Correct the path.",  # a suffix makes no name similar to another
        job(task("a", notebook_task={"notebook_path": "gone.ipynb"})),
    ),
    (
        "missing-file",
        "inner",
        '"gone.ipynb"',
        "`gone.ipynb`",
        job(task("f", for_each_task={**EACH, "task": task("inner", notebook_task={"notebook_path": "gone.ipynb"})})),
    ),
    (
        "missing-file",
        "a",
        '"python_file"',
        "`gone.py`",
        job(task("a", spark_python_task={"python_file": "gone.py"}, **WITH_CLUSTER)),
    ),
    (
        "missing-file",
        "a",
        '"path"',
        "outside of the bundle",
        job(task("a", sql_task={"warehouse_id": "w", "file": {"path": "../q.sql"}})),
    ),
    ("sql-task", "a", '"sql_task"', "nothing to run", job(task("a", sql_task={"warehouse_id": "w"}))),
    (
        "git-source",
        "a",
        '"source"',
        "without `git_source`",
        job(task("a", spark_python_task={**PYTHON, "source": "GIT"}, **WITH_CLUSTER)),
    ),
    (
        "git-source",
        "",
        '"git_source"',
        "git_branch and git_tag",
        job(git_source={**GIT, "git_branch": "b", "git_tag": "t"}),
    ),
    ("unknown-environment", "a", '"environment_key"', "`e`", job(task("a", environment_key="e"))),
    ("unknown-cluster", "a", '"job_cluster_key"', "`c`", job(task("a", job_cluster_key="c"))),
    ("missing-compute", "a", "{", "spark_python_task without compute", job(task("a", spark_python_task=PYTHON))),
    ("parameter-name", "", '"a b"', "`a b`", job(parameters=[{"name": "a b", "default": "1"}])),
    (
        "parameter-not-taken",
        "a",
        '"x"',
        "`takes.ipynb` takes: `v`",
        job(task("a", notebook_task={"notebook_path": "takes.ipynb", "base_parameters": {"x": "1"}})),
    ),
    ("parameter-missing", "a", '"notebook_path"', "no parameter `need`", job(task("a", notebook_task=NEEDS))),
    ("reference-member", "z", '"v"', "`job.start_time.iso_date`", job(value_of("{{job.start_time.date}}"))),
    ("reference-member", "z", '"v"', "one of `job.id`", job(value_of("{{job.notebook_url}}"))),
    ("reference-member", "z", '"v"', "nothing after `job.parameters`", job(value_of("{{job.parameters.p}}"))),
    (
        "reference-member",
        "z",
        '"v"',
        "of a notebook_task; expected it only of an SQL task",
        job(task("a"), value_of("{{tasks.a.output.rows}}", "a")),
    ),
    (
        "reference-member",
        "inner",
        '"b"',
        "one of `input.x`",
        job(
            task(
                "f",
                for_each_task={
                    "inputs": '[{"x": 1}]',
                    "task": task("inner", run_job_task={**starts("other"), "job_parameters": {"b": "{{input.y}}"}}),
                },
            )
        ),
    ),
    (
        "reference-task",
        "z",
        '"v"',
        "a task upstream, and there is none",
        job(task("a"), value_of("{{tasks.a.run_id}}")),
    ),
    ("reference-task", "z", '"v"', "one of `tasks.a`", job(task("a"), value_of("{{tasks.b.run_id}}", "a"))),
    (
        "reference-value",
        "z",
        '"v"',
        "a value that the task sets: one of `tasks.a.values.k`",
        job(SETS, value_of("{{tasks.a.values.kk}}", "a")),
    ),
    (
        "reference-value",
        "z",
        '"v"',
        "of a condition_task; expected it only of a notebook or Python task",
        job(task("a", condition_task=condition()), value_of("{{tasks.a.values.k}}", "a")),
    ),
    (
        "reference-trigger",
        "z",
        '"v"',
        "in a run that a schedule starts (a job with `schedule`",
        job(value_of("{{job.trigger.time.iso_date}}")),
    ),
    (
        "reference-trigger",
        "",
        '"default"',
        "`trigger.file_arrival`",
        job(parameters=[{"name": "p", "default": "{{job.trigger.file_arrival.location}}"}]),
    ),
    ("reference-input", "z", '"v"', "only in the task inside of a for-each task", job(value_of("{{input}}"))),
    ("workspace-value", "z", '"v"', "only a workspace has its value", job(value_of("${resources.jobs.j.url}/runs"))),
    (
        "workspace-value",
        "",
        '"default"',
        "`${resources.jobs.j.url}` as plain text",
        job(parameters=[{"name": "p", "default": "${resources.jobs.j.url}"}]),
    ),
    ("reference-literal", "z", '"v"', "Did you mean `job`?", job(value_of("{{jbo.id}}"))),
    (
        "reference-literal",
        "z",
        '"v"',
        "backticks",
        job(value_of("{{job.parameters.a-b}}"), parameters=[{"name": "a-b", "default": ""}]),
    ),
    (
        "continuous",
        "",
        '"schedule"',
        "both `schedule` and `continuous`",
        job(continuous={}, schedule={"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}),
    ),
    ("continuous", "b", '"depends_on"', "`depends_on`", job(task("a"), task("b", "a"), continuous={})),
    ("continuous", "a", '"max_retries"', "`max_retries`", job(task("a", max_retries=1), continuous={})),
    ("limit", "", '"tags"', "tags: 26", job(tags={str(number): "" for number in range(26)})),
    ("limit", "", '"tasks"', "tasks: 1,001", job(*(task(f"t{number}") for number in range(1001)))),
    ("limit", "", '"max_concurrent_runs"', "1,001", job(max_concurrent_runs=1001)),
    ("limit", "", '"timeout_seconds"', "-1", job(timeout_seconds=-1)),
    ("limit", "", '"parameters"', "bytes", job(parameters=[{"name": "p", "default": "x" * 10_000}])),
    ("limit", "", '"on_start"', "webhooks", job(webhook_notifications={"on_start": HOOKS})),
    ("limit", "f", '"concurrency"', "101", job(task("f", for_each_task={**EACH, "concurrency": 101}))),
    ("limit", "f", '"concurrency"', "1 to 100", job(task("f", for_each_task={**EACH, "concurrency": 0}))),
    ("limit", "z", '"base_parameters"', "1,000,000", job(value_of(BIG))),
    ("limit", "a", '"max_retries"', "-2", job(task("a", max_retries=-2))),
    ("useless-setting", "", '"max_concurrent_runs"', "every run is skipped", job(max_concurrent_runs=0)),
    (
        "useless-setting",
        "a",
        '"min_retry_interval_millis"',
        "without max_retries",
        job(task("a", min_retry_interval_millis=5)),
    ),
    (
        "useless-setting",
        "a",
        '"retry_on_timeout"',
        "without timeout_seconds",
        job(task("a", max_retries=1, retry_on_timeout=True)),
    ),
    (
        "useless-setting",
        "a",
        '"max_retries"',
        "never retried",
        job(task("a", condition_task=condition(), max_retries=1)),
    ),
    (
        "useless-setting",
        "a",
        '"email_notifications"',
        "notifies nobody",
        job(task("a", condition_task=condition(), email_notifications={"on_failure": ["x"]})),
    ),
    ("useless-setting", "", '"on_duration', "without a health rule", job(email_notifications={LATE: ["x"]})),
    ("useless-setting", "a", '"health"', "ends before", job(task("a", timeout_seconds=59, health=HEALTH))),
    (
        "useless-setting",
        "a",
        '"health"',
        "ends before",
        job(task("a", timeout_seconds=60, health=HEALTH, email_notifications={LATE: ["x", "y"], "on_failure": ["x"]})),
    ),
    (
        "useless-setting",
        "f",
        '"depends_on"',
        "of the for-each task itself",
        job(task("f", for_each_task={**EACH, "task": task("inner", "f")})),
    ),
]


@pytest.mark.parametrize(("rule", "where", "marker", "words", "broken"), CASES)
def test_a_broken_rule_is_found_alone_with_its_place(
    tmp_path: Path, rule: str, where: str, marker: str, words: str, broken: dict
) -> None:
    """Rule, job, task, line and words; no rule finds more than there is."""
    jobs = {"j": broken, "other": job(parameters=[{"name": "b", "default": ""}])}

    findings = found(tmp_path, jobs, FILES)

    assert [(each.rule, each.where.job, each.where.task) for each in findings] == [(rule, "j", where)]
    text = (tmp_path / "jobs.json").read_text().partition('"other": {')[0]
    assert findings[0].where.file == "jobs.json"
    assert marker in text.splitlines()[findings[0].where.line - 1]
    assert words in findings[0].message
    assert findings[0].found and findings[0].expected and findings[0].action


def test_a_threshold_at_the_timeout_may_stand_where_the_failure_is_told(tmp_path: Path) -> None:
    """One job for several targets: at the shorter timeout, the timeout is reported, at the longer, both."""
    told = {LATE: ["x"], "on_failure": ["x"]}
    allowed = job(
        task("silent", timeout_seconds=60, health=HEALTH),
        timeout_seconds=60,
        health=HEALTH,
        email_notifications=told,
    )

    assert found(tmp_path, {"j": allowed}) == []


@pytest.mark.parametrize("text", ["{{ job.parameters.[a-b] }}", "{{job.parameters.`a-b`}}", "{ {{job.run_id}} }"])
def test_what_the_run_resolves_is_a_reference(tmp_path: Path, text: str) -> None:
    """Names in brackets, as Databricks' own examples have them; and a reference between other braces."""
    taken = job(value_of(text), parameters=[{"name": "a-b", "default": ""}])

    assert not [each for each in found(tmp_path, {"j": taken}, FILES) if each.rule.startswith("reference")]
