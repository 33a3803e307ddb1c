"""What is there for a trigger that waits: files of a folder, versions of tables. Both are read without Spark."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lakelocal.catalogs import Catalogs
from lakelocal.compute import state_warehouse
from lakelocal.delta_log import actions_of, versions_of
from lakelocal.project import State
from lakelocal.schedule.events import Seen
from lakelocal.schedule.triggers import FileArrival, Waiting

StateOf = Callable[[str], State | None]
"""The state that has a catalog; None if there is no such catalog."""


@dataclass
class Watched:
    """Looks at the volumes and the tables of the catalogs that *state_of* finds."""

    state_of: StateOf
    _tables: dict[Path, tuple[tuple[int, int], tuple[int, int] | None]] = field(default_factory=dict)

    def seen_by(self, trigger: Waiting) -> Seen:
        """What *trigger* waits for, as it is now; what does not exist is not there."""
        if isinstance(trigger, FileArrival):
            return dict(self._files(trigger.url))
        found = {name: self._version(name) for name in trigger.tables}
        return {name: version for name, version in found.items() if version}

    def _files(self, url: str) -> Iterator[tuple[str, tuple[int, int]]]:
        _, catalog, *names = (part for part in url.split("/") if part)
        state = self.state_of(catalog)
        if state is None or ".." in names:
            return
        for folder, _, files in os.walk(Catalogs(state).volumes(catalog).joinpath(*names)):
            for name in files:
                place = Path(folder, name)
                try:
                    status = place.stat()
                except OSError:
                    continue  # gone since
                yield str(place), (status.st_size, status.st_mtime_ns)

    def _version(self, name: str) -> tuple[int, int] | None:
        """The newest version of a Delta table that changed its data, and when it was committed."""
        catalog, schema, table = name.lower().split(".")
        state = self.state_of(catalog)
        tables = state_warehouse.tables_folder(state) if state else None
        if state is None or tables is None:
            return None
        log = tables / f"{Catalogs(state).schema(catalog, schema).lower()}.db" / table / "_delta_log"
        versions = versions_of(log) if log.is_dir() else []
        if not versions:
            return None
        known = self._tables.get(log)
        try:
            newest = (int(versions[-1].stem), versions[-1].stat().st_mtime_ns)  # another table may have taken its place
            if known is None or known[0] != newest:
                known = newest, next(filter(None, map(_data_change, reversed(versions))), None)
                self._tables[log] = known
        except FileNotFoundError:  # dropped or cleaned up meanwhile, which the next look sees
            pass
        return known[1] if known else None


def _data_change(commit: Path) -> tuple[int, int] | None:
    """The version of *commit* and its time; None if it only says something else of the table, or moves its rows."""
    changes, at = False, 0
    for action in actions_of(commit):
        at = action.get("commitInfo", {}).get("timestamp", at)
        changed = action.get("add") or action.get("remove") or {}
        changes = changes or bool(changed.get("dataChange"))
    return (int(commit.stem), at) if changes else None
