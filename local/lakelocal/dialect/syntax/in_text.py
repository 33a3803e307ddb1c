"""`x IN (SELECT 'text' ...)`: Spark's parser mistakes `SELECT 'text'` for a literal of the type SELECT.

The word ALL, which is the default of SELECT, prevents this.
"""

from lakelocal.sql.tokens import STRING, tokenize
from lakelocal.sql.writing import Edit, apply


def keep_select_apart(sql: str) -> str:
    """*sql* with `SELECT ALL` instead of SELECT before a string in the parentheses of IN."""
    if "(" not in sql or "select" not in sql.lower():
        return sql
    tokens = tokenize(sql) or ()
    edits = [
        Edit(tokens[at].end, tokens[at].end, " ALL")
        for at in range(2, len(tokens) - 1)
        if [token.word for token in tokens[at - 2 : at + 1]] == ["IN", "(", "SELECT"] and tokens[at + 1].kind == STRING
    ]
    return apply(sql, edits) if edits else sql
