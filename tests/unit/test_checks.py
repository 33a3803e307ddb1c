"""What is said about a job before it runs."""

from pathlib import Path

from lakelocal.bundle import load_bundle
from lakelocal.bundle.workspace_values import explanation
from lakelocal.jobs.checks import check_run
from lakelocal.project import Project

BUNDLE = """
bundle: {name: b}
resources:
  jobs:
    j:
      tags: {team: data}
      environments: [{environment_key: e, spec: {environment_version: "4", dependencies: [pandas]}}]
      job_clusters: [{job_cluster_key: c, new_cluster: {spark_version: "17", num_workers: 1}}]
      tasks:
        - {task_key: a, spark_python_task: {python_file: p.py}, environment_key: e}
        - task_key: b
          spark_python_task: {python_file: p.py}
          job_cluster_key: c
          libraries: [{pypi: {package: pandas}}, {whl: dist/*.whl}, {jar: a.jar}]
"""


def test_libraries_that_are_not_installed_are_named(tmp_path: Path) -> None:
    """Python packages are installed, the JAR is not; what only concerns clusters is left to `validate`."""
    (tmp_path / "databricks.yml").write_text(BUNDLE)
    (tmp_path / "p.py").touch()
    bundle = load_bundle(Project.at(tmp_path))

    assert check_run(bundle, bundle.job("j")) == (
        "`tasks.libraries.jar`: not installed here; a task that needs it will fail.",
    )


def test_what_only_a_workspace_has_is_told_before_a_run_and_of_a_failure(tmp_path: Path) -> None:
    """The URL of an app: nothing here has one, so the code gets the reference as it is written."""
    text = BUNDLE.replace(
        "task_key: a, spark_python_task: {python_file: p.py}",
        'task_key: a, spark_python_task: {python_file: p.py, parameters: ["--at=${resources.apps.web.url}/x"]}',
    )
    (tmp_path / "databricks.yml").write_text(text.replace("  jobs:", "  apps: {web: {name: web}}\n  jobs:"))
    (tmp_path / "p.py").touch()
    bundle = load_bundle(Project.at(tmp_path))
    job = bundle.job("j")
    told = "`${resources.apps.web.url}` as plain text, since only a workspace has its value"

    warning = next(each for each in check_run(bundle, job) if "${" in each)
    assert warning.startswith(f"`databricks.yml:11`: job `j`, task `a`: found {told}; expected")
    assert explanation(job, job.task("a"), {}) == f" It was given {told}."
    assert explanation(job, job.task("b"), {}) == ""
    assert explanation(job, job.task("b"), {"p": "${resources.apps.web.url}"}) == f" It was given {told}."
