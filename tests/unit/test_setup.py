"""The lists of packages agree, and set-up reads them."""

import hashlib
import json
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml

from lakelocal.errors import SetupError
from lakelocal.server import jars
from lakelocal.server.trust import key_store, read_certificates
from local.setup import environment
from local.setup.pythons import find_python

ROOT = Path(__file__).resolve().parents[2]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines: list[str]) -> dict[str, str]:
    return {canonical(name): version for name, version in (line.split("==") for line in lines)}


def listed_in(which: environment.Environment) -> dict[str, str]:
    return pins(environment.pinned_packages(ROOT / which.packages))


def constraints_of(which: environment.Environment) -> dict[str, str]:
    return pins((ROOT / which.constraints).read_text().split())


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    return listed_in(environment.LOCAL)


@pytest.fixture(scope="module")
def constraints() -> dict[str, str]:
    return constraints_of(environment.LOCAL)


both = pytest.mark.parametrize("which", [environment.LOCAL, environment.REMOTE], ids=lambda which: which.folder)


@both
def test_set_up_reads_the_same_list_as_conda(which):
    """The small reader of set-up and a YAML parser see the same packages."""
    section = yaml.safe_load((ROOT / which.packages).read_text())["dependencies"][-1]["pip"]

    assert listed_in(which) == pins([line for line in section if not line.startswith("-c")])


@both
def test_every_package_of_the_list_is_pinned_alike_in_the_constraints(which):
    """The constraints only add the dependencies of the listed packages."""
    listed, constraints = listed_in(which), constraints_of(which)

    assert listed == {name: constraints.get(name) for name in listed}


def test_both_environments_have_the_same_versions():
    """A notebook behaves the same in both; only databricks-connect needs another pyarrow."""
    local, remote = constraints_of(environment.LOCAL), constraints_of(environment.REMOTE)

    differing = {name for name in local.keys() & remote.keys() if local[name] != remote[name]}

    assert differing == {"pyarrow"}


def test_the_two_clients_of_spark_are_kept_apart():
    """Both own the package `pyspark`."""
    local, remote = constraints_of(environment.LOCAL), constraints_of(environment.REMOTE)

    assert "databricks-connect" not in local and "pyspark" not in remote and "delta-spark" not in remote


def test_what_is_installed_is_what_is_pinned(constraints):
    """No package came from outside the lists."""
    tools = {"pip", "setuptools", "wheel", "lakelocal"}
    installed = {canonical(item.metadata["Name"]): item.version for item in distributions()}

    differing = {name: version for name, version in installed.items() if constraints.get(name) != version}

    assert differing.keys() <= tools


def test_what_the_deployed_jobs_install_is_what_is_pinned_here(listed):
    """Serverless compute has no Faker: the job's environment names it, in the tested version."""
    named = []
    for place in sorted((ROOT / "config" / "jobs").glob("*.json")):
        for job in json.loads(place.read_text())["resources"]["jobs"].values():
            named += [line for each in job.get("environments", []) for line in each["spec"].get("dependencies", [])]

    assert "faker" in pins(named)
    assert pins(named).items() <= listed.items()


def test_a_jar_of_other_content_is_told(tmp_path):
    """A jar is used only if its content is the pinned one."""
    name = jars.PINS.read_text().split()[1]
    (tmp_path / name).write_bytes(b"something else")

    assert f"{name}: other content" in jars.differences(tmp_path)


def test_the_jars_of_this_machine_are_the_pinned_ones():
    """They were checked before their folder got its name; nothing has changed them since."""
    assert jars.differences(jars.delta_jars()) == []


def test_every_kernel_loads_the_emulator():
    """IPython executes this file at every start of a kernel of this environment, whoever starts it."""
    installed = Path(sys.prefix) / "etc" / "ipython" / "ipython_kernel_config.py"

    assert installed.read_text() == (ROOT / "local" / "ipython_kernel_config.py").read_text()


def program(place: Path, status: int) -> Path:
    """A program that ends with *status*, whatever its arguments."""
    place.parent.mkdir(parents=True)
    place.write_text(f"#!/bin/sh\nexit {status}\n")
    place.chmod(0o755)
    return place


def test_a_python_of_a_version_manager_is_found_behind_a_shim_that_fails(tmp_path):
    """pyenv puts a `python3.12` on the path that does not run unless the version is chosen."""
    program(tmp_path / "shims" / "python3.99", 127)
    good = program(tmp_path / "pyenv" / "versions" / "3.99.1" / "bin" / "python3.99", 0)
    surroundings = {"PATH": str(tmp_path / "shims"), "PYENV_ROOT": str(tmp_path / "pyenv"), "HOME": str(tmp_path)}

    assert find_python((3, 99), (3, 99), surroundings) == str(good)


def test_a_named_python_is_taken_or_refused(tmp_path):
    """Using another one instead would be surprising."""
    good = program(tmp_path / "good" / "python", 0)
    wrong = program(tmp_path / "wrong" / "python", 1)

    assert find_python((3, 99), (3, 99), {"PYTHON399": str(good), "HOME": str(tmp_path)}) == str(good)
    with pytest.raises(SetupError, match=r"PYTHON399: found `.*/wrong/python`, which is no Python 3\.99 that runs"):
        find_python((3, 99), (3, 99), {"PYTHON399": str(wrong), "HOME": str(tmp_path)})


def test_where_no_python_fits_it_is_told_how_to_get_one(tmp_path):
    """The message names where it looked, what is expected and the variable to set."""
    shim = program(tmp_path / "shims" / "python3.99", 127)

    with pytest.raises(SetupError, match=rf"no Python 3\.99 that runs .*`{shim}`.*pyenv install.*make PYTHON399="):
        find_python((3, 99), (3, 99), {"PATH": str(shim.parent), "HOME": str(tmp_path)})


def test_java_reads_the_key_store_that_set_up_writes(tmp_path):
    """Java's own keytool lists each certificate of the bundle."""
    from lakelocal.java import find_java

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


def test_a_step_of_set_up_tells_what_it_does_and_shows_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """pip works for minutes; its lines say with what. If it fails, they say why."""
    told: list[str] = []
    environment._run([sys.executable, "-c", "print('Collecting pyspark'); print('Installing')"], told.append)
    assert told == ["Collecting pyspark", "Installing"]
    assert capsys.readouterr().err == ""

    with pytest.raises(SetupError, match="ended with 3; its own messages are above"):
        environment._run([sys.executable, "-c", "print('no such version'); raise SystemExit(3)"], told.append)
    assert capsys.readouterr().err == "no such version\n"
