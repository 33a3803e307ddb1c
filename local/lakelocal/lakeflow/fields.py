"""Which fields of a job have an effect in a local run: one table, by dotted path, and the queries on it.

    verdicts(job)           # how every field that the job and its tasks set is treated, each with a note
    ignored(job)            # ["job_clusters", "tasks.libraries.jar"]
    refusal(job, task)      # why a task does not run here and what to use instead; None if it runs
    effective(job)          # the values that have an effect here

* honoured: as on Databricks;
* approximated: it has an effect here, though not quite the same, or not in every case;
* ignored: it has no effect here; the run continues without it, and `validate` says so;
* refused: a task with it does not run here; its note says what to use instead.

`tasks.` precedes the fields of a task, including one inside a for-each task. A path that is ignored or refused covers
everything below it. `path=VALUE` is a rule for one value. The paths are the fields of `databricks.bundles.jobs`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lakelocal.lakeflow import events
from lakelocal.lakeflow.model import GIT, Job, Task, comes_from_git
from lakelocal.lakeflow.pipelines import FIELDS as PIPELINE_FIELDS
from lakelocal.lakeflow.pipelines import Pipeline
from lakelocal.lakeflow.pipelines import rule_of as rule_of_pipeline
from lakelocal.lakeflow.task_types import TYPES, type_of
from lakelocal.lakeflow.verdicts import APPROXIMATED, COMPUTE, HONOURED, IGNORED, REFUSED, FieldRule, for_fields
from lakelocal.program import PROGRAM

_WITH_EFFECT = (HONOURED, APPROXIMATED)
_TASKS = "tasks"
_NESTED = "tasks.for_each_task.task"

_OUTBOX = "delivered to the outbox folder, unless SMTP or a URL is configured"
_SCHEDULER = f"by `{PROGRAM} schedule`; `run` starts a job whenever it is called"
_ACCOUNT = "there is no account here"
_ENVIRONMENT = "the local Python environment is used for all tasks"
_INSTALL = "Python packages that the local environment lacks are installed, once for all tasks that ask for the same"
_SETTINGS = "set in the sessions of the task, except for what is about the size of a cluster or its storage"
_RUNTIME = "ANSI mode is off below 17, and on from 17"
_VARIABLES = "secrets that they refer to are those of .secrets.yml"
_NO_EVENT = "the event does not happen here"
_PERIODIC = "the scheduler counts from its own start, Databricks from the first run"
_NOT_HERE = "nothing here does what it asks for"
_FILES = f"{_SCHEDULER}; folders of volumes, looked at every 5 s instead of each minute; other URLs are not watched"
_TABLES = f"{_SCHEDULER}; Delta tables of the state, looked at every 5 s; views are not watched"
_NO_TRIGGER = "not scheduled here: start the job with `run`"
_GIT = "nothing is cloned: a task whose file comes from Git fails when its turn comes"


def _notifications() -> dict[str, FieldRule]:
    """E-mail and webhooks: the same fields in a job and in a task."""
    never = f"{events.ON_BACKLOG} on_maintenance_start on_maintenance_complete"
    rules = for_fields("", "email_notifications webhook_notifications", APPROXIMATED, _OUTBOX)
    for block in tuple(rules):
        rules |= for_fields(block, " ".join(events.HERE), APPROXIMATED, _OUTBOX)
        rules |= for_fields(block, never, IGNORED, _NO_EVENT)
    for event in events.HERE:
        rules[f"webhook_notifications.{event}.id"] = (APPROXIMATED, _OUTBOX)
    switches = "no_alert_for_skipped_runs no_alert_for_canceled_runs"
    rules |= for_fields("", "email_notifications.no_alert_for_skipped_runs notification_settings", HONOURED)
    return rules | for_fields("notification_settings", switches, HONOURED)


def _health() -> dict[str, FieldRule]:
    """Health rules: the same fields in a job and in a task."""
    note = "a warning; the run goes on"
    rules = for_fields("", "health health.rules health.rules.metric health.rules.op health.rules.value", HONOURED, note)
    backlogs = (f"metric=STREAMING_BACKLOG_{unit}" for unit in ("BYTES", "RECORDS", "SECONDS", "FILES"))
    return rules | for_fields("health.rules", " ".join(backlogs), IGNORED, _NO_EVENT)


_JOB: dict[str, FieldRule] = {
    **for_fields("", "name description", HONOURED),
    **for_fields("", "parameters parameters.name parameters.default", HONOURED),
    **for_fields("", "timeout_seconds max_concurrent_runs", HONOURED),
    **for_fields("", "queue queue.enabled", HONOURED),
    **for_fields("", "schedule schedule.quartz_cron_expression schedule.timezone_id", HONOURED, _SCHEDULER),
    "schedule.pause_status": (HONOURED, _SCHEDULER),
    "schedule.sql_condition": (IGNORED, _NO_TRIGGER),
    **for_fields("", "trigger trigger.pause_status", HONOURED, _SCHEDULER),
    **for_fields("trigger", "periodic periodic.interval periodic.unit", APPROXIMATED, _PERIODIC),
    "trigger.file_arrival.url": (APPROXIMATED, _FILES),
    **for_fields("trigger.table_update", "table_names condition", APPROXIMATED, _TABLES),
    **{
        field: rule
        for kind in ("file_arrival", "table_update")
        for field, rule in for_fields(
            f"trigger.{kind}", "wait_after_last_change_seconds min_time_between_triggers_seconds", HONOURED, _SCHEDULER
        ).items()
    },
    **for_fields("trigger", "file_arrival table_update", APPROXIMATED, _SCHEDULER),
    **for_fields("trigger", "model sql_condition", IGNORED, _NO_TRIGGER),
    "triggers": (IGNORED, _NO_TRIGGER),
    "continuous": (APPROXIMATED, "the scheduler keeps one run active, and waits after failures as long as it chooses"),
    "continuous.pause_status": (HONOURED, _SCHEDULER),
    **for_fields("continuous", "maintenance_window task_retry_mode", IGNORED, _NOT_HERE),
    **_notifications(),
    **_health(),
    "environments": (APPROXIMATED, _ENVIRONMENT),
    "environments.environment_key": (HONOURED, "its dependencies are those of the tasks that name it"),
    "environments.spec": (APPROXIMATED, _ENVIRONMENT),
    "environments.spec.dependencies": (APPROXIMATED, _INSTALL),
    **for_fields(
        "environments.spec",
        "environment_version client base_environment java_dependencies project_environment",
        IGNORED,
        _ENVIRONMENT,
    ),
    **for_fields(
        "environment_variables",
        "environment_variables_key spec spec.variables",
        HONOURED,
        "beside the environment of the runner",
    ),
    "environment_variables": (HONOURED, ""),
    "environment_variables.spec.files": (IGNORED, _NOT_HERE),
    "git_source": (IGNORED, _GIT),
    "job_clusters": (IGNORED, COMPUTE),
    "job_clusters.new_cluster.spark_env_vars": (HONOURED, _VARIABLES),
    "job_clusters.new_cluster.spark_conf": (APPROXIMATED, _SETTINGS),
    "job_clusters.new_cluster.spark_version": (APPROXIMATED, _RUNTIME),
    "performance_target": (IGNORED, COMPUTE),
    **for_fields("", "budget_policy_id usage_policy_id permissions run_as", IGNORED, _ACCOUNT),
    **for_fields("", "tags parent_path lifecycle", IGNORED, "a matter of the workspace"),
    "duration_target": (IGNORED, _NOT_HERE),
    "tasks": (HONOURED, ""),
}

_TASK: dict[str, FieldRule] = {
    **for_fields("", "task_key description run_if disabled", HONOURED),
    **for_fields("", "depends_on depends_on.task_key depends_on.outcome", HONOURED),
    **for_fields("", "max_retries min_retry_interval_millis retry_on_timeout timeout_seconds", HONOURED),
    "disable_auto_optimization": (HONOURED, "nothing is retried here that max_retries does not ask for"),
    **_notifications(),
    "notification_settings.alert_on_last_attempt": (HONOURED, ""),
    **_health(),
    **for_fields("", "existing_cluster_id new_cluster compute", IGNORED, COMPUTE),
    "job_cluster_key": (APPROXIMATED, "the variables and settings of the cluster count, the cluster itself does not"),
    "new_cluster.spark_env_vars": (HONOURED, _VARIABLES),
    "new_cluster.spark_conf": (APPROXIMATED, _SETTINGS),
    "new_cluster.spark_version": (APPROXIMATED, _RUNTIME),
    "environment_key": (APPROXIMATED, _ENVIRONMENT),
    "environment_variables_key": (HONOURED, ""),
    **for_fields("", "libraries libraries.whl libraries.requirements", APPROXIMATED, _INSTALL),
    **for_fields("libraries", "pypi pypi.package pypi.repo", APPROXIMATED, _INSTALL),
    **for_fields("libraries", "jar maven cran egg", IGNORED, "only Python packages are installed"),
    **{
        f"{kind.name}.{path}" if path else kind.name: rule
        for kind in TYPES.values()
        for path, rule in kind.fields.items()
    },
}

TABLE: Mapping[str, FieldRule] = {**_JOB, **{f"tasks.{path}": rule for path, rule in _TASK.items()}}
_PARENTS = frozenset(
    path[:end]
    for path in (key.partition("=")[0] for key in TABLE)
    for end in (at for at, letter in enumerate(path) if letter == ".")
)


@dataclass(frozen=True)
class FieldVerdict:
    """The verdict on one field that the job *job*, its task *task* or the pipeline *pipeline* sets.

    *field* is its dotted path.
    """

    job: str
    task: str
    field: str
    verdict: str
    note: str
    pipeline: str = ""


class Refusal(NamedTuple):
    """Why a task does not run here: *what* was found in it, and a *note* that says what to use instead.

    *late*: what it would run is in a workspace or in Git, or is missing. It then fails when its turn comes, and the
    tasks before it run.
    """

    what: str
    note: str
    late: bool = False

    def __str__(self) -> str:
        between = "; " if self.note.startswith("expected ") else ", which does not run locally: "
        return f"found {self.what}{between}{self.note}."


def verdicts(job: Job) -> list[FieldVerdict]:
    """The verdict on every field that *job* and its tasks set, in the order in which they are written.

    The fields of a task inside a for-each task belong to that task; entries of a list have the same fields, reported
    once. So is what is below an ignored field, under the name of that field.
    """
    found = (
        FieldVerdict(job.key, task, _told_as(field, value), *rule_of(field, value))
        for task, field, value in _fields_of(job)
    )
    return list(dict.fromkeys(found))


def pipeline_verdicts(pipeline: Pipeline) -> list[FieldVerdict]:
    """The verdict on every field that *pipeline* sets; entries of a list have the same fields, reported once."""
    fields = dict.fromkeys(_fields_of_pipeline("", pipeline.settings))
    return [FieldVerdict("", "", field, *rule_of_pipeline(field), pipeline.key) for field in fields]


def _fields_of_pipeline(path: str, value: Any) -> Iterator[str]:
    """The deepest fields below *path* that the table of pipelines names."""
    for each in value if isinstance(value, list) else [value]:
        below = path == "" or any(field.startswith(f"{path}.") for field in PIPELINE_FIELDS)
        if isinstance(each, dict) and below:
            for name, inner in each.items():
                if inner is not None:
                    yield from _fields_of_pipeline(f"{path}.{name}" if path else name, inner)
        else:
            yield path


def _told_as(field: str, value: Any) -> str:
    """*field*, or the field above it that the table ignores as a whole."""
    if f"{field}={value}" in TABLE or rule_of(field, value)[0] != IGNORED:
        return field
    while field not in TABLE:
        field = field.rpartition(".")[0]
    return field


def ignored(job: Job) -> list[str]:
    """The fields of *job* and its tasks that have no effect in a local run, sorted, each once."""
    return sorted({each.field for each in verdicts(job) if each.verdict == IGNORED})


def effective(job: Job) -> Iterator[Any]:
    """The values of *job* and its tasks that have an effect in a local run."""
    return (value for _, field, value in _fields_of(job) if rule_of(field, value)[0] in _WITH_EFFECT)


def has_effect(field: str) -> bool:
    """Does *field*, a path of `TABLE`, have an effect in a local run?"""
    try:
        return rule_of(field)[0] in _WITH_EFFECT
    except KeyError:
        return False


def refusal(job: Job, task: Task) -> Refusal | None:
    """Why *task* of *job*, or the task that it runs for each of its inputs, does not run here; None if it does."""
    at_work = task.nested or task
    elsewhere = task.not_here
    for field, value in _fields(_TASKS, _in_force(job, task)):
        verdict, note = rule_of(field, value)
        if verdict == REFUSED:
            return Refusal(_what(field, value), note, late=elsewhere is not None)
    if elsewhere is not None:
        return Refusal(elsewhere.found, f"expected {elsewhere.expected}. {elsewhere.action.rstrip('.')}", late=True)
    unusable = type_of(at_work.kind).unusable(at_work.inner)
    return Refusal(*unusable) if unusable else None


def rule_of(field: str, value: Any = None) -> FieldRule:
    """The verdict on *field* (when it is *value*), and the reason.

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
    """What *task* sets, with the `source` of its file, which is GIT by default if its job has a `git_source`."""
    if task.nested is not None:
        return {**task.settings, task.kind: {**task.inner, "task": _in_force(job, task.nested)}}
    if not comes_from_git(task.kind, task.inner, job.settings):
        return task.settings
    return {**task.settings, task.kind: _with_source(task.inner, type_of(task.kind).file)}


def _with_source(block: Mapping[str, Any], file: tuple[str, ...]) -> Mapping[str, Any]:
    """*block* with `source: GIT`, if it has the field *file*."""
    first, *rest = file
    return {**block, first: _with_source(block[first], tuple(rest))} if rest else {**block, "source": GIT}


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The deepest fields below *path* that the table names, with their values; null counts as not set."""
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
