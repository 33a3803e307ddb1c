"""`${key}` in a statement: the value of a setting of the session, put into the text before it is read.

Spark would do it too, but only after the names in the text have been translated.

Source: Databricks documentation, "Configuration parameters" and "Variable substitution" of Spark's SQL.
"""

import re
from collections.abc import Callable

_REFERENCE = re.compile(r"\$\{(?:(?:spark|sparkconf|hivevar|hiveconf):)?([\w.\-]+)\}")


def substitute(sql: str, setting: Callable[[str], str | None]) -> str:
    """*sql* with the settings that it refers to; a reference to one that *setting* does not know stays."""
    if "${" not in sql:
        return sql
    return _REFERENCE.sub(lambda found: _known(setting(found[1]), found[0]), sql)


def _known(value: str | None, reference: str) -> str:
    return reference if value is None else value
