"""The target of a bundle: which one is meant, and what it overrides."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import copied, merged
from lakelocal.bundle.variables import override_variables
from lakelocal.errors import UsageError
from lakelocal.lakeflow.findings import Finding, FindingError, Where, show

NO_TARGET = "default"  # the only target of a bundle that declares none


def chosen_target(tree: YamlMapping, wanted: str | None, root: Path) -> str:
    """The target *wanted*, else the default one, else the first.

    Raises:
        UsageError: there is no target *wanted*; the message lists the targets.
        FindingError: two targets are the default.
    """
    targets = tree.get("targets") or {}
    if wanted is not None:
        if wanted in targets or (not targets and wanted == NO_TARGET):
            return wanted
        known = ", ".join(f"`{name}`" for name in targets) or f"`{NO_TARGET}`"
        file = show(tree.place[0], root)
        raise UsageError(
            f"--target: found no target `{wanted}` in `{file}`; its targets are {known}. Name one of them."
        )
    if found := two_defaults(tree, root):
        raise FindingError(found)
    return next(iter([*_defaults(targets), *targets]), NO_TARGET)


def two_defaults(tree: YamlMapping, root: Path) -> Finding | None:
    """What is wrong where more than one target is the default."""
    targets = tree.get("targets") or {}
    defaults = _defaults(targets)
    if len(defaults) < 2:
        return None
    found = f"{len(defaults)} targets with `default: true` ({', '.join(defaults)})"
    where = Where.at(tree.places["targets"], root, path=("targets",))
    return Finding(where, "default-target", found, "one of them", "Remove the others.")


def _defaults(targets: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, settings in targets.items()
        if isinstance(settings, YamlMapping) and settings.get("default") is True
    ]


def with_target(tree: YamlMapping, name: str) -> YamlMapping:
    """*tree* with what the target overrides; its `targets` block is gone."""
    target = (tree.get("targets") or {}).get(name)
    result: YamlMapping = copied(tree)
    result.pop("targets", None)
    if not isinstance(target, YamlMapping):
        return result
    overrides = copied(target)
    variables = override_variables(tree.get("variables"), overrides.pop("variables", None))
    overrides.pop("default", None)
    result = merged(result, overrides)
    if isinstance(variables, YamlMapping):
        result.put("variables", variables, variables.place)
    return result
