"""The second environment, and a Spark Connect server that it connects to.

The server is the worker's. Databricks does not support databricks-connect with open-source Spark Connect, so these
tests are about the connection between them, and not about anything that a workspace does.
"""

import fcntl
import hashlib
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakelocal.errors import SetupError
from lakelocal.project import State
from lakelocal.server import ensure_server
from local.setup import environment
from local.setup.pythons import find_python, works
from tests.jobs.conftest import write_notebook
from tests.jobs.daily import Here
from tests.remote.projects import ROOT, Build, Project
from tests.remote.signs import Signs

PYTHON = ROOT / environment.REMOTE.folder / "bin" / "python"
DATABRICKS_CONNECT = pytest.mark.slow("the second environment is made first, in minutes")
CLIENTS = pytest.mark.parametrize(
    "python", ["pyspark", pytest.param("databricks-connect", marks=DATABRICKS_CONNECT)], indirect=True
)
BY_PYSPARK = pytest.mark.parametrize("python", ["pyspark"], indirect=True)


@pytest.fixture(scope="session")
def remote_python() -> str:
    """The Python of `.venv-remote`, which is created here; if no Python fits, the tests are skipped and say so."""
    versions = environment.REMOTE.oldest, environment.REMOTE.newest
    try:
        works(PYTHON, *versions) or find_python(*versions)
    except SetupError as error:
        warnings.warn(f"NOT TESTED: remote runs, since there is no environment for them: {error}", stacklevel=1)
        pytest.skip(str(error))
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"set-up-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test files run at the same time
        made = subprocess.run(["make", "setup-remote"], cwd=ROOT, capture_output=True, text=True, timeout=550)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    return str(PYTHON)


@pytest.fixture
def python(request: pytest.FixtureRequest) -> str:
    """The Python of a run: that of `.venv-remote`, or of `.venv` if a test is parametrized with `pyspark`."""
    client = getattr(request, "param", "databricks-connect")
    return sys.executable if client == "pyspark" else request.getfixturevalue("remote_python")


@pytest.fixture(scope="session")
def url(state: State) -> str:
    """The URL of the worker's server, with its token: tables are in another place than the volumes of the tests."""
    return ensure_server(state).url


@pytest.fixture(scope="session")
def on_one_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """The small daily job, run on the local server: a run elsewhere is compared with it."""
    here = Here(tmp_path_factory.mktemp("one"))
    try:
        here.small()
        yield here
    finally:
        here("down", "--all")


@pytest.fixture
def build(tmp_path: Path, python: str) -> Build:
    """Write a bundle whose job `job` runs *notebooks* (lists of cells), one after the other."""

    def write(remote: str, **notebooks: list[str]) -> Project:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        tasks = [
            {
                "task_key": key,
                "notebook_task": {"notebook_path": f"./{key}.ipynb"},
                "depends_on": [{"task_key": before}] if before else [],
            }
            for before, key in zip([None, *notebooks], notebooks, strict=False)
        ]
        (root / "databricks.yml").write_text(
            "bundle: {name: example}\nvariables: {catalog: {default: olist_dev}}\ninclude: [jobs.json]\n"
        )
        (root / "jobs.json").write_text(json.dumps({"resources": {"jobs": {"job": {"name": "job", "tasks": tasks}}}}))
        for name, cells in notebooks.items():
            write_notebook(root / f"{name}.ipynb", cells)
        return Project(root, tmp_path / "state", python, remote)

    return write


@pytest.fixture
def signs(tmp_path: Path) -> Signs:
    """A notebook's signals, in a folder of the test."""
    return Signs(tmp_path)
