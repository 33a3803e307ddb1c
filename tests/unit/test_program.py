"""The command that messages name works where the reader is."""

from pathlib import Path

import pytest

from lakelocal.program import called

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The `bin` of an environment with the command."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("python", "lakelocal"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def test_it_has_its_path_unless_the_environment_is_active(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the folder if the environment is below it; in the repository, it is the module."""
    monkeypatch.setenv("PATH", "/usr/bin")
    project = environment.parents[1]
    assert called(project, environment / "python") == ".venv/bin/lakelocal"
    assert called(project / "sub", environment / "python") == f"{environment}/lakelocal"
    assert called(ROOT, environment / "python") == f"{environment}/python -m local"

    monkeypatch.setenv("PATH", str(environment))
    assert called(project, environment / "python") == "lakelocal"
    assert called(ROOT, environment / "python") == "python -m local"


def test_an_environment_without_the_command_has_the_module(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a package that was found by PYTHONPATH."""
    monkeypatch.setenv("PATH", "/usr/bin")
    (environment / "lakelocal").unlink()

    assert called(environment.parents[1], environment / "python") == ".venv/bin/python -m lakelocal"
