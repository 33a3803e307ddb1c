"""What the notebooks must not contain: the one table, with the reason, what to use instead, and the source."""

from dataclasses import dataclass

LIMITS = 'Databricks documentation, "Serverless compute limitations"'
SETTINGS = 'Databricks documentation, "Set Spark configuration properties on Databricks"'
FOREACH = 'Databricks documentation, "Use foreachBatch to write to arbitrary data sinks"'
VOLUMES = 'Databricks documentation, "Work with files in Unity Catalog volumes"'
PATHS = 'Databricks documentation, "Work with Python and R modules"'
ACCESS = 'Databricks documentation, "Compute access mode limitations for Unity Catalog"'
HERE = "this project: the same notebook runs in four places"

# All that a session may set on serverless compute.
ALLOWED_SETTINGS = frozenset(
    {
        "spark.databricks.execution.timeout",
        "spark.sql.ansi.enabled",
        "spark.sql.files.maxPartitionBytes",
        "spark.sql.legacy.timeParserPolicy",
        "spark.sql.session.timeZone",
        "spark.sql.shuffle.partitions",
    }
)


@dataclass(frozen=True)
class Rule:
    """One kind of construct that is refused: *reason*, and what to do *instead*."""

    name: str
    reason: str
    instead: str
    source: str


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            "cache",
            "serverless compute has neither a cache for DataFrames and tables nor checkpoints of them",
            "read the table again, or write what is used often as a table",
            LIMITS,
        ),
        Rule(
            "rdd",
            "only the API of Spark Connect is there: no RDD, no SparkContext, no objects of the JVM",
            "use DataFrames and SQL",
            LIMITS,
        ),
        Rule(
            "setting",
            f"serverless compute takes only {', '.join(sorted(ALLOWED_SETTINGS))}",
            "leave it out, or make it an option of the reader, the writer or the table",
            SETTINGS,
        ),
        Rule(
            "global-view",
            "serverless compute has no global temporary views",
            "use a temporary view, or a table",
            LIMITS,
        ),
        Rule(
            "foreach",
            "the function runs in a process of its own there, in which the names of the notebook are not in reach",
            "stream into a table, then MERGE from it",
            FOREACH,
        ),
        Rule(
            "python-udf",
            "rows would go through Python, and the package would have to be on the server's path too",
            "use SQL and native functions",
            HERE,
        ),
        Rule(
            "hive-variable",
            "Spark Connect does not substitute `${...}` in SQL",
            "pass arguments, or format the text",
            ACCESS,
        ),
        Rule(
            "external-table",
            "tables are Unity Catalog's own; an external location is another one in each place",
            "leave LOCATION and EXTERNAL out",
            HERE,
        ),
        Rule(
            "storage-path",
            "DBFS and mounts are not to be had on serverless compute, and cloud paths only through external locations",
            "use a volume: /Volumes/{catalog}/{schema}/{volume}/",
            LIMITS,
        ),
        Rule(
            "trigger",
            "serverless compute has no default trigger and none by time: a stream must end",
            "say .trigger(availableNow=True)",
            LIMITS,
        ),
        Rule(
            "volume-path",
            "Python reaches the files of a volume inside Databricks only",
            "use Spark or dbutils.fs",
            VOLUMES,
        ),
        Rule(
            "machine-file",
            "serverless compute keeps dbutils.fs away from the files of the machine",
            "write with dbutils.fs.put, or with Spark",
            ACCESS,
        ),
        Rule(
            "input-file-name",
            "serverless compute does not know the function",
            "select _metadata.file_path",
            'Databricks documentation, "File metadata column"',
        ),
        Rule(
            "run-magic", "nobody sees where a name comes from", "import it from the package beside the notebook", HERE
        ),
        Rule(
            "install", "packages are pinned in one list", "pin it in environment.yml and in the job's environment", HERE
        ),
        Rule("shell", "a shell command is another one in each place", "use Python or dbutils", HERE),
        Rule("sys-path", "the folder of a notebook is on the path in all four places", "leave it out", PATHS),
        Rule("sleep", "a wait for a time is too long or too short", "wait for the thing itself", HERE),
        Rule("star-import", "a reader must see where a name comes from", "name what is imported", HERE),
        Rule(
            "local-import", "inside Databricks there is no such package", "move what is needed into the package", HERE
        ),
    )
}
