"""Which catalogs and schemas a bundle names: on Databricks they exist before a job runs, and so they do here.

A catalog is named by a resource that is a catalog or belongs to one, by a pipeline that writes to it, and by a variable
or a parameter: by its value if its name contains `catalog`, by the first part of `catalog.schema.table` if its name
contains `table` or `view`. A schema is named by a variable or a parameter whose name ends in `schema`: on Databricks
someone has created it, an administrator or a pipeline.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from lakelocal.catalogs import DEFAULT_SCHEMA, INFORMATION_SCHEMA
from lakelocal.lakeflow.model import BundleSettings, Job, Securable
from lakelocal.lakeflow.pipelines import Pipeline
from lakelocal.project import CATALOG_NAME

# A surplus catalog does no harm; these words describe a catalog but do not name one.
_SAYS_CATALOG = re.compile(r"catalog(?!ue)(?!.*(?:schema|type|owner|comment|description|location|path))", re.IGNORECASE)
_SAYS_TABLE = re.compile(r"table|view", re.IGNORECASE)
_SAYS_SCHEMA = re.compile(r"(.*?)(schema|database)((?:_name)?)", re.IGNORECASE)
_NO_NAMES = frozenset({"true", "false", DEFAULT_SCHEMA, INFORMATION_SCHEMA})
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_TABLE = re.compile(r"`?([A-Za-z_][\w-]*)`?(?:\.`?[\w-]+`?){2}")


def named_catalogs(
    settings: BundleSettings,
    securables: Iterable[Securable] = (),
    jobs: Iterable[Job] = (),
    parameters: Mapping[str, str] = MappingProxyType({}),
    pipelines: Iterable[Pipeline] = (),
) -> list[str]:
    """The catalogs that a bundle, its *jobs*, its *pipelines* and the *parameters* of a run name, each once, sorted."""
    found = {securable.catalog for securable in securables} | set(_named(settings.variables)) | set(_named(parameters))
    found |= {pipeline.catalog for pipeline in pipelines if CATALOG_NAME.fullmatch(pipeline.catalog)}
    for job in jobs:
        found |= set(_named(job.parameters))
        for task in job.every_task():
            if isinstance(task.parameters, Mapping):
                found |= set(_named(task.parameters))
    return sorted(found)


def named_schemas(settings: BundleSettings, parameters: Mapping[str, str]) -> list[Securable]:
    """The schemas that a bundle and the *parameters* of a run name.

    `gold_schema` is in the catalog `gold_catalog` if one is named beside it, otherwise in `catalog`, otherwise in the
    run's.
    """
    found = [
        Securable(name, _catalog_beside(name, values) or settings.catalog, value)
        for values in (settings.variables, parameters)
        for name, value in values.items()
        if _SAYS_SCHEMA.fullmatch(name) and isinstance(value, str) and _is_schema(value)
    ]
    return list({str(each): each for each in found}.values())


def _is_schema(value: str) -> bool:
    return value.isidentifier() and value.isascii() and value.lower() not in _NO_NAMES


def _catalog_beside(name: str, values: Mapping[str, Any]) -> str | None:
    """The catalog that *values* give for the schema named by *name*."""
    found = _SAYS_SCHEMA.fullmatch(name)
    assert found is not None, "asked about names of schemas only"
    for beside in (f"{found[1]}catalog{found[3]}", f"{found[1]}catalog", "catalog", "catalog_name"):
        value = values.get(beside)
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
    return None


def _named(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        if _SAYS_CATALOG.search(name) and _NAME.fullmatch(value):
            yield value
        elif _SAYS_TABLE.search(name) and (table := _TABLE.fullmatch(value)):
            yield table[1]
