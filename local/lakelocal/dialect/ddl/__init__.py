"""Statements that make and change tables, in the words that open-source Spark and Delta have.

| module        | what it knows                                                                              |
| ------------- | ------------------------------------------------------------------------------------------ |
| `create`      | CREATE TABLE with keys, CHECK, identity and generated columns                              |
| `definition`  | the columns and constraints between its parentheses, read by `reader`                      |
| `constraints` | keys and CHECK: how they are written, where they are kept                                  |
| `generated`   | tables with identity and generated columns                                                 |
| `alter`       | ALTER TABLE of constraints                                                                 |
| `clone`       | deep clones                                                                                |
| `describe`    | the constraints in DESCRIBE EXTENDED                                                       |
| `schemas`     | the comment of a schema                                                                    |
| `shown`       | SHOW CREATE TABLE, SHOW PARTITIONS                                                         |
| `upkeep`      | ANALYZE and what else looks after tables                                                   |
"""

from lakelocal.dialect.ddl.alter import alter_table
from lakelocal.dialect.ddl.clone import clone_table
from lakelocal.dialect.ddl.create import create_table
from lakelocal.dialect.ddl.describe import describe_table
from lakelocal.dialect.ddl.schemas import comment_schema, describe_schema
from lakelocal.dialect.ddl.shown import show_table
from lakelocal.dialect.ddl.upkeep import analyze, index, keep_cached

__all__ = [
    "alter_table", "analyze", "clone_table", "comment_schema", "create_table", "describe_schema", "describe_table",
    "index", "keep_cached", "show_table",
]  # fmt: skip
