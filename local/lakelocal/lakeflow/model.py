"""A bundle after reading: frozen dataclasses, with every variable resolved and every name checked.

`Task.settings` and `Job.settings` keep all fields as they were written (variables resolved), so a task type or a field
that is honoured later needs no change here.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import Finding, FindingError, Where
from lakelocal.lakeflow.pipelines import Pipeline
from lakelocal.lakeflow.task_types import type_of
from lakelocal.near_names import next_step
from lakelocal.program import PROGRAM
from lakelocal.project import BundleFiles

WORKSPACE = "WORKSPACE"
GIT = "GIT"
JOBS_NAMED = 12  # in a message; a longer list would hide what it says


@dataclass(frozen=True)
class Securable:
    """A catalog, a schema in it, or a volume in a schema; *key* is its path in the bundle, such as `schemas.KEY`."""

    key: str
    catalog: str
    schema: str | None = None
    volume: str | None = None

    def __str__(self) -> str:
        return ".".join(part for part in (self.catalog, self.schema, self.volume) if part)


@dataclass(frozen=True)
class Dependency:
    """One entry of `depends_on`; *outcome* is set on a branch of a condition task ("true" or "false")."""

    task_key: str
    outcome: str | None = None


@dataclass(frozen=True)
class TaskLibrary:
    """A Python library as it is written: the path or pattern of a wheel, or an argument for `pip install`.

    Relative paths start at *folder*, that of the file which defines it.
    """

    text: str
    folder: Path


@dataclass(frozen=True)
class Task:
    """One task of a job.

    *kind* is the name of its task type (`notebook_task`, `run_job_task`, ...). *notebook* is the file of a notebook
    task, *file* that of a Python or SQL file task; both are None if it comes from Git. *child* is the key of the job
    that a run-job task starts, *pipeline* that of the pipeline that a pipeline task updates, *nested* the task that a
    for-each task runs for each of its inputs. *libraries* are those of the task and of its environment. *elsewhere*
    says why what it runs is not in this bundle, but in a workspace or in Git: it then fails here. *where* is the place
    of its definition.
    """

    key: str
    kind: str
    settings: Mapping[str, Any]
    depends_on: tuple[Dependency, ...] = ()
    run_if: str = "ALL_SUCCESS"
    max_retries: int = 0
    min_retry_interval_millis: int = 0
    retry_on_timeout: bool = False
    timeout_seconds: int = 0
    disabled: bool = False
    notebook: Path | None = None
    file: Path | None = None
    libraries: tuple[TaskLibrary, ...] = ()
    child: str | None = None
    pipeline: str | None = None
    nested: "Task | None" = None
    elsewhere: Finding | None = None
    where: Where = field(default_factory=Where)

    @property
    def parameters(self) -> Mapping[str, str] | Sequence[str]:
        """The task's own parameters, by name; those of a Python file, and unnamed ones of a wheel, as a list."""
        return self.inner.get(self.parameters_field) or {}

    @property
    def parameters_field(self) -> str:
        """The field that has them: a list and a mapping have names of their own; "" for a type without parameters."""
        fields = type_of(self.kind).parameters
        return next((name for name in fields if self.inner.get(name)), fields[-1] if fields else "")

    @property
    def not_here(self) -> Finding | None:
        """Why what the task runs, itself or for each of its inputs, is not in this bundle; None if it is."""
        return self.elsewhere or (self.nested.elsewhere if self.nested else None)

    @property
    def needs(self) -> list[str]:
        """The keys of the tasks that it depends on directly."""
        return [dependency.task_key for dependency in self.depends_on]

    @property
    def inner(self) -> Mapping[str, Any]:
        """The fields below the task type: `{"left": ..., "op": ..., "right": ...}` for a condition task."""
        return self.settings.get(self.kind) or {}


def comes_from_git(kind: str, inner: Any, job: Mapping[str, Any]) -> bool:
    """Does the file of a task come from Git?

    It does if its `source` says so, and by default if its job has a `git_source`. *inner* are the fields below the task
    type *kind*, *job* the settings of the job. Source: Jobs API 2.2, `NotebookTask.source`.
    """
    block = type_of(kind).block_of_file(inner) if isinstance(inner, Mapping) else None
    if block is None:
        return False
    return (block.get("source") or (GIT if job.get("git_source") else WORKSPACE)) == GIT


