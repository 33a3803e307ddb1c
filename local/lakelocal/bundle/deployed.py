"""What a deployment adds to a resolved bundle: the paths of its volumes, and the ids and names of its resources.

Jobs get ids that belong to this machine. A reference to a value that only a workspace knows, such as the id of a
warehouse, stays as it is.

Source: Databricks CLI 1.13: `initialize_volume_paths.go` (offline), `${resources...}` (by a deployment).
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import shallow_copy
from lakelocal.bundle.presets import change_resources
from lakelocal.bundle.reference_values import value_at
from lakelocal.bundle.references import only_reference, steps_of
from lakelocal.bundle.resolve import UNRESOLVED, Lookup, Resolver
from lakelocal.lakeflow.findings import Findings, Steps

FULL_NAME_FIELDS = {
    "catalogs": ("name",),
    "schemas": ("catalog_name", "name"),
    "volumes": ("catalog_name", "schema_name", "name"),
}
"""The fields whose values, joined by dots, are the full name and thus the id of a securable, by kind of resource."""
_WORKSPACE_ONLY_FIELDS = ("url", "creator_user_name", "run_as_user_name")  # fields of a job that only a workspace has


def job_id(bundle: str, target: str, key: str) -> int:
    """The id of a job on this machine: always the same for a bundle, target and key, of 15 digits as on Databricks."""
    digest = hashlib.sha256(f"{bundle}\0{target}\0{key}".encode()).digest()
    return 10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14)


def pipeline_id(bundle: str, target: str, key: str) -> str:
    """The id of a pipeline on this machine: always the same for a bundle, target and key, a UUID as on Databricks."""
    digest = hashlib.sha256(f"pipeline\0{bundle}\0{target}\0{key}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def with_volume_paths(tree: YamlMapping, findings: Findings) -> YamlMapping:
    """*tree* with the `volume_path` of each volume set, and the references to these paths resolved."""

    def path(volume: YamlMapping) -> YamlMapping:
        if volume.get("volume_path"):
            where = findings.at(volume.places["volume_path"], path=("resources", "volumes", "volume_path"))
            found, expected = "`volume_path` of a volume", "none: it is computed from the catalog, schema and name"
            findings.add("computed-field", found, expected, "Remove it.", where)
        parts = [str(_named_by_reference(tree, volume.get(field) or "")) for field in FULL_NAME_FIELDS["volumes"]]
        result = shallow_copy(volume)
        result.put("volume_path", "/".join(("/Volumes", *parts)), volume.place)
        return result

    result = change_resources(tree, "volumes", path)
    if result is tree:
        return tree
    volumes = result["resources"]["volumes"]

    def lookup(path: str) -> Any:
        steps = steps_of(path)
        is_path = len(steps) == 4 and steps[:2] == ("resources", "volumes") and steps[3] == "volume_path"
        return volumes[steps[2]]["volume_path"] if is_path and steps[2] in volumes else UNRESOLVED

    resources = shallow_copy(result["resources"])
    for kind, named in resources.items():
        if isinstance(named, YamlMapping):
            resources[kind] = _resolved(named, kind, lookup, findings)
    result["resources"] = resources
    return result


def with_deployed_references(tree: YamlMapping, findings: Findings) -> YamlMapping:
    """*tree* with the references between its resources replaced by the values that they have after a deployment."""
    resources = tree.get("resources")
    if not isinstance(resources, YamlMapping):
        return tree
    lookup = _DeployedValues(tree)
    result, blocks = shallow_copy(tree), shallow_copy(resources)
    for kind, named in resources.items():
        if isinstance(named, YamlMapping):
            blocks[kind] = _resolved(named, kind, lookup, findings)
    result["resources"] = blocks
    return result


def other_resources(tree: YamlMapping) -> dict[str, tuple[str, ...]]:
    """The keys of the resources that are neither run nor created here, such as dashboards and apps, by their kind."""
    resources = tree.get("resources") or {}
    others = {kind: named for kind, named in resources.items() if kind not in ("jobs", "pipelines", *FULL_NAME_FIELDS)}
    return {kind: tuple(named) for kind, named in others.items() if isinstance(named, dict) and named}


def full_name(kind: str, resource: Mapping[str, Any]) -> str:
    """The full name of a catalog, schema or volume, such as `main.shop.files`."""
    return ".".join(str(resource.get(field) or "") for field in FULL_NAME_FIELDS[kind])


class _DeployedValues:
    """Looks up the value that `resources.KIND.KEY.FIELD` has once *tree* is deployed."""

    def __init__(self, tree: YamlMapping) -> None:
        self.bundle, self.target = str(tree["bundle"].get("name")), str(tree["bundle"].get("target"))
        self.resources = tree["resources"]

    def __call__(self, path: str) -> Any:
        steps = steps_of(path)
        if steps[0] != "resources" or len(steps) < 4:
            return UNRESOLVED
        kind, key = str(steps[1]), str(steps[2])
        named = self.resources.get(kind) or {}
        if key not in named:
            known = ", ".join(f"`{each}`" for each in named)
            raise LookupError(f"one of {known} in `resources.{kind}`" if known else f"a resource in `resources.{kind}`")
        return self._field(kind, key, named[key], steps)

    def _field(self, kind: str, key: str, resource: Any, steps: Steps) -> Any:
        if steps[3] == "id" and kind == "jobs":
            return job_id(self.bundle, self.target, key)
        if steps[3] in ("id", "pipeline_id") and kind == "pipelines":
            return pipeline_id(self.bundle, self.target, key)
        if steps[3] == "id" and kind in FULL_NAME_FIELDS:
            return full_name(kind, resource)
        if kind == "jobs" and steps[3] in _WORKSPACE_ONLY_FIELDS:
            return UNRESOLVED
        try:
            value = value_at(resource, steps[3:], {}, f"resources.{kind}.{key}")
        except LookupError:
            if kind == "jobs":
                raise
            return UNRESOLVED
        return UNRESOLVED if value == {} else value


def _resolved(named: YamlMapping, kind: str, lookup: Lookup, findings: Findings) -> YamlMapping:
    result = shallow_copy(named)
    for key, each in named.items():
        if isinstance(each, YamlMapping):
            result[key] = Resolver(lookup, findings, job=key if kind == "jobs" else "")(each, each.place)
    return result


def _named_by_reference(tree: YamlMapping, value: Any) -> Any:
    """*value*, or the text that it refers to in `resources` if it is such a reference and that text exists."""
    path = only_reference(value) if isinstance(value, str) else None
    steps = steps_of(path) if path else ()
    if steps[:1] != ("resources",):
        return value
    try:
        found = value_at(tree["resources"], steps[1:], {}, "resources")
    except LookupError:
        return value
    return found if isinstance(found, str) else value
