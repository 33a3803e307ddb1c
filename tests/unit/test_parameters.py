"""Which parameter wins, and in which type a notebook gets it."""

from dataclasses import replace

import pytest
from conformance import cases, parameters

from lakelocal.bundle import Job
from lakelocal.errors import UsageError
from lakelocal.lakeflow.parameters import (
    child_parameters,
    injected,
    job_parameters,
    notebook_parameters,
)

JOB = Job("daily", 1, "Daily", {}, (), parameters={"day": "1", "mode": "part"})


FUNCTIONS = {
    "job": lambda declared, given: job_parameters(replace(JOB, parameters=declared), given),
    "task": notebook_parameters,
    "child": lambda declared, task, parent: child_parameters(replace(JOB, parameters=declared), task, parent),
}


@pytest.mark.parametrize(("function", "layers", "expected"), cases(parameters.RULES))
def test_which_parameter_wins(function: str, layers: tuple[dict, ...], expected: dict) -> None:
    """The layers of the run, the job, the task and the child."""
    assert FUNCTIONS[function](*layers) == expected


def test_an_unknown_parameter_is_refused_with_the_legal_names() -> None:
    """A typo must not run the job with the default."""
    with pytest.raises(UsageError, match="job `daily`: found `mod`; its parameters are `day`, `mode`"):
        job_parameters(JOB, {"mod": "full"})


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("7", 1, 7),
        ("x", 1, "x"),
        ("0.5", 1.0, 0.5),
        ("true", False, True),
        ("maybe", False, "maybe"),
        ("7", "a", "7"),
        ("7", None, "7"),
    ],
)
def test_injected_values_have_the_type_of_the_default(text: str, default: object, expected: object) -> None:
    """Databricks passes text; the executed notebook shows the value as its cell would."""
    result = injected({"p": text, "other": "1"}, {"p": default})

    assert result == {"p": expected}
    assert type(result["p"]) is type(expected)
