"""Turns the mappings of jobs into frozen `Job`s, and finds everything that is wrong with them in one go.

Fields and their types have been checked against Databricks' own model (`field_types`); what neither it nor the CLI
checks (cycles, unknown dependencies, two task types, keys) is checked here.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lakelocal.bundle.dependencies import check_cycles, check_dependencies, read_dependencies
from lakelocal.bundle.deployed import job_id
from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.libraries import read_libraries, wrong_requirements
from lakelocal.bundle.merge import to_plain
from lakelocal.bundle.notebooks import find_file, find_notebook
from lakelocal.bundle.variables import unset_variables_in
from lakelocal.lakeflow.field_values import as_number, as_switch, as_text
from lakelocal.lakeflow.fields import has_effect
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Steps, Where
from lakelocal.lakeflow.model import BundleSettings, Job, Task, TaskLibrary, comes_from_git
from lakelocal.lakeflow.pipelines import Pipeline
from lakelocal.lakeflow.task_types import TYPES, type_of
from lakelocal.lakeflow.verdicts import FROM_GIT
from lakelocal.near_names import next_step

TASK_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
MAX_CONCURRENCY = 100
PARAMETER_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def read_jobs(
    jobs: Mapping[str, YamlMapping],
    settings: BundleSettings,
    findings: Findings,
    *,
    ids: Mapping[int, str] | None = None,
    pipelines: Mapping[str, Pipeline] | None = None,
) -> dict[str, Job]:
    """The jobs of a bundle in the order of their definition, as far as they can be read.

    What is wrong with them is added to *findings*. *ids* has the key of each job by its id; by default, the ids are
    those that the bundle has on this machine. *pipelines* are those of the bundle, by key.
    """
    known = ids or {job_id(settings.name, settings.target, key): key for key in jobs}
    return {key: _Reader(key, job, settings, known, findings, pipelines or {}).job() for key, job in jobs.items()}


class _Reader:
    """Reads one job, and finds what is wrong with it."""

    def __init__(
        self,
        key: str,
        source: YamlMapping,
        settings: BundleSettings,
        ids: Mapping[int, str],
        findings: Findings,
        pipelines: Mapping[str, Pipeline],
    ) -> None:
        self.key = key
        self.source = source
        self.settings = settings
        self.ids = ids
        self.findings = findings
        self.pipelines = pipelines

    def job(self) -> Job:
        """The job, as far as it can be read."""
        settings = to_plain(self.source)
        tasks = self.source.get("tasks") or []
        if not isinstance(tasks, list) or not tasks:
            self._add("no-tasks", "no tasks", "at least one", "Add a task.", self._where(self.source, ("tasks",)))
            tasks = []
        parameters = self._parameters(settings.get("parameters") or [])
        sources = [task for task in tasks if isinstance(task, dict)]
        read = tuple(self._task(task) for task in sources)
        for task, source in zip(read, sources, strict=True):
            for finding in check_dependencies(task, read):
                self.findings.append(finding.moved(self._where(source, finding.where.path, task.key)))
        for path, finding in wrong_requirements(self.source, self.source.place[0].parent):
            self.findings.append(finding.moved(self._where(self.source, path)))
        self.findings += check_cycles(read, self._where(self.source))
        return Job(
            key=self.key,
            id=job_id(self.settings.name, self.settings.target, self.key),
            name=str(settings.get("name")),
            settings=settings,
            tasks=read,
            parameters=parameters,
            timeout_seconds=as_number(settings.get("timeout_seconds")),
            max_concurrent_runs=as_number(settings.get("max_concurrent_runs"), default=1),
            queue=_enabled(settings.get("queue")),
            where=self._where(self.source),
        )

    def _task(self, source: dict[str, Any]) -> Task:
        settings = to_plain(source)
        key = str(settings.get("task_key", ""))
        if not TASK_KEY.fullmatch(key):
            found, where = f"the task_key `{key}`", self._where(source, ("task_key",), key)
            self._add("task-key", found, "1 to 100 letters, digits, `_` or `-`", "Rename the task.", where)
        kinds = [name for name in settings if name.endswith("_task") and settings[name] is not None]
        kind, where = kinds[0] if kinds else "", self._where(source, task=key)
        if len(kinds) != 1:
            self._add_wrong_types(kinds, where)
        file, elsewhere = self._file(source, key, kind), None
        if isinstance(file, Finding):
            file, elsewhere = None, file
        child = self._child(source, key) if kind == "run_job_task" else None
        if isinstance(child, Finding):
            child, elsewhere = None, child
        pipeline = self._pipeline(source, key) if kind == "pipeline_task" else None
        if isinstance(pipeline, Finding):
            pipeline, elsewhere = None, pipeline
        elsewhere = self._missing_required_field(key) or elsewhere
        return Task(
            key=key,
            kind=kind,
            settings=settings,
            depends_on=read_dependencies(settings.get("depends_on")),
            run_if=str(settings.get("run_if") or "ALL_SUCCESS"),
            max_retries=as_number(settings.get("max_retries")),
            min_retry_interval_millis=as_number(settings.get("min_retry_interval_millis")),
            retry_on_timeout=as_switch(settings.get("retry_on_timeout")),
            timeout_seconds=as_number(settings.get("timeout_seconds")),
            disabled=as_switch(settings.get("disabled")),
            notebook=file if type_of(kind).notebook else None,
            file=None if type_of(kind).notebook else file,
            libraries=(
                *read_libraries(source, self.source, self.source.place[0].parent),
                *self._dependencies(pipeline),
            ),
            child=child,
            pipeline=pipeline,
            nested=self._nested(source, key) if kind == "for_each_task" else None,
            elsewhere=elsewhere,
            where=where,
        )

    def _missing_required_field(self, key: str) -> Finding | None:
        """The finding about the first missing field without which the task *key* cannot run."""
        for finding in self.findings:
            is_own = (finding.rule, finding.where.job, finding.where.task) == ("missing-field", self.key, key)
            names = [step for step in finding.where.path if isinstance(step, str)]
            if is_own and names[0].endswith("_task") and has_effect(".".join(("tasks", *names))):
                return finding
        return None

    def _file(self, source: dict[str, Any], key: str, kind: str) -> Path | Finding | None:
        """The notebook, Python file or SQL file that a task runs; a finding if it is not on this machine.

        None if the task type has no file, or if what is wrong with it has been reported already.
        """
        task_type = type_of(kind)
        if comes_from_git(kind, source.get(kind), self.source):
            where = self._where(source, (kind, *task_type.file), key)
            return Finding(where, "elsewhere", f"a `{kind}` with `source: GIT`", "a file of the bundle", f"{FROM_GIT}.")
        find = find_notebook if task_type.notebook else find_file
        return self._path(source, (kind, *task_type.file), key, find) if task_type.file else None

    def _path(
        self, source: Any, path: Steps, key: str, find: Callable[[str, Path, Sequence[Path]], Path]
    ) -> Path | Finding | None:
        """The file that *find* finds for the field *path* of the task *source*; a finding if it is elsewhere."""
        named = source
        for step in path:
            named = named.get(step) if isinstance(named, dict) else None
        if not isinstance(named, str) or unset_variables_in(named, self.settings.unset):
            return None  # a wrong type has been reported; a variable without a value is, as soon as a run needs it
        # The value of a complex variable has no place of its own, so its paths are relative to the job's file.
        folder = place_of(source, path, self.source.place)[0].parent
        try:
            return find(named, folder, self.settings.folders)
        except FindingError as error:
            where = self._where(source, path, key)
            found = [finding.moved(where) for finding in error.findings]
            self.findings += found
            return found[0] if found[0].rule == "elsewhere" else None

    def _child(self, source: dict[str, Any], key: str) -> str | Finding | None:
        """The key of the job that a run-job task starts; a finding if the bundle has no such job."""
        inner = source.get("run_job_task")
        given = inner.get("job_id") if isinstance(inner, dict) else inner
        try:
            child = self.ids.get(int(given or ""))
        except (TypeError, ValueError):
            child = None
        if child is not None or unset_variables_in(given, self.settings.unset):
            return child
        legal = ", ".join(f"`${{resources.jobs.{name}.id}}`" for name in self.ids.values())
        expected, where = f"a job of this bundle: {legal}", self._where(source, ("run_job_task", "job_id"), key)
        finding = Finding(where, "unknown-job", f"job_id `{given}`", expected, "Name one of them.")
        self.findings.append(finding)
        return finding

    def _pipeline(self, source: dict[str, Any], key: str) -> str | Finding | None:
        """The key of the pipeline that a pipeline task updates; a finding if it cannot run here."""
        inner = source.get("pipeline_task")
        given = inner.get("pipeline_id") if isinstance(inner, dict) else inner
        found = next((each for each in self.pipelines.values() if each.id == given), None)
        if found is not None:
            return found.fault or found.key
        if unset_variables_in(given, self.settings.unset):
            return None
        legal = ", ".join(f"`${{resources.pipelines.{name}.id}}`" for name in self.pipelines)
        expected = f"a pipeline of this bundle: {legal}" if legal else "a pipeline of this bundle, which has none"
        action = "Name one of them." if legal else "Add the pipeline to `resources.pipelines`, and refer to it."
        where = self._where(source, ("pipeline_task", "pipeline_id"), key)
        finding = Finding(where, "unknown-pipeline", f"pipeline_id `{given}`", expected, action)
        self.findings.append(finding)
        return finding

    def _dependencies(self, pipeline: str | None) -> Iterator[TaskLibrary]:
        """The libraries that the environment of *pipeline* asks for."""
        for text, folder in self.pipelines[pipeline].dependencies if pipeline is not None else ():
            yield TaskLibrary(text, folder)

    def _nested(self, source: dict[str, Any], key: str) -> Task | None:
        inner = source.get("for_each_task") or {}
        if not isinstance(inner, dict) or not isinstance(inner.get("task"), dict):
            return None  # reported already, by the check of types
        concurrency = as_number(inner.get("concurrency"), default=1)
        if not 1 <= concurrency <= MAX_CONCURRENCY:
            found, where = f"the concurrency {concurrency}", self._where(source, ("for_each_task", "concurrency"), key)
            self._add("limit", found, f"1 to {MAX_CONCURRENCY}", "Correct it.", where)
        nested = self._task(inner["task"])
        if nested.kind == "for_each_task":
            found = f"a for_each_task (`{nested.key}`) inside a for_each_task"
            where = self._where(source, ("for_each_task", "task"), key)
            action = "Flatten the inputs into one list, or start a job with a run_job_task."
            self._add("for-each-nested", found, "any other task type", action, where)
        return nested

    def _add_wrong_types(self, kinds: Sequence[str], where: Where) -> None:
        """Tell of a task with several types, or with none; a type that is misspelt was left out as an unknown field."""
        task = self.findings.of_task(self.key, where.task)
        unknown = (str(each.where.path[-1]) for each in task if each.rule == "unknown-field")
        misspelt = next((name for name in unknown if name.endswith("_task")), "")
        if kinds:
            found, action = f"{len(kinds)} task types ({', '.join(kinds)})", "Split the task."
        elif misspelt:
            found, action = f"`{misspelt}`, which is no task type", next_step(misspelt, TYPES)
        else:
            found, action = "no task type", "Give it a type."
        self._add("task-type", found, "exactly one, such as `notebook_task`", action, where)

    def _parameters(self, listed: Any) -> dict[str, str]:
        result: dict[str, str] = {}
        for number, parameter in enumerate(listed if isinstance(listed, list) else ()):
            name = str(parameter.get("name", ""))
            if not PARAMETER_NAME.fullmatch(name):
                expected, action = "letters, digits, `_`, `-` and `.`", "Rename the parameter."
                where = self._where(self.source, ("parameters", number, "name"))
                self._add("parameter-name", f"the parameter name `{name}`", expected, action, where)
            result[name] = as_text(parameter.get("default", ""))
        return result

    def _add(self, rule: str, found: str, expected: str, action: str, where: Where) -> None:
        self.findings.add(rule, found, expected, action, where)

    def _where(self, source: Any, path: Steps = (), task: str = "") -> Where:
        """Where the field *path* of *source*, the job or one of its tasks, is written."""
        return self.findings.at(place_of(source, path, self.source.place), job=self.key, task=task, path=path)


def _enabled(queue: Any) -> bool:
    """Does a run wait for a slot? `databricks bundle deploy` sets `queue.enabled` where the job does not."""
    return not isinstance(queue, dict) or as_text(queue.get("enabled")).lower() != "false"
