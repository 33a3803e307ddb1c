"""An executed notebook: which of its cells are those of the source notebook, and which one failed."""

from collections.abc import Mapping
from typing import Any

from lakelocal.sources.environment import ENVIRONMENT

ERROR_MARK = "papermill-error-cell-tag"  # the cells by which papermill tells of a failure
_ADDED = {"injected-parameters", ERROR_MARK, ENVIRONMENT}


def is_own(cell: Mapping[str, Any]) -> bool:
    """Is *cell* one of the source notebook? Only those are counted when a message names a cell by its number."""
    return not _ADDED & tags(cell)


def has_failed(cell: Mapping[str, Any]) -> bool:
    """Did *cell* fail, or was it running when everything ended?"""
    state = cell.get("metadata", {}).get("papermill", {})
    return cell.get("cell_type") == "code" and (state.get("exception") is True or state.get("status") == "running")


def tags(cell: Mapping[str, Any]) -> set[str]:
    """The tags of *cell*."""
    return set(cell.get("metadata", {}).get("tags", []))
