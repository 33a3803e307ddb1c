"""All contents that the keys of a change feed have had: rows of text, each identified by a number.

In this way, events are small numbers, and a key that nothing happens to costs nothing: hundreds of thousands of rows
stay in Arrow, and only those that change become pandas frames.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

_YOUNG_SHARE = 8  # new rows are merged with the others when they exceed one in so many


class Contents:
    """Rows of text with the columns *names*, null if empty; a row never changes and is never removed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.schema = pa.schema([(name, pa.string()) for name in names])
        self._old = self.schema.empty_table()
        self._young = self.schema.empty_table()

    def __len__(self) -> int:
        return self._old.num_rows + self._young.num_rows

    def add(self, rows: pa.Table | pd.DataFrame) -> np.ndarray:
        """Add *rows* and return their numbers."""
        table = rows if isinstance(rows, pa.Table) else table_of(rows)
        numbers = np.arange(len(self), len(self) + table.num_rows)
        self._young = pa.concat_tables([self._young, table.select(self.schema.names).cast(self.schema)])
        if self._young.num_rows * _YOUNG_SHARE > self._old.num_rows:
            self._old = pa.concat_tables([self._old, self._young]).combine_chunks()
            self._young = self.schema.empty_table()
        return numbers

    def take(self, numbers: np.ndarray) -> pa.Table:
        """The rows with these *numbers*, in this order."""
        is_young = numbers >= self._old.num_rows
        old = self._old.take(pa.array(numbers[~is_young]))
        if not is_young.any():
            return old
        young = self._young.combine_chunks().take(pa.array(numbers[is_young] - self._old.num_rows))
        place = np.argsort(np.concatenate([np.flatnonzero(~is_young), np.flatnonzero(is_young)]))
        return pa.concat_tables([old, young]).combine_chunks().take(pa.array(place))

    def frame(self, numbers: np.ndarray) -> pd.DataFrame:
        """Like `take`, as a frame that can be changed: text, and None if empty."""
        return self.take(numbers).to_pandas().astype(object)


def table_of(rows: pd.DataFrame) -> pa.Table:
    """The columns of *rows* as text, null where they have None."""
    return pa.table({name: pa.array(rows[name].tolist(), pa.string()) for name in rows.columns})
