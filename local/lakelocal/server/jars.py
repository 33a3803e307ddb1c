"""Delta's jars, fetched once per machine with Spark's own Ivy.

They are in the user's cache or, if that cannot be written, in the environment, in a folder named after Delta and the
pins: environments of the same version share it, another version has its own. `jars.sha256` pins the content of each; a
jar that differs is never used. `LAKELOCAL_CACHE` names another folder for the cache.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from lakelocal.errors import SetupError
from lakelocal.folders import size_of
from lakelocal.java import find_java
from lakelocal.locks import locked
from lakelocal.program import SET_UP
from lakelocal.server.trust import trust_options
from lakelocal.versions import DELTA, SCALA, SPARK_LINE

PACKAGE = f"io.delta:delta-spark_{SPARK_LINE}_{SCALA}:{DELTA}"
PINS = Path(__file__).with_name("jars.sha256")
CACHE = "LAKELOCAL_CACHE"
LIMIT = 900  # seconds
# Spark ships these itself; two versions of the same library on a class path would break it.
PROVIDED = (
    "com.fasterxml.jackson.core:jackson-annotations", "com.fasterxml.jackson.core:jackson-core",
    "com.fasterxml.jackson.core:jackson-databind", "com.fasterxml.jackson.datatype:jackson-datatype-jdk8",
    "com.google.code.findbugs:jsr305", "org.apache.hadoop:hadoop-client-api", "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.logging.log4j:log4j-api", "org.apache.logging.log4j:log4j-core",
    "org.apache.logging.log4j:log4j-slf4j2-impl", "org.apache.parquet:parquet-hadoop",
    "org.roaringbitmap:RoaringBitmap", "org.roaringbitmap:shims", "org.slf4j:slf4j-api",
)  # fmt: skip


def delta_jars() -> Path:
    """The folder with Delta's jars, or the folder where they will be once they have been fetched."""
    named = os.environ.get(CACHE)
    caches = [Path(named).expanduser()] if named else [user_cache_path("lakelocal"), Path(sys.prefix) / "share"]
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()[:8]
    folders = [cache / f"delta-{DELTA}-spark-{SPARK_LINE}-{pins}" for cache in caches]
    there = (folder for folder in folders if folder.is_dir())
    return next(there, None) or next((folder for folder in folders if _can_be_made(folder)), folders[0])


def _can_be_made(folder: Path) -> bool:
    return os.access(next(parent for parent in folder.parents if parent.exists()), os.W_OK)


def spark_jars() -> Path:
    """The folder with the jars of the installed pyspark.

    Raises:
        SetupError: there is no pyspark, or one without jars, like that of databricks-connect.
    """
    import importlib.util  # imported here: its finder searches the whole environment

    package = importlib.util.find_spec("pyspark")
    folder = Path(package.origin).parent / "jars" if package and package.origin else None
    if folder is None or not folder.is_dir():
        raise SetupError(
            f"`{sys.prefix}`: found no pyspark with its jars; expected the package pyspark. Run `{SET_UP}`."
        )
    return folder


def fetch_delta_jars(tell: Callable[[str], None] = lambda what: None) -> None:
    """Fetch Delta's jars if this machine does not have them yet, and say so; one process does, others wait for it.

    *tell* is called about every two seconds with how much has come.

    Raises:
        SetupError: they cannot be fetched, or are not the pinned ones.
    """
    folder = delta_jars()
    if folder.is_dir():  # it gets its name once everything is there and checked
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f"{folder.name}.lock")
        waited = SetupError(
            f"`{lock}`: another process has been fetching Delta's jars for {LIMIT // 60} minutes. "
            "End it, then run again."
        )
        with locked(lock, LIMIT, waited):
            if not folder.is_dir():
                _fetch(folder, tell)
    except OSError as error:
        raise SetupError(
            f"`{folder.parent}`: cannot be written ({error.strerror}). Name another folder for the cache in {CACHE}."
        ) from error


def _fetch(folder: Path, tell: Callable[[str], None]) -> None:
    partial = f"{folder.name}.part-"
    for left in folder.parent.glob(f"{partial}*"):  # of a process that was killed, since only one holds the lock
        shutil.rmtree(left, ignore_errors=True)
    print(f"Delta {DELTA}: fetching its jars, once for this machine ...", file=sys.stderr, flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=partial, dir=folder.parent) as cache:
        found = _resolve(Path(cache), tell)
        if differing := differences(found):
            raise SetupError(
                f"{PACKAGE}: the jars that came differ from `{PINS.name}` ({'; '.join(differing)}). "
                "Run again; if it stays so, the registry serves other files than the pinned ones."
            )
        found.rename(folder)
    print(f"Delta {DELTA}: {time.monotonic() - start:.0f} s, in {folder}", file=sys.stderr, flush=True)


def _resolve(cache: Path, tell: Callable[[str], None]) -> Path:
    """Let Ivy download into *cache*, a separate folder: a half-filled `~/.m2` would make it fail."""
    # The class only prints a version: SparkSubmit resolves packages before it starts its main class.
    command = [
        str(find_java()), *trust_options(cache), "-cp", f"{spark_jars()}/*", "org.apache.spark.deploy.SparkSubmit",
        "--class", "org.apache.hadoop.util.VersionInfo", "--packages", PACKAGE,
        "--conf", f"spark.jars.ivy={cache}", "--conf", f"spark.jars.excludes={','.join(PROVIDED)}", "spark-internal",
    ]  # fmt: skip
    environment = {**os.environ, "HOME": str(cache), "SPARK_LOCAL_IP": "127.0.0.1"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            said = _errors_of(process, cache, tell)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        reasons = [line.strip() for line in said.splitlines() if "error" in line.lower()]
        raise SetupError(
            f"{PACKAGE}: not resolved ({reasons[0] if reasons else 'Ivy gave no reason'}). "
            "Check that Maven Central is reachable (a proxy's certificate goes into SSL_CERT_FILE), then run again."
        )
    return cache / "jars"


def _errors_of(process: "subprocess.Popen[str]", cache: Path, tell: Callable[[str], None]) -> str:
    """What *process*, which downloads into *cache*, has printed to standard error when it ends."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        try:
            return process.communicate(timeout=2)[1]
        except subprocess.TimeoutExpired:
            tell(f"fetching Delta's jars, once for this machine: {size_of(cache) / 2**20:.0f} MB")
    raise SetupError(f"{PACKAGE}: not resolved after {LIMIT // 60} minutes. Check the network, then run again.")


def differences(folder: Path) -> list[str]:
    """How the jars in *folder* differ from the pins: one line for each difference."""
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    pins = (line.split() for line in PINS.read_text().splitlines())
    expected = {name: digest for digest, name in pins}
    return [
        f"{name}: {'missing' if name not in found else 'not expected' if name not in expected else 'other content'}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]


def main() -> None:
    """Called by set-up, so that no run has to wait."""
    try:
        fetch_delta_jars()
    except SetupError as error:
        sys.exit(f"error: {error}")
