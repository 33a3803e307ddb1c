"""The workspace and its user: what every client looks up before its first call, and the telemetry that it sends.

Source: Databricks SDK 0.162, `HostMetadata`; CLI 1.14, `libs/telemetry`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.routing import BaseRoute

from lakelocal.bundle.workspace import current_user
from lakelocal.workspace.access import WELL_KNOWN
from lakelocal.workspace.endpoints import Asked, endpoint
from lakelocal.workspace.workspace import Workspace


class Telemetry(Asked):
    """Usage data, which is not used here."""

    protoLogs: Sequence[Any] = ()


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        endpoint("GET", WELL_KNOWN, Asked, host_metadata),
        endpoint("GET", "/api/2.0/preview/scim/v2/Me", Asked, me),
        endpoint("POST", "/telemetry-ext", Telemetry, telemetry),
    ]


def host_metadata(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """Describe the workspace, without a token. Nothing is at `oidc_endpoint`; clients with a token do not call it."""
    return {"oidc_endpoint": f"{workspace.url}/oidc", "workspace_id": workspace.id}


def me(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """Describe the user, in the format of SCIM."""
    user = current_user()
    return {
        "id": user["id"],
        "userName": user["userName"],
        "displayName": user["displayName"],
        "active": True,
        "emails": [{"value": user["userName"], "type": "work", "primary": True}],
        "groups": [{"display": "admins", "type": "direct", "value": "0"}],
    }


def telemetry(workspace: Workspace, asked: Telemetry) -> Mapping[str, Any]:
    """Accept usage data, so that it is not sent again, and drop it."""
    return {"errors": [], "numProtoSuccess": len(asked.protoLogs)}
