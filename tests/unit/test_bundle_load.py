"""Reading bundles: includes, targets, variables, references, and the messages for what is wrong."""

import json
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lakelocal.bundle import Bundle, load_bundle, load_settings
from lakelocal.errors import BundleError, UsageError
from lakelocal.jobs.checks import check_run
from lakelocal.lakeflow.findings import Where
from lakelocal.project import Project

NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
ONE_TASK = "tasks: [{task_key: a, notebook_task: {notebook_path: ./n.ipynb}}]"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUNDLE_VAR_x", raising=False)


def write(root: Path, files: dict[str, str]) -> Project:
    for name, text in {"n.ipynb": NOTEBOOK, **files}.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text))
    return Project.at(root)


def bundle(root: Path, text: str, **settings: Any) -> Bundle:
    return load_bundle(write(root, {"databricks.yml": text}), **settings)


def errors(root: Path, files: dict[str, str]) -> str:
    """What stops the bundle, or the first of its jobs with a mistake."""
    with pytest.raises(BundleError) as raised:
        read = load_bundle(write(root, files))
        for key in {**read.jobs, **read.faults}:
            read.job(key)
    return str(raised.value)


def warnings(root: Path, files: dict[str, str]) -> list[str]:
    """What a run goes on without."""
    return [str(each) for each in load_bundle(write(root, files)).warnings]


def test_files_are_included_by_pattern(tmp_path: Path) -> None:
    """JSON and YAML are bundle fragments; paths are relative to the file that defines them."""
    project = write(
        tmp_path,
        {
            "databricks.yml": "bundle: {name: b}\ninclude: [jobs/*.json, jobs/*.yml]",
            "jobs/one.json": '{"resources": {"jobs": {"one": {"name": "One", "tasks": [\n'
            '\t{"task_key": "a", "notebook_task": {"notebook_path": "../n.ipynb"}}]}}}}',
            "jobs/two.yml": f"resources: {{jobs: {{two: {{{ONE_TASK.replace('./', '../')}}}}}}}",
        },
    )

    read = load_bundle(project)

    assert list(read.jobs) == ["one", "two"]
    assert read.job("one").tasks[0].notebook == tmp_path / "n.ipynb"
    assert read.job("one").tasks[0].where == Where("jobs/one.json", 2, "one", "a")
    assert read.job("two").name == "Untitled"


def test_a_notebook_of_the_bundle_is_named_with_its_extension(tmp_path: Path) -> None:
    """Only a deployed one has lost its extension."""
    files = {"databricks.yml": f"bundle: {{name: b}}\nresources: {{jobs: {{j: {{{ONE_TASK.replace('.ipynb', '')}}}}}}}"}

    assert "task `a`: found no notebook `./n`; expected `./n.ipynb`, with its extension" in errors(tmp_path, files)


TARGETS = f"""
    bundle: {{name: b}}
    variables:
      catalog: {{default: base}}
      mail: {{type: complex, default: {{}}}}
    resources:
      jobs:
        j:
          name: Job
          timeout_seconds: 10
          schedule: {{quartz_cron_expression: "0 0 6 * * ?", timezone_id: UTC}}
          parameters: [{{name: catalog, default: "${{var.catalog}}"}}, {{name: n, default: 1}}]
          email_notifications: ${{var.mail}}
          {ONE_TASK}
    targets:
      dev:
        presets: {{name_prefix: "[DEV] ", trigger_pause_status: PAUSED, tags: {{team: data}}}}
      prod:
        default: true
        variables: {{catalog: live, mail: {{on_failure: [x@example.com]}}}}
        resources:
          jobs:
            j:
              timeout_seconds: 20
              parameters: [{{name: n, default: 2}}, {{name: more, default: "3"}}]
              tasks:
                - {{task_key: a, max_retries: 2}}
                - {{task_key: Z, notebook_task: {{notebook_path: n.ipynb}}, depends_on: [{{task_key: a}}]}}
"""


def test_a_target_overrides_and_adds(tmp_path: Path) -> None:
    """Maps merge, scalars are replaced, lists are joined: tasks by task_key, parameters by name."""
    read = bundle(tmp_path, TARGETS)

    job = read.job("j")
    assert (read.target, read.catalog, job.timeout_seconds) == ("prod", "live", 20)
    assert job.parameters == {"catalog": "live", "n": "2", "more": "3"}
    assert [(each.key, each.max_retries, each.kind) for each in job.tasks] == [
        ("Z", 0, "notebook_task"),
        ("a", 2, "notebook_task"),
    ]
    assert job.settings["email_notifications"] == {"on_failure": ["x@example.com"]}
    assert job.settings["schedule"]["pause_status"] == "UNPAUSED"


