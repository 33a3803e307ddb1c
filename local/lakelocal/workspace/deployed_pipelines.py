"""Reads a deployed pipeline for the engine: with the checks for one of a bundle, and with files of the workspace."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.field_types import FOR_RUN, fit_to_model
from lakelocal.bundle.pipelines import read_pipeline
from lakelocal.lakeflow.findings import Findings
from lakelocal.lakeflow.model import BundleSettings
from lakelocal.lakeflow.pipeline_updates import RUN_TYPE, TASK, run_job_id
from lakelocal.lakeflow.pipelines import Pipeline
from lakelocal.project import CATALOG_NAME
from lakelocal.workspace.deployed_files import for_clients, local_library, placed, put_local_path
from lakelocal.workspace.errors import wrong_value
from lakelocal.workspace.job_store import DeployedJob
from lakelocal.workspace.origins import Origin, origin_of
from lakelocal.workspace.pipeline_store import DeployedPipeline, PipelineStore

DEFAULT_CATALOG = "main"
_BESIDE_FIELDS = ("deployment", "id", "edit_mode")
_FILES = (("notebook", "path"), ("file", "path"), ("glob", "include"))


def read_all(ids: Iterable[str], store: PipelineStore, tree: Path) -> dict[str, Pipeline]:
    """Those of the pipelines with *ids* that exist, by their keys, which are their ids."""
    found = (store.pipeline(each) for each in dict.fromkeys(ids))
    return {each.pipeline_id: read(each, tree) for each in found if each is not None}


def read(deployed: DeployedPipeline, tree: Path) -> Pipeline:
    """*deployed* as the engine updates it; errors in it are recorded in the result.

    Raises:
        ApiError: it names a path that no file can have.
    """
    origin = origin_of(deployed, tree)
    settings = settings_of(origin, tree, catalog_of_pipeline(deployed), deployed.creator)
    findings = Findings(tree)
    try:
        found = read_pipeline(deployed.pipeline_id, _source(deployed, tree, findings), settings, findings)
    except (OSError, ValueError) as error:  # from the file system
        raise wrong_value(f"Found a path that no file can have ({str(error)[:120]}); correct it.") from error
    fault = for_clients(found.fault, tree) if found.fault else None
    return replace(found, id=deployed.pipeline_id, name=deployed.name, fault=fault)


def settings_of(origin: Origin, tree: Path, catalog: str, creator: str) -> BundleSettings:
    """The settings of the bundle that something deployed is in, whose files are in *tree*."""
    return BundleSettings(origin.bundle or "workspace", tree, origin.target, catalog, {}, user=creator)


def update_run(deployed: DeployedPipeline, fields: Mapping[str, Any]) -> DeployedJob:
    """A job that updates only *deployed*; *fields* are those of its `pipeline_task`."""
    inner = {"pipeline_id": deployed.pipeline_id, **fields}
    settings = {
        "name": deployed.name,
        "run_type": RUN_TYPE,
        "tasks": [{"task_key": TASK, "pipeline_task": inner}],
        "deployment": deployed.settings.get("deployment"),
    }
    return DeployedJob(run_job_id(deployed.pipeline_id), settings, 0, 0, deployed.creator)


def catalog_of_pipeline(deployed: DeployedPipeline) -> str:
    """The catalog in whose state *deployed* is updated."""
    return deployed.catalog if CATALOG_NAME.fullmatch(deployed.catalog) else DEFAULT_CATALOG


def _source(deployed: DeployedPipeline, tree: Path, findings: Findings) -> YamlMapping:
    """The settings as if read from a bundle's file, with local paths in *tree*."""
    place = (tree / f"pipeline {deployed.pipeline_id}", 0)
    given = {name: value for name, value in deployed.settings.items() if name not in _BESIDE_FIELDS}
    source = placed(given, place)
    put_local_path(source, "root_path", tree)
    libraries = source.get("libraries")
    for library in libraries if isinstance(libraries, list) else ():
        for kind, field in _FILES:
            put_local_path(library.get(kind) if isinstance(library, dict) else None, field, tree)
    environment = source.get("environment")
    if isinstance(environment, dict) and isinstance(listed := environment.get("dependencies"), list):
        environment["dependencies"] = [local_library(str(each), tree) for each in listed]
    return fit_to_model("pipelines", deployed.pipeline_id, source, findings, FOR_RUN)
