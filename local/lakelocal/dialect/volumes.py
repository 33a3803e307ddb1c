"""Volumes and their paths: the folder `<volumes of a catalog>/<schema>/<volume>` is the volume, its only record."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from lakelocal.catalogs import Catalogs
from lakelocal.errors import DialectError, PathError
from lakelocal.paths import DatabricksPaths
from lakelocal.sample_files import make_sample_files

# Options of readers and writers whose values are paths, in lower case.
PATH_OPTIONS = frozenset(
    {"path", "basepath", "badrecordspath", "checkpointlocation", "rowvalidationxsdpath", "schematrackinglocation"}
)
# What java.net.URI leaves as it is in a path; `_metadata.file_path` shows all else as %XX.
_LEGAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-!.~'()*,;:$&+=/@")


@dataclass(frozen=True)
class Volumes:
    """The volumes of all catalogs of a state."""

    paths: DatabricksPaths

    @property
    def catalogs(self) -> Catalogs:
        return self.paths.catalogs

    def translate(self, path: str, *, writes: bool = False) -> str:
        """*path* on this machine, *path* itself where it is not Databricks' own; *writes*: something is written there.

        Raises:
            PathError: the volume does not exist, or the path is outside of this catalog's.
        """
        path = self.paths.of_spark(path)
        if writes:
            self.paths.refuse_bundle_file(path)
        if not self.paths.is_databricks(path):
            return path
        place = self.paths.to_local(path)
        make_sample_files(place, self.paths.sample_files)
        self._check_volume(path, place)
        return str(place)

    def _check_volume(self, path: str, place: Path) -> None:
        names = self.paths.in_volumes(place)
        if names is None:
            return
        if len(names) < 3:
            raise PathError(
                f"`{path}`: found no volume in it; expected `/Volumes/{names[0]}/<schema>/<volume>/...`. "
                "Name the schema and the volume."
            )
        catalog, schema, volume = names[:3]
        if not (self.catalogs.volumes(catalog) / schema / volume).is_dir():
            named = f"{schema}.{volume}" if self.catalogs.is_own(catalog) else f"{catalog}.{schema}.{volume}"
            raise PathError(
                f"Volume path not found: {path} (the volume `{schema}.{volume}` of the catalog `{catalog}` does not "
                f"exist). Create it first: CREATE VOLUME {named}."
            )

    def create(self, volume: "VolumeName", *, if_not_exists: bool) -> None:
        """Make *volume*, on a file system: its folder. The schema is there."""
        folder = self._folder(volume)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(exist_ok=if_not_exists)
        except FileExistsError:
            raise DialectError(
                f"CREATE VOLUME {volume}: the volume exists. Write CREATE VOLUME IF NOT EXISTS."
            ) from None

    def rename(self, volume: "VolumeName", new: "VolumeName") -> None:
        """Give *volume*, with the files in it, the name *new* in its schema."""
        old_folder, new_folder = self._folder(volume), self._folder(new)
        if not old_folder.is_dir():
            raise DialectError(f"ALTER VOLUME {volume}: the volume does not exist. See SHOW VOLUMES.")
        if new_folder.exists() or old_folder.parent != new_folder.parent:
            raise DialectError(f"ALTER VOLUME {volume}: expected a new name in the same schema; found `{new}`.")
        old_folder.rename(new_folder)

    def drop(self, volume: "VolumeName", *, if_exists: bool) -> None:
        """Remove *volume* with the files in it, as Databricks does with a managed one."""
        folder = self._folder(volume)
        if folder.is_dir():
            shutil.rmtree(folder)
        elif not if_exists:
            raise DialectError(f"DROP VOLUME {volume}: the volume does not exist. Write DROP VOLUME IF EXISTS.")

    def existing(self, catalog: str, schema: str | None = None) -> list[tuple[str, str]]:
        """(schema, volume) of each volume of *catalog*, sorted; only those of *schema* if given."""
        root = self.catalogs.volumes(catalog)
        found = sorted(place.relative_to(root).parts for place in root.glob("*/*") if place.is_dir())
        return [(s, v) for s, v in found if schema is None or s.lower() == schema.lower()]

    def _folder(self, name: "VolumeName") -> Path:
        return self.paths.to_local(name.path)

    def uri_prefixes(self) -> list[tuple[str, str]]:
        """(what Spark puts before a path of ours, what Databricks puts there), for `_metadata.file_path`."""
        return [
            (root + path_part(folder) + "/", f"{name}/")
            for folder, name in self.paths.roots()
            for root in ("file://", "file:")
        ]


@dataclass(frozen=True)
class VolumeName:
    """The whole name of a volume."""

    catalog: str
    schema: str
    volume: str

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.volume}"

    @property
    def path(self) -> str:
        return f"/Volumes/{self.catalog}/{self.schema}/{self.volume}"


def path_part(place: Path) -> str:
    """*place* as in a URI of Spark, which puts `file:` before it, or `file://` for `input_file_name()`."""
    return "".join(
        c if c in _LEGAL or ord(c) > 127 else "".join(f"%{byte:02X}" for byte in c.encode()) for c in str(place)
    )


def uri_file(uri: str) -> Path:
    """The place that a `file:` URI, as Spark writes them, names."""
    return Path("/" + unquote(uri.removeprefix("file:").lstrip("/")))
