"""Every command of the documents is pasted into a shell: it succeeds, and prints what the document says.

They run in the order of the documents, in a copy of the project whose state begins empty. `WAYS` says for each command
what is typed for its placeholders, and names those that cannot run here, with the reason; a command that is not in it
fails `test_each_command_is_run_or_excepted_by_name`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakelocal.cli.parser import MODULES, read_arguments
from lakelocal.program import PROGRAM
from tests.documented import ROOT, Documented, documented, verbs_named
from tests.jobs.daily import SAMPLE

LEFT_OUT = (".git", ".venv*", ".local", "__pycache__", ".*_cache", ".hypothesis", "[0-9]*_O*.ipynb")


@dataclass(frozen=True)
class Run:
    """How a command is run: as *typed* (empty: as it is), in *folder* of the copy, with *stdin*; *slow* is a reason.

    *says* are regular expressions that its output has to contain.
    """

    typed: str = ""
    says: tuple[str, ...] = ()
    slow: str = ""
    folder: str = "."
    stdin: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """A command that is not run here, and why."""

    why: str


WORKSPACE = Elsewhere("needs a Databricks workspace, and its CLI")
OTHER_SPARK = Elsewhere("needs another Spark server; tests/remote runs it against one of its own")
GITHUB = Elsewhere("needs this repository at GitHub")
CLUSTER = Elsewhere("is typed on the machines of a cluster")
TESTS = Elsewhere("runs the tests, and so this one")
SETTING = Elsewhere("only sets a variable for the commands below it, which need a workspace")
FORM = Elsewhere("is the form of a command and no command")

JOB = "uses Spark: a whole job"
SQL = "uses Spark"
DAILY = ("generate_data +SUCCESS", "run_main_pipeline +SUCCESS", "run_cdc_pipeline +SUCCESS")
LOCAL = ".venv/bin/python -m local"
SHOP = "../shop"  # the bundle that `init` writes, beside the copy; each document that is about it begins with a run
BEGIN = "--before notebooks/00_setup.ipynb --var scale=100"

WAYS: dict[str, Run | Elsewhere] = {
    # README.md
    "make run-local": Run(says=DAILY, slow=JOB),
    'make sql Q="SELECT * FROM gold.gold_monthly_orders ORDER BY order_month DESC LIMIT 3"': Run(
        says=("order_month", "order_count", r"\d{4}-\d\d"), slow=SQL
    ),
    f"{LOCAL} runs open latest": Run(says=(r"latest|\.html",), slow="needs a run"),
    "make reset": Run(stdin="y\n", says=("deleting",), slow="deletes what the commands before it have made"),
    "make run-local SOURCE=../olist RUN_DATE=2018-10-18": Run(says=DAILY, slow=JOB),
    "make run-local RUN_DATE=2018-10-19": Run(says=DAILY, slow=JOB),
    "make run-local JOB=olist_weekly_refresh_job": Run(says=("SUCCESS",), slow=JOB),
    "make run-local JOB=olist_declarative_job": Run(says=("update_main +SUCCESS", "update_cdc +SUCCESS"), slow=JOB),
    f"{LOCAL} run olist_main_declarative --full-refresh-all": Run(says=("SUCCESS",), slow=JOB),
    'make run-local VARS="scale=100000 seed=7"': Run(
        'make run-local VARS="scale=100 seed=7 catalog=olist_small"', says=DAILY, slow=JOB
    ),
    "make run-remote": OTHER_SPARK,
    "make diff A=3 B=staging:latest": Run("make diff A=latest B=latest", says=("equal|same",), slow=SQL),
    "make lab": Elsewhere("serves until it is ended: tests/notebooks/test_lab.py starts the same"),
    "make verify-cdc ROUNDS=5": Run("make verify-cdc ROUNDS=1", says=("no difference",), slow="replays all events"),
    "make test": TESTS,
    "make test-all": TESTS,
    'make bench PARTS="main daily"': Run("make bench OPTIONS=--help", says=("--repeat",)),
    "make sql": Run(stdin="SELECT 42 AS answer;", says=("answer", "42"), slow=SQL),
    "make down": Run(says=("server of `olist_dev`",)),
    "make validate": Run(says=("0 errors",)),
    f"{LOCAL} runs list": Run(says=("run",)),
    f"{LOCAL} schedule": Elsewhere("runs until it is ended: tests/jobs/test_scheduler.py starts it"),
    f"{LOCAL} serve": Elsewhere("serves until it is ended: tests/workspace starts it"),
    f"{LOCAL} --help": Run(says=("runs list", "outbox", "schedule")),
    f"{LOCAL} run JOB": Run(f"{LOCAL} run olist_daily_job {BEGIN}", says=DAILY, slow=JOB),
    f"{LOCAL} validate JOB --fidelity": Run(f"{LOCAL} validate olist_daily_job --fidelity", says=("honoured",)),
    "export DATABRICKS_CONFIG_PROFILE=dev": SETTING,
    "make run-remote SOURCE=/Volumes/olist_dev/raw/incoming": WORKSPACE,
    'make run-remote REMOTE="sc://spark.example.com:15002/;use_ssl=true;token=..." SOURCE=../olist': OTHER_SPARK,
    'LOCAL_REMOTE="sc://..." .venv-remote/bin/python -m local sql "SELECT ..."': OTHER_SPARK,
    "databricks bundle deploy -t dev": WORKSPACE,
    "databricks bundle run olist_daily_job -t dev": WORKSPACE,
    # local/README.md, and the bundle that `init` writes
    "pip wheel --no-deps --wheel-dir dist ./local": Run(
        "pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist ./local && ls dist",
        says=(r"lakelocal-0\.1\.0-py3-none-any\.whl",),
    ),
    "pip install dist/lakelocal-0.1.0-py3-none-any.whl": Run(
        "pip install --no-deps --no-index --dry-run --force-reinstall dist/lakelocal-0.1.0-py3-none-any.whl",
        says=(r"Would install lakelocal-0\.1\.0",),
    ),
    "lakelocal validate": Run(says=("0 errors",)),
    "lakelocal jobs": Run(says=("olist_daily_job",)),
    "lakelocal run JOB": Run(f"lakelocal run olist_daily_job {BEGIN}", says=DAILY, slow=JOB),
    "lakelocal runs open latest": Run(says=(r"latest|\.html",), slow="needs a run"),
    "lakelocal sql": Run(stdin="SELECT 42 AS answer;", says=("answer", "42"), slow=SQL),
    "lakelocal lab": Elsewhere("serves until it is ended: tests/notebooks/test_lab.py starts the same"),
    "lakelocal init shop && cd shop": Run(
        "lakelocal init shop && cd shop && ls", says=("databricks.yml",), folder=".."
    ),
    "lakelocal run daily": Run(says=("SUCCESS",), folder=SHOP, slow=JOB),
    'lakelocal sql "SELECT * FROM shop.cities"': Run(says=("city|name",), folder=SHOP, slow=SQL),
    "lakelocal runs list": Run(says=("daily",), folder=SHOP, slow="needs a run"),
    "lakelocal reset": Run(folder=SHOP, stdin="y\n"),
    "lakelocal --help": Run(says=("runs list", "lab")),
    "databricks bundle deploy && databricks bundle run daily": WORKSPACE,
    "databricks bundle deploy": WORKSPACE,
    "databricks bundle validate --output json": WORKSPACE,
    "lakelocal VERB": FORM,
    "python -m local": Run("python -m local --help", says=("VERB",)),
    "pytest --lakeflow-project DIR --lakeflow-target T": Elsewhere(
        "tests/unit/test_init.py runs the tests of a bundle"
    ),
    "python -m local diff A B": Run("python -m local diff latest latest", says=("equal|same",), slow=SQL),
    "python -m local status --json": Run(says=('"catalog": "olist_dev"',)),
    "python -m local schedule": Elsewhere("runs until it is ended: tests/jobs/test_scheduler.py starts it"),
    "python -m local run JOB --scheduled-at TIME": Run(
        "python -m local run olist_cdc_pipeline --scheduled-at 2026-01-01T06:00:00+00:00", says=("SUCCESS",), slow=JOB
    ),
    "python -m local outbox [--json]": Run("python -m local outbox --json", says=(r"\[",)),
    "python -m local outbox show ID": Elsewhere("needs a message: tests/unit/test_notifications_outbox.py shows one"),
    # local/CONTRIBUTING.md
    "python tests/spark/write_dialect_table.py": Run(
        "python tests/spark/write_dialect_table.py && git diff --exit-code"
    ),
    "python tests/unit/write_conformance.py": Run("python tests/unit/write_conformance.py && git diff --exit-code"),
    "make check": Run(says=("no issues found",), slow="checks the types of everything"),
    # runbooks
    "make verify-cdc": Run("make verify-cdc ROUNDS=1", says=("no difference",), slow="replays all events"),
    "make setup": Run(),
    "python -m local down": Run(says=("server of `olist_dev`",)),
    "python -m local runs export RUN_ID": Run(
        "python -m local runs export latest", says=(r"\.html",), slow="needs a run"
    ),
    "python -m local runs repair RUN_ID": Elsewhere("needs a run that failed: test_repair.py repairs some"),
    "python -m local schedule --simulate 30d": Run(says=("olist_daily_job|Daily",)),
    "python -m local runs prune --older-than 60d": Run(says=("deleted 0 runs",)),
    "du -xsh /* 2>/dev/null | sort -h": Elsewhere("reads the whole disk"),
    "databricks auth login --host https://<workspace>": WORKSPACE,
    "databricks runs list --limit 10": WORKSPACE,
    "databricks jobs list-runs": WORKSPACE,
    "databricks jobs list-runs --limit 10": WORKSPACE,
    "databricks runs list --active-only": WORKSPACE,
    "databricks jobs list-runs --active-only": WORKSPACE,
    "databricks runs get --run-id ID": WORKSPACE,
    "databricks jobs get-run ID": WORKSPACE,
    "databricks jobs get-run-output ID": WORKSPACE,
    "databricks jobs get-run-output TASK_RUN_ID": WORKSPACE,
    "databricks jobs cancel-run ID": WORKSPACE,
    "databricks jobs repair-run": WORKSPACE,
    "databricks bundle destroy -t dev": WORKSPACE,
    "databricks bundle validate -t dev": WORKSPACE,
    "databricks bundle run olist_weekly_refresh_job -t dev": WORKSPACE,
    'gh workflow run "Deploy to Development" -f run_pipeline=true': GITHUB,
    "gh release create v1.2.0 --target main --generate-notes": GITHUB,
    "export SPARK_CONNECT_AUTHENTICATE_TOKEN=...": CLUSTER,
    "sbin/start-connect-server.sh --packages ...": CLUSTER,
    "ssh -N -L 15002:localhost:15002 HOST": CLUSTER,
    'export LOCAL_STATE=/mnt/shared/olist REMOTE="sc://localhost:15002/;token=..."': CLUSTER,
    "make run-remote SOURCE=/mnt/shared/incoming": CLUSTER,
    'LOCAL_REMOTE="sc://localhost:15002/;token=..." make diff '
    "A=.local/olist_dev:latest B=/mnt/shared/olist/olist_dev:latest": CLUSTER,
}
COMMANDS = documented()


def runnable() -> list[object]:
    """A parameter for each command that is run, for the first document that shows it."""
    found = []
    done: set[tuple[str, str]] = set()
    for number, each in enumerate(COMMANDS):
        way = WAYS.get(each.command)
        if not isinstance(way, Run):
            continue
        once = (each.command, each.document if way.folder == SHOP else "")
        if once not in done:
            done.add(once)
            marks = [pytest.mark.slow(way.slow)] if way.slow else []
            name = re.sub(r"\W+", "_", f"{each.document.removesuffix('.md')}-{each.command}")[:90]
            found.append(pytest.param(each, way, marks=marks, id=f"{number}-{name}"))
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project with the same environment, and the sample beside it; its servers end with the tests."""
    place = tmp_path_factory.mktemp("pasted") / "project"
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    (place / ".venv").symlink_to(ROOT / ".venv")
    set_up = subprocess.run(["make", "--question", ".venv/.ready"], cwd=place, timeout=120)
    assert set_up.returncode == 0, "the environment is out of date; a set-up in the copy would change it: `make setup`"
    if SAMPLE.is_dir():
        (place.parent / "olist").symlink_to(SAMPLE)
    for words in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *words], cwd=place, check=True, timeout=120)
    yield place
    for folder in filter(Path.is_dir, (place, place / SHOP)):
        subprocess.run([sys.executable, "-m", "lakelocal", "down", "--all"], cwd=folder, env=shell(place), timeout=120)


