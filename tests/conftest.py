"""Fixtures for all tests: one Spark server per worker, the order of the tests, and isolation from the user's settings.

A worker of pytest-xdist is a process, so a session fixture exists once per worker. Its server serves every test that
does not stop a server; such a test has its own state (`states.state_in`).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from xdist.scheduler import LoadScopeScheduling

from lakelocal.compute import open_session
from lakelocal.project import State
from lakelocal.server import stop_server
from lakelocal.testing.lakeflow import Lakeflow
from tests.bench.counting import event_log_settings
from tests.browsers import opened_browser
from tests.jobs.daily import Here
from tests.states import emptied, state_in

# Servers that start fast and stay small: many of them live for a minute.
for name in ("LOCAL_STATE", "LOCAL_REMOTE"):
    os.environ.pop(name, None)
os.environ.setdefault("LOCAL_JIT", "fast-start")
os.environ.setdefault("LOCAL_MEMORY", "2g")

TESTS = Path(__file__).parent
ROOT = TESTS.parent
# Files and folders, longest first, so that both workers end at about the same time.
LONGEST_FIRST = (
    "jobs/test_many_days.py",
    "jobs/test_documented_commands.py",
    "jobs/test_daily_job.py",  # followed by the runbooks
    "remote/test_cluster.py",
    "spark/test_cdc_properties.py",
    "spark/test_cdc_pipeline.py",
    "spark/test_verification.py",
    "spark/test_silver.py",
    "notebooks",
    "spark",
    "remote",
    "jobs",
    "cdc",
    "unit",
)


# Files whose tests continue where those of the previous file ended, on the tables of one daily job.
PRODUCT = ("jobs/test_daily_job.py", "jobs/test_both_ways.py", "notebooks/test_nbval.py", "notebooks/test_runbooks.py")


class FileByFile(LoadScopeScheduling):
    """Gives a worker all tests of a file, and all files of `PRODUCT`.

    `--dist loadgroup` would do the same through marks, but it renames tests, which pytest 9.2 does not allow.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.split("::", 1)[0].removeprefix(f"{TESTS.name}/"))


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist there is nothing to schedule
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> LoadScopeScheduling:
    return FileByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the longest files first, those of a group together, so that both workers end at about the same time."""
    places = {item: item.path.relative_to(TESTS).as_posix() for item in items}
    ranks: dict[str, int] = {}
    for place in places.values():
        ranks.setdefault(_group(place), _rank(place))
    order = {
        place: (ranks[_group(place)], PRODUCT.index(place) if place in PRODUCT else 0) for place in places.values()
    }
    items.sort(key=lambda item: order[places[item]])


def _group(place: str) -> str:
    return "product" if place in PRODUCT else place


def _rank(place: str) -> int:
    """The position of a file in `LONGEST_FIRST`; files that it does not name come last."""
    found = [rank for rank, start in enumerate(LONGEST_FIRST) if place.startswith(start)]
    return found[0] if found else len(LONGEST_FIRST)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """The catalog `olist_dev` of this worker, with its own tables and volumes; its server ends with the tests."""
    with state_in(tmp_path_factory.mktemp("state")) as state:
        yield state


@pytest.fixture(scope="session")
def spark(state: State):
    """A session like that of a local kernel; the server starts with its first use."""
    session = open_session(state)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def lakeflow(state: State) -> Iterator[Lakeflow]:
    """This project's bundle, as the plugin's fixture of the same name, on the catalog and server of this worker."""
    with Lakeflow(ROOT, state.folder.parent, target="dev") as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; tests that need it are skipped where the machine has none."""
    with opened_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def events(state: State) -> Path:
    """The folder in which the server that `here` starts writes its event log."""
    folder = state.folder / "events"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def here(state: State, events: Path) -> Here:
    """The command line on the catalog of this worker, empty and without a server: for the group `product`."""
    stop_server(emptied(state))
    return Here(state.folder.parent, LOCAL_SPARK_CONF=event_log_settings(events))
