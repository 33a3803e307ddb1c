"""Unity Catalog's API: catalogs, schemas, volumes, tables, and who was granted what.

Grants are kept and told again, and not enforced: everything here belongs to one user.

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
    """A page of a list; 0 is the page of the server's size."""

    max_results: int = 0
    page_token: str = ""


class InCatalog(Page):
    """What is in a catalog."""

    catalog_name: str


class InSchema(InCatalog):
    """What is in a schema."""

    schema_name: str


class Name(Asked):
    """A securable by its full name; *force* removes what is in it too."""

    full_name: str
    force: bool = False


class Said(Asked):
    """What a client says of a securable and reads again."""

    comment: str | None = None
    owner: str | None = None
    properties: Mapping[str, str] | None = None
    options: Mapping[str, str] | None = None
    storage_root: str | None = None

    def said(self) -> dict[str, Any]:
        """All of it, without what was not said."""
        return self.model_dump(exclude_none=True)


class NewCatalog(Said):
    """A catalog to be made; one of another system has a connection or a share, which there is not here."""

    name: str
    connection_name: str | None = None
    share_name: str | None = None


class NewSchema(Said):
    """A schema to be made."""

    name: str
    catalog_name: str


class NewVolume(Said):
    """A volume to be made."""

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
    """What one principal gets and loses."""

    principal: str
    add: Sequence[str] = ()
    remove: Sequence[str] = ()


class GrantChanges(Securable):
    """What several principals get and lose."""

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
    """The one metastore."""
    return {"metastore_id": _metastore_id(workspace), "name": "local", "owner": workspace.user, "cloud": "local"}


def metastores(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """The same, as a list."""
    return {"metastores": [metastore(workspace, asked)]}


def metastore_assignment(workspace: Workspace, asked: Asked) -> Mapping[str, Any]:
    """Which metastore the workspace has, and which catalog a session begins in."""
    catalog = workspace.catalogs.default().catalog
    return {
        "metastore_id": _metastore_id(workspace),
        "workspace_id": int(workspace.id),
        "default_catalog_name": catalog,
    }


def catalogs(workspace: Workspace, asked: Page) -> Mapping[str, Any]:
    """All catalogs."""
    return _page("catalogs", workspace.securables.catalogs(), asked)


def catalog(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """One catalog."""
    return workspace.securables.catalog(asked.full_name)


def create_catalog(workspace: Workspace, asked: NewCatalog) -> Mapping[str, Any]:
    """Make a catalog, with a state and a Spark server of its own."""
    if asked.connection_name or asked.share_name:
        raise wrong_value(f"Catalog '{asked.name}': there are no connections and no shares here. Make a plain catalog.")
    if asked.storage_root:
        raise wrong_value("`storage_root`: there is no other storage here than the state. Leave it out.")
    return workspace.securables.create_catalog(asked.name, asked.said())


def update_catalog(workspace: Workspace, asked: Change) -> Mapping[str, Any]:
    """Say something else of a catalog."""
    if asked.new_name and asked.new_name.lower() != asked.full_name.lower():
        raise wrong_value("`new_name`: a catalog cannot be renamed here. Make a new one.")
    return workspace.securables.update_catalog(asked.full_name, asked.said())


def delete_catalog(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Remove a catalog."""
    workspace.securables.delete_catalog(asked.full_name, force=asked.force)
    return {}


def schemas(workspace: Workspace, asked: InCatalog) -> Mapping[str, Any]:
    """The schemas of a catalog."""
    return _page("schemas", workspace.securables.schemas(asked.catalog_name), asked)


def schema(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """One schema."""
    return workspace.securables.schema(asked.full_name)


def create_schema(workspace: Workspace, asked: NewSchema) -> Mapping[str, Any]:
    """Make a schema."""
    return workspace.securables.create_schema(asked.catalog_name, asked.name, asked.said())


def update_schema(workspace: Workspace, asked: Change) -> Mapping[str, Any]:
    """Say something else of a schema."""
    return workspace.securables.update_schema(asked.full_name, asked.said())


def delete_schema(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Remove a schema."""
    workspace.securables.delete_schema(asked.full_name, force=asked.force)
    return {}


def volumes(workspace: Workspace, asked: InSchema) -> Mapping[str, Any]:
    """The volumes of a schema."""
    return _page("volumes", workspace.securables.volumes(asked.catalog_name, asked.schema_name), asked)


def volume(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """One volume."""
    return workspace.securables.volume(asked.full_name)


def create_volume(workspace: Workspace, asked: NewVolume) -> Mapping[str, Any]:
    """Make a volume."""
    return workspace.securables.create_volume(asked.catalog_name, asked.schema_name, asked.name, asked.said())


def update_volume(workspace: Workspace, asked: Change) -> Mapping[str, Any]:
    """Rename a volume, or say something else of it."""
    return workspace.securables.update_volume(asked.full_name, asked.said())


def delete_volume(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Remove a volume with its files."""
    workspace.securables.delete_volume(asked.full_name)
    return {}


def tables(workspace: Workspace, asked: InSchema) -> Mapping[str, Any]:
    """The tables and views of a schema, with their columns."""
    return _page("tables", workspace.securables.tables(asked.catalog_name, asked.schema_name), asked)


def table(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """One table or view, with its columns."""
    return workspace.securables.table(asked.full_name)


def table_exists(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Say whether there is such a table."""
    return {"table_exists": workspace.securables.has_table(asked.full_name)}


def delete_table(workspace: Workspace, asked: Name) -> Mapping[str, Any]:
    """Remove a table or a view."""
    workspace.securables.delete_table(asked.full_name)
    return {}


def grants(workspace: Workspace, asked: Securable) -> Mapping[str, Any]:
    """Who was granted what."""
    kept = workspace.records.get(_GRANTS, _key(asked))
    return _assignments(kept, lambda principal, held: {"principal": principal, "privileges": held})


def effective_grants(workspace: Workspace, asked: Securable) -> Mapping[str, Any]:
    """The same, as nothing is inherited here."""
    kept = workspace.records.get(_GRANTS, _key(asked))
    return _assignments(
        kept, lambda principal, held: {"principal": principal, "privileges": [{"privilege": each} for each in held]}
    )


def change_grants(workspace: Workspace, asked: GrantChanges) -> Mapping[str, Any]:
    """Grant and revoke."""
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
