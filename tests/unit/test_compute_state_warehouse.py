"""A state belongs to the warehouse that has its tables."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lakelocal.compute import state_warehouse
from lakelocal.errors import ServerError
from lakelocal.project import State

THERE = "s3://bucket/warehouse"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path, "main", tmp_path / "states" / "main").make()


def test_the_first_use_decides(state: State) -> None:
    """And the same place is accepted again, however it is written."""
    state_warehouse.claim(state, THERE)
    state_warehouse.claim(state, THERE + "/")

    with pytest.raises(ServerError, match=r"tables are in `s3://bucket/warehouse`; expected `s3://other`.*LOCAL_STATE"):
        state_warehouse.claim(state, "s3://other")
    with pytest.raises(ServerError, match=r"expected `file:///"):
        state_warehouse.claim(state, state_warehouse.own(state))


def test_the_own_server_by_its_url_is_the_own_server(state: State) -> None:
    """Spark shows the folder as `file:/...`, with links followed or not; nothing is recorded for it."""
    link = state.folder.parent / "link"
    link.symlink_to(state.folder)
    state.metastore.mkdir()

    for written in (f"file:{state.warehouse}", str(link / "warehouse"), state.warehouse.as_uri()):
        state_warehouse.claim(state, written)

    assert not state.warehouse_file.exists()


def test_a_state_with_tables_of_its_own_is_not_given_away(state: State) -> None:
    """The metastore has existed since its server ran for the first time."""
    state.metastore.mkdir()

    with pytest.raises(ServerError, match="found a state whose tables are in `file:///"):
        state_warehouse.claim(state, THERE)


def test_of_several_first_uses_one_wins(state: State) -> None:
    """Kernels of a run start at the same time, and so may two runs."""
    wanted = [f"s3://bucket/{number % 2}" for number in range(40)]

    def claimed(warehouse: str) -> bool:
        try:
            state_warehouse.claim(state, warehouse)
        except ServerError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = {place for place, mine in zip(wanted, pool.map(claimed, wanted), strict=True) if mine}

    assert won == {state_warehouse.warehouse_of(state)}
    assert [file.name for file in state.folder.glob("warehouse.*")] == ["warehouse.uri"]


def test_tables_are_looked_at_where_this_machine_sees_them(state: State, tmp_path: Path) -> None:
    """For the summary of a run."""
    assert state_warehouse.tables_folder(state) == state.warehouse
    there = tmp_path / "with space"
    there.mkdir()
    state_warehouse.claim(state, str(there))
    assert state_warehouse.tables_folder(state) == there
    state.warehouse_file.write_text(THERE)
    assert state_warehouse.tables_folder(state) is None
