"""Answers that wait: a client that requests a run again gets its answer as soon as something has changed.

Clients poll after 1, 2, 3 ... 10 seconds, and give up on an answer after 60. The first answer on a connection comes at
once; the next one waits until the run differs from the last answer, at most `LONGEST` seconds. One query of the
history serves all waiting clients.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool

from lakelocal.history.reading import History
from lakelocal.processes import still_runs
from lakelocal.workspace.run_numbers import NumberedRun

LONGEST = 45.0
LOOK_SECONDS = 0.15
_REMEMBERED = 10_000

Looks: TypeAlias = tuple[object, ...]
"""A value that changes whenever a client could see a change of the run; empty if the run has ended."""


@dataclass(frozen=True)
class _Waiter:
    run_id: int
    looked: Looks
    changed: "asyncio.Future[None]"


class Waiting:
    """The clients that wait, and the runs for which they wait."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, int], Looks] = OrderedDict()
        self._waiters: dict[History, set[_Waiter]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._is_over = False

    async def for_change(self, run: NumberedRun, connection: str) -> None:
        """Return when *run* differs from the last answer on *connection*, has ended, or the time is up."""
        key, history = (connection, run.number), run.records
        now = (await run_in_threadpool(looks_of, history, [run.run_id]))[run.run_id]
        if now and self._told.get(key) == now and not self._is_over:
            now = await self._changed(history, run.run_id, now)
        self._told[key] = now
        self._told.move_to_end(key)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def end(self) -> None:
        """Answer all waiting clients, because the server ends."""
        self._is_over = True
        for waiters in self._waiters.values():
            for each in waiters:
                if not each.changed.done():
                    each.changed.set_result(None)

    async def _changed(self, history: History, run_id: int, looked: Looks) -> Looks:
        waiter = _Waiter(run_id, looked, asyncio.get_running_loop().create_future())
        waiters = self._waiters.setdefault(history, set())
        waiters.add(waiter)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look())
        try:
            await asyncio.wait_for(waiter.changed, LONGEST)
        except TimeoutError:
            return looked
        finally:
            waiters.discard(waiter)
        return (await run_in_threadpool(looks_of, history, [run_id]))[run_id]

    async def _look(self) -> None:
        """Check all runs for which clients wait, until none waits."""
        while any(self._waiters.values()):
            await asyncio.sleep(LOOK_SECONDS)
            for history, waiters in list(self._waiters.items()):
                if not waiters:
                    del self._waiters[history]
                    continue
                now = await run_in_threadpool(looks_of, history, {each.run_id for each in waiters})
                for each in list(waiters):
                    if now.get(each.run_id, each.looked) != each.looked and not each.changed.done():
                        each.changed.set_result(None)


def looks_of(history: History, run_ids: Iterable[int]) -> Mapping[int, Looks]:
    """The value that changes with the run, for each of *run_ids*."""
    ids = list(run_ids)
    marks = ", ".join("?" for _ in ids)
    with history.reading() as database:
        if database is None:
            return dict.fromkeys(ids, ())
        runs = database.execute(
            "SELECT run_id, end_time, life_cycle_state, repair_count, pid, pid_started FROM runs "
            f"WHERE run_id IN ({marks})",
            ids,
        ).fetchall()
        counts = {
            row[0]: (row[1], row[2])
            for row in database.execute(
                f"SELECT job_run_id, count(*), count(end_time) FROM attempts WHERE job_run_id IN ({marks}) "
                "GROUP BY job_run_id",
                ids,
            )
        }
    found: dict[int, Looks] = dict.fromkeys(ids, ())
    for run in runs:
        if run["end_time"] is None and still_runs(run["pid"], run["pid_started"]):
            found[run["run_id"]] = (
                run["life_cycle_state"],
                run["repair_count"],
                run["pid"],
                *counts.get(run["run_id"], (0, 0)),
            )
    return found
