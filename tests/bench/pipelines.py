"""The same medallion as a declarative pipeline, on the same files: by `spark-pipelines` of this environment, and here.

The project is in `declarative/`; a bundle around the same sources is what runs here. Spark's own engine gets what the
local server gets: heap, cores, shuffle partitions, UTC, and tables that outlive the process (Hive's catalog on Derby).
Its tables are parquet, as it writes no Delta.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from lakelocal.errors import SetupError
from lakelocal.java import find_java
from lakelocal.server.settings import Settings
from tests.bench.counting import event_log_conf
from tests.bench.lakehouse import ROOT, peak_mib

PROJECT = Path(__file__).with_name("declarative")
SPEC = "spark-pipeline.yml"
LIMIT = 1800  # seconds
VECTORS = "jdk.incubator.vector"
PIPELINE = "olist_declarative"
BUNDLE = {
    "bundle": {"name": PIPELINE},
    "variables": {"catalog": {"default": "olist_dev"}},
    "resources": {
        "pipelines": {
            PIPELINE: {
                "name": PIPELINE,
                "catalog": "${var.catalog}",
                "schema": "declarative",
                "root_path": str(ROOT / "notebooks"),
                "libraries": [{"glob": {"include": "transformations/**"}}],
                "configuration": {
                    "olist.files": "/Volumes/olist_dev/raw/olist",
                    "olist.categories": "/Volumes/olist_dev/raw/olist/product_categories.csv",
                },
            }
        }
    },
    "targets": {"dev": {"default": True}},
}


@dataclass(frozen=True)
class Cost:
    """CPU seconds of all processes of a run, and the largest resident memory of one of them."""

    cpu: float
    peak_mib: int | None


def write_project(folder: Path, files: Path) -> Path:
    """Copy the project into *folder*, which must not exist, for *files* in one folder per entity; return its spec."""
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    spec = folder / SPEC
    content = yaml.safe_load(spec.read_text())
    content["storage"] = (folder / "storage").resolve().as_uri()
    content["configuration"] = {"olist.files": str(files.resolve())}
    spec.write_text(yaml.safe_dump(content, sort_keys=False))
    return spec


def write_bundle(folder: Path, files: Path) -> Path:
    """Write a bundle around the same sources into *folder*, which must not exist, for the volume with the *files*."""
    shutil.copytree(PROJECT / "transformations", folder / "transformations")
    (folder / "databricks.yml").write_text(yaml.safe_dump(BUNDLE, sort_keys=False))
    shutil.copy(ROOT / "config" / "product_categories.csv", files)
    return folder


def has_vectors(java: Path) -> bool:
    """Can this *java* run Spark's own scripts? A development kit can, the runtime that set-up brings cannot."""
    listed = subprocess.run([java, "--list-modules"], capture_output=True, text=True, timeout=60, check=True)
    return VECTORS in listed.stdout


def run_pipeline(spec: Path, *, events: Path | None = None) -> Cost:
    """Run the pipeline of *spec* in separate processes; its warehouse and catalog are beside the spec.

    Args:
        events: folder for Spark's event log, which must exist.

    Raises:
        SetupError: the available Java is a runtime without the module that Spark's own scripts need.
        RuntimeError: the run failed; the message has the end of its output.
    """
    java = find_java()
    if not has_vectors(java):
        raise SetupError(
            f"`{java}`: found no module `{VECTORS}`, which `spark-pipelines` asks for. Install a JDK and set JAVA_HOME."
        )
    here, settings = spec.resolve().parent, Settings.read()
    conf = spark_conf(here, settings) | (event_log_conf(events) if events else {})
    # The client starts the server with a script that passes nothing on: Spark's defaults reach it, `--conf` does not.
    (here / "conf").mkdir(exist_ok=True)
    (here / "conf" / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in conf.items()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    environment |= {
        "JAVA_HOME": str(java.resolve().parents[1]),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT / "notebooks"),
        "SPARK_CONF_DIR": str(here / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    program = Path(sys.executable).with_name("spark-pipelines")
    with subprocess.Popen(
        [program, "--remote", f"local[{settings.cores}]", "run", "--spec", spec.resolve()],
        cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        printed, cost = _watched(process)
    if process.returncode:
        raise RuntimeError(f"`spark-pipelines run --spec {spec}` ended with {process.returncode}:\n{printed[-4000:]}")
    return cost


def spark_conf(folder: Path, settings: Settings) -> dict[str, str]:
    """What the local server has too: heap, partitions, UTC, and a catalog that outlives the process."""
    return {
        "spark.driver.memory": settings.memory,
        "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.system.home={folder}",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(max(2, settings.cores)),
        "spark.default.parallelism": str(max(2, settings.cores)),
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder}/metastore;create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
    }


def _watched(process: subprocess.Popen) -> tuple[str, Cost]:
    """What *process* prints until it ends, and the cost of its whole process tree, sampled twice a second.

    The server is a grandchild that nobody waits for, so the system does not add up its CPU time.
    """
    root, cpu, peaks = psutil.Process(process.pid), {}, [0]
    limit = time.monotonic() + LIMIT
    while True:
        try:
            printed, _ = process.communicate(timeout=0.5)
        except subprocess.TimeoutExpired:
            if time.monotonic() > limit:
                raise
            for each in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                    used = each.cpu_times()
                    cpu[each.pid] = used.user + used.system
                    peaks.append(peak_mib(each.pid) or 0)
        else:
            return printed, Cost(sum(cpu.values()), max(peaks) or None)
