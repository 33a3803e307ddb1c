"""Health rules: warn when a run or an attempt takes longer than its rule allows. Nothing is ever stopped.

Source: Jobs API 2.2, `JobsHealthRules`; of its metrics, only RUN_DURATION_SECONDS applies to a batch run here.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

METRIC = "RUN_DURATION_SECONDS"


def duration_rules(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The duration rules in the settings of a job or task: `{"metric", "op", "value"}`, value in seconds."""
    rules = (settings.get("health") or {}).get("rules") or []
    return [dict(rule) for rule in rules if rule.get("metric") == METRIC]


@contextmanager
def watching(settings: Mapping[str, Any], exceeded: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Call *exceeded*, in another thread, once for each rule whose seconds elapse before this block ends."""
    timers = [threading.Timer(float(rule["value"]), exceeded, [rule]) for rule in duration_rules(settings)]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
