"""Which catalogs a bundle names: on Databricks they exist before a job runs, and so they do here.

A catalog is named by a resource that is one or is in one, and by a variable or a parameter: its value where the name
says `catalog`, the first part of `catalog.schema.table` where the name says `table` or `view`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from lakelocal.lakeflow.model import BundleSettings, Job, Securable

# One too many does no harm; these are of a catalog, and no name of one.
_SAYS_CATALOG = re.compile(r"catalog(?!ue)(?!.*(?:schema|type|owner|comment|description|location|path))", re.IGNORECASE)
_SAYS_TABLE = re.compile(r"table|view", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_TABLE = re.compile(r"`?([A-Za-z_][\w-]*)`?(?:\.`?[\w-]+`?){2}")


def named_catalogs(
    settings: BundleSettings,
    securables: Iterable[Securable] = (),
    jobs: Iterable[Job] = (),
    parameters: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The catalogs that a bundle, its *jobs* and the *parameters* of a run name, each once, sorted."""
    found = {securable.catalog for securable in securables} | set(_named(settings.variables)) | set(_named(parameters))
    for job in jobs:
        found |= set(_named(job.parameters))
        for task in job.every_task():
            if isinstance(task.parameters, Mapping):
                found |= set(_named(task.parameters))
    return sorted(found)


def _named(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        if _SAYS_CATALOG.search(name) and _NAME.fullmatch(value):
            yield value
        elif _SAYS_TABLE.search(name) and (table := _TABLE.fullmatch(value)):
            yield table[1]
