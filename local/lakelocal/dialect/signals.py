"""`SIGNAL` in SQL scripts: open-source Spark can only raise errors by `raise_error`.

    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too few rows'   ->   SELECT raise_error('too few rows')

The error has the SQLSTATE of `raise_error`. A script that handles errors by their SQLSTATE, or by its own conditions,
is therefore refused, since its handler would not be called.

Source: Databricks documentation, "SIGNAL statement", "RESIGNAL statement", "GET DIAGNOSTICS statement".
"""

from collections.abc import Sequence

from lakelocal.dialect.ddl.reader import Reader
from lakelocal.dialect.names import shorten
from lakelocal.errors import DialectError
from lakelocal.sql.tokens import STRING, Token, tokenize
from lakelocal.sql.writing import literal

_GENERAL = frozenset({"SQLEXCEPTION", "NOT", "FOUND"})  # conditions of handlers that do not depend on an SQLSTATE
_ONLY_DATABRICKS = {
    ("RESIGNAL",): "raise another error by SIGNAL",
    ("GET", "DIAGNOSTICS"): "handle the error without its message",
    ("OPEN",): "use FOR row AS query DO ... END FOR",
    ("FETCH",): "use FOR row AS query DO ... END FOR",
    ("CLOSE",): "use FOR row AS query DO ... END FOR",
}


def refuse_in_script(tokens: Sequence[Token]) -> None:
    """Refuse statements that only Databricks supports in scripts.

    Raises:
        DialectError: there is such a statement in the script with these *tokens*.
    """
    for index, token in enumerate(tokens):
        before = tokens[index - 1].word if index else ""
        if before not in (";", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "SQLEXCEPTION", "FOUND"):
            continue
        for phrase, advice in _ONLY_DATABRICKS.items():
            if tuple(each.word for each in tokens[index : index + len(phrase)]) == phrase:
                raise DialectError(f"{' '.join(phrase)} in a script has no counterpart on this machine; {advice}.")
        if token.word == "DECLARE" and [each.word for each in tokens[index + 2 : index + 3]] == ["CURSOR"]:
            raise DialectError("A cursor in a script has no counterpart on this machine; use FOR row AS query DO.")


def raise_signal(sql: str, script: Sequence[Token]) -> str | None:
    """The statement that raises the error of *sql*, a statement in *script*; None if *sql* is not a SIGNAL.

    Raises:
        DialectError: the script handles errors by their SQLSTATE or by its own conditions.
    """
    tokens = tokenize(sql) or ()
    where = f"The statement {shorten(sql)}"
    reader = Reader(sql, tokens, 0, len(tokens), where)
    if not reader.take("SIGNAL"):
        return None
    if special := _special_handler(script):
        raise DialectError(
            f"{where}: errors of SIGNAL do not have their own SQLSTATE on this machine, but the script has a handler "
            f"for {special}. Declare the handler for SQLEXCEPTION instead."
        )
    name = reader.string() if reader.take("SQLSTATE") or reader.take("SQLSTATE VALUE") else literal(reader.name())
    message = f"concat('SQLSTATE ', {name})" if tokens[1].word == "SQLSTATE" else name
    if reader.take("SET MESSAGE_TEXT ="):
        message = sql[tokens[reader.at].start : tokens[-1].end] if not reader.at_end else reader.string()
    elif not reader.at_end:
        raise reader.error("expected SET MESSAGE_TEXT = 'text', or the end of the statement")
    return f"SELECT raise_error({message})"


def _special_handler(script: Sequence[Token]) -> str | None:
    """The condition of a handler in *script* that is not for errors in general; None if there is none."""
    for index, token in enumerate(script[:-3]):
        if token.word == "HANDLER" and script[index + 1].word == "FOR":
            behind = script[index + 2]
            if behind.word not in _GENERAL:
                value = script[index + 3]
                return f"{behind.text} {value.text if value.kind == STRING else ''}".strip()
    return None
