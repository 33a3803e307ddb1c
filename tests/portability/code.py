"""The Python code below `notebooks/`: each code cell and each module, as one text with its place."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager


@dataclass(frozen=True)
class Code:
    """One cell or module. *cell* counts all cells of the notebook from 1; 0 for a module."""

    file: str
    cell: int
    text: str

    def place(self, line: int) -> str:
        """Where *line* is, for a reader."""
        return f"{self.file}, cell {self.cell}, line {line}" if self.cell else f"{self.file}:{line}"


def read_code(root: Path) -> Iterator[Code]:
    """All code in *root*/notebooks; in cells, magics are turned into calls, as IPython does it."""
    folder = root / "notebooks"
    for place in sorted([*folder.glob("*.ipynb"), *folder.rglob("*.py")]):
        name = place.relative_to(root).as_posix()
        if place.suffix == ".py":
            yield Code(name, 0, place.read_text(encoding="utf-8"))
        else:
            yield from _cells(name, place)


def _cells(name: str, place: Path) -> Iterator[Code]:
    cells = json.loads(place.read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code":
            yield Code(name, number, as_python("".join(cell["source"])))


def as_python(cell: str) -> str:
    """A cell's text with its magics and shell commands as calls of `get_ipython()`."""
    return TransformerManager().transform_cell(cell)
