"""Unity Catalog's API: catalogs, schemas, volumes, tables, and grants.

Grants are stored and returned, but not enforced: everything here belongs to one user.

Source: Unity Catalog API 2.1; Databricks SDK 0.162, `service/catalog.py`.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.routing import BaseRoute

from lakelocal.workspace.endpoints import Asked, endpoint
from lakelocal.workspace.errors import wrong_value
from lakelocal.workspace.paging import page_of
from lakelocal.workspace.workspace import Workspace

_API = "/api/2.1/unity-catalog"
_LARGEST_PAGE = 1000
_GRANTS = "grants"
_EVERYTHING = "ALL_PRIVILEGES"


class Page(Asked):
    """A page of a list; the size 0 stands for the server's default."""

    max_results: int = 0
    page_token: str = ""


class InCatalog(Page):
    """The objects in a catalog."""

    catalog_name: str


class InSchema(InCatalog):
    """The objects in a schema."""

    schema_name: str


class Name(Asked):
    """A securable by its full name; *force* deletes its content too."""

    full_name: str
    force: bool = False


class Said(Asked):
    """What a client sets on a securable and reads again."""

    comment: str | None = None
    owner: str | None = None
    properties: Mapping[str, str] | None = None
    options: Mapping[str, str] | None = None
    storage_root: str | None = None

    def said(self) -> dict[str, Any]:
        """The fields that the client sent."""
        return self.model_dump(exclude_none=True)


class NewCatalog(Said):
    """A catalog to be created; one of another system would have a connection or a share, which do not exist here."""

    name: str
    connection_name: str | None = None
    share_name: str | None = None


class NewSchema(Said):
    """A schema to be created."""

    name: str
    catalog_name: str


class NewVolume(Said):
    """A volume to be created."""

    name: str
    catalog_name: str
    schema_name: str
    volume_type: str = "MANAGED"
    storage_location: str | None = None


class Change(Said):
    """A securable to be changed."""

    full_name: str
    new_name: str | None = None


class Securable(Asked):
    """A securable of any type."""

    securable_type: str
    full_name: str


class GrantChange(Asked):
    """The privileges that one principal gets and loses."""

    principal: str
    add: Sequence[str] = ()
    remove: Sequence[str] = ()


class GrantChanges(Securable):
    """The privileges that several principals get and lose."""

    changes: Sequence[GrantChange] = ()


def routes() -> list[BaseRoute]:
    """The endpoints of this module."""
    return [
        endpoint("GET", f"{_API}/metastore_summary", Asked, metastore),
        endpoint("GET", f"{_API}/current-metastore-assignment", Asked, metastore_assignment),
        endpoint("GET", f"{_API}/metastores", Asked, metastores),
        endpoint("GET", f"{_API}/catalogs", Page, catalogs),
        endpoint("POST", f"{_API}/catalogs", NewCatalog, create_catalog),
        endpoint("GET", f"{_API}/catalogs/{{full_name}}", Name, catalog),
        endpoint("PATCH", f"{_API}/catalogs/{{full_name}}", Change, update_catalog),
        endpoint("DELETE", f"{_API}/catalogs/{{full_name}}", Name, delete_catalog),
        endpoint("GET", f"{_API}/schemas", InCatalog, schemas),
        endpoint("POST", f"{_API}/schemas", NewSchema, create_schema),
        endpoint("GET", f"{_API}/schemas/{{full_name}}", Name, schema),
        endpoint("PATCH", f"{_API}/schemas/{{full_name}}", Change, update_schema),
        endpoint("DELETE", f"{_API}/schemas/{{full_name}}", Name, delete_schema),
        endpoint("GET", f"{_API}/volumes", InSchema, volumes),
        endpoint("POST", f"{_API}/volumes", NewVolume, create_volume),
        endpoint("GET", f"{_API}/volumes/{{full_name}}", Name, volume),
        endpoint("PATCH", f"{_API}/volumes/{{full_name}}", Change, update_volume),
        endpoint("DELETE", f"{_API}/volumes/{{full_name}}", Name, delete_volume),
        endpoint("GET", f"{_API}/tables", InSchema, tables),
        endpoint("GET", f"{_API}/tables/{{full_name}}", Name, table),
        endpoint("GET", f"{_API}/tables/{{full_name}}/exists", Name, table_exists),
        endpoint("DELETE", f"{_API}/tables/{{full_name}}", Name, delete_table),
        endpoint("GET", f"{_API}/permissions/{{securable_type}}/{{full_name}}", Securable, grants),
        endpoint("GET", f"{_API}/effective-permissions/{{securable_type}}/{{full_name}}", Securable, effective_grants),
        endpoint("PATCH", f"{_API}/permissions/{{securable_type}}/{{full_name}}", GrantChanges, change_grants),
    ]


