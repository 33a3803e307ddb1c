"""Quarantine: tables that keep the rows which a pipeline refused. No catalog says which ones do; their names tell.

The words are those in use for the pattern: quarantine (documentation of Databricks, "Quarantine invalid records"),
rejected rows, dead letters (queues), bad or corrupt records (readers of Spark).
"""

import re

_NAMES = re.compile(r"(^|_)(quarantined?|rejects?|rejected|dead_letters?|(bad|corrupt|invalid)_(rows|records))(_|$)")


def is_quarantine(table: str) -> bool:
    """Does *table*, `schema.table` with or without a catalog, keep refused rows?"""
    return any(_NAMES.search(part) for part in table.lower().split("."))
