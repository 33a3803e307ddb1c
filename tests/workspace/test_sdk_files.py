"""The official Python SDK as a client of the workspace tree and of volumes: each call works as documented."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    AlreadyExists,
    BadRequest,
    DatabricksError,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.iam import AccessControlRequest, ObjectPermissions, PermissionLevel
from databricks.sdk.service.workspace import AclPermission, ExportFormat, ImportFormat, Language, ObjectType

from lakelocal.kernel.dbutils.secrets import SecretsFile
from lakelocal.project import Project
from lakelocal.workspace.workspace import Workspace
from tests.workspace.cutting import Cutting
from tests.workspace.servers import serving

USER = "ana@example.com"
HOME = f"/Users/{USER}"
SECRET_FREE = {"DATABRICKS_CONFIG_PROFILE", "DATABRICKS_HOST", "DATABRICKS_TOKEN", "LOCAL_STATE"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace on a socket, with the catalog `shop` and one volume, which needs no Spark."""
    root = tmp_path_factory.mktemp("workspace")
    (root / "databricks.yml").write_text("bundle: {name: shop}\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in SECRET_FREE:
            patch.delenv(name, raising=False)
        patch.setenv("LOCAL_USER", USER)
        patch.setenv("DATABRICKS_CONFIG_FILE", str(root / "none.cfg"))
        with serving(Project.at(root)) as served:
            (served.project.state("shop").make().volumes / "raw" / "files").mkdir(parents=True)
            yield served


@pytest.fixture(scope="module")
def w(workspace: Workspace) -> WorkspaceClient:
    """The SDK's client with the workspace's token."""
    return WorkspaceClient(host=workspace.url, token=workspace.gate.token)


def test_the_client_knows_itself_by_its_token(w: WorkspaceClient, workspace: Workspace) -> None:
    assert w.config.auth_type == "pat"
    assert w.get_workspace_id() == int(workspace.id)
    assert w.current_user.me().user_name == USER


def test_a_wrong_token_is_refused(workspace: Workspace) -> None:
    with pytest.raises(PermissionDenied):
        WorkspaceClient(host=workspace.url, token="wrong").workspace.get_status("/")


def test_an_upload_without_a_format_is_a_notebook_of_the_language_of_its_name(w: WorkspaceClient) -> None:
    """According to the SDK's documentation, `download` after `upload` of `.py` returns the source with its header."""
    w.workspace.upload(f"{HOME}/notebook.py", io.BytesIO(b"print(1)"))
    with w.workspace.download(f"{HOME}/notebook.py") as content:
        assert content.read() == b"# Databricks notebook source\nprint(1)"
    status = w.workspace.get_status(f"{HOME}/notebook.py")
    assert (status.object_type, status.language) == (ObjectType.NOTEBOOK, Language.PYTHON)


@pytest.mark.parametrize("content", [b"print(1)", b"", bytes(range(256)) * 8192])
def test_an_upload_by_the_format_auto_is_a_file_as_it_is(w: WorkspaceClient, content: bytes) -> None:
    w.workspace.upload(f"{HOME}/file.py", io.BytesIO(content), format=ImportFormat.AUTO, overwrite=True)
    with w.workspace.download(f"{HOME}/file.py") as downloaded:
        assert downloaded.read() == content
    status = w.workspace.get_status(f"{HOME}/file.py")
    assert (status.object_type, status.size) == (ObjectType.FILE, len(content))
    with pytest.raises(ResourceAlreadyExists):
        w.workspace.upload(f"{HOME}/file.py", io.BytesIO(b"x"), format=ImportFormat.AUTO)


def test_an_import_of_base64(w: WorkspaceClient) -> None:
    content = "cHJpbnQoMSk="  # print(1)
    w.workspace.import_(f"{HOME}/imported", content=content, format=ImportFormat.SOURCE, language=Language.PYTHON)
    with pytest.raises(ResourceAlreadyExists):
        w.workspace.import_(f"{HOME}/imported", content=content, format=ImportFormat.SOURCE, language=Language.PYTHON)
    exported = w.workspace.export(f"{HOME}/imported", format=ExportFormat.SOURCE)
    assert (exported.content, exported.file_type) == (
        "IyBEYXRhYnJpY2tzIG5vdGVib29rIHNvdXJjZQpwcmludCgxKQ==",
        "py",
    )
    for wrong in ({"content": "%%%"}, {"content": content, "format": ImportFormat.HTML}, {"content": content}):
        with pytest.raises(InvalidParameterValue):
            w.workspace.import_(f"{HOME}/wrong", **wrong)


def test_listing_with_and_without_subfolders(w: WorkspaceClient) -> None:
    w.workspace.mkdirs(f"{HOME}/tree/inner/empty")
    w.workspace.upload(f"{HOME}/tree/a.txt", b"a", format=ImportFormat.AUTO)
    w.workspace.upload(f"{HOME}/tree/inner/load.py", b"# Databricks notebook source\n1", format=ImportFormat.AUTO)
    names = [each.path for each in w.workspace.list(f"{HOME}/tree")]
    assert names == [f"{HOME}/tree/a.txt", f"{HOME}/tree/inner"]
    found = {each.path: each.object_type for each in w.workspace.list(f"{HOME}/tree", recursive=True)}
    assert found == {f"{HOME}/tree/a.txt": ObjectType.FILE, f"{HOME}/tree/inner/load": ObjectType.NOTEBOOK}
    assert [each.path for each in w.workspace.list(f"{HOME}/tree/a.txt")] == [f"{HOME}/tree/a.txt"]
    assert list(w.workspace.list(f"{HOME}/tree/inner/empty")) == []
    later = w.workspace.get_status(f"{HOME}/tree/inner/load").modified_at
    assert not list(w.workspace.list(f"{HOME}/tree/inner", notebooks_modified_after=later))
    assert len(list(w.workspace.list(f"{HOME}/tree/inner", notebooks_modified_after=later - 1))) == 1


def test_removing(w: WorkspaceClient) -> None:
    w.workspace.mkdirs(f"{HOME}/gone/inner")
    with pytest.raises(BadRequest, match="not empty"):
        w.workspace.delete(f"{HOME}/gone")
    w.workspace.delete(f"{HOME}/gone", recursive=True)
    for call in (
        w.workspace.get_status,
        w.workspace.delete,
        w.workspace.export,
        lambda path: list(w.workspace.list(path)),
    ):
        with pytest.raises(ResourceDoesNotExist):
            call(f"{HOME}/gone")


@pytest.mark.parametrize("path", [f"{HOME}/../../etc/passwd", "relative", f"{HOME}/a\0b", f"{HOME}/{'x' * 300}"])
def test_paths_that_cannot_be(w: WorkspaceClient, path: str) -> None:
    for call in (w.workspace.get_status, w.workspace.mkdirs, w.workspace.export):
        with pytest.raises(InvalidParameterValue):
            call(path)


FILES = "/Volumes/shop/raw/files"


def test_a_file_in_a_volume(w: WorkspaceClient, workspace: Workspace) -> None:
    content = os.urandom(3_000_000)
    w.files.upload(f"{FILES}/new folder/é %2F.bin", io.BytesIO(content))
    place = workspace.project.state("shop").volumes / "raw" / "files" / "new folder" / "é %2F.bin"
    assert place.read_bytes() == content, "a kernel finds it in the volume"
    downloaded = w.files.download(f"{FILES}/new folder/é %2F.bin")
    assert downloaded.contents.read() == content
    assert downloaded.content_length == len(content)
    told = w.files.get_metadata(f"{FILES}/new folder/é %2F.bin")
    assert (told.content_length, told.content_type) == (len(content), "application/octet-stream")
    assert told.last_modified.endswith("GMT")


def test_a_file_is_replaced_only_if_asked_for(w: WorkspaceClient) -> None:
    w.files.upload(f"{FILES}/kept.txt", io.BytesIO(b"one"))
    with pytest.raises(AlreadyExists):
        w.files.upload(f"{FILES}/kept.txt", io.BytesIO(b"two"), overwrite=False)
    assert w.files.download(f"{FILES}/kept.txt").contents.read() == b"one"
    w.files.upload(f"{FILES}/kept.txt", io.BytesIO(b"two"), overwrite=True)
    assert w.files.download(f"{FILES}/kept.txt").contents.read() == b"two"


def test_a_file_of_more_than_one_part(w: WorkspaceClient, workspace: Workspace, tmp_path: Path) -> None:
    """From 50 MiB on, the SDK first requests an upload in parts, is refused, and then sends the file at once."""
    content = os.urandom(1024 * 1024) * 60
    (tmp_path / "big.bin").write_bytes(content)
    w.files.upload_from(f"{FILES}/big.bin", str(tmp_path / "big.bin"))
    w.files.download_to(f"{FILES}/big.bin", str(tmp_path / "again.bin"))
    assert (tmp_path / "again.bin").read_bytes() == content
    assert not list((workspace.project.state("shop").folder / "uploads").iterdir())
    w.files.delete(f"{FILES}/big.bin")


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-2", 206, b"89"),
        ("bytes=8-100", 206, b"89"),
        ("bytes=10-", 416, None),
    ],
)
def test_a_range_of_a_file(
    w: WorkspaceClient, workspace: Workspace, asked: str, status: int, told: bytes | None
) -> None:
    """RFC 9110, section 14; nothing of a file that has changed, so that no parts of two files are mixed."""
    w.files.upload(f"{FILES}/digits.txt", io.BytesIO(b"0123456789"), overwrite=True)
    url = f"{workspace.url}/api/2.0/fs/files{FILES}/digits.txt"
    headers = {"Authorization": f"Bearer {workspace.gate.token}", "Range": asked}

    answer = httpx2.get(url, headers=headers)
    changed = httpx2.get(url, headers={**headers, "If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"})

    assert answer.status_code == status
    assert told is None or answer.content == told
    assert answer.headers["content-range"].endswith("/10")
    assert changed.status_code == 412


