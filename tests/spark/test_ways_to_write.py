"""`/Volumes`, `/dbfs` and `/Workspace` are the state's folders for all that a notebook does, never the machine's.

Each way of writing is tried in both kinds of kernel: with mounts, and with Python's functions translated, as on a
machine that does not let a user have mounts. Either the file is in the state, or the way is refused.
"""

import os
import shutil
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from lakelocal.project import State
from lakelocal.roots.enter import FORCED, HOOKS, MOUNTS, which_way

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
V = "/Volumes/olist_dev/ways/files"
FRAME = "spark.range(1, 2)"

# name: a cell that writes, and what it makes: in the volume, in DBFS, in the workspace, or in another catalog.
WAYS = {
    "open": (f"open('{V}/open.txt', 'w').write('x')", "v/open.txt"),
    "open, of DBFS": ("open('/dbfs/open.txt', 'w').write('x')", "d/open.txt"),
    "open, of a volume in DBFS": (f"open('/dbfs{V}/dbfs.txt', 'w').write('x')", "v/dbfs.txt"),
    "open, of the workspace": (
        "import os; os.makedirs('/Workspace/Shared/a', exist_ok=True); open('/Workspace/Shared/a/b', 'w').write('x')",
        "w/Shared/a/b",
    ),
    "open, in another spelling": (f"open('/tmp/..//Volumes/.{V[8:]}/spelled.txt', 'w').write('x')", "v/spelled.txt"),
    "open, as bytes": (f"open(b'{V}/bytes.txt', 'wb').write(b'x')", "v/bytes.txt"),
    "open, relative": (f"import os; os.chdir('{V}'); open('relative.txt', 'w').write('x')", "v/renamed.txt"),
    "os.open": (f"import os; os.close(os.open('{V}/os.txt', os.O_CREAT | os.O_WRONLY))", "v/os.txt"),
    "os.makedirs": (f"import os; os.makedirs('{V}/a/b/c')", "v/a/b/c"),
    "os.rename": (f"import os; os.rename('{V}/relative.txt', '{V}/renamed.txt')", "v/renamed.txt"),
    "os.symlink": (f"import os; os.symlink('{V}/open.txt', '{V}/link.txt')", "v/link.txt"),
    "pathlib": (f"from pathlib import Path; Path('{V}/path.txt').write_text('x')", "v/path.txt"),
    "shutil": (f"import shutil; shutil.copytree('{V}/a', '{V}/tree')", "v/tree/b/c"),
    "glob": (f"import glob, shutil; [shutil.copy(f, f + '.copy') for f in glob.glob('{V}/open.*')]", "v/open.txt.copy"),
    "glob, over all catalogs": (
        "import glob, shutil\n"
        "for file in glob.glob('/Volumes/*/ways/files/open.txt'):\n"
        "    shutil.copy(file, file + '.found')",
        "v/open.txt.found",
    ),
    "tempfile, a file": (
        f"import tempfile, os; f = tempfile.NamedTemporaryFile(dir='{V}', delete=False)\n"
        f"os.rename(f.name, '{V}/temporary.txt')",
        "v/temporary.txt",
    ),
    "tempfile": (f"import tempfile; tempfile.mkdtemp(prefix='made', suffix='x', dir='{V}/a')", "v/a"),
    "zipfile": (f"import zipfile; zipfile.ZipFile('{V}/z.zip', 'w').writestr('a', 'x')", "v/z.zip"),
    "tarfile": (f"import tarfile; tarfile.open('{V}/t.tar', 'w').add('{V}/open.txt', 'a')", "v/t.tar"),
    "pandas, CSV": (f"import pandas; pandas.DataFrame({{'a': [1]}}).to_csv('{V}/p.csv')", "v/p.csv"),
    "pandas, Parquet": (f"import pandas; pandas.DataFrame({{'a': [1]}}).to_parquet('{V}/p.parquet')", "v/p.parquet"),
    "pyarrow": (
        f"import pyarrow, pyarrow.parquet as p; p.write_table(pyarrow.table({{'a': [1]}}), '{V}/arrow.parquet')",
        "v/arrow.parquet",
    ),
    "sqlite3": (f"import sqlite3; sqlite3.connect('{V}/s.db').execute('CREATE TABLE a (b)')", "v/s.db"),
    "an import": (
        f"import sys; open('{V}/beside.py', 'w').write('X = 1'); sys.path.append('{V}'); import beside",
        "v/beside.py",
    ),
    "dbutils.fs": (f"dbutils.fs.put('{V}/fs.txt', 'x')", "v/fs.txt"),
    "dbutils.fs, file:": (f"dbutils.fs.put('file:{V}/fs_file.txt', 'x')", "v/fs_file.txt"),
    "Spark": (f"{FRAME}.write.csv('{V}/spark')", "v/spark/_SUCCESS"),
    "Spark, file:": (f"{FRAME}.write.csv('file:{V}/spark_file')", "v/spark_file/_SUCCESS"),
    "Spark, file://": (f"{FRAME}.write.option('path', 'file://{V}/spark_uri').format('csv').save()", "v/spark_uri"),
    "Spark, dbfs:": (f"{FRAME}.write.csv('dbfs:/spark')", "d/spark/_SUCCESS"),
    "Spark, /dbfs": (f"{FRAME}.write.csv('/dbfs/spark_of_dbfs')", "d/spark_of_dbfs/_SUCCESS"),
    "Spark, DBFS without a scheme": (f"{FRAME}.write.csv('/FileStore/spark')", "d/FileStore/spark/_SUCCESS"),
    "Spark, /Workspace": (f"{FRAME}.write.csv('/Workspace/Shared/spark')", "w/Shared/spark/_SUCCESS"),
    "Spark, file:/Workspace": (f"{FRAME}.write.csv('file:/Workspace/Shared/file')", "w/Shared/file/_SUCCESS"),
    "another catalog": (
        "spark.sql('CREATE SCHEMA IF NOT EXISTS hive_metastore.ways')\n"
        "spark.sql('CREATE VOLUME IF NOT EXISTS hive_metastore.ways.files')\n"
        "open('/Volumes/hive_metastore/ways/files/a.txt', 'w').write('x')",
        "c/ways/files/a.txt",
    ),
    "SQL, a location": (
        f"%sql\nCREATE TABLE ways.located USING csv LOCATION 'file:{V}/located' AS SELECT 1 AS a",
        "v/located/_SUCCESS",
    ),
    "SQL, a folder": (f"%sql\nINSERT OVERWRITE DIRECTORY '{V}/folder' USING csv SELECT 1", "v/folder/_SUCCESS"),
    "SQL, a folder of this machine": (
        "%sql\nINSERT OVERWRITE LOCAL DIRECTORY '/Workspace/Shared/local' USING csv SELECT 1",
        "w/Shared/local/_SUCCESS",
    ),
}
# The same in a worker of the server, which runs Python functions.
WORKERS = {
    "a UDF": (
        "from pyspark.sql import functions as F\n"
        f"{FRAME}.select(F.udf(lambda x: open('{V}/udf.txt', 'w').write('x'), 'int')('id')).collect()",
        "v/udf.txt",
    ),
    "mapInPandas": (
        "import os\n"
        "def made(frames):\n"
        f"    os.makedirs('{V}/mapped/a', exist_ok=True)\n"
        "    yield from frames\n"
        f"{FRAME}.mapInPandas(made, 'id long').collect()",
        "v/mapped/a",
    ),
    "foreachBatch": (
        "import os\n"
        "def batch(frame, number):\n"
        "    os.makedirs('/dbfs/batch', exist_ok=True)\n"
        f"    frame.toPandas().to_csv('{V}/batch.csv')\n"
        f"    frame.write.mode('overwrite').csv('file:{V}/batch')\n"
        "stream = spark.readStream.format('rate-micro-batch').option('rowsPerBatch', 1).load()\n"
        "writer = stream.writeStream.foreachBatch(batch).trigger(availableNow=True)\n"
        f"writer.option('checkpointLocation', '{V}/checkpoint').start().awaitTermination()",
        "v/batch/_SUCCESS",
    ),
}
# The same for what programs do: with mounts they see the folders, without they are refused.
PROGRAMS = {
    "%sh": (f"%sh echo x > {V}/sh.txt", "v/sh.txt"),
    "%%bash": (f"%%bash\ncd {V} && mkdir -p bash/a", "v/bash/a"),
    "!": (f"!touch {V}/exclaimed.txt", "v/exclaimed.txt"),
    "subprocess": (f"import subprocess; subprocess.run(['touch', '{V}/subprocess.txt'])", "v/subprocess.txt"),
    "os.system": (f"import os; os.system('touch {V}/system.txt')", "v/system.txt"),
    "a shell that joins the path": ("%sh D=dbfs; mkdir -p /$D/joined", "d/joined"),
    "another Python": (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', 'open(chr(47) + \"{V[1:]}/p.txt\", \"w\")'])",
        "v/p.txt",
    ),
    "a library in C": ("import ctypes; print(ctypes.CDLL(None).mkdir(b'/dbfs/from_c', 0o777))", "d/from_c"),
    "pyarrow's file system": (
        f"import pyarrow.fs; pyarrow.fs.LocalFileSystem().create_dir('{V}/arrow_folder')",
        "v/arrow_folder",
    ),
}
# What nobody may write in any way: a file in no volume, or a file of the bundle.
REFUSED = {
    "another catalog": "import os; os.makedirs('/Volumes/nowhere/a/b')",
    "a file beside the schemas": "open('/Volumes/olist_dev/beside.txt', 'w')",
    "a volume that does not exist": "import os; os.makedirs('/Volumes/olist_dev/ways/unknown/a')",
    "a volume as a whole": f"import os; os.rmdir('{V}')",
    "a shell at the root": "%sh -e mkdir /Volumes/nowhere",
    "the root itself": "import os; os.mkdir('/Volumes')",
    "Spark, a volume that does not exist": f"{FRAME}.write.csv('file:/Volumes/olist_dev/ways/unknown/a')",
    "a worker, a volume that does not exist": (
        "from pyspark.sql import functions as F; import os\n"
        f"{FRAME}.select(F.udf(lambda x: os.makedirs('/Volumes/olist_dev/ways/unknown/a'), 'int')('id')).collect()"
    ),
    "a file of the bundle": "open('/Workspace/Users/me/.bundle/sample/dev/files/new.txt', 'w')",
    "a file of the bundle, by Spark": f"{FRAME}.write.csv('file:/Workspace/Users/me/.bundle/sample/dev/files/new')",
}


@pytest.fixture(scope="module")
def project(state: State, tmp_path_factory: pytest.TempPathFactory) -> State:
    """A project on the server of the worker, deployed to the workspace folder of `me`."""
    root = tmp_path_factory.mktemp("project")
    (root / "databricks.yml").write_text(
        f"bundle: {{name: sample}}\nvariables: {{catalog: {{default: {state.catalog}}}}}\n"
        "workspace: {root_path: /Workspace/Users/me/.bundle/sample/dev}\ntargets: {dev: {default: true}}\n"
    )
    return State(root, state.catalog, state.folder)


def execute(project: State, way: str, cells: list[str]) -> list[NotebookNode]:
    """Run the cells one after the other in an interactive kernel of the kind *way*; errors are in their outputs."""
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=KERNEL)
    where = {"metadata": {"path": str(project.root)}}
    told = {**os.environ, "LOCAL_STATE": str(project.folder.parent), FORCED: way}
    client = NotebookClient(notebook, timeout=120, allow_errors=True, resources=where)
    found: list[NotebookNode] = client.execute(env=told).cells
    return found


