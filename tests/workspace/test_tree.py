"""The workspace tree: the files and notebooks that clients import and kernels see as `/Workspace`."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from lakelocal.project import Project
from lakelocal.sources import find_source
from lakelocal.workspace.errors import ApiError
from lakelocal.workspace.tree.formats import export_object, import_object, source_text
from lakelocal.workspace.tree.objects import TreeObject
from lakelocal.workspace.tree.store import WorkspaceTree

HOME = "/Workspace/Users/ana@example.com"
SOURCE_NOTEBOOK = b"# Databricks notebook source\nprint(1)"


def jupyter(*cells: dict, language: str = "python") -> bytes:
    return json.dumps(
        {
            "cells": list(cells),
            "metadata": {"application/vnd.databricks.v1+notebook": {"language": language}},
            "nbformat": 4,
            "nbformat_minor": 0,
        }
    ).encode()


def code(source: str, **metadata) -> dict:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


@pytest.fixture
def tree(tmp_path: Path) -> WorkspaceTree:
    made = WorkspaceTree(tmp_path / "states" / ".workspace" / "tree")
    made.open("ana@example.com")
    return made


def put(tree: WorkspaceTree, name: str, content: bytes = b"x", *, overwrite: bool = False) -> TreeObject:
    return tree.write(f"{HOME}/{name}", content, overwrite=overwrite)


def refused(action, status: int, code: str) -> str:
    with pytest.raises(ApiError) as caught:
        action()
    assert (caught.value.status, caught.value.code) == (status, code), caught.value
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "kind", "shown", "language", "form"),
    [
        ("load.py", SOURCE_NOTEBOOK, "NOTEBOOK", "load", "PYTHON", "SOURCE"),
        ("load.py", b"# Databricks notebook source\r\nprint(1)", "NOTEBOOK", "load", "PYTHON", "SOURCE"),
        ("load.py", b"\xef\xbb\xbf# Databricks notebook source\n1", "NOTEBOOK", "load", "PYTHON", "SOURCE"),
        ("q.sql", b"-- Databricks notebook source\nSELECT 1", "NOTEBOOK", "q", "SQL", "SOURCE"),
        ("s.scala", b"// Databricks notebook source\n1", "NOTEBOOK", "s", "SCALA", "SOURCE"),
        ("r.r", b"# Databricks notebook source\n1", "NOTEBOOK", "r", "R", "SOURCE"),
        ("N.IPYNB", jupyter(code("1")), "NOTEBOOK", "N", "PYTHON", "JUPYTER"),
        ("n.ipynb", jupyter(code("1"), language="sql"), "NOTEBOOK", "n", "SQL", "JUPYTER"),
        ("n.ipynb", jupyter(code("1"), language="scala"), "NOTEBOOK", "n", "SCALA", "JUPYTER"),
        ("v1.2.ipynb", jupyter(), "NOTEBOOK", "v1.2", "PYTHON", "JUPYTER"),
        ("x.designer.ipynb", jupyter(), "NOTEBOOK", "x.designer.ipynb", "PYTHON", "JUPYTER"),
        ("module.py", b"print(1)", "FILE", "module.py", "", ""),
        ("module.py", b" # Databricks notebook source\n", "FILE", "module.py", "", ""),
        ("m.scala", b"1", "FILE", "m.scala", "", ""),
        ("broken.ipynb", b"{", "FILE", "broken.ipynb", "", ""),
        ("deep.ipynb", b"[" * 100_000, "FILE", "deep.ipynb", "", ""),
        ("data.csv", b"# Databricks notebook source\n", "FILE", "data.csv", "", ""),
        ("LICENSE", b"", "FILE", "LICENSE", "", ""),
    ],
)
def test_an_object_is_what_its_name_and_content_make_it(tree, name, content, kind, shown, language, form):
    found = put(tree, name, content)
    assert (found.kind, found.path, found.language, found.format) == (kind, f"{HOME}/{shown}", language, form)
    assert found.place.read_bytes() == content
    assert [each.path for each in tree.list(HOME)] == [f"{HOME}/{shown}"]
    assert tree.get(f"{HOME}/{shown}") == found
    if kind == "NOTEBOOK" and shown != name:
        assert tree.find(f"{HOME}/{name}") is None, "a notebook has no extension in its name"


def test_a_notebook_of_the_tree_is_found_by_kernels_by_the_same_name(tree):
    put(tree, "load.py", SOURCE_NOTEBOOK)
    assert find_source(tree.root / "Users" / "ana@example.com" / "load") == tree.get(f"{HOME}/load").place


def test_what_is_written_to_the_folder_is_in_the_tree(tree):
    (tree.root / "Shared" / "by_a_kernel.txt").write_text("hello")
    assert tree.get("/Shared/by_a_kernel.txt").info()["size"] == 5


def test_paths_with_and_without_the_mount_name_the_same_object(tree):
    put(tree, "a.txt", b"abc")
    short = tree.get("/Users/ana@example.com/a.txt")
    whole = tree.get(f"/{HOME}//./a.txt")
    assert (short.path, whole.path) == ("/Users/ana@example.com/a.txt", f"{HOME}/a.txt")
    assert short.object_id == whole.object_id
    assert tree.get("/").kind == tree.get("/Workspace").kind == "DIRECTORY"
    assert [each.path for each in tree.list("/Workspace")] == [
        f"/Workspace/{name}" for name in ("Repos", "Shared", "Users")
    ]
    assert [each.path for each in tree.list("/")] == ["/Repos", "/Shared", "/Users"]


def test_information_about_an_object(tree, monkeypatch):
    found = put(tree, "load.py", SOURCE_NOTEBOOK)
    os.utime(found.place, ns=(0, 1_500_000_000_123_000_000))
    info = tree.get(f"{HOME}/load").info(with_export=True)
    assert info.pop("object_id") > 0 and info.pop("resource_id")
    assert info == {
        "object_type": "NOTEBOOK",
        "path": f"{HOME}/load",
        "language": "PYTHON",
        "repos_export_format": "SOURCE",
        "created_at": 1_500_000_000_123,
        "modified_at": 1_500_000_000_123,
    }
    assert "size" not in tree.get(HOME).info()


def test_an_existing_object_stays_unless_it_is_overwritten(tree):
    put(tree, "a.txt", b"one")
    message = refused(lambda: put(tree, "a.txt", b"two"), 400, "RESOURCE_ALREADY_EXISTS")
    assert message.endswith("already exists.")  # what the CLI looks for
    assert tree.get(f"{HOME}/a.txt").place.read_bytes() == b"one"
    put(tree, "a.txt", b"two", overwrite=True)
    assert tree.get(f"{HOME}/a.txt").place.read_bytes() == b"two"


def test_a_notebook_that_becomes_a_source_file_is_still_one_object(tree):
    put(tree, "load.ipynb", jupyter(code("1")))
    refused(lambda: put(tree, "load.py", SOURCE_NOTEBOOK), 400, "RESOURCE_ALREADY_EXISTS")
    found = put(tree, "load.py", SOURCE_NOTEBOOK, overwrite=True)
    assert found.format == "SOURCE"
    assert [each.path for each in tree.list(HOME)] == [f"{HOME}/load"]
    assert sorted(os.listdir(found.place.parent)) == ["load.py"]


@pytest.mark.parametrize(
    ("first", "second"), [("load.py", "load"), ("load", "load.py"), ("load/", "load.py"), ("load/", "load")]
)
def test_two_objects_of_different_kinds_cannot_have_one_name(tree, first, second):
    if first.endswith("/"):
        tree.make_folder(f"{HOME}/{first}")
    else:
        put(tree, first, SOURCE_NOTEBOOK)
    refused(lambda: put(tree, second, SOURCE_NOTEBOOK, overwrite=True), 400, "RESOURCE_ALREADY_EXISTS")
    assert len(list(tree.list(HOME))) == 1


def test_a_folder_is_not_made_where_something_else_is(tree):
    put(tree, "load.py", SOURCE_NOTEBOOK)
    put(tree, "file", b"")
    for path in (f"{HOME}/load", f"{HOME}/load/inner", f"{HOME}/file", f"{HOME}/file/inner"):
        refused(lambda path=path: tree.make_folder(path), 400, "RESOURCE_ALREADY_EXISTS")
    tree.make_folder(f"{HOME}/a/b/c")
    tree.make_folder(f"{HOME}/a/b/c")
    assert tree.get(f"{HOME}/a/b/c").kind == "DIRECTORY"


def test_nothing_is_written_where_the_folder_is_missing(tree):
    message = refused(lambda: put(tree, "absent/a.txt"), 404, "RESOURCE_DOES_NOT_EXIST")
    assert message == f"The parent folder ({HOME}/absent) does not exist."
    put(tree, "file", b"")
    refused(lambda: put(tree, "file/a.txt"), 404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize(
    "path",
    [
        "/Workspace/../x",
        "/Workspace/Users/ana@example.com/../../../x",
        "/Users/..",
        "Users/x",
        "",
        f"{HOME}/a\0b",
        f"{HOME}/a\nb",
        f"{HOME}/\x7f",
        f"{HOME}/\udcff",
        f"{HOME}/{'n' * 249}",
        f"{HOME}/{'ä' * 125}",
        "/" + "/".join(["folder"] * 600),
    ],
)
def test_paths_that_cannot_be_in_the_tree_are_refused(tree, path):
    for action in (
        lambda: tree.find(path),
        lambda: tree.make_folder(path),
        lambda: tree.write(path, b"", overwrite=True),
        lambda: tree.remove(path, recursive=True),
        lambda: list(tree.list(path)),
    ):
        assert len(refused(action, 400, "INVALID_PARAMETER_VALUE")) < 400
    assert not list(tree.root.with_name("tree.parts").glob("*"))


@pytest.mark.parametrize(
    "name", ["n" * 248, "ä" * 124, "%2e%2e", "..a", "a..", "a b", "a%2Fb", "name.with.dots", "~", "-"]
)
def test_names_that_only_look_odd_are_names(tree, name):
    assert put(tree, name).path == f"{HOME}/{name}"
    assert [each.path for each in tree.list(HOME)] == [f"{HOME}/{name}"]
    tree.remove(f"{HOME}/{name}", recursive=False)
    assert not list(tree.list(HOME))


def test_links_that_lead_out_are_refused_and_not_listed(tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    home = tree.root / "Users" / "ana@example.com"
    (home / "folder").symlink_to(outside)
    (home / "file.txt").symlink_to(outside / "secret.txt")
    (home / "round").symlink_to(home / "round")
    (home / "within").symlink_to(tree.root / "Shared")
    assert [each.path for each in tree.list(HOME)] == [f"{HOME}/within"]
    for path in (f"{HOME}/folder", f"{HOME}/folder/secret.txt", f"{HOME}/file.txt", f"{HOME}/folder/new.txt"):
        refused(lambda path=path: tree.find(path), 403, "PERMISSION_DENIED")
        refused(lambda path=path: tree.write(path, b"x", overwrite=True), 403, "PERMISSION_DENIED")
        refused(lambda path=path: tree.remove(path, recursive=True), 403, "PERMISSION_DENIED")
    assert (outside / "secret.txt").read_text() == "secret"


def test_removing_a_folder_with_a_link_keeps_what_the_link_names(tree, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.txt").write_text("a")
    tree.make_folder(f"{HOME}/a")
    (tree.get(f"{HOME}/a").place / "link").symlink_to(tmp_path / "kept")
    tree.remove(f"{HOME}/a", recursive=True)
    assert (tmp_path / "kept" / "a.txt").read_text() == "a"


def test_removing(tree):
    tree.make_folder(f"{HOME}/a/b")
    put(tree, "a/load.ipynb", jupyter())
    refused(lambda: tree.remove(f"{HOME}/a", recursive=False), 400, "DIRECTORY_NOT_EMPTY")
    refused(lambda: tree.remove(f"{HOME}/a/load.ipynb", recursive=False), 404, "RESOURCE_DOES_NOT_EXIST")
    tree.remove(f"{HOME}/a/b", recursive=False)
    tree.remove(f"{HOME}/a/load", recursive=False)
    assert not list(tree.list(f"{HOME}/a"))
    put(tree, "a/x.txt")
    tree.remove(f"{HOME}/a", recursive=True)
    refused(lambda: tree.remove(f"{HOME}/a", recursive=True), 404, "RESOURCE_DOES_NOT_EXIST")
    for root in ("/", "/Workspace", "/Workspace/"):
        refused(lambda root=root: tree.remove(root, recursive=True), 400, "INVALID_PARAMETER_VALUE")


def test_of_many_who_write_the_same_new_file_one_succeeds(tree):
    """The CLI uses `overwrite=false` to take the lock of a deployment."""
    ready, results = threading.Barrier(16), []

    def write(number: int) -> None:
        ready.wait()
        try:
            put(tree, "deploy.lock", str(number).encode() * 1000)
            results.append(number)
        except ApiError as error:
            assert error.code == "RESOURCE_ALREADY_EXISTS"

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 1
    assert tree.get(f"{HOME}/deploy.lock").place.read_bytes() == str(results[0]).encode() * 1000


WRITER = """
import sys
from pathlib import Path
from lakelocal.workspace.tree.store import WorkspaceTree
tree = WorkspaceTree(Path(sys.argv[1]))
for number in range(10_000):
    tree.make_folder(f"/Shared/{number}")
    tree.write(f"/Shared/{number}/x.txt", b"%d" % number * 1000, overwrite=False)
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(tree, tmp_path):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tree.root)], stdout=subprocess.PIPE, text=True) as writer:
        seen = [writer.stdout.readline() for _ in range(50)]
        writer.kill()
        seen += writer.stdout.readlines()
    for line in seen:
        if line.endswith("\n"):
            number = int(line)
            assert tree.get(f"/Shared/{number}/x.txt").place.read_bytes() == b"%d" % number * 1000
    tree.open("ana@example.com")
    assert not tree.root.with_name("tree.parts").exists()


