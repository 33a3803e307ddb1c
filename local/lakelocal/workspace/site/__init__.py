"""The pages of the workspace for people: what happens, what has happened, and the tables; and forms to change it.

| module    | pages                                                                                |
| --------- | ------------------------------------------------------------------------------------ |
| `answers` | how a page is written: a function of a thread, and its answer; errors as pages       |
| `live`    | answers that wait until a page has changed                                           |
| `runs`    | the list of runs, one run, one attempt with its executed notebook; cancel and repair |
| `jobs`    | the jobs of the bundle and the deployed ones; *Run now*, pause                       |
| `tables`  | tables and views, quarantine, one table                                              |
| `sql`     | a statement, and its rows as a table and as a chart                                  |
| `outbox`  | notifications                                                                        |

What they show comes from `lakelocal.pages`; what they change, from the functions behind the API.
"""
