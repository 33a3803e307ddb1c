"""What a local run makes of every field of a job: the one table, by dotted path.

* honoured: as on Databricks;
* approximated: it has an effect here, though not quite the same, or not in every case;
* ignored: it has no effect here; the run goes on without it;
* refused: a run with it does not start here.

`tasks.` stands before the fields of a task, also of one inside of a for-each task. A path that is ignored or refused
covers all below it. `path=VALUE` is a rule for one value. The paths are the fields of `databricks.bundles.jobs`.
"""

from collections.abc import Mapping

HONOURED, APPROXIMATED, IGNORED, REFUSED = VERDICTS = ("honoured", "approximated", "ignored", "refused")

_OUTBOX = "delivered to the outbox folder, unless SMTP or a URL is configured"
_SCHEDULER = "by `python -m local schedule`; `run` starts a job whenever it is called"
_ACCOUNT = "there is no account here"
_COMPUTE = "all tasks run on this machine"
_ENVIRONMENT = "the local Python environment is used for all tasks"
_INSTALL = "Python packages that the local environment lacks are installed for the attempt"
_NO_EVENT = "the event does not happen here"
_NOT_HERE = "nothing here does what it asks for"
_NO_TRIGGER = "not scheduled here: start the job with `run`"
_GIT = "nothing is cloned: only tasks with `source: WORKSPACE` run, from the folder of the bundle"

Rule = tuple[str, str]


def _all(path: str, names: str, verdict: str, note: str = "") -> dict[str, Rule]:
    """The same rule for the fields *names* (divided by blanks) below *path*."""
    return {f"{path}{'.' if path else ''}{name}": (verdict, note) for name in names.split()}


def _notifications() -> dict[str, Rule]:
    """E-mail and webhooks: the same fields in a job and in a task."""
    events = "on_start on_success on_failure on_duration_warning_threshold_exceeded"
    never = "on_streaming_backlog_exceeded on_maintenance_start on_maintenance_complete"
    rules = _all("", "email_notifications webhook_notifications", APPROXIMATED, _OUTBOX)
    for block in tuple(rules):
        rules |= _all(block, events, APPROXIMATED, _OUTBOX) | _all(block, never, IGNORED, _NO_EVENT)
    for event in events.split():
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
    return {f"{path}.source": (HONOURED, ""), f"{path}.source=GIT": (REFUSED, "only files of the bundle run here")}


_JOB: dict[str, Rule] = {
    **_all("", "name description", HONOURED),
    **_all("", "parameters parameters.name parameters.default", HONOURED),
    **_all("", "timeout_seconds max_concurrent_runs", HONOURED),
    **_all("", "queue queue.enabled", HONOURED),
    **_all("", "schedule schedule.quartz_cron_expression schedule.timezone_id", HONOURED, _SCHEDULER),
    "schedule.pause_status": (HONOURED, _SCHEDULER),
    "schedule.sql_condition": (IGNORED, _NO_TRIGGER),
    **_all("", "trigger trigger.pause_status", HONOURED, _SCHEDULER),
    **_all("trigger", "periodic periodic.interval periodic.unit", HONOURED, _SCHEDULER),
    **_all("trigger", "file_arrival table_update model sql_condition", IGNORED, _NO_TRIGGER),
    "triggers": (IGNORED, _NO_TRIGGER),
    "continuous": (APPROXIMATED, "the scheduler keeps one run active; its waits after failures are its own"),
    "continuous.pause_status": (HONOURED, _SCHEDULER),
    **_all("continuous", "maintenance_window task_retry_mode", IGNORED, _NOT_HERE),
    **_notifications(),
    **_health(),
    "environments": (APPROXIMATED, _ENVIRONMENT),
    "environments.environment_key": (HONOURED, "it must be there; it chooses nothing"),
    "environments.spec": (APPROXIMATED, _ENVIRONMENT),
    "environments.spec.dependencies": (APPROXIMATED, _INSTALL),
    **_all(
        "environments.spec",
        "environment_version client base_environment java_dependencies project_environment",
        IGNORED,
        _ENVIRONMENT,
    ),
    "environment_variables": (IGNORED, "kernels have the environment of the runner"),
    "git_source": (APPROXIMATED, _GIT),
    **_all("git_source", "git_url git_provider git_branch git_tag git_commit sparse_checkout", IGNORED, _GIT),
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
    "pipeline_task": (REFUSED, "declarative pipelines do not run here"),
    **_all("", "dbt_task dbt_platform_task", REFUSED, "dbt does not run here: call it from a notebook"),
    **_all("", "spark_jar_task spark_submit_task", REFUSED, "JARs do not run on the Spark Connect server"),
    **_all("", "dashboard_task power_bi_task alert_task", REFUSED, "it lives in the workspace"),
    "clean_rooms_notebook_task": (REFUSED, "clean rooms live in an account"),
    **_all("", "ai_runtime_task gen_ai_compute_task", REFUSED, "it needs the GPUs of Databricks"),
    "python_operator_task": (REFUSED, _NOT_HERE),
}

TABLE: Mapping[str, Rule] = {**_JOB, **{f"tasks.{path}": rule for path, rule in _TASK.items()}}
