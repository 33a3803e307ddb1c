"""Splits paths of clients into names of files and folders; refuses paths that leave their root or are too long."""

from collections.abc import Sequence
from pathlib import Path

from lakelocal.workspace.errors import ApiError, wrong_value

LONGEST_NAME = (
    248  # bytes: a file system allows 255, and the file of a notebook has an extension in addition to its name
)
_LONGEST_PATH = 3000  # bytes: Linux allows 4,096, of which the folder of the state needs some
_SHOWN = 120


def names_of(path: str) -> tuple[str, ...]:
    """The names in *path*, an absolute path of a client, beginning at the root; empty names and `.` are left out.

    Raises:
        ApiError: it is not absolute, contains `..`, a control character or text that is not Unicode, or is too long.
    """
    if not path.startswith("/"):
        raise wrong_value(f"Path ({_short(path)}) must begin with `/`.")
    names = tuple(name for name in path.split("/") if name not in ("", "."))
    for name in names:
        _check(name, path)
    if sum(len(name.encode()) + 1 for name in names) > _LONGEST_PATH:
        raise wrong_value(f"Path ({_short(path)}) is longer than {_LONGEST_PATH} bytes. Shorten it.")
    return names


def inside(root: Path, names: Sequence[str], shown: str) -> Path:
    """The place of *names* below *root*; it need not exist.

    Raises:
        ApiError: a link on the way leads out of *root*.
    """
    place = root.joinpath(*names)
    try:
        resolved = place.resolve()
    except (OSError, RuntimeError):  # a cycle of links
        resolved = Path("/")
    if not resolved.is_relative_to(root.resolve()):
        raise ApiError("PERMISSION_DENIED", f"Path ({_short(shown)}) leaves its folder through a link.")
    return place


def _check(name: str, path: str) -> None:
    if name == "..":
        raise wrong_value(f"Path ({_short(path)}) contains `..`. Write the path without it.")
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise wrong_value(f"Path ({_short(path)}) contains a control character. Remove it.")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise wrong_value(f"Path ({_short(path)}) is not Unicode text.") from None
    if size > LONGEST_NAME:
        raise wrong_value(f"Path ({_short(path)}): a name has {size} bytes; at most {LONGEST_NAME} are possible.")


def _short(path: str) -> str:
    text = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}..."
    return text.encode("ascii" if not text.isprintable() else "utf-8", "backslashreplace").decode()
