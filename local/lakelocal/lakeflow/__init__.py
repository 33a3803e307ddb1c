"""The meaning of a Databricks job: pure rules, which import nothing above the reading of files.

| module               | the rules of                                                                   |
| -------------------- | ------------------------------------------------------------------------------ |
| `child_jobs`         | the jobs that a job starts, without a cycle and at most three levels deep      |
| `conditions`         | condition tasks: which texts they compare, and with which outcome              |
| `events`             | the events of runs and tasks that people may be notified of                    |
| `fields`             | which fields of a job and its tasks count in a local run                       |
| `findings`           | what is wrong in a bundle, as a value; the rules, and how severe each is       |
| `graph`              | walks over graphs: upstream and downstream nodes, order, levels, cycles        |
| `model`              | what a bundle is after reading: jobs, tasks, dependencies, schemas and volumes |
| `notebook_interface` | a notebook's parameters and task values, read from its cells                   |
| `plan`               | which tasks of a run start next, and how tasks and runs end                    |
| `references`         | dynamic value references: the table of their values, and when these are known  |
| `results`            | what each result means: for other tasks, in the API, for people, on screen     |
"""
