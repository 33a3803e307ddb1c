"""The environment variables that a task's cluster, or a block of its job, gives to its code.

Source: Clusters API, `spark_env_vars`, whose values may refer to secrets by `{{secrets/SCOPE/KEY}}`; Jobs API 2.2,
`JobEnvironmentVariables`, which a task names by `environment_variables_key`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lakelocal.lakeflow.model import Job, Task

SECRET = re.compile(r"\{\{\s*secrets/([^/{}\s]+)/([^/{}\s]+)\s*\}\}")


def environment_variables(job: Job, task: Task) -> dict[str, str]:
    """The variables of *task* by name; references to secrets stand as they are written."""
    block = _entry(
        job.settings.get("environment_variables"),
        "environment_variables_key",
        task.settings.get("environment_variables_key"),
    ).get("spec")
    found = {**(cluster_of(job, task).get("spark_env_vars") or {}), **((block or {}).get("variables") or {})}
    return {str(name): str(value) for name, value in found.items() if value is not None}


def cluster_of(job: Job, task: Task) -> Mapping[str, Any]:
    """The new cluster of *task*, its own or one of *job*; empty if it has none."""
    shared = _entry(job.settings.get("job_clusters"), "job_cluster_key", task.settings.get("job_cluster_key"))
    return task.settings.get("new_cluster") or shared.get("new_cluster") or {}


def with_secrets(value: str, secret: Callable[[str, str], str]) -> str:
    """*value* with each reference to a secret replaced by *secret* of its scope and key."""
    return SECRET.sub(lambda found: secret(found[1], found[2]), value)


def _entry(entries: Any, key: str, name: Any) -> Mapping[str, Any]:
    """The one of *entries* whose *key* is *name*; empty if there is none."""
    return next((each for each in entries or () if name is not None and each.get(key) == name), {})
