"""`validate` as a whole: everything at once, over all targets, for one job, as text and as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from lakelocal.cli.main import main
from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import ERROR, RULES
from lakelocal.project import Project
from lakelocal.validate import validate
from tests.unit.test_validate_rules import CASES
from tests.unit.validate_bundles import ROOT, condition, found, job, line_of, notebook, project, report, starts, task

HERE = Path(__file__).parents[2]
ELSEWHERE = "{task_key: a, notebook_task: {notebook_path: /Workspace/x}}"
DEEP_REFERENCES = """bundle: {name: b}
include: [jobs.json]
variables:
  a: {type: complex, default: {x: "${var.b}"}}
  b: {type: complex, default: {y: "${var.a}"}}
"""
HEAD_CASES: list[tuple[str, str, str]] = [
    ("syntax", "bundle: {name: b}\nresources: [1\n", "databricks.yml:3"),
    ("syntax", "[1]", "databricks.yml:1"),
    ("duplicate-key", "bundle: {name: b}\npresets: {}\npresets: {}\n", "databricks.yml:3"),
    (
        "duplicate-resource",
        ROOT + "resources: {jobs: {j: {tasks: [{task_key: a, run_job_task: {job_id: 1}}]}}}",
        "jobs.json:4",
    ),
    (
        "duplicate-task",
        "bundle: {name: b}\nresources:\n  jobs:\n    j:\n      tasks:\n"
        + "        - {task_key: a, notebook_task: {notebook_path: n.ipynb}}\n" * 2,
        "databricks.yml:7",
    ),
    ("include", "bundle: {name: b}\ninclude: [gone.json]\n", "databricks.yml:2"),
    ("unreadable-file", "bundle: {name: b}\ninclude: [latin.yml]\n", "latin.yml"),
    ("bundle-name", "include: [jobs.json]\n", "databricks.yml:1"),
    ("merge", ROOT + "sync: {paths: [.]}\ntargets:\n  t: {sync: {paths: x}}\n", "databricks.yml:5"),
    ("no-resource", ROOT + "resources: {schemas: {s: }}\n", "databricks.yml:3"),
    ("null-value", ROOT + "resources:\n  schemas: {s: {name: s, catalog_name: c, comment: }}\n", "databricks.yml:4"),
    ("shared-root", ROOT + "workspace:\n  root_path: /Workspace/Shared/b\n", "databricks.yml:4"),
    ("python-environment", ROOT + "python:\n  venv_path: .venv\n", "databricks.yml:4"),
    ("artifact-folder", ROOT + "artifacts:\n  w: {type: whl, path: gone}\n", "databricks.yml:4"),
    ("no-default-target", ROOT + "targets: {t: {}, u: {}}\n", "databricks.yml:3"),
    ("production-root", ROOT + "run_as: {user_name: a}\ntargets: {t: {mode: production}}\n", "databricks.yml:4"),
    ("run-as", ROOT + "run_as: {user_name: ''}\n", "databricks.yml:3"),
    ("run-as", ROOT + "run_as: {user_name: a, service_principal_name: b}\n", "databricks.yml:3"),
    ("run-as-deployer", ROOT + "run_as: {user_name: a}\nresources: {apps: {x: {name: x}}}\n", "databricks.yml:3"),
    ("bundle-name-reference", "bundle: {name: 'b_${bundle.target}'}\n", "databricks.yml:1"),
    ("resource-key", ROOT + "resources:\n  schemas: {'s${var.x}': {name: s, catalog_name: c}}\n", "databricks.yml:4"),
    (
        "computed-field",
        ROOT + "resources:\n  volumes: {v: {name: v, schema_name: s, catalog_name: c, volume_path: x}}\n",
        "databricks.yml:4",
    ),
    ("bundle-field", "bundle: {name: b, nmae: c}\ninclude: [jobs.json]\n", "databricks.yml:1"),
    ("bundle-field", ROOT + "targets:\n  t: {workspace: {rootpath: x}}\n", "databricks.yml:4"),
    ("bundle-field", ROOT + "variables:\n  x: {defualt: 1, default: 2}\n", "databricks.yml:4"),
    ("nested-include", "bundle: {name: b}\ninclude: [inner.yml]\n", "inner.yml:1"),
    ("workspace-path", ROOT + "workspace:\n  root_path: /Volumes/a/b/c\n", "databricks.yml:4"),
    ("permission", ROOT + "permissions:\n  - {level: CAN_DO, group_name: g}\n", "databricks.yml:4"),
    ("wrong-enum", ROOT + "variables:\n  x: {type: simple, default: 1}\n", "databricks.yml:4"),
    ("double-prefix", ROOT + "sync:\n  include: ['/Workspace/${workspace.file_path}/x']\n", "databricks.yml:4"),
    ("script", ROOT + "scripts:\n  s: {content: 'echo ${bundle.name}'}\n", "databricks.yml:4"),
    ("cli-version-unmet", "bundle: {name: b, databricks_cli_version: '>= 9.0.0'}\n", "databricks.yml:1"),
    ("cli-version", "bundle: {name: b, databricks_cli_version: '>= 9.0'}\ninclude: [jobs.json]\n", "databricks.yml:1"),
    ("unknown-variable", ROOT + "targets: {t: {variables: {x: 1}}}\n", "databricks.yml:3"),
    ("variable-type", ROOT + "variables: {typed: {default: 1}}\n", "databricks.yml:3"),
    ("reference-depth", DEEP_REFERENCES, "databricks.yml:1"),
    ("elsewhere", ROOT + "resources:\n  jobs: {k: {tasks: [" + ELSEWHERE + "]}}\n", "databricks.yml:4"),
    ("bundle-field", ROOT + "resource: {}\n", "databricks.yml:3"),
    ("bundle-field", ROOT + "targets:\n  t:\n    variable: {}\n", "databricks.yml:5"),
    ("default-target", ROOT + "targets: {t: {default: true}, u: {default: true}}\n", "databricks.yml:3"),
    ("target-mode", ROOT + "targets: {t: {mode: fast}}\n", "databricks.yml:3"),
    ("python", ROOT + "python:\n  resources: [gone:load]\n", "databricks.yml:3"),
    ("variable-value", ROOT + "variables:\n  x: {}\n", "databricks.yml:4"),
    ("variable-lookup", ROOT + "variables:\n  x: {lookup: {warehouse: w}}\n", "databricks.yml:4"),
    ("variable-reference", ROOT + "variables: {x: {default: '${var.y}'}}\n", "databricks.yml:3"),
    ("job-levels", "bundle: {name: b}\ninclude: [deep.json]\n", "deep.json:10"),
]
DEEP = {
    **{f"j{level}": job(task("a", run_job_task=starts(f"j{level + 1}"))) for level in range(1, 4)},
    "j4": job(),
}


@pytest.mark.parametrize(("rule", "head", "where"), HEAD_CASES)
def test_a_mistake_in_a_file_is_found_with_its_place(tmp_path: Path, rule: str, head: str, where: str) -> None:
    """What the reader of bundles finds is a finding too."""
    files = {
        "inner.yml": "include: [jobs.json]\n",
        "deep.json": json.dumps({"resources": {"jobs": DEEP}}, indent=1),
        ".databricks/bundle/default/variable-overrides.json": '{"typed": [1]}',
    }
    (tmp_path / "latin.yml").write_bytes(b"name: \xe9")
    if rule == "duplicate-resource":
        assert line_of(json.dumps({"resources": {"jobs": {"j": job()}}}, indent=1), '"j"') == 4

    findings = found(tmp_path, {"j": job()}, files, head=head)

    named = [each for each in findings if each.rule == rule]
    assert [str(each.where) for each in named] == [where]
    assert {each.rule for each in findings} - {rule} <= ({"unknown-job"} if rule == "duplicate-resource" else set())
    assert named[0].found and named[0].expected and named[0].action


def test_every_rule_is_broken_by_a_test() -> None:
    """There is no rule in the table that nothing proves."""
    proved = {case[0] for case in [*CASES, *HEAD_CASES]}

    assert set(RULES) - proved == {"never-runs", "schedule", "pipeline"}, "which have tests of their own"


def test_everything_is_found_in_one_go(tmp_path: Path) -> None:
    """A mistake in a file, in the shape, in the graph and in a notebook: none hides another."""
    jobs = json.dumps(
        {
            "resources": {
                "jobs": {
                    "j": job(task("a", "b"), task("b", "a"), task("c", "d", max_retries="x"), nmae=1),
                    "k": job(
                        task("a", notebook_task={"notebook_path": "gone.ipynb"}),
                        tags=dict.fromkeys(map(str, range(26)), ""),
                    ),
                }
            }
        }
    )

    findings = found(
        tmp_path, jobs.replace('"name": "J"', '"name": "J", "name": "J"'), head=ROOT + "variables: {x: {}}"
    )

    assert sorted({each.rule for each in findings}) == [
        *("cycle", "duplicate-key", "limit", "missing-file", "unknown-dependency"),
        *("unknown-field", "variable-value", "wrong-type"),
    ]


def test_a_job_that_breaks_no_rule(tmp_path: Path) -> None:
    """Every task type that runs here, branches, references and retries, without findings."""
    files = {
        "sets.ipynb": notebook("dbutils.jobs.taskValues.set('rows', 1)"),
        "takes.ipynb": notebook("print(v)", parameters="v = ''"),
        "sub/p.py": "",
        "q.sql": "",
    }
    tasks = [
        task("first", notebook_task={"notebook_path": "sets.ipynb"}, max_retries=2, min_retry_interval_millis=10),
        task("more", "first", condition_task=condition("{{tasks.first.values.rows}}", "GREATER_THAN", "0")),
        task(
            "each",
            "more=true",
            for_each_task={
                "inputs": '[{"a": 1}]',
                "concurrency": 100,
                "task": task(
                    "one", notebook_task={"notebook_path": "takes.ipynb", "base_parameters": {"v": "{{input.a}}"}}
                ),
            },
        ),
        task(
            "none",
            "more=false",
            spark_python_task={"python_file": "sub/p.py", "parameters": ["{{job.parameters.a_b}}"]},
            environment_key="e",
        ),
        task("last", "each", "none", run_if="ALL_DONE", sql_task={"warehouse_id": "w", "file": {"path": "q.sql"}}),
        task("sos", "first", run_if="AT_LEAST_ONE_FAILED", run_job_task=starts("other")),
    ]
    clean = job(
        *tasks,
        parameters=[{"name": "a_b", "default": "{{job.start_time.iso_date}}"}, {"name": "c-d.e", "default": 1}],
        environments=[{"environment_key": "e", "spec": {"environment_version": "4"}}],
        trigger={"periodic": {"interval": 1, "unit": "DAYS"}},
    )

    assert found(tmp_path, {"j": clean, "other": job()}, files) == []


TARGETS = (
    ROOT
    + """
