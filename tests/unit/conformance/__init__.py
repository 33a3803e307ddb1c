"""Databricks' rules as data, each with an input and what Databricks makes of it; the tests beside it run them.

A rule's id begins with its topic (`document.SECTIONS`). *source* is where Databricks documents it: the documentation,
the Jobs API (SDK and CLI sources), or `not documented` if only practice or a choice of this project supports it.
`elsewhere` has the rules that whole runs prove, `unproved` those without a test; `document` makes one table of all.
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
LIMITS = "Jobs API: docstrings of JobSettings, RunNow"
DBUTILS = "documentation: Databricks Utilities (dbutils) reference"
WIDGETS = "documentation: Databricks widgets"
NOTEBOOKS = "documentation: Run a Databricks notebook from another notebook"
SDK = "Databricks SDK: databricks.sdk.dbutils"
SCHEDULES = "documentation: Run jobs on a schedule"
QUARTZ = "Quartz 2.3.2: its own times and refusals"
CLI = "Databricks CLI 1.13"
PAPERMILL = "papermill 2.7.0: tried"
UNDOCUMENTED = "not documented"


@dataclass(frozen=True)
class Rule:
    """One rule: *what* Databricks does, and a *case* of it, which has the arguments of the test that runs it."""

    id: str
    what: str
    source: str
    case: tuple[Any, ...]


@dataclass(frozen=True)
class Proved:
    """A rule that is not a row of a table, and is proved by *tests*: `tests/<file>::<function>`."""

    id: str
    what: str
    source: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Unproved:
    """A rule without a test: *status* is `NOT_APPLICABLE` or `NOT_CONFIRMED`, *reason* says why."""

    id: str
    what: str
    source: str
    status: str
    reason: str


NOT_APPLICABLE, NOT_CONFIRMED = "not applicable locally", "not confirmed"


def cases(rules: list[Rule]) -> list[Any]:
    """The cases of *rules* for `pytest.mark.parametrize`, each with the rule's id."""
    return [pytest.param(*rule.case, id=rule.id) for rule in rules]
