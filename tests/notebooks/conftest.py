"""What the tests of notebooks share: a state folder of their own, and its servers ended in the end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of an ordinary shell, but for the place of the state."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOCAL_", "PYTEST_", "SPARK_"))}
    environment = {**kept, "LOCAL_STATE": str(tmp_path_factory.mktemp("state"))}
    yield environment
    subprocess.run([sys.executable, "-m", "local", "down", "--all"], cwd=ROOT, env=environment, timeout=60, check=True)
