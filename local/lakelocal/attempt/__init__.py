"""One attempt of a notebook task: a process that runs papermill, with the kernel below it.

| module               | what it is                                                                       |
| -------------------- | -------------------------------------------------------------------------------- |
| `attempt`            | the attempt itself: runs the notebook, reports to the runner, stops when asked   |
| `engine`, `outputs`  | papermill's engine for it; how much output the executed notebook keeps           |
| `failures`           | why it failed, in one line                                                       |
| `kernels`            | how it gets its kernel                                                           |
| `template`, `spare`, | the programs that import everything before a task is ready, and then wait for an |
| `spare_kernel`       | order (`lakelocal.order`); the runner's side of them is `lakelocal.pool`         |
| `libraries`          | what is imported ahead of time, and whether a process may be forked after it     |
"""
