"""Which file a notebook's path names, and whether that file is a notebook."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from lakelocal.errors import NotebookError
from lakelocal.sources.environment import NOTEBOOK
from lakelocal.sources.languages import LANGUAGES, RUN_HERE, SUFFIXES

_PLAIN_TASK = {".py": "spark_python_task", ".sql": "sql_task"}


class TwoNotebooks(NotebookError):
    """Raised if the name *named*, without its extension, is that of more than one of *files*."""

    def __init__(self, named: Path, files: list[Path]) -> None:
        self.files = files
        self.found = " and ".join(f"`{file.name}`" for file in files)
        super().__init__(f"`{named}`: found {self.found}; expected one notebook of that name. Rename one of them.")


class NotANotebook(NamedTuple):
    """Why a file is not a notebook: what it is (the rest of a sentence "found `x.py`, ..."), and what to do.

    *runs_elsewhere*: it is one, in a language that a local kernel does not run.
    """

    found: str
    expected: str
    action: str
    runs_elsewhere: bool = False

    def __str__(self) -> str:
        return f"{self.found}; expected {self.expected}. {self.action}"


def find_source(named: Path) -> Path | None:
    """The file of the notebook *named*, with or without its extension; None if there is none.

    An existing file that is not a notebook is returned if nothing else fits: `why_no_notebook` says what is wrong.

    Raises:
        TwoNotebooks: two notebooks have the name without its extension.
    """
    if named.suffix.lower() in (".ipynb", *LANGUAGES) and named.is_file():
        return named
    files = [file for suffix in (".ipynb", *LANGUAGES) if (file := named.with_name(named.name + suffix)).is_file()]
    notebooks = [file for file in files if is_notebook(file)]
    if len(notebooks) > 1:
        raise TwoNotebooks(named, notebooks)
    if not files and named.is_file():
        return named
    return next(iter([*notebooks, *files]), None)


def is_notebook(file: Path) -> bool:
    """Is *file* a notebook that can run here?"""
    return why_no_notebook(file) is None


def why_no_notebook(file: Path) -> NotANotebook | None:
    """Why *file* is not a notebook that can run here; None if it is one."""
    suffix = file.suffix.lower()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return NotANotebook(f"which cannot be read ({error})", "a file in UTF-8", "Restore it.")
    if suffix == ".ipynb":
        return _why_not_jupyter(text)
    if suffix not in LANGUAGES:
        return NotANotebook(
            "which is no notebook", f"one of {', '.join(f'`{each}`' for each in SUFFIXES)}", "Correct the path."
        )
    language = LANGUAGES[suffix]
    if language.name not in RUN_HERE:
        return _other_language(language.name)
    first = text.partition("\n")[0].rstrip("\r")
    if first == language.header:
        return None
    return NotANotebook(
        f"a plain file: its first line is `{first[:60]}`",
        f"that of a notebook, `{language.header}`",
        f"Add that line, or run the file as a `{_PLAIN_TASK[suffix]}`.",
    )


def language_of(content: dict[str, Any]) -> str:
    """The language of a Jupyter notebook's cells; `python` if it does not say.

    Databricks stores it under its own key; a SQL notebook has plain SQL in its cells.
    """
    metadata = content.get("metadata") or {}
    own = (metadata.get(NOTEBOOK) or {}).get("language")
    return str(own or (metadata.get("language_info") or {}).get("name") or "python").lower()


def _why_not_jupyter(text: str) -> NotANotebook | None:
    try:
        content = json.loads(text)
    except ValueError as error:
        return NotANotebook(f"which is not JSON ({error})", "a notebook of nbformat 4", "Restore the notebook.")
    if not isinstance(content, dict) or not {"cells", "metadata", "nbformat"} <= content.keys():
        return NotANotebook("without cells, metadata or nbformat", "a notebook of nbformat 4", "Restore the notebook.")
    if content["nbformat"] < 4:
        return NotANotebook(f"of nbformat {content['nbformat']}", "4", "Save it again in Jupyter.")
    if (language := language_of(content)) in ("scala", "r"):
        return _other_language(language)
    return None


def _other_language(name: str) -> NotANotebook:
    return NotANotebook(
        f"a notebook in {name.capitalize()}",
        f"one in {' or '.join(RUN_HERE)}, which a local kernel runs",
        "Run it on Databricks, and the other tasks here with --only.",
        runs_elsewhere=True,
    )
