"""Where Spark runs: what is named, what of it is recorded, and what is refused before anything runs."""

from pathlib import Path

import pytest

from lakelocal.compute import compute_of
from lakelocal.compute.connect_server import ConnectServer
from lakelocal.compute.local_server import LocalServer
from lakelocal.compute.workspace import Workspace
from lakelocal.errors import UsageError
from lakelocal.project import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, "main", tmp_path / "main")


@pytest.mark.parametrize(
    ("remote", "kind", "label"),
    [
        ("", LocalServer, ""),
        ("databricks", Workspace, "databricks"),
        ("sc://localhost:15002/;token=s3cret", ConnectServer, "sc://localhost:15002"),
        ("sc://spark.example.com", ConnectServer, "sc://spark.example.com:15002"),
        (
            "sc://spark.example.com:443/;use_ssl=true;token=s3cret;user_id=me",
            ConnectServer,
            "sc://spark.example.com:443",
        ),
        ("sc://[::1]:7077", ConnectServer, "sc://[::1]:7077"),
    ],
)
def test_one_text_names_the_place(state: State, remote: str, kind: type, label: str) -> None:
    """The label is what a run records: never a token."""
    compute = compute_of(state, remote)

    assert (type(compute), compute.label, compute.remote) == (kind, label, remote)


def test_the_environment_names_it_where_nobody_does(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """This is how kernels learn of it; an empty option means the own server, whatever the environment."""
    monkeypatch.setenv("LOCAL_REMOTE", "sc://localhost:15002")

    assert isinstance(compute_of(state), ConnectServer)
    assert isinstance(compute_of(state, ""), LocalServer)


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        ("http://host:15002/;token=s3cret", "found `http://host:15002/`; expected `sc://host:port/;token=...`"),
        ("sc://", "found `sc://`, which is not just a host"),
        ("sc://host:port/", "found `sc://host:port/`, which is not just a host"),
        ("sc://host/path", "found `sc://host/path`, which is not just a host, a port and `/`"),
        ("sc://me:s3cret@host:1/", "found `sc://host:1/`, which is not just a host"),
        ("sc://host:1;token=s3cret", "found `sc://host:1`, which is not just a host"),
        ("sc://host:1/;token=s3cret;s3cret", "found no `name=value` as parameter 2 of the URL"),
        (
            "sc://adb-1.azuredatabricks.net/;token=s3cret;x-databricks-cluster-id=1",
            "belongs to a workspace, whose dialect must not",
        ),
    ],
)
def test_what_names_no_place_is_refused_without_its_token(state: State, remote: str, said: str) -> None:
    """Wrong usage, reported before a run is recorded."""
    with pytest.raises(UsageError) as caught:
        compute_of(state, remote)

    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
