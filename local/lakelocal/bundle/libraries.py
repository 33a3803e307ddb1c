"""The Python libraries of a task: its own `libraries`, and the dependencies of its environment.

Source: Jobs API 2.2, `Library` and `Environment.dependencies`; Databricks CLI 1.13, `bundle/libraries` (a local path
is relative to the file that defines it).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.references import references_in
from lakelocal.lakeflow.findings import Finding, Steps, Where
from lakelocal.lakeflow.model import TaskLibrary

WITH_PATH = re.compile(r"(-r|--requirement|-e|--editable)[ =]\s*(.+)")
"""A dependency that names a file or a folder by an option of pip."""
_DEPLOYED_FILE_OPTION = re.compile(r"(-r|-e) +(.+)")  # the CLI deploys the file of these, but not of the long options


def read_libraries(task: Mapping[str, Any], job: Mapping[str, Any], folder: Path) -> tuple[TaskLibrary, ...]:
    """The Python libraries of *task* in their order, without JARs and packages of Maven and CRAN.

    *folder* is that of the job's file, for values that have no place of their own.
    """
    return (*_own(task, folder), *_of_environment(task, job, folder))


def wrong_requirements(job: Mapping[str, Any], folder: Path) -> Iterator[tuple[Steps, Finding]]:
    """The dependencies in the environments of *job* that a deployment refuses: `-r` or `-e` with something that is not
    a file. Since `-e` needs a folder, it is always refused.

    Each finding comes with its path in the job, and has no place yet. *folder* is that of the job's file.
    """
    for number, environment in enumerate(job.get("environments") or []):
        spec = environment.get("spec") if isinstance(environment, Mapping) else None
        for entry, text in enumerate((spec or {}).get("dependencies") or []):
            option = _DEPLOYED_FILE_OPTION.fullmatch(str(text))
            if option is None or option[2].startswith("/") or ":/" in option[2] or any(references_in(text)):
                continue
            file = folder_of(spec or {}, "dependencies", folder) / option[2].strip()
            if not file.is_file():
                problem = "a folder, which cannot be deployed" if file.is_dir() else "which does not exist"
                expected, action = "a file of requirements, or a wheel", "Correct the path, or build a wheel."
                path = ("environments", number, "spec", "dependencies", entry)
                yield path, Finding(Where(), "missing-file", f"`{text}`, {problem}", expected, action)


def _own(task: Mapping[str, Any], folder: Path) -> Iterator[TaskLibrary]:
    for entry in task.get("libraries") or []:
        if not isinstance(entry, Mapping):
            continue  # reported already, by the check of types
        if isinstance(entry.get("whl"), str):
            yield TaskLibrary(entry["whl"], folder_of(entry, "whl", folder))
        if isinstance(entry.get("requirements"), str):
            yield TaskLibrary(f"-r {entry['requirements']}", folder_of(entry, "requirements", folder))
        if isinstance(pypi := entry.get("pypi"), Mapping) and isinstance(pypi.get("package"), str):
            index = f" --index-url {pypi['repo']}" if pypi.get("repo") else ""
            yield TaskLibrary(f"{pypi['package']}{index}", folder)


def _of_environment(task: Mapping[str, Any], job: Mapping[str, Any], folder: Path) -> Iterator[TaskLibrary]:
    key = task.get("environment_key")
    for environment in job.get("environments") or []:
        if key is None or not isinstance(environment, Mapping) or environment.get("environment_key") != key:
            continue
        spec = environment.get("spec") or {}
        for dependency in spec.get("dependencies") or []:
            yield TaskLibrary(str(dependency), folder_of(spec, "dependencies", folder))


def folder_of(written: Mapping[str, Any], key: str, otherwise: Path) -> Path:
    """The folder that paths in the field *key* of *written* are relative to; *otherwise* if its place is unknown."""
    places = written.places if isinstance(written, YamlMapping) else {}
    return places[key][0].parent if key in places else otherwise
