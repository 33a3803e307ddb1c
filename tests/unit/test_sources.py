"""Notebooks as files: which file a name refers to, and Databricks source files as notebooks."""

import json
from pathlib import Path

import nbformat
import pytest

from lakelocal.errors import NotebookError
from lakelocal.sources import (
    as_jupyter,
    find_source,
    headings,
    lines_of,
    place_of,
    read_notebook,
    why_no_notebook,
    write_notebook,
)

# As Databricks exports it, including title and blank lines.
PYTHON = """\
# Databricks notebook source
# MAGIC %md
# MAGIC # Orders
# MAGIC
# MAGIC Those of *one* day.

# COMMAND ----------

# DBTITLE 1,Read them
day = dbutils.widgets.get("day")

orders = spark.table("orders")

# COMMAND ----------

# MAGIC %sql
# MAGIC SELECT count(*)
# MAGIC   FROM orders

# COMMAND ----------

# MAGIC %run ./helpers/dates

# COMMAND ----------

# a comment of the code
# MAGIC %pip install six
x = 1

# COMMAND ----------

"""

SQL = """\
-- Databricks notebook source
-- MAGIC %md
-- MAGIC ## Totals

-- COMMAND ----------

CREATE WIDGET TEXT day DEFAULT '2026-01-31'

-- COMMAND ----------

-- DBTITLE 1,By state
-- of this day only
SELECT state, sum(value) FROM orders WHERE day = :day GROUP BY state

-- COMMAND ----------

-- MAGIC %python
-- MAGIC print(dbutils.widgets.get("day"))
"""


def write(place: Path, text: str) -> Path:
    place.write_text(text, encoding="utf-8")
    return place


def cells_of(file: Path) -> list[tuple[str, str]]:
    return [(cell["cell_type"], cell["source"]) for cell in read_notebook(file)["cells"]]


def test_a_python_source_file_is_a_notebook(tmp_path: Path) -> None:
    """One cell for each of its cells, in order; `%md` is Markdown, other magics are kept."""
    assert cells_of(write(tmp_path / "n.py", PYTHON)) == [
        ("markdown", "# Orders\n\nThose of *one* day."),
        ("code", 'day = dbutils.widgets.get("day")\n\norders = spark.table("orders")'),
        ("code", "%sql\nSELECT count(*)\n  FROM orders"),
        ("code", "%run ./helpers/dates"),
        ("code", "# a comment of the code\n%pip install six\nx = 1"),
        ("code", ""),
    ]


def test_an_sql_source_file_is_a_notebook_of_sql_cells(tmp_path: Path) -> None:
    """Its plain cells are SQL; those of another language say which."""
    assert cells_of(write(tmp_path / "n.sql", SQL)) == [
        ("markdown", "## Totals"),
        ("code", "%sql\nCREATE WIDGET TEXT day DEFAULT '2026-01-31'"),
        (
            "code",
            "%sql\n-- of this day only\nSELECT state, sum(value) FROM orders WHERE day = :day GROUP BY state",
        ),
        ("code", '%python\nprint(dbutils.widgets.get("day"))'),
    ]


def test_a_cell_remembers_its_title_and_its_line(tmp_path: Path) -> None:
    """An error names both; the line is the first of the cell's text, counted in the file from 1."""
    cells = read_notebook(write(tmp_path / "n.py", PYTHON))["cells"]

    assert headings(cells)[:4] == ["Orders", "Read them", "Orders", "Orders"]
    assert [place_of(cell) for cell in cells[:3]] == ["line 2 of n.py", "line 10 of n.py", "line 16 of n.py"]
    assert PYTHON.splitlines()[9].startswith("day =")
    assert PYTHON.splitlines()[15] == "# MAGIC %sql"
    assert place_of({"cell_type": "code", "metadata": {}}) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Databricks notebook source\nx = 1\n", ["x = 1"]),
        ("\ufeff# Databricks notebook source\r\nx = 1\r\n\r\n# COMMAND ----------\r\ny = 2\r\n", ["x = 1", "y = 2"]),
        ("# Databricks notebook source\n", [""]),
        ("# Databricks notebook source\n\n# COMMAND ----------\n# MAGIC %sh\n# MAGIC ls\n", ["", "%sh\nls"]),
        ("# Databricks notebook source\n# MAGICAL\n#COMMAND ----------\n", ["# MAGICAL\n#COMMAND ----------"]),
        ('# Databricks notebook source\nx = """\n\n# text\n"""\n', ['x = """\n\n# text\n"""']),
    ],
)
def test_cells_are_what_stands_between_the_separators(tmp_path: Path, text: str, expected: list[str]) -> None:
    """Whatever the line ends, with or without a byte order mark; only Databricks' own comments are removed."""
    (tmp_path / "n.py").write_bytes(text.encode("utf-8"))

    assert [source for _, source in cells_of(tmp_path / "n.py")] == expected


