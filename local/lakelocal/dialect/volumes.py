"""Volumes and their paths: the folder `<state>/volumes/<schema>/<volume>` is the volume and the only record of it."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from lakelocal.errors import DialectError, PathError
from lakelocal.paths import DatabricksPaths

# What java.net.URI leaves as it is in a path; `_metadata.file_path` shows all else as %XX.
_LEGAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-!.~'()*,;:$&+=/@")


@dataclass(frozen=True)
class Volumes:
    """The volumes of one catalog."""

    paths: DatabricksPaths

    @property
    def catalog(self) -> str:
        return self.paths.state.catalog

    def translate(self, path: str) -> str:
        """*path* on this machine, *path* itself where it is not Databricks' own.

        Raises:
            PathError: the volume does not exist, or the path is outside of this catalog's.
        """
        if not self.paths.is_databricks(path):
            return path
        place = self.paths.to_local(path)
        self._check_volume(path, place)
        return str(place)

    def _check_volume(self, path: str, place: Path) -> None:
        root = self.paths.state.volumes
        if not place.is_relative_to(root):
            return
        names = place.relative_to(root).parts
        if len(names) < 2:
            raise PathError(
                f"`{path}`: found no volume in it; expected `/Volumes/{self.catalog}/<schema>/<volume>/...`. "
                "Name the schema and the volume."
            )
        if not (root / names[0] / names[1]).is_dir():
            raise PathError(
                f"Volume path not found: {path} (the volume `{names[0]}.{names[1]}` of the catalog "
                f"`{self.catalog}` does not exist). Create it first: CREATE VOLUME {names[0]}.{names[1]}."
            )

    def folder(self, schema: str, volume: str) -> Path:
        return self.paths.to_local(f"/Volumes/{self.catalog}/{schema}/{volume}")

    def create(self, schema: str, volume: str, *, if_not_exists: bool) -> None:
        """Make the volume, on a file system: its folder. The schema is there."""
        folder = self.folder(schema, volume)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(exist_ok=if_not_exists)
        except FileExistsError:
            raise DialectError(
                f"CREATE VOLUME {schema}.{volume}: the volume exists. Write CREATE VOLUME IF NOT EXISTS."
            ) from None

    def drop(self, schema: str, volume: str, *, if_exists: bool) -> None:
        """Remove the volume with the files in it, as Databricks does with a managed one."""
        folder = self.folder(schema, volume)
        if folder.is_dir():
            shutil.rmtree(folder)
        elif not if_exists:
            raise DialectError(
                f"DROP VOLUME {schema}.{volume}: the volume does not exist. Write DROP VOLUME IF EXISTS."
            )

    def existing(self, schema: str | None = None) -> list[tuple[str, str]]:
        """(schema, volume) of each volume, sorted; only those of *schema* if given."""
        root = self.paths.state.volumes
        found = sorted(place.relative_to(root).parts for place in root.glob("*/*") if place.is_dir())
        return [(s, v) for s, v in found if schema is None or s.lower() == schema.lower()]

    def uri_prefixes(self) -> list[tuple[str, str]]:
        """(what Spark puts before a path of ours, what Databricks puts there), for `_metadata.file_path`."""
        state = self.paths.state
        folders = ((state.volumes, f"/Volumes/{state.catalog}/"), (state.dbfs, "dbfs:/"))
        return [(root + path_part(folder) + "/", name) for folder, name in folders for root in ("file://", "file:")]


def path_part(place: Path) -> str:
    """*place* as in a URI of Spark, which puts `file:` before it, or `file://` for `input_file_name()`."""
    return "".join(
        c if c in _LEGAL or ord(c) > 127 else "".join(f"%{byte:02X}" for byte in c.encode()) for c in str(place)
    )


def uri_file(uri: str) -> Path:
    """The place that a `file:` URI, as Spark writes them, names."""
    return Path("/" + unquote(uri.removeprefix("file:").lstrip("/")))
