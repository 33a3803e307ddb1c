"""The same medallion by Spark Declarative Pipelines, on the same files: `spark-pipelines` of this environment.

The project is in `declarative/`. Its Spark gets what the local server gets: heap, cores, shuffle partitions, UTC, and
tables that outlive the process (Hive's catalog on Derby). The tables are parquet, as these pipelines write no Delta.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from local.java import find_java
from local.server.settings import Settings
from tests.bench.counting import event_log_settings

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).with_name("declarative")
SPEC = "spark-pipeline.yml"
LIMIT = 1800  # seconds


def write_project(folder: Path, files: Path) -> Path:
    """A copy of the project in *folder*, which must not exist, for the *files* in a folder an entity; its spec."""
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    spec = folder / SPEC
    content = yaml.safe_load(spec.read_text())
    content["storage"] = (folder / "storage").resolve().as_uri()
    content["configuration"] = {
        "olist.files": str(files.resolve()),
        "olist.categories": str(ROOT / "config" / "product_categories.csv"),
    }
    spec.write_text(yaml.safe_dump(content, sort_keys=False))
    return spec


def run_pipeline(spec: Path, *, events: Path | None = None) -> str:
    """Run the pipeline of *spec* in a process of its own, warehouse and catalog beside the spec; what it printed.

    Args:
        events: folder for Spark's event log, which must exist.

    Raises:
        RuntimeError: the run failed; tells the end of what it printed.
    """
    settings = Settings.read()
    here = spec.resolve().parent
    conf = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(max(2, settings.cores)),
        "spark.default.parallelism": str(max(2, settings.cores)),
        "spark.sql.warehouse.dir": (here / "warehouse").as_uri(),
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={here}/metastore;create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.system.home={here}",
    }
    if events:
        conf |= dict(word.split("=", 1) for word in shlex.split(event_log_settings(events)))
    java = find_java()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    environment |= {
        "JAVA_HOME": str(java.resolve().parents[1]),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_DRIVER_MEMORY": settings.memory,  # by `spark.driver.memory` it would come too late: the JVM runs already
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    options = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
    program = Path(sys.executable).with_name("spark-pipelines")
    done = subprocess.run(
        [program, *options, "--remote", f"local[{settings.cores}]", "run", "--spec", spec.resolve()],
        cwd=here, env=environment, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(f"`spark-pipelines run --spec {spec}` ended with {done.returncode}:\n{printed[-4000:]}")
    return printed