def metastore(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """Describe the only metastore."""
    return {"metastore_id": _metastore_id(workspace), "name": "local", "owner": workspace.user, "cloud": "local"}


def metastores(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """List the metastores: there is one."""
    return {"metastores": [metastore(workspace, asked)]}


def metastore_assignment(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """Return the metastore of the workspace, and the catalog in which a session begins."""
    catalog = workspace.catalogs.default().catalog
    return {
        "metastore_id": _metastore_id(workspace),
        "workspace_id": int(workspace.id),
        "default_catalog_name": catalog,
    }


def catalogs(workspace: Workspace, asked: Page) -> Mapping[str, Any]:
    """List the catalogs."""
    return _page("catalogs", workspace.securables.catalogs(), asked)


def catalog(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Describe a catalog."""
    return workspace.securables.catalog(asked.full_name)


def create_catalog(workspace: Workspace, asked: NewCatalog) -> Mapping[str, Any]:
    """Create a catalog, with its own state and Spark server."""
    if asked.connection_name or asked.share_name:
        raise wrong_value(
            f"Catalog '{asked.name}': there are no connections and no shares here. Create a plain catalog."
        )
    if asked.storage_root:
        raise wrong_value("`storage_root`: there is no storage here other than the state. Leave it out.")
    return workspace.securables.create_catalog(asked.name, asked.said())


def update_catalog(workspace: Workspace, asked: Change) -> Mapping[str, Any]:
    """Change the properties of a catalog."""
    if asked.new_name and asked.new_name.lower() != asked.full_name.lower():
        raise wrong_value("`new_name`: a catalog cannot be renamed here. Create a new one.")
    return workspace.securables.update_catalog(asked.full_name, asked.said())


def delete_catalog(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Delete a catalog."""
    workspace.securables.delete_catalog(asked.full_name, force=asked.force)
    return {}


def schemas(workspace: Workspace, asked: InCatalog) -> Mapping[str, Any]:
    """List the schemas of a catalog."""
    return _page("schemas", workspace.securables.schemas(asked.catalog_name), asked)


def schema(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Describe a schema."""
    return workspace.securables.schema(asked.full_name)


def create_schema(workspace: Workspace, asked: NewSchema) -> Mapping[str, Any]:
    """Create a schema."""
    return workspace.securables.create_schema(asked.catalog_name, asked.name, asked.said())


def update_schema(workspace: Workspace, asked: Change) -> Mapping[str, Any]:
    """Change the properties of a schema."""
    return workspace.securables.update_schema(asked.full_name, asked.said())


def delete_schema(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Delete a schema."""
    workspace.securables.delete_schema(asked.full_name, force=asked.force)
    return {}


def volumes(workspace: Workspace, asked: InSchema) -> Mapping[str, Any]:
    """List the volumes of a schema."""
    return _page("volumes", workspace.securables.volumes(asked.catalog_name, asked.schema_name), asked)


def volume(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Describe a volume."""
    return workspace.securables.volume(asked.full_name)


def create_volume(workspace: Workspace, asked: NewVolume) -> Mapping[str, Any]:
    """Create a volume."""
    return workspace.securables.create_volume(asked.catalog_name, asked.schema_name, asked.name, asked.said())


def update_volume(workspace: Workspace, asked: Change) -> Mapping[str, Any]:
    """Rename a volume, or change its properties."""
    return workspace.securables.update_volume(asked.full_name, asked.said())


def delete_volume(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Delete a volume with its files."""
    workspace.securables.delete_volume(asked.full_name)
    return {}


def tables(workspace: Workspace, asked: InSchema) -> Mapping[str, Any]:
    """List the tables and views of a schema, with their columns."""
    return _page("tables", workspace.securables.tables(asked.catalog_name, asked.schema_name), asked)


def table(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Describe a table or a view, with its columns."""
    return workspace.securables.table(asked.full_name)


def table_exists(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Say whether a table exists."""
    return {"table_exists": workspace.securables.has_table(asked.full_name)}


def delete_table(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Delete a table or a view."""
    workspace.securables.delete_table(asked.full_name)
    return {}


def grants(workspace: Workspace, asked: Securable) -> Mapping[str, Any]:
    """List the grants on a securable."""
    kept = workspace.records.get(_GRANTS, _key(asked))
    return _assignments(kept, lambda principal, held: {"principal": principal, "privileges": held})


def effective_grants(workspace: Workspace, asked: Securable) -> Mapping[str, Any]:
    """List the grants on a securable; nothing is inherited here."""
    kept = workspace.records.get(_GRANTS, _key(asked))
    return _assignments(
        kept, lambda principal, held: {"principal": principal, "privileges": [{"privilege": each} for each in held]}
    )


def change_grants(workspace: Workspace, asked: GrantChanges) -> Mapping[str, Any]:
    """Grant and revoke privileges on a securable."""
    for change in asked.changes:
        if both := set(change.add) & set(change.remove):
            raise wrong_value(f"Principal {change.principal}: `{min(both)}` is both added and removed. Do one of them.")

    def changed(kept: dict[str, Any]) -> dict[str, Any]:
        for change in asked.changes:
            held = set() if _EVERYTHING in change.remove else set(kept.get(change.principal, ())) - set(change.remove)
            kept[change.principal] = sorted(held | set(change.add))
        return {principal: held for principal, held in kept.items() if held}

    workspace.records.change(_GRANTS, _key(asked), changed)
    return grants(workspace, asked)


def _assignments(
    kept: Mapping[str, list[str]], shown: Callable[[str, list[str]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    found = [shown(principal, held) for principal, held in sorted(kept.items())]
    return {"privilege_assignments": found} if found else {}


def _key(asked: Securable) -> str:
    return f"{asked.securable_type}:{asked.full_name}"


def _page(name: str, found: Iterable[Mapping[str, Any]], asked: Page) -> Mapping[str, Any]:
    page, following = page_of(
        list(found), lambda each: str(each["name"]), asked.max_results, _LARGEST_PAGE, asked.page_token
    )
    return {name: page} | ({"next_page_token": following} if following else {})


def _metastore_id(workspace: Workspace) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"lakelocal:{workspace.id}"))
