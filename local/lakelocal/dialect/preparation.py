"""Creates what must exist before a request that names it is sent; requests within the run's catalog need nothing."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from lakelocal.catalogs import DEFAULT_SCHEMA, INFORMATION_SCHEMA, SAMPLES, mapped
from lakelocal.dialect import server as ask
from lakelocal.dialect.names import Needed
from lakelocal.dialect.server import Server
from lakelocal.dialect.volumes import Volumes
from lakelocal.errors import ServerError
from lakelocal.locks import locked

_TIMEOUT = 120  # seconds that another process may take to generate sample data, or to describe a catalog


@dataclass
class Preparation:
    """Creates what requests need; *ready* remembers what this process knows to exist, and since when."""

    volumes: Volumes
    ready: dict[Needed, int] = field(default_factory=dict)

    def make(self, needed: list[Needed], server: Server) -> None:
        """Create everything in *needed* that does not exist yet.

        Raises:
            DialectError: there is no such sample data, or no such relation of an information schema.
        """
        for each in needed:
            if each.schema == INFORMATION_SCHEMA:
                self._describe(each, server)  # always, since its contents change
            elif self.ready.get(each) != self._changed(each.catalog):
                self._make(each, server)
                self.ready[each] = self._changed(each.catalog)

    def _changed(self, catalog: str) -> int:
        """When the folder of *catalog* was last changed, in ns; dropping and creating a catalog again changes it."""
        folder = self.volumes.catalogs.folder(catalog)
        return folder.stat().st_mtime_ns if folder.is_dir() else 0

    def _make(self, needed: Needed, server: Server) -> None:
        if needed.schema == DEFAULT_SCHEMA:  # every catalog has one
            name = mapped(needed.catalog, DEFAULT_SCHEMA)
            if not ask.has_schema(server, name):
                ask.run(server, f"CREATE SCHEMA IF NOT EXISTS {name}")
        if needed.catalog == SAMPLES and not self.volumes.catalogs.is_own(SAMPLES):
            self._make_samples(needed, server)

    def _describe(self, needed: Needed, server: Server) -> None:
        from lakelocal.dialect.metadata import make_information_schema  # imported late: most runs do not need it
        from lakelocal.dialect.samples import SCHEMAS

        if needed.catalog == SAMPLES:
            for schema in SCHEMAS:
                self._make_samples(Needed(SAMPLES, schema), server)
        with self._alone(needed.catalog):
            make_information_schema(self.volumes, needed.catalog, needed.table, server)

    def _make_samples(self, needed: Needed, server: Server) -> None:
        from lakelocal.dialect.samples import make_samples  # imported late: most runs read no samples

        with self._alone(SAMPLES):
            make_samples(None if needed.schema == DEFAULT_SCHEMA else needed.schema, needed.table, server)

    def _alone(self, catalog: str) -> AbstractContextManager[None]:
        """Keep other processes from preparing anything in *catalog*."""
        folder = self.volumes.catalogs.folder(catalog)
        folder.mkdir(parents=True, exist_ok=True)
        waited = ServerError(f"`{folder}`: another process has been preparing tables for {_TIMEOUT} s. Try again.")
        return locked(folder / "preparing.lock", _TIMEOUT, waited)
