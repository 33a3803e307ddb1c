"""Statements that lose a race: several tasks create the same at once, each only if it is not there yet.

A catalog of Databricks creates one after the other, so each of them succeeds. Spark looks whether it is there, then
creates it, and whoever is second fails on the log, the files or the name of the first. Such a statement is repeated: it
then finds what the first has made.
"""

import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.names import shorten
from lakelocal.sql.tokens import tokenize

_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds; the first writes its log before the catalog knows the table
_LOST = re.compile(
    r"\[(?:DELTA_PROTOCOL_CHANGED|DELTA_METADATA_CHANGED|DELTA_CONCURRENT_\w+|DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"
    r"|DELTA_TABLE_ALREADY_EXISTS|TABLE_OR_VIEW_ALREADY_EXISTS|SCHEMA_ALREADY_EXISTS|LOCATION_ALREADY_EXISTS)\b"
)
_log = logging.getLogger(__package__)


class Race:
    """The attempts of one *request* that may lose a race; it becomes the one that was sent, as soon as there is one."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self._waits: Iterator[float] = iter(_WAITS)

    def lost(self, error: str) -> bool:
        """Did the request fail with *error* because another was faster, and may it be sent again? Waits before."""
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
    """Does *error* say that the view which *sql* makes is not there? Spark drops a view to replace it."""
    words = tokenize(sql) or ()
    view = next((index for index, token in enumerate(words) if token.word == "VIEW"), len(words))
    last = view + 1
    while last + 2 < len(words) and words[last + 1].text == ".":
        last += 2
    return last < len(words) and f"`{words[last].text.lower()}` cannot be found" in error.lower()


def _can_be_repeated(sql: str) -> bool:
    """Does *sql* create what need not be absent: does it do nothing, or the same, when that is there?"""
    words = [token.word for token in tokenize(sql) or ()][:12]
    if words[:1] != ["CREATE"]:
        return False
    name = words.index("EXISTS") if "EXISTS" in words else 0
    return words[max(name - 2, 0) : name] == ["IF", "NOT"] or (words[1:3] == ["OR", "REPLACE"] and "VIEW" in words[3:5])
