"""The daily job over many days, with every kind of defect in its feeds, and with kills in the middle.

Each test continues where the previous one ended, so they run in this order. `CDC_KILLS` sets how often the server is
killed; a failure prints the moments.
"""

import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from datetime import date, timedelta

import psutil
import pytest

from tests.jobs.daily import DAILY, SAMPLE, SAMPLE_DAYS, Here, check_days, check_feeds
from tests.jobs.kernels import kernel_of

FIRST, SECOND, THIRD = SAMPLE_DAYS
KILLS = int(os.environ.get("CDC_KILLS", "10"))
pytestmark = [
    pytest.mark.slow(f"{KILLS} kills of a server at moments by chance, each with a day before and a repeat after it"),
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside this checkout"),
    pytest.mark.timeout(1500),
]


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> Iterator[Here]:
    """A separate state and server: other tests must not lose theirs."""
    command = Here(tmp_path_factory.mktemp("killed"))
    yield command
    command("down")


def test_a_killed_kernel_fails_the_run(here):
    """`kill -9` in silver: the run ends at once, and the executed cells are kept."""
    printed, killed = "", 0.0
    with here.started("run", "olist_daily_job", *DAILY, "--param", f"run_date={FIRST}", text=True) as runner:
        for said in runner.stdout:
            printed += said
            if "silver: The tables of the entities" in said and not killed:
                kernel_of(psutil.Process(runner.pid), "silver").kill()
                killed = time.monotonic()
        code = runner.wait(10)

    assert code == 1 and "FAILED" in printed
    partial = next((here.states / "olist_dev" / "runs").glob("*/silver.ipynb"))
    executed = [cell for cell in json.loads(partial.read_text())["cells"] if cell.get("execution_count")]
    assert len(executed) >= 5


def test_days_with_every_kind_of_defect_are_added(here):
    """The first one after the run that was killed; the feeds equal their truth after each."""
    for day in SAMPLE_DAYS:
        assert here.daily(day)["state"]["result_state"] == "SUCCESS"
        check_feeds(here, day)

    check_days(here, SECOND, THIRD)
    made = [here.defects(day) for day in SAMPLE_DAYS]
    assert all(sum(day[defect] for day in made) for defect in made[0]), made


@pytest.mark.timeout(900 + 300 * KILLS)
def test_a_server_that_is_killed_while_changes_are_applied_is_made_good(here):
    """`kill -9` of the server at random moments; the repeated task leaves what the truth says."""
    chance, killed, took = random.Random(KILLS), 0, 8.0
    for number in range(4 * KILLS):
        day = (date.fromisoformat(THIRD) + timedelta(days=number + 1)).isoformat()
        on = ("--param", f"run_date={day}")
        here.run("olist_daily_job", *DAILY, *on, "--only", "generate_data")
        here.run("olist_cdc_pipeline", *on, "--only", "cdc_bronze,cdc_stage")
        moment = chance.uniform(0, took)
        if killed_after(here, moment, on):
            killed += 1
            print(f"{day}: the server was killed {moment:.1f} s after the kernel of cdc_apply was there")
            again = here.run("olist_cdc_pipeline", *on, "--only", "cdc_apply")
            assert again["state"]["result_state"] == "SUCCESS"
        else:
            took = moment  # the task had ended before that
        check_feeds(here, day)
        if killed == KILLS:
            return
    pytest.fail(f"the server was killed {killed} times, expected {KILLS}")


def killed_after(here: Here, seconds: float, on: tuple[str, ...]) -> bool:
    """Start cdc_apply and kill the server *seconds* after its kernel exists; False if it had ended before that."""
    with here.started("run", "olist_cdc_pipeline", *on, "--only", "cdc_apply") as runner:
        process = psutil.Process(runner.pid)
        while not kernel_of(process, "cdc_apply"):
            time.sleep(0.05)
        try:
            code = runner.wait(seconds)
        except subprocess.TimeoutExpired:
            psutil.Process(json.loads(here("status", "--json"))["pid"]).kill()
            code = runner.wait(900)
            assert code in (0, 1)  # 0 if the kill came after the last use of the server
            return True
    assert code == 0
    return False


def test_a_full_refresh_of_the_feeds_gives_the_same_tables(here):
    """From all files at once, the same as day by day."""
    last = max(place.name for place in (here.feed / "_truth").iterdir())

    refreshed = here.run("olist_cdc_pipeline", "--param", "refresh_mode=full")

    assert refreshed["state"]["result_state"] == "SUCCESS"
    check_feeds(here, last)
