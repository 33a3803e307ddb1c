"""`make run-remote` against a Spark Connect server: the whole daily job, small, by the real databricks-connect."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakelocal.compute import state_warehouse
from lakelocal.project import State
from lakelocal.server import ensure_server
from tests.jobs.daily import ROOT, SMALL_DAY, SMALL_VARS, Here, check_feeds
from tests.remote.conftest import DATABRICKS_CONNECT
from tests.states import state_in

pytestmark = [pytest.mark.timeout(1200), DATABRICKS_CONNECT]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A state whose server is used from another state: it has the tables, the other has volumes and runs."""
    with state_in(tmp_path_factory.mktemp("elsewhere"), root=ROOT) as state:
        yield state


@pytest.fixture(scope="module")
def here(elsewhere: State, remote_python: str, tmp_path_factory: pytest.TempPathFactory) -> Here:
    """The daily job, run there from here."""
    url = ensure_server(elsewhere).url
    here = Here(tmp_path_factory.mktemp("remote"), python=remote_python, remote=url)
    done = subprocess.run(
        ["make", "run-remote", f"REMOTE={url}", f"VARS={' '.join(SMALL_VARS)}", f"RUN_DATE={SMALL_DAY}"],
        cwd=ROOT, env=here.environment, capture_output=True, text=True, timeout=1100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return here


def test_the_change_feeds_come_out_as_the_generator_expects(here: Here) -> None:
    """All rows of the six tables of the CDC pipeline, and the quarantine; also read through `sql` from there."""
    check_feeds(here, SMALL_DAY)


def test_the_medallion_agrees_with_the_landed_files(here: Here) -> None:
    """Every order of the files is in bronze, silver and in one of the days of gold."""
    (counts,) = here.rows(
        "SELECT (SELECT count(DISTINCT order_id) FROM bronze.bronze_orders WHERE order_id <> '') AS landed, "
        "(SELECT count(*) FROM silver.silver_orders) + (SELECT count(DISTINCT order_id) FROM "
        "ops.quarantine_silver_orders WHERE order_id NOT IN (SELECT order_id FROM silver.silver_orders)) AS typed, "
        "(SELECT sum(order_count) FROM gold.gold_daily_orders) AS reported, "
        "(SELECT count(*) FROM silver.silver_orders) AS silver"
    )

    assert counts["landed"] >= 300 and counts["landed"] == counts["typed"]
    assert counts["reported"] == counts["silver"]


def test_tables_are_there_and_volumes_here(here: Here, elsewhere: State) -> None:
    """And the run says where it ran, without the token."""
    state = State(ROOT, "olist_dev", here.states / "olist_dev")

    assert state_warehouse.warehouse_of(state) == state_warehouse.own(elsewhere)
    assert not any(state.warehouse.iterdir()) and any(elsewhere.warehouse.glob("silver.db/*/_delta_log"))
    assert any(state.volumes.glob("raw/olist/orders/*.csv")) and not any(elsewhere.volumes.iterdir())
    token = ensure_server(elsewhere).token.encode()
    assert [file for file in here.states.rglob("*") if file.is_file() and token in file.read_bytes()] == []
    assert f'"remote": "sc://localhost:{ensure_server(elsewhere).port}"' in here("runs", "get", "1")


def test_the_attempts_were_forked(here: Here) -> None:
    """Waiting processes print only if something is wrong: databricks-connect can be imported ahead of time too."""
    assert (here.states / "olist_dev" / "logs" / "pool.log").read_text() == ""


def test_a_state_is_of_one_warehouse(here: Here) -> None:
    """The checkpoints of one would skip the files that the tables of another lack; so its own server is refused too."""
    other = Here(here.states)

    with pytest.raises(AssertionError, match=r"found a state whose tables are in `file:///\S+elsewhere\S+/warehouse`"):
        other("sql", "SELECT 1")


def test_the_url_of_the_own_server_is_the_same_place(elsewhere: State, here: Here) -> None:
    """`status --json` gives the URL, for any client; databricks-connect is one."""
    own = Here(Path(elsewhere.folder.parent), python=here.python, remote=ensure_server(elsewhere).url)

    assert own.rows("SELECT current_catalog() AS name") == [{"name": "olist_dev"}]
    assert not elsewhere.warehouse_file.exists()
