"""What has to be there before a request that names it is sent; nothing where it stays in the run's catalog."""

from dataclasses import dataclass, field

from lakelocal.catalogs import DEFAULT_SCHEMA, mapped
from lakelocal.dialect import server as ask
from lakelocal.dialect.names import Needed
from lakelocal.dialect.server import Server


@dataclass
class Preparation:
    """Makes what requests need; *ready* remembers what this process has seen to be there."""

    ready: set[Needed] = field(default_factory=set)

    def make(self, needed: list[Needed], server: Server) -> None:
        """Make what of *needed* is not there yet."""
        for each in needed:
            if each not in self.ready:
                self._make(each, server)
                self.ready.add(each)

    def _make(self, needed: Needed, server: Server) -> None:
        if needed.schema == DEFAULT_SCHEMA:  # every catalog has one
            name = mapped(needed.catalog, DEFAULT_SCHEMA)
            if not ask.has_schema(server, name):
                ask.run(server, f"CREATE SCHEMA IF NOT EXISTS {name}")