def test_source_is_a_notebook_with_exactly_the_name_that_it_is_given(tree):
    """As in the SDK's own test: after `upload(".../x.py", b"print(1)")`, `download` returns it with a header."""
    found = import_object(tree, f"{HOME}/x.py", b"print(1)", "", "PYTHON", overwrite=False)
    assert (found.kind, found.path) == ("NOTEBOOK", f"{HOME}/x.py")
    assert export_object(tree, f"{HOME}/x.py", "")[0] == b"# Databricks notebook source\nprint(1)"
    again = import_object(tree, f"{HOME}/x.py", SOURCE_NOTEBOOK, "SOURCE", "PYTHON", overwrite=True)
    assert again.place.read_bytes() == SOURCE_NOTEBOOK
    assert [each.path for each in tree.list(HOME)] == [f"{HOME}/x.py"]


def test_auto_is_whatever_name_and_content_make_it(tree):
    for name, content, kind, shown in (
        ("a.py", b"print(1)", "FILE", "a.py"),
        ("b.py", SOURCE_NOTEBOOK, "NOTEBOOK", "b"),
        ("c.ipynb", jupyter(), "NOTEBOOK", "c"),
        ("d.whl", b"PK", "FILE", "d.whl"),
    ):
        found = import_object(tree, f"{HOME}/{name}", content, "AUTO", "", overwrite=False)
        assert (found.kind, found.path) == (kind, f"{HOME}/{shown}")
        assert export_object(tree, found.path, "RAW")[0] == content


