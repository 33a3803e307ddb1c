"""Finds fields of databricks.yml, its included files and its targets that the Databricks CLI does not know.

Source: Databricks CLI 1.13, `bundle/config/root.go` and `target.go`. The CLI warns about them and ignores them.
"""

from collections.abc import Iterator
from pathlib import Path

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.variables import COMPLEX
from lakelocal.lakeflow.findings import Finding, Steps, Where
from lakelocal.near_names import next_step

ROOT = (
    *("artifacts", "bundle", "environments", "experimental", "include", "permissions", "presets", "python"),
    *("resources", "run_as", "scripts", "sync", "targets", "variables", "workspace"),
)
TARGET = (
    *("artifacts", "bundle", "cluster_id", "compute_id", "default", "git", "mode", "permissions", "presets"),
    *("resources", "run_as", "sync", "variables", "workspace"),
)


BLOCKS = {
    "bundle": (
        *("cluster_id", "compute_id", "databricks_cli_version", "deployment", "engine", "environment", "force", "git"),
        *("mode", "name", "target", "terraform", "uuid"),
    ),
    "presets": (
        *("artifacts_dynamic_version", "jobs_max_concurrent_runs", "name_prefix", "pipelines_development"),
        *("source_linked_deployment", "tags", "trigger_pause_status"),
    ),
    "sync": ("exclude", "include", "paths"),
    "git": ("branch", "commit", "origin_url"),
    "python": ("mutators", "resources", "venv_path"),
    "workspace": (
        *("account_id", "artifact_path", "auth_type", "azure_client_id", "azure_environment", "azure_login_app_id"),
        *("azure_tenant_id", "azure_use_msi", "azure_workspace_resource_id", "client_id", "current_user"),
        *("experimental_is_unified_host", "file_path", "google_service_account", "host", "profile", "resource_path"),
        *("root_path", "state_path", "workspace_id"),
    ),
}
"""The fields of each block that both a bundle and its targets may have."""
VARIABLE = ("default", "description", "lookup", "type", "value")


def unknown_fields(written: YamlMapping, root: Path) -> Iterator[Finding]:
    """A finding for each unknown field of *written*, the bundle as it is written, and of each of its targets."""
    yield from _unknown(written, ROOT, "a bundle", root, ())
    yield from _blocks(written, root, ())
    variables = written.get("variables")
    for name, definition in (variables if isinstance(variables, YamlMapping) else {}).items():
        if isinstance(definition, YamlMapping):
            yield from _unknown(definition, VARIABLE, "a variable", root, ("variables", name))
            if (kind := definition.get("type")) not in (None, "", COMPLEX):
                where = Where.at(definition.places["type"], root, path=("variables", name, "type"))
                expected, action = f"`{COMPLEX}`, or none for a single value", "Correct or remove it."
                yield Finding(where, "wrong-enum", f"`{kind}` as `type`", expected, action)
    targets = written.get("targets")
    if not isinstance(targets, YamlMapping):
        return
    for name, target in targets.items():
        if isinstance(target, YamlMapping):
            yield from _unknown(target, TARGET, "a target", root, ("targets", name))
            yield from _blocks(target, root, ("targets", name))


def _blocks(table: YamlMapping, root: Path, path: Steps) -> Iterator[Finding]:
    for name, known in BLOCKS.items():
        block = table.get(name)
        if isinstance(block, YamlMapping):
            yield from _unknown(block, known, f"`{name}`", root, (*path, name))


def _unknown(table: YamlMapping, known: tuple[str, ...], owner: str, root: Path, path: Steps) -> Iterator[Finding]:
    for name in (name for name in table if name not in known and name not in table.anchors):
        action = next_step(name, known, "Remove it, or move it to where it belongs.")
        if name == "tasks":
            action = "Put the job that it belongs to under `resources.jobs.KEY`: a job needs a key."
        found = f"the unknown field `{name}`"
        expected = f"a field of {owner}: {', '.join(f'`{each}`' for each in known)}"
        where = Where.at(table.places.get(name, table.place), root, path=(*path, name))
        yield Finding(where, "bundle-field", found, expected, action)
