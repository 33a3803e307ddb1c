"""A job against Databricks' own model (`databricks.bundles.jobs`): every unknown field, wrong type and wrong word.

The model's `from_dict` stops at the first of them and knows no lines; this walk finds them all where they are written,
and gives back what is left of the job, so that whoever reads it sees values of the right types only.
"""

import contextlib
import difflib
import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from databricks.bundles.core import Variable

from lakelocal.bundle.documents import YamlMapping, in_words
from lakelocal.bundle.variables import REFERENCE
from lakelocal.lakeflow.findings import Findings, Place, Steps

_WORDS = {"true", "yes", "on", "y", "false", "no", "off", "n"}


def fitted(key: str, source: YamlMapping, findings: Findings, *, with_references: bool = False) -> YamlMapping:
    """The job *key* without what does not fit the model, which joins *findings*. Places stay.

    References that nothing has replaced are left out where the model wants no text: there is a finding about each
    already, or a variable without a value, which only a run that needs it refuses; *with_references* they stay.
    """
    from databricks.bundles.jobs import Job  # here, since commands without jobs need not pay for it

    job: YamlMapping = _Walk(key, source, findings, with_references).value(Job, source, (), source.place)
    return job


@cache
def model_fields(model: type) -> dict[str, tuple[Any, bool]]:
    """The fields of a *model*: name to its type (without None and variables) and whether it is required."""
    hints = typing.get_type_hints(model)
    required = {field.name: field.default is MISSING and field.default_factory is MISSING for field in fields(model)}
    return {name: (bare(hints[name]), required[name]) for name in required}


def bare(kind: Any) -> Any:
    """*kind* without the None and the `Variable` of its union."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
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
    def __init__(self, key: str, source: YamlMapping, findings: Findings, with_references: bool) -> None:
        self.key = key
        self.source = source
        self.findings = findings
        self.with_references = with_references

    def value(self, kind: Any, value: Any, path: Steps, place: Place) -> Any:
        """*value*, if it fits *kind*."""
        origin = typing.get_origin(kind)
        if value is None:
            return None
        if isinstance(value, str) and REFERENCE.fullmatch(value):
            if kind is str or self.with_references:
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
            if name not in known:
                self._unknown(name, model, (*path, name), at)
            else:
                self._keep(result, name, known[name][0], inner, (*path, name), at)
        for name, (kind, required) in known.items():
            if required and value.get(name) is None:
                at = _own_place(value, place)
                self._wrong(
                    "missing-field", (*path, name), at, f"no `{name}` in this {model.__name__}", _named(kind), "Add it."
                )
        return result

    def _items(self, kind: Any, value: Any, path: Steps, place: Place) -> list[Any]:
        self._expect(isinstance(value, list), value, f"a list of {_named(kind)}", path, place)
        result = []
        for number, inner in enumerate(value):
            with contextlib.suppress(_Nothing):
                self._expect(inner is not None, "nothing", _named(kind), (*path, number), place)
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
            words = [member.value for member in kind]
            if str(value) not in words:
                legal = ", ".join(f"`{word}`" for word in words)
                self._wrong(
                    "wrong-enum", path, place, f"`{value}` as `{path[-1]}`", f"one of {legal}", _like(value, words)
                )
                raise _Nothing
        elif kind is bool:
            self._expect(isinstance(value, bool) or str(value).lower() in _WORDS, value, _named(kind), path, place)
        elif kind in (int, float):
            self._expect(not isinstance(value, bool) and _is_number(kind, value), value, _named(kind), path, place)
        return value

    def _keep(self, table: YamlMapping, name: str, kind: Any, value: Any, path: Steps, place: Place) -> None:
        with contextlib.suppress(_Nothing):
            table.put(name, self.value(kind, value, path, place), place)

    def _expect(self, is_so: bool, value: Any, expected: str, path: Steps, place: Place) -> None:
        if not is_so:
            named = next((step for step in reversed(path) if isinstance(step, str)), "job")
            found = f"{in_words(value)} as `{named}`"
            self._wrong("wrong-type", path, place, found, expected, "Correct the value.")
            raise _Nothing

    def _unknown(self, name: str, model: type, path: Steps, place: Place) -> None:
        known = list(model_fields(model))
        expected = f"a field of a {model.__name__}"
        self._wrong("unknown-field", path, place, f"the unknown field `{name}`", expected, _like(name, known))

    def _wrong(self, rule: str, path: Steps, place: Place, found: str, expected: str, action: str) -> None:
        task, path = self._inside(path)
        self.findings.add(rule, found, expected, action, self.findings.at(place, job=self.key, task=task, path=path))

    def _inside(self, path: Steps) -> tuple[str, Steps]:
        """The key of the task in which *path* ends, and the way from there; without a key, all of the way."""
        entry = self.source["tasks"][path[1]] if path[0] == "tasks" and len(path) > 2 else None
        key = entry.get("task_key") if isinstance(entry, dict) else None
        return (str(key), path[2:]) if key else ("", path)


def _like(name: Any, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f"Did you mean `{near[0]}`?" if near else "Correct or remove it."


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


def _is_number(kind: type, value: Any) -> bool:
    try:
        return bool(kind(value) == float(value))
    except (TypeError, ValueError):
        return False


def _own_place(value: Any, otherwise: Place) -> Place:
    return value.place if isinstance(value, YamlMapping) else otherwise


def _place(value: Any, name: str, otherwise: Place) -> Place:
    return value.places.get(name, otherwise) if isinstance(value, YamlMapping) else otherwise
