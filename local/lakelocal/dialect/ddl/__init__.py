"""Translates statements that create and change tables into those of open-source Spark and Delta.

| module        | what it handles                                                                            |
| ------------- | ------------------------------------------------------------------------------------------ |
| `create`      | CREATE TABLE with keys, CHECK, identity and generated columns                              |
| `definition`  | the columns and constraints between its parentheses, read by `reader`                      |
| `constraints` | keys and CHECK: how they are written, where they are stored                                |
| `generated`   | tables with identity and generated columns                                                 |
| `alter`       | ALTER TABLE for constraints                                                                |
| `clone`       | deep clones                                                                                |
| `describe`    | the constraints in DESCRIBE EXTENDED                                                       |
| `schemas`     | the comment of a schema                                                                    |
| `show`        | SHOW CREATE TABLE, SHOW PARTITIONS                                                         |
| `maintenance` | ANALYZE and other statements that maintain tables                                          |
"""

from lakelocal.dialect.ddl.alter import alter_table
from lakelocal.dialect.ddl.clone import clone_table
from lakelocal.dialect.ddl.create import create_table
from lakelocal.dialect.ddl.describe import describe_table
from lakelocal.dialect.ddl.maintenance import analyze, cache_select, ignore_bloom_index
from lakelocal.dialect.ddl.schemas import comment_schema, describe_schema
from lakelocal.dialect.ddl.show import show_table

__all__ = [
    "alter_table",
    "analyze",
    "cache_select",
    "clone_table",
    "comment_schema",
    "create_table",
    "describe_schema",
    "describe_table",
    "ignore_bloom_index",
    "show_table",
]  # fmt: skip
