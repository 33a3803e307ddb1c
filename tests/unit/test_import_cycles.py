"""No file of `lakelocal` depends on itself, and no two packages depend on each other.

Every import counts: inside functions, for types only, and of a module that is named in a string, such as the program of
a child process. What a package's `__init__` imports counts as its own.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from lakelocal.lakeflow.graph import nodes_in_cycles

ROOT = Path(__file__).resolve().parents[2] / "local"  # the folder from which `lakelocal` is imported
DOTTED = re.compile(r"lakelocal(?:\.\w+)+")


def name_of(file: Path) -> str:
    """The module of *file*."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(file): file for file in (ROOT / "lakelocal").rglob("*.py")}


def named_in(source: str) -> Iterator[str]:
    """What *source* imports or names, as dotted names; docstrings may name anything."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and node.body]
    prose = {id(first.value) for first in docs if isinstance(first, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in FILES else str(node.module)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from DOTTED.findall(node.value)


def needs() -> dict[str, set[str]]:
    """For each module, the other modules of `lakelocal` that it imports or names."""
    found = {name: set(named_in(file.read_text(encoding="utf-8"))) for name, file in FILES.items()}
    return {name: {other for other in named if other in FILES and other != name} for name, named in found.items()}


def package_of(name: str) -> str:
    """The package of a module; a module beside the packages counts as its own package."""
    return ".".join(name.split(".")[:2])


def between_packages(modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """*modules* grouped by package."""
    found: dict[str, set[str]] = {}
    for name, others in modules.items():
        package = package_of(name)
        found.setdefault(package, set()).update({package_of(other) for other in others} - {package})
    return found


def test_what_counts_as_an_import() -> None:
    """Imports anywhere, and names of modules in strings; but not those in docstrings."""
    source = (
        '"""Of lakelocal.paths."""\nimport lakelocal.errors\ndef f():\n    """lakelocal.context"""\n'
        "    from lakelocal.history import records\n"
        "    return ['-m', 'lakelocal.order'], f'lakelocal.cli.{f}', lakelocal.project\n"
    )

    found = set(named_in(source)) & FILES.keys()

    assert found == {"lakelocal.errors", "lakelocal.history.records", "lakelocal.order", "lakelocal.cli"}


def test_no_file_needs_itself() -> None:
    """A cycle of files can only be understood, and changed, as a whole."""
    assert nodes_in_cycles(needs()) == []


def test_no_packages_need_each_other() -> None:
    """Packages can be read one after the other."""
    modules = needs()

    assert len(modules) > 200 and sum(map(len, modules.values())) > 600
    assert nodes_in_cycles(between_packages(modules)) == []
