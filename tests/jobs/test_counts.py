"""What the daily job asks of Spark, counted: executions and Spark jobs don't depend on the machine, as times do.

A limit that is exceeded says which statements start most jobs. `make bench PARTS=daily` measures the times.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.counting import Counts, EventLog
from tests.bench.lakehouse import Lakehouse

LIMITS = {"cold": Counts(200, 350), "nothing new": Counts(40, 50), "one more day": Counts(170, 300)}
DAYS = {"cold": "2018-09-01", "nothing new": "2018-09-01", "one more day": "2018-09-02"}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, EventLog]]:
    """The daily job on generated orders: on an empty state, the same day again, and the next day."""
    found = {}
    with Lakehouse(Path(tmp_path_factory.mktemp("counts")), variables={"scale": 300, "history_days": 20}) as lakehouse:
        for name, day in DAYS.items():
            began = int(time.time() * 1000)
            assert lakehouse.run("olist_daily_job", day)["state"]["result_state"] == "SUCCESS"
            found[name] = EventLog.read(lakehouse.events, since=began)
        yield found


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("run", list(LIMITS))
def test_a_run_asks_no_more_of_spark_than_its_limit(logs: dict[str, EventLog], run: str):
    """Executions by Spark Connect and jobs of Spark's scheduler, of all notebooks together."""
    found, limit = logs[run].counts, LIMITS[run]

    most = list(logs[run].by_statement().items())[:15]
    listed = "\n".join(f"{counts.executions:5} {counts.jobs:5}  {statement}" for statement, counts in most)
    within = found.executions <= limit.executions and found.jobs <= limit.jobs
    assert within, f"{run}: found {found}; expected at most {limit}. Executions, jobs, statement:\n{listed}"
    assert found.executions > 0
