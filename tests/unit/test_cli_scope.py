"""`--var` and `--param`: several in one option, names given twice, values with commas."""

from argparse import Namespace

import pytest

from lakelocal.cli.scope import parameters_of, variables_of
from lakelocal.errors import UsageError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a=1", "b=2"], {"a": "1", "b": "2"}),
        (["a=1,b=2"], {"a": "1", "b": "2"}),
        (["a=x=y"], {"a": "x=y"}),
        (["a="], {"a": ""}),
        (['"a=1,2"'], {"a": "1,2"}),
        (['"a=1,2",b=3'], {"a": "1,2", "b": "3"}),
        ([], {}),
    ],
)
def test_variables_are_divided_by_commas(given: list[str], expected: dict[str, str]) -> None:
    """As the CLI's `--var` is; a value with a comma is quoted."""
    assert variables_of(Namespace(var=given)) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["a=1,2"], "--var: found `2`; expected NAME=VALUE.*put a value with a comma in quotes"),
        (["a"], "--var: found `a`; expected NAME=VALUE. Write --var a=VALUE"),
        (["=1"], "expected NAME=VALUE"),
        (["a=1", "a=2"], "--var: found `a` twice, `1` and `2`; expected one value"),
        (["a=1,a=1"], "found `a` twice"),
    ],
)
def test_what_is_no_variable_is_refused(given: list[str], message: str) -> None:
    """A second value too, as the CLI does."""
    with pytest.raises(UsageError, match=message):
        variables_of(Namespace(var=given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a=1", "a=2"], {"a": "2"}),
        (["a=1,2"], {"a": "1,2"}),  # one `=`: the comma belongs to the value
        (["a=1,b=2"], {"a": "1", "b": "2"}),
        (['"a=1,2",b=x=y'], {"a": "1,2", "b": "x=y"}),
    ],
)
def test_parameters_are_divided_where_there_are_several(given: list[str], expected: dict[str, str]) -> None:
    """As the CLI's `--params` are."""
    assert parameters_of(Namespace(param=given)) == expected
