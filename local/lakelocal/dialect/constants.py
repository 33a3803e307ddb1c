"""Constant expressions: what stands in `IDENTIFIER(...)` and behind `EXECUTE IMMEDIATE`, as a value.

Strings joined by `||` are read here. All else (functions, session variables) is asked of the server, in the session.
"""

from dataclasses import dataclass
from typing import Any

import grpc

from lakelocal.dialect.arguments import literal_text
from lakelocal.dialect.server import Server, value
from lakelocal.sql.tokens import STRING, tokenize


@dataclass(frozen=True)
class Constants:
    """The values of expressions in the session of a request; *variables* of a script have none yet."""

    server: Server
    variables: frozenset[str] = frozenset()

    def value(self, expression: str) -> Any:
        """The value of *expression*.

        Raises:
            grpc.RpcError: it is none, for Spark's client to tell.
        """
        text = _joined(expression)
        return text if text is not None else value(self.server, expression)

    def known(self, expression: str) -> Any:
        """The same; None where it is no constant, or has a variable of a script that has not begun."""
        if any(token.text.lower() in self.variables for token in tokenize(expression) or () if token.is_name):
            return None
        try:
            return self.value(expression)
        except grpc.RpcError:
            return None

    def literal(self, expression: str) -> str | None:
        """The value of *expression* as a SQL literal; None where it has none, or is not known."""
        value = self.known(expression)
        if value is None:
            return None
        from pyspark.sql.connect.expressions import LiteralExpression  # every kernel has it by then

        plan = LiteralExpression._from_value(value).to_plan(None)  # type: ignore[arg-type]
        return literal_text(plan.literal)


def _joined(expression: str) -> str | None:
    """The value of strings joined by `||`; None where it is another expression."""
    tokens = tokenize(expression) or ()
    strings, between = tokens[0::2], tokens[1::2]
    if not strings or len(tokens) % 2 == 0 or any(token.kind != STRING for token in strings):
        return None
    return "".join(token.text for token in strings) if all(token.text == "||" for token in between) else None
