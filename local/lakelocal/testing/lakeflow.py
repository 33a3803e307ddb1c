"""What a test can do with a bundle: run a job or a notebook, and look at results, task values and tables.

run = lakeflow.run("daily", params={"run_date": "2018-09-02"})
assert run.result == "SUCCESS"
assert run.task("load").values["row_count"] == 3
assert run.table("silver.orders").count() == 3
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakelocal.bundle import load_bundle
from lakelocal.bundle.notebooks import find_notebook
from lakelocal.catalogs import ALWAYS, DEFAULT_SCHEMA, INFORMATION_SCHEMA, SAMPLES, SYSTEM, Catalogs
from lakelocal.compute import open_session
from lakelocal.errors import UsageError
from lakelocal.jobs.command import RunOptions, run_job
from lakelocal.jobs.progress import task_values
from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.lakeflow.results import meaning
from lakelocal.paths import DatabricksPaths
from lakelocal.pool.pool import Pool
from lakelocal.project import Project, State
from lakelocal.server import find_server, stop_server

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession


class Lakeflow:
    """The bundle in *root* for one target; what its runs leave behind is in the folder *states*.

    Use it in a `with` statement: the Spark server ends with it.

    Args:
        target: a target of the bundle; by default the bundle's default target.
        variables: values of bundle variables, for all runs.
        warm: keep processes with Spark's client ready for the attempts of the next run; otherwise each run has its own.
    """

    def __init__(
        self,
        root: Path,
        states: Path,
        *,
        target: str | None = None,
        variables: Mapping[str, str] | None = None,
        warm: bool = True,
    ) -> None:
        self.project = Project(root, states)
        self.target = target
        self.variables = dict(variables or {})
        self._warm = warm
        self._pool: Pool | None = None

    def __enter__(self) -> "Lakeflow":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session, the server and the processes that wait for attempts; the tables stay where they are."""
        if "spark" in self.__dict__:
            self.spark.stop()
            del self.spark
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        if "state" in self.__dict__:
            stop_server(self.state)

    @cached_property
    def state(self) -> State:
        """The places of the target's catalog."""
        bundle = self._bundle({})
        return self.project.state(bundle.catalog, bundle.files).make()

    @cached_property
    def spark(self) -> "SparkSession":
        """A session as in the notebooks, with the Databricks dialect; the first use starts the server."""
        return open_session(self.state)

    def run(
        self,
        job: str,
        params: Mapping[str, object] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        only: str | None = None,
        options: RunOptions | None = None,
    ) -> "Run":
        """Run the job *job* (its key in the bundle) to its end, whatever the result.

        The progress of the run goes to standard output, which pytest shows for a test that fails.

        Args:
            params: values of job parameters; anything that is not a string is converted to one.
            variables: values of bundle variables, for this run.
            only: a partial run, as for `--only`: `a,b`, `+a` with everything that it needs, `a+` with everything that
                needs it.
            options: how the run is started, as far as the other arguments do not say it.

        Raises:
            UsageError: no such job, parameter or task, or a job that cannot run here; raised before anything runs.
            FindingError: something is wrong with the bundle; the message lists everything, with file and line.
        """
        return self._run(self._bundle(variables or {}), job, params, options or RunOptions(only=only))

    def run_notebook(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
    ) -> "Run":
        """Run one notebook of the bundle as the only task of a job; the task is named after the notebook.

        Args:
            path: the path from the folder of the bundle, with or without an extension.
            params: values of its widgets or its parameters cell.
            variables: values of bundle variables.

        Raises:
            UsageError: the notebook does not take a parameter; raised before anything runs.
            FindingError: there is no such notebook, or something is wrong with the bundle.
        """
        bundle = self._bundle(variables or {})
        notebook = find_notebook(path, bundle.root, bundle.folders, deployed=True)
        settings = {"notebook_task": {"notebook_path": str(notebook), "base_parameters": _texts(params)}}
        task = Task(notebook.stem, "notebook_task", settings, notebook=notebook)
        job = Job(notebook.stem, id=0, name=notebook.stem, settings={}, tasks=(task,))
        return self._run(replace(bundle, jobs={**bundle.jobs, job.key: job}), job.key, {}, RunOptions(strict=True))

    def sql(self, statement: str) -> "DataFrame":
        """The rows of *statement*, in SQL as on Databricks."""
        return self.spark.sql(statement)

    def table(self, name: str) -> "DataFrame":
        """The table *name*: `schema.table`, with or without its catalog."""
        return self.spark.table(name)

    def path(self, path: str) -> Path:
        """The local path of *path* (`/Volumes/...` or `dbfs:/...`) as a notebook names it, for placing input there.

        Raises:
            PathError: *path* leads out of its volume, or is not such a path.
        """
        return DatabricksPaths(self.state).to_local(path)

    def reset(self) -> None:
        """Drop all schemas with their tables, empty the volumes, clear the history of runs; a server keeps running."""
        empty(self.state, self.spark)

    def _bundle(self, variables: Mapping[str, str]) -> Bundle:
        return load_bundle(self.project, target=self.target, variables={**self.variables, **variables})

    def _run(self, bundle: Bundle, job: str, params: Mapping[str, object] | None, options: RunOptions) -> "Run":
        state = self.project.state(bundle.catalog, bundle.files)
        if state != self.state:
            raise UsageError(
                f"found the catalog `{bundle.catalog}`, expected `{self.state.catalog}` as the target has it. Leave "
                "the bundle variable of the catalog as it is, or test another target."
            )
        if self._warm:
            self._pool = self._pool or Pool(state.logs / "pool.log", spark=True)
            options = replace(options, pool=self._pool)
        return Run(self, run_job(bundle, job, state=state, parameters=_texts(params), options=options))


