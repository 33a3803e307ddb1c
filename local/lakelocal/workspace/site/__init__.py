"""The pages of the workspace for people: runs, jobs and tables, and forms to change them.

| module    | pages                                                                                |
| --------- | ------------------------------------------------------------------------------------ |
| `answers` | how to write a page: a function that runs in a thread; errors as pages               |
| `live`    | answers that wait until a page has changed                                           |
| `runs`    | the list of runs, one run, one attempt with its executed notebook; cancel and repair |
| `jobs`    | the jobs of the bundle and the deployed ones; *Run now*, pause                       |
| `tables`  | tables and views, quarantine, one table                                              |
| `sql`     | a statement, and its rows as a table and as a chart                                  |
| `outbox`  | notifications                                                                        |

`lakelocal.pages` makes the content; the forms call the functions behind the API.
"""
