"""Finds the state that contains a catalog: the catalog's own, or the state of another catalog that contains it too.

A deployed job runs in the state of its catalog (see `deployed`), and clients should see the tables and the files of
that state. `main` and `hive_metastore` always exist, as in a workspace; their states are created on first use.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lakelocal.bundle import load_settings
from lakelocal.catalogs import ALWAYS, SAMPLES, SYSTEM, Catalogs
from lakelocal.errors import LocalError
from lakelocal.project import CATALOG_NAME, Project, State
from lakelocal.workspace.errors import ApiError, wrong_value

_MAIN = "main"
_OWN = tuple(name for name in ALWAYS if name not in (SAMPLES, SYSTEM))


@dataclass(frozen=True)
class CatalogStates:
    """The states of *project*."""

    project: Project

    def states(self) -> Iterator[State]:
        """The states that runs or clients have made, by the names of their catalogs."""
        folders = sorted(self.project.states.glob("*/warehouse"))
        return (
            self.project.state(folder.parent.name) for folder in folders if CATALOG_NAME.fullmatch(folder.parent.name)
        )

    def names(self) -> list[str]:
        """The names of all catalogs, sorted."""
        found = set(ALWAYS)
        for state in self.states():
            found |= {state.catalog, *(name for name in Catalogs(state).names() if name not in ALWAYS)}
        return sorted(found)

    def find(self, catalog: str) -> State | None:
        """The state of *catalog*, whose case does not matter; None if there is no such catalog."""
        states = list(self.states())
        for state in states:
            if Catalogs(state).is_own(catalog):
                return state
        for state in states:
            if CATALOG_NAME.fullmatch(catalog) and Catalogs(state).folder(catalog).is_dir():
                return state
        if catalog.lower() in _OWN:
            return self.project.state(catalog.lower())
        return None

    def get(self, catalog: str) -> State:
        """The state of *catalog*.

        Raises:
            ApiError: the catalog does not exist, or it is one without a state, such as `samples`.
        """
        if catalog.lower() in (SAMPLES, SYSTEM):
            raise wrong_value(f"Catalog '{catalog}' can only be read by SQL here.")
        found = self.find(catalog)
        if found is None:
            text = f"Catalog '{catalog}' does not exist. Its first run makes it, and so does `catalogs create`."
            raise ApiError("CATALOG_DOES_NOT_EXIST", text, 404)
        return found

    def default(self) -> State:
        """The state of the catalog for clients that do not name one.

        It is the catalog of the default target of the bundle in which the server was started, as for `sql`, or `main`
        if that bundle cannot be read.
        """
        try:
            return self.project.state(load_settings(self.project).catalog)
        except LocalError:
            return self.project.state(_MAIN)

    def make(self, catalog: str) -> State:
        """Create the state of a new *catalog*.

        Raises:
            ApiError: the catalog exists already, or the name is not valid.
        """
        if not CATALOG_NAME.fullmatch(catalog):
            raise wrong_value(f"Catalog '{catalog}': expected letters, digits, `_` and `-` in its name.")
        if catalog.lower() in ALWAYS or self.find(catalog):
            raise ApiError("CATALOG_ALREADY_EXISTS", f"Catalog '{catalog}' already exists.", 400)
        return self.project.state(catalog.lower()).make()