@dataclass(frozen=True)
class Job:
    """One job. *id* is stable for a (bundle, target, key); *parameters* maps each name to its default.

    *max_concurrent_runs* 0 skips every run; *queue*: a run that gets no slot waits for one instead of being skipped.
    *is_update*: it is no job of the bundle, but an update of a pipeline by itself.
    """

    key: str
    id: int
    name: str
    settings: Mapping[str, Any]
    tasks: tuple[Task, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int = 0
    max_concurrent_runs: int = 1
    queue: bool = True
    is_update: bool = False
    where: Where = field(default_factory=Where)

    def task(self, key: str) -> Task:
        """The task *key*, which must exist."""
        return next(task for task in self.tasks if task.key == key)

    def every_task(self) -> Iterator[Task]:
        """All tasks, including those that for-each tasks run, each after its for-each task."""
        for task in self.tasks:
            yield task
            if task.nested is not None:
                yield task.nested


@dataclass(frozen=True)
class Script:
    """A script of the bundle: shell commands, and their environment variables."""

    name: str
    content: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BundleSettings:
    """The part of a bundle that does not depend on its jobs: the target, its catalog and its variables.

    *synced* are the folders of `sync.paths`, which are deployed with it; they may be outside *root*.
    *files_path* is the workspace folder to which they are deployed.
    *unset* are the variables without a value, each with the error for a needed value that refers to it.
    *user* is the user who deploys it, like `workspace.current_user.userName`.
    """

    name: str
    root: Path
    target: str
    catalog: str
    variables: Mapping[str, Any]
    mode: str | None = None
    synced: tuple[Path, ...] = ()
    unset: Mapping[str, Finding] = field(default_factory=dict)
    user: str = ""
    files_path: str = ""

    @property
    def files(self) -> BundleFiles | None:
        """The folder around everything that is deployed, here and in a workspace."""
        shown = self.files_path
        return BundleFiles(shown, Path(os.path.commonpath(self.folders))) if shown.startswith("/Workspace/") else None

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in which files of the bundle may be."""
        return (self.root, *self.synced)


@dataclass(frozen=True)
class Bundle(BundleSettings):
    """A whole bundle for one target. *file* is its root file, *securables* its schemas and volumes.

    *pipelines* are its pipelines, *updates* the jobs that each update one of them alone, both by the key of the
    pipeline. *scripts* are its scripts by name, *others* the keys of resources that neither run nor are created here,
    by kind. *faults* are the errors in its jobs, by key, and *script_faults* those in scripts: a job or script with
    errors does not run, but does not stop the others. *warnings* are all other findings, inside and outside jobs.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    updates: Mapping[str, Job] = field(default_factory=dict)
    securables: tuple[Securable, ...] = ()
    scripts: Mapping[str, Script] = field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: Path = Path("databricks.yml")
    faults: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    script_faults: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    warnings: tuple[Finding, ...] = ()

    def job(self, key: str) -> Job:
        """The job with the key *key*.

        Raises:
            UsageError: there is no such job or pipeline; the message lists the existing keys.
            FindingError: something is wrong with it, or with a job that it starts; the message lists everything.
        """
        if key in self.updates and key not in self.jobs:
            return self.updates[key]
        if key not in self.jobs:
            if key in self.faults:
                raise FindingError(*self.faults[key])
            raise self._not_named(f"no job `{key}`", key)
        started = [self.jobs[key]]
        for each in started:  # grows during the iteration
            started += [job for job in self._started_by(each) if job not in started]
        if faults := [fault for job in started for fault in self.faults.get(job.key, ())]:
            raise FindingError(*faults)
        return self.jobs[key]

    def script(self, name: str) -> Script:
        """The script *name*, which must exist.

        Raises:
            FindingError: something is wrong with it.
        """
        if name in self.script_faults:
            raise FindingError(*self.script_faults[name])
        return self.scripts[name]

    def sound_jobs(self) -> dict[str, Job]:
        """The jobs that can run: nothing is wrong with them or with the jobs that they start."""
        return {key: job for key, job in self.jobs.items() if self.why_not(key) is None}

    def why_not(self, key: str) -> Finding | None:
        """Why the job *key* cannot run: the first error in it, or in a job that it starts; None if there is none."""
        try:
            self.job(key)
        except FindingError as error:
            return error.findings[0]
        return None

    def _started_by(self, job: Job) -> list[Job]:
        return [self.jobs[task.child] for task in job.every_task() if task.child is not None]

    def only_job(self) -> Job:
        """The job of a bundle that has only one; without jobs, the update of its only pipeline.

        Raises:
            UsageError: there are several, or none; the message lists the existing keys.
        """
        if len(found := self.jobs or self.updates) == 1:
            return next(iter(found.values()))
        raise self._not_named("no name of a job")

    def _not_named(self, found: str, given: str = "") -> UsageError:
        known = ", ".join(f"`{name}`" for name in sorted(self.jobs)[:JOBS_NAMED]) or "none"
        if (more := len(self.jobs) - JOBS_NAMED) > 0:
            known += f" and {more} more, see `{PROGRAM} jobs`"
        if self.pipelines:
            known += f"; its pipelines are {', '.join(f'`{name}`' for name in sorted(self.pipelines)[:JOBS_NAMED])}"
        step = next_step(given, [*self.jobs, *self.pipelines])
        return UsageError(f"Bundle `{self.name}`: found {found}; its jobs are {known}. {step}")
