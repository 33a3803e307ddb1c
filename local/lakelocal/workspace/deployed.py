"""Reads a deployed job for the engine, with the same checks as a job of a bundle, and with files of the workspace.

A request does not contain everything that a bundle does. The rest is found as follows:

| what                    | where                                                                                     |
| ----------------------- | ----------------------------------------------------------------------------------------- |
| the catalog, the state  | the default of the job's parameter `catalog` (`catalog_name`, `uc_catalog`); without one, |
|                         | the value that all its tasks give to that parameter, or the catalog of its pipelines;     |
|                         | otherwise `main`                                                                          |
| key, bundle, target     | the file that `deployment.metadata_file_path` names, which a deployment writes at its end |
| notebooks, files, wheels| the tree of the workspace; one that is missing fails its task when its turn comes         |
| jobs that tasks start   | the deployed jobs with these ids                                                          |
| pipelines of tasks      | the deployed pipelines with these ids                                                     |
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.field_types import FOR_RUN, fit_to_model
from lakelocal.bundle.jobs import read_jobs
from lakelocal.bundle.load import CATALOG_VARIABLES
from lakelocal.bundle.merge import map_texts
from lakelocal.history.filters import SUBMIT_RUN
from lakelocal.history.rows import RecordedRun
from lakelocal.lakeflow.findings import ERROR, Finding, Findings
from lakelocal.lakeflow.model import Bundle, Job, Task
from lakelocal.lakeflow.pipeline_updates import RUN_TYPE, update_job
from lakelocal.project import CATALOG_NAME, Project
from lakelocal.workspace.deployed_files import as_clients_know, for_clients, local_library, placed, put_local_path
from lakelocal.workspace.deployed_pipelines import DEFAULT_CATALOG, catalog_of_pipeline, read, read_all, settings_of
from lakelocal.workspace.errors import not_there, wrong_value
from lakelocal.workspace.job_store import DeployedJob, JobStore
from lakelocal.workspace.origins import Origin, origin_of
from lakelocal.workspace.places import WorkspacePlaces

WITHOUT_JOB = (SUBMIT_RUN, RUN_TYPE)  # the types of runs that belong to no deployed job
_FILES = (("notebook_task", "notebook_path"), ("spark_python_task", "python_file"), ("sql_task", "file", "path"))


@dataclass(frozen=True)
class Deployed:
    """A deployed *job* in a bundle of its own, together with the jobs that it starts."""

    bundle: Bundle
    job: Job

    def with_queue(self, queue: bool) -> Job:
        """The job, whose run waits for a slot if *queue* says so."""
        return replace(self.job, queue=queue)


def read_deployed(deployed: DeployedJob, store: JobStore, tree: Path, *, key: str = "") -> Deployed:
    """*deployed* as the engine runs it, with the files below *tree*.

    *store* contains the jobs that it starts, and the pipelines. *key*, if given, becomes the key of the job: the one
    that a recorded run has.
    """
    if deployed.settings.get("run_type") == RUN_TYPE:
        return _read_update(deployed, store, tree, key)
    jobs = _with_started(deployed, store)
    origins = {each.job_id: origin_of(each, tree) for each in jobs}
    own = origins[deployed.job_id]
    keys = _keys({**origins, deployed.job_id: replace(own, key=key or own.key)})
    settings = settings_of(own, tree, catalog_of(deployed.settings, store), deployed.creator)
    named = (each for job in jobs for each in _pipeline_ids(job.settings))
    findings = Findings(tree)
    sources = {keys[each.job_id]: _source(each, keys[each.job_id], tree, findings) for each in jobs}
    pipelines = read_all(named, store.pipelines, tree)
    try:
        read = read_jobs(sources, settings, findings, ids=keys, pipelines=pipelines)
    except (OSError, ValueError) as error:  # from the file system: no file can have the name that a task gives
        raise wrong_value(f"Found a path that no file can have ({str(error)[:120]}); correct it.") from error
    late = [each for each in findings if each.rule == "missing-file"]
    errors = Findings(tree, (for_clients(each, tree) for each in findings if each not in late)).of(ERROR)
    ids = {key: job_id for job_id, key in keys.items()}
    found = {}
    for each, job in read.items():
        settings_shown = map_texts(job.settings, lambda text, place: as_clients_know(text, tree))
        found[each] = _with_missing(replace(job, id=ids[each], settings=settings_shown), late, tree)
    faults = {key: tuple(each) for key, each in errors.by_job().items()}
    bundle = Bundle(**vars(settings), jobs=found, pipelines=pipelines, faults=faults, file=tree)
    return Deployed(bundle, found[keys[deployed.job_id]])


def bundle_of_run(run: RecordedRun, project: Project) -> Bundle | None:
    """The bundle of the deployed job that *run* belongs to, as it is now; None if it belongs to no deployed job."""
    places = WorkspacePlaces.of(project)
    if not places.jobs_db.is_file():
        return None
    store = JobStore(places.jobs_db)
    deployed = store.job(run.job_id)
    if deployed is None and run.settings.get("run_type") in WITHOUT_JOB and _has_pipelines(run, store):
        deployed = DeployedJob(run.job_id, run.settings, 0, 0, "")
    if deployed is None:
        return None
    return replace(read_deployed(deployed, store, places.tree, key=run.job_key).bundle, target=run.target)


def _has_pipelines(run: RecordedRun, store: JobStore) -> bool:
    """Does *run* update a pipeline that exists?"""
    is_update = run.settings.get("run_type") == RUN_TYPE
    return not is_update or all(store.pipelines.pipeline(each) for each in _pipeline_ids(run.settings))


def catalog_of(settings: Mapping[str, Any], store: JobStore) -> str:
    """The catalog that a job with these *settings* works with; *store* contains its pipelines."""
    for name in CATALOG_VARIABLES:
        given = [each.get("default") for each in _mappings(settings.get("parameters")) if each.get("name") == name]
        if not given:
            given = [inner[name] for task in _tasks(settings) for inner in _named_parameters(task) if name in inner]
        if given and all(each == given[0] for each in given) and CATALOG_NAME.fullmatch(str(given[0])):
            return str(given[0])
    pipelines = (store.pipelines.pipeline(each) for each in _pipeline_ids(settings))
    catalogs = {catalog_of_pipeline(each) for each in pipelines if each is not None}
    return catalogs.pop() if len(catalogs) == 1 else DEFAULT_CATALOG


def _read_update(deployed: DeployedJob, store: JobStore, tree: Path, key: str) -> Deployed:
    """An update of a pipeline by itself, as the engine runs it.

    Raises:
        ApiError: there is no such pipeline.
    """
    (task,) = deployed.settings["tasks"]
    fields = task["pipeline_task"]
    found = store.pipelines.pipeline(str(fields["pipeline_id"]))
    if found is None:
        raise not_there(f"The specified pipeline {fields['pipeline_id']} was not found.")
    pipeline, origin = read(found, tree), origin_of(found, tree)
    job = replace(update_job(pipeline, fields), key=key or origin.key or pipeline.key)
    settings = settings_of(origin, tree, catalog_of_pipeline(found), found.creator)
    bundle = Bundle(**vars(settings), jobs={job.key: job}, pipelines={pipeline.key: pipeline}, file=tree)
    return Deployed(bundle, job)


def _pipeline_ids(settings: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the pipelines that the tasks of a job with these *settings* update."""
    for task in _tasks(settings):
        inner = task.get("pipeline_task")
        if isinstance(inner, Mapping) and isinstance(given := inner.get("pipeline_id"), str):
            yield given


