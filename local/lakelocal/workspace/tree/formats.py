"""The formats in which the Workspace API imports and exports objects.

    SOURCE      a notebook as Databricks' source file; a file as it is; a folder as a ZIP archive of these
    JUPYTER     a notebook as Jupyter's JSON
    AUTO        import: depends on the name and the content; export: as SOURCE
    RAW         import: as AUTO; export: the bytes as they are stored
    HTML        export of a notebook: a page

Source: Workspace API 2.0, `ImportFormat`, `ExportFormat`; CLI 1.14, `integration/libs/filer/filer_test.go`
(a Jupyter notebook as source).
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lakelocal.errors import NotebookError
from lakelocal.sources.environment import NOTEBOOK as NOTEBOOK_METADATA
from lakelocal.sources.headings import CELL
from lakelocal.sources.languages import LANGUAGES
from lakelocal.sources.lines import lines_of
from lakelocal.sources.read import read_notebook
from lakelocal.workspace.errors import wrong_value
from lakelocal.workspace.tree.objects import (
    DIRECTORY,
    FILE,
    JUPYTER,
    JUPYTER_SUFFIX,
    SOURCE,
    SUFFIX_OF,
    TreeObject,
)
from lakelocal.workspace.tree.store import WorkspaceTree

_NOT_HERE = {
    "DBC": "archives of Databricks are not read or written here. Use SOURCE, JUPYTER or AUTO",
    "R_MARKDOWN": "R notebooks do not run here. Use SOURCE",
}
AS_IT_IS = ("", SOURCE, "AUTO", "RAW")
"""The formats in which a file is exported as it is."""
_SQL = "%sql\n"


def import_object(
    tree: WorkspaceTree, path: str, content: bytes, form: str, language: str, *, overwrite: bool
) -> TreeObject:
    """Write *content*, which is in the format *form*, as the object *path*.

    Raises:
        ApiError: the format is not offered, the content is not in it, or `WorkspaceTree.write` raises it.
    """
    form = form or SOURCE
    _refuse_elsewhere(form)
    if form in ("AUTO", "RAW"):
        return tree.write(path, content, overwrite=overwrite)
    if form == JUPYTER:
        return tree.write_notebook(path, content, JUPYTER_SUFFIX, overwrite=overwrite)
    if form == SOURCE:
        suffix = _suffix_of(language, path)
        return tree.write_notebook(path, _with_header(content, suffix), suffix, overwrite=overwrite)
    if form == "HTML":
        raise wrong_value(
            "The format HTML can only be exported: a page does not contain the cells. Use SOURCE or JUPYTER."
        )
    raise wrong_value(f"The format ({form}) is unknown; expected SOURCE, JUPYTER, AUTO or RAW.")


def export_object(tree: WorkspaceTree, path: str, form: str) -> tuple[bytes, str]:
    """The object *path* in the format *form*, and the extension of the exported file, without the dot.

    Raises:
        ApiError: there is no such object, or it does not have this format.
    """
    found, form = tree.get(path), form or SOURCE
    _refuse_elsewhere(form)
    if form not in _EXPORTS:
        raise wrong_value(f"The format ({form}) is unknown; expected one of {', '.join(_EXPORTS)}.")
    if found.kind == DIRECTORY:
        if form not in (SOURCE, "AUTO"):
            raise wrong_value(f"Folder ({path}) can't be exported as {form}; expected SOURCE or AUTO, a ZIP archive.")
        return _archive(tree, found), "zip"
    if found.kind == FILE:
        if form not in AS_IT_IS:
            raise wrong_value(f"File ({path}) is not a notebook, and can't be exported as {form}. Use SOURCE or AUTO.")
        return found.place.read_bytes(), found.place.suffix.lstrip(".")
    try:
        return _EXPORTS[form](found)
    except NotebookError as error:
        raise wrong_value(f"Notebook ({path}) can't be exported as {form}: {error}") from error


def _as_source(found: TreeObject) -> tuple[bytes, str]:
    suffix = SUFFIX_OF[found.language]
    if found.format == SOURCE:
        return found.place.read_bytes(), suffix[1:]
    return source_text(json.loads(found.place.read_bytes()), suffix).encode(), suffix[1:]


def _as_jupyter(found: TreeObject) -> tuple[bytes, str]:
    if found.format == JUPYTER:
        return found.place.read_bytes(), "ipynb"
    content = read_notebook(found.place)
    if found.language == "SQL":
        content["metadata"].setdefault(NOTEBOOK_METADATA, {})["language"] = "sql"
        for cell in content["cells"]:
            cell["source"] = cell["source"].removeprefix(_SQL)
    return json.dumps(content, ensure_ascii=False, indent=1).encode(), "ipynb"


def _as_kept(found: TreeObject) -> tuple[bytes, str]:
    return found.place.read_bytes(), found.place.suffix.lstrip(".")


def _as_page(found: TreeObject) -> tuple[bytes, str]:
    from nbconvert import HTMLExporter  # takes half a second, and only this format needs it

    content, _ = _as_jupyter(found)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, f"{found.path.rpartition('/')[2]}{JUPYTER_SUFFIX}")
        copy.write_bytes(content)
        return HTMLExporter().from_filename(str(copy))[0].encode(), "html"


_EXPORTS: Mapping[str, Callable[[TreeObject], tuple[bytes, str]]] = {
    SOURCE: _as_source,
    JUPYTER: _as_jupyter,
    "HTML": _as_page,
    "AUTO": _as_source,
    "RAW": _as_kept,
}


def source_text(notebook: Mapping[str, Any], suffix: str) -> str:
    """A Jupyter *notebook* as a source file, with the extension *suffix* of its language, without outputs."""
    comment = LANGUAGES[suffix].comment
    cells = [_cell_text(cell, comment) for cell in notebook.get("cells") or []]
    return f"{LANGUAGES[suffix].header}\n" + f"\n\n{comment} COMMAND ----------\n\n".join(cells)


def _cell_text(cell: Mapping[str, Any], comment: str) -> str:
    text = "".join(cell.get("source") or "")
    if cell.get("cell_type") != "code":
        text = f"%md\n{text}"
    is_magic = text.lstrip().startswith(("%", "!"))
    lines = [f"{comment} MAGIC {line}".rstrip() for line in lines_of(text)] if is_magic else [text]
    own = (cell.get("metadata") or {}).get(CELL) or {}
    if title := str(own.get("title") or ""):
        lines.insert(0, f"{comment} DBTITLE {1 if own.get('showTitle') else 0},{title}")
    return "\n".join(lines)


def _archive(tree: WorkspaceTree, folder: TreeObject) -> bytes:
    """The folder as a ZIP archive; notebooks have the extension of their language."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        waiting = [folder]
        while waiting:
            for each in tree.list(waiting.pop().path):
                name = each.path.removeprefix(folder.path.rstrip("/")).lstrip("/")
                if each.kind == DIRECTORY:
                    archive.writestr(f"{name}/", b"")
                    waiting.append(each)
                    continue
                content, kind = (each.place.read_bytes(), "") if each.kind == FILE else _as_source(each)
                archive.writestr(f"{name}.{kind}" if kind else name, content)
    return held.getvalue()


def _suffix_of(language: str, path: str) -> str:
    if language and language not in SUFFIX_OF:
        raise wrong_value(f"The language ({language}) is unknown; expected one of {', '.join(SUFFIX_OF)}.")
    if not language:
        raise wrong_value(
            f"The format SOURCE needs the `language` of ({path}); expected one of {', '.join(SUFFIX_OF)}. "
            "To import a file unchanged, use the format AUTO."
        )
    return SUFFIX_OF[language]


def _with_header(content: bytes, suffix: str) -> bytes:
    """*content* with the header of a notebook, which may be missing in imported source."""
    header = LANGUAGES[suffix].header.encode()
    first = content.partition(b"\n")[0].rstrip(b"\r")
    return content if first == header else header + b"\n" + content


def _refuse_elsewhere(form: str) -> None:
    if form in _NOT_HERE:
        raise wrong_value(f"The format {form} is not offered: {_NOT_HERE[form]}.")
