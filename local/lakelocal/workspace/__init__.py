"""A Databricks workspace on this machine: the REST APIs that the official CLI and SDKs call, in front of the engine.

    python -m local serve            # then DATABRICKS_HOST=http://localhost:8080, DATABRICKS_TOKEN from the token file

| module                         | what it has                                                              |
| ------------------------------ | ------------------------------------------------------------------------ |
| `workspace`                    | what all requests share: the project, the stores, the address            |
| `places`                       | where the workspace keeps its own files                                  |
| `app`, `endpoints`, `errors`   | the application: routes, models of requests, errors as the API has them  |
| `security`, `limits`           | who may ask, and how much                                                |
| `serve`                        | the process: sockets, TLS, signals                                       |
| `identity`                     | who is asked, and who asks                                               |
| `jobs`, `runs`, `run_answers`  | Jobs API                                                                 |
| `job_store`, `deployed`        | the deployed jobs: kept, and as jobs that the engine runs                |
| `run_starts`                   | starting runs, so that what was acknowledged is not lost                 |
| `run_processes`                | their processes, forked from `run_template`; each is a `runner`          |
| `run_numbers`                  | runs of all catalogs in one space of numbers                             |
| `waiting`                      | answers that wait until a run changes                                    |
| `scheduler`                    | deployed schedules                                                       |

A module with endpoints has `routes()`, which `app.ROUTES` lists.
"""
