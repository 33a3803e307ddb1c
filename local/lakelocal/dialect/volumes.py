"""Volumes and their paths: a volume is nothing but the folder `<volumes of a catalog>/<schema>/<volume>`."""

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
# The characters that java.net.URI leaves as they are in a path; `_metadata.file_path` shows all others as %XX.
_LEGAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-!.~'()*,;:$&+=/@")


@dataclass(frozen=True)
class Volumes:
    """The volumes of all catalogs of a state."""

    paths: DatabricksPaths

    @property
    def catalogs(self) -> Catalogs:
        return self.paths.catalogs

    def translate(self, path: str, *, writes: bool = False) -> str:
        """*path* on this machine, or *path* itself if it is not one of Databricks; *writes*: it is written to.

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
                f"`{path}`: found no volume in the path; expected `/Volumes/{names[0]}/<schema>/<volume>/...`. "
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
        """Create *volume*, which is its folder; the schema exists."""
        folder = self._folder(volume)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(exist_ok=if_not_exists)
        except FileExistsError:
            raise DialectError(
                f"CREATE VOLUME {volume}: the volume exists. Write CREATE VOLUME IF NOT EXISTS."
            ) from None

    def rename(self, volume: "VolumeName", new: "VolumeName") -> None:
        """Rename *volume*, with the files in it, to *new* in the same schema."""
        old_folder, new_folder = self._folder(volume), self._folder(new)
        if not old_folder.is_dir():
            raise DialectError(f"ALTER VOLUME {volume}: the volume does not exist. See SHOW VOLUMES.")
        if new_folder.exists() or old_folder.parent != new_folder.parent:
            raise DialectError(f"ALTER VOLUME {volume}: found `{new}`; expected a new name in the same schema.")
        old_folder.rename(new_folder)

    def drop(self, volume: "VolumeName", *, if_exists: bool) -> None:
        """Remove *volume* with the files in it, as Databricks does with a managed volume."""
        folder = self._folder(volume)
        if folder.is_dir():
            shutil.rmtree(folder)
        elif not if_exists:
            raise DialectError(f"DROP VOLUME {volume}: the volume does not exist. Write DROP VOLUME IF EXISTS.")

    def existing(self, catalog: str, schema: str | None = None) -> list[tuple[str, str]]:
        """The schema and name of each volume in *catalog*, sorted; only those in *schema* if it is given."""
        root = self.catalogs.volumes(catalog)
        found = sorted(place.relative_to(root).parts for place in root.glob("*/*") if place.is_dir())
        return [(s, v) for s, v in found if schema is None or s.lower() == schema.lower()]

    def _folder(self, name: "VolumeName") -> Path:
        return self.paths.to_local(name.path)

    def uri_prefixes(self) -> list[tuple[str, str]]:
        """Pairs of the prefix of a path in Spark and that of the same path in Databricks, for `_metadata.file_path`."""
        return [
            (root + path_part(folder) + "/", f"{name}/")
            for folder, name in self.paths.roots()
            for root in ("file://", "file:")
        ]


@dataclass(frozen=True)
class VolumeName:
    """The full name of a volume."""

    catalog: str
    schema: str
    volume: str

    def __str__(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.volume}"

    @property
    def path(self) -> str:
        return f"/Volumes/{self.catalog}/{self.schema}/{self.volume}"


def path_part(place: Path) -> str:
    """*place* as in Spark's URIs, which begin with `file:`, or `file://` in `input_file_name()`."""
    return "".join(
        c if c in _LEGAL or ord(c) > 127 else "".join(f"%{byte:02X}" for byte in c.encode()) for c in str(place)
    )


def uri_file(uri: str) -> Path:
    """The path that a `file:` URI of Spark names."""
    return Path("/" + unquote(uri.removeprefix("file:").lstrip("/")))
