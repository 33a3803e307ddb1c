"""Dynamic value references, in the scope below: text -> its value, or the text of the error."""

from datetime import UTC, datetime

from conformance import BACKFILL, FOR_EACH, REFERENCES, UNDOCUMENTED, Rule
from lakelocal.lakeflow.references import Scope, Upstream

OUTPUT = "documentation: Use SQL output in downstream tasks"
DEPRECATED = "documentation: Deprecated dynamic value references"
BRONZE = Upstream(
    9, "SUCCESS", 2, "bronze.ipynb", {"rows": 5, "name": "x", "list": [1, "a"], "yes": True, "no-word": 1}
)
QUERY = Upstream(10, "SUCCESS", 1, rows=({"n": 3, "city": "São Paulo"}, {"n": 4, "city": "b"}))
SCOPE = Scope(
    7,
    "Daily",
    11,
    1770091506789,  # 2026-02-03 04:05:06.789 UTC, a Tuesday
    parameters={"day": "2026-02-03", "a-b": "dashed", "x.y": "dotted"},
    task_key="silver",
    task_run_id=12,
    attempt=1,
    notebook="silver.ipynb",
    tasks={"bronze": BRONZE, "query": QUERY, "broken": Upstream(8, "FAILED", 1), "a-b": Upstream(6, "EXCLUDED", 0)},
    trigger="PERIODIC",
    repair_count=2,
    scheduled=datetime(2026, 2, 1, 6, 0, tzinfo=UTC),  # a Sunday
    backfill=datetime(2018, 1, 31, 12, 30, tzinfo=UTC),
    input={"city": "Rio", "size": 4, "deep": {"er": True}},
)


def rule(name: str, what: str, text: str, expected: str, source: str = REFERENCES) -> Rule:
    return Rule(f"references.{name}", what, source, (text, expected))


RESOLVED = [
    rule("job", "id, name and run id of the job", "{{job.id}}/{{job.run_id}}/{{ job.name }}", "7/11/Daily"),
    rule("job.repair_count", "how often the run was repaired", "{{job.repair_count}}", "2"),
    rule("job.parameters", "a job parameter", "{{job.parameters.day}}", "2026-02-03"),
    rule("brackets", "around a name: as in its examples", "{{ job.parameters.[day] }}", "2026-02-03", UNDOCUMENTED),
    rule("backticks.dash", "names with - need backticks", "{{job.parameters.`a-b`}}", "dashed"),
    rule("backticks.dot", "names with . need backticks", "{{job.parameters.`x.y`}}", "dotted"),
    rule("backticks.task", "task keys too", "{{tasks.`a-b`.result_state}}", "excluded"),
    rule("backticks.value", "and keys of task values", "{{tasks.bronze.values.`no-word`}}", "1"),
    rule("start_time.iso_date", "the start of the run, UTC", "{{job.start_time.iso_date}}", "2026-02-03"),
    rule("start_time.iso_datetime", "to the second", "{{job.start_time.iso_datetime}}", "2026-02-03T04:05:06"),
    rule("start_time.timestamp_ms", "epoch milliseconds", "{{job.start_time.timestamp_ms}}", "1770091506789"),
    rule(
        "start_time.date-parts",
        "numbers without leading zeros",
        "{{job.start_time.year}}-{{job.start_time.month}}-{{job.start_time.day}}",
        "2026-2-3",
    ),
    rule(
        "start_time.time-parts",
        "numbers without leading zeros",
        "{{job.start_time.hour}}:{{job.start_time.minute}}:{{job.start_time.second}}",
        "4:5:6",
    ),
    rule("start_time.weekday", "Monday is 1", "{{job.start_time.iso_weekday}} {{job.start_time.is_weekday}}", "2 true"),
    rule("trigger.type", "the trigger of the run, in lower case", "{{job.trigger.type}}", "periodic", UNDOCUMENTED),
    rule(
        "trigger.time",
        "the time for which a schedule started the run",
        "{{job.trigger.time.iso_datetime}}",
        "2026-02-01T06:00:00",
    ),
    rule(
        "trigger.time.weekday",
        "Sunday is 7",
        "{{job.trigger.time.iso_weekday}} {{job.trigger.time.is_weekday}}",
        "7 false",
    ),
    rule("task", "the task itself", "{{task.name}} {{task.run_id}} {{task.notebook_path}}", "silver 12 silver.ipynb"),
    rule("task.execution_count", "how often it ran, including this time", "{{task.execution_count}}", "2"),
    rule("tasks", "an upstream task", "{{tasks.bronze.run_id}} {{tasks.bronze.notebook_path}}", "9 bronze.ipynb"),
    rule("tasks.execution_count", "how often it ran", "{{tasks.bronze.execution_count}}", "2"),
    rule(
        "tasks.result_state",
        "results in lower case",
        "{{tasks.bronze.result_state}} {{tasks.broken.result_state}}",
        "success failed",
    ),
    rule("tasks.error_code.failed", "the code of an error", "{{tasks.broken.error_code}}", "RUN_EXECUTION_ERROR"),
    rule("tasks.error_code.success", "empty if there was none", "{{tasks.bronze.error_code}}", ""),
    rule("tasks.values", "a task value", "{{tasks.bronze.values.rows}} {{tasks.bronze.values.name}}", "5 x"),
    rule("tasks.values.list", "lists as JSON", "{{tasks.bronze.values.list}}", '[1, "a"]'),
    rule("tasks.values.boolean", 'booleans as "true" and "false"', "{{tasks.bronze.values.yes}}", "true"),
    rule(
        "tasks.output.rows",
        "all rows of a SQL task as JSON",
        "{{tasks.query.output.rows}}",
        '[{"n": 3, "city": "São Paulo"}, {"n": 4, "city": "b"}]',
        OUTPUT,
    ),
    rule(
        "tasks.output.first_row",
        "its first row",
        "{{tasks.query.output.first_row}}",
        '{"n": 3, "city": "São Paulo"}',
        OUTPUT,
    ),
    rule("tasks.output.column", "a column of it", "{{tasks.query.output.first_row.n}}", "3", OUTPUT),
    rule("workspace", "the workspace has an id and a URL", "{{workspace.id}} {{workspace.url}}", "0 local"),
    rule("input.field", "a field of the input of a for-each task", "{{input.city}} {{input.size}}", "Rio 4", FOR_EACH),
    rule("input.deep", "at any depth", "{{input.deep.er}}", "true", FOR_EACH),
    rule("input", "the whole input as JSON", "{{input}}", '{"city": "Rio", "size": 4, "deep": {"er": true}}', FOR_EACH),
    rule(
        "backfill",
        "the time for which a backfill runs",
        "{{backfill.iso_date}} {{backfill.iso_datetime}}",
        "2018-01-31 2018-01-31T12:30:00",
        BACKFILL,
    ),
    rule(
        "backfill.parts",
        "with all parts of a time",
        "{{backfill.year}} {{backfill.month}} {{backfill.day}} {{backfill.hour}}",
        "2018 1 31 12",
        BACKFILL,
    ),
    rule(
        "deprecated.ids",
        "old names",
        "{{job_id}} {{run_id}} {{parent_run_id}} {{task_key}}",
        "7 12 11 silver",
        DEPRECATED,
    ),
    rule(
        "deprecated.times",
        "old names",
        "{{start_date}} {{start_time}} {{task_retry_count}}",
        "2026-02-03 1770091506789 1",
        DEPRECATED,
    ),
    rule("unknown-namespace", "is kept as it is", "{{other.thing}} {{nothing}}", "{{other.thing}} {{nothing}}"),
    rule(
        "malformed",
        "is kept as it is",
        "{{job.}} {{job..id}} {{job.id }x {job.id}",
        "{{job.}} {{job..id}} {{job.id }x {job.id}",
    ),
    rule("no-backticks", "is malformed, so it is kept", "{{job.parameters.a-b}}", "{{job.parameters.a-b}}"),
    rule("no-expressions", "nothing is computed", "{{job.id + 1}}", "{{job.id + 1}}"),
    rule("text", "text without references is kept", "no reference", "no reference"),
]