def test_presets_change_names_tags_and_pause(tmp_path: Path) -> None:
    """Without a mode, only the presets apply."""
    job = bundle(tmp_path, TARGETS, target="dev").job("j")

    assert job.name == "[DEV] Job"
    assert job.settings["schedule"]["pause_status"] == "PAUSED"
    assert job.settings["tags"] == {"team": "data"}
    assert job.settings["timeout_seconds"] == 10


def test_an_explicit_pause_status_wins_over_the_preset(tmp_path: Path) -> None:
    """As in the CLI."""
    text = TARGETS.replace("timezone_id: UTC", "timezone_id: UTC, pause_status: UNPAUSED")

    assert bundle(tmp_path, text, target="dev").job("j").settings["schedule"]["pause_status"] == "UNPAUSED"


def test_development_mode_prefixes_and_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prefix contains the user; four concurrent runs unless the job says otherwise."""
    monkeypatch.setenv("LOGNAME", "ana.b")

    presets = 'presets: {name_prefix: "[DEV] ", trigger_pause_status: PAUSED, tags: {team: data}}'
    assert presets in TARGETS

    job = bundle(tmp_path, TARGETS.replace(presets, "mode: development"), target="dev")

    assert job.job("j").name == "[dev ana_b] Job"
    assert job.job("j").settings["max_concurrent_runs"] == 4
    assert job.job("j").settings["tags"] == {"dev": "ana_b"}
    assert job.job("j").settings["schedule"]["pause_status"] == "PAUSED"


VARIABLES = """
    bundle: {name: b}
    variables:
      x: {default: from default}
      y: {default: "${var.x} and ${bundle.target}"}
      n: {default: 3}
    targets: {t: {default: true}, u: {variables: {x: from target}}}
"""


def test_order_of_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--var, then the environment, then the override file, then the target's default, then the default."""
    project = write(tmp_path, {"databricks.yml": VARIABLES})

    def value(**given: str) -> str:
        return load_settings(project, target="u", variables=given).variables["x"]

    assert load_settings(project, target="t").variables == {"x": "from default", "y": "from default and t", "n": 3}
    assert value() == "from target"
    write(tmp_path, {".databricks/bundle/u/variable-overrides.json": '{"x": "from file"}'})
    assert value() == "from file"
    monkeypatch.setenv("BUNDLE_VAR_x", "from environment")
    assert value() == "from environment"
    assert value(x="given") == "given"


def test_a_whole_reference_keeps_its_type(tmp_path: Path) -> None:
    """`${var.n}` is the number 3; inside a text it is text."""
    read = bundle(
        tmp_path,
        VARIABLES
        + f"""
    resources: {{jobs: {{j: {{timeout_seconds: "${{var.n}}", name: "n ${{var.n}} of ${{bundle.name}}", {ONE_TASK}}}}}}}
    """,
    )

    assert read.job("j").settings["timeout_seconds"] == 3
    assert read.job("j").name == "n 3 of b"


def test_a_reference_to_a_job_is_its_own_id(tmp_path: Path) -> None:
    """`${resources.jobs.K.id}` stays literal until deploy; here it is the id of the job on this machine."""
    read = bundle(
        tmp_path,
        f"""
    bundle: {{name: b}}
    resources:
      jobs:
        child: {{{ONE_TASK}}}
        parent:
          tasks: [{{task_key: t, run_job_task: {{job_id: "${{resources.jobs.child.id}}"}}}}]
    """,
    )

    assert read.job("parent").tasks[0].child == "child"
    assert read.job("parent").tasks[0].settings["run_job_task"]["job_id"] == read.job("child").id


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "v"}, "found no target `v` in `databricks.yml`; its targets are `t`, `u`"),
        ({"variables": {"z": "1"}}, "found no variable `z`; the bundle declares `x`, `y`, `n`"),
    ],
)
def test_unknown_names_are_refused_with_the_legal_ones(tmp_path: Path, settings: dict, message: str) -> None:
    """Wrong use, not a wrong bundle: exit code 2."""
    with pytest.raises(UsageError, match=message):
        bundle(tmp_path, VARIABLES, **settings)


