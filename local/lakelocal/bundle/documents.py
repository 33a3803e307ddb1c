"""YAML and JSON files as plain values that remember where each of them was written.

The Databricks CLI reads JSON with its YAML reader (`yes` and `2024-01-01` are text, `1_000` is a number), and so does
this module. PyYAML suffices, since its nodes know their lines; ruamel.yaml also keeps comments, but only writers need
those, and nothing here writes YAML.

Source: Databricks CLI 1.13, `libs/dyn/yamlloader/loader.go`, and the scalars of the library that it uses, yaml.v3.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place, Steps

SUFFIXES = (".yml", ".yaml", ".json")
LARGEST = 250_000  # values in a file, with its aliases expanded
_MERGE = "tag:yaml.org,2002:merge"
_MAPPING = "a mapping in YAML or JSON"


class YamlMapping(dict[str, Any]):
    """A mapping that knows its own file and line (*place*) and those of each of its keys (*places*).

    *anchors* are the keys that only hold YAML anchors for use elsewhere; they may have any name.
    """

    place: Place
    places: dict[str, Place]
    anchors: set[str]

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places = {}
        self.anchors = set()

    def put(self, key: str, value: Any, place: Place) -> None:
        """Set *key*, and where it was written."""
        self[key] = value
        self.places[key] = place


def read_document(file: Path, findings: Findings) -> YamlMapping:
    """The mapping in *file*; an empty file is an empty mapping.

    A key that occurs twice in a mapping is added to *findings*, and its last value counts.

    Raises:
        FindingError: *file* is unreadable, not YAML or JSON, or not a mapping; the finding has file and line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found, where = f"a file that cannot be read ({error})", findings.at((file, 0))
        action = "Save it in UTF-8, or take it out of the bundle."
        raise FindingError(Finding(where, "unreadable-file", found, "a text file in UTF-8", action)) from error
    if file.suffix == ".json":
        text = _checked_json(text, file, findings)
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found, where = (
            f"invalid YAML: {getattr(error, 'problem', error)}",
            findings.at((file, mark.line + 1 if mark else 0)),
        )
        step = "Correct the file; look for a wrong indentation or quote in this line and above it."
        raise FindingError(Finding(where, "syntax", found, _MAPPING, step)) from error
    if node is None:
        return YamlMapping((file, 1))
    value = _Reader(file, findings, loader.anchored).value(node)
    if not isinstance(value, YamlMapping):
        raise FindingError(Finding(findings.at((file, 1)), "syntax", in_words(value), _MAPPING, "Correct the file."))
    return value


def in_words(value: Any) -> str:
    """How a finding names *value*."""
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"`{value}`"


def is_larger(value: Any, limit: int) -> bool:
    """Does *value* contain more than *limit* values, at any depth?"""
    count, todo = 0, [value]
    while todo and count <= limit:
        each = todo.pop()
        count += 1
        todo += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
    return count > limit


def place_of(source: Any, path: Steps, otherwise: Place) -> Place:
    """The file and line of the field *path* in *source*, or else of the nearest value around it that has a place.

    Values that come from a complex variable have no place of their own.
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
    """*text*, if it is JSON, with tabs as spaces: JSON has them between tokens only, and YAML does not allow them."""
    if not text.strip():
        return text
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        found, where = f"invalid JSON: {error.msg} (column {error.colno})", findings.at((file, error.lineno))
        raise FindingError(Finding(where, "syntax", found, _MAPPING, "Correct the file.")) from error
    except ValueError as error:  # a number with more digits than Python reads; the error does not tell the line
        found, where = f"invalid JSON: {str(error).partition(';')[0]}", findings.at((file, 0))
        raise FindingError(Finding(where, "syntax", found, _MAPPING, "Correct the file.")) from error
    return text.replace("\t", " ")


class _Loader(yaml.SafeLoader):
    """PyYAML with the scalars of yaml.v3: dates are texts, and only `true` and `false` are booleans.

    *anchored* has the `id()` of each node that has an anchor.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.anchored: set[int] = set()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        if isinstance(event, yaml.NodeEvent) and event.anchor and node is not None:
            self.anchored.add(id(node))
        return node


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|[1-9][0-9_]*|0)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
):
    _firsts = [*list(_first.replace("\0", "")), ""] if "\0" in _first else list(_first)
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _firsts)
_Loader.add_implicit_resolver(_MERGE, re.compile(r"^<<$"), ["<"])


