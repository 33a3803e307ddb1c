"""The routines of a state: `<state>/routines/<catalog>/<schema>/<name>.<kind>.sql` is the statement that made each."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from lakelocal.dialect.sessions import Namespace
from lakelocal.project import State

PROCEDURE, FUNCTION = "procedure", "function"


@dataclass(frozen=True)
class RoutineName:
    """The full name of a routine, which is case-insensitive."""

    catalog: str
    schema: str
    name: str

    @classmethod
    def of(cls, parts: Sequence[str], place: Namespace) -> "RoutineName":
        """The name with one to three *parts*, completed by the current catalog and schema, *place*."""
        missing = [place.catalog, place.schema][: 3 - len(parts)]
        return cls(*[*missing, *parts][:3])

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.name}"


@dataclass(frozen=True)
class Routines:
    """The routines of *state*."""

    state: State

    def text(self, name: RoutineName, kind: str) -> str | None:
        """The statement that created the routine; None if there is no such routine."""
        place = self._place(name, kind)
        return place.read_text(encoding="utf-8") if place.is_file() else None

    def made(self, name: RoutineName, kind: str) -> float:
        """When the routine, which exists, was created, in seconds since 1970."""
        return self._place(name, kind).stat().st_mtime

    def keep(self, name: RoutineName, kind: str, text: str) -> None:
        """Store *text* as the routine, replacing an existing one."""
        place = self._place(name, kind)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def drop(self, name: RoutineName, kind: str) -> bool:
        """Remove the routine; returns whether it existed."""
        place = self._place(name, kind)
        existed = place.is_file()
        place.unlink(missing_ok=True)
        return existed

    def names(self, catalog: str, schema: str, kind: str) -> list[str]:
        """The names of the routines of a schema, sorted."""
        ending = f".{kind}.sql"
        found = self._schema(catalog, schema).glob(f"*{ending}")
        return sorted(unquote(place.name.removesuffix(ending)) for place in found)

    def drop_all(self, catalog: str, schema: str | None) -> None:
        """Remove all routines of a schema, or of the whole catalog if *schema* is None."""
        folder = self.state.routines / _file_name(catalog) if schema is None else self._schema(catalog, schema)
        shutil.rmtree(folder, ignore_errors=True)

    def _schema(self, catalog: str, schema: str) -> Path:
        return self.state.routines / _file_name(catalog) / _file_name(schema)

    def _place(self, name: RoutineName, kind: str) -> Path:
        return self._schema(name.catalog, name.schema) / f"{_file_name(name.name)}.{kind}.sql"


def _file_name(name: str) -> str:
    return quote(name.lower(), safe="").replace(".", "%2E")
