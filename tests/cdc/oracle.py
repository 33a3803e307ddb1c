"""The definition of SCD 1 and 2 in plain Python, against which `apply_changes` is held. Slow and plain on purpose.

An event is a tuple: key, sequence, kind (`UPSERT`, `DELETE`, `TRUNCATE`), and the values as a dict (nested ones too).
Values and sequences are compared by Python: None below everything, tuples field by field.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

UPSERT, DELETE, TRUNCATE = "UPSERT", "DELETE", "TRUNCATE"


class Event(NamedTuple):
    """One change; *key* and *sequence* are values or tuples of values."""

    key: Any
    sequence: Any
    kind: str
    values: dict


class Version(NamedTuple):
    """One row of an SCD 2 table."""

    key: Any
    values: dict
    start: Any
    end: Any


def history(events: Iterable[Event], *, tracked: Iterable[str] | None = None, ignore_nulls: bool = False) -> list:
    """The rows of the SCD 2 table."""
    rows = []
    for key, timeline in _timelines(events).items():
        run = []  # consecutive upserts that agree on the tracked columns
        for event in [*(_fill(timeline) if ignore_nulls else timeline), None]:
            goes_on = run and event and event.kind == UPSERT and _shown(event, tracked) == _shown(run[-1], tracked)
            if run and not goes_on:
                rows.append(Version(key, run[-1].values, run[0].sequence, event.sequence if event else None))
                run = []
            if event and event.kind == UPSERT:
                run.append(event)
    return rows


def current(events: Iterable[Event], *, ignore_nulls: bool = False) -> dict:
    """The rows of the SCD 1 table: values by key. A truncate deletes every key at its sequence."""
    events = list(events)
    truncates = [event.sequence for event in events if event.kind == TRUNCATE]
    rows = {}
    for key, timeline in _timelines(event for event in events if event.kind != TRUNCATE).items():
        for sequence in truncates:
            timeline = _one_a_sequence([*timeline, Event(key, sequence, DELETE, {})])
        last = (_fill(timeline) if ignore_nulls else timeline)[-1]
        if last.kind == UPSERT:
            rows[key] = last.values
    return rows


def ties(events: Iterable[Event]) -> int:
    """At how many keys and sequences events of different content meet; what a delete carries is no content."""
    contents: dict = {}
    for event in events:
        content = "deleted" if event.kind == DELETE else _ordered(event.values)
        contents.setdefault((event.key, event.sequence), set()).add(content)
    return sum(len(found) > 1 for found in contents.values())


def _timelines(events: Iterable[Event]) -> dict[Any, list[Event]]:
    """By key its events in order, one a sequence."""
    of_key: dict = {}
    for event in events:
        of_key.setdefault(event.key, []).append(event)
    return {key: _one_a_sequence(found) for key, found in of_key.items()}


def _one_a_sequence(events: list[Event]) -> list[Event]:
    """Sorted; at the same sequence a delete wins, else the greatest by the values in their order."""
    winners: dict = {}
    for event in events:
        other = winners.get(event.sequence)
        if other is None or _strength(event) > _strength(other):
            winners[event.sequence] = event
    return sorted(winners.values(), key=lambda event: event.sequence)


def _strength(event: Event) -> tuple:
    return (1, ()) if event.kind == DELETE else (0, _ordered(event.values))


def _ordered(value: Any) -> tuple:
    """*value* so that Python orders it as the tables do: None lowest, structs field by field."""
    if isinstance(value, dict):
        return (1, tuple(_ordered(each) for each in value.values()))
    return (0, 0) if value is None else (1, value)


def _shown(event: Event, tracked: Iterable[str] | None) -> dict:
    return {name: value for name, value in event.values.items() if tracked is None or name in tracked}


def _fill(timeline: list[Event]) -> list[Event]:
    """Each NULL becomes the value before it; nothing is carried over a delete."""
    filled, before = [], None
    for event in timeline:
        if event.kind == UPSERT:
            event = event._replace(values=_merged(before, event.values))
            before = event.values
        else:
            before = None
        filled.append(event)
    return filled


def _merged(before: Any, now: Any) -> Any:
    if isinstance(now, dict):
        return {name: _merged(before[name] if before else None, value) for name, value in now.items()}
    return before if now is None else now
