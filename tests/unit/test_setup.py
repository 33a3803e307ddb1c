"""The lists of packages say one thing, and set-up reads them."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml

from local.errors import SetupError
from local.setup import environment, jars, kernels
from local.setup.trust import key_store, read_certificates

ROOT = Path(__file__).resolve().parents[2]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines: list[str]) -> dict[str, str]:
    return {canonical(name): version for name, version in (line.split("==") for line in lines)}


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    return pins(environment.pinned_packages(ROOT / "environment.yml"))


@pytest.fixture(scope="module")
def constraints() -> dict[str, str]:
    return pins((ROOT / "constraints.txt").read_text().split())


def test_set_up_reads_the_same_list_as_conda(listed):
    """The small reader of set-up and a YAML parser see the same packages."""
    section = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][-1]["pip"]

    assert listed == pins([line for line in section if not line.startswith("-c")])


def test_every_package_of_the_list_is_pinned_alike_in_the_constraints(listed, constraints):
    """constraints.txt only adds what the listed packages bring along."""
    assert listed == {name: constraints.get(name) for name in listed}


def test_what_is_installed_is_what_is_pinned(constraints):
    """No package came from outside the lists."""
    tools = {"pip", "setuptools", "wheel"}
    installed = {canonical(item.metadata["Name"]): item.version for item in distributions()}

    differing = {name: version for name, version in installed.items() if constraints.get(name) != version}

    assert differing.keys() <= tools


def test_what_the_deployed_jobs_install_is_what_is_pinned_here(listed):
    """Serverless compute has no Faker: the job's environment names it, in the version that was tested."""
    named = []
    for place in sorted((ROOT / "config" / "jobs").glob("*.json")):
        for job in json.loads(place.read_text())["resources"]["jobs"].values():
            named += [line for each in job.get("environments", []) for line in each["spec"].get("dependencies", [])]

    assert "faker" in pins(named)
    assert pins(named).items() <= listed.items()


def test_the_jars_are_of_the_version_of_the_python_package(listed):
    """delta-spark on PyPI and io.delta:delta-spark must agree."""
    assert jars.PACKAGE.endswith(f":{listed['delta-spark']}")
    assert all(f"-{listed['delta-spark']}.jar" in line for line in jars.PINS.read_text().split() if "io.delta" in line)


def test_the_remote_extra_pins_databricks_connect_of_the_same_spark_line():
    """databricks-connect stays out of the local list: it owns the package pyspark too."""
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["remote"]

    assert len(extra) == 1 and re.fullmatch(r"databricks-connect==18\.\d+\.\d+", extra[0])
    assert "databricks-connect" not in pins(environment.pinned_packages(ROOT / "environment.yml"))


def test_a_jar_of_other_content_is_told(tmp_path):
    """A jar is used only if its content is the pinned one."""
    name = jars.PINS.read_text().split()[1]
    (tmp_path / name).write_bytes(b"something else")

    assert f"{name}: other content" in jars._differences(tmp_path)


def test_pinned_jars_are_not_downloaded_again():
    """A second set-up finds them; Ivy is not started."""
    assert jars._differences(jars.jars_folder(Path(sys.prefix))) == []


def test_the_kernel_configuration_is_valid_python(tmp_path):
    """IPython executes it at every start of a kernel."""
    (tmp_path / "lib" / "python3.12" / "site-packages").mkdir(parents=True)

    kernels.make(ROOT, tmp_path)

    written = tmp_path / "etc" / "ipython" / "ipython_kernel_config.py"
    compile(written.read_text(), str(written), "exec")


def test_a_python_that_is_too_old_is_told_how_to_go_on(monkeypatch):
    """The message names what was found, what is expected and the variable to set."""
    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)

    with pytest.raises(SetupError, match=r"found Python 3\.9; expected 3\.11 to 3\.13.*make PYTHON="):
        environment.find_python()


def test_java_reads_the_key_store_that_set_up_writes(tmp_path):
    """Java's own keytool lists each certificate of the bundle."""
    from local.java import find_java

    bundle = Path(__import__("certifi").where())
    certificates = read_certificates(bundle)
    store = tmp_path / "trust.jks"
    store.write_bytes(key_store(certificates))
    keytool = find_java({"PATH": ""}).with_name("keytool")

    listing = subprocess.run(
        [keytool, "-list", "-v", "-keystore", store, "-storepass", "changeit"],
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout

    found = {line.split("SHA256:")[1].strip().replace(":", "") for line in listing.splitlines() if "SHA256:" in line}
    assert found == {hashlib.sha256(certificate).hexdigest().upper() for certificate in certificates}
