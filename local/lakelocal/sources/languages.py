"""How each language writes a Databricks notebook as a source file.

Source: Databricks CLI 1.13, `libs/notebook/detect.go` (the header is the whole first line), and files that Databricks
exports: `COMMAND ----------` between cells, `MAGIC` before each line of another language, `DBTITLE 1,text` for a title.
"""

from dataclasses import dataclass

HEADER = "Databricks notebook source"


@dataclass(frozen=True)
class Language:
    """A language, and what begins its comments: Databricks' own lines are comments."""

    name: str
    comment: str

    @property
    def header(self) -> str:
        """The first line of a notebook's source file."""
        return f"{self.comment} {HEADER}"


LANGUAGES = {
    ".py": Language("Python", "#"),
    ".sql": Language("SQL", "--"),
    ".r": Language("R", "#"),
    ".scala": Language("Scala", "//"),
}
RUN_HERE = ("Python", "SQL")
SUFFIXES = (".ipynb", *(suffix for suffix, language in LANGUAGES.items() if language.name in RUN_HERE))
