"""`%pip install` without harm to the shared environment, in a separate process for each test."""

import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest

from lakelocal.errors import ProjectError
from lakelocal.sources.python_project import read_project

KERNEL = """
    import json, sys
    from types import SimpleNamespace
    from pathlib import Path
    from lakelocal.kernel.packages import Packages

    asked = SimpleNamespace(packages=Path("packages").resolve(), log=Path("task.log"), installs=INSTALLS)
    packages = Packages(SimpleNamespace(context=asked, state=SimpleNamespace(packages=Path("shared").resolve())))
"""


def outcome(folder: Path, code: str, *, installs: list[str] | None = None) -> str:
    """What *code* prints in a process that works in *folder*, including errors. No index can be reached.

    *installs* are the cells that install the environment of the process's task.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"{dedent(KERNEL).replace('INSTALLS', repr(installs or []))}\n{dedent(code)}"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=folder,
        env={**os.environ, "PIP_NO_INDEX": "1", "PYTHONPATH": str(Path(__file__).parents[2] / "local")},
    )
    return done.stdout + done.stderr


def write_wheel(folder: Path, name: str, version: str, *requires: str) -> Path:
    """Write a wheel of one module that prints its version, with the entry point `main`."""
    place = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    with zipfile.ZipFile(place, "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\ndef main(): print(version)\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/entry_points.txt", f"[console_scripts]\nmain = {name}:main\n")
        wheel.writestr(f"{info}/RECORD", "")
    return place


def test_a_wheel_goes_into_the_notebooks_own_folder(tmp_path: Path) -> None:
    """The environment does not change; packages already imported are reported, and replaced after `restartPython`."""
    write_wheel(tmp_path, "sample_pkg", "1.0")
    write_wheel(tmp_path, "sample_pkg", "2.0", "nothing-has-this-name>=3", "pip")

    said = outcome(
        tmp_path,
        """
        packages.pip("install ./sample_pkg-1.0-py3-none-any.whl  # a comment")
        import sample_pkg
        print("first", sample_pkg.version, Path(sample_pkg.__file__).parent == packages.folder)
        sample_pkg.__file__ = "/elsewhere/sample_pkg.py"
        packages.pip("install --no-deps --force-reinstall 'sample_pkg-2.0-py3-none-any.whl'")
        packages.forget_replaced()
        import sample_pkg
        print("then", sample_pkg.version)
        """,
    )

    assert "first 1.0 True" in said
    assert "sample_pkg: requires `nothing-has-this-name>=3`, which this environment lacks" in said
    assert "Already imported: sample_pkg. After dbutils.library.restartPython()" in said
    assert "then 2.0" in said
    assert "Installed for this notebook only" in said
    listed = subprocess.run([sys.executable, "-m", "pip", "list"], capture_output=True, text=True, timeout=60).stdout
    assert "sample" not in listed


def test_what_a_wheel_needs_and_the_environment_lacks_comes_too(tmp_path: Path) -> None:
    """As for a task's wheel: the wheel in any case, and what is missing; `pyspark` keeps the server's version."""
    write_wheel(tmp_path, "sample_pkg", "1.0", "needed_pkg>=2", "pip", "pyspark>1")
    write_wheel(tmp_path, "needed_pkg", "2.1")
    write_wheel(tmp_path, "needed_pkg", "1.9")

    said = outcome(
        tmp_path,
        """
        packages.pip("install --no-deps --force-reinstall ./sample_pkg-1.0-py3-none-any.whl")
        packages.pip("install --find-links . ./sample_pkg-1.0-py3-none-any.whl")
        import needed_pkg, sample_pkg
        print(sample_pkg.version, needed_pkg.version)
        print(sorted(each.name for each in packages.folder.iterdir() if each.suffix == ".py"))
        """,
    )

    assert said.endswith("1.0 2.1\n['needed_pkg.py', 'sample_pkg.py']\n"), said


def test_what_the_environment_has_is_not_installed_again(tmp_path: Path) -> None:
    """pip itself says so, and the folder stays empty."""
    said = outcome(tmp_path, "packages.pip('install pip'); print(list(packages.folder.iterdir()))")

    assert "Requirement already satisfied: pip" in said
    assert said.endswith("[]\n")


def test_pip_is_not_started_for_what_is_there_already(tmp_path: Path) -> None:
    """It takes pip seconds to say so; another version, or an extra, is still a question for pip."""
    said = outcome(
        tmp_path,
        """
        import lakelocal.kernel.packages as module
        def run(*_): raise SystemExit("pip was started")
        module.run_command = run
        packages.install(["pip", "Pip>=1"])
        packages.install(["pip<1"])
        """,
    )

    assert said == "Requirement already satisfied: pip, Pip>=1\npip was started\n"


def test_what_cannot_be_installed_fails_the_cell(tmp_path: Path) -> None:
    """As on Databricks; pip says why. A notebook of its name is not taken for it."""
    (tmp_path / "pip.py").write_text("raise SystemExit('this is no pip')")

    said = outcome(tmp_path, "packages.pip('install nothing-has-this-name')")

    assert "No matching distribution found for nothing-has-this-name" in said
    assert "DialectError: `%pip install`: pip ended with status 1" in said


def test_uninstall_changes_nothing_and_says_so(tmp_path: Path) -> None:
    """Otherwise the package would be gone for all notebooks."""
    said = outcome(tmp_path, "packages.pip('uninstall -y packaging'); import packaging; print(packaging.__name__)")

    assert "%pip uninstall: nothing is done" in said
    assert said.endswith("packaging\n")


PYPROJECT = """
[project]
name = "My-Project"
version = "1.2"
dependencies = ["pip"]
[project.scripts]
run = "my_project.main:main"
[project.entry-points.other]
more = "my_project:more"
"""
SETUP = """
from setuptools import find_packages, setup
import my_project
setup(
    name="my_project", version=my_project.__version__, packages=find_packages(where="./src"),
    package_dir={"": "src"}, entry_points={"packages": ["main=my_project.main:main"]}, install_requires=["pip"],
)
"""


def project(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "name", "version", "imports", "entry_points"),
    [
        (
            {"pyproject.toml": PYPROJECT, "src/my_project/__init__.py": ""},
            "My-Project",
            "1.2",
            "src",
            {"console_scripts": {"run": "my_project.main:main"}, "other": {"more": "my_project:more"}},
        ),
        (
            {"setup.py": SETUP, "src/my_project/__init__.py": ""},
            "my_project",
            "",
            "src",
            {"packages": {"main": "my_project.main:main"}},
        ),
        (
            {"pyproject.toml": PYPROJECT, "my_project/__init__.py": "", "src/notes.py": ""},
            "My-Project",
            "1.2",
            ".",
            {"console_scripts": {"run": "my_project.main:main"}, "other": {"more": "my_project:more"}},
        ),
        (
            {"pyproject.toml": "[tool.poetry]\nname = 'p'\n[tool.poetry.scripts]\nx = 'p:x'\n", "p.py": ""},
            "p",
            "",
            ".",
            {"console_scripts": {"x": "p:x"}},
        ),
        (
            {"pyproject.toml": "[build-system]\nrequires = []\n", "setup.py": SETUP, "src/my_project/__init__.py": ""},
            "my_project",
            "",
            "src",
            {"packages": {"main": "my_project.main:main"}},
        ),
    ],
)
def test_a_project_is_read_without_building_it(
    tmp_path: Path, files: dict[str, str], name: str, version: str, imports: str, entry_points: dict
) -> None:
    """From pyproject.toml, from Poetry's and from setup.py; with `src` or without."""
    found = read_project(project(tmp_path, files))

    assert found is not None
    assert (found.name, found.version, found.imports) == (name, version, (tmp_path / imports).resolve())
    assert found.entry_points == entry_points


