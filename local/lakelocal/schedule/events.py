"""When a trigger fires that waits for files or tables, as pure functions of what is seen at which time.

A trigger begins with what is there: only what comes later counts. New files count, files that are written again do
not. `wait_after_last_change_seconds` waits until nothing has changed for so long, `min_time_between_triggers_seconds`
for the time since the last firing; several changes meanwhile are one firing.

Source: documentation, "Trigger jobs when new files arrive", "Trigger jobs when source tables are updated".
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from lakelocal.lakeflow.trigger_events import TableVersion, TriggerEvent
from lakelocal.schedule.triggers import FileArrival, TableUpdate, Waiting

Seen: TypeAlias = Mapping[str, tuple[int, int]]
"""What is there: for a file its size and its time of change in nanoseconds, for a table its version and its commit."""


@dataclass
class Watch:
    """What *trigger* has seen, and what of it has not led to a run yet."""

    trigger: Waiting
    _before: Seen | None = None  # what the last firing, or the begin, knew
    _last: Seen | None = None
    _changed: datetime | None = None
    _fired: datetime | None = None

    def look(self, seen: Seen, now: datetime) -> "Fired | None":
        """The firing that *seen* leads to at *now*, if it does."""
        if self._before is None:
            self._before = self._last = seen
            return None
        self._before = {name: value for name, value in self._before.items() if name in seen}  # gone, it may come anew
        if seen != self._last:
            self._last, self._changed = seen, now
        new = self._new(seen, self._before)
        if not new or not self._is_time(now):
            return None
        self._before, self._fired = seen, now
        return Fired(_event(self.trigger, new, seen), _slot(new))

    def _new(self, seen: Seen, before: Seen) -> Seen:
        if isinstance(self.trigger, FileArrival):
            return {name: value for name, value in seen.items() if name not in before}
        updated = {name: value for name, value in seen.items() if value != before.get(name)}
        return {} if self.trigger.all_of and len(updated) < len(self.trigger.tables) else updated

    def _is_time(self, now: datetime) -> bool:
        is_quiet = self._changed is None or now - self._changed >= self.trigger.quiet
        return is_quiet and (self._fired is None or now - self._fired >= self.trigger.least_between)


@dataclass(frozen=True)
class Fired:
    """The *event* of a firing, and its *slot*, which is the same for all schedulers that see it."""

    event: TriggerEvent
    slot: int


def _event(trigger: Waiting, new: Seen, seen: Seen) -> TriggerEvent:
    if isinstance(trigger, TableUpdate):
        return TriggerEvent("", tuple(sorted(new)), {name: TableVersion(*value) for name, value in seen.items()})
    return TriggerEvent(trigger.url)


def _slot(new: Seen) -> int:
    digest = hashlib.sha256(repr(sorted(new.items())).encode()).digest()
    return int.from_bytes(digest[:7], "big")
