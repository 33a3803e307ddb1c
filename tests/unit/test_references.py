"""`{{...}}` in job fields: what is replaced, what stays, what is an error."""

import pytest

from local.errors import UsageError
from local.jobs.reference_checks import Known, check_references
from local.jobs.references import Scope, Upstream, resolve

# 2026-02-03 04:05:06.789 UTC, a Tuesday
START_MS = 1770091506789
SCOPE = Scope(
    7,
    "Daily",
    11,
    START_MS,
    parameters={"day": "2026-02-03", "a-b": "dashed"},
    task_key="silver",
    task_run_id=12,
    attempt=1,
    notebook="silver.ipynb",
    tasks={"bronze": Upstream(9, "SUCCESS", 2, "bronze.ipynb", {"rows": 5, "name": "x", "list": [1, "a"]})},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{job.id}}/{{job.run_id}}/{{ job.name }}", "7/11/Daily"),
        ("{{job.repair_count}}", "0"),
        ("{{job.parameters.day}}", "2026-02-03"),
        ("{{job.parameters.`a-b`}}", "dashed"),
        ("{{job.start_time.iso_date}}", "2026-02-03"),
        ("{{job.start_time.iso_datetime}}", "2026-02-03T04:05:06"),
        ("{{job.start_time.timestamp_ms}}", "1770091506789"),
        ("{{job.start_time.year}}-{{job.start_time.month}}-{{job.start_time.day}}", "2026-2-3"),
        ("{{job.start_time.hour}}:{{job.start_time.minute}}:{{job.start_time.second}}", "4:5:6"),
        ("{{job.start_time.iso_weekday}} {{job.start_time.is_weekday}}", "2 true"),
        ("{{job.trigger.type}}", "one_time"),
        ("{{task.name}} {{task.run_id}} {{task.execution_count}} {{task.notebook_path}}", "silver 12 2 silver.ipynb"),
        ("{{tasks.bronze.run_id}} {{tasks.bronze.result_state}}", "9 success"),
        ("{{tasks.bronze.execution_count}} {{tasks.bronze.notebook_path}}", "2 bronze.ipynb"),
        ("{{tasks.bronze.values.rows}} {{tasks.bronze.values.name}}", "5 x"),
        ("{{tasks.bronze.values.list}}", '[1, "a"]'),
        ("{{job_id}} {{run_id}} {{parent_run_id}} {{task_key}} {{start_date}}", "7 12 11 silver 2026-02-03"),
        ("{{start_time}} {{task_retry_count}}", "1770091506789 1"),
        ("{{other.thing}} {{nothing}}", "{{other.thing}} {{nothing}}"),
        ("{{job.}} {{job..id}} {{job.id }x {job.id}", "{{job.}} {{job..id}} {{job.id }x {job.id}"),
        ("{{job.parameters.a-b}}", "{{job.parameters.a-b}}"),
        ("no reference", "no reference"),
    ],
)
def test_resolve(text: str, expected: str) -> None:
    """Known references are replaced; unknown namespaces and malformed braces stay as they are."""
    assert resolve(text, SCOPE) == expected


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("{{job.notebook_url}}", "`id`, `name`, `run_id`, `repair_count`"),
        ("{{job.parameters.dya}}", "`day`, `a-b`"),
        ("{{job.start_time.week}}", "`iso_weekday`, `is_weekday`, `iso_date`"),
        ("{{job.trigger.time.iso_date}}", "only a scheduled run has a trigger time"),
        ("{{task.id}}", "`name`, `run_id`"),
        ("{{tasks.gold.run_id}}", "`bronze`"),
        ("{{tasks.bronze.rows}}", "`values`"),
        ("{{tasks.bronze.values.nothing}}", "`rows`, `name`, `list`"),
    ],
)
def test_an_unknown_member_is_an_error(text: str, legal: str) -> None:
    """The message has the reference and the legal names."""
    with pytest.raises(LookupError) as raised:
        resolve(text, SCOPE)

    assert text in str(raised.value)
    assert legal in str(raised.value)


def test_check_before_the_run() -> None:
    """Members are checked without values; what a notebook will set cannot be known yet."""
    known = Known({"day": ""}, {"bronze": "b.ipynb"})

    check_references("{{job.parameters.day}} {{tasks.bronze.values.any}} {{x.y}}", known, where="here")
    with pytest.raises(UsageError, match=r"^here: found `\{\{job.notebook_url\}\}`"):
        check_references("{{job.notebook_url}}", known, where="here")
    with pytest.raises(UsageError, match="`tasks` has `bronze`"):
        check_references("{{tasks.later.run_id}}", known, where="here")
