"""What SCD type 1 and 2 mean, in plain Python for a few events: what a verification holds Spark's result against.

Per key and sequence one event counts: a delete, else the greatest values, NULL lowest. Events in order of sequence; a
version is a block of upserts without a delete in between that agree on all values. It begins at its first event and
ends at the event after its last one.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Event(NamedTuple):
    """One change: *values* are those of the stored columns that are no keys, in their order."""

    sequence: object
    is_delete: bool
    values: tuple


def versions(events: Iterable[Event]) -> list[tuple]:
    """The history of one key: (values, start, end) by start; *end* is None for a version that is still open."""
    winners: dict[object, Event] = {}
    for event in events:
        held = winners.get(event.sequence)
        if held is None or _rank(held) < _rank(event):
            winners[event.sequence] = event
    made: list[list] = []
    follows = False  # does the next upsert follow one directly, without a delete in between?
    for event in sorted(winners.values(), key=lambda one: one.sequence):
        if follows and not event.is_delete and made[-1][0] == event.values:
            continue
        if follows:
            made[-1][2] = event.sequence
        if not event.is_delete:
            made.append([event.values, event.sequence, None])
        follows = not event.is_delete
    return [tuple(version) for version in made]


def current(events: Iterable[Event]) -> list[tuple]:
    """The row of one key that exists, if any: its values alone."""
    return [(values,) for values, _, end in versions(events) if end is None]


def _rank(event: Event) -> tuple:
    return event.is_delete, tuple((value is not None, value) for value in event.values) if not event.is_delete else ()
