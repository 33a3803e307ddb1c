"""What a Databricks job means: pure rules, which import nothing above the reading of files.

* `child_jobs`: the jobs that a job starts, without a circle and at most three levels deep.
* `fields`: which fields of a job and its tasks count in a local run.
"""
