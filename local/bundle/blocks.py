"""The blocks of a bundle that must be mappings, and what happens to those that are none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.bundle.documents import Table, show_place
from local.bundle.mistakes import Mistake, Mistakes

_ANY = "*"
_COMMON: Mapping[str, Any] = {"bundle": {}, "presets": {}, "workspace": {}, "variables": {}, "resources": {_ANY: {}}}
_BLOCKS: Mapping[str, Any] = {**_COMMON, "targets": {_ANY: _COMMON}}


def take_out_misfits(document: Table, root: Path, mistakes: Mistakes) -> None:
    """Blocks of *document* that are no mapping (an `include`: no list) leave it, and are added to *mistakes*."""
    _take_out(document, _BLOCKS, root, mistakes)
    if not isinstance(document.get("include"), list | None):
        _drop(document, "include", "a list of patterns", root, mistakes)


def _take_out(table: Table, blocks: Mapping[str, Any], root: Path, mistakes: Mistakes) -> None:
    for name, value in list(table.items()):
        inside = blocks.get(name, blocks.get(_ANY))
        if isinstance(value, Table) and inside is not None:
            _take_out(value, inside, root, mistakes)
        elif value is not None and inside is not None:
            _drop(table, name, "a mapping", root, mistakes)


def _drop(table: Table, name: str, expected: str, root: Path, mistakes: Mistakes) -> None:
    found = {list: "a list", Table: "a mapping"}.get(type(table[name]), f"`{table[name]}`")
    where = show_place(table.places[name], root)
    message = f"found {found} as `{name}`; expected {expected}. Correct the block."
    mistakes.append(Mistake("wrong-type", where, message))
    del table[name]
