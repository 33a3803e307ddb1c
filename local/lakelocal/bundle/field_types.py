"""Resources against Databricks' own model (`databricks.bundles`): unknown fields, wrong types, words that do not exist.

The CLI reads what it can (`"3"` as the number 3, `true` as the text `true`), warns of the rest and goes on without it;
so does this walk, which finds all of it where it is written. What comes out has values of the right types only.

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
"""Where the model of each kind of resource is; other kinds are not looked at."""

# Fields that the model does not have: the CLI sets them itself, or keeps them for old bundles. A run has none of them.
_OF_THE_CLI = {"Job": {"deployment", "edit_mode", "format", "id", "url"}, "Volume": {"volume_path"}}
_OLD = {
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
class Depth:
    """How much of a resource is looked at.

    *empty*: empty texts are left out of fields that need not be there. *words*: so are words that a field does not
    have, and required fields that are missing are told. *references*: one stays where the model wants no text.
    """

    empty: bool = False
    words: bool = False
    references: bool = True


TYPES = Depth()
FINISHED = Depth(empty=True)
RUN = Depth(empty=True, words=True)
CHECKED = Depth(empty=True, words=True, references=False)


def fitted(kind: str, key: str, source: YamlMapping, findings: Findings, depth: Depth = TYPES) -> YamlMapping:
    """The resource *key* of *kind* without what does not fit its model, which joins *findings*; places stay."""
    if kind not in MODELS:
        return source
    module, name = MODELS[kind]
    model = getattr(importlib.import_module(module), name)  # here, since commands without jobs need not pay for it
    result: YamlMapping = _Walk(kind, key, source, findings, depth).value(model, source, (), source.place)
    return result


def with_types(resources: Any, findings: Findings, depth: Depth = TYPES) -> Any:
    """The `resources` block of a bundle or a target, each resource of it fitted."""
    if not isinstance(resources, YamlMapping):
        return resources
    result = YamlMapping(resources.place)
    result.anchors = set(resources.anchors)
    for kind, named in resources.items():
        block = named
        if isinstance(named, YamlMapping) and kind in MODELS:
            block = YamlMapping(named.place)
            for key, each in named.items():
                fit = fitted(kind, key, each, findings, depth) if isinstance(each, YamlMapping) else each
                block.put(key, fit, named.places[key])
        result.put(kind, block, resources.places[kind])
    return result


@cache
def model_fields(model: type) -> dict[str, tuple[Any, bool]]:
    """The fields of a *model*: name to its type (without None and variables) and whether it is required."""
    hints = typing.get_type_hints(model)
    required = {field.name: field.default is MISSING and field.default_factory is MISSING for field in fields(model)}
    return {name: (bare(hints[name]), required[name]) for name in required}


def bare(kind: Any) -> Any:
    """*kind* without the None and the `Variable` of its union."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        from databricks.bundles.core import Variable  # here, since commands without jobs need not pay for it

        kept = [
            each
            for each in typing.get_args(kind)
            if each is not type(None) and typing.get_origin(each) is not Variable and each is not Variable
        ]
        return bare(kept[0])
    return kind


class _Nothing(Exception):
    """Raised for a value that is left out."""


