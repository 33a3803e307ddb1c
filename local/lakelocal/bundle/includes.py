"""Reads the files of a bundle, the root file and what it includes, into one tree.

Source: Databricks CLI 1.13, `bundle/config/loader/process_root_includes.go` and `unique_resource_keys.go`: patterns are
relative to the bundle and have no `**`; each file is read only once, even the root file; a pattern without wildcards
must match; a resource or a script is defined in one file, and no other resource or script has its key.
"""

import glob
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import SUFFIXES, YamlMapping, in_words, read_document
from lakelocal.bundle.known_fields import RESOURCE_TYPES
from lakelocal.bundle.merge import Merge, shallow_copy
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place, Steps, show

_ANY = "*"  # any key
# The blocks that must be mappings, as nested keys; `{}` stands for a mapping with any contents.
_COMMON: Mapping[str, Any] = {"bundle": {}, "presets": {}, "workspace": {}, "variables": {}, "resources": {_ANY: {}}}
_TARGETS = {_ANY: _COMMON}
# In `environments`, the old name of `targets`, a variable is always a mapping, never a plain value.
_ENVIRONMENTS = {_ANY: {**_COMMON, "variables": {_ANY: {}}}}
_BLOCKS: Mapping[str, Any] = {
    **{**_COMMON, "variables": {_ANY: {}}},
    **{"targets": _TARGETS, "environments": _ENVIRONMENTS, "python": {}, "experimental": {}, "scripts": {_ANY: {}}},
}


def read_files(root_file: Path, findings: Findings) -> YamlMapping:
    """The bundle as it is written; its `include` lists the files that were read.

    What is wrong with included files is added to *findings*.

    Raises:
        FindingError: the root file cannot be read.
    """
    tree = _read_blocks(root_file, findings)
    seen, read, beyond = {root_file.resolve()}, list[Path](), list[str]()
    for pattern in tree.get("include") or []:
        files: list[Path] = []
        with findings.caught():
            files = _included(str(pattern), tree.places["include"], findings, seen)
        seen.update(files)
        read += files
        for file in files:
            with findings.caught():
                included = _read_blocks(file, findings)
                beyond += _take_out_includes(included, findings)
                tree = Merge(findings)(tree, _without_known(tree, included, findings))
    _check_unique_tasks(tree, findings)
    if "include" in tree:
        tree["include"] = [*(Path(os.path.relpath(file, findings.root)).as_posix() for file in read), *beyond]
    return tree


def _take_out_includes(included: YamlMapping, findings: Findings) -> list[str]:
    """Remove the patterns that the included file *included* includes itself, which have no effect, and return them."""
    if "include" not in included:
        return []
    where, action = findings.at(included.places["include"], path=("include",)), "Move its patterns to the root file."
    findings.add("nested-include", "`include` in an included file", "it in the root file only", action, where)
    return [str(each) for each in included.pop("include") or []]


def _read_blocks(file: Path, findings: Findings) -> YamlMapping:
    """The contents of *file*, without blocks of the wrong type, so that the rest can be read; they are reported."""
    document = read_document(file, findings)
    _remove_malformed(document, _BLOCKS, (), findings)
    if not isinstance(document.get("include"), list | None):
        _drop(document, ("include",), "a list of patterns", findings)
    return document


def _remove_malformed(table: YamlMapping, blocks: Mapping[str, Any], path: Steps, findings: Findings) -> None:
    for name, value in list(table.items()):
        inside = blocks.get(name, blocks.get(_ANY))
        if isinstance(value, YamlMapping) and inside is not None:
            _remove_malformed(value, inside, (*path, name), findings)
        elif path[-1:] == ("resources",) and name not in RESOURCE_TYPES:
            continue  # it is reported as an unknown field
        elif value is not None and inside is not None:
            _drop(table, (*path, name), "a mapping", findings)


def _drop(table: YamlMapping, path: Steps, expected: str, findings: Findings) -> None:
    name = str(path[-1])
    found, where = f"{in_words(table[name])} as `{name}`", findings.at(table.places[name], path=path)
    findings.add("wrong-type", found, expected, "Correct the block.", where)
    del table[name]


