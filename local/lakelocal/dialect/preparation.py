"""What has to be there before a request that names it is sent; nothing where it stays in the run's catalog."""

from dataclasses import dataclass, field

from lakelocal.catalogs import DEFAULT_SCHEMA, SAMPLES, Catalogs, mapped
from lakelocal.dialect import server as ask
from lakelocal.dialect.names import Needed
from lakelocal.dialect.server import Server
from lakelocal.errors import ServerError
from lakelocal.locks import locked

_PATIENCE = 120  # seconds that another process may take to generate sample data


@dataclass
class Preparation:
    """Makes what requests need; *ready* remembers what this process has seen to be there."""

    catalogs: Catalogs
    ready: set[Needed] = field(default_factory=set)

    def make(self, needed: list[Needed], server: Server) -> None:
        """Make what of *needed* is not there yet.

        Raises:
            DialectError: there are no such sample data.
        """
        for each in needed:
            if each not in self.ready:
                self._make(each, server)
                self.ready.add(each)

    def _make(self, needed: Needed, server: Server) -> None:
        if needed.schema == DEFAULT_SCHEMA:  # every catalog has one
            name = mapped(needed.catalog, DEFAULT_SCHEMA)
            if not ask.has_schema(server, name):
                ask.run(server, f"CREATE SCHEMA IF NOT EXISTS {name}")
        if needed.catalog == SAMPLES and not self.catalogs.is_own(SAMPLES):
            self._make_samples(needed, server)

    def _make_samples(self, needed: Needed, server: Server) -> None:
        from lakelocal.dialect.samples import make_samples  # most runs read none

        folder = self.catalogs.folder(SAMPLES)
        folder.mkdir(parents=True, exist_ok=True)
        waited = ServerError(f"`{folder}`: another process generates sample data for {_PATIENCE} s. Try again.")
        with locked(folder / "samples.lock", _PATIENCE, waited):
            make_samples(None if needed.schema == DEFAULT_SCHEMA else needed.schema, needed.table, server)
