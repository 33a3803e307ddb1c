"""What names a cell for a person: the heading above it or its own title, and its place in its source file."""

from collections.abc import Mapping, Sequence
from typing import Any

from lakelocal.sources.lines import lines_of

CELL = "application/vnd.databricks.v1+cell"  # where Databricks' exports keep the title of a cell
PLACE = "source_place"  # where a converted cell keeps `file` and `line`


def headings(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each cell its own title, otherwise the text of the nearest Markdown heading at or above it, otherwise ""."""
    result, current = [], ""
    for cell in cells:
        if cell.get("cell_type") == "markdown":
            lines = [line for line in lines_of("".join(cell.get("source", ""))) if line.startswith("#")]
            current = lines[-1].lstrip("#").strip() if lines else current
        result.append(_title(cell) or current)
    return result


def place_of(cell: Mapping[str, Any]) -> str:
    """`line 12 of silver.py` for a cell that comes from a source file, otherwise ""."""
    place = cell.get("metadata", {}).get(PLACE)
    return f"line {place['line']} of {place['file']}" if place else ""


def _title(cell: Mapping[str, Any]) -> str:
    own = cell.get("metadata", {}).get(CELL) or {}
    return str(own.get("title") or "") if own.get("showTitle") else ""
