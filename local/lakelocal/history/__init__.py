"""The history of runs: a SQLite file `runs.db` in the state folder, safe to use from several processes.

    history = History.of(state)          # for reading: creates and changes nothing
    history.run(12).result_state         # rows are dataclasses: `RecordedRun`, `RecordedAttempt`, `RecordedPhase`
    api.run_shape(history, 12)           # the run as `runs/get` of the Jobs API shows it
    Records.of(state).update_run(...)    # for writing, by the runner

| module    | what it has                                            |
| --------- | ------------------------------------------------------ |
| `tables`  | the tables, and how an older file becomes one of today |
| `rows`    | a row of each table as a value                         |
| `reading` | the history as it is, for whoever only looks at it     |
| `records` | what the runner adds to it                             |
| `updates` | updates of pipelines and their events: both of it      |
| `api`     | a run as the Jobs API shows it                         |
| `recorded`| a run with everything below it, for pages and reports  |
"""
