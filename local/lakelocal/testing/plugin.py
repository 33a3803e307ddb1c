"""The pytest plugin: the session-scoped fixture `lakeflow`.

pytest loads it in every project whose environment has the package, so it imports nothing until it is used.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lakelocal.testing.lakeflow import Lakeflow


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the fixture; each is also a setting of the same name with underscores."""
    group = parser.getgroup("lakeflow", "jobs of a Databricks bundle, run on this machine")
    for name, text in (
        ("project", "the folder of the bundle (default: pytest's root folder, or one above it)"),
        ("target", "the target of the bundle (default: the bundle's own)"),
    ):
        group.addoption(f"--lakeflow-{name}", metavar=name.upper(), help=f"{text}; setting lakeflow_{name}")
        parser.addini(f"lakeflow_{name}", text)


@pytest.fixture(scope="session")
def lakeflow(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Lakeflow"]:
    """The jobs and notebooks of the bundle, on tables that belong to this test session.

    The first use of Spark starts a server, which serves all tests and ends with the session. Later tests see what
    earlier tests left; `lakeflow.reset()` starts afresh.
    """
    from lakelocal.project import Project
    from lakelocal.testing.lakeflow import Lakeflow

    given = pytestconfig.getoption("--lakeflow-project") or pytestconfig.getini("lakeflow_project")
    project = Project.at(pytestconfig.rootpath / given) if given else Project.find(pytestconfig.rootpath)
    target = pytestconfig.getoption("--lakeflow-target") or pytestconfig.getini("lakeflow_target") or None
    states: Path = tmp_path_factory.mktemp("lakeflow")
    with Lakeflow(project.root, states, target=target) as opened:
        yield opened