def test_a_jupyter_notebook_of_sql_has_sql_cells(tmp_path: Path) -> None:
    """Databricks' own export: the language is in the notebook's metadata, other languages say theirs."""
    content = {
        "cells": [
            {
                "cell_type": "code",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": ["SELECT 1,\n", "2"],
            },
            {"cell_type": "code", "metadata": {}, "outputs": [], "source": "%python\nx = 1"},
        ],
        "metadata": {"application/vnd.databricks.v1+notebook": {"language": "sql"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    file = write(tmp_path / "n.ipynb", json.dumps(content))

    assert cells_of(file) == [("code", "%sql\nSELECT 1,\n2"), ("code", "%python\nx = 1")]
    assert as_jupyter(file, tmp_path / "made.ipynb") == tmp_path / "made.ipynb"


BLOCK = """\
# Databricks notebook source
# /// script
# [tool.databricks.environment]
# environment_version = "5"
# dependencies = [
#   "six==1.16.0",
#   "-r requirements.txt",
# ]
# ///
# DBTITLE 0,not shown
# MAGIC %md
# MAGIC # Title

# COMMAND ----------

x = 1
"""


def test_the_environment_of_a_serverless_notebook_is_no_part_of_its_first_cell(tmp_path: Path) -> None:
    """Lines and cells count as in the file; if the notebook runs by itself, its packages are installed first."""
    file = write(tmp_path / "n.py", BLOCK)

    cells = read_notebook(file)["cells"]
    assert cells_of(file) == [("markdown", "# Title"), ("code", "x = 1")]
    assert [(place_of(cell), heading) for cell, heading in zip(cells, headings(cells), strict=True)] == [
        ("line 11 of n.py", "Title"),
        ("line 16 of n.py", "Title"),
    ]
    made = nbformat.read(as_jupyter(file, tmp_path / "made.ipynb"), as_version=4)
    nbformat.validate(made)
    assert [cell.source for cell in made.cells] == ["%pip install six==1.16.0 -r requirements.txt", "# Title", "x = 1"]


def test_the_environment_of_a_task_takes_the_place_of_the_notebooks(tmp_path: Path) -> None:
    """As on Databricks; for a Jupyter notebook too."""
    own = write(tmp_path / "n.py", BLOCK)
    plain = write_notebook({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, tmp_path / "n.ipynb")

    for file in (own, plain):
        made = nbformat.read(
            as_jupyter(file, tmp_path / "made.ipynb", installs=["%pip install a", "%pip install -e /x"]), as_version=4
        )
        nbformat.validate(made)
        assert [cell.source for cell in made.cells][:2] == ["%pip install a", "%pip install -e /x"]
        assert "six" not in str(made.cells)


def test_a_jupyter_notebook_has_its_environment_in_its_metadata(tmp_path: Path) -> None:
    """Without dependencies there is nothing to install, and the file runs unchanged."""
    metadata = {"application/vnd.databricks.v1+notebook": {"environmentMetadata": {"environment_version": "4"}}}
    content = {"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 0}
    file = write(tmp_path / "n.ipynb", json.dumps(content))
    assert as_jupyter(file, tmp_path / "made.ipynb") == file

    metadata["application/vnd.databricks.v1+notebook"]["environmentMetadata"]["dependencies"] = ["a b", ""]
    write(file, json.dumps(content))

    made = nbformat.read(as_jupyter(file, tmp_path / "made.ipynb"), as_version=4)
    nbformat.validate(made)
    assert [cell.source for cell in made.cells] == ["%pip install 'a b'"]


def test_a_broken_environment_is_told(tmp_path: Path) -> None:
    """With the reason given by the TOML reader."""
    file = write(tmp_path / "n.py", "# Databricks notebook source\n# /// script\n# [tool\n# ///\nx = 1\n")

    with pytest.raises(NotebookError, match=r"found a block `/// script` that is not TOML"):
        read_notebook(file)


def test_what_is_made_of_a_source_file_is_valid_nbformat(tmp_path: Path) -> None:
    """According to nbformat itself, which reads the same cells; a Jupyter notebook of Python is used unchanged."""
    file = write(tmp_path / "n.py", PYTHON)
    made = as_jupyter(file, tmp_path / "made.ipynb")

    notebook = nbformat.read(made, as_version=4)
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == cells_of(file)
    assert notebook.metadata.kernelspec.name == "python3"
    assert as_jupyter(made, tmp_path / "again.ipynb") == made


NAMES = [
    (["n.ipynb"], "n", "n.ipynb"),
    (["n.py"], "n", "n.py"),
    (["n.sql"], "n", "n.sql"),
    (["n.py"], "n.py", "n.py"),
    (["n.ipynb", "plain/n.py"], "n", "n.ipynb"),
    (["n.v1.py"], "n.v1", "n.v1.py"),
    (["plain/n.py"], "n", "n.py"),
    (["n.ipynb", "n.py"], "n.py", "n.py"),
    ([], "n", None),
    (["n.ipynb"], "n.py", None),
]


@pytest.mark.parametrize(("files", "named", "expected"), NAMES)
def test_a_name_means_a_file_with_or_without_its_extension(
    tmp_path: Path, files: list[str], named: str, expected: str | None
) -> None:
    """A plain file (`plain/`) beside a notebook of its name is ignored; alone it is returned, to be refused."""
    for name in files:
        plain = name.startswith("plain/")
        file = tmp_path / name.removeprefix("plain/")
        if file.suffix == ".ipynb":
            write_notebook({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, file)
        else:
            write(file, "x" if plain else f"{'--' if file.suffix == '.sql' else '#'} Databricks notebook source\n")

    assert find_source(tmp_path / named) == (expected and tmp_path / expected)


def test_two_notebooks_of_one_name_are_refused(tmp_path: Path) -> None:
    """It is ambiguous which of them would run; in a workspace they would be the same."""
    write(tmp_path / "n.py", "# Databricks notebook source\n")
    write(tmp_path / "n.sql", "-- Databricks notebook source\n")

    with pytest.raises(NotebookError, match=r"found `n\.py` and `n\.sql`; expected one"):
        find_source(tmp_path / "n")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (
            "n.py",
            "import os\n",
            "is `import os`; expected that of a notebook, `# Databricks notebook source`",
        ),
        ("n.sql", "SELECT 1\n", r"`-- Databricks notebook source`. .* run the file as a `sql_task`"),
        ("n.py", " # Databricks notebook source\n", "a plain file"),
        (
            "n.scala",
            "// Databricks notebook source\n",
            "a notebook in Scala; expected one in Python or SQL",
        ),
        ("n.r", "# Databricks notebook source\n", "a notebook in R"),
        ("n.txt", "", "no notebook; expected one of `.ipynb`, `.py`, `.sql`"),
        ("n.ipynb", "{", "not JSON"),
        ("n.ipynb", "{}", "without cells, metadata or nbformat"),
        ("n.ipynb", '{"cells": [], "metadata": {}, "nbformat": 3}', "of nbformat 3; expected 4"),
        ("n.ipynb", '{"cells":[],"metadata":{"language_info":{"name":"scala"}},"nbformat":4}', "in Scala"),
        ("gone.py", None, "cannot be read"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str | None, reason: str
) -> None:
    """In the same words wherever a notebook is named."""
    if text is not None:
        write(tmp_path / name, text)

    with pytest.raises(NotebookError, match=reason):
        read_notebook(tmp_path / name)
    assert why_no_notebook(tmp_path / name)


# What `str.splitlines` treats as the end of a line, but Python, SQL and Databricks as an ordinary character.
NO_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@pytest.mark.parametrize("character", NO_LINE_ENDS, ids=lambda character: f"U+{ord(character):04X}")
@pytest.mark.parametrize(("suffix", "comment"), [(".py", "#"), (".sql", "--")])
def test_a_line_of_a_source_file_ends_at_a_line_end_only(tmp_path, suffix, comment, character):
    """Otherwise a string would be cut in two, and text after a separator in a comment would begin a cell."""
    file = tmp_path / f"n{suffix}"
    lines = [
        f"{comment} Databricks notebook source",
        f"x = 'a{character}b'",
        f"{comment} {character}{comment} COMMAND ----------",
        f"{comment} COMMAND ----------",
        f"{comment} MAGIC %md",
        f"{comment} MAGIC # One{character}heading",
    ]
    file.write_text("\n".join(lines), encoding="utf-8")

    code, text = read_notebook(file)["cells"]

    assert code["source"].removeprefix("%sql\n").split("\n") == lines[1:3]
    assert text["source"] == f"# One{character}heading"
    assert headings([code, text]) == ["", f"One{character}heading"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_three_ends_of_a_line_are_one(tmp_path, end):
    """Whatever the editor writes."""
    file = tmp_path / "n.py"
    text = end.join(["# Databricks notebook source", "x = 1", "", "# COMMAND ----------", "", "y = 2", ""])
    file.write_bytes(text.encode())

    assert [cell["source"] for cell in read_notebook(file)["cells"]] == ["x = 1", "y = 2"]


def test_lines_are_whole_or_without_their_ends():
    """Like `str.splitlines`, except for the characters that end a line."""
    text = "a\r\nb\rc\n\n\u2028d\f"

    assert lines_of(text) == ["a", "b", "c", "", "\u2028d\f"]
    assert lines_of(text, keepends=True) == ["a\r\n", "b\r", "c\n", "\n", "\u2028d\f"]
    assert lines_of("") == []
