"""What a Databricks job means: pure rules, which import nothing above the reading of files.

| module    | what it says                                                                             |
| --------- | ---------------------------------------------------------------------------------------- |
| `events`  | the events of runs and tasks that people may be told of                                  |
| `graph`   | what lies before and behind a node of a graph, its order, levels and circles             |
| `plan`    | which tasks of a run start next, and how tasks and runs end                              |
| `results` | what each result of a run or task means: to other tasks, in the API, to people, on pages |
"""
