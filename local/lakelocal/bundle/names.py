"""What `${...}` may name in a bundle: variables, the bundle, the workspace and the ids of its own resources."""

import getpass
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.git import git_details
from lakelocal.bundle.variables import Resolver

_STEP = re.compile(r"[^.\[\]]+")


def job_id(bundle: str, target: str, key: str) -> int:
    """The id of a job on this machine: stable for (bundle, target, key), of 15 digits as on Databricks."""
    digest = hashlib.sha256(f"{bundle}\0{target}\0{key}".encode()).digest()
    return 10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14)


class Lookup:
    """Gives the value of a reference's path; raises LookupError with what was expected: one of the legal names.

    *folders* are those of the bundle's files, its root first. Nothing is copied to a workspace: `workspace.file_path`
    is where the files are, the folder around all of them as in the CLI.
    """

    def __init__(
        self, tree: YamlMapping, values: dict[str, Any], *, bundle: str, target: str, folders: Sequence[Path]
    ) -> None:
        user = getpass.getuser()
        root_path = f"/Workspace/Users/{user}/.bundle/{bundle}/{target}"
        workspace = {"host": "local", "root_path": root_path, **(tree.get("workspace") or {})}
        for part, folder in (("artifact_path", "artifacts"), ("state_path", "state")):
            workspace.setdefault(part, f"{workspace['root_path']}/{folder}")
        workspace["file_path"] = os.path.commonpath(folders)
        workspace["current_user"] = {
            "userName": user,
            "displayName": user,
            "short_name": re.sub(r"\W", "_", user),
            "domain_friendly_name": user,
        }
        self.tree = tree
        self.known: dict[str, Any] = {
            "var": values,
            "variables": {name: {"value": value} for name, value in values.items()},
            "bundle": {**(tree.get("bundle") or {}), "name": bundle, "target": target, "environment": target},
            "workspace": workspace,
        }
        self.names = (bundle, target)
        self.root = folders[0]

    def __call__(self, path: str) -> Any:
        steps = _STEP.findall(path)
        if steps[0] == "resources":
            return self._resource(steps)
        if steps[0] not in self.known:
            raise LookupError(f"one that begins with {' or '.join(f'`{name}`' for name in (*self.known, 'resources'))}")
        if steps[:2] == ["bundle", "git"]:
            self._know_git()
        value: Any = self.known[steps[0]]
        for number, step in enumerate(steps[1:], start=1):
            value = _inside(value, step, ".".join(steps[:number]))
        return value

    def _know_git(self) -> None:
        """Only when it is asked for: git is another program."""
        if "actual_branch" not in self.known["bundle"].get("git", {}):
            written = {**(self.known["bundle"].get("git") or {}), **(self.tree.get("git") or {})}
            self.known["bundle"]["git"] = git_details(self.root, written)

    def _resource(self, steps: list[str]) -> Any:
        kinds = self.tree.get("resources") or {}
        if len(steps) < 4:
            return Resolver.KEEP
        if steps[1] != "jobs":
            return _written(kinds.get(steps[1]), steps[2:])
        jobs = kinds.get("jobs") or {}
        if steps[2] not in jobs:
            raise LookupError(_one_of(jobs, "resources.jobs"))
        if steps[3] == "id":
            return job_id(*self.names, steps[2])
        value: Any = jobs[steps[2]]
        for number, step in enumerate(steps[3:], start=3):
            value = _inside(value, step, ".".join(steps[:number]))
        return value


def _written(value: Any, steps: list[str]) -> Any:
    """The field of a resource other than a job, if it is written in the bundle: what a workspace adds is not known."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return Resolver.KEEP if value is None else value


def _inside(value: Any, step: str, path: str) -> Any:
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    if isinstance(value, dict) and step in value:
        return value[step]
    raise LookupError(_one_of(value if isinstance(value, dict) else (), path))


def _one_of(names: Iterable[str], path: str) -> str:
    known = ", ".join(f"`{name}`" for name in names)
    return f"one of {known} in `{path}`" if known else f"a name in `{path}`, which has none"
