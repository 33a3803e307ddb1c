"""`/Volumes`, `/dbfs` and `/Workspace` for every process of a notebook: the folders of the state, or a refusal.

Databricks has these folders at the root of the file system of every process: Python, shells and libraries in C. Here
they must be nothing but the state's, whoever opens them by whatever means.

- `MOUNTS`, on a Linux that lets a user have mounts of his own: the process and all that it starts see the folders.
- `HOOKS` elsewhere, as on macOS and in many containers: Python's functions are given the state's paths. Programs that
  are told of the folders are refused. On Linux nothing else comes to the real ones, libraries in C included (Landlock);
  on macOS nobody may write there.

| module      | what it is                                                                 |
| ----------- | -------------------------------------------------------------------------- |
| `enter`     | chooses the way for this process, once                                     |
| `namespace` | the root of a file system in which the folders are mounted                 |
| `hooks`     | Python's functions with paths translated                                   |
| `refusals`  | what no way can serve is refused: a volume that does not exist, a shell    |
| `landlock`  | the real folders closed to this process and to all that it starts          |
| `launch`    | a program that starts another one this way: the Spark server               |
"""
