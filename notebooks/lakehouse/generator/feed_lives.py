"""The life of each key of a change feed: inserted, changed, deleted, inserted again; one business day after the other.

Nothing is wrong in a life: its events are complete and in order. What goes wrong on the way is in `defects`.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lakehouse.generator.columns import COLUMNS, timestamps
from lakehouse.generator.feed_rates import FeedRates, share
from lakehouse.generator.feed_values import FREE, Variety, either
from lakehouse.generator.lives import DAY
from lakehouse.generator.randomness import generator

FEED_COLUMNS = ("operation", "sequence_number", "change_timestamp")

_NOTHING, _INSERT, _CHANGE, _DELETE, _RETURN, _SAME, _EMPTY, _BACK = range(8)
_OPERATION = {_INSERT: "INSERT", _RETURN: "INSERT", _DELETE: "DELETE"}
_STEPS = 3  # a day of a key: its insert, if it is new, and then at most two changes
_ORDINARY = ((_CHANGE, _NOTHING), (_CHANGE, _CHANGE), (_DELETE, _NOTHING), (_DELETE, _RETURN))
_ORDINARY_SHARES = (0.68, 0.12, 0.12, 0.08)
_RETURNS = 0.2  # of the deleted keys, each day
_MICROSECONDS = DAY * 1_000_000


@dataclass
class KeyLives:
    """All keys of *entity* that ever lived, as they are now.

    `values` has one row a key with the entity's columns as text, None where NULL; `alive` says which are not deleted.
    """

    entity: str
    seed: int
    values: pd.DataFrame = field(init=False)
    alive: np.ndarray = field(init=False)
    variety: Variety = field(init=False)

    def __post_init__(self) -> None:
        """Begin without keys."""
        self.values = pd.DataFrame(columns=list(COLUMNS[self.entity]), dtype=object)
        self.alive = np.zeros(0, dtype=bool)

    def live(self, day: int, newcomers: pd.DataFrame, rates: FeedRates) -> pd.DataFrame:
        """What happens on *day*, and to the keys of *newcomers*, which begin to live.

        Args:
            newcomers: the entity's rows that appear on this day, as text; keys that are known are left out.

        Returns:
            One row an event, in the order of `sequence_number`: entity columns, operation, `sequence_number` (whole
            number, greater than all of earlier days), `change_timestamp` and `kind` (`no_op`, `flip`, `null_flip` or
            `change`). A delete carries the key alone.
        """
        rng = generator(self.seed, day, f"feed_{self.entity}")
        self._welcome(newcomers)
        steps, kinds = self._plan(rng, rates, new=len(self.values) - len(self.alive))
        self.alive = np.append(self.alive, np.zeros(len(self.values) - len(self.alive), dtype=bool))
        events = self._walk(steps, kinds, rng)
        return _in_time(events, day, rng)

    def _welcome(self, newcomers: pd.DataFrame) -> None:
        key = COLUMNS[self.entity][0]
        new = newcomers[~newcomers[key].isin(self.values[key])]
        if len(self.values) == 0:
            self.variety = Variety(self.entity, new)
        self.values = pd.concat([self.values, new], ignore_index=True)

    def _plan(self, rng: np.random.Generator, rates: FeedRates, *, new: int) -> tuple[np.ndarray, np.ndarray]:
        """The steps of each key's day, and what kind of day it is."""
        count = len(self.values)
        steps = np.zeros((count, _STEPS), dtype=np.int8)
        kinds = np.full(count, "change", dtype=object)
        steps[count - new :, 0] = _INSERT
        living = np.flatnonzero(np.append(self.alive, np.ones(new, dtype=bool)))
        chosen = rng.permutation(living)
        changes = share(rates.cdc_change_rate, len(living))
        ordinary = rng.choice(len(_ORDINARY), size=changes, p=_ORDINARY_SHARES)
        steps[chosen[:changes], 1:] = np.array(_ORDINARY, dtype=np.int8)[ordinary]
        at = changes
        for kind, days in (
            ("no_op", (_SAME, _NOTHING)),
            ("flip", (_CHANGE, _BACK)),
            ("null_flip", (_EMPTY, _BACK)),
        ):
            some = chosen[at : at + share(rates.of(kind), max(1, changes))]
            steps[some, 1:], kinds[some] = days, kind
            at += len(some)
        gone = rng.permutation(np.flatnonzero(~self.alive))
        steps[gone[: share(_RETURNS if rates.cdc_change_rate else 0, len(gone))], 1] = _RETURN
        return steps, kinds

    def _walk(self, steps: np.ndarray, kinds: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Do the steps, keeping `values` and `alive`; one row an event, by key and step."""
        before, pieces = self.values.copy(), []
        for step in range(_STEPS):
            for action in range(_INSERT, _BACK + 1):
                at = np.flatnonzero(steps[:, step] == action)
                if len(at) == 0:
                    continue
                self.values.iloc[at] = self._values_after(action, at, before, rng).to_numpy()
                self.alive[at] = action != _DELETE
                rows = self.values.iloc[at].copy()
                if action == _DELETE:
                    rows.iloc[:, 1:] = None
                rows["operation"] = _OPERATION.get(action, "UPDATE")
                pieces.append(rows.assign(kind=kinds[at], _key=at, _step=step))
        if not pieces:
            return self.values.iloc[:0].assign(operation="", kind="", _key=0, _step=0)
        return pd.concat(pieces, ignore_index=True).sort_values(["_key", "_step"], ignore_index=True)

    def _values_after(self, action: int, at: np.ndarray, before: pd.DataFrame, rng) -> pd.DataFrame:
        rows = self.values.iloc[at]
        if action == _CHANGE:
            return self.variety.changed(rows, rng)
        if action == _RETURN:  # half of those that return are as they were
            return either(rng.random(len(at)) < 0.5, rows, self.variety.changed(rows, rng))
        if action == _EMPTY:
            return self.variety.emptied(rows, rng, FREE[self.entity])
        return before.iloc[at] if action == _BACK else rows


def _in_time(events: pd.DataFrame, day: int, rng: np.random.Generator) -> pd.DataFrame:
    """Give the events, which stand by key and step, their moments of *day*: all different, a key's in its order."""
    count = len(events)
    place = rng.permutation(count)
    place = place[np.lexsort((place, events["_key"].to_numpy()))]
    width = _MICROSECONDS // max(1, count)
    number = day * _MICROSECONDS + place * width + rng.integers(0, width, size=count)
    events = events.drop(columns=["_key", "_step"]).assign(sequence_number=number)
    events = events.sort_values("sequence_number", ignore_index=True)
    return events.assign(change_timestamp=moments(events["sequence_number"].to_numpy()))


def moments(numbers: np.ndarray) -> np.ndarray:
    """The second of each sequence number (microseconds since 1970 UTC) as `YYYY-MM-DD HH:MM:SS`."""
    return timestamps(numbers // 1_000_000).to_numpy(zero_copy_only=False)
