"""The workspace of a small project, and clients that call it without a socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from starlette.testclient import TestClient

from lakelocal.project import Project
from lakelocal.server import stop_server
from lakelocal.workspace.app import create_app
from lakelocal.workspace.catalog_states import CatalogStates
from lakelocal.workspace.workspace import Workspace
from tests.workspace.served import Served

URL = "http://localhost:8080"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace of an empty bundle, used by `ana@example.com`."""
    monkeypatch.delenv("LOCAL_STATE", raising=False)
    monkeypatch.setenv("LOCAL_USER", "ana@example.com")
    (tmp_path / "databricks.yml").write_text("bundle: {name: shop}\n")
    return Workspace.of(Project.at(tmp_path), URL)


@pytest.fixture
def stranger(workspace: Workspace) -> Iterator[TestClient]:
    """A client without a token; it sees bugs of the server as answers, as every client does."""
    with TestClient(create_app(workspace), base_url=URL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(stranger: TestClient, workspace: Workspace) -> TestClient:
    """A client with the token."""
    stranger.headers["Authorization"] = f"Bearer {workspace.gate.token}"
    return stranger


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in its own process, for tests that call it with the official SDK."""
    root = tmp_path_factory.mktemp("served")
    (root / "databricks.yml").write_text("bundle: {name: shop}\n")
    server = Served(root, {"LOCAL_USER": "ana@example.com"}).start()
    yield server
    assert server.stop() == 0, (root / "server.log").read_text()
    for state in CatalogStates(Project.at(root)).states():
        stop_server(state)  # a run of a notebook starts it ahead


@pytest.fixture
def sdk(served: Served) -> WorkspaceClient:
    """The official SDK as a client of `served`."""
    return served.client()