class _Reader:
    """Turns the nodes of one file into values; *anchored* has the `id()` of each node that has an anchor."""

    def __init__(self, file: Path, findings: Findings, anchored: set[int]) -> None:
        self.file = file
        self.findings = findings
        self.anchored = anchored
        self._open: list[yaml.Node] = []
        self._count = 0

    def value(self, node: yaml.Node) -> Any:
        """A `YamlMapping`, a list or a scalar.

        Raises:
            FindingError: the node contains an alias of itself, or expanding its aliases makes it too large.
        """
        self._count += 1
        if self._count > LARGEST:
            where, found = self.findings.at((self.file, 0)), f"aliases that expand to more than {LARGEST:,} values"
            raise FindingError(Finding(where, "syntax", found, "fewer", "Write the file with fewer aliases."))
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if node in self._open:
            where = self.findings.at((self.file, node.start_mark.line + 1))
            found = "an anchor that contains an alias of itself"
            raise FindingError(Finding(where, "syntax", found, "a finite value", "Remove the alias."))
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._table(node)
            return [self.value(item) for item in node.value]
        finally:
            self._open.pop()

    def _table(self, node: yaml.MappingNode) -> YamlMapping:
        table = YamlMapping((self.file, node.start_mark.line + 1))
        merges = [(key, value) for key, value in node.value if key.tag == _MERGE]
        if len(merges) > 1:
            where, found = self.findings.at((self.file, merges[1][0].start_mark.line + 1)), "`<<` twice in one mapping"
            raise FindingError(Finding(where, "syntax", found, "one, as in `<<: [*one, *two]`", "Combine them."))
        for _, value_node in merges:
            self._inherit(table, value_node)
        inherited = set(table)
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            place, key = (self.file, key_node.start_mark.line + 1), _key(key_node)
            if key in table and key not in inherited:
                found, where = f"the key `{key}` twice (first in line {table.places[key][1]})", self.findings.at(place)
                self.findings.add("duplicate-key", found, "it once (the last counts)", "Remove the others.", where)
            inherited.discard(key)
            value = self.value(value_node)
            if isinstance(value, YamlMapping):
                value.place = place  # the line of its name, not of its first key
            table.put(key, value, place)
            table.anchors.discard(key)
            if self._holds_anchors(value_node):
                table.anchors.add(key)
        return table

    def _inherit(self, table: YamlMapping, node: yaml.Node) -> None:
        """Copy the keys of `<<: *anchor` or `<<: [*one, *two]` into *table*, before it gets its own.

        If two anchors have the same key, the last one counts, as in the CLI (YAML's specification says the opposite).
        """
        is_list = isinstance(node, yaml.SequenceNode)
        sources = node.value if is_list else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode) or not (is_list or id(source) in self.anchored):
                where = self.findings.at((self.file, source.start_mark.line + 1))
                found, expected = "`<<` with something other than an alias", "an alias of a mapping, or a list of them"
                raise FindingError(Finding(where, "syntax", found, expected, "Correct the alias."))
            inherited = self.value(source)
            for key, value in inherited.items():
                table.put(key, value, inherited.places[key])

    def _holds_anchors(self, node: yaml.Node) -> bool:
        """Does *node* have an anchor, or consist of nothing but values with anchors?"""
        if id(node) in self.anchored:
            return True
        inside = [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else node.value
        is_block = isinstance(node, yaml.MappingNode | yaml.SequenceNode) and bool(inside)
        return is_block and all(self._holds_anchors(each) for each in inside)


def _key(node: yaml.Node) -> str:
    """The key as it is written: `1.0` and `null` are names, too."""
    return node.value if isinstance(node, yaml.ScalarNode) else str(_scalar(node))


def _scalar(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode) and node.tag.startswith("tag:yaml.org,2002:"):
        kind = node.tag.rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() == "true"
        if kind == "int":
            return _whole_number(node.value)
        if kind == "float":
            return float(node.value.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    return node.value


def _whole_number(text: str) -> int | float:
    """The number *text*: leading zeros have no meaning, `0x`, `0o` and `0b` are bases, and what 64 bits cannot hold
    becomes a floating-point number."""
    digits = text.replace("_", "")
    bare = digits.lstrip("0")
    number = int(bare or "0") if re.fullmatch(r"[-+]?[0-9]*", bare) else int(digits, 0)
    return number if number < 2**64 else float(number)