targets:
  dev: {default: true}
  prod:
    resources:
      jobs:
        j:
          max_concurrent_runs: 2000
          tasks: [{task_key: extra, depends_on: [{task_key: gone}], notebook_task: {notebook_path: n.ipynb}}]
"""
)


def test_all_targets_are_looked_at_and_a_finding_is_told_once(tmp_path: Path) -> None:
    """With the targets that have it; a finding of a target has the place where the target writes it."""
    seen = report(tmp_path, {"j": job(task("a", environment_key="e"))}, head=TARGETS)

    told = {each.rule: (str(each.where), targets) for each, targets in seen.findings.items()}
    assert seen.targets == ("dev", "prod")
    assert told == {
        "unknown-environment": ("jobs.json:12", ("dev", "prod")),
        "limit": (f"databricks.yml:{line_of(TARGETS, '2000')}", ("prod",)),
        "unknown-dependency": (f"databricks.yml:{line_of(TARGETS, 'extra')}", ("prod",)),
    }
    assert [each.rule for each in validate(Project.at(tmp_path), target="dev").findings] == ["unknown-environment"]


def test_a_job_is_looked_at_with_those_that_it_starts(tmp_path: Path) -> None:
    """What is wrong with other jobs is left out; what is wrong with the bundle is not."""
    broken = task("a", environment_key="e")
    jobs = {"top": job(task("t", run_job_task=starts("low"))), "low": job(broken), "else": job(broken)}

    seen = report(tmp_path, jobs, head=ROOT + "resource: {}", job="top")

    assert [(each.rule, each.where.job) for each in seen.findings] == [
        ("bundle-field", ""),
        ("unknown-environment", "low"),
    ]
    assert seen.jobs == ("top", "low")
    with pytest.raises(UsageError, match="found no job `nope`"):
        validate(Project.at(tmp_path), job="nope")


@pytest.mark.parametrize(
    ("fields", "flags", "code"),
    [
        ({}, [], 0),
        ({}, ["--strict"], 0),
        ({"max_concurrent_runs": 0}, [], 0),
        ({"max_concurrent_runs": 0}, ["--strict"], 1),
        ({"max_concurrent_runs": -5000}, [], 1),
        ({"max_concurrent_runs": 5000}, [], 1),
        ({}, ["nope"], 2),
        ({}, ["--target", "nope"], 2),
        ({}, ["--var", "x=1"], 2),
    ],
)
def test_the_exit_code_says_what_was_found(tmp_path: Path, fields: dict, flags: list[str], code: int) -> None:
    """0 if clean, 1 with errors (with --strict also with warnings), 2 for wrong usage."""
    project(tmp_path, {"j": job(**fields)})

    assert main(["--project", str(tmp_path), "validate", *flags]) == code


def test_text_has_a_line_for_each_finding(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """`file:line: severity: job, task: found; expected. What to do. [rule]`, then the counts, then the fidelity."""
    project(tmp_path, {"j": job(task("a", environment_key="e"))})

    main(["--project", str(tmp_path), "validate"])

    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "jobs.json:12: error: job `j`, task `a`: found the environment_key `e`; expected one of `environments`: none: "
        "the job has no such block. Correct the key. [unknown-environment]",
        "1 error, 0 warnings in 1 job, 1 target (default)",
        "j runs here with 5 fields honoured, 1 approximated, 0 ignored, 0 refused "
        "(approximated: tasks.environment_key)",
    ]


def test_resources_that_are_only_deployed_are_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Dashboards, apps, ...: nobody shall think that they have run."""
    head = ROOT + "resources:\n  apps: {etl: {name: e}, more: {name: m}}\n  schemas: {s: {name: s, catalog_name: c}}\n"
    project(tmp_path, {"j": job()}, head=head)

    main(["--project", str(tmp_path), "validate"])
    assert "neither run nor created here: apps (etl, more)" in capsys.readouterr().out.splitlines()

    main(["--project", str(tmp_path), "validate", "--json"])
    assert json.loads(capsys.readouterr().out)["not_here"] == {"apps": ["etl", "more"]}


