"""A deployed job as the engine runs it: the same checks as for a job of a bundle, with files of the workspace.

What a bundle knows and a request does not is found as follows:

| what                    | where                                                                                     |
| ----------------------- | ----------------------------------------------------------------------------------------- |
| the catalog, the state  | the default of the job's parameter `catalog` (`catalog_name`, `uc_catalog`); if it has    |
|                         | none of them, what all its tasks give for that parameter; otherwise `main`                |
| key, bundle, target     | the file that `deployment.metadata_file_path` names, which a deployment writes at its end |
| notebooks, files, wheels| the tree of the workspace; one that is missing fails its task when its turn comes         |
| jobs that tasks start   | the deployed jobs with these ids                                                          |
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.field_types import FOR_RUN, fit_to_model
from lakelocal.bundle.jobs import read_jobs
from lakelocal.bundle.load import CATALOG_VARIABLES
from lakelocal.bundle.merge import map_texts
from lakelocal.history.rows import RecordedRun
from lakelocal.lakeflow.findings import ERROR, Finding, Findings
from lakelocal.lakeflow.model import Bundle, BundleSettings, Job, Task
from lakelocal.paths import WORKSPACE
from lakelocal.project import CATALOG_NAME, Project
from lakelocal.workspace.errors import wrong_value
from lakelocal.workspace.job_store import DeployedJob, JobStore
from lakelocal.workspace.places import WorkspacePlaces

DEFAULT_CATALOG = "main"
SUBMIT = "SUBMIT_RUN"  # the type of a run that belongs to no job
_FILES = (("notebook_task", "notebook_path"), ("spark_python_task", "python_file"), ("sql_task", "file", "path"))
# A wheel or a file of requirements that a deployment has put into the workspace, after an option of pip or alone.
_LIBRARY = re.compile(r"^((?:(?:-r|--requirement|-e|--editable)[ =]\s*)?)(/(?:Workspace|Users|Shared|Repos)/.*)$")
Lookup = Callable[[int], DeployedJob | None]


@dataclass(frozen=True)
class Origin:
    """What the bundle that deployed a job calls it; texts are empty where no bundle did."""

    key: str = ""
    bundle: str = ""
    target: str = ""


@dataclass(frozen=True)
class Deployed:
    """A deployed *job* in a bundle of its own, together with the jobs that it starts."""

    bundle: Bundle
    job: Job

    def with_queue(self, queue: bool) -> Job:
        """The job, whose run waits for a slot if *queue* says so."""
        return replace(self.job, queue=queue)


def read_deployed(deployed: DeployedJob, lookup: Lookup, tree: Path, *, key: str = "") -> Deployed:
    """*deployed* as the engine runs it, with the files below *tree*; *lookup* finds the jobs that it starts.

    Its key is *key*, if that is given: the one that a recorded run has.
    """
    jobs = _with_started(deployed, lookup)
    origins = {each.job_id: origin_of(each, tree) for each in jobs}
    own = origins[deployed.job_id]
    keys = _keys({**origins, deployed.job_id: replace(own, key=key or own.key)})
    settings = BundleSettings(
        own.bundle or "workspace", tree, own.target, catalog_of(deployed.settings), {}, user=deployed.creator
    )
    findings = Findings(tree)
    sources = {keys[each.job_id]: _source(each, keys[each.job_id], tree, findings) for each in jobs}
    try:
        read = read_jobs(sources, settings, findings, ids=keys)
    except (OSError, ValueError) as error:  # of the file system: no file can have the name that a task gives
        raise wrong_value(f"Found a path that no file can have ({str(error)[:120]}); correct it.") from error
    late = [each for each in findings if each.rule == "missing-file"]
    errors = Findings(tree, (_shown(each, tree) for each in findings if each not in late)).of(ERROR)
    ids = {key: job_id for job_id, key in keys.items()}
    found = {}
    for each, job in read.items():
        settings_shown = map_texts(job.settings, lambda text, place: _as_clients_know(text, tree))
        found[each] = _with_missing(replace(job, id=ids[each], settings=settings_shown), late, tree)
    faults = {key: tuple(each) for key, each in errors.by_job().items()}
    bundle = Bundle(**vars(settings), jobs=found, faults=faults, file=tree)
    return Deployed(bundle, found[keys[deployed.job_id]])


def bundle_of_run(run: RecordedRun, project: Project) -> Bundle | None:
    """The bundle of the deployed job that *run* is a run of, as it is now; None if it is no run of a deployed job."""
    places = WorkspacePlaces.of(project)
    if not places.jobs_db.is_file():
        return None
    store = JobStore(places.jobs_db)
    deployed = store.job(run.job_id)
    if deployed is None and run.settings.get("run_type") == SUBMIT:
        deployed = DeployedJob(run.job_id, run.settings, 0, 0, "")
    if deployed is None:
        return None
    return replace(read_deployed(deployed, store.job, places.tree, key=run.job_key).bundle, target=run.target)


def catalog_of(settings: Mapping[str, Any]) -> str:
    """The catalog that a job with these *settings* works with."""
    for name in CATALOG_VARIABLES:
        given = [each.get("default") for each in _mappings(settings.get("parameters")) if each.get("name") == name]
        if not given:
            given = [inner[name] for task in _tasks(settings) for inner in _named_parameters(task) if name in inner]
        if given and all(each == given[0] for each in given) and CATALOG_NAME.fullmatch(str(given[0])):
            return str(given[0])
    return DEFAULT_CATALOG


def origin_of(deployed: DeployedJob, tree: Path) -> Origin:
    """What the bundle that deployed *deployed* calls it."""
    deployment = deployed.settings.get("deployment")
    path = deployment.get("metadata_file_path") if isinstance(deployment, Mapping) else None
    if not isinstance(path, str) or len(parts := Path(path).parts) < 5 or ".." in parts:
        return Origin()
    known = Origin(bundle=parts[-4], target=parts[-3])
    try:
        config = json.loads(local_path(path, tree).read_text(encoding="utf-8"))["config"]
        jobs = config["resources"]["jobs"]
        key = next(key for key, job in jobs.items() if str(job["id"]) == str(deployed.job_id))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return known  # it is written at the end of the deployment
    return replace(known, key=key)


def local_path(path: str, tree: Path) -> Path:
    """The place of the workspace's *path*, which may lack `/Workspace` at its beginning."""
    return tree / path.removeprefix(WORKSPACE).lstrip("/")


