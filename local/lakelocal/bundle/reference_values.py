"""The values that `${...}` may refer to in a bundle: its variables, and fields of `bundle` and `workspace`.

References to resources are resolved later, by `deployed`.

Source: Databricks CLI 1.13, `bundle/config/mutator/resolve_variable_references.go`: a field that exists but is not set
gives "", `false` or 0; a reference to anything else stays as it is.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.git import git_details
from lakelocal.bundle.references import steps_of
from lakelocal.bundle.resolve import UNRESOLVED
from lakelocal.lakeflow.findings import Finding

_TEXT_FIELDS: dict[str, dict[str, Any]] = {
    path: dict.fromkeys(names.split(), "")
    for path, names in {
        "bundle": "name target environment mode compute_id cluster_id engine databricks_cli_version uuid",
        "bundle.git": "branch origin_url commit bundle_root_path actual_branch",
        "workspace": "host profile auth_type client_id google_service_account azure_workspace_resource_id "
        "azure_client_id azure_tenant_id azure_environment azure_login_app_id account_id workspace_id",
        "workspace.current_user": "userName displayName short_name domain_friendly_name id externalId",
        "workspace.current_user.name": "familyName givenName",
        "variables.*": "type default description value",
    }.items()
}
_USER = {**_TEXT_FIELDS["workspace.current_user"], "name": _TEXT_FIELDS["workspace.current_user.name"], "active": False}
_USER |= {name: [] for name in ("emails", "entitlements", "groups", "roles", "schemas")}
_VALUES_WHEN_UNSET: Mapping[str, Any] = {
    "bundle": {
        **_TEXT_FIELDS["bundle"],
        "git": _TEXT_FIELDS["bundle.git"],
        "force": False,
        "terraform": {"exec_path": ""},
        "deployment": {"fail_on_active_runs": False, "lock": {"enabled": False, "force": False}},
    },
    "workspace": {
        **_TEXT_FIELDS["workspace"],
        "azure_use_msi": False,
        "experimental_is_unified_host": False,
        "current_user": _USER,
    },
    "variables": {},
}
_FIELDS_OF_A_VARIABLE = {**_TEXT_FIELDS["variables.*"], "lookup": {}}
_MISSING = object()


class ReferenceValues:
    """Looks up the value of a reference in *tree*, and raises LookupError, with what was expected, if it has none.

    References to the variables in *unset*, which have no value, stay. `bundle.git` describes the checkout at *root*.
    """

    def __init__(self, tree: Mapping[str, Any], unset: Mapping[str, Finding], root: Path) -> None:
        self.tree = tree
        self.unset = unset
        self.root = root
        self._git: Mapping[str, Any] | None = None

    def __call__(self, path: str) -> Any:
        steps = steps_of(path)
        if steps[0] == "var":
            if len(steps) == 1:
                raise LookupError("the name of a variable, as in `${var.name}`")
            steps = ("variables", steps[1], "value", *steps[2:])
        if steps[0] not in _VALUES_WHEN_UNSET:
            return UNRESOLVED
        if steps[0] == "variables" and len(steps) > 2 and steps[2] == "value" and steps[1] in self.unset:
            return UNRESOLVED
        if steps[:2] == ("bundle", "git"):
            return value_at(self._details(), steps[2:], _TEXT_FIELDS["bundle.git"], "bundle.git")
        first = str(steps[0])
        shown = "var" if path.startswith("var.") and len(steps) > 1 and steps[1] not in self._declared() else first
        unset = _VALUES_WHEN_UNSET[first]
        if first == "variables":
            unset = dict.fromkeys(self._declared(), _FIELDS_OF_A_VARIABLE)
        return value_at(self.tree.get(first) or {}, steps[1:], unset, shown)

    def _declared(self) -> Mapping[str, Any]:
        return self.tree.get("variables") or {}

    def _details(self) -> Mapping[str, Any]:
        """The details of the checkout, read when they are first needed, since that starts git."""
        if self._git is None:
            self._git = git_details(self.root, (self.tree.get("bundle") or {}).get("git") or {}, self.root)
        return self._git


def value_at(value: Any, steps: Iterable[str | int], unset: Any, path: str) -> Any:
    """The value at the end of *steps* in *value*, or else in *unset*, which has the values of fields that are not set.

    *path* is the path of *value* itself, for messages.

    Raises:
        LookupError: neither has such a value; the argument says what was expected.
    """
    for step in steps:
        before, value = value, _inside(value, step)
        within, unset = unset, _inside(unset, step)
        if value is _MISSING and unset is _MISSING:
            raise LookupError(_one_of(dict.fromkeys([*_keys(before), *_keys(within)]), path))
        path = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}"
    return unset if value is _MISSING or value is None else value


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    if isinstance(value, Mapping) and step in value:
        return value[step]
    return _MISSING


def _keys(value: Any) -> list[str]:
    return list(value) if isinstance(value, Mapping) else []


def _one_of(names: Iterable[str], path: str) -> str:
    known = ", ".join(f"`{name}`" for name in names)
    return f"one of {known} in `{path}`" if known else f"a name in `{path}`, which has none"