def why(cell: NotebookNode) -> str:
    """What a refused cell printed: its error, or the output of its program."""
    return "".join(output.get("text", "") or output.get("evalue", "") for output in cell.outputs)


def local(project: State, name: str) -> Path:
    root, _, inside = name.partition("/")
    other = project.catalogs / "hive_metastore/volumes"
    return {"v": project.volumes / "ways/files", "d": project.dbfs, "w": project.workspace, "c": other}[root] / inside


@pytest.mark.parametrize("way", [MOUNTS, HOOKS])
def test_no_way_to_write_reaches_the_root_of_this_machine(project, spark, way):
    """Python, libraries, shells, Spark and SQL: all in the state, or refused."""
    if way == MOUNTS and which_way()[0] != MOUNTS:
        pytest.skip(which_way()[1])
    spark.sql("CREATE SCHEMA IF NOT EXISTS ways")
    spark.sql("DROP TABLE IF EXISTS ways.located")
    spark.sql("DROP VOLUME IF EXISTS ways.files")
    spark.sql("CREATE VOLUME ways.files")
    for folder in (project.dbfs, project.workspace):  # the other way has already been here
        shutil.rmtree(folder)
        folder.mkdir()
    before, beside = sorted(os.listdir("/")), sorted(os.listdir(project.root))

    tried = {**WAYS, **WORKERS, **PROGRAMS}
    cells = execute(project, way, [cell for cell, _ in tried.values()] + list(REFUSED.values()))

    assert sorted(os.listdir("/")) == before
    assert sorted(os.listdir(project.root)) == beside
    done = dict(zip([*tried, *REFUSED], cells, strict=True))
    wanted = {**WAYS, **WORKERS}
    missing = {name: why(done[name]) for name, (_, made) in wanted.items() if not os.path.lexists(local(project, made))}
    assert missing == {}
    made = [name for name, (_, made) in PROGRAMS.items() if local(project, made).exists()]
    assert made == (list(PROGRAMS) if way == MOUNTS else [])
    assert {name for name in REFUSED if not why(done[name])} == set()
    assert not (project.volumes / "ways/unknown").exists()
    assert not (project.volumes / "nowhere").exists()
    if way == HOOKS:
        assert "does not let a user have mounts" in why(done["%sh"])
        assert "ermission denied" in why(done["a shell that joins the path"])


def test_the_files_of_the_bundle_are_read_where_the_workspace_has_them(project):
    """By Python, by a shell and by Spark, under the path to which the bundle is deployed."""
    files = "/Workspace/Users/me/.bundle/sample/dev/files"
    python, shell, read = execute(
        project,
        MOUNTS,
        [
            f"print(open('{files}/databricks.yml').readline())",
            f"%sh head -1 {files}/databricks.yml",
            f"print(spark.read.text('file:{files}/databricks.yml').first()[0])",
        ],
    )

    assert [why(cell).strip() for cell in (python, shell, read)] == ["bundle: {name: sample}"] * 3
