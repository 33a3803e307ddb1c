"""The blocks of a bundle that must be mappings: those that are not are taken out, so that the rest can be read."""

from collections.abc import Mapping
from typing import Any

from lakelocal.bundle.documents import YamlMapping, in_words
from lakelocal.lakeflow.findings import Findings, Steps

_ANY = "*"
_COMMON: Mapping[str, Any] = {"bundle": {}, "presets": {}, "workspace": {}, "variables": {}, "resources": {_ANY: {}}}
_TARGETS = {_ANY: _COMMON}
_ENVIRONMENTS = {_ANY: {**_COMMON, "variables": {_ANY: {}}}}  # the old name of targets knows no short form of a value
_BLOCKS: Mapping[str, Any] = {
    **{**_COMMON, "variables": {_ANY: {}}},
    **{"targets": _TARGETS, "environments": _ENVIRONMENTS, "python": {}, "experimental": {}, "scripts": {_ANY: {}}},
}


def take_out_misfits(document: YamlMapping, findings: Findings) -> None:
    """Blocks of *document* that are not a mapping (an `include` not a list) leave it, and are added to *findings*."""
    _take_out(document, _BLOCKS, (), findings)
    if not isinstance(document.get("include"), list | None):
        _drop(document, ("include",), "a list of patterns", findings)


def _take_out(table: YamlMapping, blocks: Mapping[str, Any], path: Steps, findings: Findings) -> None:
    for name, value in list(table.items()):
        inside = blocks.get(name, blocks.get(_ANY))
        if isinstance(value, YamlMapping) and inside is not None:
            _take_out(value, inside, (*path, name), findings)
        elif value is not None and inside is not None:
            _drop(table, (*path, name), "a mapping", findings)


def _drop(table: YamlMapping, path: Steps, expected: str, findings: Findings) -> None:
    name = str(path[-1])
    found, where = f"{in_words(table[name])} as `{name}`", findings.at(table.places[name], path=path)
    findings.add("wrong-type", found, expected, "Correct the block.", where)
    del table[name]
