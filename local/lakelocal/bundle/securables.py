"""The catalogs, schemas and volumes that a bundle declares: a deployment creates them, and so does a local run.

Those whose name, catalog or schema is missing, or is known only in a workspace, are left out; `validate` reports them.

Source: Databricks CLI 1.13, `capture_uc_dependencies.go`.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from lakelocal.bundle.deployed import FULL_NAME_FIELDS
from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import shallow_copy
from lakelocal.bundle.presets import change_resources
from lakelocal.bundle.references import references_in
from lakelocal.lakeflow.model import Securable

# The resources that are in a catalog and a schema: by which field they name the catalog, and by which the schema.
_REFERRING: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(("volumes", "secrets", "registered_models"), ("catalog_name", ("schema_name",))),
    "pipelines": ("catalog", ("schema", "target")),
    "schemas": ("catalog_name", ()),
}


def with_schema_references(tree: YamlMapping) -> YamlMapping:
    """*tree* with the names of catalogs and schemas that the bundle itself declares replaced by references to them, so
    that a prefix which is added to such a name has an effect everywhere."""
    resources = tree.get("resources") or {}
    catalogs = {str(each.get("name")): key for key, each in _of(resources, "catalogs").items()}
    schemas = {
        (str(each.get("catalog_name")), str(each.get("name"))): key for key, each in _of(resources, "schemas").items()
    }

    def followed(resource: YamlMapping, catalog_field: str, schema_fields: Iterable[str]) -> YamlMapping:
        result, catalog = shallow_copy(resource), resource.get(catalog_field)
        for field in schema_fields:
            if catalog and (schema := resource.get(field)) and (key := schemas.get((str(catalog), str(schema)))):
                result[field] = f"${{resources.schemas.{key}.name}}"
        if catalog and (key := catalogs.get(str(catalog))):
            result[catalog_field] = f"${{resources.catalogs.{key}.name}}"
        return result

    for kind, (catalog_field, schema_fields) in _REFERRING.items():
        change = partial(followed, catalog_field=catalog_field, schema_fields=schema_fields)
        tree = change_resources(tree, kind, change)
    return tree


def _of(resources: Mapping[str, Any], kind: str) -> dict[str, Mapping[str, Any]]:
    named = resources.get(kind)
    return {key: each for key, each in (named or {}).items() if isinstance(each, dict)}


def read_securables(tree: YamlMapping) -> tuple[Securable, ...]:
    """The securables that the resources of *tree*, as it is deployed, declare: catalogs, schemas, volumes."""
    return tuple(each for kind in FULL_NAME_FIELDS for each in _read(tree, kind))


def _read(tree: YamlMapping, kind: str) -> Iterator[Securable]:
    declared = (tree.get("resources") or {}).get(kind) or {}
    for key, fields in declared.items():
        names: list[Any] = [fields.get(name) for name in FULL_NAME_FIELDS[kind]] if isinstance(fields, dict) else [None]
        if all(names) and not any(references_in(names)):
            yield Securable(f"{kind}.{key}", *map(str, names))
