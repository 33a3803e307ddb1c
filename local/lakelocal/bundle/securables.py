"""The catalogs, schemas and volumes that a bundle declares: a deployment creates them, and so does a local run.

Source: Databricks CLI 1.13, `apply_presets.go`: a name prefix, made an identifier, goes before the names of schemas,
and not before those of volumes.
"""

import re
from collections.abc import Iterator

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import copied, mapped
from lakelocal.bundle.variables import Resolver
from lakelocal.lakeflow.findings import Findings
from lakelocal.lakeflow.model import Securable

_FIELDS = {
    "catalogs": ("name",),
    "schemas": ("catalog_name", "name"),
    "volumes": ("catalog_name", "schema_name", "name"),
}


def prefix_schemas(tree: YamlMapping, prefix: str) -> None:
    """Put *prefix* before the names of the schemas of *tree*, so that references to them show it too."""
    schemas = (tree.get("resources") or {}).get("schemas")
    if not prefix or not isinstance(schemas, YamlMapping):
        return
    renamed, resources = copied(schemas), copied(tree["resources"])  # the source is shared with the tree as written
    for key, schema in schemas.items():
        if isinstance(schema, YamlMapping) and "name" in schema:
            renamed[key] = copied(schema)
            renamed[key]["name"] = f"{_identifier(prefix)}{schema['name']}"
    resources["schemas"] = renamed
    tree["resources"] = resources


def read_securables(tree: YamlMapping, resolver: Resolver, findings: Findings) -> tuple[Securable, ...]:
    """What the resources of *tree* declare, references resolved, catalogs first; one without a name is a finding."""
    return tuple(each for kind in _FIELDS for each in _read(tree, kind, resolver, findings))


def _read(tree: YamlMapping, kind: str, resolver: Resolver, findings: Findings) -> Iterator[Securable]:
    declared = (tree.get("resources") or {}).get(kind) or YamlMapping(tree.place)
    for key, written in declared.items():
        fields = mapped(written, resolver) if isinstance(written, YamlMapping) else {}
        missing = [name for name in _FIELDS[kind] if fields.get(name) in (None, "")]
        if missing:
            found, path = f"no `{missing[0]}` in `resources.{kind}.{key}`", ("resources", kind, key, missing[0])
            where = findings.at(declared.places[key], path=path)
            findings.add("missing-field", found, "a name", "Add it.", where)
        else:
            yield Securable(f"{kind}.{key}", *(str(fields[name]) for name in _FIELDS[kind]))


def _identifier(prefix: str) -> str:
    """`[dev ana] ` as the beginning of a name: `dev_ana_`."""
    text = prefix.replace("[", "").strip(" ")
    return re.sub(r"[\W_]+", "_", text.lower()).strip("_") + ("_" if text.endswith("]") else "")
