"""Jobs that a bundle defines and changes in Python, as `python` in databricks.yml names it."""

from pathlib import Path
from textwrap import dedent

import pytest

from lakelocal.bundle import Bundle, load_bundle
from lakelocal.errors import BundleError
from lakelocal.project import Project

HEAD = """
    bundle: {name: b}
    python: {resources: ["resources:load_resources"], mutators: ["changes:rename"]}
    variables: {mail: {default: m@example.com}}
    include: [jobs/*.yml]
    targets: {dev: {presets: {name_prefix: "[DEV] "}}}
"""
PACKAGE = """
    from databricks.bundles.core import Bundle, Resources, load_resources_from_current_package_module

    def load_resources(bundle: Bundle) -> Resources:
        found = load_resources_from_current_package_module()
        found.add_job("generated", {
            "name": f"for {bundle.target}, {bundle.variables['mail']}",
            "tasks": [{"task_key": "t", "run_job_task": {"job_id": "${resources.jobs.written.id}"}}],
        })
        return found
"""
MODULE = """
    from databricks.bundles.jobs import ForEachTask, Job, NotebookTask, Task

    inner = Task(task_key="inner", notebook_task=NotebookTask(notebook_path="src/n.py"))
    nightly = Job(
        name="nightly",
        tasks=[Task(task_key="outer", for_each_task=ForEachTask(inputs="[1]", task=inner))],
    )
"""
CHANGES = """
    from dataclasses import replace

    from databricks.bundles.core import job_mutator
    from databricks.bundles.jobs import Job

    @job_mutator
    def rename(job: Job) -> Job:
        return replace(job, tags={"changed": "${var.mail}"}) if job.name == "[DEV] written" else job
"""
WRITTEN = """
    resources:
      jobs:
        written:
          name: written
          tasks:
            - task_key: a
              notebook_task: {notebook_path: ../src/n.py}
"""
FILES = {
    "databricks.yml": HEAD,
    "resources/__init__.py": PACKAGE,
    "resources/nightly.py": MODULE,
    "changes.py": CHANGES,
    "jobs/written.yml": WRITTEN,
    "src/n.py": "# Databricks notebook source\nprint(1)\n",
}


def load(root: Path, **files: str) -> Bundle:
    for name, text in {**FILES, **files}.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text))
    return load_bundle(Project.at(root))


def test_jobs_are_loaded_and_changed(tmp_path: Path) -> None:
    """Their paths are relative to the root of the bundle; presets, references and paths are as in written jobs.

    A mutator sees the names that are deployed.
    """
    jobs = load(tmp_path).jobs

    assert {key: (job.name, str(job.where)) for key, job in jobs.items()} == {
        "written": ("[DEV] written", "jobs/written.yml:4"),
        "nightly": ("[DEV] nightly", "resources/nightly.py:5"),
        "generated": ("[DEV] for dev, m@example.com", "resources/__init__.py:6"),
    }
    notebook = tmp_path / "src" / "n.py"
    assert jobs["nightly"].task("outer").nested.notebook == notebook
    assert jobs["generated"].task("t").child == "written"
    assert jobs["written"].task("a").notebook == notebook, "the mutator left its path where it was written"
    assert jobs["written"].settings["tags"] == {"changed": "m@example.com"}
    assert "tags" not in jobs["nightly"].settings


OTHERS = """
    from databricks.bundles.core import Resources
    from databricks.bundles.schemas import Schema
    from databricks.bundles.volumes import Volume

    def load_resources() -> Resources:
        found = Resources()
        found.add_schema("raw", Schema(catalog_name="main", name="raw"))
        found.add_volume("landing", Volume(catalog_name="main", schema_name="raw", name="${var.mail}"))
        return found
"""


def test_schemas_and_volumes_are_loaded_too(tmp_path: Path) -> None:
    """With presets and references, like those in files."""
    head = HEAD.replace("m@example.com", "landing").replace("[DEV] ", "dev")

    read = load(tmp_path, **{"resources/__init__.py": OTHERS, "databricks.yml": head})

    assert [str(each) for each in read.securables] == ["main.devraw", "main.devraw.landing"]


def test_the_block_has_an_old_name(tmp_path: Path) -> None:
    """`experimental.python` is `python`; both together are refused, and names from the old one are not known."""
    block = 'python: {resources: ["resources:load_resources"], mutators: ["changes:rename"]}'
    assert block in HEAD

    old = load(tmp_path, **{"databricks.yml": HEAD.replace(block, f"experimental: {{{block}}}")})
    assert list(old.jobs) == ["written", "nightly", "generated"]
    assert old.jobs["written"].settings["tags"] == {"changed": "m@example.com"}
    both = f"{block}\n    experimental: {{{block}}}"
    assert list(load(tmp_path, **{"databricks.yml": HEAD.replace(block, both)}).jobs) == list(old.jobs)
    for wrong in (
        f"{block}\n    experimental: {{python: {{venv_path: x}}}}",
        "experimental: {pydabs: {enabled: true}}",
    ):
        with pytest.raises(BundleError, match=r"databricks\.yml:\d+.*expected (only )?`python`"):
            load(tmp_path, **{"databricks.yml": HEAD.replace(block, wrong)})


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("resources/nightly.py", "import no_such_module", "No module named 'no_such_module'"),
        ("changes.py", CHANGES.replace("job.name ==", "job.nam =="), "Failed to apply 'rename' mutator"),
        (
            "resources/nightly.py",
            MODULE.replace("nightly = ", "written = "),
            "`resources/nightly.py:5`: job `written`: found `resources.jobs.written` a second time (first in "
            "`jobs/written.yml:4`)",
        ),
        ("resources/nightly.py", MODULE.replace("src/n.py", "n.py"), "job `nightly`, task `inner`: found no notebook"),
        ("databricks.yml", HEAD.replace("python: {", "python: {venv_path: env, "), "env/bin/python"),
    ],
)
def test_what_is_wrong_in_the_code_is_told(tmp_path: Path, file: str, text: str, message: str) -> None:
    """With the place that Python reports, and without its stack trace."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho no such library >&2\nexit 3\n")
    python.chmod(0o755)

    with pytest.raises(BundleError) as raised:
        read = load(tmp_path, **{file: text})
        for key in read.jobs:
            read.job(key)

    assert message in str(raised.value)
    assert "Traceback" not in str(raised.value)
