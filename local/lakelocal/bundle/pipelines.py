"""Turns the mappings of pipelines into frozen, checked `Pipeline`s with their source files.

A mistake in a pipeline does not stop the bundle: a task that updates the pipeline fails when its turn comes.

Source: Databricks CLI 1.13, `bundle/libraries` and `expand_pipeline_glob_paths.go`: `*` in the path of a notebook or
file is expanded, and stays if nothing matches; `glob.include` is a notebook, a file, or a folder with `/**`; paths are
relative to the file that names them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.deployed import pipeline_id
from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.libraries import folder_of
from lakelocal.bundle.merge import to_plain
from lakelocal.bundle.notebooks import find_file, find_notebook
from lakelocal.lakeflow.field_values import as_switch, as_text
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Steps, Where
from lakelocal.lakeflow.model import BundleSettings
from lakelocal.lakeflow.pipelines import FIELDS, Pipeline
from lakelocal.lakeflow.verdicts import REFUSED
from lakelocal.sources import is_notebook

_SOURCES = (".py", ".sql", ".ipynb")
_KINDS = ("notebook", "file", "glob")


def read_pipelines(tree: YamlMapping, settings: BundleSettings, findings: Findings) -> dict[str, Pipeline]:
    """The pipelines of *tree* in the order of their definition; *findings* only serve to make places."""
    resources = tree.get("resources") or {}
    named = resources.get("pipelines") or {}
    return {
        key: read_pipeline(key, block, settings, findings)
        for key, block in named.items()
        if isinstance(block, YamlMapping)
    }


def read_pipeline(key: str, source: YamlMapping, settings: BundleSettings, findings: Findings) -> Pipeline:
    """The pipeline *key*, which is written as *source*."""
    return _Reader(key, source, settings, findings).pipeline()


class _Reader:
    """Reads one pipeline, and finds what is wrong with it."""

    def __init__(self, key: str, source: YamlMapping, settings: BundleSettings, findings: Findings) -> None:
        self.key, self.source, self.settings, self.findings = key, source, settings, findings
        self.faults: list[Finding] = []
        self.notes: list[str] = []

    def pipeline(self) -> Pipeline:
        settings = to_plain(self.source)
        for name, value in settings.items():
            verdict, note = FIELDS.get(name, ("", ""))
            if verdict == REFUSED and value:
                self._fault(
                    "pipeline", f"`{name}`", "fields that run on this machine", f"{note.capitalize()}.", (name,)
                )
        sources = tuple(dict.fromkeys(self._sources()))
        if not sources and not self.faults:
            self._fault("pipeline", "no sources", "`libraries` with notebooks or files", "Add some.", ("libraries",))
        schema = as_text(settings.get("schema") or settings.get("target") or "")
        if not schema or "." in schema:
            found = f"the schema `{schema}`" if schema else "no `schema`"
            self._fault("pipeline", found, "the name of a schema", "Name the schema for its tables.", ("schema",))
        if as_switch(settings.get("continuous")):
            self.notes.append("`continuous` is ignored: an update processes the data that is there, and then ends")
        return Pipeline(
            key=self.key,
            id=pipeline_id(self.settings.name, self.settings.target, self.key),
            name=as_text(settings.get("name") or self.key),
            settings=settings,
            catalog=as_text(settings.get("catalog") or self.settings.catalog),
            schema=schema,
            sources=sources,
            root=self._root(settings.get("root_path")),
            configuration=_texts(settings.get("configuration")),
            parameters=_texts(settings.get("parameters")),
            dependencies=tuple(self._dependencies()),
            notes=tuple(self.notes),
            fault=self.faults[0] if self.faults else None,
            where=self._where(()),
        )

    def _sources(self) -> Iterator[Path]:
        libraries = self.source.get("libraries")
        for number, library in enumerate(libraries if isinstance(libraries, list) else ()):
            kinds = [kind for kind in library if library[kind]] if isinstance(library, dict) else []
            path: Steps = ("libraries", number)
            if len(kinds) != 1 or kinds[0] not in _KINDS:
                found = ", ".join(f"`{kind}`" for kind in kinds) or f"nothing in `libraries[{number}]`"
                self._fault("pipeline", found, "one of `notebook`, `file` and `glob`", "Name one of them.", path)
                continue
            field = "include" if kinds[0] == "glob" else "path"
            block = library[kinds[0]]
            named = block.get(field) if isinstance(block, dict) else None
            if not isinstance(named, str):
                self._fault("pipeline", f"no `{field}`", "the path of source files", "Add it.", (*path, kinds[0]))
                continue
            folder = place_of(self.source, (*path, kinds[0], field), self.source.place)[0].parent
            yield from self._found(kinds[0], named, folder, (*path, kinds[0], field))

    def _found(self, kind: str, named: str, folder: Path, path: Steps) -> Iterator[Path]:
        """The files that *named*, written in a file of *folder*, stands for."""
        try:
            if kind == "glob":
                yield from self._in_folder(named, folder, path)
                return
            for each in self._expanded(named, folder):
                if kind == "notebook":
                    yield find_notebook(each, folder, self.settings.folders)
                else:
                    yield self._file(each, folder)
        except FindingError as error:
            self.faults += [finding.moved(self._where(path)) for finding in error.findings]

    def _expanded(self, named: str, folder: Path) -> list[str]:
        if "*" not in named or named.startswith("/"):
            return [named]
        files = sorted(file for file in folder.glob(named.removeprefix("./")) if file.is_file())
        return [str(file) for file in files] or [named]

    def _file(self, named: str, folder: Path) -> Path:
        file = (folder / named).resolve()
        if file.is_file() and is_notebook(file):
            found, expected = f"the notebook `{named}` as a `file`", "a plain file"
            raise FindingError(Finding(Where(), "pipeline", found, expected, "Name it under `notebook` instead."))
        found_file = find_file(named, folder, self.settings.folders)
        if found_file.suffix.lower() not in (".py", ".sql"):
            found, expected = f"the file `{named}`", "a file with the extension `.py` or `.sql`"
            action = "Correct the path, or name a folder with `glob`."
            raise FindingError(Finding(Where(), "pipeline", found, expected, action))
        return found_file

    def _in_folder(self, named: str, folder: Path, path: Steps) -> Iterator[Path]:
        if not named.endswith("/**"):
            file = (folder / named).resolve()
            yield (
                find_notebook(named, folder, self.settings.folders) if is_notebook(file) else self._file(named, folder)
            )
            return
        root = (folder / named.removesuffix("/**")).resolve()
        if not root.is_dir():
            expected = "a folder of the bundle"
            raise FindingError(Finding(Where(), "missing-file", f"no folder `{named}`", expected, "Correct the path."))
        for file in sorted(root.rglob("*")):
            hidden = any(part.startswith((".", "__pycache__")) for part in file.relative_to(root).parts)
            if hidden or not file.is_file():
                continue
            if file.suffix.lower() in _SOURCES:
                yield file
            else:
                self.notes.append(f"`{file.name}` is not a source file of a pipeline, and is ignored")

    def _root(self, named: Any) -> Path | None:
        if not named:
            return None
        folder = place_of(self.source, ("root_path",), self.source.place)[0].parent
        root = (folder / str(named)).resolve()
        if not root.is_dir():
            expected = "a folder that exists as `root_path`"
            self._fault("missing-file", f"no folder `{named}`", expected, "Correct the path.", ("root_path",))
        return root

    def _dependencies(self) -> Iterator[tuple[str, Path]]:
        environment = self.source.get("environment")
        if not isinstance(environment, YamlMapping):
            return
        for text in environment.get("dependencies") or ():
            yield as_text(text), folder_of(environment, "dependencies", self.source.place[0].parent)

    def _fault(self, rule: str, found: str, expected: str, action: str, path: Steps) -> None:
        self.faults.append(Finding(self._where(path), rule, f"{found} in the pipeline `{self.key}`", expected, action))

    def _where(self, path: Steps) -> Where:
        place = place_of(self.source, path, self.source.place)
        return self.findings.at(place, path=("resources", "pipelines", self.key, *path))


def _texts(given: Any) -> dict[str, str]:
    return {str(key): as_text(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
