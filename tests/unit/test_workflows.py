"""The workflows of GitHub Actions: what starts them, what they may do, and that they do what their commands say.

Their shape is checked by the schema, in `make check`.
"""

import re
from pathlib import Path

import pytest
import yaml

from lakelocal.bundle import load_bundle
from lakelocal.project import Project

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"


class Loader(yaml.SafeLoader):
    """YAML as GitHub reads it: `on` and `false` are strings."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
WORKFLOWS = {
    place.stem: yaml.load(place.read_text(encoding="utf-8"), Loader=Loader) for place in sorted(FOLDER.glob("*.yml"))
}


def commands(workflow: str) -> list[str]:
    return [step["run"] for job in WORKFLOWS[workflow]["jobs"].values() for step in job["steps"] if "run" in step]


def test_these_are_the_workflows():
    """Test a pull request; test everything every night; deploy, which others call; dev; staging and prod."""
    assert {name: workflow["name"] for name, workflow in WORKFLOWS.items()} == {
        "deploy": "Deploy",
        "deploy-dev": "Deploy to Development",
        "nightly": "Nightly",
        "release": "Release",
        "test": "Test",
    }


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_nothing_but_what_its_jobs_name(name):
    """A stolen token of a test run cannot write, and only a deployment may request one for the workspace."""
    workflow = WORKFLOWS[name]
    deploys = {"deploy": ["deploy"], "deploy-dev": ["deploy"], "release": ["staging", "prod"]}.get(name, [])

    assert workflow["permissions"] == {}
    assert {key: job["permissions"] for key, job in workflow["jobs"].items()} == {
        key: {"contents": "read"} | ({"id-token": "write"} if key in deploys else {}) for key in workflow["jobs"]
    }


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_secret_is_kept_and_nothing_of_a_request_becomes_a_command(name):
    """Identity comes from GitHub's token; inputs reach a shell only as variables."""
    text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    steps = [step for job in WORKFLOWS[name]["jobs"].values() for step in job.get("steps", [])]

    assert "secrets." not in text and not re.search(r"(?i)(token|password|key):\s*\S*[0-9a-f]{16}", text)
    assert not any("${{" in step.get("run", "") for step in steps)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned_by_their_content(name):
    """A tag can be moved; called workflows are those of the same commit."""
    jobs = WORKFLOWS[name]["jobs"].values()
    used = [part["uses"] for job in jobs for part in (job, *job.get("steps", [])) if "uses" in part]

    assert used
    assert [
        each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}|\./\.github/workflows/[\w-]+\.yml", each)
    ] == []


def test_a_pull_request_is_tested_by_the_commands_of_the_readme():
    """What is green there is green here."""
    assert commands("test") == ["make setup", "make validate", "make test"]
    assert set(WORKFLOWS["test"]["on"]) == {"pull_request", "workflow_call"}


def test_every_night_and_before_a_release_all_is_tested():
    """What `make test` leaves out because it is slow is not left out for long."""
    assert commands("nightly") == ["make validate", "make test-all"]
    assert set(WORKFLOWS["nightly"]["on"]) == {"schedule", "workflow_call", "workflow_dispatch"}
    assert WORKFLOWS["release"]["jobs"]["test"]["uses"] == "./.github/workflows/nightly.yml"


def test_a_deployment_is_validated_first_and_runs_the_daily_job_on_request():
    """In this order, each for the requested target."""
    assert commands("deploy") == [
        'databricks bundle validate --strict -t "$TARGET"',
        'databricks bundle deploy -t "$TARGET"',
        'databricks bundle summary -t "$TARGET"',
        'databricks bundle run olist_daily_job -t "$TARGET"',
    ]
    job = WORKFLOWS["deploy"]["jobs"]["deploy"]
    assert job["steps"][-1]["if"] == "inputs.run_pipeline"
    assert job["environment"] == job["env"]["TARGET"] == "${{ inputs.target }}"
    assert (
        int(job["timeout-minutes"]) * 60
        > load_bundle(Project.at(ROOT), target="prod").job("olist_daily_job").timeout_seconds
    )


def test_dev_follows_main_and_prod_follows_staging_of_a_release():
    """Nothing is deployed untested, and the environment of each target decides about approval."""
    dev, release = WORKFLOWS["deploy-dev"], WORKFLOWS["release"]

    assert dev["on"]["push"] == {"branches": ["main"]} and "run_pipeline" in dev["on"]["workflow_dispatch"]["inputs"]
    assert set(release["on"]) == {"release", "workflow_dispatch"}
    deployed = {
        job["with"]["target"]: job["needs"]
        for workflow in (dev, release)
        for job in workflow["jobs"].values()
        if job["uses"].endswith("/deploy.yml")
    }
    assert deployed == {"dev": "test", "staging": "test", "prod": "staging"}


def test_what_comes_later_waits_instead_of_stopping_a_deployment():
    """A deployment that is cut short leaves half of it behind."""
    for concurrency in (
        *(WORKFLOWS[name]["concurrency"] for name in ("deploy-dev", "release")),
        WORKFLOWS["deploy"]["jobs"]["deploy"]["concurrency"],
    ):
        assert concurrency["cancel-in-progress"] == "false"