def _included(pattern: str, place: Place, findings: Findings, seen: set[Path]) -> list[Path]:
    root, where = findings.root, findings.at(place, path=("include",))
    if Path(pattern).is_absolute():
        action = "Write it relative to the folder of the bundle."
        raise FindingError(Finding(where, "include", f"the absolute path `{pattern}`", "a relative one", action))
    found = sorted(Path(name) for name in glob.glob(pattern, root_dir=root, include_hidden=True))
    if not found and not glob.has_magic(pattern):
        action = "Correct the name, or remove the line."
        raise FindingError(Finding(where, "include", f"no file `{pattern}` in `include`", "a file that exists", action))
    files = [file for file in dict.fromkeys((root / name).resolve() for name in found) if file not in seen]
    for file in files:
        if file.suffix not in SUFFIXES:
            named, expected = f"`{show(file, root)}` by the pattern `{pattern}`", ", ".join(SUFFIXES)
            raise FindingError(Finding(where, "include", named, expected, "Narrow the pattern."))
    return files


def _without_known(tree: YamlMapping, included: YamlMapping, findings: Findings) -> YamlMapping:
    """*included* without the resources and scripts that *tree* already has, each of which is reported."""
    first = _keys(tree)
    result, resources = shallow_copy(included), included.get("resources")
    if isinstance(resources, YamlMapping):
        result["resources"] = _without(resources, first, ("resources",), findings)
    if isinstance(scripts := included.get("scripts"), YamlMapping):
        result["scripts"] = _unique(scripts, first, ("scripts",), findings)
    return result


def _without(
    resources: YamlMapping, first: dict[str, tuple[Steps, Place]], path: Steps, findings: Findings
) -> YamlMapping:
    result = shallow_copy(resources)
    for kind, named in resources.items():
        if isinstance(named, YamlMapping):
            result[kind] = _unique(named, first, (*path, kind), findings)
    return result


def _unique(named: YamlMapping, first: dict[str, tuple[Steps, Place]], path: Steps, findings: Findings) -> YamlMapping:
    result = shallow_copy(named)
    for key in named:
        if key in first:
            (kind, place), shown = first[key], ".".join(map(str, (*path, key)))
            before = "" if kind == path else f" as `{'.'.join(map(str, (*kind, key)))}`"
            found = f"`{shown}` a second time (first in `{findings.at(place)}`{before})"
            job = key if ("resources", "jobs") in (kind, path) else ""
            where = findings.at(named.places[key], job=job, path=(*path, key))
            findings.add("duplicate-resource", found, "it in one file", "Rename one of them.", where)
            result.pop(key)
    return result


def _keys(tree: YamlMapping) -> dict[str, tuple[Steps, Place]]:
    """The keys of all resources and scripts in *tree*, each with its path and its place."""
    found: dict[str, tuple[Steps, Place]] = {}
    blocks: list[tuple[Steps, object]] = [(("scripts",), tree.get("scripts"))]
    blocks += [(("resources", kind), named) for kind, named in (tree.get("resources") or {}).items()]
    for path, named in blocks:
        if isinstance(named, YamlMapping):
            found |= {key: (path, named.places[key]) for key in named}
    return found


def _check_unique_tasks(tree: YamlMapping, findings: Findings) -> None:
    """Report task keys that occur twice in one definition; the CLI treats the second as an override."""
    jobs = (tree.get("resources") or {}).get("jobs") or {}
    for key, job in jobs.items():
        seen: dict[str, Place] = {}
        tasks = job.get("tasks") if isinstance(job, YamlMapping) else None
        for number, task in enumerate(tasks if isinstance(tasks, list) else ()):
            if isinstance(task, YamlMapping) and "task_key" in task:
                name = str(task["task_key"])
                if name in seen:
                    found = f"the task `{name}` twice (first at `{findings.at(seen[name])}`): the second overrides it"
                    where = findings.at(task.place, job=key, path=("tasks", number))
                    findings.add("duplicate-task", found, "each key once", "Rename one of them.", where)
                seen.setdefault(name, task.place)