def test_a_download_that_breaks_off_goes_on_where_it_was(w: WorkspaceClient, workspace: Workspace) -> None:
    path, content = f"{FILES}/long.bin", os.urandom(3_000_000)
    w.files.upload(path, io.BytesIO(content), overwrite=True)

    with Cutting(urlsplit(workspace.url).port or 0, most=1_000_000).open() as network:
        client = WorkspaceClient(host=f"http://127.0.0.1:{network.port}", token=workspace.gate.token)
        found = client.files.download(path).contents.read()  # type: ignore[union-attr]

    assert network.cuts == 1
    assert found == content


def test_a_download_of_several_parts_at_once(w: WorkspaceClient, workspace: Workspace, tmp_path: Path) -> None:
    path, content = f"{FILES}/parts.bin", os.urandom(1_000_000)
    w.files.upload(path, io.BytesIO(content), overwrite=True)
    client = WorkspaceClient(host=workspace.url, token=workspace.gate.token)
    client.config.files_ext_parallel_download_min_file_size = 1
    client.config.files_ext_parallel_download_default_part_size = 100_000

    client.files.download_to(path, str(tmp_path / "parts.bin"), use_parallel=True, parallelism=4)

    assert (tmp_path / "parts.bin").read_bytes() == content


def test_directories(w: WorkspaceClient) -> None:
    w.files.create_directory(f"{FILES}/d/e")
    w.files.create_directory(f"{FILES}/d/e")
    w.files.get_directory_metadata(f"{FILES}/d/e")
    w.files.upload(f"{FILES}/d/a.txt", io.BytesIO(b"abc"))
    found = {
        each.name: (each.path, each.is_directory, each.file_size)
        for each in w.files.list_directory_contents(f"{FILES}/d")
    }
    assert found == {"a.txt": (f"{FILES}/d/a.txt", False, 3), "e": (f"{FILES}/d/e", True, None)}
    with pytest.raises(BadRequest, match="not empty") as caught:
        w.files.delete_directory(f"{FILES}/d")
    assert caught.value.get_error_details().error_info.reason == "FILES_API_DIRECTORY_IS_NOT_EMPTY"
    w.files.delete(f"{FILES}/d/a.txt")
    w.files.delete_directory(f"{FILES}/d/e")
    w.files.delete_directory(f"{FILES}/d")
    for call in (
        w.files.get_directory_metadata,
        w.files.delete_directory,
        lambda path: list(w.files.list_directory_contents(path)),
    ):
        with pytest.raises(NotFound):
            call(f"{FILES}/d")


