"""How the JVM of the server is started: class path, options, and Spark's settings."""

from collections.abc import Mapping
from pathlib import Path

from lakelocal.project import State
from lakelocal.server.archive import archive_options
from lakelocal.server.jars import delta_jars, spark_jars
from lakelocal.server.settings import CODEGEN, JITS, Settings

CATALOG = "spark.local.catalog"  # the catalog of the runs whose tables a server has, for clients that want to know
# The parent of the workers that run Python functions; their Python is set by the environment, see `process`.
PYTHON = {"spark.python.daemon.module": "lakelocal.server.worker_daemon"}
# The packages of Java's base module that Spark's own launcher opens; its script needs a module that a JRE lacks.
OPENED = (
    "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util",
    "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs",
    "sun.security.action", "sun.util.calendar",
)  # fmt: skip


def server_command(state: State, *, java: Path, port: int, settings: Settings, make_archive: bool = False) -> list[str]:
    """The command line of the Spark Connect server of *state*, listening on loopback at *port*.

    With *make_archive*, it writes the class data archive when it ends, if there is none.
    """
    return [
        *jvm(java, settings), *archive_options(java, jars(), make=make_archive), state_mark(state),
        f"-Djava.io.tmpdir={state.folder / 'tmp'}", "-cp", class_path(),
        *submission({**spark_conf(state, port, settings), **PYTHON, **settings.spark_conf}),
    ]  # fmt: skip


def jvm(java: Path, settings: Settings) -> list[str]:
    """Java with the options of any Spark process: the driver here, or the master and the workers of a cluster."""
    return [
        str(java), *heap_options(settings), *JITS[settings.jit],
        "-XX:+IgnoreUnrecognizedVMOptions",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
        "-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true",
        "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8",
        f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
    ]  # fmt: skip


def heap_options(settings: Settings) -> list[str]:
    """The sizes of the heap: it starts at a quarter of its maximum, and has its full young generation from the start.

    Java starts with a heap of a few megabytes, and collects all of it each time that it grows, or that the loaded
    classes need more room than 21 MB: six such collections, 2.5 s of CPU, in a cold daily job. Most of what Spark
    allocates for small data dies young.
    """
    megabytes = settings.heap_megabytes
    return [
        f"-Xmx{megabytes}m",
        f"-Xms{megabytes // 4}m",
        f"-Xmn{megabytes * 15 // 100}m",
        "-XX:MetaspaceSize=256m",
    ]


def submission(conf: Mapping[str, str]) -> list[str]:
    """The main class and its arguments: Spark's launcher starts the Spark Connect server with the settings *conf*."""
    options = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    return ["org.apache.spark.deploy.SparkSubmit", "--class", server, *options, "spark-internal"]


def state_mark(state: State) -> str:
    """The option that identifies a server's state folder on its command line; Derby writes its own log there."""
    return f"-Dderby.system.home={state.logs}"


def spark_conf(state: State, port: int, settings: Settings) -> dict[str, str]:
    """Spark's settings: Databricks' defaults where they differ from Spark's, and what suits one machine."""
    cores = settings.cores
    return {
        "spark.master": f"local[{cores}]",
        "spark.app.name": f"local {state.catalog}",
        CATALOG: state.catalog,
        # Loopback only.
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.ui.enabled": "false",
        # Tables and views survive a restart.
        "spark.sql.warehouse.dir": str(state.warehouse),
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={state.metastore};create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        # As on Databricks: Delta is the default, times are UTC.
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.sources.default": "delta",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.databricks.delta.properties.defaults.enableChangeDataFeed": "false",
        # Adaptive execution runs each exchange as a separate job, and computes a Delta snapshot in three jobs instead
        # of one: for the same statements, a cold daily job had 818 jobs with it and 540 without, and a run with nothing
        # new 267 and 189. Little is lost: an exchange has as many partitions as there are cores anyway, so there is
        # nothing to coalesce, and only partitions above 256 MB would be split. Joins are planned by the sizes in the
        # Delta log; if an input turns out to be small enough for a broadcast, both sides are sorted instead.
        "spark.sql.adaptive.enabled": "false",
        # Each hash table and each sort takes at least one page of memory, by default 64 MB of zeros, even for ten rows;
        # those of broadcasts live until they are collected. With 2 MB, the server needs 1.6 GB instead of 4.5 for a
        # cold daily job and two more days. A row that is larger than a page gets its own page.
        "spark.buffer.pageSize": "2m",
        # One machine, small data: a fixed cost for every partition.
        "spark.sql.shuffle.partitions": str(max(2, cores)),
        "spark.default.parallelism": str(max(2, cores)),
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.databricks.delta.vacuum.parallelDelete.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(max(2, cores)),
        "spark.local.dir": str(state.folder / "tmp"),
        # An idle notebook keeps its session overnight.
        "spark.connect.session.manager.defaultSessionTimeout": "24h",
        # The dialect reads the plans on their way: they are sent uncompressed.
        "spark.connect.session.planCompression.threshold": "-1",
        **CODEGEN[settings.jit],
    }


def class_path() -> str:
    """Spark's jars and Delta's."""
    return f"{spark_jars()}/*:{delta_jars()}/*"


def jars() -> list[Path]:
    """The jars of the class path, one by one."""
    return [jar for folder in (spark_jars(), delta_jars()) for jar in folder.glob("*.jar")]
