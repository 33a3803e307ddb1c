"""Lists of compute, and of resources that a bundle may look up by name: here, there is only one warehouse.

Nobody needs a cluster or a warehouse here, but clients ask for the id of one. All other lists are empty, so that a
client reports that the name does not exist.

Source: CLI 1.14, `bundle/config/variable/resolve_*.go`, for the lists that clients request.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from starlette.routing import BaseRoute

from lakelocal.workspace.endpoints import Asked, endpoint
from lakelocal.workspace.errors import not_there
from lakelocal.workspace.workspace import Workspace

WAREHOUSE_NAME = "Serverless Starter Warehouse"  # the one that every new workspace has
_EMPTY = (
    "/api/2.0/alerts",
    "/api/2.0/clusters/list",
    "/api/2.0/instance-pools/list",
    "/api/2.0/lakeview/dashboards",
    "/api/2.0/notification-destinations",
    "/api/2.0/policies/clusters/list",
    "/api/2.0/preview/scim/v2/Groups",
    "/api/2.0/preview/scim/v2/ServicePrincipals",
    "/api/2.0/repos",
    "/api/2.0/serving-endpoints",
    "/api/2.0/sql/alerts",
    "/api/2.0/sql/queries",
    "/api/2.1/clusters/list",
)


class WarehouseId(Asked):
    """A warehouse."""

    id: str


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        *(endpoint("GET", path, Asked, _nothing) for path in _EMPTY),
        endpoint("GET", "/api/2.0/sql/warehouses", Asked, warehouses),
        endpoint("GET", "/api/2.0/sql/warehouses/{id}", WarehouseId, warehouse),
        endpoint("POST", "/api/2.0/sql/warehouses/{id}/start", WarehouseId, start),
    ]


def _nothing(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """Return an empty list: there are no such resources here."""
    return {}


def warehouses(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """List the warehouses: there is one on this machine."""
    return {"warehouses": [_told(workspace)]}


def warehouse(workspace: Workspace, asked: WarehouseId) -> Mapping[str, Any]:
    """Describe a warehouse."""
    if asked.id != warehouse_id(workspace):
        raise not_there(f"SQL warehouse {asked.id[:100]} does not exist; there is {warehouse_id(workspace)}.")
    return _told(workspace)


def start(workspace: Workspace, asked: WarehouseId) -> Mapping[str, Any]:
    """Do nothing: the Spark server of a catalog starts with the first statement."""
    warehouse(workspace, asked)
    return {}


def warehouse_id(workspace: Workspace) -> str:
    """The id of the warehouse, 16 hexadecimal digits as on Databricks."""
    return hashlib.sha256(f"warehouse {workspace.id}".encode()).hexdigest()[:16]


def _told(workspace: Workspace) -> Mapping[str, Any]:
    return {
        "id": warehouse_id(workspace),
        "name": WAREHOUSE_NAME,
        "state": "RUNNING",
        "cluster_size": "2X-Small",
        "warehouse_type": "PRO",
        "enable_serverless_compute": True,
        "min_num_clusters": 1,
        "max_num_clusters": 1,
        "num_clusters": 1,
        "creator_name": workspace.user,
    }
