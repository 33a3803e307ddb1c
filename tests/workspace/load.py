"""Measures a server under load: `python -m tests.workspace.load [--recorded 10000] [--runs 50] [--clients 100]`.

A history of many runs is recorded first. Then, many runs of a job without Spark are started at once, while clients
request them, lists and jobs, each on its own connection, until all runs have ended. The program prints the latencies
of each call (separately for answers that may wait), the memory of the server, and the requests that failed.
"""

import argparse
import asyncio
import contextlib
import json
import math
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil

from lakelocal.history.records import Records, insert
from lakelocal.project import Project
from tests.workspace.served import Served

DAY_MS = 24 * 3600 * 1000


@dataclass
class Load:
    """The seconds that each call took, the failures, and the job whose runs were started."""

    job_id: int = 0
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: list[str] = field(default_factory=list)

    async def call(self, client: httpx2.AsyncClient, name: str, method: str, path: str, **given: Any) -> Any:
        """Make a call, measure its time, and return its answer."""
        begun = time.perf_counter()
        try:
            answer = await client.request(method, path, **given)
        except httpx2.HTTPError as error:
            self.failed.append(f"{name}: {error!r}")
            return {}
        self.took[name].append(time.perf_counter() - begun)
        if answer.status_code != 200:
            self.failed.append(f"{name}: {answer.status_code} {answer.text[:200]}")
            return {}
        return answer.json()

    def figures(self) -> dict[str, dict[str, float]]:
        """The number of each call, and its latencies in milliseconds."""
        return {
            name: {"calls": len(took), **{f"p{q}": round(_quantile(took, q) * 1000, 1) for q in (50, 99, 100)}}
            for name, took in sorted(self.took.items())
        }


def record(root: Path, number: int) -> None:
    """Record *number* runs that ended during the last days, of fifty jobs, each with three attempts."""
    records = Records.of(Project.at(root).state("main"))
    now = time.time_ns() // 1_000_000
    with records.opened() as database:
        for run_id in range(1, number + 1):
            start = now - DAY_MS * 30 + run_id * (DAY_MS * 30 // (number + 1))
            ended = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "end_time": start + 1000}
            database.execute("INSERT INTO ids DEFAULT VALUES")
            names = {"job_id": 10**14 + run_id % 50, "job_key": f"job{run_id % 50}", "run_name": "recorded"}
            process = {"pid": 1, "pid_started": 0.0, "trigger": "PERIODIC", "target": "dev"}
            settings = {"name": "recorded", "tasks": [{"task_key": f"t{task}"} for task in range(30)]}
            insert(
                database,
                "runs",
                {"run_id": run_id, "start_time": start, **names, **process, **ended, "settings": settings},
            )
            for task in range(3):
                attempt_id = database.execute("INSERT INTO attempt_ids DEFAULT VALUES").lastrowid
                row = {
                    "run_id": attempt_id,
                    "job_run_id": run_id,
                    "task_key": f"t{task}",
                    "attempt_number": 0,
                }
                kind = {
                    "kind": "condition_task",
                    "depends_on": [],
                    "run_if": "ALL_SUCCESS",
                    "start_time": start,
                    **ended,
                }
                insert(database, "attempts", {**row, **kind})


async def load(served: Served, load: Load, runs: int, clients: int) -> float:
    """Start *runs* runs at once, and let *clients* send requests until they have ended; return how long that took."""
    headers = {"Authorization": f"Bearer {served.token}"}
    tasks = [
        {"task_key": f"t{number}", "condition_task": {"op": "EQUAL_TO", "left": str(number), "right": "1"}}
        for number in range(5)
    ]
    settings = {"name": "load", "tasks": tasks, "max_concurrent_runs": 1000}
    async with contextlib.AsyncExitStack() as closing:
        made = [
            httpx2.AsyncClient(base_url=f"{served.url}/api/2.2/jobs", headers=headers, timeout=60, verify=False)
            for _ in range(clients + runs + 1)
        ]
        for each in made:
            await closing.enter_async_context(each)
        watcher, starters, pollers = made[0], made[1 : runs + 1], made[runs + 1 :]
        job_id = load.job_id = (await load.call(watcher, "jobs/create", "POST", "/create", json=settings))["job_id"]
        numbers: list[int] = []
        over = asyncio.Event()

        async def start(client: httpx2.AsyncClient) -> None:
            found = await load.call(client, "run-now", "POST", "/run-now", json={"job_id": job_id})
            numbers.append(found["run_id"])

        async def poll(which: int, client: httpx2.AsyncClient) -> None:
            while not over.is_set():
                await load.call(client, "runs/list", "GET", "/runs/list", params={"limit": 25})
                asked = {"job_id": 10**14 + which % 50, "limit": 25}
                await load.call(client, "runs/list of a job", "GET", "/runs/list", params=asked)
                await load.call(client, "jobs/get", "GET", "/get", params={"job_id": job_id})
                await load.call(client, "runs/get, ended", "GET", "/runs/get", params={"run_id": 1 + which})
                if numbers:
                    asked = {"run_id": numbers[which % len(numbers)]}
                    await load.call(client, "runs/get, may be held", "GET", "/runs/get", params=asked)
                await asyncio.sleep(1)

        async def watch(client: httpx2.AsyncClient) -> None:
            while True:
                await asyncio.sleep(1)
                asked = {"job_id": job_id, "active_only": "true"}
                found = await load.call(client, "runs/list, active", "GET", "/runs/list", params=asked)
                if len(numbers) == runs and not found.get("runs"):
                    over.set()
                    return

        begun = time.perf_counter()
        work = [*map(start, starters), *(poll(which, client) for which, client in enumerate(pollers)), watch(watcher)]
        await asyncio.gather(*work)
        return time.perf_counter() - begun


def _quantile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)]


def main() -> int:
    """Measure and print; the exit code is 1 if a request failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recorded", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--clients", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "databricks.yml").write_text("bundle: {name: load}\n")
        record(root, options.recorded)
        served, found = Served(root).start(), Load()
        try:
            seconds = asyncio.run(load(served, found, options.runs, options.clients))
            assert served.process is not None
            memory = psutil.Process(served.process.pid).memory_info().rss // 1024**2
        finally:
            served.stop()
        log = (root / "server.log").read_text()
    report = {"seconds": round(seconds, 1), "server_mib": memory, "failed": len(found.failed), "calls": found.figures()}
    print(json.dumps(report, indent=1))
    print("\n".join(found.failed[:20]), log[-2000:], sep="\n")
    return 1 if found.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
