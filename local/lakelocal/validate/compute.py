"""Checks the clusters and environments that tasks name.

Source: Databricks CLI 1.13, `bundle/config/validate/job_cluster_key_defined.go` and `job_task_cluster_spec.go`.
"""

from collections.abc import Iterator

from lakelocal.lakeflow.findings import Finding
from lakelocal.lakeflow.task_types import type_of
from lakelocal.validate.job_view import JobView

COMPUTE = ("job_cluster_key", "environment_key", "existing_cluster_id", "new_cluster")
# Fields by which a task names an entry of its job: the field, the rule, the list in the job, the key of its entries.
_NAMED = (
    ("job_cluster_key", "unknown-cluster", "job_clusters", "job_cluster_key"),
    ("environment_key", "unknown-environment", "environments", "environment_key"),
    ("environment_variables_key", "unknown-environment", "environment_variables", "environment_variables_key"),
)


def check_compute(view: JobView) -> Iterator[Finding]:
    """Check that named clusters and environments exist, and that tasks which need compute name one."""
    for field, rule, block, key in _NAMED:
        known = [str(entry.get(key)) for entry in view.source.get(block) or []]
        for task in view.all_tasks:
            named = task.settings.get(field)
            if named is not None and str(named) not in known:
                legal = ", ".join(f"`{name}`" for name in known) or "none: the job has no such block"
                found, expected = f"the {field} `{named}`", f"one of `{block}`: {legal}"
                yield view.finding(rule, found, expected, "Correct the key.", task=task, path=(field,))
    for task in view.all_tasks:
        if type_of(task.kind).needs_compute and not any(task.settings.get(name) for name in COMPUTE):
            found, expected = f"a {task.kind} without compute", f"one of {', '.join(f'`{name}`' for name in COMPUTE)}"
            yield view.finding("missing-compute", found, expected, "Add one of them.", task=task)
