"""Every rule that `validate` knows: its id, how severe breaking it is, and what it asks for.

An *error* cannot be deployed or cannot run as it is written; a *warning* runs, but not as it reads.
"""

from collections.abc import Mapping

ERROR = "error"
WARNING = "warning"

RULES: Mapping[str, tuple[str, str]] = {
    # files of the bundle (local.bundle)
    "unreadable-file": (ERROR, "a file of the bundle is UTF-8 text"),
    "syntax": (ERROR, "a file of the bundle is a mapping in YAML or JSON"),
    "duplicate-key": (ERROR, "a key stands once in a mapping"),
    "duplicate-resource": (ERROR, "a resource is defined in one file"),
    "include": (ERROR, "`include` names YAML and JSON files that exist"),
    "bundle-name": (ERROR, "a bundle has a name"),
    "default-target": (ERROR, "one target at most is the default"),
    "target-mode": (ERROR, "the mode of a target and its presets fit each other"),
    "variable-value": (ERROR, "every variable has a value"),
    "variable-lookup": (
        WARNING,
        "a variable has a value without a workspace: jobs that need it run here only with one",
    ),
    "variable-reference": (ERROR, "every `${...}` names something that exists"),
    "python": (ERROR, "the Python code of the bundle defines and changes its jobs without an error"),
    "bundle-field": (WARNING, "databricks.yml and its targets have known fields only"),
    # shape
    "unknown-field": (ERROR, "a job has fields of Databricks' model only"),
    "wrong-type": (ERROR, "a field has a value of its type"),
    "wrong-enum": (ERROR, "a field of fixed words has one of them"),
    "missing-field": (ERROR, "required fields are there"),
    "shape": (ERROR, "a job fits Databricks' model"),
    # the graph of tasks
    "definition": (ERROR, "a job is as the Jobs API takes it"),
    "no-tasks": (ERROR, "a job has tasks"),
    "task-key": (ERROR, "task keys are letters, digits, `_` and `-`, at most 100"),
    "task-type": (ERROR, "a task has exactly one type"),
    "duplicate-task": (ERROR, "a task key stands once in a job"),
    "duplicate-entry": (ERROR, "the keys of clusters, environments and parameters stand once"),
    "duplicate-dependency": (WARNING, "a task depends on another one once"),
    "unknown-dependency": (ERROR, "`depends_on` names tasks of the job"),
    "circle": (ERROR, "dependencies form no circle"),
    "outcome": (ERROR, "an outcome is `true` or `false`, on the dependency on a condition task"),
    "never-runs": (WARNING, "every task starts in some course of the run"),
    "constant-condition": (WARNING, "a condition can have both outcomes"),
    "condition-operand": (ERROR, "operands are no lists, and numbers where numbers are compared"),
    # task types
    "for-each-inputs": (ERROR, "`inputs` is a JSON array or a reference"),
    "for-each-nested": (ERROR, "a for-each task holds no other for-each task"),
    "unknown-job": (ERROR, "a run-job task starts a job of the bundle"),
    "job-circle": (ERROR, "jobs do not start each other in a circle"),
    "job-levels": (ERROR, "jobs start each other at most three levels deep"),
    "missing-file": (ERROR, "notebooks, Python and SQL files exist in the bundle"),
    "git-source": (ERROR, "`source: GIT` needs a git_source with one branch, tag or commit"),
    "sql-task": (ERROR, "an SQL task has one of query, alert, dashboard and file"),
    # compute
    "unknown-environment": (ERROR, "`environment_key` names an environment of the job"),
    "unknown-cluster": (ERROR, "`job_cluster_key` names a cluster of the job"),
    "missing-compute": (ERROR, "tasks other than notebooks name a cluster or an environment"),
    # parameters and references
    "parameter-name": (ERROR, "parameter names are letters, digits, `_`, `-` and `.`"),
    "parameter-not-taken": (WARNING, "a notebook takes the parameters that its task gives it"),
    "parameter-missing": (ERROR, "a notebook gets the parameters that it reads without a default"),
    "reference-member": (ERROR, "`{{...}}` names something that its namespace has"),
    "reference-task": (ERROR, "`{{tasks.T...}}` names a task upstream"),
    "reference-value": (ERROR, "`{{tasks.T.values.K}}` names a value that the notebook of T sets"),
    "reference-trigger": (ERROR, "`{{job.trigger...}}` fits the trigger of the job"),
    "reference-input": (ERROR, "`{{input}}` stands in the task of a for-each task"),
    "reference-literal": (WARNING, "no `{{...}}` is left as plain text"),
    # triggers
    "schedule": (ERROR, "a schedule is a Quartz expression in a known time zone"),
    "continuous": (ERROR, "a continuous job has no schedule, no dependencies and no retries"),
    # limits and useless settings
    "limit": (ERROR, "a job keeps the limits of Databricks"),
    "useless-setting": (WARNING, "no setting is without effect"),
}


def severity(rule: str) -> str:
    """How severe it is to break *rule*."""
    return RULES[rule][0]


ACTIONS: Mapping[str, str] = {
    "no-tasks": "Add a task.",
    "task-key": "Rename the task.",
    "task-type": "Split the task, or give it a type.",
    "unknown-dependency": "Correct the key, or remove the dependency.",
    "unknown-job": "Name one of them.",
    "parameter-name": "Rename the parameter.",
    "syntax": "Correct the file.",
    "include": "Correct the pattern.",
    "variable-reference": "Correct the reference.",
    "missing-file": "Correct the path.",
}


def action(rule: str) -> str:
    """What to do about *rule* where the finding itself does not say it."""
    return ACTIONS.get(rule, "Correct it.")
