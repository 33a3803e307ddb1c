"""Which fields of a job count in a local run: one table, by dotted path, and the questions that are asked of it.

    verdicts(job)           # what becomes of every field that the job and its tasks set, each with a note
    ignored(job)            # ["job_clusters", "tasks.libraries.jar"]
    refusal(job, task)      # why a task does not run here and what to use instead; None where it runs
    effective(job)          # the values that have an effect here

* honoured: as on Databricks;
* approximated: it has an effect here, though not quite the same, or not in every case;
* ignored: it has no effect here; the run goes on without it, and says so;
* refused: a task with it does not run here; its note says what to use instead.

`tasks.` stands before the fields of a task, also of one inside a for-each task. A path that is ignored or refused
covers everything below it. `path=VALUE` is a rule for one value. The paths are the fields of `databricks.bundles.jobs`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lakelocal.lakeflow import events
from lakelocal.lakeflow.model import GIT, Job, Task, comes_from_git
from lakelocal.program import PROGRAM

HONOURED, APPROXIMATED, IGNORED, REFUSED = VERDICTS = ("honoured", "approximated", "ignored", "refused")
_WITH_EFFECT = (HONOURED, APPROXIMATED)
_TASKS = "tasks"
_NESTED = "tasks.for_each_task.task"

_OUTBOX = "delivered to the outbox folder, unless SMTP or a URL is configured"
_SCHEDULER = f"by `{PROGRAM} schedule`; `run` starts a job whenever it is called"
_ACCOUNT = "there is no account here"
_COMPUTE = "all tasks run on this machine"
_ENVIRONMENT = "the local Python environment is used for all tasks"
_INSTALL = "Python packages that the local environment lacks are installed for the attempt"
_NO_EVENT = "the event does not happen here"
_PERIODIC = "the scheduler counts from its own start, Databricks from the first run"
_NOT_HERE = "nothing here does what it asks for"
_NO_TRIGGER = "not scheduled here: start the job with `run`"
_GIT = "nothing is cloned: a task whose file comes from Git is refused"
_FROM_GIT = "nothing is cloned; use `source: WORKSPACE` and a file of the bundle"
_JAR = "JARs do not run on the Spark Connect server; use a `spark_python_task` or a `python_wheel_task`"
_REST = "use `--skip-unsupported` to run the other tasks"

Rule = tuple[str, str]


def _all(path: str, names: str, verdict: str, note: str = "") -> dict[str, Rule]:
    """The same rule for the fields *names* (divided by blanks) below *path*."""
    return {f"{path}{'.' if path else ''}{name}": (verdict, note) for name in names.split()}


def _notifications() -> dict[str, Rule]:
    """E-mail and webhooks: the same fields in a job and in a task."""
    never = f"{events.ON_BACKLOG} on_maintenance_start on_maintenance_complete"
    rules = _all("", "email_notifications webhook_notifications", APPROXIMATED, _OUTBOX)
    for block in tuple(rules):
        rules |= _all(block, " ".join(events.HERE), APPROXIMATED, _OUTBOX) | _all(block, never, IGNORED, _NO_EVENT)
    for event in events.HERE:
        rules[f"webhook_notifications.{event}.id"] = (APPROXIMATED, _OUTBOX)
    switches = "no_alert_for_skipped_runs no_alert_for_canceled_runs"
    rules |= _all("", "email_notifications.no_alert_for_skipped_runs notification_settings", HONOURED)
    return rules | _all("notification_settings", switches, HONOURED)


def _health() -> dict[str, Rule]:
    """Health rules: the same fields in a job and in a task."""
    note = "a warning; the run goes on"
    rules = _all("", "health health.rules", HONOURED, note) | _all("health.rules", "metric op value", HONOURED, note)
    backlogs = (f"metric=STREAMING_BACKLOG_{unit}" for unit in ("BYTES", "RECORDS", "SECONDS", "FILES"))
    return rules | _all("health.rules", " ".join(backlogs), IGNORED, _NO_EVENT)


def _source(path: str) -> dict[str, Rule]:
    """Where the file of a task comes from."""
    return {f"{path}.source": (HONOURED, ""), f"{path}.source=GIT": (REFUSED, _FROM_GIT)}


_JOB: dict[str, Rule] = {
    **_all("", "name description", HONOURED),
    **_all("", "parameters parameters.name parameters.default", HONOURED),
    **_all("", "timeout_seconds max_concurrent_runs", HONOURED),
    **_all("", "queue queue.enabled", HONOURED),
    **_all("", "schedule schedule.quartz_cron_expression schedule.timezone_id", HONOURED, _SCHEDULER),
    "schedule.pause_status": (HONOURED, _SCHEDULER),
    "schedule.sql_condition": (IGNORED, _NO_TRIGGER),
    **_all("", "trigger trigger.pause_status", HONOURED, _SCHEDULER),
    **_all("trigger", "periodic periodic.interval periodic.unit", APPROXIMATED, _PERIODIC),
    **_all("trigger", "file_arrival table_update model sql_condition", IGNORED, _NO_TRIGGER),
    "triggers": (IGNORED, _NO_TRIGGER),
    "continuous": (APPROXIMATED, "the scheduler keeps one run active, and waits after failures as long as it chooses"),
    "continuous.pause_status": (HONOURED, _SCHEDULER),
    **_all("continuous", "maintenance_window task_retry_mode", IGNORED, _NOT_HERE),
    **_notifications(),
    **_health(),
    "environments": (APPROXIMATED, _ENVIRONMENT),
    "environments.environment_key": (HONOURED, "its dependencies are those of the tasks that name it"),
    "environments.spec": (APPROXIMATED, _ENVIRONMENT),
    "environments.spec.dependencies": (APPROXIMATED, _INSTALL),
    **_all(
        "environments.spec",
        "environment_version client base_environment java_dependencies project_environment",
        IGNORED,
        _ENVIRONMENT,
    ),
    "environment_variables": (IGNORED, "kernels have the environment of the runner"),
    "git_source": (IGNORED, _GIT),
    "job_clusters": (IGNORED, _COMPUTE),
    "performance_target": (IGNORED, _COMPUTE),
    **_all("", "budget_policy_id usage_policy_id permissions run_as", IGNORED, _ACCOUNT),
    **_all("", "tags parent_path lifecycle", IGNORED, "a matter of the workspace"),
    "duration_target": (IGNORED, _NOT_HERE),
    "tasks": (HONOURED, ""),
}

_TASK: dict[str, Rule] = {
    **_all("", "task_key description run_if disabled", HONOURED),
    **_all("", "depends_on depends_on.task_key depends_on.outcome", HONOURED),
    **_all("", "max_retries min_retry_interval_millis retry_on_timeout timeout_seconds", HONOURED),
    "disable_auto_optimization": (HONOURED, "nothing is retried here that max_retries does not ask for"),
    **_notifications(),
    "notification_settings.alert_on_last_attempt": (HONOURED, ""),
    **_health(),
    **_all("", "existing_cluster_id new_cluster job_cluster_key compute", IGNORED, _COMPUTE),
    "environment_key": (APPROXIMATED, _ENVIRONMENT),
    "environment_variables_key": (IGNORED, "kernels have the environment of the runner"),
    **_all("", "libraries libraries.whl libraries.requirements", APPROXIMATED, _INSTALL),
    **_all("libraries", "pypi pypi.package pypi.repo", APPROXIMATED, _INSTALL),
    **_all("libraries", "jar maven cran egg", IGNORED, "only Python packages are installed"),
    "notebook_task": (HONOURED, ""),
    "notebook_task.notebook_path": (HONOURED, ".ipynb, and Databricks source files .py and .sql"),
    "notebook_task.base_parameters": (HONOURED, ""),
    "notebook_task.warehouse_id": (IGNORED, _COMPUTE),
    **_source("notebook_task"),
    **_all("", "run_job_task run_job_task.job_parameters", HONOURED),
    "run_job_task.job_id": (HONOURED, "a job of the bundle"),
    "run_job_task.pipeline_params": (IGNORED, "pipelines do not run here"),
    **_all("", "condition_task condition_task.left condition_task.op condition_task.right", HONOURED),
    **_all("", "for_each_task for_each_task.inputs for_each_task.concurrency for_each_task.task", HONOURED),
    **_all("", "spark_python_task spark_python_task.python_file spark_python_task.parameters", HONOURED),
    **_source("spark_python_task"),
    "python_wheel_task": (HONOURED, "a wheel that is not built is imported from its source tree"),
    **_all("python_wheel_task", "entry_point package_name parameters named_parameters", HONOURED),
    "sql_task": (HONOURED, "on the local Spark server"),
    **_all("sql_task", "file file.path parameters", HONOURED),
    **_source("sql_task.file"),
    "sql_task.warehouse_id": (IGNORED, _COMPUTE),
    **_all("sql_task", "query alert dashboard", REFUSED, "it lives in the workspace; use `sql_task.file`"),
    "pipeline_task": (REFUSED, "declarative pipelines do not run here; use notebooks that make the same tables"),
    **_all("", "dbt_task dbt_platform_task", REFUSED, "dbt does not run here; use a notebook that calls it"),
    **_all("", "spark_jar_task spark_submit_task", REFUSED, _JAR),
    **_all("", "dashboard_task power_bi_task", REFUSED, f"it lives in the workspace; {_REST}"),
    "alert_task": (REFUSED, "it lives in the workspace; use `sql_task.file`, and a condition task on its output"),
    "clean_rooms_notebook_task": (REFUSED, f"clean rooms live in an account; {_REST}"),
    **_all("", "ai_runtime_task gen_ai_compute_task", REFUSED, "it needs the GPUs of Databricks; use a notebook"),
    "python_operator_task": (REFUSED, "its operators live on Databricks; use a `spark_python_task`"),
}

TABLE: Mapping[str, Rule] = {**_JOB, **{f"tasks.{path}": rule for path, rule in _TASK.items()}}
_PARENTS = frozenset(
    path[:end]
    for path in (key.partition("=")[0] for key in TABLE)
    for end in (at for at, letter in enumerate(path) if letter == ".")
)


@dataclass(frozen=True)
class FieldVerdict:
    """The verdict on one field that the job *job*, or its task *task*, sets. *field* is its dotted path."""

    job: str
    task: str
    field: str
    verdict: str
    note: str


class Refusal(NamedTuple):
    """Why a task does not run here: *what* was found in it, and a *note* that says what to use instead."""

    what: str
    note: str


def verdicts(job: Job) -> list[FieldVerdict]:
    """The verdict on every field that *job* and its tasks set, in the order in which they are written.

    The fields of a task inside a for-each task count for that one; entries of a list have the same fields, told once.
    """
    found = (FieldVerdict(job.key, task, field, *rule_of(field, value)) for task, field, value in _fields_of(job))
    return list(dict.fromkeys(found))


def ignored(job: Job) -> list[str]:
    """The fields of *job* and its tasks that have no effect in a local run, sorted, each once."""
    return sorted({each.field for each in verdicts(job) if each.verdict == IGNORED})


def effective(job: Job) -> Iterator[Any]:
    """The values of *job* and its tasks that have an effect in a local run."""
    return (value for _, field, value in _fields_of(job) if rule_of(field, value)[0] in _WITH_EFFECT)


def refusal(job: Job, task: Task) -> Refusal | None:
    """Why *task* of *job*, or the task that it runs for each of its inputs, does not run here; None where it does."""
    for field, value in _fields(_TASKS, _in_force(job, task)):
        verdict, note = rule_of(field, value)
        if verdict == REFUSED:
            return Refusal(_what(field, value), note)
    at_work = task.nested or task
    if at_work.kind == "sql_task" and not at_work.inner.get("file"):
        return Refusal("a `sql_task` without a `file`", "it has nothing to run; use `sql_task.file`")
    return None


def rule_of(field: str, value: Any = None) -> Rule:
    """The verdict on *field* (where it is *value*), and why.

    Raises:
        KeyError: neither the field nor one above it is in the table.
    """
    if f"{field}={value}" in TABLE:
        return TABLE[f"{field}={value}"]
    while field not in TABLE:
        if "." not in field:
            raise KeyError(field)
        field = field.rpartition(".")[0]
    return TABLE[field]


def _fields_of(job: Job) -> Iterator[tuple[str, str, Any]]:
    """Every field that *job* (as the task ``""``) and its tasks set: the key of the task, the path, the value."""
    own = {name: value for name, value in job.settings.items() if name != _TASKS}
    yield from (("", field, value) for field, value in _fields("", own))
    for task in job.tasks:
        yield from ((task.key, field, value) for field, value in _fields(_TASKS, _in_force(job, task)))


def _in_force(job: Job, task: Task) -> Mapping[str, Any]:
    """What *task* sets, with the `source` of its file, which is GIT by default where its job has a `git_source`."""
    if task.nested is not None:
        return {**task.settings, task.kind: {**task.inner, "task": _in_force(job, task.nested)}}
    if not comes_from_git(task.kind, task.inner, job.settings):
        return task.settings
    if task.kind == "sql_task":
        return {**task.settings, task.kind: {**task.inner, "file": {**task.inner["file"], "source": GIT}}}
    return {**task.settings, task.kind: {**task.inner, "source": GIT}}


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The deepest fields below *path* that the table names, with their values; what is null is not set."""
    for each in value if isinstance(value, list) else [value]:
        if path == _NESTED:
            yield from _fields(_TASKS, each)
        elif isinstance(each, dict) and (not path or path in _PARENTS):
            for name, inner in each.items():
                if inner is not None:
                    yield from _fields(f"{path}.{name}" if path else name, inner)
        else:
            yield path, each


def _what(field: str, value: Any) -> str:
    """The task type of the refused *field*, and what below it is refused: "a `sql_task` with `query`"."""
    _, kind, *below = field.split(".")
    if not below:
        return f"a `{kind}`"
    said = f"{below[-1]}: {value}" if f"{field}={value}" in TABLE else below[-1]
    return f"a `{kind}` with `{said}`"