def test_a_directory_of_more_than_a_page(w: WorkspaceClient, workspace: Workspace) -> None:
    folder = workspace.project.state("shop").volumes / "raw" / "files" / "many"
    folder.mkdir()
    for number in range(25):
        (folder / f"{number:03}.txt").touch()
    names = [each.name for each in w.files.list_directory_contents(f"{FILES}/many", page_size=10)]
    assert names == [f"{number:03}.txt" for number in range(25)]


def test_files_and_directories_are_not_each_other(w: WorkspaceClient) -> None:
    w.files.create_directory(f"{FILES}/is/directory")
    w.files.upload(f"{FILES}/is/file", io.BytesIO(b""))
    with pytest.raises(AlreadyExists):
        w.files.upload(f"{FILES}/is/directory", io.BytesIO(b""), overwrite=True)
    with pytest.raises(AlreadyExists):
        w.files.create_directory(f"{FILES}/is/file")
    with pytest.raises(AlreadyExists):
        w.files.upload(f"{FILES}/is/file/inner", io.BytesIO(b""))
    for call, path in (
        (w.files.delete, "directory"),
        (w.files.download, "directory"),
        (w.files.get_metadata, "directory"),
        (w.files.get_directory_metadata, "file"),
        (w.files.delete_directory, "file"),
    ):
        with pytest.raises(NotFound):
            call(f"{FILES}/is/{path}")


