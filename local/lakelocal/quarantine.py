"""Quarantine: tables that keep the rows which a pipeline refused. No catalog says which ones do; their names tell.

The words are those in use for the pattern: quarantine (documentation of Databricks, "Quarantine invalid records"),
rejected rows, dead letters (queues), bad or corrupt records (readers of Spark).
"""

import re
from collections.abc import Iterable

_NAMES = re.compile(r"(^|_)(quarantined?|rejects?|rejected|dead_letters?|(bad|corrupt|invalid)_(rows|records))(_|$)")


def is_quarantine(table: str) -> bool:
    """Does *table*, `schema.table` with or without a catalog, keep refused rows?"""
    return any(_NAMES.search(part) for part in table.lower().split("."))


# The columns by which such tables say why they keep a row.
_REASONS = re.compile(
    r"(^|_)(rules?|reasons?|violations?|expectations?|errors?|error_messages?)$|^_rescued_data$|^_corrupt_record$"
)


def reason_columns(columns: Iterable[str]) -> list[str]:
    """Those of *columns* that say why a row was refused, in their order."""
    return [column for column in columns if _REASONS.search(column.lower())]
