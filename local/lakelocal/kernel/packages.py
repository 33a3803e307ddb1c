"""`%pip install`: installs packages for one notebook, into a folder of its own, which is first on the path.

The environment is shared by all notebooks, so nothing in it is changed. pip first reports what is missing here
(`--dry-run --report`), and then installs exactly that into the folder (`--target`). A project named by `-e` is imported
from its source tree; nothing is built.

What the environment or the `libraries` of a task ask for is installed once for all tasks of the state: each such `%pip`
command has a folder that never changes (`lakelocal.shared_packages`), which comes after the notebook's own on the path.

Source: pip 23 documentation, "Installation Report"; Databricks documentation, "Notebook-scoped Python libraries".
"""

import atexit
import importlib
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakelocal.errors import DialectError, ProjectError
from lakelocal.kernel.shell import print_line, run_command
from lakelocal.paths import DatabricksPaths
from lakelocal.shared_packages import SharedPackages, installation_key
from lakelocal.sources.python_project import PythonProject, normalised, read_project

if TYPE_CHECKING:
    from lakelocal.kernel.kernel import Kernel

_EDITABLE = ("-e", "--editable")
_KEPT = frozenset({"pyspark", "pyspark-client", "pyspark-connect", "databricks-connect", "delta-spark"})
_PLAIN = {"PIP_PROGRESS_BAR": "off", "PIP_NO_COLOR": "1"}  # since the output is stored in the notebook line by line
_PIP = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check"]  # -P: `pip.py` may be a notebook here
_UNREACHED = re.compile(r"NewConnectionError|NameResolutionError|ProxyError|ConnectTimeoutError|Connection refused")