def test_imports_that_are_refused(tree):
    for form, language, content in (
        ("SOURCE", "", b"1"),
        ("SOURCE", "COBOL", b"1"),
        ("JUPYTER", "", b"print(1)"),
        ("JUPYTER", "", b"{}"),
        ("HTML", "", b"<p>"),
        ("DBC", "", b"PK"),
        ("R_MARKDOWN", "R", b"#"),
        ("YAML", "", b""),
    ):
        refused(
            lambda f=form, lang=language, c=content: import_object(tree, f"{HOME}/n", c, f, lang, overwrite=False),
            400,
            "INVALID_PARAMETER_VALUE",
        )
    assert not list(tree.list(HOME))


@pytest.mark.parametrize(
    ("language", "cell", "expected"),
    [  # as a workspace answers: Databricks CLI, integration/libs/filer/filer_test.go
        ("python", "print(1)", b"# Databricks notebook source\nprint(1)"),
        ("r", "print(1)", b"# Databricks notebook source\nprint(1)"),
        ("scala", "println(1)", b"// Databricks notebook source\nprintln(1)"),
        ("sql", "select 1", b"-- Databricks notebook source\nselect 1"),
    ],
)
def test_a_jupyter_notebook_as_source(tree, language, cell, expected):
    put(tree, "n.ipynb", jupyter(code(cell), language=language))
    content, kind = export_object(tree, f"{HOME}/n", "SOURCE")
    assert content == expected
    assert kind == {"python": "py", "r": "r", "scala": "scala", "sql": "sql"}[language]


