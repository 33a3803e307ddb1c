"""`COPY INTO`: loads files into a Delta table, each file once.

| module    | contents                                                          |
| --------- | ----------------------------------------------------------------- |
| `command` | the statement as a value                                          |
| `files`   | the files that it names, and those that the table has already     |
| `load`    | reads the files, appends their rows to the table, counts them     |
"""

from lakelocal.dialect.copying.load import copy_into

__all__ = ["copy_into"]
