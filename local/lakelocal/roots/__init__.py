"""`/Volumes`, `/dbfs` and `/Workspace` in every process of a notebook: the folders of the state, or an error.

Databricks has these folders at the root of the file system of every process: Python, shells and C libraries. Here,
they must be the state's folders, whichever program or library opens them.

- `MOUNTS`, on a Linux that lets users have private mounts: the process and everything it starts see the folders.
- `HOOKS` elsewhere, such as on macOS and in many containers: Python's functions are given the state's paths. Programs
  whose arguments name the folders are refused. On Linux, Landlock keeps everything else, C libraries included, from
  the real folders; on macOS nobody may write there.

| module      | what it does                                                               |
| ----------- | -------------------------------------------------------------------------- |
| `enter`     | chooses the way for this process, once                                     |
| `namespace` | makes the root of a file system in which the folders are mounted           |
| `hooks`     | makes Python's functions translate paths                                   |
| `refusals`  | refuses what neither way can serve: a volume that does not exist, a shell  |
| `landlock`  | closes the real folders to this process and to everything it starts        |
| `launch`    | starts another program this way: the Spark server                          |
"""
