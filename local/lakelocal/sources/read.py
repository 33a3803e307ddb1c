"""The file of a notebook as nbformat 4, in whichever form it is written.

A cell of a source file becomes one cell, in the same order: Markdown for `%md`, otherwise code with its magic
unchanged; the cells of a SQL notebook get `%sql`. Each remembers its file and line in its metadata, and its title where
Databricks' own exports store it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lakelocal.errors import NotebookError
from lakelocal.sources.environment import ENVIRONMENT, NOTEBOOK, install_lines, script_block
from lakelocal.sources.find import language_of, why_no_notebook
from lakelocal.sources.headings import CELL, PLACE
from lakelocal.sources.languages import LANGUAGES, Language
from lakelocal.sources.lines import lines_of

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
_MARKDOWN = re.compile(r"%md(?:-sandbox)?(?=\s|$)")


def read_notebook(file: Path) -> dict[str, Any]:
    """The notebook in *file* as nbformat 4, in plain JSON; the source of each cell is one text.

    Raises:
        NotebookError: *file* is not a notebook, or is one in another language than Python and SQL.
    """
    if reason := why_no_notebook(file):
        raise NotebookError(f"`{file}`: found `{file.name}`, {reason}")
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix.lower() == ".ipynb":
        return _jupyter(json.loads(text))
    language = LANGUAGES[file.suffix.lower()]
    lines = lines_of(text)[1:]
    try:
        environment, taken = script_block(lines, language)
    except ValueError as error:
        raise NotebookError(f"`{file}`: found a block `/// script` that is not TOML ({error}). Correct it.") from error
    cells = [_cell(held, language, file.name, line) for line, held in _chunks(lines[taken:], taken + 2, language)]
    content = notebook_of(cells)
    content["metadata"] = {**content["metadata"], NOTEBOOK: {"environmentMetadata": environment}}
    return content


def as_jupyter(file: Path, converted: Path, *, installs: Sequence[str] = ()) -> Path:
    """A `.ipynb` file whose cells can run unchanged: *file* itself, or the notebook that it represents, in *converted*.

    *installs* are the cells that install the task's environment; without them, the notebook's own applies.

    Raises:
        NotebookError: as for `read_notebook`.
    """
    content = read_notebook(file)
    first = list(installs) or install_lines(content["metadata"])
    if file.suffix.lower() == ".ipynb" and language_of(content) != "sql" and not first:
        return file
    for number, line in reversed(list(enumerate(first, start=1))):
        cell = code_cell(line, tags=[ENVIRONMENT])
        has_ids = content.get("nbformat_minor", 0) >= 5
        content["cells"].insert(0, {**cell, "id": f"{ENVIRONMENT}-{number}"} if has_ids else cell)
    return write_notebook(content, converted)


def write_notebook(content: dict[str, Any], place: Path) -> Path:
    """Write *content*, in the form of `read_notebook`, to *place*."""
    place.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return place


def notebook_of(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """A notebook with *cells* for the kernel of this environment."""
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells, start=1)]
    return {"cells": numbered, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}


def code_cell(source: str, **metadata: Any) -> dict[str, Any]:
    """A code cell that has not been run."""
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source}


def markdown_cell(source: str, **metadata: Any) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": metadata, "source": source}


def _jupyter(content: dict[str, Any]) -> dict[str, Any]:
    plain_sql = language_of(content) == "sql"
    for cell in content["cells"]:
        source = cell.get("source", "")
        cell["source"] = source = source if isinstance(source, str) else "".join(source)
        if plain_sql and cell["cell_type"] == "code" and source.strip() and not source.lstrip().startswith("%"):
            cell["source"] = f"%sql\n{source}"
    return content


def _chunks(lines: Sequence[str], first: int, language: Language) -> Iterator[tuple[int, list[str]]]:
    """The lines of each cell without surrounding blank lines, and the number of the first in the file.

    *lines* begin at line *first* of the file.
    """
    separator = re.compile(rf"{re.escape(language.comment)} COMMAND -{{5,}}\s*")
    start, held = first, list[str]()
    for number, line in enumerate(lines, start=first):
        if separator.fullmatch(line):
            yield _stripped(start, held)
            start, held = number + 1, []
        else:
            held.append(line)
    if held or start == first:
        yield _stripped(start, held)


def _stripped(start: int, lines: list[str]) -> tuple[int, list[str]]:
    while lines and not lines[0].strip():
        start, lines = start + 1, lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return start, lines


def _cell(lines: list[str], language: Language, file: str, line: int) -> dict[str, Any]:
    comment = re.escape(language.comment)
    metadata: dict[str, Any] = {}
    if lines and (title := re.match(rf"{comment} DBTITLE (\d+),(.*)", lines[0])):
        metadata[CELL] = {"showTitle": title[1] != "0", "title": title[2].strip()}
        line, lines = _stripped(line + 1, lines[1:])
    metadata[PLACE] = {"file": file, "line": line}
    magic = re.compile(rf"{comment} MAGIC(?: |$)")
    is_magic = bool(lines) and magic.match(lines[0]) is not None
    source = "\n".join(magic.sub("", each, count=1) for each in lines)
    if is_magic and (head := _MARKDOWN.match(source)):
        return markdown_cell(source[head.end() :].strip(), **metadata)
    if language.name == "SQL" and source and not is_magic:
        source = f"%sql\n{source}"
    return code_cell(source, **metadata)
