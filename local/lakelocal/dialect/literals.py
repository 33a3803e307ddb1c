"""The values of options in statements, as the texts that Spark's readers accept."""

from datetime import date, datetime

from lakelocal.dialect.constants import Constants
from lakelocal.dialect.server import Server
from lakelocal.sql.tokens import STRING, Token, tokenize


def option_text(expression: str, server: Server) -> str | None:
    """The value of the constant *expression*, None for NULL; *server* evaluates it if it is more than a literal."""
    tokens = tokenize(expression) or ()
    if (found := _literal(tokens)) is not None:
        return found
    value = Constants(server).value(expression)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _literal(tokens: tuple[Token, ...]) -> str | None:
    """The value of strings that are adjacent or joined by `||`, of a number or a boolean; None for anything else."""
    if tokens and all(token.kind == STRING or token.text == "||" for token in tokens):
        return "".join(token.text for token in tokens if token.kind == STRING)
    words = [token.word for token in tokens]
    if len(words) == 1 and (words[0] in ("TRUE", "FALSE") or words[0][:1].isdigit()):
        return words[0].lower()
    return "-" + words[1] if len(words) == 2 and words[0] == "-" and words[1][:1].isdigit() else None
