"""Statements that lose a race: several tasks create the same thing at once, each only if it does not exist yet.

A catalog of Databricks executes them one after the other, and each of them succeeds. Spark first checks whether the
thing exists, and then creates it; the second task fails because of the log, the files or the name that the first one
has created. Such a statement is repeated, and then finds what the first task has created.
"""

import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.names import shorten
from lakelocal.sql.tokens import tokenize

_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds; the first task writes its log before the catalog has the table
_LOST = re.compile(
    r"\[(?:DELTA_PROTOCOL_CHANGED|DELTA_METADATA_CHANGED|DELTA_CONCURRENT_\w+|DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"
    r"|DELTA_TABLE_ALREADY_EXISTS|TABLE_OR_VIEW_ALREADY_EXISTS|SCHEMA_ALREADY_EXISTS|LOCATION_ALREADY_EXISTS)\b"
)
_log = logging.getLogger(__package__)


class Race:
    """The attempts of one request that may lose a race; *request* is replaced by the one that is actually sent."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self._waits: Iterator[float] = iter(_WAITS)

    def lost(self, error: str) -> bool:
        """Has the request failed with *error* because another was faster, so that it may be sent again?

        If so, this waits before it returns.
        """
        statement = _statement(self.request)
        if not _can_be_repeated(statement) or not (_LOST.search(error) or _is_being_replaced(statement, error)):
            return False
        wait = next(self._waits, None)
        if wait is None:
            return False
        _log.info("repeated, since another session created the same: %s", shorten(statement))
        time.sleep(wait)
        return True


def _statement(request: Any) -> str:
    """The SQL of *request*; "" if it is something else."""
    if not isinstance(request, proto.ExecutePlanRequest) or not request.plan.command.HasField("sql_command"):
        return ""
    command = request.plan.command.sql_command
    relation = command.input.with_relations.root if command.input.HasField("with_relations") else command.input
    return relation.sql.query or command.sql


def _is_being_replaced(sql: str, error: str) -> bool:
    """Does *error* say that the view which *sql* replaces does not exist? Spark drops a view in order to replace it."""
    words = tokenize(sql) or ()
    view = next((index for index, token in enumerate(words) if token.word == "VIEW"), len(words))
    last = view + 1
    while last + 2 < len(words) and words[last + 1].text == ".":
        last += 2
    return last < len(words) and f"`{words[last].text.lower()}` cannot be found" in error.lower()


def _can_be_repeated(sql: str) -> bool:
    """Does *sql* create something that may already exist, so that it can be repeated?"""
    words = [token.word for token in tokenize(sql) or ()][:12]
    if words[:1] != ["CREATE"]:
        return False
    name = words.index("EXISTS") if "EXISTS" in words else 0
    return words[max(name - 2, 0) : name] == ["IF", "NOT"] or (words[1:3] == ["OR", "REPLACE"] and "VIEW" in words[3:5])
