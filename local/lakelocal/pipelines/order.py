"""The order from the runner to the kernel of a pipeline task: the pipeline, its sources, and what to refresh."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self
from uuid import uuid4


@dataclass(frozen=True)
class Selection:
    """What an update refreshes: everything, unless datasets are named, with or without their schema.

    Source: Pipelines API, `StartUpdate`; tables that are not named are EXCLUDED, and nothing upstream is added.
    """

    refresh: tuple[str, ...] = ()
    full_refresh: tuple[str, ...] = ()
    full_refresh_all: bool = False
    validate_only: bool = False

    @property
    def as_fields(self) -> dict[str, Any]:
        """The selection under the names of the API."""
        return {
            "full_refresh": self.full_refresh_all,
            "refresh_selection": list(self.refresh),
            "full_refresh_selection": list(self.full_refresh),
            "validate_only": self.validate_only,
        }


@dataclass(frozen=True)
class UpdateOrder:
    """One update of a pipeline.

    *id* is that of the pipeline, *update_id* that of the update. *sources* are files and notebooks, in the order in
    which they are loaded; *root* is put on `sys.path`, if there is one. *parameters* are those that SQL reads by
    `:name`. *notes* are told to the reader of the executed notebook.
    """

    id: str
    name: str
    catalog: str
    schema: str
    sources: tuple[str, ...]
    root: str = ""
    configuration: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    notes: tuple[str, ...] = ()
    update_id: str = field(default_factory=lambda: str(uuid4()))

    def as_json(self) -> dict[str, Any]:
        """The order as JSON has it, for `of`."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        chosen = {each.name: getattr(self.selection, each.name) for each in fields(self.selection)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()} | {
            "selection": {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}
        }

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The order that `as_json` made *given* from."""
        selection = Selection(**{name: _plain(value) for name, value in given["selection"].items()})
        return cls(**{name: _plain(value) for name, value in given.items() if name != "selection"}, selection=selection)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
