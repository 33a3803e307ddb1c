"""Parameters keep the type of their default, wherever their value comes from."""

from types import SimpleNamespace

import pytest

from lakehouse import parameters
from lakehouse.errors import ParameterError


class Widgets:
    """The widgets of a notebook; *passed* are the values from a job."""

    def __init__(self, **passed: str) -> None:
        self.values = passed

    def text(self, name: str, default: str) -> None:
        self.values.setdefault(name, default)

    def get(self, name: str) -> str:
        return self.values[name]


def given(**passed: str) -> SimpleNamespace:
    return SimpleNamespace(widgets=Widgets(**passed))


def test_without_a_job_the_defaults_hold():
    """As with *Run all* and nbval."""
    p = parameters(given(), catalog="olist_dev", scale=2000, rate=0.5, strict=True)

    assert (p.catalog, p.scale, p.rate, p.strict) == ("olist_dev", 2000, 0.5, True)


def test_the_strings_of_a_job_get_the_type_of_the_default():
    """Databricks passes only strings."""
    p = parameters(given(scale="7", rate="1", strict="FALSE"), catalog="olist_dev", scale=2000, rate=0.5, strict=True)

    assert (p.scale, p.rate, p.strict) == (7, 1.0, False)
    assert isinstance(p.rate, float)


def test_parameters_cannot_be_changed():
    """A value below is the one that the job gave."""
    with pytest.raises(AttributeError):
        parameters(given(), scale=1).scale = 2


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("scale", "many", 1),
        ("scale", "1.5", 1),
        ("rate", "", 0.5),
        ("strict", "yes", True),
        ("catalog", "a; DROP", "olist_dev"),
        ("catalog", "a`b", "olist_dev"),
        ("refresh_mode", "fully", "full"),
        ("run_date", "2018-02-30", "2018-02-28"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name, value, default):
    """Before anything is read or written."""
    with pytest.raises(ParameterError) as error:
        parameters(given(**{name: value}), **{name: default})

    assert (error.value.parameter, error.value.value) == (name, value)
    assert str(error.value).startswith(f"Parameter `{name}`: found `{value}`, expected ")
