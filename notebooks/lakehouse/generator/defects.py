"""What goes wrong on the way: a day's true events become the rows that land, some late, duplicated, tied or broken."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.columns import COLUMNS, timestamps
from lakehouse.generator.contents import Contents
from lakehouse.generator.feed_lives import DELETE, FEED_COLUMNS, KINDS, OPERATIONS, UPDATE, KeyLives, keys_alone
from lakehouse.generator.feed_rates import FeedRates, share
from lakehouse.generator.feed_values import FREE, either
from lakehouse.generator.lives import DAY
from lakehouse.generator.randomness import generator, identifiers
from lakehouse.generator.truth import parsed_columns, quarantine_rules

DEFECTS = (
    "late", "out_of_order", "duplicate", "tie", "no_op", "unknown_delete", "null_key", "null_sequence",
    "unknown_operation", "unparsable", "flip", "null_flip",
)  # fmt: skip
NO_RULE = -1

_LATEST_HOURS = 72
_NO_OPERATIONS = ("UPSERT", "REPLACE", "update", None)
_NULL, _UNREADABLE = -1, -2  # instead of a sequence or a time
_NO_VALUE, _NO_SEQUENCE, _NO_MOMENT = "12x", "first", "yesterday"
_MICROSECONDS = DAY * 1_000_000


class Spoiled(NamedTuple):
    """What the events of a day become.

    Attributes:
        rows: `content`, `operation`, `sequence` and `moment`, whose text comes from `feed_rows`; `due` (the number of
            the day on which a row lands, or of the next day that lands), `place` (its position in its file, 0 to 1),
            `rule` (the rule that it breaks: a position in `quarantine_rules`, or `NO_RULE`) and `is_event` (False for
            repeated and broken rows, which change no table).
        counts: the number of each of `DEFECTS` that was made.
    """

    rows: pd.DataFrame
    counts: dict[str, int]


def spoil(events: pd.DataFrame, day: int, lives: KeyLives, rates: FeedRates) -> Spoiled:
    """What becomes of the *events* of *day*, which come from `lives.live`."""
    rng = generator(lives.seed, day, f"defects_{lives.entity}")
    rows = _plain_rows(events, day)
    late = np.sort(rng.permutation(len(rows))[: share(rates.late_rate, len(rows))])
    rows.loc[late, "due"] = _later(rows.iloc[late], day, rng)
    in_time = rows.drop(index=pd.Index(late))
    counts = {"late": len(late), "out_of_order": _disorder(rows, in_time.index.to_numpy(), rates, rng)}
    added = {
        "duplicate": _duplicates(in_time, day, rates, rng),
        "tie": _ties(in_time, day, lives, rates, rng),
        "unknown_delete": _unknown_deletes(in_time, day, lives, rates, rng),
    } | _broken(in_time, day, lives, rates, rng)
    counts |= {defect: len(some) for defect, some in added.items()}
    counts |= _in_lives(events)
    rows = pd.concat([rows, *(some for some in added.values() if len(some))], ignore_index=True)
    return Spoiled(rows, {defect: counts[defect] for defect in DEFECTS})


def feed_rows(contents: Contents, rows: pd.DataFrame) -> pa.Table:
    """The text of *rows* as they land: the entity's columns and `FEED_COLUMNS`, null if empty."""
    operations = pa.array([*OPERATIONS, *_NO_OPERATIONS]).take(pa.array(rows["operation"].to_numpy()))
    sequence, moment = rows["sequence"].to_numpy(), rows["moment"].to_numpy()
    numbers = pa.array(sequence, mask=sequence == _NULL).cast(pa.string())
    numbers = pc.if_else(pa.array(sequence == _UNREADABLE), _NO_SEQUENCE, numbers)
    moments = pc.if_else(pa.array(moment == _UNREADABLE), _NO_MOMENT, timestamps(moment // 1_000_000))
    table = contents.take(rows["content"].to_numpy())
    for name, values in zip(FEED_COLUMNS, (operations, numbers, moments), strict=True):
        table = table.append_column(name, values)
    return table


def _plain_rows(events: pd.DataFrame, day: int) -> pd.DataFrame:
    rows = events[["content", "operation", "sequence"]]
    place = np.arange(len(rows)) / max(1, len(rows))
    return rows.assign(moment=rows["sequence"], due=day, place=place, rule=NO_RULE, is_event=True)


def _in_lives(events: pd.DataFrame) -> dict[str, int]:
    """Defects that are part of a life, counted per life: a flip is two events."""
    updates = events.loc[events["operation"] == UPDATE, "kind"]
    found = {kind: int((updates == KINDS.index(kind)).sum()) for kind in ("no_op", "flip", "null_flip")}
    return {kind: count if kind == "no_op" else count // 2 for kind, count in found.items()}


def _later(rows: pd.DataFrame, day: int, rng: np.random.Generator) -> np.ndarray:
    """The days on which *rows* land that are one to 72 hours late, the next day at the earliest."""
    hours = rng.integers(1, _LATEST_HOURS + 1, size=len(rows))
    arrived = rows["sequence"].to_numpy() + hours * 3_600_000_000
    return np.maximum(day + 1, arrived // _MICROSECONDS)


def _disorder(rows: pd.DataFrame, in_time: np.ndarray, rates: FeedRates, rng: np.random.Generator) -> int:
    """Move some of the punctual rows behind later ones; every second row stays, so that there is one to pass."""
    movable = in_time[:-1:2]
    at = np.sort(rng.permutation(len(movable))[: share(rates.out_of_order_rate, len(movable))])
    follower = in_time[2 * at + 1]
    behind = rows.loc[follower, "place"].to_numpy()
    further = np.where(rng.random(len(at)) < 0.5, 0.0, (1 - behind) * rng.random(len(at)))
    rows.loc[movable[at], "place"] = behind + further + 0.5 / max(1, len(rows))
    return len(at)


def _some(rows: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """*count* of *rows*, at random positions in their file."""
    found = rows.iloc[np.sort(rng.permutation(len(rows))[:count])].reset_index(drop=True)
    return found.assign(place=rng.random(len(found)))


def _half_later(rows: pd.DataFrame, day: int, rng: np.random.Generator) -> pd.DataFrame:
    later = np.arange(len(rows)) % 2 == 1
    return rows.assign(due=np.where(later, _later(rows, day, rng), rows["due"]))


def _duplicates(rows: pd.DataFrame, day: int, rates: FeedRates, rng: np.random.Generator) -> pd.DataFrame:
    count = share(rates.duplicate_rate, len(rows))
    some = _some(rows, min(len(rows), max(2, count)) if count else 0, rng)  # one in the same file, one in a later
    return _half_later(some, day, rng).assign(is_event=False)


def _ties(rows: pd.DataFrame, day: int, lives: KeyLives, rates: FeedRates, rng: np.random.Generator) -> pd.DataFrame:
    """Events with the key and sequence of another: one in five a delete, as many with a NULL, the rest changed."""
    upserts = rows[rows["operation"] != DELETE]
    some = _some(upserts, share(rates.tie_rate, len(upserts)), rng)
    kind = rng.permutation(np.arange(len(some)) % 5)
    own = lives.contents.frame(some["content"].to_numpy())
    other = lives.variety.changed(own, rng)
    other = either(kind == 1, lives.variety.emptied(own, rng, FREE[lives.entity]), other)
    content = lives.contents.add(either(kind == 0, keys_alone(own), other))
    some = some.assign(content=content, operation=np.where(kind == 0, DELETE, UPDATE))
    return _half_later(some, day, rng)


def _unknown_deletes(
    rows: pd.DataFrame, day: int, lives: KeyLives, rates: FeedRates, rng: np.random.Generator
) -> pd.DataFrame:
    some = _copies(rows, share(rates.unknown_delete_rate, len(rows)), day, rng)
    unknown = keys_alone(lives.contents.frame(some["content"].to_numpy()))
    keys = identifiers(lives.seed, f"unknown_{lives.entity}", day, np.arange(len(some)))
    unknown[COLUMNS[lives.entity][0]] = keys.to_pylist()
    return some.assign(content=lives.contents.add(unknown), operation=DELETE, is_event=True)


def _copies(rows: pd.DataFrame, count: int, day: int, rng: np.random.Generator) -> pd.DataFrame:
    """Copies of some rows with their own times, so that each is an event that no other row describes."""
    some = _some(rows, count, rng)
    numbers = day * _MICROSECONDS + rng.integers(0, _MICROSECONDS, size=len(some))
    return some.assign(sequence=numbers, moment=numbers, is_event=False)


def _broken(
    rows: pd.DataFrame, day: int, lives: KeyLives, rates: FeedRates, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Rows for quarantine, each breaking exactly one rule."""
    key, rule = COLUMNS[lives.entity][0], quarantine_rules(lives.entity).index

    def copies(defect: str) -> pd.DataFrame:
        return _copies(rows, share(rates.of(defect), len(rows)), day, rng)

    keyless = copies("null_key").assign(rule=rule(f"{key}_present"))
    without_key = lives.contents.frame(keyless["content"].to_numpy()).assign(**{key: None})
    keyless["content"] = lives.contents.add(without_key)
    unordered = copies("null_sequence").assign(sequence=_NULL, rule=rule("sequence_number_present"))
    unknown = copies("unknown_operation").assign(rule=rule("operation_known"))
    unknown["operation"] = len(OPERATIONS) + np.arange(len(unknown)) % len(_NO_OPERATIONS)
    unread = _unread(copies("unparsable"), day, lives)
    return {"null_key": keyless, "null_sequence": unordered, "unknown_operation": unknown, "unparsable": unread}


def _unread(rows: pd.DataFrame, day: int, lives: KeyLives) -> pd.DataFrame:
    """The *rows*, each with a value that does not parse, in one column after the other."""
    columns = parsed_columns(lives.entity)
    at = (np.arange(len(rows)) - day) % len(columns)
    contents = lives.contents.frame(rows["content"].to_numpy())
    for place, name in enumerate(columns):
        if name in contents:
            contents[name] = np.where(at == place, _NO_VALUE, contents[name])
    is_of = {name: at == place for place, name in enumerate(columns)}
    rules = np.array([quarantine_rules(lives.entity).index(f"{name}_parses") for name in columns])
    return rows.assign(
        content=lives.contents.add(contents),
        sequence=np.where(is_of["sequence_number"], _UNREADABLE, rows["sequence"]),
        moment=np.where(is_of["change_timestamp"], _UNREADABLE, rows["moment"]),
        rule=rules[at],
    )
