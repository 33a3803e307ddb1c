"""The comment of a schema, which the metastore accepts when the schema is created but cannot change afterwards.

`COMMENT ON SCHEMA` therefore stores it as a property of the schema, `lakelocal.comment`, and DESCRIBE SCHEMA shows it.

Source: Databricks documentation, "COMMENT ON", "DESCRIBE SCHEMA".
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

from lakelocal.dialect import server as ask
from lakelocal.dialect.names import join_name
from lakelocal.dialect.statement import Statement, rows_as_sql
from lakelocal.sql.tokens import STRING
from lakelocal.sql.writing import literal

_COMMENT = "lakelocal.comment"
_KEPT = re.compile(rf"(?:, )?\({re.escape(_COMMENT)},([^)]*)\)")
_KINDS = (["SCHEMA"], ["DATABASE"], ["NAMESPACE"])


def comment_schema(statement: Statement) -> str | None:
    """What Spark runs instead of `COMMENT ON SCHEMA name IS 'text'`, or IS NULL; None for another statement."""
    if not statement.starts("COMMENT ON") or statement.words[2:3] not in _KINDS:
        return None
    at = next((place for place, token in enumerate(statement.tokens) if token.kind == STRING), None)
    text = "" if at is None else ask.value(statement.server, statement.part(at, len(statement.tokens)))
    properties = f"({literal(_COMMENT)} = {literal(quote(text, safe=' '))})"
    return f"ALTER SCHEMA {join_name(statement.name(3))} SET DBPROPERTIES {properties}"


def describe_schema(statement: Statement) -> str | None:
    """SQL for the result of DESCRIBE SCHEMA if the comment of the schema was changed; None for anything else."""
    if statement.words[1:2] not in _KINDS:
        return None
    at, extended = statement.skip(2, "EXTENDED")
    if not statement.name(at):
        return None
    rows = statement.run(f"DESCRIBE SCHEMA EXTENDED {join_name(statement.name(at))}")
    comment = _changed(rows)
    if comment is None:
        return None
    values = {row["info_name"]: row["info_value"] or "" for row in rows}
    values["Comment"] = comment
    properties = _KEPT.sub("", values.pop("Properties")).replace("(, ", "(")
    if extended:
        values["Properties"] = "" if properties == "()" else properties
    values["Catalog Name"], values["Namespace Name"] = statement.whole_name([*statement.name(at)[-2:], "_"])[:2]
    return rows_as_sql(["info_name", "info_value"], list(values.items()))


def schema_comment(rows: Sequence[dict[str, Any]]) -> str | None:
    """The comment of a schema, from the *rows* of DESCRIBE SCHEMA EXTENDED."""
    changed = _changed(rows)
    made = next((row["info_value"] for row in rows if row["info_name"] == "Comment"), None)
    return (made if changed is None else changed) or None


def _changed(rows: Sequence[dict[str, Any]]) -> str | None:
    """The comment that `COMMENT ON SCHEMA` has set; None if it was never used."""
    properties = next((row["info_value"] for row in rows if row["info_name"] == "Properties"), "") or ""
    found = _KEPT.search(properties)
    return unquote(found[1]) if found else None
