"""How a target overrides a bundle.

Source: Databricks CLI 1.13 (`libs/dyn/merge`): maps merge deeply and the target wins; null is ignored; lists are
concatenated; the tasks, job clusters and parameters of a job are then grouped by their key and merged.
"""

from collections.abc import Callable
from typing import Any

from lakelocal.bundle.documents import YamlMapping

_GROUPED = {"tasks": "task_key", "job_clusters": "job_cluster_key", "parameters": "name"}


def merged(base: Any, override: Any) -> Any:
    """*base* with *override* on top; neither is changed."""
    if override is None:
        return base
    if isinstance(base, YamlMapping) and isinstance(override, YamlMapping):
        result = copied(base)
        for key, value in override.items():
            if value is None and key in result:
                continue
            both = merged(result[key], value) if key in result else value
            nested = isinstance(both, (dict, list)) and key in result
            result.put(key, both, result.places[key] if nested else override.places[key])
        return result
    if isinstance(base, list) and isinstance(override, list):
        return [*base, *override]
    return override


def grouped_job(job: YamlMapping) -> YamlMapping:
    """*job* with the entries of its keyed lists merged; tasks come out sorted by task_key, as in the CLI."""
    result = copied(job)
    for name, key in _GROUPED.items():
        entries = result.get(name)
        if isinstance(entries, list) and all(isinstance(entry, YamlMapping) for entry in entries):
            groups: dict[str, YamlMapping] = {}
            for entry in entries:
                named = str(entry.get(key))
                groups[named] = merged(groups[named], entry) if named in groups else entry
            ordered = sorted(groups) if name == "tasks" else list(groups)
            result[name] = [groups[each] for each in ordered]
    return result


def copied(table: YamlMapping) -> YamlMapping:
    """A copy of *table* alone: its values are shared."""
    result = YamlMapping(table.place)
    for key, value in table.items():
        result.put(key, value, table.places.get(key, table.place))
    return result


def mapped(value: Any, change: Callable[[str, Any], Any], place: Any = None) -> Any:
    """*value* with *change(text, place)* applied to every text in it; places are kept."""
    if isinstance(value, YamlMapping):
        result = YamlMapping(value.place)
        for key, inner in value.items():
            at = value.places.get(key, value.place)
            result.put(key, mapped(inner, change, at), at)
        return result
    if isinstance(value, list):
        return [mapped(inner, change, place) for inner in value]
    return change(value, place) if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """*value* as ordinary dicts and lists."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
