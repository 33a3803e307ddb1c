"""The daily job on a Spark standalone cluster: one master, two workers, a Connect server with Delta, a shared path."""

import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.jobs.daily import ROOT, SMALL_DAY, Here, check_feeds
from tests.remote.cluster import WORKERS, Cluster, standalone_cluster

pytestmark = [pytest.mark.timeout(2000), pytest.mark.slow("four more Java processes, and two daily jobs to compare")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A separate cluster, with its own tables."""
    with standalone_cluster(tmp_path_factory.mktemp("cluster"), "olist_dev") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def there(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Here:
    """The daily job, run on the cluster with the available client; volumes and runs are in a shared folder."""
    there = Here(tmp_path_factory.mktemp("there"), remote=cluster.url)
    there.small()
    return there


def test_both_workers_do_the_work(cluster: Cluster, there: Here) -> None:
    """A cluster on which only the driver or one worker does everything would prove nothing."""
    tasks = cluster.tasks()

    assert sorted(tasks) == sorted(WORKERS)
    assert min(tasks.values()) > sum(tasks.values()) / 4, tasks


def test_the_change_feeds_come_out_as_the_generator_expects(there: Here) -> None:
    """All rows of the six tables of the CDC pipeline, and the contents of the quarantine."""
    check_feeds(there, SMALL_DAY)


def test_nothing_differs_from_a_run_on_one_machine(there: Here, on_one_machine: Here) -> None:
    """Tasks, and schema and rows of each table with a contract; the order in which workers finish must not matter."""
    a, b = (here.states / "olist_dev" for here in (on_one_machine, there))
    done = subprocess.run(
        ["make", "--silent", "diff", f"A={a}:latest", f"B={b}:latest", "OPTIONS=--json"],
        cwd=ROOT, env=there.environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.stdout.startswith("{"), done.stdout[-2000:] + done.stderr[-2000:]
    verdicts = json.loads(done.stdout)["verdicts"]
    assert [verdict for verdict in verdicts if not verdict["same"]] == []
    assert done.returncode == 0

    contracts = {yaml.safe_load(each.read_text())["table"] for each in (ROOT / "config" / "tables").glob("*.yml")}
    assert contracts and contracts - {verdict["name"] for verdict in verdicts} == set()
