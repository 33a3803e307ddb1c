"""Auto Loader (`cloudFiles`) on Spark's own file source.

| module                                  | what                                                                  |
| --------------------------------------- | --------------------------------------------------------------------- |
| `relation`, `plan_builders`             | builds the plan, from small parts                                     |
| `options`, `hints`                      | what the user asks for                                                |
| `files`, `text_files`, `headers`        | the files that the stream will read, and their first lines            |
| `types`, `columns`                      | types as values: merged field by field, evolved, written as DDL       |
| `json_records`, `inference`             | the types of the data in the files; schemas that are stored and grow  |
| `partitions`                            | columns in the names of folders                                       |
| `csv_rows` with `layouts`, `json_rows`, `typed_rows` | the rows of each format                                  |
| `leftovers`                             | the parts of a JSON record that have no place in the schema           |
"""

from lakelocal.dialect.autoloader.relation import AutoLoader, ReadMode

__all__ = ["AutoLoader", "ReadMode"]
