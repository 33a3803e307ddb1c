"""The values of a bundle's variables.

Source: Databricks CLI 1.13, `set_variables.go` and `bundle/config/root.go`. The first of these that has a value counts:
`--var`, a `value` in the file, `BUNDLE_VAR_<name>`, a lookup, `.databricks/bundle/<target>/variable-overrides.json`,
the default of the target, the default of the variable. Null does not count as a value.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping, in_words
from lakelocal.bundle.merge import shallow_copy
from lakelocal.bundle.references import references_in, steps_of
from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place, Where
from lakelocal.near_names import next_step

COMPLEX = "complex"
# A target may set a variable to a plain value, or to a mapping with exactly one of these sets of fields.
_DEFINITION_FIELDS = (
    *({"default", "type", "description"}, {"default", "type"}, {"default", "description"}, {"default"}),
    *({"lookup", "description"}, {"lookup"}),
)


def with_variable_values(
    tree: YamlMapping, given: Mapping[str, str], *, root: Path, target: str, findings: Findings
) -> tuple[YamlMapping, dict[str, Finding]]:
    """*tree*, with its target merged in, and with the `value` of each variable; references are not resolved yet.

    The second result has a finding for each variable without a value, which only matters if something refers to it.

    Raises:
        UsageError: *given* names a variable that the bundle does not declare, or one of type complex.
        FindingError: the override file is not a JSON object.
    """
    declared = tree.get("variables") or YamlMapping(tree.place)
    _check_given(given, declared)
    overrides = _override_file(root, target)
    result, variables, unset = shallow_copy(tree), shallow_copy(declared), {}
    for name, definition in declared.items():
        where = Where.at(declared.places[name], root, path=("variables", name))
        variable = (
            shallow_copy(definition) if isinstance(definition, YamlMapping) else YamlMapping(declared.places[name])
        )
        with findings.caught():
            value, place = _value(name, variable, given, overrides, where)
            if value is None:
                unset[name] = _without_value(name, variable, where)
            else:
                variable.put("value", value, place)
        variables.put(name, variable, declared.places[name])
    if declared:
        result.put("variables", variables, declared.place)
    return result, unset


def _check_given(given: Mapping[str, str], declared: YamlMapping) -> None:
    legal = ", ".join(f"`{name}`" for name in declared)
    if unknown := [name for name in given if name not in declared]:
        known = f"the bundle declares {legal}" if legal else "the bundle declares no variables"
        step = next_step(unknown[0], declared) if legal else "Leave it out."
        raise UsageError(f"--var: found no variable `{unknown[0]}`; {known}. {step}")
    if of_type := [name for name in given if _is_complex(declared[name])]:
        raise UsageError(
            f"--var: found `{of_type[0]}`, a variable of type complex; expected one with a single value. Set its "
            "default in a target, or its value in variable-overrides.json."
        )


def _value(
    name: str, variable: YamlMapping, given: Mapping[str, str], overrides: YamlMapping, where: Where
) -> tuple[Any, Place]:
    """The value of *variable*, None if it has none, and the place where it is written."""
    if name in given:
        return given[name], variable.place
    if variable.get("value") is not None:
        return variable["value"], variable.places["value"]
    if (text := os.environ.get(f"BUNDLE_VAR_{name}")) is not None:
        if _is_complex(variable):
            found, action = f"BUNDLE_VAR_{name} for `{name}`, a variable of type complex", "Set its default instead."
            raise FindingError(Finding(where, "variable-type", found, "a variable with a single value", action))
        return text, variable.place
    if variable.get("lookup") is not None:
        return None, variable.place
    if overrides.get(name) is not None:
        _check_type(name, variable, overrides, where)
        return overrides[name], overrides.places[name]
    return variable.get("default"), variable.places.get("default", variable.place)


def _check_type(name: str, variable: YamlMapping, overrides: YamlMapping, where: Where) -> None:
    is_block = isinstance(overrides[name], dict | list)
    if is_block != _is_complex(variable):
        found = f"{in_words(overrides[name])} for `{name}` in `{overrides.place[0].name}`"
        expected = "a single value, or a variable of `type: complex`" if is_block else "a mapping or a list"
        raise FindingError(Finding(where, "variable-type", found, expected, "Correct the value or the type."))


def _is_complex(definition: Any) -> bool:
    return isinstance(definition, dict) and definition.get("type") == COMPLEX


def unset_variables_in(value: Any, unset: Mapping[str, Finding]) -> list[Finding]:
    """The findings for those variables of *unset* that a text in *value* refers to, each once."""
    paths = (steps_of(path) for path in references_in(value))
    names = dict.fromkeys(str(steps[1]) for steps in paths if len(steps) > 1 and steps[0] in ("var", "variables"))
    return [unset[name] for name in names if name in unset]


def override_variables(base: Any, target: Any, findings: Findings) -> Any:
    """The `variables` block *base*, overridden by that of a target: new values replace old ones, and never merge."""
    if not isinstance(target, YamlMapping):
        return base
    result = shallow_copy(base) if isinstance(base, YamlMapping) else YamlMapping(target.place)
    for name, value in target.items():
        place = target.places[name]
        if name not in result:
            legal = ", ".join(f"`{each}`" for each in result) or "none"
            where, action = findings.at(place, path=("variables", name)), "Declare it at the top of the bundle."
            findings.add("unknown-variable", f"a value for `{name}`", f"a declared variable: {legal}", action, where)
        elif value is not None:
            result.put(name, _overridden(result[name], value, place), place)
    return result


def _overridden(definition: Any, value: Any, place: Place) -> YamlMapping:
    result = shallow_copy(definition) if isinstance(definition, YamlMapping) else YamlMapping(place)
    result.place = place
    is_definition = isinstance(value, YamlMapping) and value.keys() in _DEFINITION_FIELDS
    fields, places = (value, value.places) if is_definition else ({"default": value}, {"default": place})
    for name, other in (("default", "lookup"), ("lookup", "default")):
        if fields.get(name) is not None:
            result.put(name, fields[name], places[name])
            result.pop(other, None)
    return result


def _without_value(name: str, definition: Any, where: Where) -> Finding:
    expected, action = "a default or a given value", f"Set it with --var {name}=VALUE or BUNDLE_VAR_{name}."
    if definition.get("lookup") is not None:
        found = f"only a `lookup` for the variable `{name}`, which needs a workspace"
        return Finding(where, "variable-lookup", found, expected, action)
    return Finding(where, "variable-value", f"no value for the variable `{name}`", expected, action)


def _override_file(root: Path, target: str) -> YamlMapping:
    file = root / ".databricks" / "bundle" / target / "variable-overrides.json"
    result = YamlMapping((file, 0))
    if not file.is_file():
        return result
    where, expected = Where.at((file, 0), root), "a JSON object with the values of variables"
    action = "Correct or remove the file."
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FindingError(Finding(where, "syntax", f"invalid JSON ({error})", expected, action)) from error
    if not isinstance(values, dict):
        raise FindingError(Finding(where, "syntax", in_words(values), expected, action))
    for name, value in values.items():
        result.put(name, value, result.place)
    return result
