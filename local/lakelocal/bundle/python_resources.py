"""Runs the `python` block of a bundle, which defines or changes resources, as the Databricks CLI does.

The CLI starts `python -m databricks.bundles.build` in the bundle's folder with the bundle as it is so far, once to load
resources and once to apply the mutators to all of them. Paths in resources that Python defines are relative to the
bundle's root. The interpreter is that of `venv_path`, or the current one if there is no such environment (yet).

Source: Databricks CLI 1.13, `bundle/config/mutator/python/python_mutator.go`; `databricks.bundles.build`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import shallow_copy, to_plain
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place

_LAST_LINES = 5

Resources: TypeAlias = Mapping[str, Mapping[str, Any]]
Keys: TypeAlias = Mapping[str, Iterable[str]]


def with_python(
    tree: YamlMapping,
    *,
    added: Callable[[YamlMapping, Keys], YamlMapping],
    updated: Callable[[YamlMapping, Keys], YamlMapping],
    findings: Findings,
) -> YamlMapping:
    """*tree* with the resources that its Python code defines, after its mutators have changed them.

    *added* is then applied to the new resources, and *updated* to the changed ones. What goes wrong in the code is
    added to *findings*.
    """
    with findings.caught():
        block = _block(tree, findings)
        if block is None:
            return tree
        python = _BuildProgram(block, findings)
        python.check_environment()
        if block.get("resources"):
            before = tree
            tree = _with_added(tree, python.run("load_resources", tree), python.places, block.place, findings)
            tree = added(tree, _keys_of(_resources(tree), _resources(before)))
        if block.get("mutators"):
            changes = _changed(_resources(tree), python.run("apply_mutators", tree))
            tree = updated(_with_changes(tree, changes, block.place), {kind: set(changes[kind]) for kind in changes})
    return tree


def _block(tree: YamlMapping, findings: Findings) -> YamlMapping | None:
    """The `python` block of *tree*, which may have its old name `experimental.python`; None if there is none.

    Raises:
        FindingError: the two contradict each other, or there is `experimental.pydabs`, an even older name.
    """
    experimental = tree.get("experimental")
    older = experimental if isinstance(experimental, YamlMapping) else YamlMapping(tree.place)
    block, before = tree.get("python"), older.get("python")
    if older.get("pydabs"):
        where, found = findings.at(older.places["pydabs"], path=("experimental", "pydabs")), "`experimental.pydabs`"
        raise FindingError(Finding(where, "python", found, "`python`, its successor", "Rename and rewrite the block."))
    if block and before and block != before:
        where = findings.at(older.places["python"], path=("experimental", "python"))
        found = "`experimental.python` and a different `python`"
        raise FindingError(Finding(where, "python", found, "only `python`", "Move its settings to `python`."))
    found_block = block or before
    return found_block if isinstance(found_block, YamlMapping) else None


class _BuildProgram:
    """The build program of databricks-bundles for the `python` *block* of a bundle.

    *places* has the place where each resource was last defined, by its kind and key.
    """

    def __init__(self, block: YamlMapping, findings: Findings) -> None:
        self.block = block
        self.findings = findings
        self.root = findings.root
        self.places: dict[tuple[str, str], Place] = {}

    def run(self, phase: str, tree: YamlMapping) -> Resources:
        """All resources of the bundle after *phase*.

        Raises:
            FindingError: the code failed; the finding has the place and the message of the failure.
        """
        with tempfile.TemporaryDirectory(prefix="bundle-python-") as name:
            place = Path(name)
            (place / "input").write_text(json.dumps(self._input(tree)), encoding="utf-8")
            command = [self._executable(), "-m", "databricks.bundles.build", "--phase", phase]
            for file in ("input", "output", "diagnostics", "locations"):
                command += [f"--{file}", str(place / file)]
            done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
            self._raise_error(_lines(place / "diagnostics"))
            if done.returncode:
                last = " ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
                raise self._error(f"a failure of `{command[0]} -m databricks.bundles.build`: {last}", self.block.place)
            for each in _lines(place / "locations"):
                if len(steps := str(each["path"]).split(".")) == 3:
                    self.places[steps[1], steps[2]] = (self.root / each["file"], each.get("line", 1))
            output = json.loads((place / "output").read_text(encoding="utf-8"))
            return dict(output.get("resources") or {})

    def _input(self, tree: YamlMapping) -> dict[str, Any]:
        """The bundle, with its `python` block under both of its names, since older versions of the library need it."""
        bundle = to_plain(tree)
        block = to_plain(self.block)
        return {**bundle, "python": block, "experimental": {**(bundle.get("experimental") or {}), "python": block}}

    def check_environment(self) -> None:
        """Add a finding if `venv_path` is no virtual environment: the CLI then refuses the bundle."""
        named = self.block.get("venv_path")
        if named and self._environment() is None:
            where = self.findings.at(self.block.places.get("venv_path", self.block.place), path=("python", "venv_path"))
            found = f"no virtual environment in `{named}`, so the code is run by {sys.executable} here"
            action = "Create it before the bundle is deployed."
            self.findings.add("python-environment", found, "one with `databricks-bundles`", action, where)

    def _executable(self) -> str:
        return str(self._environment() or sys.executable)

    def _environment(self) -> Path | None:
        """The Python of `venv_path`; None if there is none."""
        folder = self.root / str(self.block.get("venv_path") or "")
        inside = (folder / "bin" / "python", folder / "Scripts" / "python.exe")
        return next((file for file in inside if file.is_file()), None)

    def _raise_error(self, diagnostics: list[dict[str, Any]]) -> None:
        for each in diagnostics:
            if each["severity"] == "error":
                at = each.get("location") or {}
                place = (self.root / at["file"], at.get("line", 1)) if at.get("file") else self.block.place
                cause = (each.get("detail") or "").strip().splitlines()[-1:]
                raise self._error(": ".join([f"an error in Python code: {each['summary']}", *cause]), place)

    def _error(self, found: str, place: Place) -> FindingError:
        expected = "code that defines and changes jobs without an error"
        action = f"Correct the code, or install what it needs into `venv_path` (it was run by {self._executable()})."
        return FindingError(Finding(self.findings.at(place), "python", found.rstrip("."), expected, action))


def _with_added(
    tree: YamlMapping, resources: Resources, places: Mapping[tuple[str, str], Place], base: Place, findings: Findings
) -> YamlMapping:
    """*tree* with those *resources* that it does not have yet; one that the code defines again is reported."""
    result = _own_resources(tree)
    for kind, named in resources.items():
        block = result["resources"].get(kind)
        known = shallow_copy(block) if isinstance(block, YamlMapping) else YamlMapping(base)
        for key, resource in named.items():
            place = places.get((kind, key))
            if key not in known:
                known.put(key, _placed(resource, None, place or base, base), place or base)
            elif place is not None:
                job, first = (key if kind == "jobs" else ""), findings.at(known.places[key])
                where = findings.at(place, job=job, path=("resources", kind, key))
                found = f"`resources.{kind}.{key}` a second time (first in `{first}`)"
                findings.add("duplicate-resource", found, "it once", "Rename one of them.", where)
        result["resources"].put(kind, known, known.place)
    return result


def _with_changes(tree: YamlMapping, changes: Resources, base: Place) -> YamlMapping:
    """*tree* with the *changes* of its resources; everything that has not changed keeps its place."""
    result = _own_resources(tree)
    for kind, named in changes.items():
        block = shallow_copy(result["resources"][kind])
        for key, resource in named.items():
            block[key] = _placed(resource, block[key], block[key].place, base)
        result["resources"][kind] = block
    return result


def _changed(before: Resources, after: Resources) -> dict[str, dict[str, Any]]:
    """The resources of *after* that differ from those in *before*, by kind; mutators neither add nor remove any."""
    pairs = {kind: before.get(kind) or {} for kind in after}
    changes = {
        kind: {key: new for key, new in named.items() if key in pairs[kind] and to_plain(pairs[kind][key]) != new}
        for kind, named in after.items()
    }
    return {kind: named for kind, named in changes.items() if named}


def _keys_of(after: Resources, before: Resources) -> dict[str, set[str]]:
    """The keys of the resources that are new in *after*, by kind."""
    return {kind: set(named) - set(before.get(kind) or ()) for kind, named in after.items() if isinstance(named, dict)}


def _resources(tree: YamlMapping) -> Resources:
    return tree.get("resources") or {}


def _own_resources(tree: YamlMapping) -> YamlMapping:
    """A copy of *tree* whose `resources` block is a copy as well."""
    result, resources = shallow_copy(tree), tree.get("resources")
    own = shallow_copy(resources) if isinstance(resources, YamlMapping) else YamlMapping(tree.place)
    result.put("resources", own, own.place)
    return result


def _placed(value: Any, known: Any, place: Place, base: Place) -> Any:
    """*value* with the places of *known*; new values get *place*, and paths in them are relative to that of *base*."""
    if isinstance(value, dict):
        before = known if isinstance(known, YamlMapping) else YamlMapping(place)
        table = YamlMapping(before.place)
        for key, inner in value.items():
            table.put(key, _placed(inner, before.get(key), before.place, base), before.places.get(key, base))
        return table
    if isinstance(value, list):
        listed = known if isinstance(known, list) else []
        return [_placed(each, listed[i] if i < len(listed) else None, place, base) for i, each in enumerate(value)]
    return value


def _lines(file: Path) -> list[dict[str, Any]]:
    """The objects in *file*, which has one in each line; none if there is no such file."""
    lines = file.read_text(encoding="utf-8").split("\n") if file.is_file() else []
    return [json.loads(line) for line in lines if line]
