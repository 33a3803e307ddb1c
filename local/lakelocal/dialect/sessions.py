"""The current catalog and schema of each session, as the user knows them."""

from dataclasses import dataclass, field

from lakelocal.catalogs import DEFAULT_SCHEMA, Catalogs, unmapped


@dataclass(frozen=True)
class Namespace:
    """A schema of a catalog."""

    catalog: str
    schema: str = DEFAULT_SCHEMA


@dataclass
class Sessions:
    """The current catalogs and schemas of the sessions of one process; a session begins in the run's catalog."""

    catalogs: Catalogs
    places: dict[str, Namespace] = field(default_factory=dict)

    def at(self, session: str) -> Namespace:
        return self.places.get(session) or Namespace(self.catalogs.own)

    def schema(self, session: str) -> str:
        """The current schema of *session* in the metastore; "" if it has never been changed."""
        place = self.places.get(session)
        return self.catalogs.schema(place.catalog, place.schema) if place else ""

    def enter(self, session: str, schema: str) -> None:
        """Make *schema* of the metastore the current one of *session*."""
        self.move(session, Namespace(*(unmapped(schema) or (self.catalogs.own, schema))))

    def move(self, session: str, place: Namespace) -> None:
        self.places[session] = place
