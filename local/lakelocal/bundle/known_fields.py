"""Finds fields of databricks.yml, its included files and its targets that the Databricks CLI does not know.

The CLI warns about them and ignores them. The fields of resources are those of their models, see `field_types`.

Source: Databricks CLI 1.13, the structs of `bundle/config`, from `root.go` on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.variables import COMPLEX
from lakelocal.lakeflow.findings import Finding, Steps, Where
from lakelocal.near_names import next_step

RESOURCE_TYPES = (
    *("alerts", "apps", "catalogs", "clusters", "dashboards", "database_catalogs", "database_instances"),
    *("experiments", "external_locations", "genie_spaces", "instance_pools", "job_runs", "jobs"),
    *("model_serving_endpoints", "models", "pipelines", "postgres_branches", "postgres_catalogs"),
    *("postgres_databases", "postgres_endpoints", "postgres_projects", "postgres_roles", "postgres_synced_tables"),
    *("quality_monitors", "registered_models", "schemas", "secret_scopes", "secrets", "sql_warehouses"),
    *("synced_database_tables", "vector_search_endpoints", "vector_search_indexes", "volumes"),
)
"""The types of resources that a bundle may declare."""


@dataclass(frozen=True)
class Block:
    """A mapping with known *fields*; each leads to the block that its value is, or to None for any value.

    *owner* is what messages call it; *any_key* is the block that the value of every other key is.
    """

    owner: str
    fields: Mapping[str, "Block | None"]
    any_key: "Block | None" = None


def _block(owner: str, *names: str, **blocks: Block) -> Block:
    return Block(owner, {**dict.fromkeys(names), **blocks})


def _named(block: Block) -> Block:
    """A mapping of names, or a list, of which each value is a *block*."""
    return Block("", {}, any_key=block)


_GIT = _block("`git`", "branch", "commit", "origin_url")
_LOCK = _block("`lock`", "enabled", "force")
_PYTHON = _block("`python`", "mutators", "resources", "venv_path")
_BUNDLE = _block(
    "`bundle`",
    *("cluster_id", "compute_id", "databricks_cli_version", "engine", "environment", "force", "mode", "name"),
    *("target", "uuid"),
    deployment=_block("`deployment`", "fail_on_active_runs", lock=_LOCK),
    git=_GIT,
    terraform=_block("`terraform`", "exec_path"),
)
_EXPERIMENTAL = _block(
    "`experimental`",
    *("immutable_folder", "python_wheel_wrapper", "record_deployment_history", "scripts", "skip_artifact_cleanup"),
    *("skip_name_prefix_for_schema", "use_legacy_run_as"),
    pydabs=_block("`pydabs`", "enabled"),
    python=_PYTHON,
)
_ARTIFACT = _block(
    "an artifact",
    *("build", "dynamic_version", "executable", "path", "type"),
    files=_named(_block("a file of an artifact", "patched", "remote_path", "source")),
)
_LOOKUP = _block(
    "`lookup`",
    *("alert", "cluster", "cluster_policy", "dashboard", "instance_pool", "job", "metastore"),
    *("notification_destination", "pipeline", "query", "service_principal", "warehouse"),
)
_IN_BOTH: Mapping[str, Block | None] = {
    "artifacts": _named(_ARTIFACT),
    "bundle": _BUNDLE,
    "permissions": _named(
        _block("a permission", "group_name", "level", "service_principal_name", "user_name"),
    ),
    "presets": _block(
        "`presets`",
        *("artifacts_dynamic_version", "jobs_max_concurrent_runs", "name_prefix", "pipelines_development"),
        *("source_linked_deployment", "tags", "trigger_pause_status"),
    ),
    "resources": _block("`resources`", *RESOURCE_TYPES),
    "run_as": _block("`run_as`", "group_name", "service_principal_name", "user_name"),
    "sync": _block("`sync`", "exclude", "include", "paths"),
    "workspace": _block(
        "`workspace`",
        *("account_id", "artifact_path", "auth_type", "azure_client_id", "azure_environment", "azure_login_app_id"),
        *("azure_tenant_id", "azure_use_msi", "azure_workspace_resource_id", "client_id", "current_user"),
        *("experimental_is_unified_host", "file_path", "google_service_account", "host", "profile", "resource_path"),
        *("root_path", "state_path", "workspace_id"),
    ),
}
"""The fields that both a bundle and its targets have."""
_TARGET = Block(
    "a target", {**_IN_BOTH, **dict.fromkeys(("cluster_id", "compute_id", "default", "mode", "variables")), "git": _GIT}
)
BUNDLE = Block(
    "a bundle",
    {
        **_IN_BOTH,
        **dict.fromkeys(("environments", "include", "scripts")),
        "experimental": _EXPERIMENTAL,
        "python": _PYTHON,
        "targets": _named(_TARGET),
        "variables": _named(_block("a variable", "default", "description", "type", "value", lookup=_LOOKUP)),
    },
)


def unknown_fields(written: YamlMapping, root: Path) -> Iterator[Finding]:
    """A finding for each unknown field of *written*, the bundle as it is written, and of each of its targets."""
    yield from _unknown(written, BUNDLE, root, ())
    variables = written.get("variables")
    for name, definition in (variables if isinstance(variables, YamlMapping) else {}).items():
        kind = definition.get("type") if isinstance(definition, YamlMapping) else None
        if kind not in (None, "", COMPLEX):
            where = Where.at(definition.places["type"], root, path=("variables", name, "type"))
            expected, action = f"`{COMPLEX}`, or none for a single value", "Correct or remove it."
            yield Finding(where, "wrong-enum", f"`{kind}` as `type`", expected, action)


def known_only(value: Any, block: Block | None) -> Any:
    """*value*, ordinary dicts and lists, without the fields that *block* does not have."""
    if block is None:
        return value
    if isinstance(value, list):
        return [known_only(each, block.any_key) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: known_only(inner, block.fields.get(name, block.any_key))
        for name, inner in value.items()
        if name in block.fields or block.any_key is not None
    }


def _unknown(value: Any, block: Block, root: Path, path: Steps) -> Iterator[Finding]:
    if isinstance(value, list) and block.any_key is not None:
        for number, each in enumerate(value):
            yield from _unknown(each, block.any_key, root, (*path, number))
    elif isinstance(value, YamlMapping):
        for name, inner in value.items():
            if inside := block.fields.get(name, block.any_key):
                yield from _unknown(inner, inside, root, (*path, name))
            elif name not in block.fields and name not in value.anchors:
                yield _finding(value, name, block, root, path)


def _finding(table: YamlMapping, name: str, block: Block, root: Path, path: Steps) -> Finding:
    action = next_step(name, block.fields, "Remove it, or move it to where it belongs.")
    if name == "tasks":
        action = "Put the job that it belongs to under `resources.jobs.KEY`: a job needs a key."
    elif name in RESOURCE_TYPES:
        action = "Put it under `resources`."
    expected = f"a field of {block.owner}: {', '.join(f'`{each}`' for each in sorted(block.fields))}"
    where = Where.at(table.places.get(name, table.place), root, path=(*path, name))
    return Finding(where, "bundle-field", f"the unknown field `{name}`", expected, action)