def test_the_dependencies_of_poetry_are_names(tmp_path: Path) -> None:
    """Its ranges (`^6.1`) are unknown to pip."""
    text = "[tool.poetry]\nname = 'p'\n[tool.poetry.dependencies]\npython = '^3.10'\ncowsay = '^6.1'\n"

    assert read_project(project(tmp_path, {"pyproject.toml": text})).dependencies == ("cowsay",)


@pytest.mark.parametrize(
    ("file", "text", "dependencies"),
    [
        ("pyproject.toml", "[project]\nname='p'\n[project.dependencies]\nrequires-python='>=3.10'\n", ()),
        ("pyproject.toml", "[project]\nname='p'\ndependencies = ['a>1', 'b']\n", ("a>1", "b")),
        ("setup.py", "setup(name='p', install_requires='a>1\\n b\\n')", ("a>1", "b")),
        ("setup.py", "setup(name='p', install_requires=('a>1',))", ("a>1",)),
        ("setup.py", "setup(name='p', install_requires=open('r.txt').read())", ()),
    ],
)
def test_what_a_project_requires_is_a_list(tmp_path: Path, file: str, text: str, dependencies: tuple) -> None:
    """Or a text, for setuptools; a table under that name requires nothing."""
    assert read_project(project(tmp_path, {file: text})).dependencies == dependencies


def test_a_folder_without_a_project_is_none_and_a_broken_one_is_told(tmp_path: Path) -> None:
    """The file and the reason."""
    assert read_project(tmp_path) is None
    project(tmp_path, {"pyproject.toml": "["})

    with pytest.raises(ProjectError, match=r"pyproject\.toml`: cannot be read"):
        read_project(tmp_path)


