"""`${key}` in a statement: replaced by the value of a setting of the session before the text is parsed.

Spark does this as well, but only after the names in the text have been translated.

Source: Databricks documentation, "Configuration parameters" and "Variable substitution" of Spark's SQL.
"""

import re
from collections.abc import Callable

_REFERENCE = re.compile(r"\$\{(?:(?:spark|sparkconf|hivevar|hiveconf):)?([\w.\-]+)\}")


def substitute(sql: str, setting: Callable[[str], str | None]) -> str:
    """*sql* with references to settings replaced; a reference that *setting* does not know stays."""
    if "${" not in sql:
        return sql
    return _REFERENCE.sub(lambda found: _known(setting(found[1]), found[0]), sql)


def _known(value: str | None, reference: str) -> str:
    return reference if value is None else value
