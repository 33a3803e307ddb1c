"""YAML and JSON files as plain values that remember where each of them was written.

Databricks reads JSON by its YAML reader (YAML 1.2 scalars: `yes` and `2024-01-01` are text); so does this module. The
nodes of PyYAML know their lines; ruamel.yaml would keep comments too, for writing, which nothing here does.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place, Steps

SUFFIXES = (".yml", ".yaml", ".json")
_MERGE = "tag:yaml.org,2002:merge"
_MAPPING = "a mapping in YAML or JSON"


class YamlMapping(dict[str, Any]):
    """A mapping that knows the file and line of itself (*place*) and of each of its keys (*places*)."""

    place: Place
    places: dict[str, Place]

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places = {}

    def put(self, key: str, value: Any, place: Place) -> None:
        """Set *key*, and where it was written."""
        self[key] = value
        self.places[key] = place


def read_document(file: Path, findings: Findings) -> YamlMapping:
    """The mapping in *file*; an empty file is an empty mapping.

    A key that stands twice in a mapping is added to *findings*; its first value counts.

    Raises:
        FindingError: unreadable, not YAML or JSON, or not a mapping; with file and line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found, where = f"a file that cannot be read ({error})", findings.at((file, 0))
        action = "Save it in UTF-8, or take it out of the bundle."
        raise FindingError(Finding(where, "unreadable-file", found, "a text file in UTF-8", action)) from error
    if file.suffix == ".json":
        text = _checked_json(text, file, findings)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found, where = (
            f"invalid YAML: {getattr(error, 'problem', error)}",
            findings.at((file, mark.line + 1 if mark else 0)),
        )
        raise FindingError(Finding(where, "syntax", found, _MAPPING, "Correct the file.")) from error
    if node is None:
        return YamlMapping((file, 1))
    value = _Reader(file, findings).value(node)
    if not isinstance(value, YamlMapping):
        raise FindingError(Finding(findings.at((file, 1)), "syntax", in_words(value), _MAPPING, "Correct the file."))
    return value


def in_words(value: Any) -> str:
    """*value* as a finding names it."""
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"`{value}`"


def place_of(source: Any, path: Steps, otherwise: Place) -> Place:
    """File and line of the field *path* below *source*; of the nearest thing around it that has a place.

    The value of a complex variable has no place of its own.
    """
    place = source.place if isinstance(source, YamlMapping) else otherwise
    for step in path:
        if isinstance(source, YamlMapping) and step in source.places:
            place = source.places[step]
        inside = isinstance(source, dict) and step in source
        inside = inside or (isinstance(source, list) and isinstance(step, int) and step < len(source))
        if not inside:
            return place
        source = source[step]
        if isinstance(source, YamlMapping) and isinstance(step, int):
            place = source.place
    return place


def _checked_json(text: str, file: Path, findings: Findings) -> str:
    """*text*, if it is JSON; its tabs (only possible between tokens) become blanks, since YAML knows none."""
    if not text.strip():
        return text
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        found, where = f"invalid JSON: {error.msg} (column {error.colno})", findings.at((file, error.lineno))
        raise FindingError(Finding(where, "syntax", found, _MAPPING, "Correct the file.")) from error
    except ValueError as error:  # a number of more digits than Python reads; it does not say in which line
        found, where = f"invalid JSON: {str(error).partition(';')[0]}", findings.at((file, 0))
        raise FindingError(Finding(where, "syntax", found, _MAPPING, "Correct the file.")) from error
    return text.replace("\t", " ")


class _Loader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2: no dates, no base-60 numbers, only `true` and `false` are booleans."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
):
    _firsts = [*list(_first.replace("\0", "")), ""] if "\0" in _first else list(_first)
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _firsts)
_Loader.add_implicit_resolver(_MERGE, re.compile(r"^<<$"), ["<"])


class _Reader:
    """Turns the nodes of one file into values."""

    def __init__(self, file: Path, findings: Findings) -> None:
        self.file = file
        self.findings = findings

    def value(self, node: yaml.Node) -> Any:
        """A `YamlMapping`, a list or a scalar."""
        if isinstance(node, yaml.MappingNode):
            return self._table(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        return _scalar(node)

    def _table(self, node: yaml.MappingNode) -> YamlMapping:
        table = YamlMapping((self.file, node.start_mark.line + 1))
        for key_node, value_node in node.value:
            place = (self.file, key_node.start_mark.line + 1)
            if key_node.tag == _MERGE:
                self._merge(table, value_node)
                continue
            key = str(_scalar(key_node))
            if table.places.get(key, (None,))[0] is not None and key in table and key not in self._merged(table):
                first = table.places[key][1]
                found, where = f"the key `{key}` twice (first in line {first})", self.findings.at(place)
                self.findings.add("duplicate-key", found, "it once", "Remove one of them.", where)
                continue
            self._merged(table).discard(key)
            value = self.value(value_node)
            if isinstance(value, YamlMapping):
                value.place = place  # the line of its name, not of its first key
            table.put(key, value, place)
        return table

    def _merge(self, table: YamlMapping, node: yaml.Node) -> None:
        """`<<: *anchor`: keys of the anchor that are not written here."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            inherited = self.value(source)
            for key, value in inherited.items():
                if key not in table:
                    table.put(key, value, inherited.places[key])
                    self._merged(table).add(key)

    @staticmethod
    def _merged(table: YamlMapping) -> set[str]:
        """The keys that came from an anchor: writing them again is an override, not a duplicate."""
        inherited: set[str] = table.__dict__.setdefault("inherited", set())
        return inherited


def _scalar(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode) and node.tag.startswith("tag:yaml.org,2002:"):
        kind = node.tag.rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        if kind == "int":
            return int(node.value, 0 if node.value[:2] in ("0x", "0o") else 10)
        if kind == "float":
            return float(node.value.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf"))
    return node.value
