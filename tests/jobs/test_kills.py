"""The daily job with its server killed at random moments: a repeated run makes the tables of an undisturbed run.

`JOB_KILLS` sets how often the server is killed; the output shows the moments.
"""

import json
import os
import random
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

import psutil
import pytest

from tests.jobs.daily import SMALL_DAY, Here

KILLS = int(os.environ.get("JOB_KILLS", "10"))
LAYERS = ("bronze", "silver", "gold", "ops")
# When a file landed and was loaded, and by which run, differ between two states.
OF_THE_RUN = ("_file_modified_at", "_ingested_at", "run_id")
# What the pipelines remember of versions and files differs where a run was repeated.
REMEMBERED = ("ops.progress", "ops.landed_files", "ops.expectation_results", "silver.apply_changes_progress")
pytestmark = [
    pytest.mark.slow(f"{KILLS} business days, each run undisturbed, killed, and repeated"),
    pytest.mark.timeout(300 + 300 * KILLS),
]


@pytest.fixture
def calm(tmp_path_factory) -> Iterator[Here]:
    """A state whose runs nothing disturbs."""
    here = Here(tmp_path_factory.mktemp("calm"))
    yield here
    here("down")


@pytest.fixture
def killed(tmp_path_factory) -> Iterator[Here]:
    """A state whose server is killed; the server exists before the first run."""
    here = Here(tmp_path_factory.mktemp("killed"))
    here("up")
    yield here
    here("down")


def test_a_repeat_makes_the_tables_of_an_undisturbed_run(calm, killed):
    """All tables, the newest count of each rule, and the quarantine, after each business day."""
    chance = random.Random(KILLS)
    for number in range(KILLS):
        day = (date.fromisoformat(SMALL_DAY) + timedelta(days=number)).isoformat()
        began = time.monotonic()
        assert calm.small(day)["state"]["result_state"] == "SUCCESS"
        moment = chance.uniform(1, time.monotonic() - began)
        print(f"{day}: the server is killed {moment:.1f} s after the start; {kill_server_after(killed, moment, day)}")
        assert killed.small(day)["state"]["result_state"] == "SUCCESS"

        assert contents(killed) == contents(calm), day
        assert counts(killed) == counts(calm), day


def kill_server_after(here: Here, seconds: float, day: str) -> str:
    """Run the job of *day* and kill the server *seconds* after its start; return how the run ended."""
    with here.started("run", *here.small_arguments(day), "--json") as runner:
        try:
            return f"the run had ended before, with {runner.wait(seconds)}"
        except subprocess.TimeoutExpired:
            psutil.Process(json.loads(here("status", "--json"))["pid"]).kill()
            return f"the run ended with {runner.wait(900)}"


def contents(here: Here) -> dict[str, tuple[int, str]]:
    """For each table and view, its number of rows and a hash of them that does not depend on their order."""
    columns: dict[str, list[str]] = defaultdict(list)
    for each in here.rows(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns "
        f"WHERE table_schema IN ({', '.join(repr(layer) for layer in LAYERS)}) ORDER BY ordinal_position"
    ):
        columns[f"{each['table_schema']}.{each['table_name']}"].append(each["column_name"])
    assert set(LAYERS) == {table.partition(".")[0] for table in columns}
    queries = []
    for table in sorted(columns.keys() - REMEMBERED):
        kept = ", ".join(f"`{name}`" for name in columns[table] if name not in OF_THE_RUN)
        row = f"xxhash64(to_json(struct({kept}), map('ignoreNullFields', 'false')))"
        queries.append(f"SELECT '{table}' AS t, count(*) AS n, hex(bit_xor({row})) AS h, "
                       f"CAST(sum(CAST({row} AS DECIMAL(38,0))) AS STRING) AS s FROM {table}")  # fmt: skip
    return {row["t"]: (row["n"], row["h"], row["s"]) for row in here.rows(" UNION ALL ".join(queries))}


def counts(here: Here) -> dict[tuple[str, str], tuple[int, int]]:
    """The newest count of each rule: checked and failed rows."""
    rows = here.rows(
        "SELECT table_name, rule, max_by(checked_rows, recorded_at) AS checked, max_by(failed_rows, recorded_at) AS "
        "failed FROM ops.expectation_results GROUP BY table_name, rule"
    )
    return {(row["table_name"], row["rule"]): (row["checked"], row["failed"]) for row in rows}