def _with_started(deployed: DeployedJob, lookup: Lookup) -> list[DeployedJob]:
    """*deployed*, and the jobs that it starts at any depth, as far as they exist."""
    found = {deployed.job_id: deployed}
    todo = [deployed]
    for each in todo:  # grows during the iteration
        for job_id in _started_ids(each.settings):
            if job_id not in found and (child := lookup(job_id)):
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
    """The tasks of a job, and those that for-each tasks run."""
    for task in _mappings(settings.get("tasks")):
        yield task
        loop = task.get("for_each_task")
        if isinstance(loop, Mapping) and isinstance(loop.get("task"), Mapping):
            yield loop["task"]


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    return (each for each in (value if isinstance(value, list) else ()) if isinstance(each, Mapping))


def _named_parameters(task: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The parameters that *task* has by name."""
    for block in task.values():
        for field in ("base_parameters", "named_parameters", "job_parameters", "parameters"):
            if isinstance(block, Mapping) and isinstance(block.get(field), Mapping):
                yield block[field]


def _keys(origins: Mapping[int, Origin]) -> dict[int, str]:
    """A key for each job: that of its bundle where no other job has the same, otherwise its id."""
    named = [origin.key for origin in origins.values()]
    return {
        job_id: origin.key if origin.key and named.count(origin.key) == 1 else str(job_id)
        for job_id, origin in origins.items()
    }


def _source(deployed: DeployedJob, key: str, tree: Path, findings: Findings) -> YamlMapping:
    """The settings as a bundle's reader has them; their place is called after the job, and is in *tree*."""
    place = (tree / f"job {deployed.job_id}", 0)
    settings = {name: value for name, value in deployed.settings.items() if name not in ("deployment", "edit_mode")}
    source = _placed({**settings, "name": deployed.name}, place)
    for task in _tasks(source):
        for *blocks, field in _FILES:
            block: Any = task
            for name in blocks:
                block = block.get(name) if isinstance(block, dict) else None
            if isinstance(block, dict) and isinstance(path := block.get(field), str) and is_of_tree(path):
                block[field] = str(local_path(path, tree))
    for holder, field in _libraries(source):
        if isinstance(holder[field], str):
            holder[field] = _LIBRARY.sub(lambda found: found[1] + str(local_path(found[2], tree)), holder[field])
    return fit_to_model("jobs", key, source, findings, FOR_RUN)


def _libraries(source: YamlMapping) -> Iterator[tuple[Any, Any]]:
    """Where the libraries of tasks and environments stand: what holds one, and its key or number there."""
    for task in _tasks(source):
        for library in _mappings(task.get("libraries")):
            yield from ((library, field) for field in ("whl", "requirements") if field in library)
    for environment in _mappings(source.get("environments")):
        spec = environment.get("spec")
        listed = spec.get("dependencies") if isinstance(spec, Mapping) else None
        yield from ((listed, number) for number in range(len(listed) if isinstance(listed, list) else 0))


def is_of_tree(path: str) -> bool:
    """Is *path* a file of the workspace, and not one of a volume or of DBFS?"""
    return path.startswith("/") and not path.startswith(("/Volumes/", "/dbfs/"))


def _placed(value: Any, place: tuple[Path, int]) -> Any:
    """*value* with *place* as the place of all its mappings."""
    if isinstance(value, Mapping):
        result = YamlMapping(place)
        for key, inner in value.items():
            result.put(key, _placed(inner, place), place)
        return result
    return [_placed(each, place) for each in value] if isinstance(value, list) else value


def _with_missing(job: Job, late: Iterable[Finding], tree: Path) -> Job:
    """*job* whose tasks know which of them lack their file: they fail when their turn comes, as on Databricks."""
    missing = {each.where.task: _shown(each, tree) for each in late if each.where.job == job.key}

    def known(task: Task) -> Task:
        nested = known(task.nested) if task.nested else None
        return replace(task, nested=nested, elsewhere=task.elsewhere or missing.get(task.key))

    return replace(job, tasks=tuple(known(task) for task in job.tasks)) if missing else job


def _shown(finding: Finding, tree: Path) -> Finding:
    """*finding* with the paths that clients know."""

    found, expected = _as_clients_know(finding.found, tree), _as_clients_know(finding.expected, tree)
    return replace(finding, found=found, expected=expected, action=_as_clients_know(finding.action, tree))


def _as_clients_know(text: str, tree: Path) -> str:
    return text.replace(f"{tree}/", f"{WORKSPACE}/")
