"""The paths in jobs and pipelines as a deployment rewrites them: files and notebooks become paths in the workspace,
wheels and JARs become paths relative to the folder that is deployed.

Absolute paths and those with a scheme are left alone, and so are all paths of a job with a `git_source`.

Source: Databricks CLI 1.13, `normalize_paths.go`, `translate_paths.go` and `bundle/libraries/local_path.go`.
"""

import os
import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.libraries import folder_of
from lakelocal.bundle.merge import shallow_copy
from lakelocal.bundle.presets import change_resources
from lakelocal.sources.languages import LANGUAGES

_NOTEBOOK, _FILE, _PATTERN = "notebook", "file", "pattern"
_IN_TASKS = {
    ("notebook_task", "notebook_path"): _NOTEBOOK,
    ("spark_python_task", "python_file"): _FILE,
    ("dbt_task", "project_directory"): _FILE,
    ("sql_task", "file", "path"): _FILE,
    ("alert_task", "workspace_path"): _FILE,
}
_IN_LIBRARIES = {("notebook", "path"): _NOTEBOOK, ("file", "path"): _FILE, ("glob", "include"): _PATTERN}
_DESIGNER_SUFFIX = ".designer.ipynb"  # the one kind of notebook that keeps its extension
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_OPTION_WITH_PATH = re.compile(r"(-r|-e) +(.+)")
_PACKAGE = re.compile(r"[\w-]+ ?(\[.*\])? ?((==|!=|<=|>=|~=|>|<) ?[\w.!+-]+,?)*")
_HAS_OPTION = re.compile(r"(^|\s)--?[a-zA-Z0-9-]+([\s|=]|$)")


def with_deployed_paths(tree: YamlMapping, root: Path, synced: Path) -> YamlMapping:
    """*tree* of the bundle at *root*, with the paths in its resources rewritten; *synced* is the deployed folder."""
    paths = _Paths(root, synced, str(tree["workspace"]["file_path"]))
    result = change_resources(tree, "jobs", lambda job: job if job.get("git_source") else paths.of_job(job))
    return change_resources(result, "pipelines", paths.of_pipeline)


class _Paths:
    def __init__(self, root: Path, synced: Path, remote: str) -> None:
        self.root = root
        self.synced = synced
        self.remote = remote

    def of_job(self, job: YamlMapping) -> YamlMapping:
        result = _each(job, "tasks", self._task)
        return _each(result, "environments", lambda each: _inside(each, ("spec",), self._environment))

    def of_pipeline(self, pipeline: YamlMapping) -> YamlMapping:
        result = _field(pipeline, "root_path", lambda text, folder: self._deployed(text, folder, _FILE))
        result = _inside(result, ("environment",), self._environment)
        for path, mode in _IN_LIBRARIES.items():

            def change(block: YamlMapping, field: str = path[-1], mode: str = mode) -> YamlMapping:
                return _field(block, field, lambda text, folder: self._deployed(text, folder, mode))

            def library(each: YamlMapping, path: tuple[str, ...] = path, change: Any = change) -> YamlMapping:
                return _inside(each, path[:-1], change)

            result = _each(result, "libraries", library)
        return result

    def _task(self, task: YamlMapping) -> YamlMapping:
        for path, mode in _IN_TASKS.items():

            def change(block: YamlMapping, field: str = path[-1], mode: str = mode) -> YamlMapping:
                return _field(block, field, lambda text, folder: self._deployed(text, folder, mode))

            task = _inside(task, path[:-1], change)
        task = _inside(task, ("for_each_task",), lambda loop: _inside(loop, ("task",), self._task))
        return _each(task, "libraries", self._library)

    def _library(self, library: YamlMapping) -> YamlMapping:
        for field in ("whl", "jar"):
            library = _field(library, field, lambda text, folder: self._relative(text, folder, self.synced))
        return _field(library, "requirements", lambda text, folder: self._deployed(text, folder, _FILE))

    def _environment(self, spec: YamlMapping) -> YamlMapping:
        listed = spec.get("dependencies")
        if not isinstance(listed, list):
            return spec
        folder = folder_of(spec, "dependencies", self.root)
        result = shallow_copy(spec)
        result["dependencies"] = [self._dependency(str(each), folder) for each in listed]
        return result

    def _dependency(self, text: str, folder: Path) -> str:
        if (found := _OPTION_WITH_PATH.fullmatch(text)) and not _is_elsewhere(found[2].strip()):
            return f"{found[1]} {self._deployed(found[2].strip(), folder, _FILE)}"
        is_local = text.startswith(".") or not (_HAS_OPTION.search(text) or _PACKAGE.fullmatch(text) or " @ " in text)
        if not is_local or _is_elsewhere(text):
            return text
        relative = self._relative(text, folder, self.synced)
        return relative if relative.startswith(".") else f"./{relative}"

    def _deployed(self, text: str, folder: Path, mode: str) -> str:
        """The path of the file in the workspace; if there is no such file, its path relative to the bundle."""
        if _is_elsewhere(text):
            return text
        file = Path(os.path.normpath(folder / text))
        if (mode != _PATTERN and not file.exists()) or not file.is_relative_to(self.synced):
            return self._relative(text, folder, self.root)
        name = file.relative_to(self.synced).as_posix()
        stem, suffix = posixpath.splitext(name)
        is_notebook = (
            mode == _NOTEBOOK and suffix.lower() in (".ipynb", *LANGUAGES) and not name.endswith(_DESIGNER_SUFFIX)
        )
        return posixpath.normpath(posixpath.join(self.remote, stem if is_notebook else name))

    def _relative(self, text: str, folder: Path, start: Path) -> str:
        return text if _is_elsewhere(text) else Path(os.path.relpath(folder / text, start)).as_posix()


def _is_elsewhere(path: str) -> bool:
    return path.startswith("/") or bool(_SCHEME.match(path)) or "${" in path


def _each(table: YamlMapping, name: str, change: Callable[[YamlMapping], YamlMapping]) -> YamlMapping:
    entries = table.get(name)
    if not isinstance(entries, list):
        return table
    result = shallow_copy(table)
    result[name] = [change(each) if isinstance(each, YamlMapping) else each for each in entries]
    return result


def _inside(table: YamlMapping, path: tuple[str, ...], change: Callable[[YamlMapping], YamlMapping]) -> YamlMapping:
    if not path:
        return change(table)
    block = table.get(path[0])
    if not isinstance(block, YamlMapping):
        return table
    result = shallow_copy(table)
    result[path[0]] = _inside(block, path[1:], change)
    return result


def _field(table: YamlMapping, name: str, change: Callable[[str, Path], Any]) -> YamlMapping:
    if not isinstance(table.get(name), str):
        return table
    result = shallow_copy(table)
    result[name] = change(table[name], table.places.get(name, table.place)[0].parent)
    return result
