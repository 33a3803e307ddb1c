"""The modules that Databricks provides for import, in a separate process for each test: imports persist."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

# A kernel whose session is only a string: these modules pass it on and know nothing about it.
KERNEL = """
    import sys
    from types import SimpleNamespace
    from lakelocal.kernel.dbutils import DBUtils
    from lakelocal.kernel.runtime import provide_modules

    conf = {}
    session = SimpleNamespace(conf=SimpleNamespace(set=conf.__setitem__), sql=lambda q, **n: ("sql", q, n))
    kernel = SimpleNamespace(context=None, remote="", spark=session)
    kernel.dbutils = DBUtils(kernel)
    kernel.part = {DBUtils: kernel.dbutils}.__getitem__
    provide_modules(kernel)
"""


# `databricks.sdk` is not found, as in an environment without it.
WITHOUT_SDK = """
from importlib.machinery import PathFinder

class WithoutSdk(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.startswith("databricks.sdk") else super().find_spec(name, path, target)

sys.meta_path = [WithoutSdk if each is PathFinder else each for each in sys.meta_path]
"""


def outcome(code: str, *folders: Path) -> str:
    """What *code* prints in a process with the modules, with *folders* on the path; including errors."""
    path = "".join(f"sys.path.insert(0, {str(folder)!r})\n" for folder in folders)
    done = subprocess.run(
        [sys.executable, "-c", f"{dedent(KERNEL)}\n{path}{dedent(code)}"], capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


def test_the_names_of_a_notebook_can_be_imported() -> None:
    """As packages of a bundle do; nothing imports Spark before it is used."""
    said = outcome("""
        from databricks.sdk.runtime import spark, dbutils, display, sql, udf, getArgument, displayHTML, table
        assert spark is session and dbutils is kernel.dbutils
        assert sql("SELECT :a", args={"a": 1}) == ("sql", "SELECT :a", {"args": {"a": 1}})
        dbutils.widgets.text("day", "1")
        assert getArgument("day") == "1" and getArgument("none", "2") == "2"
        from databricks.sdk.runtime import *
        import databricks.sdk.runtime as runtime
        kernel.spark = "another"
        assert runtime.spark == "another"
        print("pyspark" in sys.modules)
    """)

    assert said == "False\n"


def test_a_databricks_session_is_the_local_one() -> None:
    """However it is requested; unused arguments are reported if they would select another place."""
    said = outcome("""
        from databricks.connect import DatabricksSession
        from databricks.connect.session import DatabricksSession as Same
        assert Same is DatabricksSession
        assert DatabricksSession.builder.getOrCreate() is session
        assert DatabricksSession.builder.serverless(True).validateSession(False).getOrCreate() is session
        assert DatabricksSession.builder.config("a", 1).getOrCreate() is session and conf == {"a": 1}
        assert DatabricksSession.builder.profile("x").getOrCreate() is session
        assert DatabricksSession.Builder().remote(host="h", cluster_id="c").getOrCreate() is session
    """)

    assert said.splitlines() == [
        f"DatabricksSession.builder.{name}: ignored in this kernel; the session is the kernel's own."
        for name in ("profile", "remote")
    ]


def test_the_module_of_a_databricks_session_has_sparks_too() -> None:
    """As databricks-connect imports it there; code imports it to annotate its functions."""
    said = outcome("""
        import databricks.connect.session as module
        print("pyspark" in sys.modules, hasattr(module, "nothing"))
        from databricks.connect.session import SparkSession
        import pyspark.sql
        print(SparkSession is pyspark.sql.SparkSession)
    """)

    assert said == "False False\nTrue\n"


def test_dbutils_of_a_session_is_the_kernels() -> None:
    """The older way to get it in a module; the rest of pyspark is the real one."""
    said = outcome("""
        from pyspark.dbutils import DBUtils
        import pyspark
        print(DBUtils(session) is kernel.dbutils, DBUtils() is kernel.dbutils, bool(pyspark.__version__))
    """)

    assert said == "True True True\n"


def test_what_databricks_sdk_alone_has_is_refused_with_how_to_install_it() -> None:
    """And so is what no Spark Connect session has."""
    for code, expected in (
        ("from databricks.sdk import WorkspaceClient", "`databricks.sdk.WorkspaceClient`: the package databricks-sdk"),
        ("from databricks.sdk.runtime import sc", "`databricks.sdk.runtime.sc`: Spark Connect does not have it"),
        ("from databricks.sdk.runtime import nonsense", "cannot import name 'nonsense'"),
        ("import databricks.nonsense", "No module named 'databricks.nonsense'"),
    ):
        assert expected in outcome(WITHOUT_SDK + code)


def test_an_installed_sdk_stays_itself(tmp_path: Path) -> None:
    """Only `databricks.sdk.runtime` is replaced: the real one would look for a workspace."""
    package = tmp_path / "databricks" / "sdk"
    (package / "runtime").mkdir(parents=True)
    (tmp_path / "databricks" / "__init__.py").write_text(
        '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n'
    )
    (package / "__init__.py").write_text("WorkspaceClient = 'real'\n")
    (package / "service.py").write_text("jobs = 'real'\n")
    (package / "runtime" / "__init__.py").write_text("raise RuntimeError('the real one')\n")

    said = outcome(
        """
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.service import jobs
        from databricks.sdk.runtime import dbutils
        print(WorkspaceClient, jobs, dbutils is kernel.dbutils)
        """,
        tmp_path,
    )

    assert said == "real real True\n"
