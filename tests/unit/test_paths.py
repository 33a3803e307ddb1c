"""Which paths belong to Databricks, and where they are on this machine."""

from dataclasses import replace

import pytest

from lakelocal.errors import PathError
from lakelocal.kernel.dbutils.places import Places
from lakelocal.paths import DatabricksPaths, about_sample_files
from lakelocal.project import BundleFiles, State

FILES = "/Workspace/Users/me/.bundle/shop/dev/files"


@pytest.fixture
def paths(tmp_path) -> DatabricksPaths:
    state = State(tmp_path / "shop", "dev", tmp_path / "state").make()
    return DatabricksPaths(replace(state, files=BundleFiles(FILES, tmp_path / "shop")))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/Volumes/dev/raw/in/a.csv", "state/volumes/raw/in/a.csv"),
        ("/Volumes/DEV/raw/in", "state/volumes/raw/in"),
        ("//Volumes//dev/./raw/in/", "state/volumes/raw/in"),
        ("/tmp/../Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("file:/Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("file:///Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("FILE://localhost/Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("dbfs:/Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("dbfs:///Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("/dbfs/Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("file:/dbfs/Volumes/dev/raw/in", "state/volumes/raw/in"),
        ("dbfs:/tmp/a", "state/dbfs/tmp/a"),
        ("dbfs:/", "state/dbfs"),
        ("/dbfs", "state/dbfs"),
        ("/dbfs/tmp/a", "state/dbfs/tmp/a"),
        ("file:/dbfs/tmp/a", "state/dbfs/tmp/a"),
        ("/Workspace", ".workspace/tree"),
        ("/Workspace/Shared/a.py", ".workspace/tree/Shared/a.py"),
        ("file:/Workspace/Shared/a.py", ".workspace/tree/Shared/a.py"),
        (f"{FILES}/src/a.py", "shop/src/a.py"),
        (f"file:{FILES}", "shop"),
        (f"{FILES}2/a.py", f".workspace/tree{FILES[10:]}2/a.py"),
    ],
)
def test_a_path_of_databricks_is_in_the_state(paths, tmp_path, path, place):
    """However it is spelled; the bundle's own files stay where they are."""
    assert paths.is_databricks(path)
    assert paths.to_local(path) == tmp_path / place


@pytest.mark.parametrize(
    "path",
    [
        *("/tmp/a", "/VolumesOfData/a", "/Volumes2", "/dbfs2/a", "/home/me/Volumes/a", "/home/dbfs/a", "file:/tmp/a"),
        *("s3://bucket/Volumes/a", "Volumes/dev/a", "./dbfs/a", "", "abfss://c@a.dfs.core.windows.net/dbfs"),
    ],
)
def test_a_path_of_this_machine_or_of_a_cloud_is_left_alone(paths, path):
    """Only the three folders at the root, and its schemes, belong to Databricks."""
    assert not paths.is_databricks(path)


@pytest.mark.parametrize(
    "path", ["/Volumes/dev/raw/../../a", "dbfs:/../a", "/Workspace/../etc", "/Volumes/dev/../../etc"]
)
def test_a_path_that_climbs_is_refused_or_is_no_path_of_databricks(paths, path):
    """It never names a place outside the state."""
    with pytest.raises(PathError, match="found"):
        paths.to_local(path)


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/FileStore/tables/a.csv", "dbfs:/FileStore/tables/a.csv"),
        ("/mnt/bronze", "dbfs:/mnt/bronze"),
        ("/a_folder_that_no_machine_has/x", "dbfs:/a_folder_that_no_machine_has/x"),
        ("/tmp/a", "/tmp/a"),
        ("/Volumes/dev/raw/in", "/Volumes/dev/raw/in"),
        ("file:/mnt/a", "file:/mnt/a"),
        ("s3://bucket/mnt", "s3://bucket/mnt"),
        ("mnt/a", "mnt/a"),
    ],
)
def test_a_plain_path_given_to_spark_is_one_of_dbfs_unless_this_machine_has_the_folder(paths, path, read):
    """On Databricks, every path without a scheme is one; here, temporary folders of tests are read as they are."""
    assert paths.of_spark(path) == read


@pytest.mark.parametrize("path", [f"{FILES}/a", f"file:{FILES}/a", f"file://{FILES}/sub/../a", f"{FILES}"])
def test_the_files_of_the_bundle_are_not_written_by_their_name_in_a_workspace(paths, path):
    """They are the user's sources."""
    with pytest.raises(PathError, match="a file of the bundle"):
        paths.refuse_bundle_file(path)


def test_other_files_of_the_workspace_are_written(paths):
    """They are in the state."""
    paths.refuse_bundle_file("/Workspace/Shared/a")
    paths.refuse_bundle_file("/Volumes/dev/raw/in")


def test_a_file_of_the_bundle_is_found_by_its_own_path(tmp_path):
    """`${workspace.file_path}` is the bundle's folder here; other paths without a scheme are in DBFS, as there."""
    files = BundleFiles("/Workspace/Users/ana/files", tmp_path / "bundle")
    state = State(tmp_path, "dev", tmp_path / "state", files)
    orders = f"{tmp_path}/bundle/data/orders.csv"

    assert DatabricksPaths(state).of_spark(orders) == orders
    assert Places(lambda: state).at(orders).shown == f"file:{orders}"
    assert Places(lambda: state).at("/nowhere/bundle/orders.csv").shown == "dbfs:/nowhere/bundle/orders.csv"


def test_a_place_has_the_name_that_a_notebook_uses(paths, tmp_path):
    """Volumes without a scheme, as SQL writes them."""
    assert paths.to_databricks(tmp_path / "state/volumes/raw/in") == "/Volumes/dev/raw/in"
    assert paths.to_databricks(tmp_path / "state/dbfs/a") == "dbfs:/a"
    assert paths.to_databricks(tmp_path / ".workspace/tree/a") == "file:/Workspace/a"
    assert paths.to_databricks(tmp_path / "elsewhere") == f"file:{tmp_path}/elsewhere"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("dbfs:/databricks-datasets/airlines", True),
        ("dbfs:/databricks-datasets", True),
        ("No such file or directory: '/dbfs/databricks-datasets'", True),
        ("/Volumes/dev/raw/in/databricks-datasets/x", False),
        ("dbfs:/databricks-datasets2/x", False),
    ],
)
def test_a_path_of_sample_files_is_told_apart(path, told):
    """They are Databricks' own, and not on this machine."""
    assert about_sample_files(path).startswith("Databricks' sample files are not on this machine") is told


@pytest.mark.parametrize(
    ("local", "shown"),
    [
        ("file:{}/dbfs/databricks-datasets/airlines", "dbfs:/databricks-datasets/airlines"),
        ("file:///{}/volumes/raw/in/a.csv", "/Volumes/dev/raw/in/a.csv"),
        ("{}/volumes/raw/in", "/Volumes/dev/raw/in"),
        ("{}/volumes2/raw", "{}/volumes2/raw"),
    ],
)
def test_messages_of_spark_name_the_paths_of_the_notebook(paths, local, shown):
    """A person does not know the folders of the state; other folders stay as they are."""
    state = str(paths.state.folder)

    text = f"[PATH_NOT_FOUND] Path does not exist: {local.format(state).replace('////', '///')}. SQLSTATE: 42K03"
    assert paths.shown(text) == f"[PATH_NOT_FOUND] Path does not exist: {shown.format(state)}. SQLSTATE: 42K03"
