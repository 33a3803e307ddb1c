"""`init`: create a small bundle to start from."""

import re
from argparse import Namespace
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from lakelocal.cli.verbs import Verbs
from lakelocal.errors import UsageError
from lakelocal.program import called
from lakelocal.project import BUNDLE_FILES

_RENAMED = {"gitignore": ".gitignore"}  # under its real name it would apply to the repository of this package


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    command = verbs.add_parser("init", help="create a small working bundle: a job, two notebooks, a test")
    command.set_defaults(command=init)
    command.add_argument("folder", nargs="?", type=Path, default=Path(), help="where to create it (default: here)")


def init(options: Namespace) -> int:
    """Write the bundle and print the next commands; existing files are never overwritten."""
    folder: Path = options.folder
    written = write_bundle(folder)
    print(f"wrote {len(written)} files in {folder.resolve()}:", *written, sep="\n  ")
    print("Next:")
    if folder.resolve() != Path.cwd():
        print(f"  cd {folder}")
    program = called(folder.resolve())
    print(f"  {program} run daily")
    print(f'  {program} sql "SELECT * FROM shop.cities"')
    print("  pytest")
    return 0


def write_bundle(folder: Path) -> list[str]:
    """Write the bundle into *folder*, after which it is named; return the paths of its files.

    Raises:
        UsageError: the folder has a bundle, or one of its files; nothing is written.
    """
    name = re.sub(r"\W+", "_", folder.resolve().name).strip("_") or "bundle"
    files = {place: Template(text).substitute(name=name) for place, text in _files()}
    there = [place for place in (*files, *BUNDLE_FILES) if (folder / place).exists()]
    if there:
        raise UsageError(
            f"`{folder.resolve()}`: found {', '.join(f'`{place}`' for place in dict.fromkeys(there))}; expected a "
            "folder without a bundle. Name another folder."
        )
    for place, text in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    return sorted(files)


def _files(folder: Traversable | None = None, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of each file of the bundle; `${name}` in a text stands for the bundle's name."""
    for entry in (folder or resources.files("lakelocal") / "starter").iterdir():
        place = f"{path}{_RENAMED.get(entry.name, entry.name)}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{place}/")
        else:
            yield place, entry.read_text(encoding="utf-8")
