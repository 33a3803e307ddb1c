"""A Databricks workspace on this machine: the REST APIs that the official CLI and SDKs call, backed by the engine.

    python -m local serve            # then DATABRICKS_HOST=http://localhost:8080, DATABRICKS_TOKEN from the token file

| module                         | what it contains                                                         |
| ------------------------------ | ------------------------------------------------------------------------ |
| `workspace`                    | what all requests share: the project, the stores, the address            |
| `places`                       | where the workspace keeps its own files                                  |
| `app`, `endpoints`, `errors`   | the application: routes, models of requests, errors in the API's format  |
| `security`, `limits`           | which requests are accepted, and how large they may be                   |
| `serve`                        | the process: sockets, TLS, signals                                       |
| `identity`                     | the user and the workspace that the APIs name                            |
| `jobs`, `runs`, `run_answers`  | Jobs API                                                                 |
| `job_store`, `deployed`        | the deployed jobs: as stored, and as jobs that the engine runs           |
| `run_starts`                   | starting runs so that no acknowledged run is lost                        |
| `run_processes`                | the processes of runs, forked from `run_template`; each is a `runner`    |
| `run_numbers`                  | one sequence of numbers for the runs of all catalogs                     |
| `waiting`                      | answers that wait until a run changes                                    |
| `scheduler`                    | deployed schedules                                                       |

A module with endpoints has `routes()`, which `app.ROUTES` lists.
"""
