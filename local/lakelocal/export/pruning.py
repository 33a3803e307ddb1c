"""Freeing space: deletes old runs from the history, with all runs below them, their executed notebooks and logs.

A run that has not ended is never deleted, and neither is any run above or below it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from lakelocal.folders import delete_folder, size_of
from lakelocal.history.records import Records, now_ms
from lakelocal.history.rows import RecordedRun
from lakelocal.project import State
from lakelocal.shared_packages import SharedPackages

Rule = Callable[[Sequence[RecordedRun]], Iterable[RecordedRun]]
# Every table with rows of a run, and the column with its id; the run itself comes last.
_OF_A_RUN = (
    ("events", "job_run_id"), ("updates", "job_run_id"), ("attempts", "job_run_id"), ("phases", "run_id"),
    ("runs", "run_id"),
)  # fmt: skip


@dataclass(frozen=True)
class Pruned:
    """A deleted run: *run_ids* are the run itself and the runs below it, *size* is that of their files in bytes."""

    run: RecordedRun
    run_ids: tuple[int, ...]
    size: int


def keep_newest(number: int) -> Rule:
    """A rule that chooses all runs of a job except its newest *number*."""

    def choose(runs: Sequence[RecordedRun]) -> list[RecordedRun]:
        kept: dict[int, int] = {}
        chosen = []
        for run in sorted(runs, key=lambda each: -each.run_id):
            kept[run.job_id] = kept.get(run.job_id, 0) + 1
            if kept[run.job_id] > number:
                chosen.append(run)
        return chosen

    return choose


def older_than(age: timedelta, *, at_ms: int | None = None) -> Rule:
    """A rule that chooses the runs that ended more than *age* before *at_ms* (epoch ms; None: now)."""
    latest = (now_ms() if at_ms is None else at_ms) - age / timedelta(milliseconds=1)
    return lambda runs: [run for run in runs if run.end_time is not None and run.end_time < latest]


def prune(state: State, rule: Rule, *, dry_run: bool = False) -> list[Pruned]:
    """Delete the runs that *rule* chooses among those that no other run started; return what was deleted, oldest first.

    With *dry_run*, nothing is deleted.

    Raises:
        RunError: a file cannot be deleted; its run then stays in the history, and the next call deletes it.
    """
    records = Records.of(state)
    records.close_abandoned()
    runs = sorted(records.runs(limit=None), key=lambda each: each.run_id)
    found = []
    for run in sorted(rule(_tops(runs)), key=lambda each: each.run_id):
        tree = _tree(run, runs)
        if any(each.end_time is None for each in tree):
            continue
        ids = tuple(each.run_id for each in tree)
        pruned = Pruned(run, ids, sum(size_of(state.runs / str(each)) for each in ids))
        if dry_run or _delete(state, records, ids):
            found.append(pruned)
    return found


def prune_packages(state: State, deleted: Sequence[Pruned], *, dry_run: bool = False) -> int:
    """Delete the packages that no run has used except those of *deleted*; their size in bytes.

    With *dry_run*, nothing is deleted, and *deleted* are the runs that would be.

    Raises:
        RunError: a file cannot be deleted.
    """
    gone = {run_id for each in deleted for run_id in each.run_ids}
    left = [run.start_time for run in Records.of(state).runs(limit=None) if run.run_id not in gone]
    since = min(left, default=now_ms()) / 1000
    return SharedPackages(state.packages).forget(since, dry_run=dry_run)


def delete_run(state: State, run_id: int) -> bool:
    """Delete the run *run_id* and all runs below it, unless one of them is active; return whether that was done."""
    records = Records.of(state)
    records.close_abandoned()
    runs = sorted(records.runs(limit=None), key=lambda each: each.run_id)
    run = next(each for each in runs if each.run_id == run_id)
    return _delete(state, records, [each.run_id for each in _tree(run, runs)])


def _tops(runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    known = {run.run_id for run in runs}
    return [run for run in runs if run.parent_run_id not in known]


def _tree(run: RecordedRun, runs: Sequence[RecordedRun]) -> list[RecordedRun]:
    """*run* and all runs below it; a child's id is greater than its parent's."""
    ids = {run.run_id}
    found = [run]
    for each in runs:
        if each.parent_run_id in ids:
            ids.add(each.run_id)
            found.append(each)
    return found


def _delete(state: State, records: Records, ids: Sequence[int]) -> bool:
    """Delete the runs *ids*, unless one of them has been reopened meanwhile (a repair); return whether that was done.

    The files go first, within the transaction: if this process is killed, records without files remain, never the
    reverse.
    """
    marks = ", ".join("?" for _ in ids)
    with records.opened(exclusive=True) as database:
        query = f"SELECT count(*) FROM runs WHERE run_id IN ({marks}) AND end_time IS NOT NULL"
        if database.execute(query, ids).fetchone()[0] != len(ids):
            return False
        for run_id in ids:
            delete_folder(state.runs / str(run_id))
        for table, column in _OF_A_RUN:
            database.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", ids)
    return True
