"""A workspace of a small project, and programs that call it without a socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lakelocal.project import Project
from lakelocal.workspace.app import create_app
from lakelocal.workspace.workspace import Workspace

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
    """A client without a token; bugs of the server are answers, as for every client."""
    with TestClient(create_app(workspace), base_url=URL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(stranger: TestClient, workspace: Workspace) -> TestClient:
    """A program with the token."""
    stranger.headers["Authorization"] = f"Bearer {workspace.gate.token}"
    return stranger
