"""A resolved bundle as `databricks bundle validate --output json` prints it, so that the two can be compared.

What the CLI would ask a workspace for is missing: the id of the user, and the values of lookups.

Source: Databricks CLI 1.13, `cmd/bundle/validate.go`, `bundle/deploy/metadata/annotate_jobs.go`.
"""

import os
from pathlib import Path
from typing import Any

from lakelocal.bundle.artifacts import with_absolute_paths
from lakelocal.bundle.deployed_paths import with_deployed_paths
from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.git import git_details
from lakelocal.bundle.known_fields import BUNDLE, known_only
from lakelocal.bundle.libraries import folder_of
from lakelocal.bundle.load import Configuration
from lakelocal.bundle.merge import shallow_copy, to_plain
from lakelocal.bundle.permissions import with_permissions
from lakelocal.bundle.presets import DEVELOPMENT, change_resources
from lakelocal.lakeflow.field_values import as_text

_SHOWN = (
    *("artifacts", "bundle", "experimental", "include", "permissions", "presets", "python", "resources", "run_as"),
    *("scripts", "sync", "variables", "workspace"),
)


def as_printed(configuration: Configuration) -> dict[str, Any]:
    """The bundle as ordinary values, with sorted keys."""
    tree, settings = configuration.tree, configuration.settings
    synced = Path(os.path.commonpath(settings.folders))
    tree = with_permissions(with_deployed_paths(tree, settings.root, synced), settings.user)
    tree = change_resources(tree, "jobs", lambda job: _annotated(job, str(tree["workspace"]["state_path"])))
    tree = change_resources(tree, "pipelines", lambda each: _deployed(each, str(tree["workspace"]["state_path"])))
    shown = {name: value for name, value in known_only(to_plain(tree), BUNDLE).items() if name in _SHOWN}
    shown["bundle"] = _bundle(shown["bundle"], settings.root, synced)
    for script in (shown.get("scripts") or {}).values():
        if isinstance(script.get("env"), dict):
            script["env"] = {name: as_text(value) for name, value in script["env"].items()}
    for name, artifact in (shown.get("artifacts") or {}).items():
        if isinstance(artifact, dict):
            folder = folder_of(tree["artifacts"][name], "path", settings.root)
            shown["artifacts"][name] = with_absolute_paths(artifact, folder)
    shown["sync"] = _sync(tree, settings.root, synced)
    if shown.get("python"):
        shown["experimental"] = {"python": shown["python"], **(shown.get("experimental") or {})}
    return dict(_sorted({name: value for name, value in shown.items() if value not in (None, {}, [])}))


def _bundle(bundle: dict[str, Any], root: Path, synced: Path) -> dict[str, Any]:
    git = {name: value for name, value in git_details(root, bundle.get("git") or {}, synced).items() if value}
    shown = {**{name: value for name, value in bundle.items() if value is not None}, "git": git}
    if bundle.get("mode") == DEVELOPMENT:
        deployment = bundle.get("deployment") or {}
        shown["deployment"] = {**deployment, "lock": {"enabled": False, **(deployment.get("lock") or {})}}
    return shown


def _sync(tree: YamlMapping, root: Path, synced: Path) -> dict[str, Any]:
    """The `sync` block with its folders and patterns relative to *synced*, the folder that is deployed."""
    written = tree.get("sync")
    block = written if isinstance(written, YamlMapping) else YamlMapping(tree.place)
    found: dict[str, Any] = {}
    for name in ("exclude", "include", "paths"):
        if name in block and isinstance(block[name], list):
            folder = folder_of(block, name, root)
            found[name] = [Path(os.path.relpath(f"{folder}/{each}", synced)).as_posix() for each in block[name]]
    return {"paths": [Path(os.path.relpath(root, synced)).as_posix()], **found}


def _annotated(job: YamlMapping, state_path: str) -> YamlMapping:
    result = _deployed(job, state_path)
    for name, value in (("edit_mode", "UI_LOCKED"), ("format", "MULTI_TASK")):
        result.put(name, value, job.place)
    return result


def _deployed(resource: YamlMapping, state_path: str) -> YamlMapping:
    result = shallow_copy(resource)
    result.put("deployment", {"kind": "BUNDLE", "metadata_file_path": f"{state_path}/metadata.json"}, resource.place)
    return result


def _sorted(value: Any) -> Any:
    """*value* with sorted keys, without nulls, and with whole numbers without a fraction, as Go prints them."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value) if value[name] is not None}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value
