"""Statements that maintain tables, and have no effect here.

Delta writes the statistics of each file to its log, together with the data, and uses them to find files.
"""

from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement


def analyze(statement: Statement) -> str | None:
    """`ANALYZE TABLE t COMPUTE ...` and `ANALYZE TABLES IN schema COMPUTE ...`: the table or schema has to exist."""
    if statement.starts("ANALYZE TABLES"):
        named = statement.words[2:3] in (["IN"], ["FROM"])
        if named:
            statement.run(f"DESCRIBE SCHEMA {join_name(statement.name(3))}")
    elif statement.starts("ANALYZE TABLE"):
        statement.run(f"DESCRIBE TABLE {join_name(statement.name(2))}")
    else:
        return None
    return statement.note("Delta already has its statistics, in its log")


def cache_select(statement: Statement) -> str | None:
    """`CACHE SELECT ...`, which would fill the disk cache of a cluster."""
    return statement.note("there is no disk cache to fill") if statement.starts("CACHE SELECT") else None


def ignore_bloom_index(statement: Statement) -> str | None:
    """`CREATE BLOOMFILTER INDEX ...` and `DROP BLOOMFILTER INDEX ...`: such an index only makes reading faster."""
    words = statement.words[1:3]
    return statement.note("there are no Bloom filter indexes") if words == ["BLOOMFILTER", "INDEX"] else None
