"""Processes that are ready before a task is: their imports are done, and no user code has run in them.

    with Pool(state.logs / "pool.log", spark=True) as pool:      # lakelocal.pool.pool
        process = pool.start(Order(...))      # a fresh process for each attempt, never a used one

An attempt is two processes: the one that runs papermill, and below it the kernel. Starting both from nothing costs
about two seconds, nearly all of it imports. There are two ways to do the imports ahead of time:

| way    | where                                 | how                                                        |
| ------ | ------------------------------------- | ---------------------------------------------------------- |
| forks  | Linux                                 | a *template* process imports; the attempt is forked from   |
|        |                                       | it, and the kernel from the attempt, before either has a   |
|        |                                       | thread or a socket                                         |
| spares | elsewhere, and where forks are unsafe | a few pairs are started ahead, each for one order          |

This is the runner's side; `lakelocal.order` defines what a process is told to do. The programs that wait are in
`lakelocal.attempt`.
"""
