"""Jobs as mappings -> frozen, checked `Job`s. All mistakes of all jobs are found before one error lists them.

Fields, types and enums are those that `databricks-bundles` knows; the checks that neither it nor the CLI makes
(circles, unknown dependencies, two task types, keys) are here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.bundle.dependencies import read_dependencies, wrong_dependencies
from local.bundle.documents import Table, show_place
from local.bundle.libraries import read_libraries
from local.bundle.merge import plain
from local.bundle.mistakes import Mistake, Mistakes
from local.bundle.model import Job, Settings, Task, comes_from_git
from local.bundle.names import job_id
from local.bundle.notebooks import find_file, find_notebook
from local.bundle.texts import as_number, as_switch, as_text
from local.bundle.variables import unset_in

TASK_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
MAX_CONCURRENCY = 100
SHAPE = "shape"  # the rule of what Databricks' model refuses
DEFINITION = "definition"  # the rule of all that has none of its own
PARAMETER_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def read_jobs(jobs: Mapping[str, Table], settings: Settings) -> dict[str, Job]:
    """The jobs of a bundle, in the order of their definition.

    Raises:
        BundleError: one line a mistake, each with file, line, job and task.
    """
    result, mistakes = collect_jobs(jobs, settings)
    mistakes.raise_any()
    return result


def collect_jobs(jobs: Mapping[str, Table], settings: Settings) -> tuple[dict[str, Job], Mistakes]:
    """The jobs of a bundle as far as they can be read, and what is wrong with them."""
    mistakes = Mistakes()
    ids = {job_id(settings.name, settings.target, key): key for key in jobs}
    return {key: _Reader(key, job, settings, ids, mistakes).job() for key, job in jobs.items()}, mistakes


class _Reader:
    """Reads one job and collects what is wrong with it."""

    def __init__(self, key: str, source: Table, settings: Settings, ids: Mapping[int, str], mistakes: Mistakes) -> None:
        self.key = key
        self.source = source
        self.settings = settings
        self.ids = ids
        self.mistakes = mistakes

    def job(self) -> Job:
        """The job, as far as it can be read."""
        from databricks.bundles.jobs import Job as Shape  # here, since commands without jobs need not pay for it

        settings = plain(self.source)
        tasks = self.source.get("tasks") or []
        self._shape(Shape, {**settings, "tasks": []}, self.source)
        if not isinstance(tasks, list) or not tasks:
            self._wrong(self.source, "found no tasks; expected at least one. Add a task", rule="no-tasks")
            tasks = []
        parameters = self._parameters(settings.get("parameters") or [])
        read = tuple(self._task(task) for task in tasks if isinstance(task, dict))
        self._graph(read)
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
            where=self._place(self.source),
        )

    def _task(self, source: dict) -> Task:
        from databricks.bundles.jobs import Task as Shape

        settings = plain(source)
        key = str(settings.get("task_key", ""))
        self._shape(Shape, settings, source, key)
        if not TASK_KEY.fullmatch(key):
            found = f"found the task_key `{key}`; expected 1 to 100 letters, digits, `_` or `-`"
            self._wrong(source, found, key, rule="task-key")
        kinds = [name for name in settings if name.endswith("_task") and settings[name] is not None]
        if len(kinds) != 1:
            found = f"{len(kinds)} task types ({', '.join(kinds)})" if kinds else "no task type"
            text = f"found {found}; expected exactly one, such as `notebook_task`"
            self._wrong(source, text, key, rule="task-type")
        kind = kinds[0] if kinds else ""
        from_git = comes_from_git(kind, settings.get(kind), self.source)
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
            notebook=None if from_git else self._notebook(source, key, kind),
            file=None if from_git else self._file(source, key, kind),
            libraries=read_libraries(source, self.source, self.source.place[0].parent),
            child=self._child(source, key) if kind == "run_job_task" else None,
            nested=self._nested(source, key) if kind == "for_each_task" else None,
            where=self._place(source),
        )

    def _notebook(self, source: dict, key: str, kind: str) -> Path | None:
        """The notebook of a notebook task."""
        if kind != "notebook_task":
            return None
        return self._path(source.get(kind), key, "notebook_path", find_notebook)

    def _file(self, source: dict, key: str, kind: str) -> Path | None:
        """The Python file or the SQL file of a task of these kinds."""
        if kind == "spark_python_task":
            return self._path(source.get(kind), key, "python_file", find_file)
        if kind == "sql_task" and isinstance(source.get(kind), dict):
            return self._path(source[kind].get("file"), key, "path", find_file)
        return None

    def _path(self, inner: Any, key: str, name: str, find: Callable[[str, Path, Sequence[Path]], Path]) -> Path | None:
        """What *find* finds for the field *name* of *inner*."""
        if not isinstance(inner, dict) or not isinstance(inner.get(name), str):
            return None  # already reported by the shape
        if unset_in(inner[name], self.settings.unset):
            return None  # said when a run needs it
        # The value of a complex variable has no place of its own; its paths count from the job's file.
        place = inner.places[name] if isinstance(inner, Table) else self.source.place
        try:
            return find(inner[name], place[0].parent, self.settings.folders)
        except LookupError as error:
            where = show_place(place, self.settings.root)
            self.mistakes.append(Mistake("missing-file", where, error.args[0], self.key, key))
        return None

    def _child(self, source: dict, key: str) -> str | None:
        given = (source.get("run_job_task") or {}).get("job_id")
        try:
            child = self.ids.get(int(given))
        except (TypeError, ValueError):
            child = None
        if child is None and not unset_in(given, self.settings.unset):
            legal = ", ".join(f"`${{resources.jobs.{name}.id}}`" for name in self.ids.values())
            text = f"found job_id `{given}`; expected a job of this bundle: {legal}"
            self._wrong(source, text, key, rule="unknown-job")
        return child

    def _nested(self, source: dict, key: str) -> Task | None:
        inner = source.get("for_each_task") or {}
        if not isinstance(inner, dict) or not isinstance(inner.get("task"), dict):
            return None  # already reported by the shape
        concurrency = as_number(inner.get("concurrency"), default=1)
        if not 1 <= concurrency <= MAX_CONCURRENCY:
            text = f"found the concurrency {concurrency}; expected 1 to {MAX_CONCURRENCY}"
            self._wrong(source, text, key, rule="limit")
        nested = self._task(inner["task"])
        if nested.kind == "for_each_task":
            text = f"found a for_each_task (`{nested.key}`) inside; expected any other task type"
            self._wrong(source, text, key, rule="for-each-nested")
        return nested

    def _parameters(self, listed: list) -> dict[str, str]:
        result: dict[str, str] = {}
        for parameter in listed:
            name = str((parameter or {}).get("name", ""))
            if not PARAMETER_NAME.fullmatch(name):
                found = f"found the parameter name `{name}`; expected letters, digits, `_`, `-`, `.`"
                self._wrong(self.source, found, rule="parameter-name")
            default = parameter.get("default", "")
            result[name] = as_text(default)
        return result

    def _graph(self, tasks: tuple[Task, ...]) -> None:
        for rule, found, task in wrong_dependencies(tasks):
            where = task.where if task else self._place(self.source)
            self._said(where, found, task.key if task else None, rule=rule)

    def _shape(self, shape: Any, value: dict, source: dict, task: str | None = None) -> None:
        """Check *value* against the fields, types and enums of Databricks' own model."""
        try:
            shape.from_dict(value)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            self._wrong(source, _sentence(error), task, rule=SHAPE)

    def _wrong(self, source: dict, what: str, task: str | None = None, *, rule: str = DEFINITION) -> None:
        self._said(self._place(source), what, task, rule=rule)

    def _said(self, where: str, what: str, task: str | None = None, *, rule: str = DEFINITION) -> None:
        self.mistakes.append(Mistake(rule, where, f"{what}.", self.key, task or ""))

    def _place(self, source: dict) -> str:
        place = source.place if isinstance(source, Table) else self.source.place
        return show_place(place, self.settings.root)


def _enabled(queue: Any) -> bool:
    """Does a run wait for a slot? `databricks bundle deploy` sets `queue.enabled` where the job does not."""
    return not isinstance(queue, dict) or as_text(queue.get("enabled")).lower() != "false"


def _sentence(error: Exception) -> str:
    """The message of databricks-bundles, with the Python words of a missing field put plainly."""
    text = str(error)
    if missing := re.search(r"(\w+)\.__init__\(\) missing .*?: (.+)$", text):
        return f"found no {missing[2].replace(chr(39), '`')}; a {missing[1]} needs it"
    return text[:1].lower() + text[1:].rstrip(".")
