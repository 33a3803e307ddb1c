"""Every runbook works in the situation that it is meant for: papermill runs them one after the other on one catalog.

It is the catalog of tests/jobs/test_daily_job.py, so O10 finds nothing new there; run alone, these tests create it.
"""

import json
import re
import subprocess
import sys

import nbformat
import papermill
import psutil
import pytest
from papermill.exceptions import PapermillExecutionError

from lakelocal.server.jars import PACKAGE
from lakelocal.versions import HADOOP
from tests.jobs.daily import SAMPLE_DAYS, SOURCE
from tests.notebooks.conftest import ROOT
from tests.outputs import shown

RUNBOOKS = ROOT / "runbooks"
DAY = {"run_date": SAMPLE_DAYS[1], "source": SOURCE}


@pytest.fixture
def execute(shell, tmp_path, monkeypatch):
    """Run a runbook as a person would, in its folder; return the executed notebook."""
    return runner(shell, tmp_path, monkeypatch)


def runner(shell, tmp_path, monkeypatch):
    """The same in the environment *shell*."""
    for name, value in shell.items():
        monkeypatch.setenv(name, value)

    def run(name: str, **parameters):
        return papermill.execute_notebook(
            str(RUNBOOKS / f"{name}.ipynb"), str(tmp_path / f"{name}.ipynb"), parameters=parameters,
            cwd=str(RUNBOOKS), kernel_name="python3", progress_bar=False,
        )  # fmt: skip

    return run


def sql(shell: dict[str, str], statement: str) -> list[dict]:
    """The rows of *statement*, through the command line."""
    command = [sys.executable, "-m", "lakelocal", "sql", statement, "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# How the history of one key is damaged, by the rule of O40 that finds it.
DAMAGES = {
    "bound of no event": "UPDATE {history} SET __END_AT = __START_AT + 1 WHERE {one} AND __END_AT IS NULL",
    "event without its version": "DELETE FROM {history} WHERE {one}",
    "current but not open": "UPDATE {history} SET seller_city = 'nowhere' WHERE {one}",
    "end not after its start": "UPDATE {history} SET __END_AT = __START_AT - 1 WHERE {one}",
    "versions touch without a difference": (
        "INSERT INTO {history} SELECT * EXCEPT (__START_AT, __END_AT), __START_AT - 1, __START_AT "
        "FROM {history} WHERE {one} AND __END_AT IS NULL"
    ),
}


SELLERS = {
    "source": "silver.stg_cdc_sellers",
    "target": "silver.silver_sellers_history",
    "keys": ["seller_id"],
    "sequence_by": "sequence_number",
    "apply_as_deletes": "operation = 'DELETE'",
    "except_column_list": ["operation", "sequence_number", "change_timestamp"],
    "stored_as_scd_type": 2,
}


@pytest.mark.slow("three runbooks that derive tables again; test_cdc_pipeline.py damages and repairs one")
@pytest.mark.timeout(900)
def test_the_runbooks_of_the_change_feeds_find_and_repair_a_damage(execute, here, shell, tmp_path):
    """Each way in which a row can be wrong is found by its rule, and repaired."""
    execute("O10_daily_run", **DAY)
    rows = "SELECT * FROM silver.silver_sellers_history ORDER BY seller_id, __START_AT"
    good = sql(shell, rows)
    keys = sorted({row["seller_id"] for row in good if row["__END_AT"] is None})

    for key, damage in zip(keys, DAMAGES.values(), strict=False):
        sql(shell, damage.format(history="silver.silver_sellers_history", one=f"seller_id = '{key}'"))
    with pytest.raises(PapermillExecutionError, match="rows break a rule"):
        execute("O40_scd_issues", entity="sellers")
    said = shown(nbformat.read(tmp_path / "O40_scd_issues.ipynb", as_version=4).cells)
    found = [key for key, rule in zip(keys, DAMAGES, strict=False) if re.search(rf"{rule} +\d+ .*{key}", said)]
    assert found == keys[: len(DAMAGES)], said
    execute("O40_scd_issues", entity="sellers", repair=True)
    assert sql(shell, rows) == good


@pytest.mark.slow("every table of the feeds is derived again; tests/spark/test_verification.py does so for few events")
@pytest.mark.timeout(900)
def test_the_runbook_of_verification_finds_no_difference(execute, here, shell):
    """The tables as they are, and those of a feed that is given by its call; nothing is left behind."""
    execute("O10_daily_run", **DAY)

    execute("T20_verify_cdc", rounds=0)
    execute("T20_verify_cdc", feed=json.dumps(SELLERS), rounds=1, batches=2, seed=5)
    assert sql(shell, "SHOW SCHEMAS LIKE 'scratch*'") == []


@pytest.mark.slow("all tables are built again, as test_silver.py and test_cdc_pipeline.py do for a few rows")
@pytest.mark.timeout(900)
def test_the_runbook_of_the_weekly_refresh_builds_damaged_tables_again(execute, here, shell):
    """As they were before the damage; tables that only had not read the newest day yet are told from damaged ones.

    The newest day brings rows of every entity but reviews.
    """
    execute("O10_daily_run", **DAY)
    reviews = "SELECT * FROM silver.silver_order_reviews ORDER BY review_id, order_id"
    good = sql(shell, reviews)
    assert good

    sql(shell, "UPDATE silver.silver_order_reviews SET review_comment_title = 'damaged'")
    land = ["--only", "generate_data", "--param", f"run_date={SAMPLE_DAYS[2]}", "--strict"]
    command = [sys.executable, "-m", "lakelocal", "run", "olist_daily_job", *land]
    assert subprocess.run(command, cwd=ROOT, env=shell, timeout=300).returncode == 0
    said = shown(execute("O30_weekly_refresh").cells).partition("tables differ after the refresh")[2]

    assert sql(shell, reviews) == good
    reasons = dict(re.findall(r"(silver_\w+|stg_\w+) .*(it was behind|damaged, or other rules)", said))
    assert reasons["silver_orders"] == reasons["silver_sellers_history"] == "it was behind"
    assert [name for name, reason in reasons.items() if reason != "it was behind"] == ["silver_order_reviews"]


@pytest.mark.timeout(900)
def test_the_runbooks_of_each_day_do_what_they_say(execute, here, shell):
    """A daily run and the report on it; a dropped volume, restored."""
    execute("O10_daily_run", **DAY)
    execute("T10_monitoring")

    said = shown(execute("O20_data_generation_fails", run_date=SAMPLE_DAYS[1]).cells)
    assert said.endswith("the cause is something else: O05 finds it.")
    sql(shell, "DROP VOLUME olist_dev.raw.olist")
    execute("O20_data_generation_fails", run_date=SAMPLE_DAYS[1])
    assert sql(shell, "SHOW VOLUMES IN olist_dev.raw")


@pytest.mark.parametrize(("target", "pause_status"), [("dev", "PAUSED"), ("prod", "UNPAUSED")])
def test_the_runbook_of_deployment_shows_what_a_target_becomes(execute, target, pause_status):
    """Without a workspace: a clean bundle, the commands to copy, the next times."""
    said = shown(execute("D10_deploy", target=target, go_back_to="v1.0.0").cells)

    assert f"0 errors, 0 warnings in 5 jobs of {target}" in said
    assert f"databricks bundle run olist_daily_job -t {target}\n" in said
    assert "git switch --detach v1.0.0" in said
    assert f"0 0 6 * * ? (UTC) {pause_status}" in said


def test_the_runbook_of_a_machine_that_is_too_small_gives_the_server_more(alone, tmp_path, monkeypatch):
    """The server runs with it, and the needs of a cluster are shown; more than the machine has is refused."""
    execute = runner(alone, tmp_path, monkeypatch)

    said = shown(execute("O80_one_machine_is_too_small", memory="1500m", cores=1).cells)

    assert "heap 1500m, 1 cores" in said
    command = [sys.executable, "-m", "lakelocal", "status", "--json"]
    status = json.loads(subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, timeout=60).stdout)
    assert "-Xmx1500m" in psutil.Process(status["pid"]).cmdline()
    assert f"--packages {PACKAGE},org.apache.hadoop:hadoop-aws:{HADOOP}\n" in said
    assert "spark.sql.extensions io.delta.sql.DeltaSparkSessionExtension\n" in said

    with pytest.raises(PapermillExecutionError, match="more than three quarters of this machine"):
        execute("O80_one_machine_is_too_small", memory="9000g")


