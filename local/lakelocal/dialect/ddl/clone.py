"""`CREATE TABLE ... DEEP CLONE`: a copy of a table with its files. Delta has only the shallow one.

A deep clone is made of two commits: a shallow clone, which brings columns, partitions, properties and constraints, and
an overwrite with the same rows, which brings files of its own. What fails in between leaves a shallow clone.

Delta wants a table that CREATE OR REPLACE clones into to be empty; on Databricks its rows are replaced. So a table that
Delta refuses for its rows loses them in a commit of its own before.

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
    """What Spark runs last instead of *statement*, which gives what was copied; None where Delta does all of it."""
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
    """What *clone*, the statement of Delta, gives; *target* is emptied where that is all that Delta lacks."""
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
    """VERSION AS OF or TIMESTAMP AS OF at token *at*, as it is written."""
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
            "%s: a column GENERATED ALWAYS AS IDENTITY takes no copied values, so that the clone goes on reading the "
            "files of `%s`. VACUUM of that table would break it.", statement.where, source,
        )  # fmt: skip