HEAD = "bundle: {name: b}\n"
JOB = HEAD + "resources:\n  jobs:\n    j:\n      name: J\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "a: [1\n", "`databricks.yml:3`: found invalid YAML"),
        ("[1]", "`databricks.yml:1`: found a list; expected a mapping"),
        ("targets: {t: {}}", "found no `bundle.name`"),
        (HEAD + "include: [no.yml]", "`databricks.yml:2`: found no file `no.yml` in `include`"),
        (HEAD + "include: ['*.ipynb']", "found `n.ipynb` by the pattern `*.ipynb`; expected .yml, .yaml, .json"),
        (HEAD + "variables:\n  catalog: {}\n", "`databricks.yml:3`: found no value for the variable `catalog`"),
        (
            HEAD + "variables: {x: {}, catalog: {default: '${var.x}_c'}}",
            "`databricks.yml:2`: found no value for the variable `x`",
        ),
        (HEAD + "variables: {x: {default: '${var.y}'}, y: {default: '${var.x}'}}", "cycle of references"),
        (
            JOB.replace("J\n", "${var.nope}\n") + f"      {ONE_TASK}\n",
            "`databricks.yml:5`: job `j`: found `${var.nope}`; expected a name in `var`, which has none",
        ),
        (JOB, "`databricks.yml:4`: job `j`: found no tasks"),
        (JOB + "      tasks: [{task_key: a}]", "task `a`: found no task type"),
        (
            JOB + "      tasks: [{task_key: a, notebok_task: {notebook_path: n.ipynb}}]",
            "task `a`: found `notebok_task`, which is no task type; expected exactly one, such as `notebook_task`. Did "
            "you mean `notebook_task`?",
        ),
        (
            JOB + "      tasks: [{task_key: a, notebook_task: {notebook_path: n.ipynb}, run_job_task: {job_id: 1}}]",
            "task `a`: found 2 task types (notebook_task, run_job_task)",
        ),
        (JOB + "      tasks: [{task_key: 'a b', notebook_task: {notebook_path: n.ipynb}}]", "found the task_key `a b`"),
        (
            JOB + "      tasks: ${var.t}\n" + "variables: {t: {type: complex, default: []}}\n"
            "targets: {u: {resources: {jobs: {j: {tasks: [{task_key: a}]}}}}}",
            "`databricks.yml:8`: job `j`: found a list over `${var.t}` as `tasks`; expected a value of the same kind",
        ),
        (HEAD + "targets:\n  t: {variables: {x: 1}}", "`databricks.yml:3`: found a value for `x`; expected a declared"),
        (
            JOB + "      tasks: [{task_key: a, notebook_task: {notebook_path: n.ipynb}, depends_on: [{task_key: b}]}]",
            "task `a`: found the dependency `b`; expected no dependency, since the job has no other task",
        ),
        (
            JOB
            + "      tasks:\n"
            + "        - {task_key: a, notebook_task: {notebook_path: n.ipynb}, depends_on: [{task_key: b}]}\n"
            + "        - {task_key: b, notebook_task: {notebook_path: n.ipynb}, depends_on: [{task_key: a}]}\n",
            "found a cycle of dependencies in `a`, `b`",
        ),
        (
            JOB
            + "      tasks:\n        - task_key: a\n          notebook_task:\n            notebook_path: gone.ipynb\n",
            "`databricks.yml:9`: job `j`, task `a`: found no notebook `gone.ipynb`",
        ),
        (
            JOB + "      tasks: [{task_key: a, notebook_task: {notebook_path: ../x}}]",
            "found `../x`, which is outside of the bundle",
        ),
        (
            JOB + "      tasks: [{task_key: a, notebook_task: {notebook_path: databricks.yml}}]",
            "which is no notebook; expected one of `.ipynb`, `.py`, `.sql`",
        ),
    ],
)
def test_mistakes_are_named_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    """Where, what was found, what was expected."""
    assert message in errors(tmp_path, {"databricks.yml": text})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "sync: {}\nsync: {}\n", "`databricks.yml:3`: found the key `sync` twice (first in line 2)"),
        (
            JOB + "      nmae: x\n      " + ONE_TASK,
            "`databricks.yml:6`: job `j`: found the unknown field `nmae`; expected a field of a Job. Did you mean",
        ),
        (
            JOB + "      tasks:\n        - {task_key: a, notebook_task: {notebook_path: n.ipynb}, max_retries: three}",
            "`databricks.yml:7`: job `j`, task `a`: found `three` as `max_retries`; expected a whole number",
        ),
        (
            JOB + "      tasks: [{task_key: a, notebook_task: {}}]",
            "found no `notebook_path` in this NotebookTask",
        ),
        (
            JOB + "      tasks: [{task_key: a, run_if: NEVER, notebook_task: {notebook_path: n.ipynb}}]",
            "found `NEVER` as `run_if`; expected one of `ALL_SUCCESS`",
        ),
        (
            JOB + "      tasks:\n        - &a {task_key: a, notebook_task: {notebook_path: n.ipynb}}\n        - *a",
            "found the task `a` twice (first at `databricks.yml:7`): the second overrides it",
        ),
        (
            JOB + "      tasks: [{task_key: a, notebook_task: {notebook_path: /Workspace/x}}]",
            "found the notebook `/Workspace/x` of a workspace",
        ),
        (
            JOB + "      tasks: [{task_key: a, run_job_task: {job_id: 5}}]",
            "found job_id `5`; expected a job of this bundle",
        ),
    ],
)
def test_what_the_cli_goes_on_without_stops_nothing(tmp_path: Path, text: str, message: str) -> None:
    """The CLI warns, and so does this project, with file and line."""
    assert [message in each for each in warnings(tmp_path, {"databricks.yml": text})] == [True]