class Packages:
    """The packages that the notebook of *kernel* has installed for itself."""

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._announced: set[str] = set()  # the imported packages that the user knows to be replaced
        self._shared: list[Path] = []  # the folders of shared installations, the latest first

    @cached_property
    def folder(self) -> Path:
        """The folder of the packages; it is deleted when the attempt, or an interactive kernel, ends."""
        if self._kernel.context is not None:
            folder = self._kernel.context.packages
            folder.mkdir(parents=True, exist_ok=True)
        else:
            folder = Path(tempfile.mkdtemp(prefix="packages-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        sys.path.insert(0, str(folder))
        return folder

    def pip(self, line: str) -> None:
        """Run the pip command *line*.

        Raises:
            DialectError: pip failed.
            ProjectError: a folder named by `-e` is not a Python project.
        """
        command, *arguments = shlex.split(line, comments=True) or ["help"]
        if command == "install":
            self.install([self._local(argument) for argument in arguments], shared=self._is_of_task(line))
        elif command == "uninstall":
            print(
                f"%pip uninstall: nothing is done, since {sys.prefix} is shared by all notebooks. "
                "What `%pip install` adds is removed when this notebook ends."
            )
        else:
            self._run([command, *arguments], print_line)

    def install(self, arguments: list[str], *, shared: bool = False) -> None:
        """Install what pip's *arguments* name, except for what the environment has already.

        *shared*: all tasks of the state use the same installation.
        """
        projects, rest = _split(arguments)
        for project in projects:
            self._link(project)
            rest += () if "--no-deps" in rest else project.dependencies
        installed = [project.name for project in projects if project.name]
        if "--no-deps" not in rest:
            wheels, rest = _without_spark(rest)
            for wheel in wheels:
                installed += self._install_missing(["--no-deps", wheel], shared)
            if not rest and not projects:
                return
        if rest and all(_is_satisfied(word) for word in rest):
            print(f"Requirement already satisfied: {', '.join(rest)}")  # pip would take seconds to say so
        elif not projects or any(not word.startswith("-") for word in rest):
            installed += self._install_missing(rest, shared)
        importlib.invalidate_caches()
        for name in installed:
            if lacking := _missing_requirements_of(name):
                print(
                    f"{name}: requires {', '.join(lacking)}, which this environment lacks. Use %pip install if your "
                    "code needs that."
                )
        if again := sorted(self._replaced() - self._announced):
            self._announced.update(again)
            print(
                f"Already imported: {', '.join(again)}. After dbutils.library.restartPython(), the next import uses "
                "the version that was installed."
            )

    def forget_replaced(self) -> None:
        """Let the next import of a package use the installed version, even if another one has been imported."""
        for name in self._replaced():
            own = [key for key in sys.modules if key.partition(".")[0] == name]
            if any(str(getattr(sys.modules[key], "__file__", "")).endswith((".so", ".pyd")) for key in own):
                print(f"{name}: has compiled parts, which are imported only once. Install it before its first import.")
                continue
            for key in own:
                del sys.modules[key]

    def _install_missing(self, arguments: list[str], shared: bool) -> list[str]:
        """Install what *arguments* name and the environment lacks; returns the names of these packages."""
        if shared and (key := installation_key(arguments, self._already_installed())):
            return self._use_shared(key, arguments)
        wanted = self._missing(arguments, print_line)
        if wanted:
            self._forget(wanted)
            self._fill(self.folder, wanted, print_line)
            print("Installed for this notebook only; the shared environment has not changed.")
        return list(wanted)

    def _use_shared(self, key: str, arguments: list[str]) -> list[str]:
        """Import from the installation *key*, made with *arguments* if it does not exist; returns its package names.

        The output of pip goes into the log of the attempt, which the notebook names.
        """
        assert self._kernel.context is not None, "only tasks share installations"
        packages, log = SharedPackages(self._kernel.state.packages), self._kernel.context.log
        named = ", ".join(Path(word).name if word.startswith("/") else word for word in arguments if word[0] != "-")
        new = not packages.has(key)
        if new:
            print(f"{named}: installing for all tasks that need it. The output of pip is in {log}")

        def fill(place: Path) -> None:
            with log.open("a", encoding="utf-8", buffering=1) as told:
                wanted = self._missing(arguments, told.write)
                if wanted:
                    self._fill(place, wanted, told.write)

        folder = packages.claim(key, fill)
        self._shared.insert(0, folder)
        sys.path.insert(1 if "folder" in vars(self) else 0, str(folder))
        names = sorted({found.name for found in metadata.distributions(path=[str(folder)])})
        if names and not new:
            print(f"{named}: installed already, since an earlier task needed it.")
        return names

    def _missing(self, arguments: list[str], tell: Callable[[str], object]) -> dict[str, str]:
        """The packages that *arguments* name and this process lacks, each with the requirement for pip to install."""
        with tempfile.TemporaryDirectory() as place:
            report = Path(place) / "report.json"
            self._run(["install", "--dry-run", "--report", str(report), *arguments], tell)
            found = json.loads(report.read_text(encoding="utf-8"))["install"]
        wanted: dict[str, str] = {}
        for package in found:
            name = package["metadata"]["name"]
            if normalised(name) in _KEPT:
                tell(f"{name}: not installed; a local kernel keeps the version that fits its server.\n")
            else:
                wanted[name] = f"{name} @ {_address(package['download_info'])}"
        return wanted

    def _fill(self, place: Path, wanted: dict[str, str], tell: Callable[[str], object]) -> None:
        self._run(["install", "--no-deps", "--upgrade", "--target", str(place), *wanted.values()], tell)

    def _is_of_task(self, line: str) -> bool:
        """Is *line* one of the commands that install the task's environment?"""
        asked = self._kernel.context.installs if self._kernel.context else []
        return f"%pip {line}" in [cell.splitlines()[-1] for cell in asked]

    def _already_installed(self) -> list[str]:
        """The names of the installations that are in use, which a further one builds on."""
        own = self.folder.glob("*.dist-info") if "folder" in vars(self) else ()
        return [place.name for place in (*self._shared, *own)]

    def _link(self, project: PythonProject) -> None:
        """Import *project* from its source tree, with metadata for code that asks for its version or entry points."""
        name = project.name or project.root.name
        self._forget([name])
        place = self.folder / f"{normalised(name).replace('-', '_')}-{project.version or '0'}.dist-info"
        place.mkdir(exist_ok=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {project.version or '0'}"]
        lines += [f"Requires-Dist: {each}" for each in project.dependencies]
        (place / "METADATA").write_text("\n".join([*lines, ""]), encoding="utf-8")
        groups = (
            f"[{group}]\n" + "\n".join(f"{entry} = {value}" for entry, value in entries.items())
            for group, entries in project.entry_points.items()
        )
        (place / "entry_points.txt").write_text("\n\n".join(groups) + "\n", encoding="utf-8")
        sys.path.insert(0, str(project.imports))
        print(f"{name}: imported from its source tree, {project.imports}; nothing was built.")

    def _forget(self, names: Iterable[str]) -> None:
        """Remove the metadata of earlier versions, which pip does not replace in a `--target`, unlike the packages."""
        gone = {normalised(name) for name in names}
        for place in self.folder.glob("*.dist-info"):
            if normalised(place.stem.partition("-")[0]) in gone:
                shutil.rmtree(place)

    def _run(self, arguments: list[str], tell: Callable[[str], object]) -> None:
        """Run pip with *arguments*, and pass its output to *tell*, line by line.

        Raises:
            DialectError: pip failed; its errors are in the message.
        """
        known = [*map(str, self._folders()), os.environ.get("PYTHONPATH", "")]
        environment = {**_PLAIN, **os.environ, "PYTHONPATH": os.pathsep.join(path for path in known if path)}
        said: list[str] = []

        def told(line: str) -> None:
            tell(line)
            said.append(line.strip())

        if status := run_command([*_PIP, *arguments], environment, told):
            raise DialectError(f"`%pip {arguments[0]}`: pip ended with status {status}: {_why(said)}")

    def _folders(self) -> list[Path]:
        """The folders of the installed packages, in the order of the path."""
        return [*([self.folder] if "folder" in vars(self) else []), *self._shared]

    def _local(self, argument: str) -> str:
        """*argument*; if it is a path in a volume, DBFS or the workspace, that path on this machine."""
        if not argument.startswith(("/Volumes/", "dbfs:/", "/dbfs/", "/Workspace/")):
            return argument
        return str(DatabricksPaths(self._kernel.state).to_local(argument))

    def _replaced(self) -> set[str]:
        """The imported packages of which the folders contain another version."""
        holds: dict[str, Path] = {}
        for folder in self._folders():
            names = (file.stem for file in folder.iterdir() if file.is_dir() or file.suffix == ".py")
            holds = {**dict.fromkeys(names, folder), **holds}
        return {
            name
            for name in holds.keys() & sys.modules.keys()
            if (place := getattr(sys.modules[name], "__file__", None)) and not Path(place).is_relative_to(holds[name])
        }


def _why(said: list[str]) -> str:
    """Why pip failed, and what to do, by the lines that it said."""
    errors = [line.removeprefix("ERROR: ").rstrip(".") for line in said if line.startswith("ERROR: ")]
    why = ". ".join(errors or [line for line in said if line][-1:])
    if any(_UNREACHED.search(line) for line in said):
        return f"{why}. The index of packages was not reached: connect to the network, or name another index."
    return f"{why}. Correct the name or the version."


def _split(arguments: list[str]) -> tuple[list[PythonProject], list[str]]:
    """The projects that *arguments* name by `-e`, and the other arguments."""
    projects, rest = [], []
    words = iter(arguments)
    for word in words:
        flag, equals, path = word.partition("=")
        if flag not in _EDITABLE:
            rest.append(word)
            continue
        path = path if equals else next(words, "")
        root = Path(path.partition("[")[0]).resolve()  # without extras, as in `-e .[dev]`
        project = read_project(root)
        if project is None:
            raise ProjectError(
                f"`%pip install -e`: found no Python project in `{root}`; expected pyproject.toml or setup.py. "
                "Correct the path, which is relative to the notebook's folder."
            )
        projects.append(project)
    return projects, rest


def _without_spark(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """The wheels among *words* that require packages which a kernel keeps, and the other requirements without those.

    Such a wheel is installed without its dependencies, and its other requirements replace it in *words*. Otherwise the
    requirements of the kept packages would count: pyspark 3.5, for example, needs an older protobuf than ours.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    wheels, rest = [], []
    for word in words:
        path, _, extras = word.removesuffix("]").partition("[")
        if path.endswith(".whl") and Path(path).is_file():
            needs = _needs_of_wheel(Path(path), [each.strip() for each in extras.split(",") if each])
            _, kept = _without_spark(needs)
            wheels += [path] if len(kept) < len(needs) else []
            rest += kept if len(kept) < len(needs) else [word]
            continue
        try:
            name = normalised(Requirement(word).name)
        except InvalidRequirement:
            name = ""
        if name in _KEPT:
            print(f"{word}: not installed; a local kernel keeps the version that fits its server.")
        else:
            rest.append(word)
    return wheels, rest


def _needs_of_wheel(wheel: Path, extras: list[str]) -> list[str]:
    """The requirements of *wheel* with *extras* that apply to this environment."""
    from packaging.requirements import Requirement

    needs = []
    folder = next(each for each in zipfile.Path(wheel).iterdir() if each.name.endswith(".dist-info"))
    for text in metadata.PathDistribution(folder).requires or ():
        needed = Requirement(text)
        if not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in ["", *extras]):
            needed.marker = None
            needs.append(str(needed))
    return needs


def _is_satisfied(word: str) -> bool:
    """Is *word* a plain requirement that this process satisfies, so that pip would install nothing?"""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        needed = Requirement(word)
    except InvalidRequirement:
        return False
    if needed.url or needed.extras or needed.marker:
        return False
    try:
        version = metadata.version(needed.name)
    except metadata.PackageNotFoundError:
        return False
    return needed.specifier.contains(version, prereleases=True) and not _missing_requirements_of(needed.name)


def _missing_requirements_of(name: str) -> list[str]:
    """The requirements of the installed package *name* that this process does not satisfy."""
    from packaging.requirements import Requirement

    found = []
    for text in metadata.requires(name) or ():
        needed = Requirement(text)
        if normalised(needed.name) in _KEPT or (needed.marker and not needed.marker.evaluate({"extra": ""})):
            continue
        try:
            fits = needed.specifier.contains(metadata.version(needed.name), prereleases=True)
        except metadata.PackageNotFoundError:
            fits = False
        if not fits:
            found.append(f"`{needed}`")
    return found


def _address(download: dict[str, Any]) -> str:
    """The address from which pip gets the same package again."""
    if vcs := download.get("vcs_info"):
        return f"{vcs['vcs']}+{download['url']}@{vcs['commit_id']}"
    return str(download["url"])
