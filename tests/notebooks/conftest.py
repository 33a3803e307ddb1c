"""What the tests of notebooks share: the environment of a user's shell, on the worker's server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakelocal.project import State
from tests.jobs.daily import Here

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("LOCAL_JIT", "LOCAL_MEMORY")


@pytest.fixture(scope="session")
def shell(state: State) -> dict[str, str]:
    """The environment of an ordinary shell, except for the location of the state and the size of its server."""
    return shell_with(state.folder.parent)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The same with its own empty state, whose server may be ended."""
    here = Here(tmp_path / "state")
    yield shell_with(here.states)
    here("down")


def shell_with(states: Path) -> dict[str, str]:
    """The environment of an ordinary shell with the state folder *states*."""
    own = ("LOCAL_", "PYTEST_", "SPARK_")
    kept = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(own)}
    return {**kept, "LOCAL_STATE": str(states)}
