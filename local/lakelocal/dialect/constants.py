"""The values of constant expressions, as in `IDENTIFIER(...)` and after `EXECUTE IMMEDIATE`.

Strings joined by `||` are evaluated here; everything else (functions, session variables) by the server, in the session.
"""

from dataclasses import dataclass
from typing import Any

import grpc

from lakelocal.dialect.arguments import literal_text
from lakelocal.dialect.server import Server, value
from lakelocal.sql.tokens import STRING, tokenize


@dataclass(frozen=True)
class Constants:
    """Evaluates expressions in the session of a request; the *variables* of a script have no values yet."""

    server: Server
    variables: frozenset[str] = frozenset()

    def value(self, expression: str) -> Any:
        """The value of *expression*.

        Raises:
            grpc.RpcError: it is not a constant; Spark's client reports this error.
        """
        text = _joined(expression)
        return text if text is not None else value(self.server, expression)

    def known(self, expression: str) -> Any:
        """The same, but None if it is not a constant, or contains a variable of a script that has not begun."""
        if any(token.text.lower() in self.variables for token in tokenize(expression) or () if token.is_name):
            return None
        try:
            return self.value(expression)
        except grpc.RpcError:
            return None

    def literal(self, expression: str) -> str | None:
        """The value of *expression* as a SQL literal; None if it is unknown or cannot be written."""
        value = self.known(expression)
        if value is None:
            return None
        from pyspark.sql.connect.expressions import LiteralExpression  # late: every kernel has imported it by then

        plan = LiteralExpression._from_value(value).to_plan(None)  # type: ignore[arg-type]
        return literal_text(plan.literal)


def _joined(expression: str) -> str | None:
    """The value of strings joined by `||`; None for any other expression."""
    tokens = tokenize(expression) or ()
    strings, between = tokens[0::2], tokens[1::2]
    if not strings or len(tokens) % 2 == 0 or any(token.kind != STRING for token in strings):
        return None
    return "".join(token.text for token in strings) if all(token.text == "||" for token in between) else None