def empty(state: State, spark: "SparkSession") -> None:
    """Empty the catalogs of *state* and clear its history; *spark* is used only if a server is running."""
    catalogs = Catalogs(state)
    if find_server(state):
        for catalog in catalogs.names():
            if not (catalogs.is_own(catalog) or catalog in ALWAYS):
                spark.sql(f"DROP CATALOG `{catalog}` CASCADE")
            elif catalog not in (SAMPLES, SYSTEM):
                _empty_catalog(spark, catalog)
    for folder in (state.volumes, state.dbfs, state.runs, state.catalogs, state.routines, state.pipelines):
        shutil.rmtree(folder, ignore_errors=True)
    for file in state.folder.glob(f"{state.runs_db.name}*"):
        file.unlink()
    state.make()


def _empty_catalog(spark: "SparkSession", catalog: str) -> None:
    for (schema,) in spark.sql(f"SHOW SCHEMAS IN `{catalog}`").collect():
        if schema not in (DEFAULT_SCHEMA, INFORMATION_SCHEMA):
            spark.sql(f"DROP SCHEMA `{catalog}`.`{schema}` CASCADE")


class Run:
    """A run that has ended. *shape* is the whole run as `runs/get` of the Jobs API shows it."""

    def __init__(self, lakeflow: Lakeflow, shape: Mapping[str, Any]) -> None:
        self.lakeflow = lakeflow
        self.shape = shape

    def __repr__(self) -> str:
        failed = [f"{each.key}: {each.error or each.message}" for each in self.tasks.values() if each.broke]
        return f"<Run {self.id}: {'; '.join([self.result, *failed])}>"

    @property
    def id(self) -> int:
        """The run's id, which `runs get` takes."""
        return int(self.shape["run_id"])

    @property
    def result(self) -> str:
        """How it ended: `SUCCESS`, `FAILED`, `SUCCESS_WITH_FAILURES`, `TIMEDOUT`, `CANCELED`, `SKIPPED`, ..."""
        return _result(self.shape)

    @property
    def message(self) -> str:
        """Why it ended like this; empty if there is nothing to say."""
        return str(self.shape["state"].get("state_message") or "")

    @cached_property
    def tasks(self) -> dict[str, "TaskRun"]:
        """The last attempt of each task that the run reached, by key; for-each tasks include their iterations."""
        last: dict[str, Mapping[str, Any]] = {}
        for attempt in self.shape["tasks"]:
            if "iteration" not in attempt:
                last[attempt["task_key"]] = attempt
        return {key: TaskRun(self, attempt) for key, attempt in last.items()}

    def task(self, key: str) -> "TaskRun":
        """The task *key*.

        Raises:
            UsageError: the run has no such task; the message lists its tasks.
        """
        if key not in self.tasks:
            known = ", ".join(f"`{name}`" for name in self.tasks) or "none"
            raise UsageError(f"run {self.id}: found no task `{key}`; its tasks are {known}. Name one of them.")
        return self.tasks[key]

    def table(self, name: str) -> "DataFrame":
        """The table *name* as it is now: `schema.table`, with or without its catalog."""
        return self.lakeflow.table(name)


class TaskRun:
    """A task of a run. *shape* is its last attempt, as `runs/get` shows it."""

    def __init__(self, run: Run, shape: Mapping[str, Any]) -> None:
        self.run = run
        self.shape = shape

    def __repr__(self) -> str:
        return f"<TaskRun {self.key}: {self.result}>"

    @property
    def key(self) -> str:
        """The task's key in its job."""
        return str(self.shape["task_key"])

    @property
    def result(self) -> str:
        """How it ended: as for a run, and also `EXCLUDED`, `UPSTREAM_FAILED`, `DISABLED`, ..."""
        return _result(self.shape)

    @property
    def broke(self) -> bool:
        """Did it run, and fail by itself?"""
        return meaning(self.result).broke

    @property
    def message(self) -> str:
        """Why it ended like this; empty if there is nothing to say."""
        return str(self.shape["state"].get("state_message") or "")

    @property
    def error(self) -> str:
        """The error of its notebook; empty if there was none."""
        return str(self.shape.get("error") or "")

    @property
    def output(self) -> str | None:
        """The argument of its notebook's `dbutils.notebook.exit`; None if it was not called."""
        output = self.shape.get("notebook_output")
        return None if output is None else str(output["result"])

    @property
    def attempts(self) -> int:
        """The number of its attempts."""
        return int(self.shape["attempt_number"]) + 1

    @property
    def notebook(self) -> Path | None:
        """The executed notebook, with all outputs; None if no notebook was executed."""
        place = self.shape.get("output_notebook")
        return Path(place) if place else None

    @property
    def values(self) -> dict[str, Any]:
        """The values that it set with `dbutils.jobs.taskValues`."""
        return task_values(self.run.lakeflow.state, self.run.id, self.key)

    @property
    def flows(self) -> dict[str, Mapping[str, Any]]:
        """Of a task that updates a pipeline, its flows by the last part of their names.

        Each has its `status`, and once it has completed the `metrics` and `data_quality` of the event log.
        """
        flows = self.shape.get("pipeline_update", {}).get("flows", [])
        return {each["flow_name"].rpartition(".")[2]: each for each in flows}

    @property
    def iterations(self) -> list["TaskRun"]:
        """For a for-each task, the last attempt of each iteration, in the order of the inputs."""
        last: dict[int, Mapping[str, Any]] = {}
        for attempt in self.run.shape["tasks"]:
            if attempt.get("iteration", {}).get("for_each_task_key") == self.key:
                last[attempt["iteration"]["index"]] = attempt
        return [TaskRun(self.run, last[index]) for index in sorted(last)]


def _result(shape: Mapping[str, Any]) -> str:
    return str(shape["state"].get("result_state") or shape["state"]["life_cycle_state"])


def _texts(params: Mapping[str, object] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (params or {}).items()}
