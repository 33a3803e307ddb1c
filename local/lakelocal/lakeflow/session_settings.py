"""The Spark settings that the cluster of a task gives to its sessions.

Source: Clusters API, `spark_conf` and `spark_version`; Databricks documentation, "ANSI compliance in Databricks
Runtime": ANSI mode is the default from Databricks Runtime 17.0 on, and on serverless compute.
"""

import re
from collections.abc import Mapping
from typing import Any

from lakelocal.lakeflow.environment_variables import cluster_of
from lakelocal.lakeflow.field_values import as_text
from lakelocal.lakeflow.model import Job, Task

_ANSI, _FIRST_WITH_ANSI = "spark.sql.ansi.enabled", 17
_RUNTIME = re.compile(r"(\d+)\.\w+")  # of `15.4.x-scala2.12`
# Settings for the size of a cluster do not change any result, and would slow down one machine with little data; those
# for storage in the cloud have no effect, since there is none here.
_LEFT_OUT = (
    "spark.sql.shuffle.partitions", "spark.sql.adaptive.", "spark.default.parallelism", "spark.sql.files.",
    "fs.", "spark.hadoop.fs.",
)  # fmt: skip


def session_settings(job: Job, task: Task) -> dict[str, str]:
    """The settings of *task* by name; references to secrets are not resolved."""
    cluster: Mapping[str, Any] = cluster_of(job, task)
    runtime = _RUNTIME.match(str(cluster.get("spark_version") or ""))
    found = {_ANSI: "false"} if runtime and int(runtime[1]) < _FIRST_WITH_ANSI else {}
    for name, value in (cluster.get("spark_conf") or {}).items():
        if value is not None and not str(name).startswith(_LEFT_OUT):
            found[str(name)] = as_text(value)
    return found
