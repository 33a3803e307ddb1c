"""What the tests that need Spark share: one catalog in a folder of its own, one server, one session."""

from collections.abc import Iterator

import pytest

from local.kernel.session import open_session
from local.project import State
from tests.states import state_in


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """The catalog `olist_dev` with its own tables and volumes; its server, if one was started, ends with the tests."""
    with state_in(tmp_path_factory.mktemp("state")) as state:
        yield state


@pytest.fixture(scope="session")
def spark(state: State):
    """A session as a local kernel has it; the server starts with its first use."""
    session = open_session(state)
    yield session
    session.stop()
