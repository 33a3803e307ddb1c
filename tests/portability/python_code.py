"""Refused constructs in Python code, found in its syntax tree: strings, comments and other names do not count."""

import ast
from collections.abc import Callable, Iterator

from tests.portability.rules import ALLOWED_SETTINGS
from tests.portability.sql_text import STORAGE, find_in_sql

# What is found: rule, line, and how it looks.
Found = tuple[str, int, str]

_UDFS = {"udf", "pandas_udf", "udtf", "arrow_udf", "arrow_udtf"}
_PYTHON_ROWS = {
    *("applyInPandas", "applyInArrow", "mapInPandas", "mapInArrow", "applyInPandasWithState"),
    *("transformWithState", "transformWithStateInPandas", "registerJavaFunction"),
}
_CACHES = {"persist", "unpersist", "checkpoint", "localCheckpoint", "cacheTable", "uncacheTable", "clearCache"}
_CONTEXT = {"rdd", "sparkContext", "_sc", "_jvm", "_jdf", "_jsparkSession", "toJavaRDD"}
_CONTEXT_CLASSES = {"SparkContext", "SparkConf", "SQLContext", "HiveContext", "RDD"}
_GLOBAL_VIEWS = {"createGlobalTempView", "createOrReplaceGlobalTempView", "dropGlobalTempView"}
_MOUNTS = {"mount", "unmount", "updateMount", "refreshMounts", "mounts"}
_FILE_CALLS = {"Path", "open", "os", "shutil", "pathlib", "io", "glob", "pd", "pandas"}
_MAGICS = {"run": "run-magic", "pip": "install", "conda": "install", "uv": "install", "sh": "shell", "bash": "shell"}


def find_in_python(text: str) -> Iterator[Found]:
    """Every refused construct in *text*, including its SQL, in the order of the lines."""
    tree = ast.parse(text)
    found = [
        (rule, node.lineno, construct)
        for node in ast.walk(tree)
        for rule, check in _CHECKS
        if (construct := check(node)) is not None
    ]
    for line, literal in _literals(tree):
        if literal.startswith(STORAGE):
            found.append(("storage-path", line, f"'{literal}'"))
        found += [(rule, line + below, construct) for rule, below, construct in find_in_sql(literal)]
    yield from sorted(found, key=lambda each: each[1:])


