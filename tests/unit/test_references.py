"""`{{...}}` in job fields: what is replaced, kept or an error; and that both readers of the table agree."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conformance import cases, references
from validate_bundles import condition, found, job, notebook, project, starts, task

from lakelocal.bundle import load_bundle
from lakelocal.errors import UsageError
from lakelocal.jobs.checks import check_run
from lakelocal.lakeflow.references import (
    ALERT,
    BACKFILL,
    FILE_ARRIVAL,
    FOR_EACH,
    REFERENCES,
    ROWS,
    SCHEDULE,
    TABLE_UPDATE,
    TIMES,
    VALUES,
    Absent,
    Known,
    KnownTask,
    Scope,
    Upstream,
    WrongReference,
    namespaces_named,
    resolve,
    resolve_all,
    tasks_named,
    wrong_references,
)
from lakelocal.lakeflow.task_types.for_each import literal_inputs

EVERY_RUN = frozenset({SCHEDULE, FILE_ARRIVAL, TABLE_UPDATE, BACKFILL, FOR_EACH})
KNOWN = Known(
    {"day": ""},
    {"bronze": KnownTask.of_type("notebook_task"), "query": KnownTask.of_type("sql_task")},
    has=EVERY_RUN,
)
# Names for the words in capitals in the table.
NAMES = {"PARAMETER": "day", "TASK": "query", "TABLE": "orders", "FIELDS": "city", "KEY": "rows", "COLUMN": "n"}


def every_reference() -> Iterator[tuple[str, str]]:
    """Each name in the table, with each part of a time if it takes one, and as a reference to `references.SCOPE`."""
    for namespace, members in REFERENCES.items():
        for member in members:
            word = "bronze" if "values" in member else "query"
            names = {**NAMES, "TASK": word}
            path = ".".join(names.get(step, step) for step in f"{namespace}.{member}".split(".") if step)
            for part in TIMES if "TIME" in member.split(".") else ("",):
                yield f"{namespace}.{member}", "{{" + path.replace("TIME", part) + "}}"


def wrong(text: object, known: Known = KNOWN) -> list[tuple[str, str]]:
    """The rules that the references in *text* break, and the reference."""
    return [(each.rule, each.found.split("`")[1]) for each in wrong_references(text, known)]


@pytest.mark.parametrize(("text", "expected"), cases(references.RESOLVED))
def test_resolve(text: str, expected: str) -> None:
    """Known references are replaced; unknown namespaces and malformed braces are kept."""
    assert resolve(text, references.SCOPE) == expected


@pytest.mark.parametrize(("text", "legal"), cases(references.REFUSED))
def test_an_unknown_member_is_an_error(text: str, legal: str) -> None:
    """The message has the reference and the legal names."""
    with pytest.raises(WrongReference) as raised:
        resolve(text, references.SCOPE)

    assert text in str(raised.value)
    assert legal in str(raised.value)


def test_what_a_run_does_not_have() -> None:
    """Without a for-each task or a backfill, their names are text; without a schedule, its time is an error."""
    scope = replace(references.SCOPE, input=Absent, backfill=None, scheduled=None)

    assert resolve("{{input}} {{input.city}} {{backfill.iso_date}} {{backfill.no}}", scope) == (
        "{{input}} {{input.city}} {{backfill.iso_date}} {{backfill.no}}"
    )
    with pytest.raises(WrongReference, match="expected it only in a run that a schedule starts"):
        resolve("{{job.trigger.time.iso_date}}", scope)


def test_an_input_may_be_any_json() -> None:
    """Text is used as it is, anything else as JSON; null is an input too."""
    for value, text in (("a b", "a b"), (4, "4"), (True, "true"), (None, "null"), ([1], "[1]")):
        assert resolve("{{input}}", replace(references.SCOPE, input=value)) == text


def test_lists_and_mappings_are_resolved_inside() -> None:
    """Every text in a field is; its keys and other values are not."""
    field = {"{{job.id}}": ["{{job.id}}", 3, {"x": "{{task.name}}"}], "n": None}

    assert resolve_all(field, references.SCOPE) == {"{{job.id}}": ["7", 3, {"x": "silver"}], "n": None}


def test_what_references_name() -> None:
    """At any depth of a field; text in braces that is not a reference names nothing."""
    field = {
        "left": "{{tasks.a.values.x}} {{tasks.`b-c`.run_id}} {{tasks}} {{tasks.e-f.run_id}}",
        "right": ["{{job.id}}", "{{ tasks.d.result_state }}", 3],
    }

    assert tasks_named(field) == {"a", "b-c", "d"}
    assert namespaces_named(field) == {"tasks", "job"}


def test_inputs_that_are_written_out() -> None:
    """As text or as a list; a reference yields them while the run is active."""
    assert literal_inputs('[1, {"x": 2}]') == [1, {"x": 2}]
    assert literal_inputs(["a"]) == ["a"]
    for inputs in ("{{tasks.a.values.x}}", "3", '{"x": 1}', None):
        assert literal_inputs(inputs) is None


def test_what_the_history_says_of_a_run() -> None:
    """Times are epoch ms there; a run that no schedule started has no scheduled time."""
    run = {"job_id": 7, "run_name": "Daily", "run_id": 11, "start_time": 0, "trigger": "PERIODIC"}
    text = "{{job.id}} {{job.name}} {{job.run_id}} {{job.start_time.year}} {{job.trigger.type}} {{job.repair_count}}"

    assert resolve(text, Scope.of_run(run, repair_count=2)) == "7 Daily 11 1970 periodic 2"
    assert resolve("{{job.trigger.time.day}}", Scope.of_run({**run, "trigger_time": 86_400_000})) == "2"
    for without in (run, {**run, "trigger_time": None}):
        assert Scope.of_run(without).scheduled is None


def test_every_reference_of_the_table_is_right_before_the_run() -> None:
    """With everything that a run may have and tasks of the right types, no name in the table is wrong."""
    query = KnownTask(frozenset({ROWS, ALERT}))
    known = replace(KNOWN, tasks={**KNOWN.tasks, "query": query})

    assert [text for _, text in every_reference() if wrong(text, known)] == []


def test_every_reference_of_the_table_resolves_to_text_where_a_run_has_it() -> None:
    """In a run that has everything that a local run can have; for the others, the error says what they need."""
    bronze, query = references.BRONZE, references.QUERY
    scope = replace(references.SCOPE, tasks={"bronze": bronze, "query": query})
    without = set()
    for name, text in every_reference():
        try:
            assert "{{" not in resolve(text, scope), text
        except WrongReference as error:
            without.add(name)
            assert (
                "a run that new files start" in str(error) or "update of a table" in str(error) or "alert" in str(error)
            )

    assert without == {
        "job.trigger.file_arrival.location",
        "job.trigger.table_update.updated_tables",
        "job.trigger.table_update.TABLE.version",
        "job.trigger.table_update.TABLE.commit_timestamp.TIME",
        "job.trigger.table_update.TABLE.TABLE.TABLE.version",
        "job.trigger.table_update.TABLE.TABLE.TABLE.commit_timestamp.TIME",
        "tasks.TASK.output.alert_state",
    }


def test_check_before_the_run() -> None:
    """Parameters, upstream tasks and parts of times are; task values, columns and inputs come with the run."""
    assert wrong("{{job.parameters.day}} {{tasks.bronze.values.any}} {{tasks.query.output.first_row.any}}") == []
    assert wrong(["{{input.a.b}}", {"x": "{{job.parameters.no}}"}]) == [("reference-member", "{{job.parameters.no}}")]
    assert wrong("{{tasks.later.run_id}}") == [("reference-task", "{{tasks.later.run_id}}")]
    assert wrong("{{job.trigger.time.week}}") == [("reference-member", "{{job.trigger.time.week}}")]


@pytest.mark.parametrize("word", ["PARAMETER", "TIME", "TASK"])
def test_a_word_of_the_table_is_a_name_like_any_other(word: str) -> None:
    """`TIME` is not part of a time; a parameter may have that name."""
    parameter, time = "{{job.parameters." + word + "}}", "{{job.start_time." + word + "}}"

    assert wrong(parameter) == [("reference-member", parameter)]
    assert wrong(parameter, replace(KNOWN, parameters={word: ""})) == []
    assert wrong(time) == [("reference-member", time)]


def test_what_a_run_leaves_as_text_is_told_apart() -> None:
    """`validate` warns about it, `run` does not refuse it."""
    known = replace(KNOWN, has=frozenset())
    text = "{{jbo.id}} {{job.a-b}} {{}} {{input.x}} {{backfill.no}} {{job_id.x}} {{job.trigger.time.day}} {{job.no}}"

    assert [(each.rule, each.stays) for each in wrong_references(text, known)] == [
        *[("reference-literal", True)] * 3,
        ("reference-input", True),
        *[("reference-literal", True)] * 2,
        ("reference-trigger", False),
        ("reference-member", False),
    ]


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("{{{job.id}}}", "{7}"),
        ("{{{{job.id}}}}", "{{7}}"),
        ("{{a} {{job.id}}", "{{a} 7"),
        ("{{tasks.bronze.values.`x{y`}}", "braced"),
    ],
)
def test_braces_are_found_alike_before_and_in_the_run(text: str, resolved: str) -> None:
    """Other braces may surround a reference, and any character except a backtick may be within backticks."""
    braced = Upstream(9, "SUCCESS", 1, values={"x{y": "braced"})

    assert wrong(text) == []
    assert resolve(text, replace(references.SCOPE, tasks={"bronze": braced})) == resolved


@pytest.mark.parametrize(
    ("kind", "leaves"),
    [
        ("notebook_task", {VALUES}),
        ("spark_python_task", {VALUES}),
        ("sql_task", {ROWS, ALERT}),
        ("condition_task", set()),
        ("run_job_task", set()),
        ("", {VALUES, ROWS, ALERT}),
    ],
)
def test_what_a_task_leaves(kind: str, leaves: set) -> None:
    """Only SQL tasks have an output, and only tasks with Python set values; a task without a type may be any."""
    assert KnownTask.of_type(kind).has == leaves


# Tasks of each type that runs here, before the task whose field names them.
BEFORE = [
    task("notebook", notebook_task={"notebook_path": "s.ipynb"}),
    task("python", spark_python_task={"python_file": "p.py"}, environment_key="e"),
    task("condition", condition_task=condition()),
    task("job", run_job_task=starts("other")),
    task("sql", sql_task={"warehouse_id": "w", "file": {"path": "q.sql"}}),
]
FILES = {"s.ipynb": notebook("dbutils.jobs.taskValues.set('k', 1)"), "p.py": "", "q.sql": ""}
FILE_TRIGGER = {"trigger": {"file_arrival": {"url": "/Volumes/a/b/c/"}}}
TABLE_TRIGGER = {"trigger": {"table_update": {"table_names": ["c.s.t"]}}}
INPUTS = '[{"x": 1}]'


def said(root: Path, text: str, *, nested: bool = False, scheduled: bool = False, **fields: object) -> tuple[str, str]:
    """What `run` and `validate` say about *text* in a field: the words of its error, or "" if it has none.

    The field belongs to a task after those of `BEFORE`; *nested*: to the task inside a for-each task after them.
    """
    after = [each["task_key"] for each in BEFORE]
    last = task("last", *([] if nested else after), run_job_task={**starts("other"), "job_parameters": {"v": text}})
    last = task("loop", *after, for_each_task={"inputs": INPUTS, "task": last}) if nested else last
    environments = [{"environment_key": "e", "spec": {"environment_version": "4"}}]
    jobs = {"j": job(*BEFORE, last, environments=environments, **fields), "other": job()}
    findings = [each.message for each in found(root, jobs, FILES) if each.rule.startswith("reference")]
    bundle = load_bundle(project(root, jobs, FILES))
    try:
        check_run(bundle, bundle.job("j"), scheduled=scheduled)
    except UsageError as error:
        return "found " + str(error).partition(": found ")[2], "".join(findings)
    return "", "".join(findings)


@pytest.mark.parametrize(
    ("text", "expected", "fields"),
    [
        # What `run` accepted: only a SQL task has an output, only a task with Python sets values.
        ("{{tasks.notebook.output.rows}}", "of a notebook_task; expected it only of an SQL task", {}),
        ("{{tasks.condition.output.first_row}}", "of a condition_task; expected it only of an SQL task", {}),
        ("{{tasks.job.output.first_row.c}}", "of a run_job_task; expected it only of an SQL task", {}),
        ("{{tasks.condition.values.k}}", "of a condition_task; expected it only of a notebook or Python task", {}),
        ("{{tasks.job.values.k}}", "of a run_job_task; expected it only of a notebook or Python task", {}),
        ("{{tasks.sql.values.k}}", "of a sql_task; expected it only of a notebook or Python task", {}),
        ("{{input.y}}", "expected one of `input.x`", {"nested": True}),
        # What `validate` accepted: members that an output or a trigger does not have.
        ("{{tasks.python.output.rows}}", "of a spark_python_task; expected it only of an SQL task", {}),
        ("{{tasks.sql.output}}", "expected one of `tasks.sql.output.rows`, `tasks.sql.output.first_row`", {}),
        ("{{tasks.sql.output.count}}", "expected one of `tasks.sql.output.rows`, `tasks.sql.output.first_row`", {}),
        ("{{tasks.sql.output.first_row.c.d}}", "expected nothing after `tasks.sql.output.first_row.c`", {}),
        ("{{job.trigger.file_arrival.name}}", "expected one of `job.trigger.file_arrival.location`", FILE_TRIGGER),
        ("{{job.trigger.table_update.c.s.t.name}}", "`job.trigger.table_update.c.s.t.version`", TABLE_TRIGGER),
        # Only a schedule gives a run a time: what starts without one has none.
        ("{{job.trigger.time.iso_date}}", "it only in a run that a schedule starts", FILE_TRIGGER),
        ("{{job.trigger.time.iso_date}}", "it only in a run that a schedule starts", {"continuous": {}}),
        # What both accepted: a number has no fields.
        ("{{input.x.y}}", "expected nothing after `input.x`", {"nested": True}),
    ],
)
def test_run_and_validate_refuse_the_same_with_the_same_words(
    tmp_path: Path, text: str, expected: str, fields: dict
) -> None:
    """They once had separate lists, and differed here; Databricks' documentation decides."""
    run, validate = said(tmp_path, text, **fields)

    assert f"found `{text}`" in run
    assert expected in run
    assert run == validate


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("{{job.trigger.file_arrival.location}}", FILE_TRIGGER),
        ("{{job.trigger.table_update.updated_tables}}", TABLE_TRIGGER),
        ("{{job.trigger.table_update.c.s.t.version}}", TABLE_TRIGGER),
        ("{{job.trigger.table_update.`c.s.t`.commit_timestamp.iso_datetime}}", TABLE_TRIGGER),
    ],
)
def test_what_an_event_tells_is_right_in_a_job_that_waits_for_it(tmp_path: Path, text: str, fields: dict) -> None:
    """Nothing starts a local run in that way: it is refused for what it lacks, not as a name that does not exist."""
    run, validate = said(tmp_path, text, **fields)

    assert "expected it only in a run that" in run
    assert validate == ""
    assert said(tmp_path, text) == (run, run), "without the trigger, no run of the job has it"


def test_the_time_of_a_schedule(tmp_path: Path) -> None:
    """A run has one if a schedule starts it, or if a user says for which time it runs."""
    text = "{{job.trigger.time.iso_date}}"
    schedule = {"schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}}

    assert said(tmp_path, text, scheduled=True, **schedule) == ("", "")
    assert said(tmp_path, text, scheduled=True, trigger={"periodic": {"interval": 1, "unit": "DAYS"}}) == ("", "")
    assert said(tmp_path, text, **schedule)[0].endswith("to run it by hand, start it with --scheduled-at.")
