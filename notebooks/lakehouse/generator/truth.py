"""The ground truth of the change feed: what the tables must hold once the landed files have been applied.

Computed with NumPy and pandas from the lives of the keys and the times when their events land; it does not use the code
that it judges. Definition: an event is one (key, sequence); consecutive upserts without a delete between them that
agree on all columns are one version; it is valid from its first event to the event after its last one.

Quarantine: a row goes there with the first rule that it breaks, in the order of `quarantine_rules`: values that do not
parse, column by column, then the rules on required values. The staging contracts use the same names and order:

    <column>_parses             for each column that is not free text, in the order of the file's columns
                                    (the entity's columns, then operation, sequence_number, change_timestamp)
    <key>_present               the key is NULL (`customer_id_present`, as in the silver contracts)
    sequence_number_present     the sequence is NULL
    operation_known             the operation is not INSERT, UPDATE or DELETE
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.contents import table_of

INTEGERS = frozenset(COLUMNS["products"][2:])
ZIPS = frozenset({"customer_zip_code_prefix", "seller_zip_code_prefix"})


def parsed_columns(entity: str) -> list[str]:
    """The columns of the feed's files whose text may fail to parse, in file order."""
    own = [name for name in COLUMNS[entity] if name in INTEGERS or name in ZIPS]
    return [*own, "sequence_number", "change_timestamp"]


def quarantine_rules(entity: str) -> list[str]:
    """The rules of staging, in the order in which a row is checked."""
    parses = [f"{name}_parses" for name in parsed_columns(entity)]
    return [*parses, f"{COLUMNS[entity][0]}_present", "sequence_number_present", "operation_known"]


class Expected(NamedTuple):
    """What the tables of an entity must hold, as text and sorted by key.

    Attributes:
        current: the rows that exist (SCD type 1): the entity's columns.
        history: the versions of every key (SCD type 2 with all columns tracked), in order within a key: the entity's
                columns, `__START_AT` and `__END_AT` (null if open).
    """

    current: pa.Table
    history: pa.Table


def expected_tables(entity: str, events: pa.Table) -> Expected:
    """The tables of *entity* that result from *events*.

    Args:
        events: one row per event that has landed, in any order: the entity's columns and `operation` as text,
                `sequence_number` as the text of a whole number.
    """
    names = list(COLUMNS[entity])
    # Most keys have one event. It needs no comparison, so their rows stay in Arrow.
    code = pc.dictionary_encode(events[names[0]].combine_chunks()).indices.to_numpy()
    is_only = np.bincount(code)[code] == 1 if len(code) else np.zeros(0, dtype=bool)
    rest = _one_per_sequence(entity, events.filter(pa.array(~is_only)).to_pandas().astype(object))
    only = events.filter(pc.and_(pa.array(is_only), pc.not_equal(events["operation"], "DELETE")))
    rows = only.select(names)
    versions = rows.append_column("__START_AT", only["sequence_number"]).append_column(
        "__END_AT", pa.nulls(len(rows), pa.string())
    )
    return Expected(_with(rows, _current(entity, rest)), _with(versions, _history(entity, rest)))


def _with(table: pa.Table, rows: pd.DataFrame) -> pa.Table:
    """All rows sorted by key, the first column, and in order within a key."""
    table = pa.concat_tables([table, table_of(rows).cast(table.schema)])
    return table.take(pc.sort_indices(table, [(table.column_names[0], "ascending")]))


def _history(entity: str, rows: pd.DataFrame) -> pd.DataFrame:
    key, is_upsert = rows["_key"].to_numpy(), (rows["operation"] != "DELETE").to_numpy()
    content = np.stack([_codes(rows[name]) for name in COLUMNS[entity]], axis=1)
    same_key = np.append(False, key[1:] == key[:-1]) if len(rows) else np.zeros(0, dtype=bool)
    goes_on = same_key & is_upsert
    goes_on[1:] &= is_upsert[:-1] & (content[1:] == content[:-1]).all(axis=1)
    first = np.flatnonzero(is_upsert & ~goes_on)
    # The event after a version is the next one that does not continue it, if it has the same key.
    other = np.append(np.flatnonzero(~goes_on), len(rows))
    after = other[np.searchsorted(other, first, side="right")]
    ends = np.append(same_key, False)[after]
    sequence = np.append(rows["_sequence"].to_numpy(), 0)
    versions = rows.iloc[first][list(COLUMNS[entity])].reset_index(drop=True)
    start, end = sequence[first].astype(str).astype(object), sequence[after].astype(str).astype(object)
    return versions.assign(__START_AT=start, __END_AT=np.where(ends, end, np.array(None)))


def _current(entity: str, rows: pd.DataFrame) -> pd.DataFrame:
    last = rows.drop_duplicates("_key", keep="last")
    return last.loc[last["operation"] != "DELETE", list(COLUMNS[entity])]


def quarantine_table(broken: dict[str, np.ndarray]) -> pa.Table:
    """The number of rows in quarantine by entity and rule, including zeros; *broken* has the counts in rule order."""
    rows = [
        (entity, rule, str(count))
        for entity, counts in broken.items()
        for rule, count in zip(quarantine_rules(entity), counts, strict=True)
    ]
    return table_of(pd.DataFrame(rows, columns=["entity", "rule", "rows"]))


def _one_per_sequence(entity: str, events: pd.DataFrame) -> pd.DataFrame:
    """The events by key and sequence, each once; `_key` and `_sequence` are whole numbers.

    In a tie, a delete wins; among upserts, the greatest by the other columns in order, typed, with NULL lowest.
    """
    columns = list(COLUMNS[entity])
    rows = events.assign(
        _key=pd.factorize(events[columns[0]], sort=True)[0],
        _sequence=events["sequence_number"].to_numpy().astype(np.int64),
    )
    order = np.lexsort((rows["_sequence"].to_numpy(), rows["_key"].to_numpy()))
    rows = rows.iloc[order].reset_index(drop=True)
    tied = rows.duplicated(["_key", "_sequence"], keep=False)
    some = rows[tied]
    ranks = [_ranks(name, some[name]) for name in columns[1:]]
    by = [*reversed(ranks), (some["operation"] == "DELETE").to_numpy(), some["_sequence"].to_numpy(), some["_key"]]
    rows[tied] = some.iloc[np.lexsort(by)].to_numpy()
    rows = rows.astype({"_key": np.int64, "_sequence": np.int64})
    return rows.drop_duplicates(["_key", "_sequence"], keep="last", ignore_index=True)


def _ranks(name: str, texts: pd.Series) -> np.ndarray:
    """The rank of each value among all, by type; -1 for NULL. Text compares by code points, as by UTF-8 bytes."""
    if name in INTEGERS:
        return np.array([-(2**63) if one is None else int(one) for one in texts], dtype=np.int64)
    return _codes(texts, sort=True)


def _codes(texts: pd.Series, *, sort: bool = False) -> np.ndarray:
    return pd.factorize(texts.to_numpy(dtype=object), sort=sort)[0]