def _chain(node: ast.AST) -> list[str]:
    """The names of `a.b(1).c`: a, b, c."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            return [*([node.id] if isinstance(node, ast.Name) else []), *reversed(names)]


def _method(node: ast.AST) -> str:
    """The name of the method or function that *node* calls, otherwise empty."""
    return (_chain(node) or [""])[-1] if isinstance(node, ast.Call) else ""


def _imported(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == package:
        return [alias.name for alias in node.names]
    return []


def _named(node: ast.AST, names: set[str]) -> str | None:
    """An attribute whose name is one of *names*."""
    return f".{node.attr}" if isinstance(node, ast.Attribute) and node.attr in names else None


def _cache(node: ast.AST) -> str | None:
    method = _method(node)
    bare = isinstance(node, ast.Call) and not node.args and not node.keywords  # functools.cache takes a function
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return f".{method}()" if is_method and (method in _CACHES or (method == "cache" and bare)) else None


def _rdd(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name) and node.id in ("sc", "sqlContext") and isinstance(node.ctx, ast.Load):
        return node.id
    classes = [name for name in _imported(node, "pyspark") if name in _CONTEXT_CLASSES]
    return f"import {classes[0]}" if classes else _named(node, _CONTEXT)


def _setting(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or _chain(node)[-2:] != ["conf", "set"]:
        return None
    given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "key")]
    key = given[0] if given else None
    if isinstance(key, ast.Constant) and key.value in ALLOWED_SETTINGS:
        return None
    return f"spark.conf.set({ast.unparse(key) if key else ''})"


def _global_view(node: ast.AST) -> str | None:
    return _named(node, _GLOBAL_VIEWS)


def _foreach(node: ast.AST) -> str | None:
    method = _method(node)
    return f".{method}()" if method in ("foreachBatch", "foreach", "foreachPartition") else None


def _python_udf(node: ast.AST) -> str | None:
    imported = [name for name in _imported(node, "pyspark") if name in _UDFS]
    return f"import {imported[0]}" if imported else _named(node, _UDFS | _PYTHON_ROWS)


def _trigger(node: ast.AST) -> str | None:
    method = _method(node)
    if method == "trigger" and isinstance(node, ast.Call):
        others = [keyword.arg for keyword in node.keywords if keyword.arg not in ("availableNow", "once")]
        return f".trigger({others[0]}=...)" if others else None
    chain = _chain(node) if method in ("start", "toTable") else []
    return f".{method}() without a trigger" if "writeStream" in chain and "trigger" not in chain else None


def _mount(node: ast.AST) -> str | None:
    chain = _chain(node) if isinstance(node, ast.Call) else []
    return ".".join(chain) if chain[:2] == ["dbutils", "fs"] and chain[-1] in _MOUNTS else None


def _volume_path(node: ast.AST) -> str | None:
    chain = _chain(node) if isinstance(node, ast.Call) else []
    if chain == ["open"]:
        return "open()"
    if isinstance(node, ast.Call) and chain and chain[0] in _FILE_CALLS:
        volumes = [text for argument in node.args if (text := _text(argument) or "").startswith("/Volumes/")]
        return f"{'.'.join(chain)}('{volumes[0]}')" if volumes else None
    return None


def _machine_file(node: ast.AST) -> str | None:
    chain = _chain(node) if isinstance(node, ast.Call) else []
    if not isinstance(node, ast.Call) or not {"fs", "_fs"} & set(chain[:-1]):
        return None
    files = [text for argument in node.args if (text := _text(argument) or "").startswith("file:")]
    return f"{'.'.join(chain)}('{files[0]}')" if files else None


def _input_file_name(node: ast.AST) -> str | None:
    imported = "input_file_name" in _imported(node, "pyspark")
    return "input_file_name" if imported else _named(node, {"input_file_name"})


def _magic(rule: str) -> Callable[[ast.AST], str | None]:
    def check(node: ast.AST) -> str | None:
        chain = _chain(node) if isinstance(node, ast.Call) else []
        if chain[:1] != ["get_ipython"] or not isinstance(node, ast.Call) or not node.args:
            return None
        name = _text(node.args[0]) or ""
        if chain[1:] in (["system"], ["getoutput"]):
            return f"!{name}" if rule == "shell" else None
        magic = chain[1:] in (["run_line_magic"], ["run_cell_magic"])
        return f"%{name}" if magic and _MAGICS.get(name) == rule else None

    return check


def _sys_path(node: ast.AST) -> str | None:
    is_there = isinstance(node, ast.Attribute) and _chain(node) == ["sys", "path"]
    return "sys.path" if is_there or "path" in _imported(node, "sys") else None


def _sleep(node: ast.AST) -> str | None:
    return "sleep()" if _method(node) == "sleep" else None


def _star_import(node: ast.AST) -> str | None:
    is_star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    return f"from {node.module} import *" if is_star and isinstance(node, ast.ImportFrom) else None


def _local_import(node: ast.AST) -> str | None:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
    found = [name for name in names if name.split(".")[0] in ("lakelocal", "local", "tests")]
    return f"import {found[0]}" if found else None


_CHECKS: tuple[tuple[str, Callable[[ast.AST], str | None]], ...] = (
    ("cache", _cache),
    ("rdd", _rdd),
    ("setting", _setting),
    ("global-view", _global_view),
    ("foreach", _foreach),
    ("python-udf", _python_udf),
    ("trigger", _trigger),
    ("storage-path", _mount),
    ("volume-path", _volume_path),
    ("machine-file", _machine_file),
    ("input-file-name", _input_file_name),
    *((rule, _magic(rule)) for rule in ("run-magic", "install", "shell")),
    ("sys-path", _sys_path),
    ("sleep", _sleep),
    ("star-import", _star_import),
    ("local-import", _local_import),
)


def _literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and value of every text that is used, each once: whole f-strings, sums of texts; no docstrings."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) not in told and (text := _text(node)) is not None:
            told |= {id(part) for part in _parts(node)}
            yield node.lineno, text


def _text(node: ast.AST) -> str | None:
    """The value of a text; what is filled in stands as a name."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None and right is None else f"{'x' if left is None else left}{right or 'x'}"
    return None


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The texts that are told with *node*; what stands inside of braces is told by itself."""
    if isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))
    if isinstance(node, ast.BinOp):
        for side in (node.left, node.right):
            yield side
            yield from _parts(side)
