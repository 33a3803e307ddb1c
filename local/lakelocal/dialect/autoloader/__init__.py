"""Auto Loader (`cloudFiles`) on Spark's own file source.

| module                                  | what                                                                  |
| --------------------------------------- | --------------------------------------------------------------------- |
| `relation`                              | builds the plan                                                       |
| `options`, `hints`                      | what the user asked for                                               |
| `files`, `texts`, `headers`             | the files that the stream will read, and their first lines            |
| `types`, `columns`                      | types as values: merged field by field, evolved, written as DDL       |
| `json_records`, `inference`             | the types of what is in the files; schemas that are kept and grow     |
| `partitions`                            | columns in the names of folders                                       |
| `csv_rows` by `layouts`, `json_rows`, `typed_rows` | rows of each format                                        |
| `leftovers`                             | what of a JSON record has no place in the schema                      |
"""

from lakelocal.dialect.autoloader.relation import AutoLoader, Use

__all__ = ["AutoLoader", "Use"]
