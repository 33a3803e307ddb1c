"""Files of the workspace that deployed jobs and pipelines name: their local paths, and the paths that clients see."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.lakeflow.findings import Finding
from lakelocal.paths import WORKSPACE

# A wheel or a requirements file that a deployment has put into the workspace, alone or after an option of pip.
_LIBRARY = re.compile(r"^((?:(?:-r|--requirement|-e|--editable)[ =]\s*)?)(/(?:Workspace|Users|Shared|Repos)/.*)$")


def local_path(path: str, tree: Path) -> Path:
    """The local path of the workspace's *path*, which may lack `/Workspace` at its beginning."""
    return tree / path.removeprefix(WORKSPACE).lstrip("/")


def is_of_tree(path: str) -> bool:
    """Is *path* a file of the workspace, and not one of a volume or of DBFS?"""
    return path.startswith("/") and not path.startswith(("/Volumes/", "/dbfs/"))


def put_local_path(block: Any, field: str, tree: Path) -> None:
    """Replace the path in *field* of *block* by its local path, if it is a path of the workspace."""
    if isinstance(block, dict) and isinstance(path := block.get(field), str) and is_of_tree(path):
        block[field] = str(local_path(path, tree))


def local_library(text: str, tree: Path) -> str:
    """*text*, a library as pip writes it, with the local path of its file."""
    return _LIBRARY.sub(lambda found: found[1] + str(local_path(found[2], tree)), text)


def as_clients_know(text: str, tree: Path) -> str:
    """*text* with the paths that clients see."""
    return text.replace(f"{tree}/", f"{WORKSPACE}/")


def for_clients(finding: Finding, tree: Path) -> Finding:
    """*finding* with the paths that clients see."""
    found, expected = as_clients_know(finding.found, tree), as_clients_know(finding.expected, tree)
    return replace(finding, found=found, expected=expected, action=as_clients_know(finding.action, tree))


def placed(value: Any, place: tuple[Path, int]) -> Any:
    """*value* with *place* as the place of all its mappings."""
    if isinstance(value, Mapping):
        result = YamlMapping(place)
        for key, inner in value.items():
            result.put(key, placed(inner, place), place)
        return result
    return [placed(each, place) for each in value] if isinstance(value, list) else value
