"""What the Databricks CLI makes of a bundle, as a table: each row is a small bundle and a value of the resolved one.

The values are what CLI 1.13 prints for the same files with `bundle validate --output json`.
"""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from lakelocal.bundle import load_bundle
from lakelocal.bundle.known_fields import RESOURCE_TYPES
from lakelocal.bundle.load import read_configuration
from lakelocal.bundle.printed import as_printed
from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import ERROR, FindingError
from lakelocal.project import Project
from lakelocal.validate import validate

NOTEBOOK = "# Databricks notebook source\n"
TASK = "{task_key: a, notebook_task: {notebook_path: n.py}}"
NONE = object()
FILES = "/Workspace/Users/ana.lee@example.com/.bundle/b/default/files"


@pytest.fixture(autouse=True)
def _ana(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_USER", "ana.lee@example.com")
    for name in ("DATABRICKS_BUNDLE_TARGET", "DATABRICKS_BUNDLE_ENV", "DATABRICKS_CLUSTER_ID"):
        monkeypatch.delenv(name, raising=False)


def project(root: Path, text: str, **files: str) -> Project:
    head = "" if text.startswith("bundle:") else "bundle: {name: b}\n"
    written = {"databricks.yml": f"{head}{dedent(text)}", "n.py": NOTEBOOK}
    for name, content in {**written, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return Project.at(root)


def job(fields: str = "", tasks: str = TASK) -> str:
    """A bundle's resources with one job `j`."""
    return f"resources: {{jobs: {{j: {{{fields}{', ' if fields else ''}tasks: [{tasks}]}}}}}}\n"


def with_parameters(parameters: str) -> str:
    return job(tasks=TASK.replace("n.py}", f"n.py, base_parameters: {{{parameters}}}}}"))


def at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else NONE
        else:
            value = value.get(step, NONE) if isinstance(value, dict) else NONE
    return value


P = "resources.jobs.j.tasks.0.notebook_task.base_parameters"
SCHEMA = """
resources:
  schemas: {s: {catalog_name: c, name: raw}}
  volumes: {v: {catalog_name: c, schema_name: raw, name: w}}
"""
ROWS = yaml.safe_load((Path(__file__).parent / "fixtures" / "bundle_resolution.yml").read_text(encoding="utf-8"))
WARNED = (
    *("unknown-field", "wrong-enum", "missing-field", "wrong-type", "null-value", "duplicate-key", "duplicate-task"),
    *("bundle-field", "shared-root"),
)
RUNS_HERE = ("elsewhere", "python-environment", "artifact-folder")  # what only a deployment needs


def named(row: dict[str, Any]) -> str:
    return f"{row['difference']}-{row.get('at') or row['rule']}"


@pytest.mark.parametrize("row", ROWS["values"], ids=named)
def test_a_value_is_what_the_cli_makes_of_it(tmp_path: Path, row: dict[str, Any]) -> None:
    """One row of the table."""
    assert at(as_printed(read_configuration(project(tmp_path, row["bundle"]))), row["at"]) == row["is"]


COMPLEX = "variables: {c: {type: complex, default: []}, s: {default: x}}\n"
OVERRIDES = ".databricks/bundle/default/variable-overrides.json"


@pytest.mark.parametrize("row", ROWS["told"], ids=named)
def test_what_the_cli_refuses_or_warns_of_is_told(tmp_path: Path, row: dict[str, Any]) -> None:
    """With the severity that it has there: what only causes a warning stops nothing."""
    place = project(tmp_path, row["bundle"], **row.get("files", {}))

    found = {each.rule: each for each in validate(place).findings}[row["rule"]]

    assert row["words"] in f"{found.found}; expected {found.expected}"
    assert (found.severity == ERROR) == (row["rule"] not in (*WARNED, *RUNS_HERE))
    assert found.where.file


def test_names_of_jobs_are_those_that_are_deployed(tmp_path: Path) -> None:
    """6: a reference to a name includes its prefix."""
    text = """
    presets: {name_prefix: 'P '}
    resources:
      jobs:
        k: {name: K, tasks: [TASK]}
        j: {description: '${resources.jobs.k.name}', tasks: [TASK]}
    """

    assert load_bundle(project(tmp_path, text.replace("TASK", TASK))).job("j").settings["description"] == "P K"


def test_references_to_schemas_and_volumes_are_their_names(tmp_path: Path) -> None:
    """5: what a deployment yields is known here."""
    text = SCHEMA + "  jobs: {j: {description: '${resources.schemas.s.id} ${resources.volumes.v.id}', tasks: [TASK]}}\n"

    assert (
        load_bundle(project(tmp_path, text.replace("TASK", TASK))).job("j").settings["description"] == "c.raw c.raw.w"
    )


def test_values_for_complex_variables_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """17: through `--var` and `BUNDLE_VAR_`, which give text."""
    place = project(tmp_path, COMPLEX)

    with pytest.raises(UsageError, match="found `c`, a variable of type complex"):
        read_configuration(place, variables={"c": "[]"})
    monkeypatch.setenv("BUNDLE_VAR_c", "[]")
    assert [each.rule for each in validate(place).findings] == ["variable-type"]


def test_a_missing_file_is_told_before_the_target_that_it_would_have(tmp_path: Path) -> None:
    place = project(tmp_path, "include: ['targets/${bundle.target}.yml']\n")

    with pytest.raises(FindingError, match=r"found no file `targets/\$\{bundle.target\}.yml` in `include`"):
        read_configuration(place, target="dev")


def test_a_resource_type_outside_of_resources_is_told_where_it_belongs(tmp_path: Path) -> None:
    place = project(tmp_path, "schemas: {s: {name: s, catalog_name: c}}\nshares: {}\n")

    actions = [each.action for each in validate(place).findings]

    assert actions == ["Put it under `resources`.", "Remove it, or move it to where it belongs."]


@pytest.mark.parametrize(
    "resources",
    [
        "catalogs: {c: {name: [x]}}, volumes: {v: {catalog_name: [x], schema_name: {y: z}, name: v}}",
        "schemas: {s: {name: {y: z}, catalog_name: 1, grants: [{principal: [a], privileges: [{b: c}]}]}}",
        "registered_models: {m: {catalog_name: {x: y}, schema_name: [z]}}, pipelines: {p: {clusters: [{label: [a]}]}}",
        "job: [1], pipeline: text, jobs: {j: {name: 1}}",
    ],
)
def test_names_that_are_no_texts_are_told_and_stop_nothing(tmp_path: Path, resources: str) -> None:
    """Each is only a wrong value or an unknown field; the rest is read."""
    place = project(tmp_path, f"resources: {{{resources}}}\n")
    kinds = {name for name in yaml.safe_load(f"{{{resources}}}") if name in RESOURCE_TYPES}

    printed = as_printed(read_configuration(place))

    assert set(printed["resources"]) == kinds
    assert {each.rule for each in validate(place).findings} <= {*WARNED, "no-tasks", "pipeline"}


def test_a_target_has_to_be_named_where_none_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """19: by --target or DATABRICKS_BUNDLE_TARGET; the only target needs no name."""
    place = project(tmp_path, "targets: {dev: {}, prod: {}}")

    with pytest.raises(UsageError, match=r"no target .* with `default: true`; its targets are `dev`, `prod`. Specify"):
        load_bundle(place)
    for name in ("DATABRICKS_BUNDLE_ENV", "DATABRICKS_BUNDLE_TARGET"):
        monkeypatch.setenv(name, "prod")
        assert load_bundle(place).target == "prod"
        assert validate(place).targets == ("prod",)
        assert validate(place, target="dev").findings == {}
        monkeypatch.setenv(name, "nope")
        with pytest.raises(UsageError, match=f"{name}: found no target `nope`"):
            load_bundle(place)
        monkeypatch.delenv(name)
    assert load_bundle(project(tmp_path, "targets: {only: {default: false}}")).target == "only"


def test_a_lookup_wins_over_the_override_file_and_the_environment_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25: a lookup needs a workspace, so the variable has no value here until one is given."""
    place = project(tmp_path, "variables: {w: {lookup: {warehouse: x}}}", **{OVERRIDES: '{"w": "file"}'})

    assert "w" in load_bundle(place).unset
    monkeypatch.setenv("BUNDLE_VAR_w", "given")
    assert load_bundle(place).variables == {"w": "given"}


def test_a_bundle_of_what_the_cli_warns_of_is_strictly_invalid(tmp_path: Path) -> None:
    """35, 36: old names of blocks and blocks of anchors are no unknown fields."""
    text = ".a: &a {x: 1}\n.b:\n  - &b {y: 1}\nenvironments: {t: {default: true}}\nunknown: 1\n"

    told = [(each.rule, each.found) for each in validate(project(tmp_path, text)).findings]
    assert told == [("bundle-field", "the unknown field `unknown`")]


def test_includes_are_read_once_and_never_the_root(tmp_path: Path) -> None:
    """Overlapping patterns, and one that matches the root file."""
    part = "resources: {jobs: {j: {tasks: [" + TASK + "]}}}\n"
    text = "include: ['*.yml', 'j*.yml', j.yml]\nresources: {jobs: {r: {tasks: [" + TASK + "]}}}\n"

    place = project(tmp_path, text, **{"j.yml": part})

    assert validate(place).findings == {}
    assert as_printed(read_configuration(place))["include"] == ["j.yml"]


def test_of_two_anchors_with_one_key_the_last_counts(tmp_path: Path) -> None:
    """As in the CLI; the mapping's own keys win over both, wherever they are written."""
    text = """
    .a: &a {x: 1, y: 1, own: 1}
    .b: &b {x: 2, z: 2}
    variables: {v: {type: complex, default: {own: 3, <<: [*a, *b]}}}
    """

    assert load_bundle(project(tmp_path, text)).variables["v"] == {"x": 2, "y": 1, "z": 2, "own": 3}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("tasks: [{task_key: z}]", "a list over `${var.x}` as `tasks`"),
        ("timeout_seconds: '${var.n}'", "`${var.n}` over `5` as `timeout_seconds`"),
        ("tags: '${var.x}'", "`${var.x}` over a mapping as `tags`"),
    ],
)
def test_a_reference_does_not_merge_with_what_it_may_stand_for(tmp_path: Path, target: str, message: str) -> None:
    """Overriding comes before references are resolved; only that job is stopped."""
    text = f"""
    variables: {{x: {{type: complex, default: []}}, n: {{default: 1}}}}
    resources:
      jobs:
        j: {{tasks: "${{var.x}}", timeout_seconds: 5, tags: {{a: b}}}}
        other: {{tasks: [{TASK}]}}
    targets: {{t: {{resources: {{jobs: {{j: {{{target}}}}}}}}}}}
    """

    read = load_bundle(project(tmp_path, text))

    assert message in str(read.faults["j"][0]) and read.faults["j"][0].rule == "merge"
    assert list(read.sound_jobs()) == ["other"]


