"""How an included file and a target override a bundle.

Source: Databricks CLI 1.13 (`libs/dyn/merge`): maps merge deeply and the target wins; null is ignored; lists are
concatenated; values of different kinds do not merge, so neither does a reference with a list. Once references are
resolved, the tasks, job clusters and parameters of a job, the clusters of a pipeline and the grants on a securable are
grouped by their key and merged (`bundle/config/mutator/resourcemutator/merge_*.go`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lakelocal.bundle.documents import YamlMapping, in_words
from lakelocal.bundle.references import only_reference
from lakelocal.lakeflow.findings import Findings, Place, Steps


@dataclass(frozen=True)
class _KeyedList:
    """The list *field* of a resource, whose entries are grouped by *key*.

    *missing* is the key of entries without one, so that these are merged as well. With *by_case*, small and capital
    letters differ. With *is_set_of*, the lists of that name within the entries then have each value once.
    """

    field: str
    key: str
    missing: str = ""
    by_case: bool = True
    is_sorted: bool = False
    is_set_of: str = ""

    def key_of(self, entry: YamlMapping) -> str:
        written = entry.get(self.key)
        if written is None:
            return self.missing
        return str(written) if self.by_case else str(written).lower()


_GRANTS = (_KeyedList("grants", "principal", is_set_of="privileges"),)
_KEYED_LISTS: Mapping[str, tuple[_KeyedList, ...]] = {
    "jobs": (
        _KeyedList("tasks", "task_key", is_sorted=True),
        _KeyedList("job_clusters", "job_cluster_key"),
        _KeyedList("parameters", "name"),
    ),
    "pipelines": (_KeyedList("clusters", "label", missing="default", by_case=False),),
    **dict.fromkeys(
        (
            *("catalogs", "schemas", "external_locations", "secrets", "volumes", "registered_models"),
            "vector_search_indexes",
        ),
        _GRANTS,
    ),
}


class Merge:
    """Merges values; a pair that does not merge is added to *findings*, and its first value is kept.

    *path* leads to the values from the root of the bundle; *job* is the job that they belong to, if it is known.
    """

    def __init__(self, findings: Findings, path: Steps = (), job: str = "") -> None:
        self.findings = findings
        self.path = path
        self.job = job

    def __call__(self, base: Any, override: Any) -> Any:
        """*base* with *override* on top; neither is changed."""
        return self._merged(base, override, self.path, override.place)

    def _merged(self, base: Any, override: Any, path: Steps, place: Place) -> Any:
        if override is None or base is None:
            return base if override is None else override
        if isinstance(base, YamlMapping) and isinstance(override, YamlMapping):
            return self._mappings(base, override, path)
        if isinstance(base, list) and isinstance(override, list):
            return [*base, *override]
        if not _same_kind(base, override):
            self._conflict(base, override, path, place)
            return base
        return override

    def _mappings(self, base: YamlMapping, override: YamlMapping, path: Steps) -> YamlMapping:
        result = shallow_copy(base)
        for key, value in override.items():
            place = override.places.get(key, override.place)
            both = self._merged(result[key], value, (*path, key), place) if key in result else value
            keeps_place = key in result and (both is result[key] or isinstance(both, (dict, list)))
            result.put(key, both, result.places[key] if keeps_place else place)
        result.anchors |= override.anchors
        return result

    def _conflict(self, base: Any, override: Any, path: Steps, place: Place) -> None:
        job = str(path[2]) if path[:2] == ("resources", "jobs") and len(path) > 2 else self.job
        found = f"{in_words(override)} over {in_words(base)} as `{path[-1] if path else 'the file'}`"
        expected = "a value of the same kind, since overrides are applied before references are resolved"
        action = "Write both values out, or use a reference for the whole value in both places."
        self.findings.add("merge", found, expected, action, self.findings.at(place, job=job, path=path))


def merge_keyed_lists(kind: str, resource: YamlMapping, merge: Merge) -> YamlMapping:
    """*resource*, one of *kind*, with those entries of its keyed lists merged that have the same key."""
    result = shallow_copy(resource)
    for each in _KEYED_LISTS.get(kind, ()):
        entries = result.get(each.field)
        if isinstance(entries, list) and all(isinstance(entry, YamlMapping) for entry in entries):
            result[each.field] = _merged_entries(entries, each, merge)
    return result


def _merged_entries(entries: list[YamlMapping], keyed: _KeyedList, merge: Merge) -> list[YamlMapping]:
    groups: dict[str, YamlMapping] = {}
    for entry in entries:
        key = keyed.key_of(entry)
        groups[key] = merge(groups[key], entry) if key in groups else shallow_copy(entry)
    for key, entry in groups.items():
        entry.put(keyed.key, key, entry.places.get(keyed.key, entry.place))
        values = entry.get(keyed.is_set_of)
        if isinstance(values, list) and all(isinstance(value, str) for value in values):
            entry[keyed.is_set_of] = list(dict.fromkeys(values))
    return [groups[key] for key in (sorted(groups) if keyed.is_sorted else groups)]


def shallow_copy(table: YamlMapping) -> YamlMapping:
    """A copy of *table* that shares its values."""
    result = YamlMapping(table.place)
    result.anchors = set(table.anchors)
    for key, value in table.items():
        result.put(key, value, table.places.get(key, table.place))
    return result


def map_texts(value: Any, change: Callable[[str, Any], Any], place: Any = None) -> Any:
    """*value* with `change(text, place)` in place of every text in it; places are kept."""
    if isinstance(value, YamlMapping):
        result = YamlMapping(value.place)
        result.anchors = set(value.anchors)
        for key, inner in value.items():
            at = value.places.get(key, value.place)
            result.put(key, map_texts(inner, change, at), at)
        return result
    if isinstance(value, dict):
        return {key: map_texts(inner, change, place) for key, inner in value.items()}
    if isinstance(value, list):
        return [map_texts(inner, change, place) for inner in value]
    return change(value, place) if isinstance(value, str) else value


def to_plain(value: Any) -> Any:
    """*value* as ordinary dicts and lists."""
    if isinstance(value, dict):
        return {key: to_plain(inner) for key, inner in value.items()}
    return [to_plain(inner) for inner in value] if isinstance(value, list) else value


def _same_kind(base: Any, override: Any) -> bool:
    """Are both mappings, both lists, or both single values? A number and a reference are not of the same kind."""
    for kind in (dict, list):
        if isinstance(base, kind) or isinstance(override, kind):
            return isinstance(base, kind) and isinstance(override, kind)
    return isinstance(base, str) == isinstance(override, str) or not any(
        isinstance(each, str) and only_reference(each) for each in (base, override)
    )
