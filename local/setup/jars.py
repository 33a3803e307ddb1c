"""Delta's jars, resolved once by Spark's own Ivy into `.venv/share/spark-jars`.

They belong to the environment, not to the state: `make reset` keeps them and every state folder shares them.
`jars.sha256` pins the content of each; a jar that differs is never used.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from local.errors import SetupError
from local.java import find_java
from local.setup.trust import trust_options
from local.versions import DELTA, SCALA, SPARK_LINE

PACKAGE = f"io.delta:delta-spark_{SPARK_LINE}_{SCALA}:{DELTA}"
PINS = Path(__file__).with_name("jars.sha256")
# Spark brings these itself; two versions of one library on a class path is the classic way to break it.
PROVIDED = (
    "com.fasterxml.jackson.core:jackson-annotations", "com.fasterxml.jackson.core:jackson-core",
    "com.fasterxml.jackson.core:jackson-databind", "com.fasterxml.jackson.datatype:jackson-datatype-jdk8",
    "com.google.code.findbugs:jsr305", "org.apache.hadoop:hadoop-client-api", "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.logging.log4j:log4j-api", "org.apache.logging.log4j:log4j-core",
    "org.apache.logging.log4j:log4j-slf4j2-impl", "org.apache.parquet:parquet-hadoop",
    "org.roaringbitmap:RoaringBitmap", "org.roaringbitmap:shims", "org.slf4j:slf4j-api",
)  # fmt: skip


def make(venv: Path) -> None:
    """Fill `share/spark-jars` of *venv*; does nothing where the pinned jars are there."""
    folder = jars_folder(venv)
    if _differences(folder):
        with tempfile.TemporaryDirectory(dir=venv) as cache:
            resolved = _resolve(venv, Path(cache))
            if differences := _differences(resolved):
                raise SetupError(
                    f"{PACKAGE}: the jars that came differ from `{PINS.name}` ({'; '.join(differences)}). "
                    "Run again; if it stays so, the registry serves other files than the pinned ones."
                )
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            resolved.rename(folder)


def jars_folder(venv: Path) -> Path:
    """Where the jars of the environment *venv* are."""
    return venv / "share" / "spark-jars"


def _resolve(venv: Path, cache: Path) -> Path:
    """Let Ivy download into *cache*, a folder of its own: a half-filled `~/.m2` would make it fail."""
    spark_jars = _site_packages(venv) / "pyspark" / "jars"
    # The class only prints a version: SparkSubmit resolves packages before it starts whatever it is given.
    command = [
        str(find_java()), *trust_options(cache), "-cp", f"{spark_jars}/*", "org.apache.spark.deploy.SparkSubmit",
        "--class", "org.apache.hadoop.util.VersionInfo", "--packages", PACKAGE,
        "--conf", f"spark.jars.ivy={cache}", "--conf", f"spark.jars.excludes={','.join(PROVIDED)}", "spark-internal",
    ]  # fmt: skip
    environment = {**os.environ, "HOME": str(cache), "SPARK_LOCAL_IP": "127.0.0.1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{PACKAGE}: not resolved after 15 minutes. Check the network, then run again.") from error
    if done.returncode:
        reasons = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
        raise SetupError(
            f"{PACKAGE}: not resolved ({reasons[0] if reasons else 'Ivy gave no reason'}). "
            "Check that Maven Central is reachable (a proxy's certificate goes into SSL_CERT_FILE), then run again."
        )
    return cache / "jars"


def _differences(folder: Path) -> list[str]:
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    pins = (line.split() for line in PINS.read_text().splitlines())
    expected = {name: digest for digest, name in pins}
    return [
        f"{name}: {'missing' if name not in found else 'not expected' if name not in expected else 'other content'}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]


def _site_packages(venv: Path) -> Path:
    return next((venv / "lib").glob("python3.*")) / "site-packages"
