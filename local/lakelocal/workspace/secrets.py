"""The Secrets API: the secrets that notebooks read with `dbutils.secrets`.

Those in the user's `.secrets.yml` are read-only here; secrets from clients are stored in the workspace's own file.

Source: Secrets API 2.0; Databricks SDK 0.162, `service/workspace.py`.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.routing import BaseRoute

from lakelocal.kernel.dbutils.secrets import SecretsFile, read_secrets
from lakelocal.project import State
from lakelocal.workspace.endpoints import Asked, endpoint
from lakelocal.workspace.errors import ApiError, not_there, wrong_value
from lakelocal.workspace.forms import from_base64
from lakelocal.workspace.secret_store import Secrets
from lakelocal.workspace.workspace import Workspace

_API = "/api/2.0/secrets"
_NAME = re.compile(r"[\w@.-]{1,128}", re.ASCII)
_ACLS = "secret-acls"
_LONGEST = 128 * 1024  # bytes of a value, the limit of Databricks
_MOST = 1000  # secrets of a scope


class Scope(Asked):
    """A scope."""

    scope: str


class NewScope(Scope):
    """A scope to be created."""

    scope_backend_type: str = "DATABRICKS"
    initial_manage_principal: str = ""


class Secret(Scope):
    """A secret."""

    key: str


class NewSecret(Secret):
    """A secret with its value: text, or bytes in base64."""

    string_value: str | None = None
    bytes_value: str | None = None


class Acl(Scope):
    """The permission of a principal on a scope."""

    principal: str
    permission: str = ""


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        endpoint("GET", f"{_API}/scopes/list", Asked, scopes),
        endpoint("POST", f"{_API}/scopes/create", NewScope, create_scope),
        endpoint("POST", f"{_API}/scopes/delete", Scope, delete_scope),
        endpoint("GET", f"{_API}/list", Scope, keys),
        endpoint("GET", f"{_API}/get", Secret, get),
        endpoint("POST", f"{_API}/put", NewSecret, put),
        endpoint("POST", f"{_API}/delete", Secret, delete),
        endpoint("GET", f"{_API}/acls/list", Scope, acls),
        endpoint("GET", f"{_API}/acls/get", Acl, acl),
        endpoint("POST", f"{_API}/acls/put", Acl, put_acl),
        endpoint("POST", f"{_API}/acls/delete", Acl, delete_acl),
    ]


def scopes(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """List the scopes."""
    found = [{"name": name, "backend_type": "DATABRICKS"} for name in sorted(_all(workspace))]
    return {"scopes": found} if found else {}


def create_scope(workspace: Workspace, asked: NewScope) -> Mapping[str, Any]:
    """Create a scope."""
    if asked.scope_backend_type != "DATABRICKS":
        raise wrong_value(
            f"`scope_backend_type`: {asked.scope_backend_type[:40]} is not available here. Use DATABRICKS."
        )
    _check(asked.scope, "scope")

    def added(kept: Secrets) -> None:
        if asked.scope in _all(workspace):
            raise ApiError("RESOURCE_ALREADY_EXISTS", f"Scope {asked.scope} already exists!")
        kept[asked.scope] = {}

    workspace.secrets.change(added)
    workspace.records.put(_ACLS, asked.scope, {asked.initial_manage_principal or workspace.user: "MANAGE"})
    return {}


def delete_scope(workspace: Workspace, asked: Scope) -> Mapping[str, Any]:
    """Delete a scope with its secrets."""
    _need(workspace, asked.scope)
    _refuse_users(workspace, asked.scope)
    workspace.secrets.change(lambda kept: kept.pop(asked.scope, None))
    workspace.records.remove(_ACLS, asked.scope)
    return {}


def keys(workspace: Workspace, asked: Scope) -> Mapping[str, Any]:
    """List the keys of a scope."""
    found = sorted(_need(workspace, asked.scope))
    return {"secrets": [{"key": key, "last_updated_timestamp": 0} for key in found]} if found else {}


def get(workspace: Workspace, asked: Secret) -> Mapping[str, Any]:
    """Return the value of a secret."""
    held = _need(workspace, asked.scope)
    if asked.key not in held:
        raise not_there(f"Secret does not exist with scope: {asked.scope} and key: {asked.key}")
    return {"key": asked.key, "value": base64.b64encode(str(held[asked.key]).encode()).decode()}


def put(workspace: Workspace, asked: NewSecret) -> Mapping[str, Any]:
    """Store a secret."""
    if (asked.string_value is None) == (asked.bytes_value is None):
        raise wrong_value("Found both or neither of `string_value` and `bytes_value`; expected one of them.")
    _check(asked.key, "key")
    value = asked.string_value if asked.string_value is not None else _text(asked.bytes_value or "")
    if len(value.encode()) > _LONGEST:
        raise wrong_value(f"The value has more than {_LONGEST} bytes, which is the limit.")
    if len(_need(workspace, asked.scope)) >= _MOST:
        raise ApiError("RESOURCE_LIMIT_EXCEEDED", f"Scope {asked.scope} has {_MOST} secrets, which is the limit.", 400)
    _refuse_users(workspace, asked.scope, asked.key)
    workspace.secrets.change(lambda kept: kept.setdefault(asked.scope, {}).update({asked.key: value}))
    return {}


def delete(workspace: Workspace, asked: Secret) -> Mapping[str, Any]:
    """Delete a secret."""
    if asked.key not in _need(workspace, asked.scope):
        raise not_there(f"Secret does not exist with scope: {asked.scope} and key: {asked.key}")
    _refuse_users(workspace, asked.scope, asked.key)
    workspace.secrets.change(lambda kept: kept.get(asked.scope, {}).pop(asked.key, None))
    return {}


def acls(workspace: Workspace, asked: Scope) -> Mapping[str, Any]:
    """List the permissions on a scope, which are stored but not enforced."""
    return {"items": [{"principal": who, "permission": what} for who, what in sorted(_acls(workspace, asked).items())]}


def acl(workspace: Workspace, asked: Acl) -> Mapping[str, Any]:
    """Return the permission of a principal on a scope."""
    found = _acls(workspace, asked)
    if asked.principal not in found:
        raise not_there(f"Failed to get secret acl for principal {asked.principal} for scope {asked.scope}.")
    return {"principal": asked.principal, "permission": found[asked.principal]}


def put_acl(workspace: Workspace, asked: Acl) -> Mapping[str, Any]:
    """Give a principal a permission on a scope."""
    if asked.permission not in ("READ", "WRITE", "MANAGE"):
        raise wrong_value(f"`permission`: found {asked.permission[:40]!r}; expected READ, WRITE or MANAGE.")
    _need(workspace, asked.scope)
    workspace.records.change(_ACLS, asked.scope, lambda kept: {**kept, asked.principal: asked.permission})
    return {}


def delete_acl(workspace: Workspace, asked: Acl) -> Mapping[str, Any]:
    """Remove the permission of a principal on a scope."""
    acl(workspace, asked)
    workspace.records.change(_ACLS, asked.scope, lambda kept: {k: v for k, v in kept.items() if k != asked.principal})
    return {}


def _acls(workspace: Workspace, asked: Scope) -> dict[str, str]:
    _need(workspace, asked.scope)
    return workspace.records.get(_ACLS, asked.scope)


def _all(workspace: Workspace) -> Secrets:
    return SecretsFile(_Owner(workspace.catalogs.default())).scopes()


def _need(workspace: Workspace, scope: str) -> dict[str, Any]:
    found = _all(workspace)
    if scope not in found:
        raise not_there(f"Scope {scope[:200]} does not exist!")
    return found[scope]


def _refuse_users(workspace: Workspace, scope: str, key: str | None = None) -> None:
    """Refuse to change secrets in the user's file, because its comments would be lost."""
    file = workspace.catalogs.default().secrets_file
    held = read_secrets(file).get(scope)
    if held is not None and (key is None or key in held):
        what = f"Scope {scope}" if key is None else f"The secret {scope}/{key}"
        raise ApiError("INVALID_STATE", f"{what} is stored in `{file}`, which clients cannot change. Edit that file.")


def _check(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise wrong_value(f"`{what}`: found {name[:60]!r}; expected 1 to 128 letters, digits, `-`, `_`, `@` and `.`.")


def _text(given: str) -> str:
    try:
        return from_base64(given, "bytes_value").decode()
    except UnicodeDecodeError as error:
        raise wrong_value(
            "`bytes_value`: found bytes that are not UTF-8 text; secrets have to be text here."
        ) from error


class _Owner(NamedTuple):
    """The owner of the secrets."""

    state: State