def test_all_mistakes_of_the_jobs_are_listed_at_once(tmp_path: Path) -> None:
    """One run of the command shows all of them."""
    text = JOB + "      tasks: [{task_key: a}, {task_key: b}]"

    assert len(errors(tmp_path, {"databricks.yml": text}).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "x: &x\n  y: *x\n", "`databricks.yml:2`: found an anchor that contains an alias of itself"),
        (
            HEAD + "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            "`databricks.yml`: found aliases that expand to more than 250,000 values",
        ),
        (HEAD + "x: {<<: 5}\n", "`databricks.yml:2`: found `<<` with something other than an alias"),
        (HEAD + "x: {<<: {a: 1}}\n", "`databricks.yml:2`: found `<<` with something other than an alias"),
        (HEAD + "a: &a {x: 1}\nb: {<<: *a, <<: *a}\n", "`databricks.yml:3`: found `<<` twice in one mapping"),
    ],
)
def test_aliases_end(tmp_path: Path, text: str, message: str) -> None:
    """A file whose aliases make no value, or too many, is told instead of read for ever."""
    assert message in errors(tmp_path, {"databricks.yml": text})


def test_references_in_a_circle_end(tmp_path: Path) -> None:
    """Complex values that hold each other several times grow fast: what is left stays as it is written."""
    many = "[" + ", ".join(["'${var.VAR}'"] * 20) + "]"
    one, two = (f"{{type: complex, default: {many.replace('VAR', name)}}}" for name in ("b", "a"))

    (told,) = warnings(tmp_path, {"databricks.yml": f"{HEAD}variables: {{a: {one}, b: {two}}}"})

    assert "found references that refer to each other more than 11 levels deep" in told


def test_wrong_json_is_named_with_its_line(tmp_path: Path) -> None:
    """The YAML reader would accept a trailing comma, which Python and Databricks' UI do not."""
    found = errors(tmp_path, {"databricks.yml": HEAD + "include: [j.json]", "j.json": '{"resources": {},\n}'})

    assert found.startswith("`j.json:2`: found invalid JSON")


def test_a_number_in_json_that_python_does_not_read_is_told(tmp_path: Path) -> None:
    """Python reads no integers of more than 4,300 digits, and reports that with another error than JSON's."""
    found = errors(tmp_path, {"databricks.yml": HEAD + "include: [j.json]", "j.json": f'{{"n": {"1" * 5000}}}'})

    assert found == (
        "`j.json`: found invalid JSON: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 "
        "digits; expected a mapping in YAML or JSON. Correct the file."
    )


def test_a_resource_is_defined_in_one_file(tmp_path: Path) -> None:
    """If two files had the same job, one of them would be hidden."""
    job = f"resources: {{jobs: {{j: {{{ONE_TASK}}}}}}}"
    found = errors(tmp_path, {"databricks.yml": HEAD + "include: ['*.yaml']", "a.yaml": job, "b.yaml": job})

    assert "`b.yaml:1`: job `j`: found `resources.jobs.j` a second time (first in `a.yaml:1`)" in found


