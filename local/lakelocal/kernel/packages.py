"""`%pip install`: packages for one notebook, in a folder of its own, which is first on the path.

The environment is shared by all notebooks, so nothing in it is changed. pip first tells what is missing here
(`--dry-run --report`), then installs exactly that into the folder (`--target`). A project named by `-e` is imported
from its source tree, nothing is built.

What the environment of a task or its `libraries` ask for is installed once for all tasks of the state: each `%pip` of
theirs has a folder that never changes (`lakelocal.shared_packages`), behind the notebook's own on the path.

Source: pip 23 documentation, "Installation Report"; Databricks documentation, "Notebook-scoped Python libraries".
"""

import atexit
import importlib
import json
import os
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
_PLAIN = {"PIP_PROGRESS_BAR": "off", "PIP_NO_COLOR": "1"}  # its output is kept in the notebook and told line by line
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


class Packages:
    """The packages that the notebook of *kernel* installed for itself."""

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._told: set[str] = set()  # the imported packages of which it was said that they were replaced
        self._shared: list[Path] = []  # the folders that tasks share, the one that was installed first last

    @cached_property
    def folder(self) -> Path:
        """Where they are; a job's attempt deletes it at its end, an interactive kernel when it ends."""
        if self._kernel.context is not None:
            folder = self._kernel.context.packages
            folder.mkdir(parents=True, exist_ok=True)
        else:
            folder = Path(tempfile.mkdtemp(prefix="packages-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        sys.path.insert(0, str(folder))
        return folder

    def pip(self, line: str) -> None:
        """Do the pip command *line*.

        Raises:
            DialectError: pip failed.
            ProjectError: a folder named by `-e` is no Python project.
        """
        command, *arguments = shlex.split(line, comments=True) or ["help"]
        if command == "install":
            self.install([self._local(argument) for argument in arguments], shared=self._is_of_task(line))
        elif command == "uninstall":
            print(
                f"%pip uninstall: nothing is done; {sys.prefix} is shared by all notebooks and stays as it is. "
                "What `%pip install` adds is gone when this notebook ends."
            )
        else:
            self._run([command, *arguments], print_line)

    def install(self, arguments: list[str], *, shared: bool = False) -> None:
        """Install what pip's *arguments* name; what the environment has already is not installed again.

        *shared*: all tasks of the state use one installation of it.
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
            print(f"Requirement already satisfied: {', '.join(rest)}")  # pip takes seconds to say so
        elif not projects or any(not word.startswith("-") for word in rest):
            installed += self._install_missing(rest, shared)
        importlib.invalidate_caches()
        for name in installed:
            if lacking := _lacking(name):
                print(
                    f"{name}: needs {', '.join(lacking)}, which this environment lacks. %pip install them if imported."
                )
        if again := sorted(self._replaced() - self._told):
            self._told.update(again)
            print(
                f"Already imported: {', '.join(again)}. dbutils.library.restartPython() lets the next import take what "
                "was installed."
            )

    def forget_replaced(self) -> None:
        """Let the next import of a package take the installed one, also where another version is imported."""
        for name in self._replaced():
            own = [key for key in sys.modules if key.partition(".")[0] == name]
            if any(str(getattr(sys.modules[key], "__file__", "")).endswith((".so", ".pyd")) for key in own):
                print(f"{name}: has compiled parts, which are imported once. Install it before its first import.")
                continue
            for key in own:
                del sys.modules[key]

    def _install_missing(self, arguments: list[str], shared: bool) -> list[str]:
        """Install what *arguments* name and the environment lacks; the names."""
        if shared and (key := installation_key(arguments, self._below())):
            return self._use_shared(key, arguments)
        wanted = self._missing(arguments, print_line)
        if wanted:
            self._forget(wanted)
            self._fill(self.folder, wanted, print_line)
            print("Installed for this notebook only; the shared environment stays as it is.")
        return list(wanted)

    def _use_shared(self, key: str, arguments: list[str]) -> list[str]:
        """Import from the installation *key*, which *arguments* make if there is none yet; the names of its packages.

        What pip says goes into the log of the attempt, which the next line of the notebook names.
        """
        assert self._kernel.context is not None, "only a task has something that others share"
        packages, log = SharedPackages(self._kernel.state.packages), self._kernel.context.log
        named = ", ".join(Path(word).name if word.startswith("/") else word for word in arguments if word[0] != "-")
        new = not packages.has(key)
        if new:
            print(f"{named}: installing for all tasks that need it. What pip says is in {log}")

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
            print(f"{named}: installed already, as an earlier task needed it.")
        return names

    def _missing(self, arguments: list[str], tell: Callable[[str], object]) -> dict[str, str]:
        """The packages that *arguments* name and this process lacks, with what pip needs to take each."""
        with tempfile.TemporaryDirectory() as place:
            report = Path(place) / "report.json"
            self._run(["install", "--dry-run", "--report", str(report), *arguments], tell)
            found = json.loads(report.read_text(encoding="utf-8"))["install"]
        wanted: dict[str, str] = {}
        for package in found:
            name = package["metadata"]["name"]
            if normalised(name) in _KEPT:
                tell(f"{name}: not installed; a local kernel keeps the one that fits its server.\n")
            else:
                wanted[name] = f"{name} @ {_address(package['download_info'])}"
        return wanted

    def _fill(self, place: Path, wanted: dict[str, str], tell: Callable[[str], object]) -> None:
        self._run(["install", "--no-deps", "--upgrade", "--target", str(place), *wanted.values()], tell)

    def _is_of_task(self, line: str) -> bool:
        """Is *line* one of those that install the task's environment?"""
        asked = self._kernel.context.installs if self._kernel.context else []
        return f"%pip {line}" in [cell.splitlines()[-1] for cell in asked]

    def _below(self) -> list[str]:
        """What a further installation is made on top of."""
        own = self.folder.glob("*.dist-info") if "folder" in vars(self) else ()
        return [place.name for place in (*self._shared, *own)]

    def _link(self, project: PythonProject) -> None:
        """Import *project* from its source tree, with metadata for what looks for its version or entry points."""
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
        """Remove what describes an earlier version; pip replaces the packages in a `--target`, but not this."""
        gone = {normalised(name) for name in names}
        for place in self.folder.glob("*.dist-info"):
            if normalised(place.stem.partition("-")[0]) in gone:
                shutil.rmtree(place)

    def _run(self, arguments: list[str], tell: Callable[[str], object]) -> None:
        """Run pip with *arguments*; *tell* is given what it says, line by line.

        Raises:
            DialectError: it failed; its errors are in the message.
        """
        known = [*map(str, self._folders()), os.environ.get("PYTHONPATH", "")]
        environment = {**_PLAIN, **os.environ, "PYTHONPATH": os.pathsep.join(path for path in known if path)}
        errors: list[str] = []

        def told(line: str) -> None:
            tell(line)
            if line.startswith("ERROR: "):
                errors.append(line.removeprefix("ERROR: ").strip())

        if status := run_command([*_PIP, *arguments], environment, told):
            why = " ".join(errors) or "its output says why."
            step = "Correct the name or the version."
            raise DialectError(f"`%pip {arguments[0]}`: pip ended with status {status}: {why} {step}")

    def _folders(self) -> list[Path]:
        """Where the packages are that were installed, the first on the path first."""
        return [*([self.folder] if "folder" in vars(self) else []), *self._shared]

    def _local(self, argument: str) -> str:
        """*argument*, as a place of this machine if it is a path in a volume or DBFS."""
        if not argument.startswith(("/Volumes/", "dbfs:/", "/dbfs/", "/Workspace/")):
            return argument
        return str(DatabricksPaths(self._kernel.state).to_local(argument))

    def _replaced(self) -> set[str]:
        """The imported packages that the folders hold in another version."""
        holds: dict[str, Path] = {}
        for folder in self._folders():
            names = (file.stem for file in folder.iterdir() if file.is_dir() or file.suffix == ".py")
            holds = {**dict.fromkeys(names, folder), **holds}
        return {
            name
            for name in holds.keys() & sys.modules.keys()
            if (place := getattr(sys.modules[name], "__file__", None)) and not Path(place).is_relative_to(holds[name])
        }


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
                "Correct the path: it starts at the notebook's folder."
            )
        projects.append(project)
    return projects, rest


def _without_spark(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """*words* without requirements of packages that a kernel keeps, and before them the wheels that name some.

    Such a wheel is installed alone, and its other requirements take its place. Otherwise the versions that those
    packages require would decide: pyspark 3.5 wants an older protobuf than ours.
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
            print(f"{word}: not installed; a local kernel keeps the one that fits its server.")
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
    """Is *word* a plain requirement that this process has, with all that it needs itself? pip would install nothing."""
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
    return needed.specifier.contains(version, prereleases=True) and not _lacking(needed.name)


def _lacking(name: str) -> list[str]:
    """What the installed package *name* requires and this process does not have."""
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
    """What pip needs to take the same package again."""
    if vcs := download.get("vcs_info"):
        return f"{vcs['vcs']}+{download['url']}@{vcs['commit_id']}"
    return str(download["url"])
