"""What is wrong in a bundle, as a value: a `Finding`, from the first line of YAML that is read to the last rule.

    findings = Findings(root)
    findings.add("syntax", "a list", "a mapping", "Correct the file.", findings.at(place))
    findings.raise_any()

Code that reads or checks a bundle creates findings; code that shows them uses their text (`str`) or their JSON
(`as_json`). Each breaks one rule of `RULES`. An *error* cannot be deployed or cannot run as it is written; a *warning*
runs, but not in the way that it reads.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lakelocal.errors import BundleError

ERROR = "error"
WARNING = "warning"

Place = tuple[Path, int]  # a file, and a line in it from 1; 0 for the file as a whole
Steps = tuple[str | int, ...]  # names of fields and indexes of entries

RULES: Mapping[str, tuple[str, str]] = {
    # files of the bundle (lakelocal.bundle)
    "unreadable-file": (ERROR, "a file of the bundle is UTF-8 text"),
    "syntax": (ERROR, "a file of the bundle is a mapping in YAML or JSON"),
    "duplicate-key": (WARNING, "a mapping has each key once"),
    "duplicate-resource": (ERROR, "a resource is defined in one file"),
    "include": (ERROR, "`include` names YAML and JSON files that exist"),
    "nested-include": (WARNING, "`include` stands in the root file"),
    "workspace-path": (ERROR, "the files of a bundle are deployed to a folder of a workspace"),
    "permission": (ERROR, "a permission of the bundle has one of its levels"),
    "shared-root": (WARNING, "a bundle that all users may change says so"),
    "bundle-name": (ERROR, "a bundle has a name"),
    "bundle-name-reference": (WARNING, "the name of a bundle contains no reference"),
    "resource-key": (ERROR, "the key of a resource contains no reference"),
    "computed-field": (ERROR, "a field that is computed is not set"),
    "merge": (ERROR, "a value is overridden by one of the same kind"),
    "no-resource": (ERROR, "a resource has fields"),
    "default-target": (ERROR, "at most one target is the default"),
    "no-default-target": (WARNING, "one of several targets is the default"),
    "target-mode": (ERROR, "the mode and the presets of a target agree"),
    "production-root": (WARNING, "a target in production mode says where its only copy is"),
    "run-as": (ERROR, "`run_as` of a bundle names one identity"),
    "run-as-deployer": (WARNING, "`run_as` is whoever deploys where a resource needs that"),
    "cli-version": (ERROR, "`databricks_cli_version` names versions as the CLI reads them"),
    "cli-version-unmet": (WARNING, "`databricks_cli_version` allows the CLI that this project follows"),
    "variable-value": (ERROR, "every variable has a value"),
    "variable-lookup": (
        WARNING,
        "a variable has a value without a workspace; jobs that need it run here only if it has one",
    ),
    "variable-type": (ERROR, "a value fits the type of its variable"),
    "unknown-variable": (ERROR, "a target gives values to variables that the bundle declares"),
    "variable-reference": (ERROR, "every `${...}` names something that exists"),
    "double-prefix": (WARNING, "a path of the workspace has `/Workspace` only once"),
    "reference-depth": (WARNING, "references are resolved in eleven rounds"),
    "python": (ERROR, "the Python code of the bundle defines and changes its jobs without an error"),
    "python-environment": (WARNING, "`venv_path` is a virtual environment, without which a deployment fails"),
    "artifact-folder": (WARNING, "the folder of an artifact exists, without which a deployment fails"),
    "bundle-field": (WARNING, "databricks.yml and its targets have known fields only"),
    "script": (ERROR, "a script has commands, and references only in its `env`"),
    # shape
    "unknown-field": (WARNING, "a resource has only fields of Databricks' model"),
    "wrong-type": (WARNING, "a field has a value of its type"),
    "null-value": (WARNING, "a field that is present has a value"),
    "wrong-enum": (WARNING, "a field with fixed values has one of them"),
    "missing-field": (WARNING, "required fields are set"),
    # the graph of tasks
    "no-tasks": (ERROR, "a job has tasks"),
    "task-key": (ERROR, "task keys are letters, digits, `_` and `-`, at most 100"),
    "task-type": (ERROR, "a task has exactly one type"),
    "duplicate-task": (WARNING, "a job has each task key once"),
    "duplicate-entry": (WARNING, "the keys of clusters, environments and parameters are unique"),
    "duplicate-dependency": (WARNING, "a task depends on another task only once"),
    "unknown-dependency": (ERROR, "`depends_on` names tasks of the job"),
    "cycle": (ERROR, "dependencies form no cycle"),
    "outcome": (ERROR, "an outcome is `true` or `false`, on the dependency on a condition task"),
    "never-runs": (WARNING, "every task starts in some course of the run"),
    "constant-condition": (WARNING, "a condition can have both outcomes"),
    "condition-operand": (ERROR, "operands are not lists, and are numbers where numbers are compared"),
    # task types
    "for-each-inputs": (ERROR, "`inputs` is a JSON array or a reference"),
    "for-each-retries": (ERROR, "retries are set on the task inside a for-each task"),
    "for-each-nested": (ERROR, "a for-each task contains no other for-each task"),
    "unknown-job": (WARNING, "a run-job task starts a job of the bundle; with any other job, it fails here"),
    "job-cycle": (ERROR, "jobs do not start each other in a cycle"),
    "job-levels": (ERROR, "jobs start each other at most three levels deep"),
    "missing-file": (ERROR, "notebooks, Python and SQL files exist in the bundle"),
    "elsewhere": (WARNING, "a task's file is in the bundle; if it is in a workspace, the task fails here"),
    "git-source": (ERROR, "`source: GIT` needs a git_source with one branch, tag or commit"),
    "pipeline": (
        WARNING,
        "a pipeline has sources that run on this machine; a task that updates another one fails here",
    ),
    "unknown-pipeline": (
        WARNING,
        "a pipeline task updates a pipeline of the bundle; with any other pipeline, it fails here",
    ),
    "sql-task": (ERROR, "an SQL task has one of query, alert, dashboard and file"),
    # compute
    "unknown-environment": (ERROR, "`environment_key` names an environment of the job"),
    "unknown-cluster": (WARNING, "`job_cluster_key` names a cluster of the job"),
    "missing-compute": (ERROR, "tasks other than notebooks name a cluster or an environment"),
    # parameters and references
    "parameter-name": (ERROR, "parameter names are letters, digits, `_`, `-` and `.`"),
    "parameter-not-taken": (WARNING, "a notebook takes the parameters that its task gives it"),
    "parameter-missing": (ERROR, "a notebook gets the parameters that it reads without a default"),
    "reference-member": (ERROR, "`{{...}}` names something that its namespace has"),
    "reference-task": (ERROR, "`{{tasks.T...}}` names a task upstream"),
    "reference-value": (ERROR, "`{{tasks.T.values.K}}` names a value that the notebook of T sets"),
    "reference-trigger": (ERROR, "`{{job.trigger...}}` fits the trigger of the job"),
    "reference-input": (ERROR, "`{{input}}` is used in the task of a for-each task only"),
    "workspace-value": (WARNING, "code is given values that exist without a workspace"),
    "reference-literal": (WARNING, "no `{{...}}` is left as plain text"),
    # triggers
    "schedule": (ERROR, "a schedule is a Quartz expression in a known time zone"),
    "continuous": (ERROR, "a continuous job has no schedule, no dependencies and no retries"),
    # limits and useless settings
    "limit": (ERROR, "a job keeps within the limits of Databricks"),
    "useless-setting": (WARNING, "every setting has an effect"),
}

LEFT_OUT = (
    *(
        "bundle-field",
        "nested-include",
        "duplicate-key",
        "duplicate-task",
        "unknown-field",
        "wrong-type",
        "null-value",
        "wrong-enum",
    ),
)
"""The rules whose violations a run reports, and then continues without the value."""


@dataclass(frozen=True, order=True)
class Where:
    """A place: *file*, relative to the bundle if it is inside, and *line*; 0 for the whole file.

    *job* and *task* are keys, empty if it concerns none. *path* leads to the field from the task, otherwise from the
    job, otherwise from the bundle; of two findings that differ only in it, one is enough.
    """

    file: str = ""
    line: int = 0
    job: str = ""
    task: str = ""
    path: Steps = field(default=(), compare=False)

    @classmethod
    def at(cls, place: Place, root: Path, *, job: str = "", task: str = "", path: Steps = ()) -> "Where":
        """The *place* in the bundle below *root*."""
        file, line = place
        return cls(show(file, root), line, job, task, path)

    def __str__(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def inside(self) -> str:
        """The job and the task, in words."""
        return ", ".join(f"{kind} `{key}`" for kind, key in (("job", self.job), ("task", self.task)) if key)

    @property
    def dotted(self) -> str:
        """*path* as a single text: `parameters[0].default`."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(steps).removeprefix(".")


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule: what was *found* and what was *expected*, without these words; *action* is a sentence.

    A finding is created without its place if only the caller knows that; `moved` adds it.
    """

    where: Where
    rule: str
    found: str
    expected: str
    action: str

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return RULES[self.rule][0]

    @property
    def message(self) -> str:
        """The finding without its place."""
        return f"found {self.found}; expected {self.expected}. {self.action}"

    def line(self, place: str = "") -> str:
        """The finding as one line: *place*, its job and task, and its message."""
        return ": ".join(part for part in (place, self.where.inside, self.message) if part)

    def __str__(self) -> str:
        """The finding as one line, with its place."""
        place = str(self.where)
        return self.line(f"`{place}`" if place else "")

    def moved(self, where: Where) -> "Finding":
        """The same finding at *where*."""
        return replace(self, where=where)

    def as_json(self) -> dict[str, Any]:
        """The finding as a JSON value."""
        return {
            "severity": self.severity,
            "file": self.where.file,
            "line": self.where.line or None,
            "job": self.where.job,
            "task": self.where.task,
            "field": self.where.dotted,
            "rule": self.rule,
            "found": self.found,
            "expected": self.expected,
            "action": self.action,
        }


class FindingError(BundleError):
    """Raised for *findings* after which something cannot be read, or must not run; its text has one line for each."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class Findings(list[Finding]):
    """What has been found so far in the bundle below *root*."""

    def __init__(self, root: Path, found: Iterable[Finding] = ()) -> None:
        super().__init__(found)
        self.root = root

    def at(self, place: Place, *, job: str = "", task: str = "", path: Steps = ()) -> Where:
        """*place* in the form that a finding uses."""
        return Where.at(place, self.root, job=job, task=task, path=path)

    def add(self, rule: str, found: str, expected: str, action: str, where: Where) -> None:
        """Add a finding."""
        self.append(Finding(where, rule, found, expected, action))

    def of(self, severity: str) -> "Findings":
        """The findings of *severity*, each once."""
        return Findings(self.root, dict.fromkeys(each for each in self if each.severity == severity))

    def without_jobs(self) -> "Findings":
        """The findings that do not concern a single job."""
        return Findings(self.root, (each for each in self if not each.where.job))

    def of_task(self, job: str, task: str) -> "Findings":
        """The findings in the task with the key *task* of the job with the key *job*."""
        return Findings(self.root, (each for each in self if (each.where.job, each.where.task) == (job, task)))

    def by_job(self) -> dict[str, list[Finding]]:
        """The findings that concern a job, by its key."""
        found: dict[str, list[Finding]] = {}
        for each in self:
            if each.where.job:
                found.setdefault(each.where.job, []).append(each)
        return found

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Add the findings of an error that is raised inside the block, and continue after it."""
        try:
            yield
        except FindingError as error:
            self += error.findings

    def raise_any(self) -> None:
        """Raise one error with all findings, if there are any."""
        if self:
            raise FindingError(*self)


def show(file: Path, root: Path) -> str:
    """*file* as a message names it: relative to the bundle if it is inside."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
