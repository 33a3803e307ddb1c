"""local/CONTRIBUTING.md refers to nothing that no longer exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "local" / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`\n]+)`", PAGE)
FILE = re.compile(r"[\w/.*-]+(?:/|\.py|\.md)")
NAME = re.compile(r"_?[A-Za-z]\w*(?:\.[a-z_]\w*)*")
STATE = (".local/", "runs/", "logs/")  # what runs leave behind


def exists(path: str) -> bool:
    """Is there such a file or folder: below `lakelocal`, `local` or the root, or a bare name anywhere in `local`?"""
    named = any(any(ROOT.glob(f"{folder}{path}")) for folder in ("local/lakelocal/", "local/", ""))
    return named or ("/" not in path and any((ROOT / "local").rglob(path)))


def test_every_path_of_the_page_exists():
    """A module that is moved has to be moved there too."""
    paths = [text for text in QUOTED if FILE.fullmatch(text) and not text.startswith(STATE)]

    assert len(paths) > 50
    assert [path for path in paths if not exists(path)] == []


def test_every_name_of_the_page_stands_in_the_code():
    """What the page says to look for in a file is there."""
    code = "\n".join(place.read_text(encoding="utf-8") for place in (ROOT / "local").rglob("*.py"))
    names = {text for text in QUOTED if NAME.fullmatch(text) and not FILE.fullmatch(text)}

    assert {"TYPES", "RUNNERS", "REFERENCES", "STATES", "_FIRST"} <= names
    assert [name for name in sorted(names) if not re.search(rf"\b{name.rpartition('.')[2]}\b", code)] == []


def test_the_page_is_short_and_linked():
    """It is read before the first change, or not at all."""
    assert len(PAGE.splitlines()) <= 150
    assert "(CONTRIBUTING.md)" in (ROOT / "local" / "README.md").read_text(encoding="utf-8")
