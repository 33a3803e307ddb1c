"""Databricks' rules as data, each with an input and what Databricks makes of it; the tests beside run them.

A rule's id begins with the name of its module. *source* is where Databricks says so: its documentation, the Jobs API
(SDK and CLI sources), or `not documented` where only practice or a choice of this project stands behind it.
"""

from dataclasses import dataclass
from typing import Any

import pytest

DEPENDENCIES = "documentation: Configure task dependencies"
DISABLED = "documentation: Disable tasks"
RESULTS = "documentation: View job run details"
REFERENCES = "documentation: What is a dynamic value reference?"
PARAMETERS = "documentation: Parameterize jobs"
TASK_VALUES = "documentation: Use task values to pass information between tasks"
CONDITIONS = "documentation: Add branching logic to a job with the If/else task"
FOR_EACH = "documentation: Use a For each task"
RUN_JOB = "documentation: Run Job task for jobs"
CONCURRENCY = "documentation: Configure maximum concurrent runs; Job queueing"
RETRIES = "Jobs API: Task.max_retries, min_retry_interval_millis, retry_on_timeout"
REPAIR = "Jobs API: runs/repair; documentation: Re-run failed and skipped tasks"
PARTIAL = "Jobs API: run-now.only"
BACKFILL = "documentation: Backfill jobs"
HEALTH = "Jobs API: JobsHealthRules"
API = "Jobs API: RunState, RunStatus, TerminationDetails"
UNDOCUMENTED = "not documented"


@dataclass(frozen=True)
class Rule:
    """One rule: *what* Databricks does, and a *case* of it, the arguments of the test that runs it."""

    id: str
    what: str
    source: str
    case: tuple[Any, ...]


def cases(rules: list[Rule]) -> list[Any]:
    """The cases of *rules* for `pytest.mark.parametrize`, each with the rule's id."""
    return [pytest.param(*rule.case, id=rule.id) for rule in rules]