def test_what_volumes_are_in_can_be_looked_at(w: WorkspaceClient) -> None:
    assert {"main", "shop"} <= {each.name for each in w.files.list_directory_contents("/Volumes")}
    assert [each.name for each in w.files.list_directory_contents("/Volumes/shop")] == ["raw"]
    assert [each.name for each in w.files.list_directory_contents("/Volumes/shop/raw")] == ["files"]
    w.files.get_directory_metadata("/Volumes/shop/raw")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/Volumes/shop/raw/absent/a.txt", NotFound),
        ("/Volumes/absent/raw/files/a.txt", NotFound),
        ("/Volumes/shop/raw/a.txt", NotFound),
        ("/Volumes/shop/raw/files/../../../../x", BadRequest),
        ("/Workspace/Users/x", BadRequest),
        ("/etc/passwd", BadRequest),
        ("/Volumes/samples/raw/files/x", BadRequest),
    ],
)
def test_files_that_cannot_be(w: WorkspaceClient, path: str, error: type[DatabricksError]) -> None:
    with pytest.raises(error):
        w.files.upload(path, io.BytesIO(b"x"))
    with pytest.raises(error):
        w.files.download(path)
    with pytest.raises(error):
        w.files.delete(path)


def test_links_out_of_a_volume_are_refused(w: WorkspaceClient, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    volume = workspace.project.state("shop").volumes / "raw" / "files"
    (volume / "link").symlink_to(tmp_path)
    for call in (
        lambda: w.files.download(f"{FILES}/link/secret"),
        lambda: w.files.upload(f"{FILES}/link/new", io.BytesIO(b"x")),
        lambda: w.files.delete(f"{FILES}/link/secret"),
    ):
        with pytest.raises(PermissionDenied):
            call()
    assert "link" not in {each.name for each in w.files.list_directory_contents(FILES)}
    (volume / "link").unlink()


def test_dbutils_on_volumes(w: WorkspaceClient) -> None:
    w.dbutils.fs.mkdirs(f"{FILES}/by_dbutils")
    w.dbutils.fs.put(f"{FILES}/by_dbutils/a.txt", "hello")
    assert w.dbutils.fs.head(f"{FILES}/by_dbutils/a.txt") == "hello"
    w.dbutils.fs.cp(f"{FILES}/by_dbutils/a.txt", f"{FILES}/by_dbutils/b.txt")
    assert sorted(each.name for each in w.dbutils.fs.ls(f"{FILES}/by_dbutils")) == ["a.txt", "b.txt"]
    w.dbutils.fs.mv(f"{FILES}/by_dbutils/b.txt", f"{FILES}/by_dbutils/c.txt")
    w.dbutils.fs.rm(f"{FILES}/by_dbutils", recurse=True)
    with pytest.raises(NotFound):
        w.files.get_directory_metadata(f"{FILES}/by_dbutils")


def test_dbutils_on_dbfs(w: WorkspaceClient, workspace: Workspace) -> None:
    """Files of `dbfs:/` are sent in parts of 1 MiB."""
    w.dbutils.fs.mkdirs("dbfs:/by/dbutils")
    w.dbutils.fs.put("dbfs:/by/dbutils/a.txt", "hello")
    assert w.dbutils.fs.head("dbfs:/by/dbutils/a.txt") == "hello"
    w.dbutils.fs.cp("dbfs:/by/dbutils/a.txt", "dbfs:/by/dbutils/b.txt")
    w.dbutils.fs.mv("dbfs:/by/dbutils/b.txt", "dbfs:/by/dbutils/c.txt")
    assert sorted(each.name for each in w.dbutils.fs.ls("dbfs:/by/dbutils")) == ["a.txt", "c.txt"]
    kept = workspace.catalogs.default().dbfs / "by" / "dbutils" / "c.txt"
    assert kept.read_text() == "hello", "kernels of the default catalog find it"
    w.dbutils.fs.rm("dbfs:/by", recurse=True)
    with pytest.raises(NotFound):
        w.dbutils.fs.ls("dbfs:/by")


def test_a_file_of_dbfs_of_several_parts(w: WorkspaceClient, workspace: Workspace) -> None:
    content = os.urandom(2_500_000)
    with w.dbfs.open("/parts/big.bin", write=True) as file:
        file.write(content)
        assert not w.dbfs.exists("/parts/big.bin"), "it appears whole or not at all"
    with w.dbfs.open("/parts/big.bin", read=True) as file:
        assert file.read() == content
    with pytest.raises(ResourceAlreadyExists):
        w.dbfs.upload("/parts/big.bin", io.BytesIO(b"x"))
    w.dbfs.upload("/parts/big.bin", io.BytesIO(b"x"), overwrite=True)
    status = w.dbfs.get_status("/parts/big.bin")
    assert (status.path, status.file_size, status.is_dir) == ("/parts/big.bin", 1, False)
    assert w.dbfs.read("/parts/big.bin", offset=5).bytes_read == 0
    assert [each.path for each in w.dbfs.list("/parts/big.bin")] == ["/parts/big.bin"]
    w.dbfs.put("/parts/small.txt", contents="YWJj")
    assert w.dbfs.download("/parts/small.txt").read() == b"abc"
    with pytest.raises(BadRequest, match="not empty"):
        w.api_client.do("POST", "/api/2.0/dbfs/delete", body={"path": "/parts"})
    w.dbfs.move("/parts", "/moved")
    assert [each.path for each in w.dbfs.list("/moved")] == ["/moved/big.bin", "/moved/small.txt"]
    for call in (w.dbfs.get_status, lambda path: list(w.dbfs.list(path))):
        with pytest.raises(ResourceDoesNotExist):
            call("/parts")
    w.dbfs.delete("/parts")  # no error, as on Databricks


@pytest.mark.parametrize("path", ["/../x", "relative", "/Volumes/shop/raw/files/x", "/a\0b"])
def test_paths_that_cannot_be_in_dbfs(w: WorkspaceClient, path: str) -> None:
    with pytest.raises(InvalidParameterValue):
        w.dbfs.put(path, contents="YWJj")


def test_what_is_wrong_in_dbfs(w: WorkspaceClient) -> None:
    w.dbfs.put("/wrong/file", contents="YWJj")
    for body, path, status in (
        ({"path": "/wrong/file/inner"}, "mkdirs", 400),
        ({"path": "/wrong"}, "create", 400),
        ({"handle": 1, "data": "YQ=="}, "add-block", 404),
        ({"handle": 1}, "close", 404),
        ({"source_path": "/wrong", "destination_path": "/wrong/inner"}, "move", 400),
        ({"source_path": "/absent", "destination_path": "/x"}, "move", 404),
        ({"path": "/"}, "delete", 400),
        ({"path": "/wrong/b", "contents": "%"}, "put", 400),
        ({"path": "/wrong/b", "contents": "A" * 1_500_000}, "put", 400),
    ):
        with pytest.raises(DatabricksError) as caught:
            w.api_client.do("POST", f"/api/2.0/dbfs/{path}", body=body)
        expected = NotFound if status == 404 else (BadRequest, ResourceAlreadyExists)
        assert isinstance(caught.value, expected), (path, caught.value)
    for query in (
        {"path": "/wrong"},
        {"path": "/wrong/file", "length": 2_000_000},
        {"path": "/wrong/file", "offset": -1},
    ):
        with pytest.raises(BadRequest):
            w.api_client.do("GET", "/api/2.0/dbfs/read", query=query)


def test_secrets_are_those_that_notebooks_have(w: WorkspaceClient, workspace: Workspace) -> None:
    (workspace.project.root / ".secrets.yml").write_text("mail: {password: hunter2}\n")
    w.secrets.create_scope("web")
    w.secrets.put_secret("web", "token", string_value="s3cr3t é")
    w.secrets.put_secret("mail", "user", string_value="ana")
    assert w.dbutils.secrets.get("web", "token") == "s3cr3t é"
    assert sorted(each.name for each in w.secrets.list_scopes()) == ["mail", "web"]
    assert [each.key for each in w.secrets.list_secrets("mail")] == ["password", "user"]

    class Owner:
        state = workspace.catalogs.default()

    in_notebooks = SecretsFile(Owner())
    assert in_notebooks.get("web", "token") == "s3cr3t é"
    assert (in_notebooks.get("mail", "password"), in_notebooks.get("mail", "user")) == ("hunter2", "ana")
    assert workspace.places.secrets.stat().st_mode & 0o077 == 0
    with pytest.raises(BadRequest, match="Edit that file"):
        w.secrets.put_secret("mail", "password", string_value="other")
    with pytest.raises(BadRequest, match="Edit that file"):
        w.secrets.delete_scope("mail")
    with pytest.raises(ResourceAlreadyExists):
        w.secrets.create_scope("web")
    for call in (
        lambda: w.secrets.get_secret("web", "absent"),
        lambda: w.secrets.get_secret("absent", "token"),
        lambda: w.secrets.put_secret("absent", "x", string_value="y"),
        lambda: w.secrets.delete_scope("absent"),
    ):
        with pytest.raises(ResourceDoesNotExist):
            call()
    for call in (
        lambda: w.secrets.create_scope("a b"),
        lambda: w.secrets.put_secret("web", "../x", string_value="y"),
        lambda: w.secrets.put_secret("web", "x"),
        lambda: w.secrets.put_secret("web", "x", string_value="y" * 200_000),
    ):
        with pytest.raises(InvalidParameterValue):
            call()
    w.secrets.delete_secret("web", "token")
    assert not list(w.secrets.list_secrets("web"))
    w.secrets.delete_scope("web")
    assert [each.name for each in w.secrets.list_scopes()] == ["mail"]


def test_who_may_read_secrets_is_kept_and_told_again(w: WorkspaceClient) -> None:
    w.secrets.create_scope("shared", initial_manage_principal="users")
    w.secrets.put_acl("shared", "team", AclPermission.READ)
    found = {each.principal: each.permission for each in w.secrets.list_acls("shared")}
    assert found == {"users": AclPermission.MANAGE, "team": AclPermission.READ}
    w.secrets.delete_acl("shared", "team")
    with pytest.raises(ResourceDoesNotExist):
        w.secrets.get_acl("shared", "team")
    w.secrets.delete_scope("shared")


def test_permissions_are_kept_and_told_again(w: WorkspaceClient) -> None:
    assert permissions_of(w.permissions.get("jobs", "7")) == [(USER, "IS_OWNER")]
    manage = AccessControlRequest(group_name="team", permission_level=PermissionLevel.CAN_MANAGE)
    given = w.permissions.update("jobs", "7", access_control_list=[manage])
    assert permissions_of(given) == [(USER, "IS_OWNER"), ("team", "CAN_MANAGE")]
    view = AccessControlRequest(user_name="bob@example.com", permission_level=PermissionLevel.CAN_VIEW)
    w.permissions.set("jobs", "7", access_control_list=[view])
    found = w.permissions.get("jobs", "7")
    assert permissions_of(found) == [("bob@example.com", "CAN_VIEW")]
    assert (found.object_id, found.object_type) == ("/jobs/7", "job")
    home = w.workspace.get_status(HOME).object_id
    assert permissions_of(w.permissions.get("directories", str(home))) == [(USER, "CAN_MANAGE")]
    assert w.permissions.get("sql/warehouses", "abc").object_type == "warehouses"
    assert w.permissions.get_permission_levels("jobs", "7").permission_levels
    for wrong in (
        [AccessControlRequest(permission_level=PermissionLevel.CAN_VIEW)],
        [AccessControlRequest(user_name="a", group_name="b", permission_level=PermissionLevel.CAN_VIEW)],
        [AccessControlRequest(user_name="a")],
    ):
        with pytest.raises(InvalidParameterValue):
            w.permissions.set("jobs", "7", access_control_list=wrong)


def permissions_of(found: ObjectPermissions) -> list[tuple[str | None, str]]:
    return [
        (each.user_name or each.group_name, each.all_permissions[0].permission_level.value)
        for each in found.access_control_list
    ]


def test_what_bundles_look_up(w: WorkspaceClient) -> None:
    """There is one warehouse, with the name from every new workspace; the lists of other resources are empty."""
    found = list(w.warehouses.list())
    assert [each.name for each in found] == ["Serverless Starter Warehouse"]
    assert w.warehouses.get(found[0].id).state.value == "RUNNING"
    w.warehouses.start(found[0].id)
    with pytest.raises(ResourceDoesNotExist):
        w.warehouses.get("0123456789abcdef")
    for nothing in (
        w.clusters.list(), w.cluster_policies.list(), w.instance_pools.list(), w.pipelines.list_pipelines(),
        w.queries.list(), w.alerts.list(), w.lakeview.list(), w.notification_destinations.list(),
        w.service_principals.list(), w.serving_endpoints.list(),
    ):  # fmt: skip
        assert list(nothing) == []
    assert w.metastores.summary().metastore_id == w.metastores.current().metastore_id
    assert w.metastores.current().default_catalog_name == "main"
