"""Rules without a test: what has no counterpart on one machine, and what could not be confirmed."""

from conformance import (
    API,
    DEPENDENCIES,
    LIMITS,
    NOT_APPLICABLE,
    NOT_CONFIRMED,
    NOTEBOOKS,
    PARAMETERS,
    PARTIAL,
    REFERENCES,
    REPAIR,
    RETRIES,
    SCHEDULES,
    UNDOCUMENTED,
    WIDGETS,
    Unproved,
)

SOURCE = "Jobs API: GitSource"


def absent(name: str, what: str, source: str, reason: str) -> Unproved:
    """A rule that is not applicable locally."""
    return Unproved(name, what, source, NOT_APPLICABLE, reason)


def open_question(name: str, what: str, source: str, reason: str) -> Unproved:
    """A rule that is not confirmed."""
    return Unproved(name, what, source, NOT_CONFIRMED, reason)


# A table: id and what Databricks does, then source and reason.
# fmt: off
UNPROVED = [
    # Dependencies, results, states.
    absent("run_if.cancel-task", "a single task of a run can be cancelled",
        DEPENDENCIES, "`runs cancel` ends the whole run; the rules of run_if for cancelled tasks are proved"),
    absent("selections.run-now", "`only` is a field of run-now",
        PARTIAL, "there is no REST API here: `run --only` takes the same words"),
    open_question("results.all-done", "a leaf with ALL_DONE never changes the result of the run",
        "a page of the community", "it contradicts the rule of the leaves in Databricks' documentation, which counts "
        "here"),
    absent("states.blocked", "BLOCKED, PENDING, WAITING, WAITING_FOR_RETRY: a task that waits for others, for compute "
        "or for its next attempt",
        API, "an attempt is recorded when it begins; no compute is waited for"),
    open_question("states.internal-error", "INTERNAL_ERROR as a result, and as the code of a failure of the platform",
        API, "a run whose runner died is recorded as FAILED; there is no other platform"),
    open_question("states.skipped-pair", "the older state of UPSTREAM_FAILED and EXCLUDED tasks",
        API, "an example of the API has SKIPPED without a result, the newer enum has the results; here they are "
        "TERMINATED with the result"),
    open_question("states.types", "termination_details.type: SUCCESS, INTERNAL_ERROR, CLIENT_ERROR, CLOUD_FAILURE",
        API, "which code has which type is not documented; here, what a user can fix is CLIENT_ERROR"),
    absent("states.queue-size", "MAX_JOB_QUEUE_SIZE_EXCEEDED: the queue of a job has a size",
        API, "the queue here has none"),
    absent("states.invalid", "INVALID_RUN_CONFIGURATION: the run could not be created as it is configured",
        API, "such a run is refused before it is recorded"),
    absent("states.trigger.others", "RETRY, MODEL",
        API, "nothing here starts a run by these events"),
    open_question("states.trigger.continuous", "runs of a continuous job are CONTINUOUS or CONTINUOUS_RESTART",
        API, "they are recorded as ONE_TIME here"),
    # Retries, timeouts, concurrency.
    absent("retries.auto-optimization", "serverless compute adds retries unless disable_auto_optimization is set",
        "documentation: Configure and edit tasks", "there is no serverless compute: nothing is retried that "
        "max_retries does not ask for"),
    open_question("retries.timeout-interval", "min_retry_interval_millis after an attempt that timed out",
        RETRIES, "described for failed attempts only; here it counts from the start too"),
    absent("concurrency.rest-default", "the REST API has a queue by default from 2.2 on, not in 2.1",
        "Jobs API: QueueSettings", "jobs come from bundles, whose CLI sets a queue"),
    absent("concurrency.workspace", "a run is queued at the limits of the workspace too: active runs, run-job tasks",
        "documentation: Configure maximum concurrent runs; Job queueing", "there is no workspace here"),
    absent("continuous.task-retry-mode", "task_retry_mode ON_FAILURE: a task is retried while another is in its "
        "first attempt",
        "Jobs API: TaskRetryMode", "the field has no effect here"),
    absent("limits.pages", "runs/get and jobs/get show 100 tasks per page", LIMITS, "there is no REST API here"),
    absent("limits.idempotency-token", "idempotency_token: 64 characters", LIMITS, "there is no REST API here"),
    # Parameters.
    absent("parameters.notebook-params", "run-now's notebook_params (deprecated) win over base_parameters, and are "
        "refused where the job has parameters",
        "Jobs API: RunNow", "a local run takes job parameters only"),
    open_question("parameters.sql-file", "job parameters are pushed down to SQL files",
        PARAMETERS, "done here in the same way as for a wheel; no test runs such a file as a task of a job"),
    absent("parameters.jar", "job parameters are not pushed down to JAR tasks",
        PARAMETERS, "JAR tasks do not run here"),
    open_question("parameters.undeclared-reference", "`{{job.parameters.K}}` in a child job that does not declare K, "
        "which its parent pushes down",
        PARAMETERS, "not documented; refused before the run as an unknown name"),
    # References.
    open_question("references.trigger-type-words", "the words of `{{job.trigger.type}}`",
        REFERENCES, "not listed; here the API's trigger in lower case"),
    absent("references.evicted", "result_state `evicted`, `upstream_evicted`",
        REFERENCES, "compute is never taken away from a run here"),
    open_question("references.workspace-here", "`{{workspace.id}}`, `{{workspace.url}}` of this machine",
        UNDOCUMENTED, "there is no workspace: `0` and `local`"),
    absent("backfills.ui", "backfills are started in the UI", "documentation: Backfill jobs",
        "`python -m local backfill` starts them"),
    # dbutils.
    open_question("notebook.output-limit", "what happens to a job whose notebook exceeds 30 MB of output",
        UNDOCUMENTED, "the rest is cut off, and the task continues"),
    absent("notebook.run-ephemeral", "dbutils.notebook.run creates a separate job run in the workspace",
        NOTEBOOKS, "it has its own kernel and executed notebook, but no entry in the run history"),
    absent("widgets.ui", "widgets are shown above the notebook", WIDGETS, "JupyterLab has no place for them"),
    # One notebook for papermill and Databricks.
    absent("papermill.tags", "Databricks ignores the tags of cells, papermill ignores widgets",
        "no documentation or established convention was found", "nothing here depends on it"),
    open_question("papermill.untagged", "papermill injects at the top of a notebook without a tagged cell, with a "
        "warning",
        "papermill 2.7.0: tried", "never happens here: only names that a tagged cell declares are injected"),
    open_question("papermill.exit-class", "a subclass of SystemExit, or another value, is an error for papermill",
        "papermill 2.7.0: tried", "not used here: dbutils.notebook.exit raises the plain class with 0"),
    # Schedules, other fields.
    open_question("schedules.hourly", "hourly jobs in zones with changing clocks may be skipped or shifted",
        SCHEDULES, "the documentation warns and gives no times; here Quartz's times"),
    open_question("continuous.waits", "how long a continuous job waits after failures",
        "documentation: Run jobs continuously", "the periods are not published; here 10 s doubling to 10 min"),
    absent("schedules.events", "trigger.model, sql_condition; trigger.file_arrival outside of volumes",
        SCHEDULES, "not scheduled here, and reported by name"),
    absent("health.streaming", "STREAMING_BACKLOG_BYTES, _RECORDS, _SECONDS, _FILES",
        "Jobs API: JobsHealthMetric",
        "backlogs are not measured here; there are no messages for on_streaming_backlog_exceeded"),
    open_question("notifications.channels", "payloads of Slack, Teams and PagerDuty",
        UNDOCUMENTED, "not published; every webhook gets that of an HTTP webhook"),
    open_question("notifications.email", "the text of an e-mail",
        UNDOCUMENTED, "not published; here the facts of the run"),
    absent("git_source.files", "git_url and git_provider are required; relative notebook paths are those of the "
        "repository, and the CLI leaves them as they are",
        SOURCE, "nothing is cloned: tasks with `source: GIT` fail when their turn comes"),
    absent("performance.target", "performance_target: STANDARD or PERFORMANCE_OPTIMIZED, also for one run",
        "Jobs API: PerformanceTarget", "all tasks run on this machine"),
    # Repairs.
    absent("repairs.latest-id", "latest_repair_id is required from the second repair on",
        REPAIR, "it guards a REST API against races; here a run must have ended, and one transaction opens it again"),
    open_question("repairs.two-tasks", "the UI repairs only jobs of two tasks or more",
        "documentation: Re-run failed and skipped tasks", "a limit of the UI; jobs of one task are repaired here"),
    absent("repairs.choice", "rerun_tasks or rerun_all_failed_tasks, not both",
        REPAIR, "there is one option here: `--tasks`, without it, all failed tasks"),
]
# fmt: on
