"""The life of each key of a change feed: inserted, changed, deleted, inserted again, one business day after the other.

Lives have no defects: their events are complete and in order. What goes wrong on the way is in `defects`.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.contents import Contents
from lakehouse.generator.feed_rates import FeedRates, share
from lakehouse.generator.feed_values import FREE, Variety
from lakehouse.generator.lives import DAY
from lakehouse.generator.randomness import generator

FEED_COLUMNS = ("operation", "sequence_number", "change_timestamp")
OPERATIONS = ("INSERT", "UPDATE", "DELETE")
INSERT, UPDATE, DELETE = range(3)
KINDS = ("change", "no_op", "flip", "null_flip")  # kinds of a key's day

_NOTHING, _INSERT, _CHANGE, _DELETE, _RETURN, _SAME, _EMPTY, _BACK = range(8)
_OPERATION = {_INSERT: INSERT, _RETURN: INSERT, _DELETE: DELETE}
_STEPS = 3  # steps in a key's day: its insert, if it is new, and at most two changes
_ORDINARY = ((_CHANGE, _NOTHING), (_CHANGE, _CHANGE), (_DELETE, _NOTHING), (_DELETE, _RETURN))
_ORDINARY_SHARES = (0.68, 0.12, 0.12, 0.08)
_SPECIAL = {"no_op": (_SAME, _NOTHING), "flip": (_CHANGE, _BACK), "null_flip": (_EMPTY, _BACK)}
_RETURNS = 0.2  # share of the deleted keys, each day
_MICROSECONDS = DAY * 1_000_000


class _Day(NamedTuple):
    """What a day has for each key: its *steps* (keys x steps), and the *kind* of the day (position in `KINDS`)."""

    steps: np.ndarray
    kind: np.ndarray


@dataclass
class KeyLives:
    """All keys of *entity* that have ever lived, in their current state.

    `keys`, `content` (a number in `contents`) and `alive` (False for a deleted key) have one value per key.
    """

    entity: str
    seed: int
    contents: Contents = field(init=False)
    keys: pa.StringArray = field(init=False)
    content: np.ndarray = field(init=False)
    alive: np.ndarray = field(init=False)
    variety: Variety = field(init=False)

    def __post_init__(self) -> None:
        """Start without keys."""
        self.contents = Contents(COLUMNS[self.entity])
        self.keys = pa.array([], pa.string())
        self.content = np.zeros(0, dtype=np.int64)
        self.alive = np.zeros(0, dtype=bool)

    def live(self, day: int, newcomers: pa.Table, rates: FeedRates) -> pd.DataFrame:
        """What happens on *day* to all keys, including those of *newcomers*, whose lives begin.

        Args:
            newcomers: the entity's rows that appear on this day, as text; keys that are already known are ignored.

        Returns:
            One row per event, in the order of `sequence` (whole number, greater than those of all earlier days):
            `content`, `operation` (position in `OPERATIONS`) and `kind` (position in `KINDS`). The content of a delete
            is only the key.
        """
        rng = generator(self.seed, day, f"feed_{self.entity}")
        new = self._welcome(newcomers)
        events = self._walk(self._plan(rng, rates, new=new), rng)
        return _in_time(events, day, rng)

    def _welcome(self, newcomers: pa.Table) -> int:
        """Add the keys that are new, not alive yet, and return how many there are."""
        key = COLUMNS[self.entity][0]
        new = newcomers.filter(pc.invert(pc.is_in(newcomers[key], value_set=self.keys)))
        if len(self.keys) == 0:
            self.variety = Variety(self.entity, new)
        if new.num_rows:
            self.keys = pa.concat_arrays([self.keys, *new[key].chunks])
            self.content = np.append(self.content, self.contents.add(new))
            self.alive = np.append(self.alive, np.zeros(new.num_rows, dtype=bool))
        return new.num_rows

    def _plan(self, rng: np.random.Generator, rates: FeedRates, *, new: int) -> _Day:
        """What the day has for each key; the last *new* keys are inserted."""
        count = len(self.keys)
        steps = np.zeros((count, _STEPS), dtype=np.int8)
        kinds = np.zeros(count, dtype=np.int8)
        is_new = np.arange(count) >= count - new
        steps[is_new, 0] = _INSERT
        living = np.flatnonzero(self.alive | is_new)
        chosen = rng.permutation(living)
        changes = share(rates.cdc_change_rate, len(living))
        ordinary = rng.choice(len(_ORDINARY), size=changes, p=_ORDINARY_SHARES)
        steps[chosen[:changes], 1:] = np.array(_ORDINARY, dtype=np.int8)[ordinary]
        at = changes
        for kind, days in _SPECIAL.items():
            some = chosen[at : at + share(rates.of(kind), max(1, changes))]
            steps[some, 1:], kinds[some] = days, KINDS.index(kind)
            at += len(some)
        gone = rng.permutation(np.flatnonzero(~(self.alive | is_new)))
        steps[gone[: share(_RETURNS if rates.cdc_change_rate else 0, len(gone))], 1] = _RETURN
        return _Day(steps, kinds)

    def _walk(self, planned: _Day, rng: np.random.Generator) -> pd.DataFrame:
        """Carry out the plan, keeping `content` and `alive`; one row per event, by `key` (its position) and `step`."""
        before = self.content.copy()
        nothing = np.zeros(0, dtype=np.int64)
        pieces = [pd.DataFrame(dict.fromkeys(("key", "step", "content", "operation", "kind"), nothing))]
        for step in range(_STEPS):
            for action in range(_INSERT, _BACK + 1):
                at = np.flatnonzero(planned.steps[:, step] == action)
                if len(at) == 0:
                    continue
                content = self.content[at] = self._content_after(action, at, before, rng)
                self.alive[at] = action != _DELETE
                if action == _DELETE:
                    content = self.contents.add(keys_alone(self.contents.frame(content)))
                operation = _OPERATION.get(action, UPDATE)
                event = {"key": at, "step": step, "content": content, "operation": operation, "kind": planned.kind[at]}
                pieces.append(pd.DataFrame(event))
        return pd.concat(pieces, ignore_index=True).sort_values(["key", "step"], ignore_index=True)

    def _content_after(self, action: int, at: np.ndarray, before: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        now = self.content[at]
        if action == _CHANGE:
            return self.contents.add(self.variety.changed(self.contents.frame(now), rng))
        if action == _RETURN:  # half of those that return are unchanged
            as_they_were = rng.random(len(at)) < 0.5
            return np.where(as_they_were, now, self.contents.add(self.variety.changed(self.contents.frame(now), rng)))
        if action == _EMPTY:
            return self.contents.add(self.variety.emptied(self.contents.frame(now), rng, FREE[self.entity]))
        return before[at] if action == _BACK else now


def keys_alone(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with nothing except their first column."""
    rows = rows.copy()
    rows.iloc[:, 1:] = None
    return rows


def _in_time(events: pd.DataFrame, day: int, rng: np.random.Generator) -> pd.DataFrame:
    """Assign the events, sorted by key and step, times of *day*: all different, and in order within a key."""
    count = len(events)
    place = rng.permutation(count)
    place = place[np.lexsort((place, events["key"].to_numpy()))]
    width = _MICROSECONDS // max(1, count)
    sequence = day * _MICROSECONDS + place * width + rng.integers(0, width, size=count)
    events = events.drop(columns=["key", "step"]).assign(sequence=sequence)
    return events.sort_values("sequence", ignore_index=True)
