"""Statements that look after tables, and have nothing to do here.

Delta keeps the statistics of each file in its log, writes them with the data, and finds files by them.
"""

from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement


def analyze(statement: Statement) -> str | None:
    """`ANALYZE TABLE t COMPUTE ...`, `ANALYZE TABLES IN schema COMPUTE ...`: the table or schema has to be there."""
    if statement.starts("ANALYZE TABLES"):
        named = statement.words[2:3] in (["IN"], ["FROM"])
        if named:
            statement.run(f"DESCRIBE SCHEMA {join_name(statement.name(3))}")
    elif statement.starts("ANALYZE TABLE"):
        statement.run(f"DESCRIBE TABLE {join_name(statement.name(2))}")
    else:
        return None
    return statement.note("Delta has its statistics already, in its log")


def keep_cached(statement: Statement) -> str | None:
    """`CACHE SELECT ...` fills the cache of a cluster's disks."""
    return statement.note("there is no disk cache to fill") if statement.starts("CACHE SELECT") else None


def index(statement: Statement) -> str | None:
    """Bloom filter indexes only make reading faster."""
    words = statement.words[1:3]
    return statement.note("bloom filters are not made") if words == ["BLOOMFILTER", "INDEX"] else None
