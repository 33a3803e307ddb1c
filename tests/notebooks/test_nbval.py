"""Plain nbval, as a user would call it: every notebook of the data flow runs from top to bottom, in order."""

import subprocess
import sys

import pytest

from tests.notebooks.conftest import ROOT

pytestmark = [pytest.mark.timeout(900)]


def test_every_notebook_runs_under_nbval(here, shell):
    """On the tables of tests/jobs/test_daily_job.py, where the defaults of the parameters add nothing new."""
    check_notebooks(shell)


@pytest.mark.slow("the whole data flow again, on a server of its own")
def test_every_notebook_runs_under_nbval_on_an_empty_catalog(alone):
    """The defaults of the parameters are a safe, small run."""
    check_notebooks(alone)


def check_notebooks(shell: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "-p", "no:cacheprovider", "notebooks"]

    done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=880)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
