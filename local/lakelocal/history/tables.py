"""The tables of the run history, and how a file of an older version gets the columns that it lacks.

`runs` has one row per run of a job, `attempts` one per attempt of a task, `phases` one per earlier end of a repaired
run, `updates` one per update of a pipeline, and `events` one per event of an update.
"""

import sqlite3
import time

VERSION = 9
FIRST_ATTEMPT = 1_000_000_001  # ids of attempts begin here, so that those of runs count the runs
WAIT_SECONDS = 30.0
_RUNS = {
    "run_id": "INTEGER PRIMARY KEY",
    "job_id": "INTEGER NOT NULL",
    "job_key": "TEXT NOT NULL",
    "run_name": "TEXT NOT NULL",
    "target": "TEXT NOT NULL",
    "trigger": "TEXT NOT NULL",
    "parent_run_id": "INTEGER",
    "life_cycle_state": "TEXT NOT NULL",
    "result_state": "TEXT",
    "state_message": "TEXT NOT NULL DEFAULT ''",
    "start_time": "INTEGER NOT NULL",
    "end_time": "INTEGER",
    "job_parameters": "TEXT NOT NULL DEFAULT '{}'",
    "settings": "TEXT NOT NULL DEFAULT '{}'",
    "pid": "INTEGER NOT NULL",
    "pid_started": "REAL NOT NULL",
    "trigger_time": "INTEGER",  # for a scheduled run: the time that it was scheduled for
    "trigger_event": "TEXT",  # what happened, for a run that files or tables started, see `TriggerEvent`
    "queued_since": "INTEGER",  # when it began to wait for a slot
    "queue_duration": "INTEGER",
    "cancel_requested": "INTEGER NOT NULL DEFAULT 0",
    "only_tasks": "TEXT",  # the selection of a partial run, as a JSON list
    "repair_count": "INTEGER NOT NULL DEFAULT 0",
    "repair_start": "INTEGER",  # when the last repair began
    "repair_tasks": "TEXT",  # the tasks that the last repair runs again, as a JSON list
    "health_warnings": "TEXT NOT NULL DEFAULT '[]'",
    "remote": "TEXT",  # where Spark runs if not in the state's own server; without a token
    "before_notebook": "TEXT",  # the notebook that the state needed once before the tasks
    "signs_commits": "INTEGER NOT NULL DEFAULT 0",  # do its commits name the run? those of older versions do not
}
_ATTEMPTS = {
    "run_id": "INTEGER PRIMARY KEY",
    "job_run_id": "INTEGER NOT NULL REFERENCES runs",
    "task_key": "TEXT NOT NULL",
    "attempt_number": "INTEGER NOT NULL",
    "kind": "TEXT NOT NULL",
    "depends_on": "TEXT NOT NULL",
    "run_if": "TEXT NOT NULL",
    "life_cycle_state": "TEXT NOT NULL",
    "result_state": "TEXT",
    "state_message": "TEXT NOT NULL DEFAULT ''",
    "start_time": "INTEGER NOT NULL",
    "end_time": "INTEGER",
    "notebook_path": "TEXT",
    "parameters": "TEXT NOT NULL DEFAULT '{}'",
    "output_notebook": "TEXT",
    "notebook_result": "TEXT",
    "error": "TEXT",
    "error_trace": "TEXT",
    "child_run_id": "INTEGER",
    "details": "TEXT NOT NULL DEFAULT '{}'",  # what the entry shows below its task type
    "iteration": "TEXT",  # for an iteration of a for-each task: {"for_each_task_key", "index", "input"}
    "repair": "INTEGER NOT NULL DEFAULT 0",  # 0: the original run, 1: its first repair, ...
    "health_warnings": "TEXT NOT NULL DEFAULT '[]'",
}
# How a run had ended each time before it was repaired: number 0 is the original run.
_PHASES = {
    "run_id": "INTEGER NOT NULL REFERENCES runs",
    "number": "INTEGER NOT NULL",
    "start_time": "INTEGER NOT NULL",
    "end_time": "INTEGER NOT NULL",
    "life_cycle_state": "TEXT NOT NULL",
    "result_state": "TEXT",
    "state_message": "TEXT NOT NULL",
}
_UPDATES = {
    "update_id": "TEXT PRIMARY KEY",
    "pipeline_id": "TEXT NOT NULL",
    "pipeline_name": "TEXT NOT NULL",
    "job_run_id": "INTEGER REFERENCES runs",  # none for a standalone table that a statement makes or refreshes
    "attempt_id": "INTEGER REFERENCES attempts",  # none until the attempt begins
    "cause": "TEXT NOT NULL",
    "state": "TEXT NOT NULL",
    "creation_time": "INTEGER NOT NULL",
    "end_time": "INTEGER",
    "selection": "TEXT NOT NULL DEFAULT '{}'",  # the fields of `StartUpdate` that say what is refreshed
    "parameters": "TEXT NOT NULL DEFAULT '{}'",
    "cancel_requested": "INTEGER NOT NULL DEFAULT 0",
}
_EVENTS = {
    "number": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "id": "TEXT NOT NULL",
    "update_id": "TEXT NOT NULL REFERENCES updates",
    "pipeline_id": "TEXT NOT NULL",
    "job_run_id": "INTEGER REFERENCES runs",
    "time": "INTEGER NOT NULL",  # differs from that of every other event of the pipeline
    "event_type": "TEXT NOT NULL",
    "level": "TEXT NOT NULL",
    "message": "TEXT NOT NULL",
    "flow_name": "TEXT NOT NULL",
    "dataset_name": "TEXT NOT NULL",
    "details": "TEXT NOT NULL",
    "error": "TEXT NOT NULL",
}
_TABLES = {"runs": _RUNS, "attempts": _ATTEMPTS, "phases": _PHASES, "updates": _UPDATES, "events": _EVENTS}


