"""What goes wrong on the way: a day's true events become the rows that land, some late, twice, tied or broken."""

import numpy as np
import pandas as pd

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.feed_lives import FEED_COLUMNS, moments
from lakehouse.generator.feed_rates import FeedRates, share
from lakehouse.generator.feed_values import FREE, Variety, either
from lakehouse.generator.lives import DAY
from lakehouse.generator.randomness import generator, identifiers
from lakehouse.generator.truth import parsed_columns

DEFECTS = (
    "late", "out_of_order", "duplicate", "tie", "no_op", "unknown_delete", "null_key", "null_sequence",
    "unknown_operation", "unparsable", "flip", "null_flip",
)  # fmt: skip
_LATEST_HOURS = 72
_NO_OPERATIONS = ("UPSERT", "REPLACE", "update", None)
_NO_VALUES = {"sequence_number": "first", "change_timestamp": "yesterday"}
_MICROSECONDS = DAY * 1_000_000


def spoil(events: pd.DataFrame, day: int, variety: Variety, rates: FeedRates, seed: int):
    """The rows that the *events* of *day* become, and how many of each defect were made.

    Args:
        events: of `KeyLives.live`.

    Returns:
        The rows: entity and feed columns as text; `due` (the day number that a row lands on, or the next that
        lands), `place` (where it stands in its file, 0 to 1), `rule` (that it breaks, or None) and `is_event` (False
        for repeated and broken rows, which change no table). And the counts by the names of `DEFECTS`.
    """
    rng = generator(seed, day, f"defects_{variety.entity}")
    rows = _plain_rows(events, day, variety.entity)
    late = np.sort(rng.permutation(len(rows))[: share(rates.late_rate, len(rows))])
    rows.loc[late, "due"] = _later(rows.iloc[late], day, rng)
    in_time = rows.drop(index=late)
    counts = {"late": len(late), "out_of_order": _disorder(rows, in_time.index.to_numpy(), rates, rng)}
    added = {
        "duplicate": _duplicates(in_time, day, rates, rng),
        "tie": _ties(in_time, day, variety, rates, rng),
        "unknown_delete": _unknown_deletes(in_time, day, variety.entity, rates, seed, rng),
    } | _broken(in_time, day, variety.entity, rates, rng)
    counts |= {defect: len(some) for defect, some in added.items()}
    counts |= _in_lives(events)
    rows = pd.concat([rows, *(some for some in added.values() if len(some))], ignore_index=True)
    return rows, {defect: counts[defect] for defect in DEFECTS}


def _plain_rows(events: pd.DataFrame, day: int, entity: str) -> pd.DataFrame:
    rows = events[[*COLUMNS[entity], *FEED_COLUMNS]].copy()
    rows["sequence_number"] = rows["sequence_number"].astype(str).astype(object)
    return rows.assign(due=day, place=np.arange(len(rows)) / max(1, len(rows)), rule=None, is_event=True)


def _in_lives(events: pd.DataFrame) -> dict[str, int]:
    """Defects that are part of a life, counted in lives: a flip is two events."""
    kinds, later = events["kind"], events["operation"] == "UPDATE"
    return {
        "no_op": int((later & (kinds == "no_op")).sum()),
        "flip": int((later & (kinds == "flip")).sum()) // 2,
        "null_flip": int((later & (kinds == "null_flip")).sum()) // 2,
    }