REFUSED = [
    rule(
        "member.job",
        "an unknown member of a known namespace is an error",
        "{{job.notebook_url}}",
        "one of `job.id`, `job.name`, `job.run_id`, `job.repair_count`",
    ),
    rule(
        "member.parameter",
        "the legal names are listed",
        "{{job.parameters.dya}}",
        "one of `job.parameters.day`, `job.parameters.a-b`",
    ),
    rule(
        "member.time",
        "parts of times",
        "{{job.start_time.week}}",
        "`job.start_time.iso_weekday`, `job.start_time.is_weekday`",
    ),
    rule(
        "member.trigger",
        "parts of triggers",
        "{{job.trigger.name}}",
        "one of `job.trigger.type`, `job.trigger.time`, `job.trigger.file_arrival`, `job.trigger.table_update`.",
    ),
    rule("member.task", "members of the task", "{{task.id}}", "one of `task.name`, `task.run_id`"),
    rule(
        "member.tasks",
        "tasks that are not upstream",
        "{{tasks.gold.run_id}}",
        "a task upstream: one of `tasks.bronze`, `tasks.query`",
    ),
    rule(
        "member.of-task", "members of a task", "{{tasks.bronze.rows}}", "`tasks.bronze.values`, `tasks.bronze.output`."
    ),
    rule(
        "member.value",
        "task values",
        "{{tasks.bronze.values.nothing}}",
        "one of `tasks.bronze.values.rows`, `tasks.bronze.values.name`",
    ),
    rule(
        "member.output",
        "the output of a task that is not a SQL task",
        "{{tasks.bronze.output.rows}}",
        "it only of an SQL task that has returned rows",
        UNDOCUMENTED,
    ),
    rule(
        "member.column",
        "columns of an output",
        "{{tasks.query.output.first_row.m}}",
        "one of `tasks.query.output.first_row.n`, `tasks.query.output.first_row.city`",
        UNDOCUMENTED,
    ),
    rule(
        "member.input",
        "fields of an input",
        "{{input.town}}",
        "one of `input.city`, `input.size`, `input.deep`",
        FOR_EACH,
    ),
    rule(
        "member.backfill",
        "parts of times",
        "{{backfill.week}}",
        "one of `backfill.iso_weekday`, `backfill.is_weekday`",
        BACKFILL,
    ),
    rule(
        "member.workspace", "members of the workspace", "{{workspace.name}}", "one of `workspace.id`, `workspace.url`"
    ),
]
