"""Values of the bundle's variables, and `${...}` references to them.

Source: Databricks CLI 1.13: `--var`, `BUNDLE_VAR_<name>`, `.databricks/bundle/<target>/variable-overrides.json`,
default. A text that is exactly one reference takes the type of its value. `{{...}}` is left alone.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping, in_words
from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place, Where

REFERENCE = re.compile(r"\$\{([a-zA-Z][\w-]*(?:\.[\w-]+|\[\d+\])*)\}")
_DEFINITION = {"default", "description", "lookup", "type"}


def variable_values(
    settings: YamlMapping, given: Mapping[str, str], *, root: Path, target: str
) -> tuple[dict[str, Any], dict[str, Finding]]:
    """The value of each variable that *settings* (target merged) declares; references in them are not resolved.

    The second part says why a variable has none: it needs one only where something that is needed refers to it.

    Raises:
        UsageError: *given* names a variable that the bundle does not declare.
        FindingError: the override file is not an object of values.
    """
    declared = settings.get("variables") or YamlMapping(settings.place)
    legal = ", ".join(f"`{name}`" for name in declared) or "none"
    if unknown := [name for name in given if name not in declared]:
        raise UsageError(f"--var: found no variable `{unknown[0]}`; the bundle declares {legal}. Name one of them.")
    overrides = _override_file(root, target)
    values: dict[str, Any] = {}
    unset: dict[str, Finding] = {}
    for name, definition in declared.items():
        if name in given:
            values[name] = given[name]
        elif (environment := os.environ.get(f"BUNDLE_VAR_{name}")) is not None:
            values[name] = environment
        elif name in overrides:
            values[name] = overrides[name]
        elif isinstance(definition, dict) and "default" in definition:
            values[name] = definition["default"]
        else:
            values[name] = Resolver.KEEP  # references to it stay as they are
            where = Where.at(declared.places[name], root, path=("variables", name))
            unset[name] = _without_value(name, definition, where)
    return values, unset


def unset_in(value: Any, unset: Mapping[str, Finding]) -> list[Finding]:
    """What is wrong with those variables of *unset* to which a text in *value* refers, each once."""
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return list(dict.fromkeys(finding for each in inside for finding in unset_in(each, unset)))
    paths = [path.split(".") for path in REFERENCE.findall(value)] if isinstance(value, str) else []
    names = (name.partition("[")[0] for kind, name, *_ in paths if kind in ("var", "variables"))
    return [unset[name] for name in dict.fromkeys(names) if name in unset]


def override_variables(base: Any, target: Any) -> Any:
    """The `variables` block *base* with a target's: a value replaces the default and the lookup, never merges."""
    if not isinstance(target, YamlMapping):
        return base
    result = YamlMapping(base.place if isinstance(base, YamlMapping) else target.place)
    for name, definition in (base or {}).items():
        result.put(name, definition, base.places[name])
    for name, value in target.items():
        definition = YamlMapping(target.place)
        previous = result.get(name)
        if isinstance(previous, YamlMapping):
            for key in [key for key in previous if key not in ("default", "lookup")]:
                definition.put(key, previous[key], previous.places[key])
        if isinstance(value, YamlMapping) and value.keys() <= _DEFINITION:
            for key, inner in value.items():
                definition.put(key, inner, value.places[key])
        else:
            definition.put("default", value, target.places[name])
        result.put(name, definition, target.places[name])
    return result


def _without_value(name: str, definition: Any, where: Where) -> Finding:
    expected, action = "a default or a given value", f"Give it with --var {name}=VALUE or BUNDLE_VAR_{name}."
    if isinstance(definition, dict) and "lookup" in definition:
        found = f"only a `lookup` for the variable `{name}`, which needs a workspace"
        return Finding(where, "variable-lookup", found, expected, action)
    return Finding(where, "variable-value", f"no value for the variable `{name}`", expected, action)


def _override_file(root: Path, target: str) -> dict[str, Any]:
    file = root / ".databricks" / "bundle" / target / "variable-overrides.json"
    if not file.is_file():
        return {}
    where, expected, action = Where.at((file, 0), root), "an object with values of variables", "Correct or remove it."
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FindingError(Finding(where, "syntax", f"invalid JSON ({error})", expected, action)) from error
    if not isinstance(values, dict):
        raise FindingError(Finding(where, "syntax", in_words(values), expected, action))
    return values


class Resolver:
    """Replaces `${...}` in texts by what *lookup* gives for a path such as `var.catalog`.

    *lookup(path)* returns the value, or `KEEP` to leave the reference as it stands, or raises LookupError with what was
    expected in its place. Values are resolved in turn. A text that cannot be resolved stays, and joins *findings*.
    """

    KEEP = object()

    def __init__(self, lookup: Callable[[str], Any], findings: Findings) -> None:
        self.lookup = lookup
        self.findings = findings
        self._open: list[str] = []

    def __call__(self, text: str, place: Place) -> Any:
        """What *text*, which is written at *place*, stands for."""
        resolved: Any = text
        with self.findings.caught():
            resolved = self._resolved(text, place)
        return resolved

    def _resolved(self, text: str, place: Place) -> Any:
        whole = REFERENCE.fullmatch(text)
        if whole:
            return self._value(whole.group(1), place, text)
        return REFERENCE.sub(lambda found: self._text(found, place), text)

    def _text(self, found: re.Match[str], place: Place) -> str:
        value = self._value(found.group(1), place, found.group(0))
        if isinstance(value, (dict, list)):
            what = f"`{found.group(0)}` inside a text, {in_words(value)}"
            raise self._error(place, what, "a single value", "Give the reference a text of its own.")
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _value(self, path: str, place: Place, literal: str) -> Any:
        if path in self._open:
            what = f"a circle of references: {' -> '.join([*self._open, path])}"
            raise self._error(place, what, "none", "Give one of them a value without a reference.")
        try:
            value = self.lookup(path)
        except LookupError as error:
            raise self._error(place, f"`{literal}`", error.args[0], "Correct the name.") from error
        if value is Resolver.KEEP:
            return literal
        self._open.append(path)
        try:
            return self._deep(value, place)
        finally:
            self._open.pop()

    def _deep(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return self._resolved(value, place)
        if isinstance(value, dict):
            return {key: self._deep(inner, place) for key, inner in value.items()}
        return [self._deep(inner, place) for inner in value] if isinstance(value, list) else value

    def _error(self, place: Place, found: str, expected: str, action: str) -> FindingError:
        return FindingError(Finding(self.findings.at(place), "variable-reference", found, expected, action))
