"""Finds keys that occur twice in a list: the second entry would be merged into the first, or hide it.

Source: Databricks CLI 1.13: job clusters and parameters with the same key are merged, even within one definition.
"""

from collections.abc import Iterator
from typing import Any

from lakelocal.bundle.documents import place_of
from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.validate.job_view import JobView, TaskView

# Lists whose entries a target may override are checked as they are written, the others with the target merged in.
_WRITTEN = (("job_clusters", "job_cluster_key"), ("parameters", "name"))
_MERGED = (("environments", "environment_key"), ("environment_variables", "environment_variables_key"))


def check_duplicates(view: JobView) -> Iterator[Finding]:
    """Check the clusters, parameters and environments of the job, and the dependencies of its tasks."""
    for source, lists in ((view.written, _WRITTEN), (view.source, _MERGED)):
        for block, key in lists:
            yield from _repeated(view, source, block, key)
    for task in view.all_tasks:
        yield from _repeated(view, task.source, "depends_on", "task_key", task)


def _repeated(view: JobView, source: Any, block: str, key: str, task: TaskView | None = None) -> Iterator[Finding]:
    entries = source.get(block)
    seen: set[str] = set()
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = entry.get(key) if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            path, inside = (block, number), task.key if task else ""
            place = place_of(source, path, view.source.place)
            where = Where.at(place, view.bundle.root, job=view.job.key, task=inside, path=path)
            found, rule = (
                f"the {key} `{name}` twice in `{block}`",
                "duplicate-dependency" if task else "duplicate-entry",
            )
            yield Finding(where, rule, found, "each once", "Remove one of them.")
        seen.add(name)
