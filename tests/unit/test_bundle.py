"""What is deployed of the project, where to, and with which packages."""

import ast
import importlib.metadata
import re
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from lakehouse.places import config_folder
from lakelocal.bundle import load_bundle
from lakelocal.project import Project
from lakelocal.validate import validate
from tests.portability.code import read_code

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("dev", "staging", "prod")
DEPLOYED = (ROOT / "notebooks", ROOT / "config")

# Distributions that every environment has, of those that may be imported.
# Source: Databricks documentation, "Serverless environment version 4", installed Python libraries.
IN_ENVIRONMENT_4 = {"matplotlib", "numpy", "pandas", "pyarrow", "pyspark", "pyyaml"}


def bundle() -> dict:
    return yaml.safe_load((ROOT / "databricks.yml").read_text(encoding="utf-8"))


def pins() -> dict[str, str]:
    """Versions by distribution, from the single list of pinned packages."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"][-1]["pip"]
    return {name.lower(): version for name, _, version in (line.partition("==") for line in listed) if version}


@cache
def imports() -> dict[str, set[str]]:
    """What each file below `notebooks/` imports, by its path without suffix; modules with their dots."""
    found: dict[str, set[str]] = {}
    for code in read_code(ROOT):
        file = re.sub(r"^notebooks/|\.\w+$", "", code.file)
        names = found.setdefault(file, set())
        for node in ast.walk(ast.parse(code.text)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                package = file.split("/")[: -node.level] if node.level else []
                module = ".".join([*package, *([node.module] if node.module else [])])
                names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


@cache
def distributions() -> dict[str, str]:
    return {module: names[0].lower() for module, names in importlib.metadata.packages_distributions().items()}


@cache
def packages_of(notebook: str) -> set[str]:
    """The distributions that a notebook needs, over all modules of the package that it reaches."""
    found, known, todo = set(), imports(), [notebook]
    for file in todo:
        for name in known[file]:
            place = name.replace(".", "/")
            todo += [each for each in (place, f"{place}/__init__") if each in known and each not in todo]
            if (top := name.split(".")[0]) not in {"lakehouse", *sys.stdlib_module_names}:
                found.add(distributions()[top])
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_clean(target: str) -> None:
    """No errors and no warnings: what is deployed is what was meant."""
    report = validate(Project.at(ROOT), target=target)

    assert list(report.findings) == []
    assert len(report.jobs) == 5


@pytest.mark.parametrize("target", TARGETS)
def test_a_task_has_the_packages_that_its_notebook_imports_and_no_others(target: str) -> None:
    """What serverless compute lacks is in the job's environment, in the version that the tests ran with."""
    read = load_bundle(Project.at(ROOT), target=target)
    needed: dict[str, set[str]] = {}
    for job in read.jobs.values():
        for task in job.tasks:
            if task.notebook is not None:
                needed[job.key] = needed.get(job.key, set()) | packages_of(task.notebook.stem) - IN_ENVIRONMENT_4

    given = {
        job.key: {line for each in job.settings["environments"] for line in each["spec"].get("dependencies", [])}
        for job in read.jobs.values()
        if "environments" in job.settings
    }
    assert given == {key: {f"{name}=={pins()[name]}" for name in names} for key, names in needed.items()}
    assert needed["olist_daily_job"] == {"faker"}
    sources = [source for pipeline in read.pipelines.values() for source in pipeline.sources]
    assert sources and {pipeline.root for pipeline in read.pipelines.values()} == {ROOT / "notebooks"}
    for source in sources:  # pipelines have no environment of their own
        assert packages_of(source.relative_to(ROOT / "notebooks").with_suffix("").as_posix()) <= IN_ENVIRONMENT_4


def test_only_the_notebooks_and_what_they_read_are_uploaded() -> None:
    """No tests, runbooks, workflows or local state; jobs and pipelines are deployed, not uploaded."""
    resources = ["config/jobs/*.json", "config/pipelines/*.json"]

    assert bundle()["sync"] == {"paths": ["notebooks", "config"], "exclude": resources}
    assert bundle()["include"] == resources
    assert all((ROOT / path).is_dir() for path in bundle()["sync"]["paths"])
    assert all(list(ROOT.glob(each)) for each in resources), "the CLI warns of a pattern that matches no file"


def test_what_a_task_runs_and_reads_is_uploaded() -> None:
    """The package finds `config` beside the folder of the notebooks, in the workspace too."""
    read = load_bundle(Project.at(ROOT), target="prod")
    used = [task.notebook for job in read.jobs.values() for task in job.tasks if task.notebook is not None]
    used += [source for pipeline in read.pipelines.values() for source in pipeline.sources]

    assert len(used) == 8 + 7
    assert all(any(place.is_relative_to(folder) for folder in DEPLOYED) for place in [*used, config_folder()])


def test_staging_and_prod_are_deployed_once_and_dev_by_everyone() -> None:
    """The CLI's production mode requires a root path specific to the target; the default depends on who deploys."""
    targets = bundle()["targets"]
    one_place = "/Workspace/Users/${var.deployer}/.bundle/${bundle.name}/${bundle.target}"

    assert {name: target.get("mode") for name, target in targets.items()} == {
        "dev": None, "staging": "production", "prod": "production",
    }  # fmt: skip
    assert targets["staging"]["workspace"] == targets["prod"]["workspace"] == {"root_path": one_place}
    assert "workspace" not in targets["dev"]


def test_a_target_overrides_no_list() -> None:
    """The CLI joins the lists of a job and its target instead of replacing one by the other, and sorts tasks by key."""

    def lists(value: object) -> list:
        if isinstance(value, dict):
            return [found for each in value.values() for found in lists(each)]
        return [value] if isinstance(value, list) else []

    assert [lists(target.get("resources")) for target in bundle()["targets"].values()] == [[], [], []]


def test_nobody_is_named_as_owner_of_the_runs_unless_somebody_says_so() -> None:
    """The CLI refuses an empty `run_as`, so one set by a variable would stop every command."""
    assert not any("run_as" in place for place in (bundle(), *bundle()["targets"].values()))
