"""The artifacts of a bundle, such as wheels that a deployment builds. Here, tasks install their sources instead.

Source: Databricks CLI 1.13, `bundle/artifacts/prepare.go`, `bundle/config/mutator/translate_paths_artifacts.go`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.libraries import folder_of
from lakelocal.bundle.references import references_in
from lakelocal.lakeflow.field_values import as_text
from lakelocal.lakeflow.findings import Findings


def check_artifacts(tree: YamlMapping, findings: Findings) -> None:
    """Add to *findings* the artifacts of *tree* whose folder does not exist."""
    artifacts = tree.get("artifacts")
    if not isinstance(artifacts, YamlMapping):
        return
    for name, artifact in artifacts.items():
        path = artifact.get("path") if isinstance(artifact, YamlMapping) else None
        if not path or any(references_in(path)) or (folder_of(artifact, "path", findings.root) / str(path)).is_dir():
            continue
        where = findings.at(artifact.places.get("path", artifact.place), path=("artifacts", name, "path"))
        action = "Create it or correct the path: without it, the bundle cannot be deployed."
        findings.add("artifact-folder", f"no folder `{path}`", "the folder that is built", action, where)


def with_absolute_paths(artifact: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """*artifact* with absolute paths; a wheel that names no files gets the command that builds it into `dist`."""
    path = os.path.normpath(folder / str(artifact.get("path") or "."))
    built = {"build": "python3 setup.py bdist_wheel", "files": [{"source": "dist/*.whl"}]}
    found = {**(built if artifact.get("type") == "whl" and not artifact.get("files") else {}), **artifact, "path": path}
    for file in found.get("files") or []:
        if isinstance(file, dict) and "source" in file:
            file["source"] = os.path.normpath(Path(path if found.get("build") else folder) / str(file["source"]))
    return {**found, "build": as_text(found["build"])} if "build" in found else found
