"""The folder of a Python project, read without building it: `pyproject.toml`, otherwise `setup.py`.

This is enough to import its packages from the source tree and to call its entry points; what a build computes is
unknown.

Source: Python Packaging User Guide, "Writing your pyproject.toml" and "Entry points specification"; Poetry's own keys.
"""

import ast
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.errors import ProjectError
from lakelocal.sources.lines import lines_of

FILES = ("pyproject.toml", "setup.py")


@dataclass(frozen=True)
class PythonProject:
    """*name* and *version* are "" if a build computes them; *entry_points* maps group and name to `module:object`.

    *imports* is the folder from which its packages are imported: `src` or the root.
    """

    root: Path
    name: str
    version: str
    imports: Path
    entry_points: Mapping[str, Mapping[str, str]]
    dependencies: tuple[str, ...]


def read_project(root: Path) -> PythonProject | None:
    """The project in *root*; None if the folder is not a project.

    Raises:
        ProjectError: its file cannot be read.
    """
    file = next((root / name for name in FILES if (root / name).is_file()), None)
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8")
        found = _from_toml(tomllib.loads(text)) if file.suffix == ".toml" else _from_setup(ast.parse(text))
    except (OSError, ValueError, SyntaxError) as error:
        raise ProjectError(f"`{file}`: cannot be read ({error}). Correct it.") from error
    if not found["name"] and file.suffix == ".toml" and (root / "setup.py").is_file():
        found = _from_setup(ast.parse((root / "setup.py").read_text(encoding="utf-8")))
    return PythonProject(root=root, imports=_imports(root, found["name"]), **found)


def normalised(name: str) -> str:
    """A project's name in the form in which packaging compares names: `My.Project` and `my_project` are the same."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _from_toml(tree: Mapping[str, Any]) -> dict[str, Any]:
    project = tree.get("project") or {}
    poetry = (tree.get("tool") or {}).get("poetry") or {}
    groups = dict(project.get("entry-points") or {})
    scripts = {**(poetry.get("scripts") or {}), **(project.get("scripts") or {})}
    groups["console_scripts"] = {name: value for name, value in scripts.items() if isinstance(value, str)}
    return {
        "name": str(project.get("name") or poetry.get("name") or ""),
        "version": str(project.get("version") or poetry.get("version") or ""),
        "entry_points": {group: entries for group, entries in groups.items() if entries},
        "dependencies": (
            *_requirements(project.get("dependencies")),
            *(name for name in poetry.get("dependencies") or () if name != "python"),  # its ranges are Poetry's own
        ),
    }


def _from_setup(tree: ast.Module) -> dict[str, Any]:
    """What `setup(...)` says in literals."""
    said: dict[str, Any] = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) == "setup":
            said = {keyword.arg: _literal(keyword.value) for keyword in call.keywords if keyword.arg}
    given = said.get("entry_points")
    groups = given if isinstance(given, dict) else {}
    return {
        "name": str(said.get("name") or ""),
        "version": str(said.get("version") or ""),
        "entry_points": {group: _pairs(entries) for group, entries in groups.items()},
        "dependencies": _requirements(said.get("install_requires")),
    }


def _requirements(value: Any) -> tuple[str, ...]:
    """The requirements in *value*, a list of them or a text with one a line; a table has none, as Poetry takes it."""
    lines = lines_of(value) if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
    return tuple(line.strip() for line in lines if isinstance(line, str) and line.strip())


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None  # computed by the build


def _pairs(entries: Any) -> dict[str, str]:
    lines = lines_of(entries) if isinstance(entries, str) else entries or ()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _imports(root: Path, name: str) -> Path:
    own = normalised(name).replace("-", "_")
    places = [folder for folder in (root / "src", root) if folder.is_dir() and not (folder / "__init__.py").exists()]
    named = [folder for folder in places if own and ((folder / own).is_dir() or (folder / f"{own}.py").is_file())]
    holding = [folder for folder in places if any(folder.glob("*/__init__.py")) or any(folder.glob("*.py"))]
    return next(iter([*named, *holding]), root)
