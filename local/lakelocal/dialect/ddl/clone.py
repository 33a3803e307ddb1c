"""`CREATE TABLE ... DEEP CLONE`: a copy of a table with its files. Open-source Delta only has shallow clones.

A deep clone takes two commits: a shallow clone, which copies columns, partitions, properties and constraints, and an
overwrite with the same rows, which gives the table its own files. A failure in between leaves a shallow clone.

Delta requires that a table which CREATE OR REPLACE clones into is empty; on Databricks, its rows are replaced. If Delta
refuses a table because of its rows, they are therefore deleted first, in a separate commit.

Source: Databricks documentation, "CREATE TABLE CLONE".
"""

import logging
from typing import Any

import grpc

from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import NOTHING, Statement
from lakelocal.sql.writing import Edit, apply, literal

_NOT_EMPTY = "DELTA_UNSUPPORTED_NON_EMPTY_CLONE"
_log = logging.getLogger(__package__)


def clone_table(statement: Statement) -> str | None:
    """SQL for the result of *statement*, which has been executed; None if Delta can execute it as it is."""
    words, tokens = statement.words, statement.tokens
    at = next((index for index in range(2, len(words)) if words[index] == "CLONE"), None)
    deep, replaces = at is not None and words[at - 1] != "SHALLOW", words[1:3] == ["OR", "REPLACE"]
    if at is None or "TABLE" not in words[:at] or not (deep or replaces):
        return None
    named, if_not_exists = statement.skip(words.index("TABLE") + 1, "IF NOT EXISTS")
    target, source = statement.name(named), statement.name(at + 1)
    if if_not_exists and exists(statement, target):
        return NOTHING
    first = at - 1 if words[at - 1] in ("DEEP", "SHALLOW") else at
    text = apply(statement.sql, [Edit(tokens[first].start, tokens[at].end, "SHALLOW CLONE")])
    cloned = _cloned(statement, text, join_name(target), replaces)
    if not deep:
        return "SELECT " + ", ".join(f"{value}L AS {name}" for name, value in cloned.items())
    _copy_rows(statement, join_name(target), join_name(source) + _version(statement, at + 2 * len(source)))
    copied = {"num_copied_files": cloned["source_num_of_files"], "copied_files_size": cloned["source_table_size"]}
    return "SELECT " + ", ".join(f"{value}L AS {name}" for name, value in {**cloned, **copied}.items())


def _cloned(statement: Statement, clone: str, target: str, replaces: bool) -> dict[str, Any]:
    """The result of Delta's statement *clone*; *target* is emptied if Delta refuses only because of its rows."""
    try:
        return statement.run(clone)[0]
    except grpc.RpcError as error:
        if not replaces or _NOT_EMPTY not in str(error):
            raise
    statement.run(f"DELETE FROM {target}")
    return statement.run(clone)[0]


def exists(statement: Statement, name: list[str]) -> bool:
    within = f"IN {join_name(name[:-1])} " if len(name) > 1 else ""
    return bool(statement.run(f"SHOW TABLES {within}LIKE {literal(name[-1])}"))


def _version(statement: Statement, at: int) -> str:
    """VERSION AS OF or TIMESTAMP AS OF at token *at* as it is written; "" if there is none."""
    ends = (
        index for index in range(at, len(statement.words)) if statement.words[index] in ("TBLPROPERTIES", "LOCATION")
    )
    end = next(ends, len(statement.tokens))
    return f" {statement.sql[statement.tokens[at].start : statement.tokens[end - 1].end]}" if end > at else ""


def _copy_rows(statement: Statement, target: str, source: str) -> None:
    try:
        statement.run(f"INSERT OVERWRITE {target} SELECT * FROM {source}")
    except grpc.RpcError as error:
        if "IDENTITY" not in str(error):
            raise
        _log.warning(
            "%s: a column GENERATED ALWAYS AS IDENTITY accepts no copied values, so the clone still reads the files of "
            "`%s`. VACUUM of that table would break it.", statement.where, source,
        )  # fmt: skip
