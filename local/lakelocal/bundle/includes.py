"""The files of a bundle as one tree: the root file, and what it includes.

Source: Databricks CLI 1.13, `bundle/config/loader/process_root_includes.go` and `unique_resource_keys.go`: patterns are
relative to the bundle and have no `**`; each file is read once, the root never again; a pattern that is a plain name
must match; a resource or a script is defined in one file, and its key names nothing else.
"""

import glob
import os
from pathlib import Path

from lakelocal.bundle.documents import SUFFIXES, YamlMapping, read_document
from lakelocal.bundle.mappings import take_out_misfits
from lakelocal.bundle.merge import Merge, copied
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place, Steps, show


def read_files(root_file: Path, findings: Findings) -> YamlMapping:
    """The bundle as its files have it; its `include` lists the files that were read.

    Raises:
        FindingError: the root file cannot be read; what is wrong with other files joins *findings*.
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
    """The patterns that *included* includes itself: they have no effect, and leave it."""
    if "include" not in included:
        return []
    where, action = findings.at(included.places["include"], path=("include",)), "Move its patterns to the root file."
    findings.add("nested-include", "`include` in an included file", "it in the root file alone", action, where)
    return [str(each) for each in included.pop("include") or []]


def _read_blocks(file: Path, findings: Findings) -> YamlMapping:
    document = read_document(file, findings)
    take_out_misfits(document, findings)
    return document


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
    """*included* without the resources and scripts that *tree* has already: each counts once."""
    first = _keys(tree)
    result, resources = copied(included), included.get("resources")
    if isinstance(resources, YamlMapping):
        result["resources"] = _without(resources, first, ("resources",), findings)
    if isinstance(scripts := included.get("scripts"), YamlMapping):
        result["scripts"] = _unique(scripts, first, ("scripts",), findings)
    return result


def _without(
    resources: YamlMapping, first: dict[str, tuple[Steps, Place]], path: Steps, findings: Findings
) -> YamlMapping:
    result = copied(resources)
    for kind, named in resources.items():
        if isinstance(named, YamlMapping):
            result[kind] = _unique(named, first, (*path, kind), findings)
    return result


def _unique(named: YamlMapping, first: dict[str, tuple[Steps, Place]], path: Steps, findings: Findings) -> YamlMapping:
    result = copied(named)
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
    """The key of each resource and script of *tree*, with its path and its place."""
    found: dict[str, tuple[Steps, Place]] = {}
    blocks: list[tuple[Steps, object]] = [(("scripts",), tree.get("scripts"))]
    blocks += [(("resources", kind), named) for kind, named in (tree.get("resources") or {}).items()]
    for path, named in blocks:
        if isinstance(named, YamlMapping):
            found |= {key: (path, named.places[key]) for key in named}
    return found


def _check_unique_tasks(tree: YamlMapping, findings: Findings) -> None:
    """A task key twice in one definition; the CLI takes the second one for an override."""
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
