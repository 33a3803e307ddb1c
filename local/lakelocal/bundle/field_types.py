"""Checks resources against Databricks' own model (`databricks.bundles`): unknown fields, wrong types, illegal values.

The CLI converts what it can (`"3"` to the number 3, `true` to the text `true`), warns about the rest and continues
without it. So does this module, which reports all of it with its place. Its results only have values of the right type.

Source: Databricks CLI 1.13, `libs/dyn/convert/normalize.go`, `drop_empty_strings.go`, `bundle/config/validate`
(`required.go`, `enum.go`).
"""

import contextlib
import importlib
import math
import re
import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from lakelocal.bundle.documents import YamlMapping, in_words
from lakelocal.bundle.references import only_reference
from lakelocal.lakeflow.field_values import as_text
from lakelocal.lakeflow.findings import Findings, Place, Steps
from lakelocal.near_names import near_name

MODELS = {
    "jobs": ("databricks.bundles.jobs", "Job"),
    "pipelines": ("databricks.bundles.pipelines", "Pipeline"),
    "catalogs": ("databricks.bundles.catalogs", "Catalog"),
    "schemas": ("databricks.bundles.schemas", "Schema"),
    "volumes": ("databricks.bundles.volumes", "Volume"),
}
"""The module and class of the model for each kind of resource; other kinds are not checked."""

