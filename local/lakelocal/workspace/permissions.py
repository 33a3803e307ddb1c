"""Permissions on jobs, directories and other objects: stored and returned, but not enforced, as there is one user.

Source: Permissions API 2.0; CLI 1.14, `bundle/direct/dresources/permissions.go`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.routing import BaseRoute

from lakelocal.workspace.endpoints import Asked, endpoint
from lakelocal.workspace.errors import wrong_value
from lakelocal.workspace.workspace import Workspace

_KIND = "permissions"
_PRINCIPALS = ("user_name", "group_name", "service_principal_name")
# The type's name in a path -> its name in answers, which may differ, and the level of whoever created the object.
_TYPES: Mapping[str, tuple[str, str]] = {
    "jobs": ("job", "IS_OWNER"),
    "pipelines": ("pipelines", "IS_OWNER"),
    "directories": ("directory", "CAN_MANAGE"),
    "notebooks": ("notebook", "CAN_MANAGE"),
    "files": ("file", "CAN_MANAGE"),
    "sql/warehouses": ("warehouses", "IS_OWNER"),
}
_LEVELS = ("CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER", "CAN_MANAGE", "CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_USE")
_LEVELS_OF: Mapping[str, tuple[str, ...]] = {"pipelines": ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER")}


class Of(Asked):
    """An object."""

    object_type: str
    object_id: str


class Entry(Asked):
    """What one principal may do."""

    permission_level: str
    user_name: str | None = None
    group_name: str | None = None
    service_principal_name: str | None = None

    @property
    def principal(self) -> dict[str, str]:
        """The principal's kind and name."""
        found = {name: str(value) for name in _PRINCIPALS if (value := getattr(self, name))}
        if len(found) != 1:
            raise wrong_value(
                f"`access_control_list`: found {len(found)} principals in an entry; expected one of them."
            )
        return found


class Given(Of):
    """The permissions of principals on an object."""

    access_control_list: Sequence[Entry] = ()


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    found: list[BaseRoute] = []
    for prefix in ("{object_type}", "{group}/{object_type}"):
        path = f"/api/2.0/permissions/{prefix}/{{object_id}}"
        found += [
            endpoint("GET", path, Of, get),
            endpoint("PUT", path, Given, put),
            endpoint("PATCH", path, Given, patch),
        ]
    return [endpoint("GET", "/api/2.0/permissions/{object_type}/{object_id}/permissionLevels", Of, levels), *found]


def get(workspace: Workspace, asked: Of) -> Mapping[str, Any]:
    """Return the permissions on an object."""
    kept = workspace.records.get(_KIND, _key(asked)).get("entries")
    return _answer(workspace, asked, kept if kept is not None else [_makers(workspace, asked)])


def put(workspace: Workspace, asked: Given) -> Mapping[str, Any]:
    """Replace the permissions on an object."""
    entries = _merged([], asked.access_control_list)
    workspace.records.put(_KIND, _key(asked), {"entries": entries})
    return _answer(workspace, asked, entries)


def patch(workspace: Workspace, asked: Given) -> Mapping[str, Any]:
    """Change the permissions of some principals."""

    def changed(kept: dict[str, Any]) -> dict[str, Any]:
        return {"entries": _merged(kept.get("entries", [_makers(workspace, asked)]), asked.access_control_list)}

    return _answer(workspace, asked, workspace.records.change(_KIND, _key(asked), changed)["entries"])


def levels(workspace: Workspace, asked: Of) -> Mapping[str, Any]:
    """List the permission levels that a type of objects has."""
    found = _LEVELS_OF.get(asked.object_type, _LEVELS)
    return {"permission_levels": [{"permission_level": level, "description": level} for level in found]}


def _merged(entries: Iterable[Mapping[str, str]], given: Iterable[Entry]) -> list[dict[str, str]]:
    """*entries* with those of *given*, which replace others of the same principal."""
    found = {_principal_of(entry): dict(entry) for entry in entries}
    for entry in given:
        if not entry.permission_level:
            raise wrong_value("`access_control_list`: found an entry without `permission_level`; expected one.")
        new = {**entry.principal, "permission_level": entry.permission_level}
        found[_principal_of(new)] = new
    return list(found.values())


def _principal_of(entry: Mapping[str, str]) -> tuple[str, str]:
    return next((name, entry[name]) for name in _PRINCIPALS if name in entry)


def _makers(workspace: Workspace, asked: Of) -> dict[str, str]:
    """The user's permission on an object whose permissions have never been set."""
    level = _TYPES.get(asked.object_type, ("", "CAN_MANAGE"))[1]
    return {"user_name": workspace.user, "permission_level": level}


def _answer(workspace: Workspace, asked: Of, entries: Iterable[Mapping[str, str]]) -> Mapping[str, Any]:
    listed = [
        {
            **{name: value for name, value in entry.items() if name != "permission_level"},
            "all_permissions": [{"inherited": False, "permission_level": entry["permission_level"]}],
        }
        for entry in entries
    ]
    kind = _TYPES.get(asked.object_type, (asked.object_type, ""))[0]
    found = {"object_id": f"/{asked.object_type}/{asked.object_id}", "object_type": kind}
    return {**found, "access_control_list": listed}


def _key(asked: Of) -> str:
    return f"{asked.object_type}/{asked.object_id}"
