"""`COPY INTO`: files become rows of a Delta table, each file once.

| module    | what                                                              |
| --------- | ----------------------------------------------------------------- |
| `command` | the statement as a value                                          |
| `files`   | which files it names, and which of them the table has already     |
| `load`    | reads the files, appends to the table, counts                     |
"""

from lakelocal.dialect.copying.load import copy_into

__all__ = ["copy_into"]
