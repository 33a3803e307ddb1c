"""`{{...}}` in job fields: what is replaced, what stays, what is an error."""

from dataclasses import replace

import pytest
from conformance import cases, references

from local.errors import UsageError
from local.jobs.reference_checks import Known, check_references
from local.jobs.references import Absent, resolve, resolve_all, tasks_named


@pytest.mark.parametrize(("text", "expected"), cases(references.RESOLVED))
def test_resolve(text: str, expected: str) -> None:
    """Known references are replaced; unknown namespaces and malformed braces stay as they are."""
    assert resolve(text, references.SCOPE) == expected


@pytest.mark.parametrize(("text", "legal"), cases(references.REFUSED))
def test_an_unknown_member_is_an_error(text: str, legal: str) -> None:
    """The message has the reference and the legal names."""
    with pytest.raises(LookupError) as raised:
        resolve(text, references.SCOPE)

    assert text in str(raised.value)
    assert legal in str(raised.value)


def test_what_a_run_does_not_have() -> None:
    """Without a for-each task or a backfill their names are text; without a schedule its time is an error."""
    scope = replace(references.SCOPE, input=Absent, backfill=None, scheduled=None)

    assert resolve("{{input}} {{input.city}} {{backfill.iso_date}}", scope) == (
        "{{input}} {{input.city}} {{backfill.iso_date}}"
    )
    with pytest.raises(LookupError, match="only a scheduled run has a trigger time"):
        resolve("{{job.trigger.time.iso_date}}", scope)


def test_an_input_may_be_any_json() -> None:
    """Text as it is, else JSON; null is an input too."""
    for value, text in (("a b", "a b"), (4, "4"), (True, "true"), (None, "null"), ([1], "[1]")):
        assert resolve("{{input}}", replace(references.SCOPE, input=value)) == text


def test_lists_and_mappings_are_resolved_inside() -> None:
    """Every text of a field is; its keys and other values are not."""
    field = {"{{job.id}}": ["{{job.id}}", 3, {"x": "{{task.name}}"}], "n": None}

    assert resolve_all(field, references.SCOPE) == {"{{job.id}}": ["7", 3, {"x": "silver"}], "n": None}


def test_tasks_that_references_name() -> None:
    """At any depth of a field; other namespaces do not count."""
    field = {
        "left": "{{tasks.a.values.x}} {{tasks.`b-c`.run_id}}",
        "right": ["{{job.id}}", "{{ tasks.d.result_state }}"],
    }

    assert tasks_named(field) == {"a", "b-c", "d"}


def test_check_before_the_run() -> None:
    """Members are checked without values; what a notebook will set cannot be known yet."""
    known = Known({"day": ""}, {"bronze": "b.ipynb"})

    check_references("{{job.parameters.day}} {{tasks.bronze.values.any}} {{x.y}}", known, where="here")
    with pytest.raises(UsageError, match=r"^here: found `\{\{job.notebook_url\}\}`"):
        check_references("{{job.notebook_url}}", known, where="here")
    with pytest.raises(UsageError, match="`tasks` has `bronze`"):
        check_references("{{tasks.later.run_id}}", known, where="here")


def test_check_of_what_only_some_runs_have() -> None:
    """A schedule's time, a backfill's time, a for-each task's input."""
    known = Known({}, {})
    every = replace(known, scheduled=True, backfill=True, nested=True)

    check_references("{{job.trigger.time.iso_date}} {{backfill.year}} {{input.a.b}} {{input}}", every, where="here")
    check_references("{{backfill.no}} {{input.a}}", known, where="here")
    with pytest.raises(UsageError, match="start it with --scheduled-at"):
        check_references("{{job.trigger.time.iso_date}}", known, where="here")
    with pytest.raises(UsageError, match="`backfill` has `iso_weekday`"):
        check_references("{{backfill.no}}", every, where="here")
