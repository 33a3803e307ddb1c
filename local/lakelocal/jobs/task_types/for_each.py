"""`for_each_task`: one run of the nested task for each element of a list, several at a time.

Source: Jobs API 2.2, `ForEachStats`; Databricks documentation, "Use a For each task".
"""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lakelocal.errors import RunError
from lakelocal.jobs.attempts import TaskAttempt
from lakelocal.jobs.launch import Outcome
from lakelocal.jobs.stop import Stop
from lakelocal.lakeflow.results import meaning
from lakelocal.lakeflow.task_types.for_each import input_text, literal_inputs


def run(attempt: TaskAttempt, stop: Stop) -> Outcome:
    """Run the nested task for each input; FAILED if an iteration did not succeed, once all of them have ended."""
    given = attempt.task.inner
    text = given.get("inputs", "")
    inputs = read_inputs(attempt.resolved(text if isinstance(text, str) else json.dumps(text), "inputs"))
    concurrency = int(given.get("concurrency") or 1)
    stats = _Stats(attempt, {"inputs": json.dumps(inputs, ensure_ascii=False), "concurrency": concurrency}, len(inputs))
    attempt.owner.show_iterations(inputs, concurrency)

    def run_one(index: int) -> str:
        if stop.reason is not None:
            return "CANCELED"
        stats.began()
        iteration = attempt.owner.iteration(index, inputs[index])
        result = iteration.execute(stop)
        stats.ended(result, iteration.error)
        return result

    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        results = list(pool.map(run_one, range(len(inputs))))
    if stop.reason is not None:
        return Outcome(stop.reason)
    failed = [
        f"{index} ({input_text(inputs[index])})"
        for index, result in enumerate(results)
        if not meaning(result).succeeded
    ]
    if failed:
        named = f"iteration{'s' if len(failed) > 1 else ''} {_some(failed)}"
        return Outcome("FAILED", f"{len(failed)} of {len(inputs)} iterations failed: {named}.")
    return Outcome("SUCCESS")


def read_inputs(text: str) -> list[Any]:
    """The elements of *text*, a JSON array.

    Raises:
        RunError: *text* is not a JSON array.
    """
    inputs = literal_inputs(text)
    if inputs is None:
        raise RunError(f"inputs: found `{text[:200]}`, expected a JSON array. Correct it, or the task value it names.")
    return inputs


def _some(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


class _Stats:
    """`for_each_task` as the history shows it, written whenever an iteration begins or ends."""

    def __init__(self, attempt: TaskAttempt, shown: dict[str, Any], total: int) -> None:
        self.attempt = attempt
        self.shown = shown
        self.total = total
        self.begun = 0
        self.results: Counter[bool] = Counter()
        self.errors: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._write()

    def began(self) -> None:
        with self._lock:
            self.begun += 1
            self._write()

    def ended(self, result: str, error: str) -> None:
        with self._lock:
            self.results[meaning(result).succeeded] += 1
            if error:
                self.errors[error] += 1
            self._write()

    def _write(self) -> None:
        completed = self.results.total()
        runs = {
            "total_iterations": self.total,
            "scheduled_iterations": self.begun,
            "active_iterations": self.begun - completed,
            "completed_iterations": completed,
            "succeeded_iterations": self.results[True],
            "failed_iterations": self.results[False],
        }
        errors = [{"error_message": text, "count": count} for text, count in self.errors.most_common()]
        stats = {"task_run_stats": runs, **({"error_message_stats": errors} if errors else {})}
        self.attempt.record(details={**self.shown, "stats": stats})
