"""Where each session is: its current catalog and schema, as the user knows them."""

from dataclasses import dataclass, field

from lakelocal.catalogs import DEFAULT_SCHEMA, Catalogs, unmapped


@dataclass(frozen=True)
class Place:
    """A schema of a catalog."""

    catalog: str
    schema: str = DEFAULT_SCHEMA


@dataclass
class Sessions:
    """The places of the sessions of one process; a session begins in the run's catalog."""

    catalogs: Catalogs
    places: dict[str, Place] = field(default_factory=dict)

    def at(self, session: str) -> Place:
        return self.places.get(session) or Place(self.catalogs.own)

    def schema(self, session: str) -> str:
        """The schema of the metastore that *session* is in; "" for one that has not moved."""
        place = self.places.get(session)
        return self.catalogs.schema(place.catalog, place.schema) if place else ""

    def enter(self, session: str, schema: str) -> None:
        """Let *session* be in *schema* of the metastore."""
        self.move(session, Place(*(unmapped(schema) or (self.catalogs.own, schema))))

    def move(self, session: str, place: Place) -> None:
        self.places[session] = place
