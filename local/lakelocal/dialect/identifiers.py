"""`IDENTIFIER(expression)`: replaces the clause by the name, since with arguments it fails over Spark Connect.

The name may also contain a catalog of Databricks, which Spark does not know.
"""

from collections.abc import Callable
from typing import Any

from lakelocal.dialect.names import join_name, split_name
from lakelocal.sql.nesting import closing
from lakelocal.sql.tokens import tokenize
from lakelocal.sql.writing import Edit, apply


def fill_identifiers(
    sql: str, value_of: Callable[[str], Any], otherwise: Callable[[str], str] = lambda expression: expression
) -> str:
    """*sql* with each `IDENTIFIER(...)` replaced by the value of its expression, which is a name.

    *value_of* returns the value of an expression, or None if it is not known; the clause then stays, with its
    expression changed by *otherwise*.
    """
    tokens = tokenize(sql) if "identifier" in sql.lower() else None
    edits = []
    for index, token in enumerate((tokens or ())[:-1]):
        if not tokens or token.word != "IDENTIFIER" or tokens[index + 1].word != "(":
            continue
        end = closing(tokens, index + 1)
        if end is None or end == index + 2:
            continue
        start, stop = tokens[index + 2].start, tokens[end - 1].end
        value = value_of(sql[start:stop])
        if value is None:
            edits.append(Edit(start, stop, otherwise(sql[start:stop])))
        elif isinstance(value, str) and (parts := split_name(value)):
            edits.append(Edit(token.start, tokens[end].end, join_name(parts)))
    return apply(sql, edits) if edits else sql
