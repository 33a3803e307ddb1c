"""What a Databricks job means: pure rules, which import nothing above the reading of files.

| module               | the rules of                                                                     |
| -------------------- | -------------------------------------------------------------------------------- |
| `child_jobs`         | the jobs that a job starts, without a circle and at most three levels deep        |
| `conditions`         | condition tasks: which texts they compare, and what comes of it                  |
| `fields`             | which fields of a job and its tasks count in a local run                         |
| `notebook_interface` | a notebook's parameters and task values, read from its cells                     |
| `references`         | dynamic value references: the table of what each gives, and when it is known     |
"""
