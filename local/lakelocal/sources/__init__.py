"""Notebooks as files: Jupyter's `.ipynb`, and Databricks source files `.py` and `.sql`. Everything that runs is one.

    file = find_source(folder / "silver")       # silver.ipynb, silver.py or silver.sql
    content = read_notebook(file)               # nbformat 4 as plain JSON

Plain JSON instead of nbformat's classes, whose import alone takes half a second in every kernel.
"""

from lakelocal.sources.find import TwoNotebooks, find_source, is_notebook, why_no_notebook
from lakelocal.sources.headings import headings, place_of
from lakelocal.sources.lines import lines_of
from lakelocal.sources.read import as_jupyter, read_notebook, write_notebook

__all__ = [
    "TwoNotebooks",
    "as_jupyter",
    "find_source",
    "headings",
    "is_notebook",
    "lines_of",
    "place_of",
    "read_notebook",
    "why_no_notebook",
    "write_notebook",
]
