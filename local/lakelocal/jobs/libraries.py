"""The arguments of `%pip install` for the libraries of a task.

A wheel is reinstalled even if the environment already has its version; of its dependencies, only missing ones are.
"""

import glob
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lakelocal.bundle.libraries import WITH_PATH
from lakelocal.errors import RunError
from lakelocal.lakeflow.model import Bundle, Task, TaskLibrary
from lakelocal.sources.python_project import normalised, read_project

_WHEEL = re.compile(r"(.+\.whl)(\[[^\]]*\])?")
_BUILD = "`python -m build --wheel`, or the build command of the bundle's `artifacts`"


@dataclass(frozen=True)
class Install:
    """The *arguments* of one `%pip install`, and a *note* for the reader of the executed notebook."""

    arguments: str
    note: str = ""

    @property
    def cell(self) -> str:
        """The source of the cell that does it."""
        return f"# {self.note}\n%pip install {self.arguments}" if self.note else f"%pip install {self.arguments}"


def installs_of(task: Task, bundle: Bundle) -> list[Install]:
    """The installations that *task* needs before it runs, in order.

    Raises:
        RunError: a wheel is missing and its source is not in the bundle either, or it is not in the bundle or a volume.
    """
    return [each for library in task.libraries for each in _installs(library, task, bundle)]


def _installs(library: TaskLibrary, task: Task, bundle: Bundle) -> list[Install]:
    text = library.text.strip()
    if found := WITH_PATH.fullmatch(text):
        return [Install(f"{found[1]} {shlex.quote(_absolute(found[2], library.folder))}")]
    wheel = None if " @ " in text else _WHEEL.fullmatch(text)
    if not wheel and not text.startswith("."):
        return [Install(text if "--" in text else shlex.quote(text))]
    text, extras = (wheel[1], wheel[2] or "") if wheel else (text, "")
    if text.startswith(("/Volumes/", "dbfs:/Volumes/", "/Workspace/")):
        return _of_wheels([text], extras)
    is_inside = text.startswith("/") and any(Path(text).is_relative_to(folder) for folder in bundle.folders)
    if (text.startswith("/") and not is_inside) or ":/" in text:
        raise RunError(
            f"`{task.where}`: task `{task.key}`: found the library `{text}`; expected a path in the "
            "bundle, in a volume or in /Workspace. Put the wheel into the bundle."
        )
    if (library.folder / text).is_dir():
        return [Install(f"-e {shlex.quote(_absolute(text, library.folder))}")]
    wheels = _newest(Path(name).resolve() for name in glob.glob(str(library.folder / text)))
    if not wheels:
        return [_from_source(library, task, bundle)]
    return _of_wheels([str(each) for each in wheels], extras)


def _of_wheels(wheels: list[str], extras: str = "") -> list[Install]:
    """The *wheels* alone, then their dependencies: forced together, pip would also replace what the environment has."""
    named = " ".join(shlex.quote(f"{wheel}{extras}") for wheel in wheels)
    names = ", ".join(f"`{wheel.rpartition('/')[2]}`" for wheel in wheels)
    one = len(wheels) == 1
    return [
        Install(f"--no-deps --force-reinstall {named}", f"The {'wheel' if one else 'wheels'} {names}:"),
        Install(named, f"What {'it needs' if one else 'they need'}:"),
    ]


def _newest(wheels: Iterable[Path]) -> list[Path]:
    """The wheel of each project that was built last."""
    newest: dict[str, Path] = {}
    for wheel in sorted(wheels, key=lambda file: (file.stat().st_mtime_ns, file.name)):
        newest[normalised(wheel.name.partition("-")[0])] = wheel
    return sorted(newest.values())


def _from_source(library: TaskLibrary, task: Task, bundle: Bundle) -> Install:
    """The project whose wheel is not built: the one above the wheel's folder, or that of the bundle."""
    package = str((task.settings.get("python_wheel_task") or {}).get("package_name") or "")
    named = Path(_absolute(library.text, library.folder))
    roots = list(dict.fromkeys((named.parent.parent, bundle.root)))
    for root in roots:
        project = read_project(root) if root.is_dir() else None
        if project and (not package or not project.name or normalised(project.name) == normalised(package)):
            shown = root.relative_to(bundle.root).as_posix() if root.is_relative_to(bundle.root) else root
            return Install(
                f"-e {shlex.quote(str(root))}",
                f"There is no wheel `{library.text}`: `{project.name or package}` is imported from its source tree, "
                f"`{shown}`. Databricks needs the wheel; build it by {_BUILD}.",
            )
    wanted = f" for the package `{package}`" if package else ""
    entry = str((task.settings.get("python_wheel_task") or {}).get("entry_point") or "")
    raise RunError(
        f"`{task.where}`: task `{task.key}`: found no wheel `{library.text}`{wanted}"
        f"{f', whose entry point `{entry}` it runs' if entry else ''} (looked in `{named.parent}`), and no Python "
        f"project of it in {' or '.join(f'`{root}`' for root in roots)}. Build the wheel by {_BUILD}, "
        "or correct the path."
    )


def _absolute(path: str, folder: Path) -> str:
    """*path* as an absolute path without `..`; workspace and volume paths are kept as they are."""
    return str((folder / path.strip().strip("'\"")).resolve()) if not path.startswith("/") else path
