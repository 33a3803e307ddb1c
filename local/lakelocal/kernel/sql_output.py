"""The output that an SQL task provides to later tasks: the rows of its last statement.

Source: Databricks documentation, "What is a dynamic value reference?": at most 1,000 rows and 48 KB. Rows beyond that
are left out.
"""

import json
from pathlib import Path

from lakelocal.kernel.table import Table, to_json_value

ROWS = 1000  # as many as `display` reads
BYTES = 48 * 1024


def save_rows(table: Table | None, place: Path) -> None:
    """Write the rows of *table* to *place*, as JSON objects; None stands for a statement without rows."""
    if table is None:
        place.unlink(missing_ok=True)
    else:
        place.write_text(rows_as_json(table), encoding="utf-8")


def rows_as_json(table: Table) -> str:
    """A JSON array with an object for each row of *table*, as many as fit."""
    names = [name for name, _ in table.columns]
    kept: list[str] = []
    size = len("[]")
    for row in table.rows[:ROWS]:
        text = json.dumps(dict(zip(names, map(to_json_value, row), strict=True)), ensure_ascii=False)
        size += len(text.encode()) + len(", ")
        if size > BYTES:
            break
        kept.append(text)
    return f"[{', '.join(kept)}]"
