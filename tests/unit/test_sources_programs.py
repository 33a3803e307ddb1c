"""How a program ends, and which function an entry point refers to."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lakelocal.errors import RunError
from lakelocal.kernel.programs import run_entry_point


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `a_sample` on the path, with metadata that name one entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", sys.argv)
    for name in [name for name in sys.modules if name.startswith("a_sample")]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "a_sample.py").write_text(
        "import sys\n"
        "def main(): print('main', sys.argv)\n"
        "def plain(): print('plain')\n"
        "def end(): raise SystemExit(eval(sys.argv[1]))\n"
        "value = 1\n"
    )
    info = tmp_path / "a_sample-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a-sample\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nrun = a_sample:main\n[other]\nmore = a_sample:plain\n")
    return tmp_path


@pytest.mark.parametrize("name", ["a-sample", "a_sample"])
def test_an_entry_point_is_called_with_the_packages_name_and_the_arguments(package, capsys, name: str) -> None:
    """In any group, by either spelling of the package."""
    run_entry_point(name, "run", ["x"])
    run_entry_point(name, "more", [])

    assert capsys.readouterr().out == f"main ['{name}', 'x']\nplain\n"


def test_what_is_no_entry_point_is_a_function_of_the_package(package, capsys) -> None:
    """As the Jobs API documents it."""
    run_entry_point("a-sample", "plain", [])

    assert capsys.readouterr().out == "plain\n"


@pytest.mark.parametrize(
    ("name", "entry_point", "there"),
    [
        ("a-sample", "nothing", "`run`, `more`"),
        ("a-sample", "value", "`run`, `more`"),
    ],
)
def test_what_is_neither_is_told_with_what_there_is(package, name: str, entry_point: str, there: str) -> None:
    """And with what to write where."""
    with pytest.raises(RunError) as raised:
        run_entry_point(name, entry_point, [])

    module = name.replace("-", "_")
    assert str(raised.value).startswith(
        f"`{name}`: found no entry point `{entry_point}` (its entry points: {there}) and no function "
        f"`{module}.{entry_point}`. Add it to `[project.scripts]`"
    )


def test_a_package_whose_own_imports_fail_says_which(package) -> None:
    """Not that the package is missing."""
    (package / "a_sample.py").write_text("import nothing_has_this_name\n")

    with pytest.raises(ModuleNotFoundError, match="nothing_has_this_name"):
        run_entry_point("a-sample", "run", [])


@pytest.mark.parametrize("code", ["None", "0", "False"])
def test_an_exit_code_of_none_or_zero_is_success(package, code: str) -> None:
    """Most programs end by `sys.exit(main())`."""
    run_entry_point("a-sample", "end", [code])


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("1", "ended with the exit code 1; expected 0 or none. Its output is above."),
        ("''", "ended with the exit code ''; expected 0 or none. Its output is above."),
        ("'no input'", "ended by sys.exit: no input"),
    ],
)
def test_any_other_exit_code_is_a_failure(package, code: str, told: str) -> None:
    """Including a text: Python prints it and ends with 1."""
    with pytest.raises(RunError) as raised:
        run_entry_point("a-sample", "end", [code])

    assert str(raised.value) == f"`a-sample: end`: {told}"


@pytest.mark.parametrize(
    ("installs", "told"),
    [
        ([], "it has none"),
        (
            ["# The wheel:\n%pip install /b/x.whl", "%pip install six"],
            "the libraries of the task are `/b/x.whl`, `six`",
        ),
    ],
)
def test_a_package_that_nothing_brings_is_told(monkeypatch: pytest.MonkeyPatch, installs: list[str], told: str) -> None:
    """Such as one that a Docker image has: the entry point is not what is wrong."""
    kernel = SimpleNamespace(context=SimpleNamespace(installs=installs))
    monkeypatch.setattr("lakelocal.kernel.programs.current_kernel", lambda: kernel)

    with pytest.raises(RunError) as raised:
        run_entry_point("no-such-package", "main", [])

    assert str(raised.value).startswith(
        f"`no-such-package`: found no such package; expected it in a library of the task ({told})."
    )
