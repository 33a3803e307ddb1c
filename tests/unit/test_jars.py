"""Where Delta's jars are: once per machine, if the user may write there."""

import os
from pathlib import Path

import pytest

from lakelocal.errors import SetupError
from lakelocal.server import jars

as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def test_the_cache_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the folder in it includes the versions."""
    monkeypatch.setenv(jars.CACHE, str(tmp_path / "cache"))

    assert jars.delta_jars().parent == tmp_path / "cache"
    assert jars.delta_jars().name.startswith(f"delta-{jars.DELTA}-spark-{jars.SPARK_LINE}-")


def test_what_was_fetched_before_is_found_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's cache is tried first, then the environment."""
    monkeypatch.delenv(jars.CACHE, raising=False)
    monkeypatch.setattr(jars, "user_cache_path", lambda name: tmp_path / "home" / name)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
    assert jars.delta_jars().parent == tmp_path / "home" / "lakelocal"

    of_environment = tmp_path / "environment" / "share" / jars.delta_jars().name
    of_environment.mkdir(parents=True)
    assert jars.delta_jars() == of_environment

    of_user = tmp_path / "home" / "lakelocal" / of_environment.name
    of_user.mkdir(parents=True)
    assert jars.delta_jars() == of_user


@as_user
def test_a_cache_that_cannot_be_written_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example in a container whose home belongs to someone else."""
    (tmp_path / "home").mkdir(mode=0o500)
    (tmp_path / "environment").mkdir()
    monkeypatch.delenv(jars.CACHE, raising=False)
    monkeypatch.setattr(jars, "user_cache_path", lambda name: tmp_path / "home" / name)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))

    assert jars.delta_jars().parent == tmp_path / "environment" / "share"


def test_a_named_cache_that_is_no_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the path and the variable."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(jars.CACHE, str(tmp_path / "file" / "cache"))

    with pytest.raises(SetupError, match=rf"`{tmp_path}/file/cache`: cannot be written .*in {jars.CACHE}\."):
        jars.fetch_delta_jars()


def test_what_a_killed_process_had_fetched_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every jar comes again, into a folder of its own; a refusal leaves nothing behind."""
    monkeypatch.setenv(jars.CACHE, str(tmp_path))
    left = tmp_path / f"{jars.delta_jars().name}.part-x"
    left.mkdir()
    (left / "half.jar").write_bytes(b"half")

    def resolve(cache: Path, tell: object) -> Path:
        assert cache.parent == tmp_path and not left.exists()
        (cache / "jars").mkdir()
        return cache / "jars"

    monkeypatch.setattr(jars, "_resolve", resolve)
    with pytest.raises(SetupError, match="the jars that came differ"):
        jars.fetch_delta_jars()

    assert [place.suffix for place in tmp_path.iterdir()] == [".lock"]
