"""What the official clients call, and the tests that call it: a part of local/WORKSPACE.md."""

from collections.abc import Sequence
from dataclasses import dataclass

CLI, JOBS, FILES, ACCESS = "test_cli.py", "test_jobs_by_sdk.py", "test_sdk_files.py", "test_access.py"
CATALOG = "tests/spark/test_workspace_sql.py"
PAGES = "tests/browser/test_site_in_a_browser.py"


@dataclass(frozen=True)
class Call:
    """A call of a client, as its user writes it, and the *tests* that make it; without one, *why* there is none."""

    client: str
    tests: Sequence[str] = ()
    why: str = ""


def _call(client: str, file: str, *names: str) -> Call:
    return Call(client, tuple(f"{file}::test_{name}" for name in names))


CALLS = (
    Call(
        "every command, `WorkspaceClient(host=, token=)`",
        (
            f"{ACCESS}::test_what_clients_look_up_before_their_first_call_needs_no_token",
            f"{JOBS}::test_a_client_knows_where_it_is",
            f"{FILES}::test_a_wrong_token_is_refused",
        ),
    ),
    _call("telemetry after `bundle deploy`", ACCESS, "telemetry_is_accepted_so_that_it_is_not_sent_again"),
    _call("`bundle validate --strict`, with a `lookup`", CLI, "the_bundle_is_valid"),
    _call("`bundle plan`, `bundle summary`", CLI, "a_second_deployment_has_nothing_to_do"),
    _call("`bundle deploy`, first, with volumes and `permissions`", CLI, "a_run_of_the_deployed_copy"),
    _call(
        "`bundle deploy`, again",
        CLI,
        "a_second_deployment_has_nothing_to_do",
        "a_deployment_uploads_and_removes_what_has_changed",
    ),
    _call("`bundle deploy --fail-on-active-runs`", CLI, "a_run_that_is_not_waited_for"),
    _call("`bundle deploy` with schemas", CATALOG, "schemas"),
    _call("`bundle run KEY`, `--params`", CLI, "a_run_of_the_deployed_copy"),
    _call("`bundle run --no-wait`, `-- --name=value`", CLI, "a_run_that_is_not_waited_for"),
    _call("`bundle run --only a,+b`", CLI, "a_part_of_a_run"),
    _call("`bundle run --restart`", CLI, "a_run_that_fails_is_repaired"),
    _call(
        "`bundle run SCRIPT`, `bundle run -- CMD`, `bundle sync`, `bundle generate job`",
        CLI,
        "a_deployed_job_becomes_a_bundle",
    ),
    _call("`bundle destroy`", CLI, "a_run_of_the_deployed_copy"),
    _call("`bundle open`: the page of the job", PAGES, "a_deployed_schedule_is_paused_and_goes_on"),
    _call("`resources.job_runs`: run-now with an idempotency token", JOBS, "an_equal_token_is_the_same_run"),
    Call("`engine: terraform`", why="Terraform is downloaded from its vendor, who is asked before this server"),
    _call("`jobs create`, `get`, `list`, `update`, `reset`, `delete`, `get-permissions`", CLI, "a_job_by_its_commands"),
    _call(
        "`jobs run-now`, `get-run`, `list-runs`, `get-run-output`, `cancel-run`, `cancel-all-runs`, `delete-run`, "
        "`submit`",
        CLI,
        "runs_by_their_commands",
    ),
    _call("`jobs repair-run`, `export-run`, `list-runs --active-only`", CLI, "a_run_that_fails_is_repaired"),
    _call("`workspace list`, `get-status`, `import`, `export`, `delete`", CLI, "files_of_the_workspace"),
    _call("`workspace import-dir`, `export-dir`, with `mkdirs`", CLI, "files_of_the_workspace"),
    _call("`fs ls`, `cat`, `cp`, `mkdir`, `rm`, of volumes and of DBFS", CLI, "files_of_a_volume_and_of_dbfs"),
    _call(
        "`current-user me`, `auth describe`, `catalogs list`, `schemas list`, `volumes create`, `list`, `read`, "
        "`secrets list-scopes`, `clusters list`",
        CLI,
        "what_else_clients_look_at",
    ),
    _call("`schemas create`, `get`, `tables list`", CATALOG, "schemas", "tables_and_their_columns"),
    _call("anything else", CLI, "what_is_not_offered_is_one_line"),
    _call("`jobs.create`, `get`, `list`, `delete`", JOBS, "a_job_is_created_read_listed_and_deleted"),
    _call("`jobs.list(expand_tasks=True)`, `get_run` of more than 100 tasks", JOBS, "long_jobs_and_runs_come_in_parts"),
    _call(
        "`jobs.run_now(job_parameters=...).result()`, `get_run_output`, `export_run`",
        JOBS,
        "a_run_ends_with_its_results_and_outputs",
    ),
    _call("`jobs.run_now(only=...)`", JOBS, "a_partial_run_runs_what_it_names"),
    _call("`jobs.run_now(idempotency_token=...)`", JOBS, "an_equal_token_is_the_same_run"),
    _call("`jobs.wait_get_run_job_terminated_or_skipped`", JOBS, "the_command_line_repairs_a_run_of_a_deployed_job"),
    _call("`jobs.list_runs(...)`", JOBS, "runs_of_all_catalogs_are_listed_the_newest_first", "a_run_is_cancelled"),
    _call(
        "`jobs.get_run`, while it goes on and with `iterations`",
        JOBS,
        "an_answer_comes_as_soon_as_the_run_has_ended",
        "a_job_starts_another_and_a_loop_has_iterations",
    ),
    _call("`jobs.repair_run(...).result()`", JOBS, "a_failed_run_says_why_and_is_repaired"),
    _call("`jobs.cancel_run(...).result()`, `cancel_all_runs`, `delete_run`", JOBS, "a_run_is_cancelled"),
    _call("`jobs.submit(...).result()`", JOBS, "tasks_that_are_no_job_run_once"),
    _call("the daily job of this repository", "test_daily_by_sdk.py", "the_daily_job_over_uploaded_files"),
    _call("`workspace.import_`", FILES, "an_import_of_base64"),
    _call(
        "`workspace.upload`, `download`, `export`",
        FILES,
        "an_upload_without_a_format_is_a_notebook_of_the_language_of_its_name",
        "an_upload_by_the_format_auto_is_a_file_as_it_is",
    ),
    _call("`workspace.list(recursive=True)`, `delete`", FILES, "listing_with_and_without_subfolders", "removing"),
    _call(
        "`files.upload`, also of more than 50 MiB",
        FILES,
        "a_file_in_a_volume",
        "a_file_is_replaced_only_if_asked_for",
        "a_file_of_more_than_one_part",
    ),
    _call(
        "`files.download`, `download_to`, also in parts and resumed",
        FILES,
        "a_file_in_a_volume",
        "a_download_that_breaks_off_goes_on_where_it_was",
        "a_download_of_several_parts_at_once",
    ),
    _call(
        "`files.get_metadata`, `list_directory_contents`, `create_directory`, `delete...`",
        FILES,
        "directories",
        "a_directory_of_more_than_a_page",
    ),
    _call("`dbutils.fs` on `/Volumes`, on `dbfs:/`", FILES, "dbutils_on_volumes", "dbutils_on_dbfs"),
    _call("`dbutils.secrets`, `secrets...`", FILES, "secrets_are_those_that_notebooks_have"),
    Call(
        "`dbutils.fs.mounts`, `dbutils.notebook.run` of the SDK",
        why="they are commands on a cluster, and there is none",
    ),
    _call(
        "`catalogs`, `schemas`, `volumes`, `tables`, `grants`",
        CATALOG,
        "catalogs",
        "volumes",
        "grants_are_kept_and_told_again",
    ),
    _call("`statement_execution`", CATALOG, "values_as_the_api_writes_them", "a_large_result_comes_in_chunks"),
    _call("versions 2.0 and 2.1 of the Jobs API", JOBS, "older_clients_call_older_versions"),
)
