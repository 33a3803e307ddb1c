"""`dbutils.fs`: what it shows, and that nothing leaves the state folder."""

import os
import time

import pytest

from lakelocal.errors import DbutilsError, PathError
from lakelocal.kernel.dbutils.fs import FileInfo, FileSystem, PathNotFound
from lakelocal.project import State

VOLUME = "/Volumes/main/raw/files"


@pytest.fixture
def state(tmp_path):
    """A state with one volume, `raw.files`."""
    state = State(tmp_path, "main", tmp_path / "state").make()
    (state.volumes / "raw" / "files").mkdir(parents=True)
    return state


@pytest.fixture
def volume(state):
    return state.volumes / "raw" / "files"


@pytest.fixture
def fs(state):
    return FileSystem(lambda: state)


def test_a_listing_is_sorted_and_shows_paths_as_databricks_does(fs, volume):
    """Folders end with `/` and have size 0; times are milliseconds."""
    (volume / "b.csv").write_bytes(b"12345")
    (volume / "a").mkdir()
    os.utime(volume / "b.csv", (1_500_000_000, 1_500_000_000.5))
    os.utime(volume / "a", (1_500_000_001, 1_500_000_001))

    expected = [
        FileInfo("dbfs:/Volumes/main/raw/files/a/", "a/", 0, 1_500_000_001_000),
        FileInfo("dbfs:/Volumes/main/raw/files/b.csv", "b.csv", 5, 1_500_000_000_500),
    ]
    assert fs.ls(VOLUME) == expected
    assert fs.ls(f"dbfs:{VOLUME}/") == expected
    assert [info.isDir() for info in expected] == [True, False]
    assert fs.ls(f"{VOLUME}/b.csv") == expected[1:]


def test_the_levels_above_a_volume_can_be_listed(fs):
    """/Volumes, the catalog and the schema can be listed as folders."""
    assert [info.path for info in fs.ls("/Volumes")] == ["dbfs:/Volumes/main/"]
    assert [info.path for info in fs.ls("/Volumes/main")] == ["dbfs:/Volumes/main/raw/"]
    assert [info.path for info in fs.ls("/Volumes/main/raw")] == ["dbfs:/Volumes/main/raw/files/"]


def test_paths_without_a_scheme_are_in_dbfs(fs, state):
    """As on Databricks: /tmp/x is dbfs:/tmp/x, not a folder of this machine."""
    fs.put("/tmp/x.txt", "a")

    assert (state.dbfs / "tmp" / "x.txt").read_text() == "a"
    assert [info.path for info in fs.ls("dbfs:/tmp")] == ["dbfs:/tmp/x.txt"]


def test_file_paths_are_of_this_machine(fs, tmp_path):
    """`file:/` is the file system of the driver."""
    fs.put(f"file:{tmp_path}/mine.txt", "é")

    assert fs.head(f"file:{tmp_path}/mine.txt") == "é"


@pytest.mark.parametrize("call", ["ls", "head", "mkdirs"])
def test_a_missing_volume_is_named(fs, call):
    """The troubleshooting text of a missing set-up; nothing may create a volume on the way."""
    with pytest.raises(PathNotFound) as caught:
        getattr(fs, call)("/Volumes/main/raw/olist/orders")

    assert str(caught.value).startswith("Volume path not found: /Volumes/main/raw/olist; ")
    assert "CREATE VOLUME" in str(caught.value)


def test_a_missing_file_says_what_notebooks_look_for(fs):
    """Notebooks look for the text `java.io.FileNotFoundException`."""
    with pytest.raises(FileNotFoundError, match=r"java\.io\.FileNotFoundException: No such file or directory: dbfs:"):
        fs.ls(f"{VOLUME}/nope")


def test_head_cuts_at_bytes_and_says_so(fs, volume, capsys):
    """A character cut in two is left out."""
    (volume / "t.txt").write_bytes("aé€".encode())

    assert fs.head(f"{VOLUME}/t.txt", 2) == "a"
    assert capsys.readouterr().out == "[Truncated to first 2 bytes]\n"
    assert fs.head(f"{VOLUME}/t.txt", 6) == "aé€"
    assert capsys.readouterr().out == ""


def test_put_replaces_only_when_told(fs, volume, capsys):
    """The text is whole or absent."""
    assert fs.put(f"{VOLUME}/new/t.txt", "één") is True
    assert capsys.readouterr().out == "Wrote 5 bytes.\n"

    with pytest.raises(DbutilsError, match=r"FileAlreadyExistsException.*overwrite=True"):
        fs.put(f"{VOLUME}/new/t.txt", "two")
    fs.put(f"{VOLUME}/new/t.txt", "three", overwrite=True)

    assert (volume / "new" / "t.txt").read_text() == "three"
    assert os.listdir(volume / "new") == ["t.txt"]


