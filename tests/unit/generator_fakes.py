"""A volume in a local folder, with as much of `dbutils.fs` as the generator uses."""

import shutil
from pathlib import Path
from types import SimpleNamespace


class FakeFileSystem:
    """`dbutils.fs` over a folder: `/Volumes/...` is in *folder*, `file:/...` is this machine.

    With `moves_left` set, the process "dies" before that many files have been moved: `Killed` is raised.
    """

    class Killed(Exception):
        """Stands for a process that was killed."""

    class FileNotFoundException(Exception):
        """Raised for a missing path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.moves_left: int | None = None

    def place(self, path: str) -> Path:
        """The local path of *path*."""
        if path.startswith("file:"):
            return Path(path.removeprefix("file:"))
        if not path.startswith("/Volumes/"):
            raise ValueError(f"{path} is neither a volume's path nor a file's")
        return self.folder / path.removeprefix("/Volumes/")

    def ls(self, path: str) -> list[SimpleNamespace]:
        """Entries of a folder; a folder's name ends with a slash."""
        place = self.place(path)
        if not place.exists():
            raise self.FileNotFoundException(path)
        return [
            SimpleNamespace(
                name=entry.name + ("/" if entry.is_dir() else ""), size=entry.stat().st_size if entry.is_file() else 0
            )
            for entry in sorted(place.iterdir())
        ]

    def head(self, path: str, size: int = 65536) -> str:
        """The first *size* bytes as text."""
        return self.place(path).read_bytes()[:size].decode("utf-8", "replace")

    def put(self, path: str, contents: str, overwrite: bool = False) -> bool:
        """Write a text."""
        self.place(path).write_bytes(contents.encode("utf-8"))
        return True

    def mkdirs(self, path: str) -> bool:
        """Create a folder."""
        self.place(path).mkdir(parents=True, exist_ok=True)
        return True

    def cp(self, source: str, target: str) -> bool:
        """Copy a file."""
        shutil.copyfile(self.place(source), self.place(target))
        return True

    def mv(self, source: str, target: str) -> bool:
        """Move a file, or die before it."""
        if self.moves_left is not None:
            if self.moves_left == 0:
                raise self.Killed
            self.moves_left -= 1
        self.place(source).rename(self.place(target))
        return True

    def rm(self, path: str, recurse: bool = False) -> bool:
        """Remove a folder."""
        shutil.rmtree(self.place(path))
        return True


class FakeDbutils:
    """A `dbutils` that only has files, with the volume `raw.olist` of *catalog* in *folder*."""

    def __init__(self, folder: Path, catalog: str = "olist_dev") -> None:
        self.fs = FakeFileSystem(folder)
        self.root = folder / catalog / "raw" / "olist"
        self.root.mkdir(parents=True)

    def files(self) -> dict[str, bytes]:
        """Path below the volume -> content, of all files."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }
