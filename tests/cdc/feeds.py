"""Change feeds by chance, from a seed: late, repeated, tied, deleted, unchanged events with NULLs in tiny domains."""

import math
from dataclasses import dataclass
from random import Random

from tests.cdc.oracle import DELETE, TRUNCATE, UPSERT, Event

COLUMNS = (
    "k STRING, k1 STRING, k2 INT, seq BIGINT, hi INT, lo INT, a STRING, b INT, "
    "s STRUCT<x: INT, y: STRUCT<z: STRING, w: INT>>, f DOUBLE, op STRING, _delivery INT"
)
_BASE = 3  # seq = hi * _BASE + lo, so that (hi, lo) orders as seq does


@dataclass(frozen=True)
class Size:
    """How much is generated; *replays* is the share of a batch that repeats events."""

    keys: int
    events: int
    batches: int
    replays: float = 0.4
    ties: float = 0.08


def key_of(number: int) -> str:
    return f"x{number:05d}"


def pair_of(key: str) -> tuple[str, int]:
    """The composite key that stands for *key*; neighbours share its first part."""
    number = int(key[1:])
    return f"k{number // 3}", number % 3


def code_of(sequence: int | None) -> dict | None:
    """The STRUCT that stands for *sequence*."""
    return None if sequence is None else dict(zip(("hi", "lo"), divmod(sequence, _BASE), strict=True))


def make_batches(seed: int, size: Size) -> list[list[Event]]:
    """Batches of events in any order; every event is in one batch, and may be repeated there or in later ones."""
    chance = Random(seed)
    events = [event for number in range(size.keys) for event in _life(chance, key_of(number), size)]
    chance.shuffle(events)
    cuts = sorted(chance.sample(range(1, len(events)), size.batches - 1))
    batches, seen = [], []
    for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        seen += events[start:end]
        batch = events[start:end] + chance.choices(seen, k=int((end - start) * size.replays))
        chance.shuffle(batch)
        batches.append(batch)
    return batches


def make_truncates(seed: int, size: Size) -> list[Event]:
    """A truncate or none for each batch, at a sequence in the first half of all."""
    chance = Random(seed + 1)
    return [
        Event(None, chance.randint(1, size.events), TRUNCATE, {}) if chance.random() < 0.5 else None
        for _ in range(size.batches)
    ]


def _life(chance: Random, key: str, size: Size) -> list[Event]:
    events: list[Event] = []
    for sequence in sorted(chance.sample(range(1, 3 * size.events), chance.randint(1, size.events))):
        events.append(_event(chance, key, sequence, events))
        if chance.random() < size.ties:
            events.append(_event(chance, key, sequence, events))
    return events


def _event(chance: Random, key: str, sequence: int, before: list[Event]) -> Event:
    if chance.random() < 0.22:
        return Event(key, sequence, DELETE, _values(chance))
    if before and chance.random() < 0.15:
        return Event(key, sequence, UPSERT, before[-1].values)
    return Event(key, sequence, UPSERT, _values(chance))


def _values(chance: Random) -> dict:
    inner = {"z": chance.choice([None, "u", "v"]), "w": chance.choice([None, 1])}
    nested = {"x": chance.choice([None, 1, 2]), "y": chance.choice([None, inner, inner])}
    return {
        "a": chance.choice([None, "", "a", "b"]),
        "b": chance.choice([None, 1, 2]),
        "s": chance.choice([None, nested, nested]),
        "f": chance.choice([None, 0.0, -0.0, math.nan, 1.5]),
    }


def as_row(event: Event, delivery: int) -> tuple:
    """An event as a row of the source."""
    values = event.values or dict.fromkeys(("a", "b", "s", "f"))
    k1, k2 = pair_of(event.key) if event.key else (None, None)
    hi, lo = divmod(event.sequence, _BASE)
    return (event.key, k1, k2, event.sequence, hi, lo, *values.values(), event.kind, delivery)


def canonical(event: Event) -> Event:
    """*event* with numbers that Python compares as Spark does."""
    return event._replace(values=normal(event.values))


def normal(value):
    """*value* with NaN greater than all and equal to itself, and one zero."""
    if isinstance(value, dict):
        return {name: normal(each) for name, each in value.items()}
    if isinstance(value, float):
        return math.inf if math.isnan(value) else value + 0.0
    return value