def test_the_runbook_of_a_server_that_does_not_start_finds_too_little_memory(alone, tmp_path, monkeypatch):
    """Java ends for lack of heap: the message says so, and a larger heap starts it."""
    execute = runner({**alone, "LOCAL_MEMORY": "24m"}, tmp_path, monkeypatch)

    said = shown(execute("O95_server_does_not_start").cells)
    assert "there is not enough memory for it" in " ".join(said.split())  # a line ends where the terminal does
    assert said.endswith("set end_process or memory.")

    execute("O95_server_does_not_start", memory="1500m")
    assert sql(alone, "SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.slow("two starts of a server; test_server.py has the message")
def test_the_runbook_of_a_server_that_does_not_start_ends_one_that_nobody_knows(alone, tmp_path, monkeypatch):
    """The record is gone while Java runs; only a process of this state can be ended. With it, nothing is wrong."""
    execute = runner(alone, tmp_path, monkeypatch)
    assert sql(alone, "SELECT 1 AS one") == [{"one": 1}]
    said = shown(execute("O95_server_does_not_start").cells)
    assert said.endswith("there is nothing to mend.")
    (record,) = tmp_path.glob("state/olist_dev/server.json")
    pid = json.loads(record.read_text())["pid"]
    record.unlink()

    said = shown(execute("O95_server_does_not_start").cells)
    assert f"process {pid} still runs it, but its record" in said
    with pytest.raises(PapermillExecutionError, match="is none of those that hold"):
        execute("O95_server_does_not_start", end_process=1)
    execute("O95_server_does_not_start", end_process=pid)

    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert sql(alone, "SELECT 1 AS one") == [{"one": 1}]