def _later(rows: pd.DataFrame, day: int, rng: np.random.Generator) -> np.ndarray:
    """The days on which *rows* land that are one to 72 hours late, the next day at the earliest."""
    hours = rng.integers(1, _LATEST_HOURS + 1, size=len(rows))
    arrived = rows["sequence_number"].to_numpy().astype(np.int64) + hours * 3_600_000_000
    return np.maximum(day + 1, arrived // _MICROSECONDS)


def _disorder(rows: pd.DataFrame, in_time: np.ndarray, rates: FeedRates, rng: np.random.Generator) -> int:
    """Move some of the rows that are in time behind later ones; every second one stays, so there is one to pass."""
    movable = in_time[:-1:2]
    at = np.sort(rng.permutation(len(movable))[: share(rates.out_of_order_rate, len(movable))])
    follower = in_time[2 * at + 1]
    behind = rows.loc[follower, "place"].to_numpy()
    further = np.where(rng.random(len(at)) < 0.5, 0.0, (1 - behind) * rng.random(len(at)))
    rows.loc[movable[at], "place"] = behind + further + 0.5 / max(1, len(rows))
    return len(at)


def _some(rows: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """*count* of *rows*, anywhere in their file."""
    found = rows.iloc[np.sort(rng.permutation(len(rows))[:count])].reset_index(drop=True)
    return found.assign(place=rng.random(len(found)))


def _half_later(rows: pd.DataFrame, day: int, rng: np.random.Generator) -> pd.DataFrame:
    later = np.arange(len(rows)) % 2 == 1
    return rows.assign(due=np.where(later, _later(rows, day, rng), rows["due"]))


def _duplicates(rows: pd.DataFrame, day: int, rates: FeedRates, rng: np.random.Generator) -> pd.DataFrame:
    count = share(rates.duplicate_rate, len(rows))
    some = _some(rows, min(len(rows), max(2, count)) if count else 0, rng)  # one in the same file, one in a later
    return _half_later(some, day, rng).assign(is_event=False)


def _ties(rows: pd.DataFrame, day: int, variety: Variety, rates: FeedRates, rng: np.random.Generator) -> pd.DataFrame:
    """Events with key and sequence of another one: one in five a delete, as many with a NULL, the rest changed."""
    upserts = rows[rows["operation"] != "DELETE"]
    names = list(COLUMNS[variety.entity])
    some = _some(upserts, share(rates.tie_rate, len(upserts)), rng)
    kind = rng.permutation(np.arange(len(some)) % 5)
    own = some[names]
    other = variety.changed(own, rng)
    other = either(kind == 1, variety.emptied(own, rng, FREE[variety.entity]), other)
    gone = own.copy()
    gone.iloc[:, 1:] = None
    some[names] = either(kind == 0, gone, other)
    some["operation"] = np.where(kind == 0, "DELETE", "UPDATE")
    return _half_later(some, day, rng)


def _unknown_deletes(rows, day: int, entity: str, rates: FeedRates, seed: int, rng) -> pd.DataFrame:
    some = _copies(rows, share(rates.unknown_delete_rate, len(rows)), day, rng)
    names = list(COLUMNS[entity])
    some[names[1:]] = None
    some[names[0]] = identifiers(seed, f"unknown_{entity}", day, np.arange(len(some))).to_pylist()
    return some.assign(operation="DELETE", is_event=True)


def _copies(rows: pd.DataFrame, count: int, day: int, rng: np.random.Generator) -> pd.DataFrame:
    """Copies of some rows with moments of their own, so that each is an event that no other row tells of."""
    some = _some(rows, count, rng)
    numbers = day * _MICROSECONDS + rng.integers(0, _MICROSECONDS, size=len(some))
    return some.assign(
        sequence_number=numbers.astype(str).astype(object), change_timestamp=moments(numbers), is_event=False
    )


def _broken(rows: pd.DataFrame, day: int, entity: str, rates: FeedRates, rng) -> dict[str, pd.DataFrame]:
    """Rows for quarantine, each with the one rule that it breaks."""
    key = COLUMNS[entity][0]

    def copies(defect: str) -> pd.DataFrame:
        return _copies(rows, share(rates.of(defect), len(rows)), day, rng)

    keyless = copies("null_key").assign(**{key: None}, rule=f"{key}_present")
    unordered = copies("null_sequence").assign(sequence_number=None, rule="sequence_number_present")
    unknown = copies("unknown_operation").assign(rule="operation_known")
    unknown["operation"] = [_NO_OPERATIONS[at % len(_NO_OPERATIONS)] for at in range(len(unknown))]
    unread, columns = copies("unparsable"), parsed_columns(entity)
    for at, name in enumerate(columns):
        here = np.arange(len(unread)) % len(columns) == (at + day) % len(columns)
        unread[name] = np.where(here, _NO_VALUES.get(name, "12x"), unread[name])
        unread["rule"] = np.where(here, f"{name}_parses", unread["rule"])
    return {"null_key": keyless, "null_sequence": unordered, "unknown_operation": unknown, "unparsable": unread}
