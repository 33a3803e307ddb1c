"""A catalog is used, or created if it is missing; a user who may do neither is told what to ask for."""

import pytest

from lakehouse.errors import PlaceError
from lakehouse.places import open_catalog


class Workspace:
    """The `spark` of a workspace with *catalogs*, where *may_create* says whether new ones are allowed."""

    version = "any"

    def __init__(self, *catalogs: str, may_create: bool = True) -> None:
        self.catalogs = list(catalogs)
        self.may_create = may_create
        self.current = ""

    def sql(self, statement: str) -> None:
        name = statement.split("`")[1]
        if statement.startswith("CREATE CATALOG"):
            if not self.may_create:
                raise RuntimeError(
                    "[PERMISSION_DENIED] User does not have CREATE CATALOG on Metastore 'm'.\nJVM stacktrace:"
                )
            self.catalogs.append(name)
        elif name not in self.catalogs:
            raise RuntimeError(f"[NO_SUCH_CATALOG_EXCEPTION] Catalog '{name}' was not found.")
        else:
            self.current = name


def test_a_catalog_that_exists_is_used_without_any_privilege_to_create():
    """A team gets its catalog from an administrator."""
    workspace = Workspace("olist_dev", may_create=False)

    open_catalog(workspace, "olist_dev")

    assert (workspace.current, workspace.catalogs) == ("olist_dev", ["olist_dev"])


def test_a_missing_catalog_is_made():
    """The first user of a new workspace needs no other step."""
    workspace = Workspace()

    open_catalog(workspace, "olist_dev")

    assert workspace.current == "olist_dev"


def test_who_may_not_create_is_told_what_to_ask_for():
    """The reason in one line, without a stack trace, and the privileges by name."""
    with pytest.raises(PlaceError) as raised:
        open_catalog(Workspace(may_create=False), "olist")

    message = str(raised.value)
    assert raised.value.catalog == "olist"
    assert "User does not have CREATE CATALOG on Metastore 'm'." in message and "stacktrace" not in message
    assert "USE CATALOG and CREATE SCHEMA" in message