def test_a_copied_file_has_the_time_of_the_copy(fs, volume):
    """Readers of new files go by the time; an old one would be skipped."""
    (volume / "a.txt").write_text("x")
    os.utime(volume / "a.txt", (1, 1))
    before = time.time() - 1

    fs.cp(f"{VOLUME}/a.txt", f"{VOLUME}/b.txt")
    fs.mv(f"{VOLUME}/a.txt", f"{VOLUME}/c.txt")

    assert sorted(os.listdir(volume)) == ["b.txt", "c.txt"]
    assert all((volume / name).stat().st_mtime > before for name in ("b.txt", "c.txt"))


def test_a_copy_into_a_folder_keeps_the_name(fs, volume):
    """Including folders, as in Hadoop."""
    (volume / "d").mkdir()
    (volume / "a.txt").write_text("x")
    (volume / "tree" / "in").mkdir(parents=True)
    (volume / "tree" / "in" / "y.txt").write_text("y")

    fs.cp(f"{VOLUME}/a.txt", f"{VOLUME}/d")
    fs.cp(f"{VOLUME}/tree", f"{VOLUME}/d", recurse=True)
    fs.mv(f"{VOLUME}/tree", f"{VOLUME}/moved", recurse=True)

    found = sorted(place.relative_to(volume).as_posix() for place in volume.rglob("*.txt"))
    assert found == ["a.txt", "d/a.txt", "d/tree/in/y.txt", "moved/in/y.txt"]
    assert not (volume / "tree").exists()


def test_a_folder_needs_recurse(fs, volume):
    """As on Databricks; nothing is copied, moved or removed by accident."""
    (volume / "tree").mkdir()
    (volume / "tree" / "y.txt").write_text("y")

    for act in (
        lambda: fs.cp(f"{VOLUME}/tree", f"{VOLUME}/x"),
        lambda: fs.mv(f"{VOLUME}/tree", f"{VOLUME}/x"),
        lambda: fs.rm(f"{VOLUME}/tree"),
    ):
        with pytest.raises(DbutilsError, match="recurse=True"):
            act()
    with pytest.raises(DbutilsError, match="is inside"):
        fs.cp(f"{VOLUME}/tree", f"{VOLUME}/tree/below", recurse=True)

    assert fs.rm(f"{VOLUME}/tree", True) is True
    assert fs.rm(f"{VOLUME}/tree", True) is False


@pytest.mark.parametrize("path", ["/Volumes/main/raw/files/../../../x", "dbfs:/../x", "dbfs:/a/../../x"])
def test_paths_that_climb_out_are_refused(fs, path):
    """The state folder is the limit for every command."""
    for act in (fs.ls, fs.head, fs.mkdirs, fs.rm, lambda p: fs.put(p, "x"), lambda p: fs.cp(VOLUME, p, True)):
        with pytest.raises(PathError, match=r"\.\."):
            act(path)


def test_links_that_lead_out_are_refused(fs, volume, tmp_path):
    """Including those that a recursive walk finds, before anything is copied."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("s")
    (volume / "tree").mkdir()
    (volume / "tree" / "a.txt").write_text("a")
    (volume / "tree" / "out").symlink_to(outside)

    for act in (
        lambda: fs.head(f"{VOLUME}/tree/out/secret.txt"),
        lambda: fs.put(f"{VOLUME}/tree/out/new.txt", "x"),
        lambda: fs.ls(f"{VOLUME}/tree"),
        lambda: fs.cp(f"{VOLUME}/tree", f"{VOLUME}/copy", True),
    ):
        with pytest.raises(PathError, match="link leads out"):
            act()
    assert not (volume / "copy" / "a.txt").exists()

    fs.rm(f"{VOLUME}/tree", True)
    assert (outside / "secret.txt").read_text() == "s"


def test_a_missing_catalog_and_whole_volumes_are_refused(fs):
    """A catalog has to exist; volumes come and go by SQL."""
    with pytest.raises(PathError, match="`prod`"):
        fs.ls("/Volumes/prod/raw/files")
    for path in (VOLUME, "/Volumes/main/raw", "/Volumes/main", "dbfs:/", "file:/"):
        with pytest.raises(PathError):
            fs.rm(path, True)


def test_mounts_are_refused_by_name(fs):
    """Serverless compute has none either."""
    with pytest.raises(DbutilsError, match=r"`dbutils\.fs\.mount`: mounts exist neither .* use a volume"):
        fs.mount("s3a://bucket", "/mnt/x")


def test_help_describes_one_command(fs, capsys):
    """`dbutils.fs.help("ls")` as on Databricks."""
    fs.help("ls")

    assert "List the entries of a folder, sorted by name; for a file, the file itself." in capsys.readouterr().out


def test_a_volume_and_the_root_of_dbfs_can_be_copied_into(fs, volume, state):
    """They are folders, but cannot be created or removed here."""
    (volume / "tree").mkdir()
    (volume / "tree" / "a.txt").write_text("x")

    fs.cp(f"{VOLUME}/tree/a.txt", VOLUME)
    fs.cp(f"{VOLUME}/tree/a.txt", "dbfs:/")

    assert (volume / "a.txt").is_file() and (state.dbfs / "a.txt").is_file()
    assert fs.mkdirs(VOLUME) is True
