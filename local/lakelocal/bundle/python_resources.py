"""Jobs that a bundle defines or changes in Python: its `python` block, as the Databricks CLI runs it.

The CLI starts `python -m databricks.bundles.build` in the bundle's folder, once to load resources and once to apply
the mutators to all jobs. Paths in jobs that Python defines count from the bundle's root. The Python is that of
`venv_path`; where the bundle has none (yet), it is the one that runs here.

Source: Databricks CLI 1.13, `bundle/config/mutator/python/python_mutator.go`; `databricks.bundles.build`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.merge import copied, plain
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place

_LAST_LINES = 5


def apply_python(tree: YamlMapping, *, target: str, variables: Mapping[str, Any], findings: Findings) -> None:
    """Add to *tree* the jobs that its Python code defines, and change jobs as its mutators do.

    *variables* are the values that the code sees. What goes wrong in the code is added to *findings*.
    """
    block = tree.get("python")
    if not isinstance(block, YamlMapping):
        return
    with findings.caught():
        python = _Python(tree, block, target, variables, findings)
        if block.get("resources"):
            _add(tree, python.jobs("load_resources"), python.places, findings)
        if block.get("mutators"):
            _change(tree, python.jobs("apply_mutators"), block.place)


class _Python:
    """The build program of databricks-bundles for one bundle; *places* is where each job was defined last."""

    def __init__(
        self, tree: YamlMapping, block: YamlMapping, target: str, variables: Mapping[str, Any], findings: Findings
    ) -> None:
        self.tree = tree
        self.block = block
        self.target = target
        self.variables = variables
        self.findings = findings
        self.root = findings.root
        self.places: dict[str, Place] = {}

    def jobs(self, phase: str) -> dict[str, Any]:
        """All jobs of the bundle after *phase*.

        Raises:
            FindingError: the code failed; with its place and its own words.
        """
        with tempfile.TemporaryDirectory(prefix="bundle-python-") as name:
            place = Path(name)
            (place / "input").write_text(json.dumps(self._input()), encoding="utf-8")
            command = [self._executable(), "-m", "databricks.bundles.build", "--phase", phase]
            for file in ("input", "output", "diagnostics", "locations"):
                command += [f"--{file}", str(place / file)]
            done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
            self._raise_error(_lines(place / "diagnostics"))
            if done.returncode:
                last = " ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
                raise self._error(
                    f"that `{command[0]} -m databricks.bundles.build` ended with: {last}", self.block.place
                )
            for each in _lines(place / "locations"):
                key = each["path"].removeprefix("resources.jobs.")
                self.places[key] = (self.root / each["file"], each.get("line", 1))
            output = json.loads((place / "output").read_text(encoding="utf-8"))
            return dict(output.get("resources", {}).get("jobs", {}))

    def _input(self) -> dict[str, Any]:
        return {
            "bundle": {"target": self.target},
            "variables": {name: {"value": plain(value)} for name, value in self.variables.items()},
            "python": plain(self.block),
            "resources": {"jobs": plain(_jobs(self.tree))},
        }

    def _executable(self) -> str:
        folder = self.root / str(self.block.get("venv_path") or "")
        inside = (folder / "bin" / "python", folder / "Scripts" / "python.exe")
        return str(next((file for file in inside if file.is_file()), sys.executable))

    def _raise_error(self, diagnostics: list[dict[str, Any]]) -> None:
        for each in diagnostics:
            if each["severity"] == "error":
                at = each.get("location") or {}
                place = (self.root / at["file"], at.get("line", 1)) if at.get("file") else self.block.place
                cause = (each.get("detail") or "").strip().splitlines()[-1:]
                raise self._error(": ".join([f"in Python code: {each['summary']}", *cause]), place)

    def _error(self, found: str, place: Place) -> FindingError:
        expected = "code that defines and changes jobs without an error"
        action = f"Correct the code, or install what it needs where `venv_path` says (it ran in {self._executable()})."
        return FindingError(Finding(self.findings.at(place), "python", found.rstrip("."), expected, action))


def _add(
    tree: YamlMapping,
    jobs: Mapping[str, Any],
    places: Mapping[str, Place],
    findings: Findings,
) -> None:
    """Put into *tree* those of *jobs* that it has not; loading may not define a job a second time."""
    known, base = _jobs(tree), tree.places["python"]
    result = copied(known)
    for key, job in jobs.items():
        place = places.get(key)
        if key not in known:
            result.put(key, _placed(job, None, place or base, base), place or base)
        elif place is not None:
            first, where = findings.at(known.places[key]), findings.at(place, path=("resources", "jobs", key))
            found = f"`resources.jobs.{key}` a second time (first in `{first}`)"
            findings.add("duplicate-resource", found, "it once", "Rename one of them.", where)
    _put_jobs(tree, result)


def _change(tree: YamlMapping, jobs: Mapping[str, Any], base: Place) -> None:
    """Put the changed *jobs* into *tree*; what did not change keeps its place."""
    known = _jobs(tree)
    result = copied(known)
    for key, job in jobs.items():
        result.put(key, _placed(job, known[key], known[key].place, base), known.places[key])
    _put_jobs(tree, result)


def _placed(value: Any, known: Any, place: Place, base: Place) -> Any:
    """*value* with the places of *known*; what is new is at *place*, and its paths count from *base*."""
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


def _jobs(tree: YamlMapping) -> YamlMapping:
    jobs = (tree.get("resources") or {}).get("jobs")
    return jobs if isinstance(jobs, YamlMapping) else YamlMapping(tree.place)


def _put_jobs(tree: YamlMapping, jobs: YamlMapping) -> None:
    resources = tree.get("resources")
    changed = copied(resources) if isinstance(resources, YamlMapping) else YamlMapping(tree.place)
    changed.put("jobs", jobs, jobs.place)
    tree.put("resources", changed, changed.place)


def _lines(file: Path) -> list[dict[str, Any]]:
    """The objects in *file*, one a line; none where it was not written."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