def test_a_text_over_a_number_of_a_field_of_texts_merges(tmp_path: Path) -> None:
    """Types are read first: a parameter is text, however it is written."""
    of_target = "targets: {t: {" + with_parameters("p: '${var.n}'").strip() + "}}"
    text = "variables: {n: {default: 2}}\n" + with_parameters("p: 5") + of_target

    assert at(as_printed(read_configuration(project(tmp_path, text))), f"{P}.p") == "2"


def test_json_is_what_the_cli_prints(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Permissions with the owner, deployed paths, no values that nothing has set."""
    from lakelocal.cli.main import main

    text = """
    permissions: [{level: CAN_RUN, group_name: users}]
    resources:
      jobs:
        j:
          environments: [{environment_key: e, spec: {dependencies: [./dist/*.whl, -r ./r.txt, pandas]}}]
          tasks:
            - {task_key: s, environment_key: e, spark_python_task: {python_file: p.py}, libraries: [{whl: dist/x.whl}]}
    """
    project(tmp_path, text, **{"p.py": "", "r.txt": ""})

    assert main(["--project", str(tmp_path), "validate", "--output", "json"]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["bundle", "permissions", "resources", "sync", "workspace"]
    assert printed["bundle"]["environment"] == printed["bundle"]["target"] == "default"
    found = printed["resources"]["jobs"]["j"]
    assert found["permissions"] == [
        {"group_name": "users", "level": "CAN_MANAGE_RUN"},
        {"user_name": "ana.lee@example.com", "level": "IS_OWNER"},
    ]
    assert found["environments"][0]["spec"]["dependencies"] == ["./dist/*.whl", f"-r {FILES}/r.txt", "pandas"]
    assert found["tasks"][0]["spark_python_task"] == {"python_file": f"{FILES}/p.py"}
    assert found["tasks"][0]["libraries"] == [{"whl": "dist/x.whl"}]


def test_paths_of_the_deployed_files_are_found_here(tmp_path: Path) -> None:
    """However a bundle writes the place of its files; a notebook has lost its extension there."""
    paths = {
        "a": "${workspace.root_path}/files/n",
        "b": "${workspace.file_path}/n",
        "c": "/Workspace/Users/ana.lee@example.com/.bundle/b/default/files/n",
        "d": "/Users/ana.lee@example.com/.bundle/b/default/files/n",
        "e": "/Workspace/${workspace.root_path}/files/n.py",
    }
    tasks = ", ".join(f"{{task_key: {key}, notebook_task: {{notebook_path: '{path}'}}}}" for key, path in paths.items())

    read = load_bundle(project(tmp_path, job(tasks=tasks))).job("j")

    assert {task.key: task.notebook for task in read.tasks} == dict.fromkeys(paths, tmp_path / "n.py")


def test_the_mistake_of_a_job_stops_it_and_those_that_start_it(tmp_path: Path) -> None:
    """But no other jobs; a task whose file is elsewhere stops none."""
    text = f"""
    resources:
      jobs:
        broken: {{tasks: [{{task_key: a, notebook_task: {{notebook_path: gone.py}}}}]}}
        starts: {{tasks: [{{task_key: a, run_job_task: {{job_id: "${{resources.jobs.broken.id}}"}}}}]}}
        outer: {{tasks: [{{task_key: a, run_job_task: {{job_id: "${{resources.jobs.starts.id}}"}}}}]}}
        typo: {{description: "${{var.nope}}", tasks: [{TASK}]}}
        foreign: {{tasks: [{{task_key: a, run_job_task: {{job_id: 7}}}}]}}
        scala: {{tasks: [{{task_key: a, notebook_task: {{notebook_path: n.scala}}}}]}}
        git: {{git_source: {{git_url: u, git_provider: gitHub, git_branch: m}}, tasks: [{TASK}]}}
        sound: {{tasks: [{TASK}]}}
    """

    read = load_bundle(project(tmp_path, text, **{"n.scala": "// Databricks notebook source\n"}))

    assert list(read.sound_jobs()) == ["foreign", "scala", "git", "sound"]
    assert {key: [each.rule for each in found] for key, found in read.faults.items()} == {
        "broken": ["missing-file"],
        "typo": ["variable-reference"],
    }
    late = {key: read.job(key).tasks[0].elsewhere for key in ("foreign", "scala", "git", "sound")}
    assert {key: each and each.rule for key, each in late.items()} == {
        **{"foreign": "unknown-job", "scala": "elsewhere", "git": "elsewhere"},
        "sound": None,
    }


def test_a_wheel_is_built_by_default_where_the_bundle_is(tmp_path: Path) -> None:
    """What the CLI prints of artifacts has the paths of this machine."""
    text = "artifacts: {a: {type: whl}, b: {type: whl, path: ./lib, build: make}, c: {files: [{source: x.txt}]}}"

    assert as_printed(read_configuration(project(tmp_path, text)))["artifacts"] == {
        "a": {
            "build": "python3 setup.py bdist_wheel",
            "files": [{"source": f"{tmp_path}/dist/*.whl"}],
            "path": str(tmp_path),
            "type": "whl",
        },
        "b": {
            "build": "make",
            "files": [{"source": f"{tmp_path}/lib/dist/*.whl"}],
            "path": f"{tmp_path}/lib",
            "type": "whl",
        },
        "c": {"files": [{"source": f"{tmp_path}/x.txt"}], "path": str(tmp_path)},
    }
