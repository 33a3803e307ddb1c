"""The value of a parameter: layers of parameters, weakest first -> what the task or the child job gets."""

from conformance import PARAMETERS, RUN_JOB, Rule

# (function of lakelocal.lakeflow.parameters, its arguments, result); a job is given by its declared parameters
RULES = [
    Rule(
        "parameters.run-now-over-default",
        "a value given for the run wins over the job's default",
        PARAMETERS,
        ("job", ({"day": "1", "mode": "part"}, {"mode": "full"}), {"day": "1", "mode": "full"}),
    ),
    Rule(
        "parameters.job-over-task",
        "a job parameter wins over a task parameter of the same name",
        PARAMETERS,
        ("task", ({"day": "task", "own": "1"}, {"day": "job"}), {"day": "job", "own": "1"}),
    ),
    Rule(
        "parameters.pushed-down",
        "job parameters reach tasks that do not name them",
        PARAMETERS,
        ("task", ({}, {"day": "job"}), {"day": "job"}),
    ),
    Rule(
        "parameters.child-default",
        "a child job has its own defaults",
        RUN_JOB,
        ("child", ({"day": "0"}, {}, {}), {"day": "0"}),
    ),
    Rule(
        "parameters.task-over-child",
        "job_parameters of the task override them",
        RUN_JOB,
        ("child", ({"day": "0"}, {"day": "1"}, {}), {"day": "1"}),
    ),
    Rule(
        "parameters.parent-over-all",
        "the parent's job parameters override both",
        PARAMETERS,
        ("child", ({"day": "0"}, {"day": "1"}, {"day": "2"}), {"day": "2"}),
    ),
    Rule(
        "parameters.undeclared-in-child",
        "and are pushed down even if the child does not declare them",
        PARAMETERS,
        ("child", ({"day": "0"}, {}, {"new": "4"}), {"day": "0", "new": "4"}),
    ),
]
