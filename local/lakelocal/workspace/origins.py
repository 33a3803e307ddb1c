"""The bundle that deployed a job or a pipeline, and its key there, from the file that a deployment writes last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lakelocal.workspace.deployed_files import local_path
from lakelocal.workspace.job_store import DeployedJob
from lakelocal.workspace.pipeline_store import DeployedPipeline


@dataclass(frozen=True)
class Origin:
    """The bundle, its target, and the key of the resource in it; the texts are empty if no bundle deployed it."""

    key: str = ""
    bundle: str = ""
    target: str = ""


def origin_of(deployed: DeployedJob | DeployedPipeline, tree: Path) -> Origin:
    """The bundle that deployed *deployed*, and its key there."""
    if isinstance(deployed, DeployedJob):
        return _origin(deployed.settings, "jobs", str(deployed.job_id), tree)
    return _origin(deployed.settings, "pipelines", deployed.pipeline_id, tree)


def _origin(settings: Mapping[str, Any], kind: str, own_id: str, tree: Path) -> Origin:
    deployment = settings.get("deployment")
    path = deployment.get("metadata_file_path") if isinstance(deployment, Mapping) else None
    if not isinstance(path, str) or len(parts := Path(path).parts) < 5 or ".." in parts:
        return Origin()
    known = Origin(bundle=parts[-4], target=parts[-3])
    try:
        config = json.loads(local_path(path, tree).read_text(encoding="utf-8"))["config"]
        resources = config["resources"][kind]
        key = next(key for key, each in resources.items() if str(each["id"]) == own_id)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return known  # the file is written at the end of the deployment
    return replace(known, key=key)