def test_a_project_named_by_e_is_imported_from_its_source(tmp_path: Path) -> None:
    """With version and entry points, like an editable install; without a build or an index."""
    project(
        tmp_path,
        {
            "pyproject.toml": PYPROJECT,
            "src/my_project/__init__.py": "def more(): return 'more'\n",
            "src/my_project/main.py": "def main(): return 'main'\n",
            "notebooks/n.txt": "",
        },
    )

    said = outcome(
        tmp_path / "notebooks",
        """
        packages.pip("install -q -e '../[dev]'")
        from importlib import metadata
        found = {entry.name: entry.load()() for entry in metadata.distribution("my-project").entry_points}
        print(json.dumps([metadata.version("my_project"), found]))
        """,
    )

    assert f"My-Project: imported from its source tree, {tmp_path / 'src'}" in said
    assert json.loads(said.splitlines()[-1]) == ["1.2", {"run": "main", "more": "more"}]


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    """The path starts at the notebook's folder, where it is easy to miscount the `..`."""
    assert "found no Python project in" in outcome(tmp_path, "packages.pip('install -e .')")


def test_spark_is_left_out_before_pip_decides_on_versions(tmp_path: Path) -> None:
    """Of requirements, and of a wheel's: pip is not asked for pyspark, which nothing here has."""
    write_wheel(tmp_path, "sample_pkg", "1.0", "pyspark>=3.5,<3.6", "other_pkg", "delta-spark; extra == 'delta'")
    write_wheel(tmp_path, "other_pkg", "2.0")

    said = outcome(
        tmp_path,
        """
        packages.pip("install --find-links . pyspark==3.5.1 sample_pkg-1.0-py3-none-any.whl[delta]")
        import other_pkg, sample_pkg
        print(sample_pkg.version, other_pkg.version)
        """,
    )

    assert said.rstrip().endswith("1.0 2.0"), said
    assert said.count("not installed; a local kernel keeps the version that fits its server") == 3


SHARING = """
    packages.pip(ASKED)
    import needed_pkg, sample_pkg
    from importlib import metadata
    print(sample_pkg.version, needed_pkg.version, metadata.version("needed_pkg"))
"""


def shared_outcome(folder: Path, asked: str, more: str = "") -> str:
    """What a task prints whose environment is installed by `%pip` *asked*, and then *more*."""
    code = dedent(SHARING).replace("ASKED", repr(asked)) + dedent(more)
    return outcome(folder, code, installs=[f"# why\n%pip {asked}"])


def test_tasks_share_what_their_environment_asks_for(tmp_path: Path) -> None:
    """Four at once: one asks pip, whose words are in its log alone; all import from one folder."""
    write_wheel(tmp_path, "sample_pkg", "1.0", "needed_pkg>=2")
    write_wheel(tmp_path, "needed_pkg", "2.1")

    with ThreadPoolExecutor(4) as tasks:
        said = list(tasks.map(lambda _: shared_outcome(tmp_path, "install --find-links=. sample_pkg"), range(4)))

    assert [text.splitlines()[-1] for text in said] == ["1.0 2.1 2.1"] * 4, said
    assert not any("Looking in links" in text or "Processing" in text for text in said)
    assert (tmp_path / "task.log").read_text().count("Successfully installed") == 1
    assert len([place for place in (tmp_path / "shared").iterdir() if place.is_dir()]) == 1
    assert not (tmp_path / "packages").exists()


def test_a_rebuilt_wheel_is_installed_anew(tmp_path: Path) -> None:
    """As by the same command; the earlier installation stays as it was."""
    write_wheel(tmp_path, "needed_pkg", "2.1")
    asked = "install --no-deps ./sample_pkg-1.0-py3-none-any.whl ./needed_pkg-2.1-py3-none-any.whl"
    for number in (1, 2):
        write_wheel(tmp_path, "sample_pkg", "1.0", *["pip"] * number)
        shared_outcome(tmp_path, asked)

    assert len([place for place in (tmp_path / "shared").iterdir() if place.is_dir()]) == 2


def test_a_notebook_can_replace_what_its_environment_has(tmp_path: Path) -> None:
    """Its own folder comes first on the path, whatever was installed first."""
    write_wheel(tmp_path, "sample_pkg", "1.0")
    write_wheel(tmp_path, "sample_pkg", "2.0")
    write_wheel(tmp_path, "needed_pkg", "2.1")

    said = shared_outcome(
        tmp_path,
        "install --find-links=. sample_pkg==1.0 needed_pkg",
        """
        packages.pip("install --find-links . sample_pkg==2.0")
        packages.forget_replaced()
        import sample_pkg
        print(sample_pkg.version, metadata.version("sample_pkg"))
        """,
    )

    assert said.splitlines()[-1] == "2.0 2.0", said
    assert "Already imported: sample_pkg." in said
    assert "1.0 2.1 2.1" in shared_outcome(tmp_path, "install --find-links=. sample_pkg==1.0 needed_pkg")


def test_what_an_environment_lacks_is_the_reason_and_is_asked_for_again(tmp_path: Path) -> None:
    """pip's own words, and nothing is left of the attempt."""
    for _ in range(2):
        said = shared_outcome(tmp_path, "install nothing-has-this-name")
        assert "pip ended with status 1: " in said
        assert "No matching distribution found for nothing-has-this-name" in said
    assert not [place for place in (tmp_path / "shared").iterdir() if place.is_dir()]
