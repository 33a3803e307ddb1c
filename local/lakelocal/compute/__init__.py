"""Where Spark runs: the one decision, made by the environment variable `LOCAL_REMOTE` (the option `--remote`).

| LOCAL_REMOTE                | Spark runs in                          | dialect    | volumes                     |
| --------------------------- | -------------------------------------- | ---------- | --------------------------- |
| unset or empty              | the state's own server, started here   | translated | folders of the state        |
| `sc://host:port/;token=...` | any Spark Connect server               | translated | the same, seen by it too    |
| `databricks`                | a workspace, by unified authentication | left alone | the workspace's             |

    compute = compute_of(state)
    compute.check()              # one line, within half a minute, where Spark cannot be used
    spark = compute.session()    # or, in one call, open_session(state)

`session` is a Spark session on a `channel` that connects on first use, and again where its server has died. `client`
tells which client of Spark this environment has, `state_warehouse` which warehouse the tables of a state are in,
`connection_errors` says in words why a server cannot be reached. `functions` gives the Python functions that go to a
server the `surroundings` of their kernel; `in_worker` and `worker_modules` make a worker of the server like it.
"""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it would print of a failed handshake is raised too

from lakelocal.compute.choice import REMOTE, WORKSPACE, Compute, compute_of, open_session

__all__ = ["REMOTE", "WORKSPACE", "Compute", "compute_of", "open_session"]