def test_a_notebook_of_several_cells_is_the_same_after_both_conversions(tree):
    title = {"application/vnd.databricks.v1+cell": {"showTitle": True, "title": "Load"}}
    notebook = jupyter(
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "text"], "metadata": {}},
        code("x = 1\n\nprint(x)", **title),
        code("%sql\nSELECT 1"),
        code("!ls"),
    )
    text = source_text(json.loads(notebook), ".py")
    assert text == (
        "# Databricks notebook source\n"
        "# MAGIC %md\n# MAGIC # Title\n# MAGIC\n# MAGIC text\n\n# COMMAND ----------\n\n"
        "# DBTITLE 1,Load\nx = 1\n\nprint(x)\n\n# COMMAND ----------\n\n"
        "# MAGIC %sql\n# MAGIC SELECT 1\n\n# COMMAND ----------\n\n"
        "# MAGIC !ls"
    )
    put(tree, "n.py", text.encode())
    cells = json.loads(export_object(tree, f"{HOME}/n", "JUPYTER")[0])["cells"]
    assert [(cell["cell_type"], cell["source"]) for cell in cells] == [
        ("markdown", "# Title\n\ntext"),
        ("code", "x = 1\n\nprint(x)"),
        ("code", "%sql\nSELECT 1"),
        ("code", "!ls"),
    ]


