"""One attempt of a notebook task: a process that runs papermill, and below it the kernel.

| module              | what it is                                                                            |
| ------------------- | ------------------------------------------------------------------------------------- |
| `attempt`           | the attempt itself: runs the notebook, tells the runner what happens, stops if asked   |
| `engine`, `outputs` | papermill's engine for it; how much output the executed notebook keeps                 |
| `failures`          | why it failed, in one line                                                             |
| `kernels`           | how it gets its kernel                                                                 |
| `template`, `spare`,| the programs that have imported everything before a task is ready, and wait for an     |
| `spare_kernel`      | order (`lakelocal.order`); the runner's side of them is `lakelocal.pool`                       |
| `libraries`         | what is imported ahead, and whether a process may be forked after it                   |
"""
