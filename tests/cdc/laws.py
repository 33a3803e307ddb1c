"""What holds for the rows of SCD tables by themselves, whatever the events were; asserted on rows read back.

A history is a dict: by key its versions, a list of (start, end, values), sorted by start; a table of the latest rows
is a dict of values by key. The numbers are those of the invariants in the tests' table.
"""

from itertools import pairwise

from tests.cdc.oracle import DELETE, Event


def intervals_are_sound(history: dict, events: list[Event]) -> None:
    """I6: start before end, no overlap, one open row at most, bounds are sequences of the key."""
    sequences: dict = {}
    for event in events:
        sequences.setdefault(event.key, set()).add(event.sequence)
    for key, versions in history.items():
        for start, end, _ in versions:
            assert end is None or start < end, key
            assert {start, end} - {None} <= sequences[key], key
        for (_, end, _), (start, _, _) in pairwise(versions):
            assert end is not None and end <= start, key


def neighbours_differ(history: dict, events: list[Event], tracked: set[str]) -> None:
    """I7: adjacent rows differ in a tracked column; there is a gap exactly where a delete is."""
    deletes = {(event.key, event.sequence) for event in events if event.kind == DELETE}
    for key, versions in history.items():
        for (_, end, values), (start, _, after) in pairwise(versions):
            if end == start:
                assert any(values[name] != after[name] for name in tracked), key
            assert (end < start) == ((key, end) in deletes), key


def open_rows_are_current(history: dict, current: dict) -> None:
    """I8: the current table is the open rows of the history."""
    opened = {key: versions[-1][2] for key, versions in history.items() if versions[-1][1] is None}

    assert current == opened


def the_past_stays(before: dict, after: dict, batch: list[Event]) -> None:
    """I9: rows that ended before the first event of a batch are as they were; other keys are whole."""
    first: dict = {}
    for event in batch:
        first[event.key] = min(event.sequence, first.get(event.key, event.sequence))
    for key, versions in before.items():
        settled = [v for v in versions if key not in first or (v[1] is not None and v[1] < first[key])]
        kept = after.get(key, [])
        assert all(version in kept for version in settled), key


def coarser_is_a_union(fine: dict, coarse: dict) -> None:
    """I11: tracking fewer columns gives unions of adjacent finer rows, with the values of the last."""
    assert fine.keys() == coarse.keys()
    for key, versions in coarse.items():
        covered = 0
        for start, end, values in versions:
            within = [v for v in fine[key] if v[0] >= start and (end is None or v[0] < end)]
            assert within[0][0] == start and within[-1][1:] == (end, values), key
            for (_, left, _), (right, _, _) in pairwise(within):
                assert left == right, key
            covered += len(within)
        assert covered == len(fine[key]), key
