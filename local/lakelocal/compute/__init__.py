"""Where Spark runs: a single decision, made by the environment variable `LOCAL_REMOTE` (the option `--remote`).

| LOCAL_REMOTE                | Spark runs in                          | dialect    | volumes                    |
| --------------------------- | -------------------------------------- | ---------- | -------------------------- |
| unset or empty              | the state's own server, started here   | translated | folders of the state       |
| `sc://host:port/;token=...` | any Spark Connect server               | translated | the same; it sees them too |
| `databricks`                | a workspace, by unified authentication | unchanged  | those of the workspace     |

    compute = compute_of(state)
    compute.check()              # one line, within half a minute, if Spark cannot be used
    spark = compute.session()    # or, in one call, open_session(state)

`session` is a Spark session on a `channel` that connects on first use, and again if its server has died. `client` says
which Spark client this environment has, `state_warehouse` which warehouse has the tables of a state, and
`connection_errors` explains why a server cannot be reached. `functions` adds the `surroundings` of the kernel to Python
functions that are sent to a server; `in_worker` and `worker_modules` make a worker of the server like the kernel.
"""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it would print about a failed handshake is raised too

from lakelocal.compute.choice import REMOTE, WORKSPACE, Compute, compute_of, open_session

__all__ = ["REMOTE", "WORKSPACE", "Compute", "compute_of", "open_session"]
