"""The catalogs, schemas and volumes that a bundle declares: a deployment creates them, and so does a local run.

One whose name or place is missing, or is only known to a workspace, is left out; `validate` says so.

Source: Databricks CLI 1.13, `capture_uc_dependencies.go`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.bundle.deployed import FULL_NAMES
from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import copied
from lakelocal.bundle.presets import changed
from lakelocal.bundle.references import references_in
from lakelocal.lakeflow.model import Securable


def with_own_schemas(tree: YamlMapping) -> YamlMapping:
    """*tree* with references where a name is that of a catalog or a schema of the bundle: if that gets a prefix, it
    is followed."""
    resources = tree.get("resources") or {}
    catalogs = {each.get("name"): key for key, each in _of(resources, "catalogs").items()}
    schemas = {(each.get("catalog_name"), each.get("name")): key for key, each in _of(resources, "schemas").items()}

    def followed(resource: YamlMapping) -> YamlMapping:
        result = copied(resource)
        catalog, schema = resource.get("catalog_name"), resource.get("schema_name")
        if schema and (catalog, schema) in schemas:
            result["schema_name"] = f"${{resources.schemas.{schemas[catalog, schema]}.name}}"
        if catalog and catalog in catalogs:
            result["catalog_name"] = f"${{resources.catalogs.{catalogs[catalog]}.name}}"
        return result

    return changed(changed(tree, "volumes", followed), "schemas", followed)


def _of(resources: Mapping[str, Any], kind: str) -> dict[str, Mapping[str, Any]]:
    named = resources.get(kind)
    return {key: each for key, each in (named or {}).items() if isinstance(each, dict)}


def read_securables(tree: YamlMapping) -> tuple[Securable, ...]:
    """What the resources of *tree* (deployed) declare, catalogs first."""
    return tuple(each for kind in FULL_NAMES for each in _read(tree, kind))


def _read(tree: YamlMapping, kind: str) -> Iterator[Securable]:
    declared = (tree.get("resources") or {}).get(kind) or {}
    for key, fields in declared.items():
        names: list[Any] = [fields.get(name) for name in FULL_NAMES[kind]] if isinstance(fields, dict) else [None]
        if all(names) and not any(references_in(names)):
            yield Securable(f"{kind}.{key}", *map(str, names))
