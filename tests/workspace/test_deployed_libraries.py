"""Wheels and requirements that a deployment has put into the workspace are found in the tree."""

from pathlib import Path

import pytest

from lakelocal.errors import RunError
from lakelocal.jobs.libraries import installs_of
from lakelocal.workspace.deployed import read_deployed
from lakelocal.workspace.job_store import DeployedJob, JobStore

ARTIFACTS = "/Workspace/Users/ana/.bundle/shop/dev/artifacts/.internal"


def installed(tree: Path, *libraries: str, own: str = "") -> list[str]:
    """The arguments of `%pip install` for a task with *own* as its library, and an environment with *libraries*."""
    spec = {"environment_version": "2", "dependencies": list(libraries)}
    task = {
        "task_key": "load",
        "environment_key": "default",
        "python_wheel_task": {"package_name": "shop", "entry_point": "main"},
        **({"libraries": [{"whl": own}]} if own else {}),
    }
    settings = {"tasks": [task], "environments": [{"environment_key": "default", "spec": spec}]}
    deployed = read_deployed(DeployedJob(7, settings, 0, 0, "ana"), JobStore(tree.parent / "jobs.db"), tree)
    assert not deployed.bundle.faults, deployed.bundle.faults
    return [each.arguments for each in installs_of(deployed.job.tasks[0], deployed.bundle)]


@pytest.mark.parametrize("prefix", ["/Workspace", ""])
def test_a_wheel_of_the_workspace_is_installed_from_the_tree(tmp_path: Path, prefix: str) -> None:
    """Older deployments omit `/Workspace`."""
    path = f"{ARTIFACTS}/shop-1.0-py3-none-any.whl".removeprefix("/Workspace")
    wheel = tmp_path / path.lstrip("/")
    wheel.parent.mkdir(parents=True)
    wheel.touch()

    expected = [f"--no-deps --force-reinstall {wheel}", str(wheel)]
    assert installed(tmp_path, prefix + path) == expected
    assert installed(tmp_path, own=prefix + path) == expected


def test_requirements_of_the_workspace_are_read_from_the_tree(tmp_path: Path) -> None:
    file = "/Workspace/Shared/requirements.txt"
    assert installed(tmp_path, f"-r {file}", "numpy==2") == [f"-r {tmp_path}/Shared/requirements.txt", "numpy==2"]


def test_a_wheel_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"found no wheel `.*shop-1\.0-py3-none-any\.whl`"):
        installed(tmp_path, f"{ARTIFACTS}/shop-1.0-py3-none-any.whl")


@pytest.mark.parametrize("path", ["/etc/shop-1.0-py3-none-any.whl", "s3://bucket/shop-1.0-py3-none-any.whl"])
def test_wheels_of_other_places_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(RunError, match="expected a path in the bundle, in a volume or in /Workspace"):
        installed(tmp_path, path)