def test_json_has_all_that_the_text_has(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Findings with file and line apart, verdicts on fields, counts."""
    project(tmp_path, {"j": job(task("a", environment_key="e"))})

    main(["--project", str(tmp_path), "validate", "--json"])

    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (printed["targets"], printed["jobs"], printed["errors"], printed["warnings"]) == (["default"], ["j"], 1, 0)
    assert printed["findings"] == [
        {
            "severity": "error",
            "file": "jobs.json",
            "line": 12,
            "job": "j",
            "task": "a",
            "field": "environment_key",
            "rule": "unknown-environment",
            "found": "the environment_key `e`",
            "expected": "one of `environments`: none: the job has no such block",
            "action": "Correct the key.",
            "targets": ["default"],
        }
    ]
    assert [each["field"] for each in printed["fidelity"] if each["verdict"] == "approximated"] == [
        "tasks.environment_key"
    ]


def test_fidelity_shows_every_field_that_the_job_sets(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """One row per field, those that are not honoured first; a deployment sets two of them."""
    project(tmp_path, {"j": job(task("a", libraries=[{"jar": "x.jar"}]), task("b", "a"))})

    main(["--project", str(tmp_path), "validate", "j", "--fidelity"])

    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert [tuple(row) for row in rows if row and row[0] in ("ignored", "honoured")] == [
        ("ignored", "tasks.libraries.jar"),
        ("honoured", "name"),
        ("honoured", "max_concurrent_runs"),
        ("honoured", "queue.enabled"),
        ("honoured", "tasks.task_key"),
        ("honoured", "tasks.notebook_task.notebook_path"),
        ("honoured", "tasks.depends_on.task_key"),
    ]


@pytest.mark.parametrize(
    ("expression", "zone", "field"),
    [
        ("0 0 6 * *", "UTC", "quartz_cron_expression"),
        ("0 0 6 * * *", "UTC", "quartz_cron_expression"),
        ("0 61 6 * * ?", "UTC", "quartz_cron_expression"),
        ("0 0 6 * * ?", "Europe/Berln", "timezone_id"),
    ],
)
def test_a_schedule_that_is_none(tmp_path: Path, expression: str, zone: str, field: str) -> None:
    """Each mistake is reported at its own field; Quartz needs six fields and one `?`."""
    schedule = {"quartz_cron_expression": expression, "timezone_id": zone}

    findings = found(tmp_path, {"j": job(schedule=schedule)})

    text = (tmp_path / "jobs.json").read_text()
    assert [(each.rule, str(each.where)) for each in findings] == [("schedule", f"jobs.json:{line_of(text, field)}")]


def test_a_schedule_that_fires(tmp_path: Path) -> None:
    """With the time that only a scheduled run has."""
    schedule = {"quartz_cron_expression": "0 0 6 ? * MON-FRI", "timezone_id": "America/Sao_Paulo"}
    parameters = [{"name": "p", "default": "{{job.trigger.time.iso_date}}"}]

    assert found(tmp_path, {"j": job(schedule=schedule, parameters=parameters)}) == []


def test_the_bundle_of_this_project_has_no_errors() -> None:
    """All of its targets."""
    seen = validate(Project.at(HERE))

    assert len(seen.targets) == 3
    assert [each for each in seen.findings if each.severity == ERROR] == []
