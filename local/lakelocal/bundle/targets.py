"""The target of a bundle: which one is selected, and what it overrides.

Source: Databricks CLI 1.13, `select_default_target.go`, `environments_compat.go` and `MergeTargetOverrides` of
`bundle/config/root.go`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import Merge, shallow_copy
from lakelocal.bundle.variables import override_variables
from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Where, show
from lakelocal.near_names import next_step

NO_TARGET = "default"  # the only target of a bundle that declares none
FROM_ENVIRONMENT = ("DATABRICKS_BUNDLE_TARGET", "DATABRICKS_BUNDLE_ENV")

_MERGED = ("bundle", "workspace", "artifacts", "resources", "sync", "permissions", "presets")
_BUNDLE_FIELDS = ("mode", "cluster_id")  # fields of a target that are then fields of the bundle


def targets_of(tree: YamlMapping) -> list[str]:
    """The targets of *tree* in the order of the file; only `default` if it declares none."""
    return list(tree.get("targets") or [NO_TARGET])


def target_of_environment() -> tuple[str, str] | None:
    """The environment variable that selects a target, and its value; None if there is no such variable."""
    return next(((name, os.environ[name]) for name in FROM_ENVIRONMENT if os.environ.get(name)), None)


def chosen_target(tree: YamlMapping, wanted: str | None, root: Path) -> str:
    """The target *wanted*, or else that of the environment, the default target, or the only one.

    Raises:
        UsageError: there is no such target, or there are several without a default; the message lists them.
        FindingError: more than one target is the default.
    """
    option, name = ("--target", wanted) if wanted is not None else target_of_environment() or ("", None)
    targets = targets_of(tree)
    known, file = ", ".join(f"`{each}`" for each in targets), show(tree.place[0], root)
    if name is not None:
        if name in targets:
            return name
        step = next_step(name, targets)
        raise UsageError(f"{option}: found no target `{name}` in `{file}`; its targets are {known}. {step}")
    if len(targets) == 1:
        return targets[0]
    if found := two_defaults(tree, root):
        raise FindingError(found)
    if default := _defaults(tree.get("targets") or {}):
        return default[0]
    raise UsageError(
        f"--target: found none, and no target of `{file}` with `default: true`; its targets are {known}. Specify one "
        f"with --target or {FROM_ENVIRONMENT[0]}."
    )


def two_defaults(tree: YamlMapping, root: Path) -> Finding | None:
    """A finding if more than one target is the default."""
    targets = tree.get("targets") or {}
    defaults = _defaults(targets)
    if len(defaults) < 2:
        return None
    found = f"{len(defaults)} targets with `default: true` ({', '.join(defaults)})"
    where = Where.at(tree.places["targets"], root, path=("targets",))
    return Finding(where, "default-target", found, "one of them", "Remove the others.")


def no_default(tree: YamlMapping, root: Path) -> Finding | None:
    """A finding if there are several targets and none is the default, so that users always have to name one."""
    targets = tree.get("targets") or {}
    if len(targets) < 2 or _defaults(targets):
        return None
    where = Where.at(tree.places["targets"], root, path=("targets",))
    expected, action = "one of them, or --target with each command", "Mark the one that is meant by default."
    return Finding(where, "no-default-target", f"{len(targets)} targets, none with `default: true`", expected, action)


def _defaults(targets: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, settings in targets.items()
        if isinstance(settings, YamlMapping) and settings.get("default") in (True, "true")
    ]


def with_target_blocks(tree: YamlMapping, findings: Findings) -> YamlMapping:
    """*tree* with its targets under `targets`, even if it uses the old name `environments`."""
    if "environments" not in tree:
        return tree
    result = shallow_copy(tree)
    environments, place = result.pop("environments"), tree.places["environments"]
    if "targets" in tree:
        found, where = "both `environments` and `targets`", findings.at(place, path=("environments",))
        action = "Move the targets from `environments`, which is the old name, to `targets`."
        findings.add("default-target", found, "only `targets`", action, where)
    else:
        result.put("targets", environments, place)
    return result


def with_target(tree: YamlMapping, name: str, findings: Findings) -> YamlMapping:
    """*tree* with the overrides of the target *name*, and without its `targets` block."""
    target = (tree.get("targets") or {}).get(name)
    result: YamlMapping = shallow_copy(tree)
    result.pop("targets", None)
    if not isinstance(target, YamlMapping):
        return result
    overrides = YamlMapping(target.place)
    for field in _MERGED:
        if field in target:
            overrides.put(field, target[field], target.places[field])
    result = Merge(findings)(result, overrides)
    if target.get("run_as") is not None:
        result.put("run_as", target["run_as"], target.places["run_as"])
    variables = override_variables(tree.get("variables"), target.get("variables"), findings)
    if isinstance(variables, YamlMapping):
        result.put("variables", variables, variables.place)
    return _with_fields_of_bundle(result, target, findings)


def _with_fields_of_bundle(tree: YamlMapping, target: YamlMapping, findings: Findings) -> YamlMapping:
    bundle = shallow_copy(tree["bundle"]) if isinstance(tree.get("bundle"), YamlMapping) else YamlMapping(tree.place)
    for field in _BUNDLE_FIELDS:
        if target.get(field) is not None:
            bundle.put(field, target[field], target.places[field])
    if isinstance(target.get("git"), YamlMapping):
        git = bundle.get("git")
        both = Merge(findings)(git, target["git"]) if isinstance(git, YamlMapping) else target["git"]
        bundle.put("git", both, target.places["git"])
    tree.put("bundle", bundle, bundle.place)
    return tree
