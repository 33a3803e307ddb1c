"""What SCD type 1 and 2 mean, in plain Python for a few events: the reference for a verification of Spark's result.

Per key and sequence one event counts: a delete, otherwise the greatest values, with NULL lowest. Events are in order of
sequence; a version is a block of upserts without a delete in between that agree on the tracked values. It has the
values of its last event, begins at its first event and ends at the event after its last one.
"""

import math
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

Values = tuple[Any, ...]


class Event(NamedTuple):
    """One change: *values* are those of the stored columns that are not keys, in their order; structs are tuples."""

    sequence: Any  # of an orderable type, the same for all events
    is_delete: bool
    values: Values


def versions(
    events: Iterable[Event], *, tracked: Collection[int] | None = None, ignore_nulls: bool = False
) -> list[tuple[Values, Any, Any]]:
    """The history of one key: (values, start, end) by start; *end* is None for a version that is still open.

    Args:
        tracked: the positions of the values whose changes open a version; None: all of them.
        ignore_nulls: a NULL keeps the previous value, back to the last delete; in structs field by field.
    """
    made: list[tuple[Values, Any, Any]] = []
    follows = False  # does the next upsert directly follow another one, without a delete in between?
    for event in _counting(events, ignore_nulls=ignore_nulls):
        goes_on = follows and not event.is_delete and _shown(made[-1][0], tracked) == _shown(event.values, tracked)
        if goes_on:
            made[-1] = (event.values, *made[-1][1:])
            continue
        if follows:
            made[-1] = (*made[-1][:2], event.sequence)
        if not event.is_delete:
            made.append((event.values, event.sequence, None))
        follows = not event.is_delete
    return made


def current(events: Iterable[Event], *, ignore_nulls: bool = False) -> list[tuple[Values]]:
    """The row of one key that exists, if any: only its values."""
    return [(values,) for values, _, end in versions(events, ignore_nulls=ignore_nulls) if end is None]


def _counting(events: Iterable[Event], *, ignore_nulls: bool) -> list[Event]:
    """The events that count, in order of sequence; with *ignore_nulls*, their NULLs are filled."""
    winners: dict[object, Event] = {}
    for event in events:
        held = winners.get(event.sequence)
        if held is None or _rank(held) < _rank(event):
            winners[event.sequence] = event
    ordered = sorted(winners.values(), key=lambda one: one.sequence)
    if not ignore_nulls:
        return ordered
    before: Values | None = None
    filled = []
    for event in ordered:
        if event.is_delete:
            before = None
            filled.append(event)
        else:
            before = _over_all(before, event.values)
            filled.append(event._replace(values=before))
    return filled


def _over(before: Any, now: object) -> object:
    """*now*, with each NULL replaced by what was there *before*."""
    if isinstance(now, tuple):
        return _over_all(before, now)
    return before if now is None else now


def _over_all(before: Values | None, now: Values) -> Values:
    return tuple(_over(old, new) for old, new in zip(before or [None] * len(now), now, strict=True))


def _shown(values: Values, tracked: Collection[int] | None) -> Values:
    return values if tracked is None else tuple(values[place] for place in tracked)


def _rank(event: Event) -> Values:
    return event.is_delete, () if event.is_delete else _order(event.values)


def _order(value: object) -> Values:
    """*value* in a form that Python orders like Spark: NULL lowest, NaN highest, structs and arrays by their parts."""
    if value is None:
        return (False,)
    if isinstance(value, tuple | list):
        return True, False, tuple(_order(part) for part in value)
    is_nan = isinstance(value, float) and math.isnan(value)
    return True, is_nan, str(value) if is_nan or isinstance(value, dict) else value
