"""Plain nbval, as a user would call it: every notebook of the data flow runs from top to bottom, in order."""

import subprocess
import sys

import pytest

from tests.notebooks.conftest import ROOT
from tests.states import emptied


@pytest.mark.timeout(900)
def test_every_notebook_runs_under_nbval(shell, state):
    """The defaults of the parameters are a safe, small run."""
    emptied(state)
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "-p", "no:cacheprovider", "notebooks"]

    done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=880)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
