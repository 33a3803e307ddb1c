"""The permissions on jobs and pipelines, as a deployment sets them.

They have no effect on this machine, but are part of the resolved bundle that `validate --output json` prints.

Source: Databricks CLI 1.13, `apply_bundle_permissions.go`, `fix_permissions.go` and `bundle/permissions/validate.go`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.merge import shallow_copy
from lakelocal.bundle.presets import change_resources
from lakelocal.lakeflow.findings import Findings

OWNER, MANAGE = "IS_OWNER", "CAN_MANAGE"
_LEVELS = {
    "jobs": {MANAGE: MANAGE, "CAN_VIEW": "CAN_VIEW", "CAN_RUN": "CAN_MANAGE_RUN"},
    "pipelines": {MANAGE: MANAGE, "CAN_VIEW": "CAN_VIEW", "CAN_RUN": "CAN_RUN"},
}
_SHARED = "/Workspace/Shared/"
_PRINCIPALS = ("user_name", "service_principal_name", "group_name")
_ORDER = ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE_RUN", MANAGE, OWNER)
_SERVICE_PRINCIPAL = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Permission = Mapping[str, Any]


def check_permissions(tree: YamlMapping, findings: Findings) -> None:
    """Add to *findings* the permissions of the bundle whose level does not exist."""
    listed = tree.get("permissions")
    for number, each in enumerate(listed if isinstance(listed, list) else ()):
        level = each.get("level") if isinstance(each, YamlMapping) else None
        if level not in _LEVELS["jobs"]:
            path = ("permissions", number, "level")
            where, known = findings.at(place_of(tree, path, tree.place), path=path), ", ".join(_LEVELS["jobs"])
            findings.add("permission", f"the permission level `{level}`", f"one of {known}", "Correct it.", where)


def check_shared_root(tree: YamlMapping, findings: Findings) -> None:
    """Add a finding if the bundle is deployed to a folder that all users may change, without saying so."""
    root = str(tree["workspace"]["root_path"])
    listed = tree.get("permissions")
    is_meant = any(
        isinstance(each, dict) and (each.get("group_name"), each.get("level")) == ("users", MANAGE)
        for each in (listed if isinstance(listed, list) else ())
    )
    if root.startswith(_SHARED) and not is_meant:
        path = ("workspace", "root_path")
        where = findings.at(place_of(tree, path, tree.place), path=path)
        found = f"`{root}` as root_path, which all users of the workspace may change"
        expected = "a folder of few users, or the permission CAN_MANAGE for `group_name: users`"
        findings.add("shared-root", found, expected, "Move it below /Workspace/Users, or add the permission.", where)


def with_permissions(tree: YamlMapping, user: str) -> YamlMapping:
    """*tree* with its permissions added to its jobs and pipelines, which are owned by *user*, who deploys them."""
    of_bundle = tree.get("permissions") or []

    def change(resource: YamlMapping, levels: Mapping[str, str]) -> YamlMapping:
        own = resource.get("permissions") or []
        every = [*own, *_from_bundle(of_bundle, own, levels)]
        result = shallow_copy(resource)
        if not every:
            result.pop("permissions", None)
            return result
        result.put("permissions", _strongest(_with_owner(every, user)), resource.place)
        return result

    for kind, levels in _LEVELS.items():
        tree = change_resources(tree, kind, partial(change, levels=levels))
    return tree


def _from_bundle(
    permissions: Iterable[Permission], own: Iterable[Permission], levels: Mapping[str, str]
) -> list[Permission]:
    """The *permissions* of the bundle, in the *levels* of one kind of resource, without the principals in *own*."""
    named = {_principal(each) for each in own}
    return [
        {name: each[name] for name in _PRINCIPALS if each.get(name)} | {"level": levels[each["level"]]}
        for each in permissions
        if isinstance(each, dict) and each.get("level") in levels and _principal(each) not in named
    ]


def _with_owner(permissions: list[Permission], user: str) -> list[Permission]:
    """*permissions* with an owner: *user*, unless there is one already; *user* then at least manages the resource."""
    own = [each for each in permissions if user in (each.get("user_name"), each.get("service_principal_name"))]
    has_owner = any(each.get("level") == OWNER for each in permissions)
    if has_owner and any(each.get("level") in (OWNER, MANAGE) for each in own):
        return permissions
    name = "service_principal_name" if _SERVICE_PRINCIPAL.fullmatch(user) else "user_name"
    return [*permissions, {name: user, "level": MANAGE if has_owner else OWNER}]


def _strongest(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    """Each principal once, with the strongest of its levels."""
    found: dict[tuple[str, str], str] = {}
    for each in permissions:
        who, level = _principal(each), str(each.get("level") or "")
        if who and level and (who not in found or _rank(level) > _rank(found[who])):
            found[who] = level
    return [{name: value, "level": level} for (name, value), level in found.items()]


def _principal(permission: Permission) -> tuple[str, str] | None:
    return next(((name, str(permission[name])) for name in _PRINCIPALS if permission.get(name)), None)


def _rank(level: str) -> int:
    return _ORDER.index(level) if level in _ORDER else -1