def test_a_sql_notebook_as_jupyter_has_plain_sql(tree):
    put(tree, "q.sql", b"-- Databricks notebook source\nSELECT 1")
    content = json.loads(export_object(tree, f"{HOME}/q", "JUPYTER")[0])
    assert content["cells"][0]["source"] == "SELECT 1"
    assert content["metadata"]["application/vnd.databricks.v1+notebook"]["language"] == "sql"


def test_a_notebook_as_a_page(tree):
    put(tree, "load.py", b"# Databricks notebook source\nprint('<hello>')")
    content, kind = export_object(tree, f"{HOME}/load", "HTML")
    assert kind == "html" and b"&lt;hello&gt;" in content


def test_a_folder_is_a_zip_archive(tree):
    tree.make_folder(f"{HOME}/p/q")
    put(tree, "p/load.ipynb", jupyter(code("1")))
    put(tree, "p/q/a.txt", b"abc")
    content, kind = export_object(tree, f"{HOME}/p", "SOURCE")
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert kind == "zip"
    assert sorted(archive.namelist()) == ["load.py", "q/", "q/a.txt"]
    assert archive.read("q/a.txt") == b"abc"


def test_exports_that_are_refused(tree):
    put(tree, "a.txt", b"abc")
    put(tree, "s.scala", b"// Databricks notebook source\n1")
    for path, form, status in (
        ("a.txt", "JUPYTER", 400),
        ("a.txt", "HTML", 400),
        ("a.txt", "DBC", 400),
        ("a.txt", "PDF", 400),
        ("", "JUPYTER", 400),
        ("s", "JUPYTER", 400),
        ("absent", "SOURCE", 404),
    ):
        code = "INVALID_PARAMETER_VALUE" if status == 400 else "RESOURCE_DOES_NOT_EXIST"
        refused(lambda p=path, f=form: export_object(tree, f"{HOME}/{p}", f), status, code)
    assert base64.b64encode(export_object(tree, f"{HOME}/a.txt", "")[0]) == b"YWJj"


def test_the_tree_is_one_for_all_catalogs_of_a_project(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path / "states"))
    (tmp_path / "databricks.yml").write_text("bundle: {name: x}\n")
    project = Project.at(tmp_path)
    assert project.state("dev").workspace == project.state("workspace").workspace == project.workspace
