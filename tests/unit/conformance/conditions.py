"""Condition tasks: (op, left, right) -> "true", "false", or None if the task fails."""

from conformance import CONDITIONS, UNDOCUMENTED, Rule

API = "Jobs API: ConditionTaskOp"
RULES = [
    Rule("conditions.equal.texts", "EQUAL_TO compares text", API, ("EQUAL_TO", "12.0", "12", "false")),
    Rule("conditions.equal.same", "equal texts are equal", API, ("EQUAL_TO", "a", "a", "true")),
    Rule(
        "conditions.equal.case",
        "the comparison is sensitive to case and blanks",
        API,
        ("EQUAL_TO", "True ", "true", "false"),
    ),
    Rule(
        "conditions.equal.boolean-value",
        'a task value True is the text "true"',
        API,
        ("EQUAL_TO", "true", "true", "true"),
    ),
    Rule("conditions.not-equal.texts", "NOT_EQUAL compares text", API, ("NOT_EQUAL", "12.0", "12", "true")),
    Rule("conditions.not-equal.empty", "an empty text is text", API, ("NOT_EQUAL", "", "", "false")),
    Rule("conditions.greater.numbers", "GREATER_THAN compares numbers", API, ("GREATER_THAN", "10", "9", "true")),
    Rule("conditions.greater.equal", "equal is not greater", API, ("GREATER_THAN", "12.0", "12", "false")),
    Rule("conditions.greater-or-equal.equal", '"12.0" >= "12"', API, ("GREATER_THAN_OR_EQUAL", "12.0", "12", "true")),
    Rule("conditions.greater-or-equal.less", '"10.0" >= "12"', API, ("GREATER_THAN_OR_EQUAL", "10.0", "12", "false")),
    Rule("conditions.less.negative", "numbers may have signs and exponents", API, ("LESS_THAN", "-1e3", "0", "true")),
    Rule("conditions.less-or-equal.equal", "equal is less or equal", API, ("LESS_THAN_OR_EQUAL", "7", "7.00", "true")),
    Rule(
        "conditions.less.big",
        "numbers keep all their digits",
        API,
        ("LESS_THAN", "9007199254740992", "9007199254740993", "true"),
    ),
    Rule(
        "conditions.no-number",
        "text fails the task if numbers are compared",
        CONDITIONS,
        ("GREATER_THAN", "ten", "9", None),
    ),
    Rule("conditions.nan", "NaN is not a number", CONDITIONS, ("LESS_THAN", "NaN", "9", None)),
    Rule("conditions.empty-number", "an empty text is not a number", CONDITIONS, ("LESS_THAN", "", "9", None)),
    Rule("conditions.list", "a list operand fails the task", UNDOCUMENTED, ("EQUAL_TO", '["a"]', '["a"]', None)),
    Rule("conditions.unknown-op", "an unknown operator fails the task", API, ("LIKE", "a", "a", None)),
]
