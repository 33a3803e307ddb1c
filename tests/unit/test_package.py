"""The wheel of `lakelocal`: its dependencies are those tested here, and it contains everything needed at run time."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.setup import environment

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "local" / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built as for a release."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, ROOT / "local"], check=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_a_dependency_allows_the_version_that_is_tested(text: str) -> None:
    """environment.yml pins one version of each."""
    requirement = Requirement(text)
    pins = dict(line.split("==") for line in environment.pinned_packages(ROOT / "environment.yml"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}

    assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_the_wheel_has_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    """Style sheets, hashes and the bundle of `init` too; nothing of the surrounding repository."""
    package = ROOT / "local" / "lakelocal"
    # Change application is one package of the notebooks and of the emulator, which has a link to it.
    walked = os.walk(package, followlinks=True)
    files = {(Path(folder) / name).relative_to(package) for folder, _, names in walked for name in names}
    written = {str(place) for place in files if "__pycache__" not in place.parts}

    packed = {name.removeprefix("lakelocal/") for name in wheel.namelist() if name.startswith("lakelocal/")}
    others = {name.partition("/")[0].partition("-")[0] for name in wheel.namelist()}

    assert packed == written
    assert others == {"lakelocal"}


def test_the_wheel_brings_the_command_the_plugin_and_what_kernels_load(wheel: zipfile.ZipFile) -> None:
    """The names by which each is found."""
    (entries,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    (configuration,) = (name for name in wheel.namelist() if name.endswith("ipython_kernel_config.py"))

    assert wheel.read(entries).decode().split("\n\n") == [
        "[console_scripts]\nlakelocal = lakelocal.cli.main:run",
        "[pytest11]\nlakelocal = lakelocal.testing.plugin\n",
    ]
    assert configuration.endswith(".data/data/etc/ipython/ipython_kernel_config.py")
