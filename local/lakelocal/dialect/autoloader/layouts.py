"""Layouts of CSV files: the position that each column of the schema has in a file."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lakelocal.dialect.autoloader.columns import Column


@dataclass(frozen=True)
class FileLayout:
    """An order of columns that some files share.

    *positions*: for each column of the schema, its position in the file, or None if the file lacks it.
    *extras*: position and name of each column that the schema lacks. *width*: the number of the file's columns.
    """

    positions: tuple[int | None, ...]
    extras: tuple[tuple[int, str], ...]
    width: int


@dataclass(frozen=True)
class Layouts:
    """The layouts of the files that a batch may read, the most frequent first."""

    files: tuple[tuple[FileLayout, tuple[Path, ...]], ...]

    @property
    def width(self) -> int:
        return max(layout.width for layout, _ in self.files)


def layout_of(header: Sequence[str], columns: Iterable[Column], *, case_sensitive: bool) -> FileLayout:
    """Match *header* with *columns* by name."""

    def same(name: str) -> str:
        return name if case_sensitive else name.lower()

    where: dict[str, int] = {}
    for position, name in enumerate(header):
        where.setdefault(same(name), position)
    positions = tuple(where.get(same(column.name)) for column in columns)
    extras = tuple((at, name) for at, name in enumerate(header) if at not in positions)
    return FileLayout(positions, extras, len(header))


def plain_layout(columns: Sequence[Column], elsewhere: Sequence[str] = ()) -> FileLayout:
    """The layout of files without a header: all columns in their order, except those that are *elsewhere*."""
    inside = [at for at, column in enumerate(columns) if column.name not in elsewhere]
    positions = tuple(inside.index(at) if at in inside else None for at in range(len(columns)))
    return FileLayout(positions, (), len(inside))


def group(found: Iterable[tuple[Path, FileLayout]]) -> tuple[tuple[FileLayout, tuple[Path, ...]], ...]:
    """The files of each layout, the most frequent layout first."""
    files: dict[FileLayout, list[Path]] = {}
    for file, layout in found:
        files.setdefault(layout, []).append(file)
    counts = Counter({layout: len(places) for layout, places in files.items()})
    return tuple((layout, tuple(files[layout])) for layout, _ in counts.most_common())