def _with_started(deployed: DeployedJob, store: JobStore) -> list[DeployedJob]:
    """*deployed*, and the existing jobs that it starts, directly or indirectly."""
    found = {deployed.job_id: deployed}
    todo = [deployed]
    for each in todo:  # grows during the iteration
        for job_id in _started_ids(each.settings):
            if job_id not in found and (child := store.job(job_id)):
                found[job_id] = child
                todo.append(child)
    return list(found.values())


def _started_ids(settings: Mapping[str, Any]) -> Iterator[int]:
    for task in _tasks(settings):
        inner = task.get("run_job_task")
        given = str(inner.get("job_id", "")) if isinstance(inner, Mapping) else ""
        if given.isdecimal() and int(given) < 2**63:
            yield int(given)


def _tasks(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tasks of a job, and the tasks inside its for-each tasks."""
    for task in _mappings(settings.get("tasks")):
        yield task
        loop = task.get("for_each_task")
        if isinstance(loop, Mapping) and isinstance(loop.get("task"), Mapping):
            yield loop["task"]


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    return (each for each in (value if isinstance(value, list) else ()) if isinstance(each, Mapping))


def _named_parameters(task: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The named parameters of *task*."""
    for block in task.values():
        for field in ("base_parameters", "named_parameters", "job_parameters", "parameters"):
            if isinstance(block, Mapping) and isinstance(block.get(field), Mapping):
                yield block[field]


def _keys(origins: Mapping[int, Origin]) -> dict[int, str]:
    """A key for each job: the one in its bundle unless another job has the same, otherwise its id."""
    named = [origin.key for origin in origins.values()]
    return {
        job_id: origin.key if origin.key and named.count(origin.key) == 1 else str(job_id)
        for job_id, origin in origins.items()
    }


def _source(deployed: DeployedJob, key: str, tree: Path, findings: Findings) -> YamlMapping:
    """The settings as if read from a bundle's file; the file is named after the job and lies in *tree*."""
    place = (tree / f"job {deployed.job_id}", 0)
    settings = {name: value for name, value in deployed.settings.items() if name not in ("deployment", "edit_mode")}
    source = placed({**settings, "name": deployed.name}, place)
    for task in _tasks(source):
        for *blocks, field in _FILES:
            block: Any = task
            for name in blocks:
                block = block.get(name) if isinstance(block, dict) else None
            put_local_path(block, field, tree)
    for holder, field in _libraries(source):
        if isinstance(holder[field], str):
            holder[field] = local_library(holder[field], tree)
    return fit_to_model("jobs", key, source, findings, FOR_RUN)


def _libraries(source: YamlMapping) -> Iterator[tuple[Any, Any]]:
    """The places of the libraries of tasks and environments: the mapping or list, and the key or number in it."""
    for task in _tasks(source):
        for library in _mappings(task.get("libraries")):
            yield from ((library, field) for field in ("whl", "requirements") if field in library)
    for environment in _mappings(source.get("environments")):
        spec = environment.get("spec")
        listed = spec.get("dependencies") if isinstance(spec, Mapping) else None
        yield from ((listed, number) for number in range(len(listed) if isinstance(listed, list) else 0))


def _with_missing(job: Job, late: Iterable[Finding], tree: Path) -> Job:
    """*job* with the missing files noted in its tasks, which fail when their turn comes, as on Databricks."""
    missing = {each.where.task: for_clients(each, tree) for each in late if each.where.job == job.key}

    def known(task: Task) -> Task:
        nested = known(task.nested) if task.nested else None
        return replace(task, nested=nested, elsewhere=task.elsewhere or missing.get(task.key))

    return replace(job, tasks=tuple(known(task) for task in job.tasks)) if missing else job
