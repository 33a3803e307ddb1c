"""SQL scripts (`BEGIN ... END`): the statements in them are translated one by one, before the script runs.

Statements that the dialect executes itself, such as CREATE VOLUME, cannot be executed in the middle of a script, and
are refused. A script with a label, which Spark does not support, is put into a block.

Source: Databricks documentation, "SQL scripting".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pyspark.sql.connect.proto as proto

from lakelocal.dialect.names import shorten
from lakelocal.dialect.server import Server
from lakelocal.dialect.signals import raise_signal, refuse_in_script
from lakelocal.dialect.statement import NOTHING
from lakelocal.errors import DialectError
from lakelocal.sql.scripts import begins_script, statements_in, variables_in
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import Edit, apply

_QUESTIONS = frozenset(["SHOW", "DESCRIBE", "DESC", "SELECT"])
_DONE_HERE = ("CREATE VOLUME", "DROP VOLUME", "CREATE CATALOG", "DROP CATALOG", "CREATE PROCEDURE", "DROP PROCEDURE")
_EMPTY = "BEGIN END"


def is_script(sql: str) -> bool:
    """Is *sql* a script, with or without a label?"""
    return "begin" in sql.lower() and begins_script(tokenize(sql) or (), 0)


def translate_script(sql: str, translate: Callable[[str, frozenset[str]], str]) -> str:
    """The script *sql* with each statement translated by *translate*, which also gets the names of its variables.

    Raises:
        DialectError: a statement in it cannot be translated before the script runs.
    """
    tokens = tokenize(sql) or ()
    refuse_in_script(tokens)
    variables = variables_in(tokens)
    edits = []
    for statement in statements_in(tokens):
        start, end = tokens[statement.start].start, tokens[statement.stop - 1].end
        text = raise_signal(sql[start:end], tokens) or _translated(
            sql[start:end], lambda text: translate(text, variables)
        )
        if text != sql[start:end]:
            edits.append(Edit(start, end, text))
    script = apply(sql, edits)
    return script if tokens[0].word == "BEGIN" else f"BEGIN {script.rstrip().rstrip(';')}; END"


def _translated(sql: str, translate: Callable[[str], str]) -> str:
    words = " ".join(token.word for token in (tokenize(sql) or ())[:5]).replace("OR REPLACE ", "")
    if words.startswith(_DONE_HERE):
        raise _refused(sql)
    try:
        text = translate(sql)
    except grpc.RpcError as error:
        raise DialectError(
            f"The statement {shorten(sql)}, inside BEGIN ... END: what it names has to exist before the script "
            f"begins. {' '.join(str(error.details()).split())[:200]}"
        ) from error
    return _EMPTY if text == NOTHING else text


def _refused(sql: str) -> DialectError:
    return DialectError(
        f"The statement {shorten(sql)} is not possible inside BEGIN ... END on this machine. "
        "Run it on its own, before the script."
    )


@dataclass(frozen=True)
class ReadOnlyServer:
    """The *server* as the translation of a script may use it: it can be asked, but not change anything."""

    server: Server

    def rows(self, plan: proto.Plan) -> list[dict[str, Any]]:
        sql = plan.command.sql_command.input.sql.query
        if sql and sql.split(maxsplit=1)[0].upper() not in _QUESTIONS:
            raise _refused(sql)
        return self.server.rows(plan)

    def schema(self, plan: proto.Plan) -> proto.DataType.Struct:
        return self.server.schema(plan)