def prepare(database: sqlite3.Connection) -> None:
    """Create the tables in a new file, and add what an older one lacks; does nothing if everything is there."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version >= VERSION:
        return
    _write_ahead(database)
    database.execute("BEGIN IMMEDIATE")
    database.execute("CREATE TABLE IF NOT EXISTS ids (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    database.execute("CREATE TABLE IF NOT EXISTS attempt_ids (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    if not database.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'attempt_ids'").fetchone():
        database.execute("INSERT INTO sqlite_sequence VALUES ('attempt_ids', ?)", (FIRST_ATTEMPT - 1,))
    for table, columns in _TABLES.items():
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
        there = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        for name in columns.keys() - there:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
    database.execute("CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (job_run_id, run_id)")
    database.execute("DROP INDEX IF EXISTS open_runs")  # of older versions
    database.execute("CREATE INDEX IF NOT EXISTS open_runs_by_time ON runs (start_time, run_id) WHERE end_time IS NULL")
    database.execute("CREATE INDEX IF NOT EXISTS runs_by_time ON runs (start_time, run_id)")
    database.execute("CREATE INDEX IF NOT EXISTS runs_of_job ON runs (job_id, start_time, run_id)")
    database.execute("CREATE INDEX IF NOT EXISTS updates_of_run ON updates (job_run_id)")
    database.execute("CREATE INDEX IF NOT EXISTS updates_of_pipeline ON updates (pipeline_id, creation_time)")
    database.execute("CREATE INDEX IF NOT EXISTS events_of_update ON events (update_id)")
    database.execute("CREATE INDEX IF NOT EXISTS events_of_pipeline ON events (pipeline_id, time)")
    database.execute(f"PRAGMA user_version = {VERSION}")


def _write_ahead(database: sqlite3.Connection) -> None:
    """Switch the file to WAL. The timeout does not apply to this: if another process uses the file, SQLite gives up."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
