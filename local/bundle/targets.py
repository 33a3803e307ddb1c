"""The target of a bundle: which one is meant, and what it overrides."""

from local.bundle.documents import Table
from local.bundle.merge import copied, merged
from local.bundle.mistakes import mistaken
from local.bundle.variables import override_variables
from local.errors import UsageError

NO_TARGET = "default"  # the only target of a bundle that declares none


def chosen_target(tree: Table, wanted: str | None, file: str) -> str:
    """The target *wanted*, else the default one, else the first; *file* names the bundle in messages.

    Raises:
        UsageError: there is no target *wanted*; the message lists the targets.
        BundleError: two targets are the default.
    """
    targets = tree.get("targets") or {}
    if wanted is not None:
        if wanted in targets or (not targets and wanted == NO_TARGET):
            return wanted
        known = ", ".join(f"`{name}`" for name in targets) or f"`{NO_TARGET}`"
        raise UsageError(
            f"--target: found no target `{wanted}` in `{file}`; its targets are {known}. Name one of them."
        )
    defaults = [name for name, settings in targets.items() if (settings or {}).get("default") is True]
    if len(defaults) > 1:
        found = f"found {len(defaults)} targets with `default: true` ({', '.join(defaults)})"
        raise mistaken("default-target", file, f"{found}; expected one. Remove the others.")
    return next(iter([*defaults, *targets]), NO_TARGET)


def with_target(tree: Table, name: str) -> Table:
    """*tree* with what the target overrides; its `targets` block is gone."""
    target = (tree.get("targets") or {}).get(name)
    result = copied(tree)
    result.pop("targets", None)
    if not isinstance(target, Table):
        return result
    overrides = copied(target)
    variables = override_variables(tree.get("variables"), overrides.pop("variables", None))
    overrides.pop("default", None)
    result = merged(result, overrides)
    if isinstance(variables, Table):
        result.put("variables", variables, variables.place)
    return result
