"""What the checks know of a job: its tasks with their places, and the bundle that it belongs to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lakelocal.bundle.deployed import job_id
from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.merge import to_plain
from lakelocal.lakeflow.findings import Finding, Steps, Where
from lakelocal.lakeflow.graph import upstream
from lakelocal.lakeflow.model import Bundle, Job, comes_from_git


@dataclass(frozen=True)
class TaskView:
    """One task as it is written; *outer* is the key of the for-each task that contains it, if any.

    *kind* is its task type, empty unless there is exactly one; *inner* has the fields of that type.
    """

    key: str
    source: YamlMapping
    outer: str = ""

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = to_plain(self.source)
        return settings

    @cached_property
    def kind(self) -> str:
        kinds = [name for name, value in self.source.items() if name.endswith("_task") and value is not None]
        return kinds[0] if len(kinds) == 1 else ""

    @property
    def inner(self) -> Mapping[str, Any]:
        return self.settings.get(self.kind) or {}

    @property
    def dependencies(self) -> list[Mapping[str, Any]]:
        return [entry for entry in self.settings.get("depends_on") or [] if entry.get("task_key")]

    @property
    def needs(self) -> list[str]:
        """The keys of the tasks that this one directly depends on."""
        return [str(entry["task_key"]) for entry in self.dependencies]


@dataclass(frozen=True)
class JobView:
    """The job *job* of *bundle*.

    *source* has its fields with their places, all of the types of Databricks' model; *written* is the job as it is
    written, without what a target adds.
    """

    bundle: Bundle
    job: Job
    source: YamlMapping
    written: YamlMapping

    @cached_property
    def tasks(self) -> tuple[TaskView, ...]:
        """The tasks of the job, without those inside of for-each tasks."""
        return tuple(_views(self.source.get("tasks") or [], ""))

    @cached_property
    def all_tasks(self) -> tuple[TaskView, ...]:
        """The tasks of the job, including those inside of for-each tasks."""
        found = list(self.tasks)
        for task in found:  # the list grows during the loop
            inner = task.source.get("for_each_task") or {}
            found += _views([inner.get("task")], task.outer or task.key)
        return tuple(found)

    def task(self, key: str) -> TaskView | None:
        """The task *key* of the job, unless it is inside of a for-each task."""
        return next((task for task in self.tasks if task.key == key), None)

    def upstream(self, task: TaskView) -> set[str]:
        """The keys of all tasks that *task* depends on, directly or not."""
        return upstream({each.key: each.needs for each in self.tasks}, task.outer or task.key)

    def job_started_by(self, task: TaskView) -> Job | None:
        """The job of the bundle that the run-job task *task* starts."""
        given = str(task.inner.get("job_id"))
        ids = {str(job_id(self.bundle.name, self.bundle.target, key)): key for key in self.bundle.jobs}
        return self.bundle.jobs[ids[given]] if task.kind == "run_job_task" and given in ids else None

    def comes_from_git(self, task: TaskView) -> bool:
        """Does the file of *task* come from Git instead of the bundle?"""
        return comes_from_git(task.kind, task.inner, self.source)

    def finding(
        self,
        rule: str,
        found: str,
        expected: str,
        action: str,
        *,
        task: TaskView | None = None,
        path: Steps = (),
    ) -> Finding:
        """A finding at the field *path* of *task*, or of the job."""
        return Finding(self.where(task, path), rule, found, expected, action)

    def where(self, task: TaskView | None, path: Steps) -> Where:
        """Where the field *path* of *task*, or of the job, is written."""
        place = place_of(task.source if task else self.source, path, self.source.place)
        return Where.at(place, self.bundle.root, job=self.job.key, task=task.key if task else "", path=path)

    def folder_of(self, task: TaskView, path: tuple[str, ...]) -> Path:
        """The folder of the file in which the field *path* of *task* is written; paths in it are relative to that."""
        return place_of(task.source, path, self.source.place)[0].parent


def _views(sources: list[Any], outer: str) -> Iterator[TaskView]:
    for source in sources:
        if isinstance(source, YamlMapping):
            yield TaskView(str(source.get("task_key") or ""), source, outer)