def shell(place: Path) -> dict[str, str]:
    """The environment of a person's shell in *place*, in which the environment of the project is active."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SPARK_"))}
    return {**kept, "PATH": f"{place / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}", "BROWSER": "echo %s"}


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(("each", "way"), runnable())
def test_a_command_does_what_its_document_says(copy: Path, each: Documented, way: Run) -> None:
    """Its exit code is 0; what the document shows below it is in its output, whatever the numbers."""
    command = way.typed or each.command
    if "../olist" in command and not SAMPLE.is_dir():
        pytest.skip("the sample of real orders is not beside this checkout")

    done = subprocess.run(
        command, shell=True, cwd=copy / way.folder, env=shell(copy), input=way.stdin, capture_output=True, text=True,
        timeout=1400,
    )  # fmt: skip

    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert [pattern for pattern in way.says if not re.search(pattern, said)] == [], said[-3000:]
    assert missing(each.prints, said) == [], said[-3000:]


def missing(shown: tuple[str, ...], said: str) -> list[str]:
    """The lines of *shown* that *said* does not have; numbers, times and the order of tasks differ from run to run."""
    lines = [_shape(line) for line in said.splitlines()]
    return [line for line in shown if line != "..." and not any(_shape(line) in other for other in lines)]


def _shape(line: str) -> str:
    return re.sub(r"\b\d+ min( \d+ s)?|\b[\d.]+ m?s\b|\d[\d.]*", "#", " ".join(line.split()))


def test_each_command_is_run_or_excepted_by_name() -> None:
    """No command is passed over, and no way is kept for a command that no document has any more."""
    shown = {each.command for each in COMMANDS}

    assert shown - WAYS.keys() == set()
    assert WAYS.keys() - shown == set()
    assert len(shown) > 80


PARTS = sorted({each.command for each in verbs_named(MODULES)})


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_command_names_what_the_command_line_has(part: str, capsys: pytest.CaptureFixture) -> None:
    """`runs prune --keep 3` in a sentence: the verb has that action, and the action has that option."""
    words = [word for word in part.split() if re.fullmatch("[a-z]+", word)]
    depth = 2 if words[0] in ("runs", "outbox") else 1

    with pytest.raises(SystemExit, match="0"):
        read_arguments([*words[:depth], "--help"])

    told = capsys.readouterr().out
    assert told.startswith(f"usage: {PROGRAM} {' '.join(words[:depth])}")
    assert [option for option in re.findall(r"--[\w-]+", part) if option not in told] == []


def test_a_line_that_a_command_does_not_print_is_missed() -> None:
    """Otherwise the test above would say nothing about the outputs in the documents."""
    said = "task  result  time\na     SUCCESS  1 min 12 s  9/a.ipynb\nb     FAILED  3.1 s\n"

    assert missing(("task result time", "...", "a SUCCESS 2 s 1/a.ipynb"), said) == []
    assert missing(("b SUCCESS 1 s",), said) == ["b SUCCESS 1 s"]
    assert missing(("b FAILED 1 min", "c FAILED"), said) == ["c FAILED"]