def test_texts_that_yaml_1_1_would_change_stay_texts(tmp_path: Path) -> None:
    """Dates, `yes` and 1:30 are text, as for Databricks' reader."""
    text = HEAD + "variables: {a: {default: 2024-01-02}, b: {default: yes}, c: {default: 1:30}, d: {default: true}}"

    read = load_settings(write(tmp_path, {"databricks.yml": text}))

    assert read.variables == {"a": "2024-01-02", "b": "yes", "c": "1:30", "d": True}


def test_settings_are_read_although_a_job_is_wrong(tmp_path: Path) -> None:
    """`sql` and `status` work while a job file is being written."""
    project = write(tmp_path, {"databricks.yml": JOB + "variables: {catalog: {default: c}}"})

    assert load_settings(project).catalog == "c"
    with pytest.raises(BundleError):
        load_bundle(project).job("j")


def test_a_complex_variable_may_hold_tasks(tmp_path: Path) -> None:
    """Its notebooks are found from the file of the variable."""
    text = HEAD + (
        "variables: {work: {type: complex, default: [{task_key: a, notebook_task: {notebook_path: ./n.ipynb}}]}}\n"
        "resources: {jobs: {j: {tasks: '${var.work}'}}}"
    )

    assert bundle(tmp_path, text).job("j").tasks[0].notebook == tmp_path / "n.ipynb"


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=start")
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_git_is_that_of_the_checkout(tmp_path: Path) -> None:
    """The branch that a target names wins over the one that is checked out."""
    root = tmp_path / "repository" / "part"
    root.mkdir(parents=True)
    git(root.parent, "init")
    git(root.parent, "commit", "--allow-empty", "-m", "first")
    git(root.parent, "remote", "add", "origin", "https://example.com/a.git")
    every = "branch commit origin_url actual_branch bundle_root_path"
    text = (
        HEAD + "variables:\n" + "".join(f"  {each}: {{default: '${{bundle.git.{each}}}'}}\n" for each in every.split())
    )

    found = load_settings(write(root, {"databricks.yml": text})).variables

    assert found == {
        "branch": "start",
        "commit": git(root, "rev-parse", "HEAD"),
        "origin_url": "https://example.com/a.git",
        "actual_branch": "start",
        "bundle_root_path": "part",
    }
    named = load_settings(write(root, {"databricks.yml": text + "targets: {t: {git: {branch: main}}}"})).variables
    assert (named["branch"], named["actual_branch"]) == ("main", "start")


def test_git_is_empty_without_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the CLI; a repository above the tests' folder is ignored."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    text = HEAD + "variables: {v: {default: 'at ${bundle.git.commit}'}}"

    assert load_settings(write(tmp_path, {"databricks.yml": text})).variables == {"v": "at "}


def test_fields_of_other_resources_are_those_that_are_written(tmp_path: Path) -> None:
    """The id of a schema is its full name; what exists only in a workspace stays a reference."""
    text = HEAD + (
        "variables: {v: {default: schema}}\n"
        "resources:\n"
        "  schemas: {s: {name: 'a_${var.v}', catalog_name: main}}\n"
        "  jobs:\n"
        "    j:\n"
        "      name: ${resources.schemas.s.name} ${resources.schemas.s.id} ${resources.schemas.s.url}\n"
        f"      {ONE_TASK}\n"
    )

    assert bundle(tmp_path, text).job("j").name == "a_schema main.a_schema ${resources.schemas.s.url}"


def test_the_user_has_the_names_of_a_databricks_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Databricks' own examples greet the person by `displayName`; templates notify the first of the addresses."""
    monkeypatch.setenv("LOGNAME", "ana.b")
    fields = {"userName": "userName", "displayName": "displayName", "short_name": "short_name"}
    fields |= {"mail": "emails[0].value", "id": "id"}
    text = "".join(f"  {name}: {{default: '${{workspace.current_user.{field}}}'}}\n" for name, field in fields.items())

    values = dict(load_settings(write(tmp_path, {"databricks.yml": f"{HEAD}variables:\n{text}"})).variables)

    assert values.pop("id").isdecimal()
    assert values == {"userName": "ana.b", "displayName": "ana.b", "short_name": "ana_b", "mail": "ana.b"}