class _Walk:
    def __init__(self, kind: str, key: str, source: YamlMapping, findings: Findings, depth: Depth) -> None:
        self.kind = kind
        self.key = key
        self.source = source
        self.findings = findings
        self.depth = depth

    def value(self, kind: Any, value: Any, path: Steps, place: Place) -> Any:
        """*value* as *kind*.

        Raises:
            _Nothing: it is left out.
        """
        origin = typing.get_origin(kind)
        is_block = origin in (list, dict) or (isinstance(kind, type) and is_dataclass(kind))
        if value is None:
            if not is_block and kind is not Any:
                self._expect(False, "nothing", _named(kind), path, place, rule="null-value")
            raise _Nothing
        if isinstance(value, str) and only_reference(value):
            if kind is str or self.depth.references:
                return value
            raise _Nothing
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
            if name not in known and name in _OLD.get(model.__name__, _OF_THE_CLI.get(model.__name__, ())):
                self._old(result, name, model, inner, (*path, name), at)
            elif name not in known:
                self._unknown(name, model, value, (*path, name), at)
            elif not (self.depth.empty and inner == "" and not known[name][1]):
                self._keep(result, name, known[name][0], inner, (*path, name), at)
        for name, (kind, required) in known.items():
            if self.depth.words and required and value.get(name) is None:
                at = _own_place(value, place)
                found = f"no `{name}` in this {model.__name__}"
                self._wrong("missing-field", (*path, name), at, found, _named(kind), "Add it.")
        return result

    def _items(self, kind: Any, value: Any, path: Steps, place: Place) -> list[Any]:
        self._expect(isinstance(value, list), value, f"a list of {_named(kind)}", path, place)
        result = []
        for number, inner in enumerate(value):
            with contextlib.suppress(_Nothing):
                self._expect(inner is not None, "nothing", _named(kind), (*path, number), place, rule="null-value")
                result.append(self.value(kind, inner, (*path, number), _own_place(inner, place)))
        return result

    def _entries(self, kind: Any, value: Any, path: Steps, place: Place) -> YamlMapping:
        self._expect(isinstance(value, dict), value, f"a mapping of names to {_named(kind)}", path, place)
        result = YamlMapping(_own_place(value, place))
        for name, inner in value.items():
            self._keep(result, name, kind, inner, (*path, name), _place(value, name, place))
        return result

    def _scalar(self, kind: Any, value: Any, path: Steps, place: Place) -> Any:
        if kind is Any:
            return value
        self._expect(not isinstance(value, (dict, list)), value, _named(kind), path, place)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._word(kind, as_text(value), path, place)
        read = _READERS[kind](value) if kind in _READERS else value
        self._expect(read is not None, value, _named(kind), path, place)
        return read

    def _word(self, kind: type[Enum], value: str, path: Steps, place: Place) -> str:
        words = [member.value for member in kind]
        if self.depth.words and value not in words:
            legal, named = ", ".join(f"`{word}`" for word in words), f"`{value}` as `{path[-1]}`"
            self._wrong("wrong-enum", path, place, named, f"one of {legal}", _like(value, words))
            raise _Nothing
        return value

    def _keep(self, table: YamlMapping, name: str, kind: Any, value: Any, path: Steps, place: Place) -> None:
        with contextlib.suppress(_Nothing):
            table.put(name, self.value(kind, value, path, place), place)

    def _expect(
        self, is_so: bool, value: Any, expected: str, path: Steps, place: Place, *, rule: str = "wrong-type"
    ) -> None:
        if not is_so:
            named = next((step for step in reversed(path) if isinstance(step, str)), self.kind)
            found = f"{in_words(value) if rule == 'wrong-type' else 'nothing'} as `{named}`"
            self._wrong(rule, path, place, found, expected, "Correct the value; as it is, it is left out.")
            raise _Nothing

    def _old(self, table: YamlMapping, name: str, model: type, value: Any, path: Steps, place: Place) -> None:
        """A field of the CLI alone: it stays in the bundle, and what it asks for in old ones is not done here."""
        if not self.depth.words:
            table.put(name, value, place)
        elif name in _OLD.get(model.__name__, ()):
            found, expected = f"`{name}`, which is out of date", f"a field of a {model.__name__}"
            self._wrong("unknown-field", path, place, found, expected, "Write it anew; as it is, it is left out.")

    def _unknown(self, name: str, model: type, table: Any, path: Steps, place: Place) -> None:
        if isinstance(table, YamlMapping) and name in table.anchors:
            return
        known = list(model_fields(model))
        expected = f"a field of a {model.__name__}"
        self._wrong("unknown-field", path, place, f"the unknown field `{name}`", expected, _like(name, known))

    def _wrong(self, rule: str, path: Steps, place: Place, found: str, expected: str, action: str) -> None:
        if self.kind != "jobs":
            where = self.findings.at(place, path=("resources", self.kind, self.key, *path))
        else:
            task, path = self._inside(path)
            where = self.findings.at(place, job=self.key, task=task, path=path)
        self.findings.add(rule, found, expected, action, where)

    def _inside(self, path: Steps) -> tuple[str, Steps]:
        """The key of the task in which *path* ends, and the way from there; without a key, all of the way."""
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


def _switch(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}.get(value) if isinstance(value, str) else None


_READERS = {str: as_text, int: _whole_number, float: _number, bool: _switch}


def _like(name: Any, known: Iterable[str]) -> str:
    near = near_name(name, known)
    return f"Did you mean `{near}`? As it is, it is left out." if near else "Correct or remove it; it is left out."


def _named(kind: Any) -> str:
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