# Fields that the model lacks: those that the CLI sets itself, and those that it keeps for old bundles. No run uses any.
_SET_BY_THE_CLI = {"Job": {"deployment", "edit_mode", "format", "id", "url"}, "Volume": {"volume_path"}}
_DEPRECATED = {
    "RunJobTask": {
        *("dbt_commands", "jar_params", "notebook_params", "pipeline_params", "python_named_params", "python_params"),
        *("spark_submit_params", "sql_params"),
    },
    "Task": {"dbt_cloud_task"},
    "Pipeline": {"trigger"},
}
_TRUE = {"true", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"}
_FALSE = {"false", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}
_WHOLE = re.compile(r"[-+]?[0-9]+")


@dataclass(frozen=True)
class Strictness:
    """How strictly a resource is checked.

    *drop_empty*: optional fields with an empty text are left out. *check_values*: so are values that an enum does not
    have, and missing required fields are reported. *keep_references*: references stay even where the model expects
    something other than text.
    """

    drop_empty: bool = False
    check_values: bool = False
    keep_references: bool = True


AS_WRITTEN = Strictness()
AS_PRINTED = Strictness(drop_empty=True)
FOR_RUN = Strictness(drop_empty=True, check_values=True)
FOR_VALIDATION = Strictness(drop_empty=True, check_values=True, keep_references=False)


def fit_to_model(
    kind: str, key: str, source: YamlMapping, findings: Findings, strictness: Strictness = AS_WRITTEN
) -> YamlMapping:
    """The resource *key* of *kind*, without what does not fit its model; that is added to *findings*."""
    if kind not in MODELS:
        return source
    module, name = MODELS[kind]
    model = getattr(importlib.import_module(module), name)  # imported late: commands that read no jobs need not wait
    result: YamlMapping = _ModelReader(kind, key, source, findings, strictness).value(model, source, (), source.place)
    return result


def fit_resources(resources: Any, findings: Findings, strictness: Strictness = AS_WRITTEN) -> Any:
    """The `resources` block of a bundle or a target, with each resource fitted to its model."""
    if not isinstance(resources, YamlMapping):
        return resources
    result = YamlMapping(resources.place)
    result.anchors = set(resources.anchors)
    for kind, named in resources.items():
        block = named
        if isinstance(named, YamlMapping) and kind in MODELS:
            block = YamlMapping(named.place)
            for key, each in named.items():
                fit = fit_to_model(kind, key, each, findings, strictness) if isinstance(each, YamlMapping) else each
                block.put(key, fit, named.places[key])
        result.put(kind, block, resources.places[kind])
    return result


@cache
def model_fields(model: type) -> dict[str, tuple[Any, bool]]:
    """The fields of *model*: for each name, its type (as `bare` gives it) and whether it is required."""
    hints = typing.get_type_hints(model)
    required = {field.name: field.default is MISSING and field.default_factory is MISSING for field in fields(model)}
    return {name: (bare(hints[name]), required[name]) for name in required}


def bare(kind: Any) -> Any:
    """The type *kind* without the `None` and the `Variable` of its union."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        from databricks.bundles.core import Variable  # imported late: commands that read no jobs need not wait

        kept = [
            each
            for each in typing.get_args(kind)
            if each is not type(None) and typing.get_origin(each) is not Variable and each is not Variable
        ]
        return bare(kept[0])
    return kind


class _LeftOut(Exception):
    """Raised for a value that is left out."""


class _ModelReader:
    """Reads the fields of one resource as its model has them; what does not fit is reported and left out."""

    def __init__(self, kind: str, key: str, source: YamlMapping, findings: Findings, strictness: Strictness) -> None:
        self.kind = kind
        self.key = key
        self.source = source
        self.findings = findings
        self.strictness = strictness

    def value(self, kind: Any, value: Any, path: Steps, place: Place) -> Any:
        """*value* as the type *kind*.

        Raises:
            _LeftOut: *value* does not fit.
        """
        origin = typing.get_origin(kind)
        is_block = origin in (list, dict) or (isinstance(kind, type) and is_dataclass(kind))
        if value is None:
            if not is_block and kind is not Any:
                self._expect(False, "nothing", _described(kind), path, place, rule="null-value")
            raise _LeftOut
        if isinstance(value, str) and only_reference(value):
            if kind is str or self.strictness.keep_references:
                return value
            raise _LeftOut
        if isinstance(kind, type) and is_dataclass(kind):
            return self._fields(kind, value, path, place)
        if origin is list:
            return self._items(bare(typing.get_args(kind)[0]), value, path, place)
        if origin is dict:
            return self._entries(bare(typing.get_args(kind)[1]), value, path, place)
        return self._scalar(kind, value, path, place)

    def _fields(self, model: type, value: Any, path: Steps, place: Place) -> YamlMapping:
        self._expect(isinstance(value, dict), value, f"a mapping: the fields of a {model.__name__}", path, place)
        known = model_fields(model)
        result = YamlMapping(_own_place(value, place))
        for name, inner in value.items():
            at = _place(value, name, place)
            if name not in known and name in _DEPRECATED.get(model.__name__, _SET_BY_THE_CLI.get(model.__name__, ())):
                self._deprecated_or_cli_field(result, name, model, inner, (*path, name), at)
            elif name not in known:
                self._unknown_field(name, model, value, (*path, name), at)
            elif not (self.strictness.drop_empty and inner == "" and not known[name][1]):
                self._keep(result, name, known[name][0], inner, (*path, name), at)
        for name, (kind, required) in known.items():
            if self.strictness.check_values and required and value.get(name) is None:
                at = _own_place(value, place)
                found = f"no `{name}` in this {model.__name__}"
                self._add_finding("missing-field", (*path, name), at, found, _described(kind), "Add it.")
        return result

    def _items(self, kind: Any, value: Any, path: Steps, place: Place) -> list[Any]:
        self._expect(isinstance(value, list), value, f"a list of {_described(kind)}", path, place)
        result = []
        for number, inner in enumerate(value):
            with contextlib.suppress(_LeftOut):
                self._expect(inner is not None, "nothing", _described(kind), (*path, number), place, rule="null-value")
                result.append(self.value(kind, inner, (*path, number), _own_place(inner, place)))
        return result

    def _entries(self, kind: Any, value: Any, path: Steps, place: Place) -> YamlMapping:
        self._expect(isinstance(value, dict), value, f"a mapping of names to {_described(kind)}", path, place)
        result = YamlMapping(_own_place(value, place))
        for name, inner in value.items():
            self._keep(result, name, kind, inner, (*path, name), _place(value, name, place))
        return result

    def _scalar(self, kind: Any, value: Any, path: Steps, place: Place) -> Any:
        if kind is Any:
            return value
        self._expect(not isinstance(value, (dict, list)), value, _described(kind), path, place)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._enum_value(kind, as_text(value), path, place)
        read = _READERS[kind](value) if kind in _READERS else value
        self._expect(read is not None, value, _described(kind), path, place)
        return read

    def _enum_value(self, kind: type[Enum], value: str, path: Steps, place: Place) -> str:
        words = [member.value for member in kind]
        if self.strictness.check_values and value not in words:
            legal, named = ", ".join(f"`{word}`" for word in words), f"`{value}` as `{path[-1]}`"
            self._add_finding("wrong-enum", path, place, named, f"one of {legal}", _suggestion(value, words))
            raise _LeftOut
        return value

    def _keep(self, table: YamlMapping, name: str, kind: Any, value: Any, path: Steps, place: Place) -> None:
        with contextlib.suppress(_LeftOut):
            table.put(name, self.value(kind, value, path, place), place)

    def _expect(
        self, is_so: bool, value: Any, expected: str, path: Steps, place: Place, *, rule: str = "wrong-type"
    ) -> None:
        if not is_so:
            named = next((step for step in reversed(path) if isinstance(step, str)), self.kind)
            found = f"{in_words(value) if rule == 'wrong-type' else 'nothing'} as `{named}`"
            self._add_finding(rule, path, place, found, expected, "Correct the value; it is ignored as it is.")
            raise _LeftOut

    def _deprecated_or_cli_field(
        self, table: YamlMapping, name: str, model: type, value: Any, path: Steps, place: Place
    ) -> None:
        """A field that only the CLI knows stays in the bundle; runs do not do what a deprecated one asks for."""
        if not self.strictness.check_values:
            table.put(name, value, place)
        elif name in _DEPRECATED.get(model.__name__, ()):
            found, expected = f"`{name}`, which is deprecated", f"a field of a {model.__name__}"
            self._add_finding("unknown-field", path, place, found, expected, "Replace it; it is ignored as it is.")

    def _unknown_field(self, name: str, model: type, table: Any, path: Steps, place: Place) -> None:
        if isinstance(table, YamlMapping) and name in table.anchors:
            return
        known = list(model_fields(model))
        expected = f"a field of a {model.__name__}"
        self._add_finding(
            "unknown-field", path, place, f"the unknown field `{name}`", expected, _suggestion(name, known)
        )

    def _add_finding(self, rule: str, path: Steps, place: Place, found: str, expected: str, action: str) -> None:
        if self.kind != "jobs":
            where = self.findings.at(place, path=("resources", self.kind, self.key, *path))
        else:
            task, path = self._inside(path)
            where = self.findings.at(place, job=self.key, task=task, path=path)
        self.findings.add(rule, found, expected, action, where)

    def _inside(self, path: Steps) -> tuple[str, Steps]:
        """The key of the task that *path* is in, and the rest of the path; "" and *path* if it is not in a task."""
        entry = self.source["tasks"][path[1]] if path[:1] == ("tasks",) and len(path) > 2 else None
        key = entry.get("task_key") if isinstance(entry, dict) else None
        return (str(key), path[2:]) if key else ("", path)


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    is_whole = not isinstance(value, bool) and math.isfinite(value) and int(value) == value
    return int(value) if is_whole else None


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except ValueError:
        return None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}.get(value) if isinstance(value, str) else None


_READERS = {str: as_text, int: _whole_number, float: _number, bool: _boolean}


def _suggestion(name: Any, known: Iterable[str]) -> str:
    near = near_name(name, known)
    return (
        f"Did you mean `{near}`? It is ignored as it is." if near else "Correct or remove it; it is ignored as it is."
    )


def _described(kind: Any) -> str:
    if isinstance(kind, type) and is_dataclass(kind):
        return f"the fields of a {kind.__name__}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of {', '.join(f'`{member.value}`' for member in kind)}"
    if typing.get_origin(kind) is list:
        return "a list"
    if typing.get_origin(kind) is dict:
        return "a mapping"
    return {str: "a text", int: "a whole number", float: "a number", bool: "`true` or `false`"}.get(kind, "a value")


def _own_place(value: Any, otherwise: Place) -> Place:
    return value.place if isinstance(value, YamlMapping) else otherwise


def _place(value: Any, name: str, otherwise: Place) -> Place:
    return value.places.get(name, otherwise) if isinstance(value, YamlMapping) else otherwise