def test_files_may_lie_in_folders_that_are_synced(tmp_path: Path) -> None:
    """`sync.paths` is relative to the file that has it; files outside these folders are not deployed."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "s.ipynb").write_text(NOTEBOOK)
    text = HEAD + (
        "sync: {paths: [., ../shared]}\n"
        "variables: {files: {default: '${workspace.file_path}'}}\n"
        "resources: {jobs: {j: {tasks: [{task_key: a, notebook_task: {notebook_path: ../shared/s.ipynb}}]}}}"
    )

    read = bundle(tmp_path / "b", text)

    assert read.job("j").task("a").notebook == tmp_path / "shared" / "s.ipynb"
    assert read.variables == {"files": str(tmp_path)}, "the folder around all that is deployed"
    with pytest.raises(BundleError, match="outside of the bundle"):
        bundle(tmp_path / "b", text.replace(", ../shared]", "]")).job("j")


@pytest.mark.parametrize(
    ("variables", "catalog"),
    [
        ("{}", "main"),
        ("{catalog: {default: a}, catalog_name: {default: b}}", "a"),
        ("{catalog_name: {default: '${bundle.target}_lake'}}", "default_lake"),
        ("{uc_catalog: {default: c}, other: {default: d}}", "c"),
    ],
)
def test_the_catalog_of_a_run_is_a_variable_of_the_bundle(tmp_path: Path, variables: str, catalog: str) -> None:
    """Bundles have no field for it; these are the names under which they pass it to their notebooks."""
    text = f"{HEAD}variables: {variables}\n"

    assert load_settings(write(tmp_path, {"databricks.yml": text})).catalog == catalog


def test_a_path_from_the_place_of_the_deployed_files_is_one_of_the_bundle(tmp_path: Path) -> None:
    """`${workspace.file_path}` is how bundles name their own files without counting folders."""
    paths = "{notebook_path: '${workspace.file_path}/n'}", "{python_file: '${workspace.file_path}/src/p.py'}"
    tasks = f"[{{task_key: a, notebook_task: {paths[0]}}}, {{task_key: b, spark_python_task: {paths[1]}}}]"
    job = f"resources: {{jobs: {{j: {{tasks: {tasks}}}}}}}"
    files = {"databricks.yml": HEAD + "include: [jobs/*.yml]", "jobs/j.yml": job, "src/p.py": ""}

    read = load_bundle(write(tmp_path, files)).job("j")

    assert read.task("a").notebook == tmp_path / "n.ipynb"
    assert read.task("b").file == tmp_path / "src" / "p.py"


UNSET = """
    bundle: {name: b}
    variables:
      none: {}
      looked_up: {lookup: {warehouse: w}}
      both: {default: "${var.none}/${var.looked_up}"}
    resources:
      jobs:
        j:
          tasks: [{task_key: a, notebook_task: {notebook_path: ./n.ipynb}, FIELDS}]
        starts:
          tasks: [{task_key: a, run_job_task: {job_id: "${resources.jobs.j.id}"}}]
        other:
          tasks: [{task_key: a, notebook_task: {notebook_path: ./n.ipynb}}]
"""


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("timeout_seconds: '${var.none}'", ["`databricks.yml:4`: found no value for the variable `none`"]),
        (
            "description: 'at ${var.both}'",
            ["no value for the variable `none`", "only a `lookup` for the variable `looked_up`"],
        ),
        ("description: '${variables.looked_up.value}'", ["needs a workspace; expected a default or a given value"]),
        ("existing_cluster_id: '${var.looked_up}'", []),
        ("new_cluster: {policy_id: '${var.none}', num_workers: 1}", []),
    ],
)
def test_a_variable_needs_a_value_where_a_run_needs_it(tmp_path: Path, fields: str, told: list[str]) -> None:
    """In the job itself or one that it starts, in a field that has an effect here; other jobs run without it."""
    read = bundle(tmp_path, UNSET.replace("FIELDS", fields))

    check_run(read, read.job("other"))
    for key in ("j", "starts"):
        if not told:
            check_run(read, read.job(key))
            continue
        with pytest.raises(BundleError) as raised:
            check_run(read, read.job(key))
        assert len(str(raised.value).splitlines()) == len(told)
        assert all(each in line for each, line in zip(told, str(raised.value).splitlines(), strict=True))


def test_a_path_in_a_variable_without_a_value_is_told_when_it_is_needed(tmp_path: Path) -> None:
    """If it has a value, the job runs."""
    text = UNSET.replace("./n.ipynb}, FIELDS", "'${var.none}'}")

    read = bundle(tmp_path, text)
    with pytest.raises(BundleError, match="found no value for the variable `none`"):
        check_run(read, read.job("j"))

    assert bundle(tmp_path, text, variables={"none": "n.ipynb"}).job("j").task("a").notebook == tmp_path / "n.ipynb"
