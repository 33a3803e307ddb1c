"""Expectations, as part of the write: each row is checked once, on its way to the table.

A condition is violated unless it is true, even if it is NULL. A row is dropped if it violates any rule that drops;
rules that only warn are counted for the rows that are kept. The first row that violates a rule that fails ends the
write, which then commits nothing.

Source: Databricks documentation, "Manage data quality with pipeline expectations"; how NULL and dropped rows count is
not documented there, but was measured.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lakelocal.lakeflow.update_progress import Counts, RuleCount
from lakelocal.pipelines.definitions import Action, Expectation
from lakelocal.pipelines.session import OWN

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

VIOLATED = "EXPECTATION_VIOLATION"
_NAMES = "Violated expectations: "
_ROWS, _DROPPED = "rows", "dropped"
_RULE = "rule_{}"


def observation(dataset: str, reader: str = OWN) -> str:
    """The name of the observation that counts the rules of *dataset* in a query of the flow *reader*."""
    return f"pipeline:{dataset}:{reader}"


def with_rules(frame: "DataFrame", rules: Sequence[Expectation], name: str, flow: str) -> "DataFrame":
    """*frame* with its rows checked by *rules* and counted under *name*; the error of a violated rule names *flow*."""
    from pyspark.sql import functions as F

    kept = [rule for rule in rules if rule.action is not Action.FAIL]
    failing = [rule for rule in rules if rule.action is Action.FAIL]
    if failing:
        frame = frame.where(_all_hold(failing, flow))
    dropping = [_holds(rule) for rule in kept if rule.action is Action.DROP]
    stays = F.lit(True)
    for each in dropping:
        stays = stays & each
    counted = [F.count(F.lit(1)).alias(_ROWS), F.count_if(~stays).alias(_DROPPED)]
    for number, rule in enumerate(kept):
        violated = ~_holds(rule) & (stays if rule.action is Action.WARN else F.lit(True))
        counted.append(F.count_if(violated).alias(_RULE.format(number)))
    frame = frame.observe(name, *counted)
    return frame.where(stays) if dropping else frame


def _holds(rule: Expectation) -> "Column":
    from pyspark.sql import functions as F

    condition = F.expr(rule.condition) if isinstance(rule.condition, str) else rule.condition
    return F.coalesce(condition.cast("boolean"), F.lit(False))


def _all_hold(rules: Sequence[Expectation], flow: str) -> "Column":
    """True if all *rules* hold; otherwise, evaluating it raises an error that names those that do not."""
    from pyspark.sql import functions as F

    holds = F.lit(True)
    names = []
    for rule in rules:
        holds = holds & _holds(rule)
        names.append(F.when(~_holds(rule), F.lit(rule.name)))
    message = F.concat(
        F.lit(f"[{VIOLATED}.VERBOSITY_ALL] Flow '{flow}' failed to meet the expectation. {_NAMES}'"),
        F.concat_ws(", ", *names),
        F.lit("'. Output record: '"),
        F.to_json(F.struct("*"), {"ignoreNullFields": "false"}),
        F.lit("'."),
    )
    return F.when(holds, F.lit(True)).otherwise(F.raise_error(message).cast("boolean"))


def violation_in(error: str) -> str:
    """The text about a row that violates rules that fail, in the text of an *error* of Spark; "" if there is none.

    The error of a stream also has its plan, which contains the expression that the text is made by.
    """
    for found in re.finditer(rf"\[{VIOLATED}", error):
        text = error[found.start() :]
        if not text.partition(_NAMES)[2].startswith("', concat"):
            end = text.find("'.", text.find("Output record: '"))
            return text[: end + 2] if end >= 0 else text
    return ""


def counters(observed: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the server *observed* in a batch of a stream, by counter.

    For a stream, Spark Connect returns the values as a list beside their schema, in the order of the counters.
    """
    if "values" not in observed:
        return dict(observed)
    values = list(observed["values"])
    return dict(
        zip([_ROWS, _DROPPED, *(_RULE.format(number) for number in range(len(values) - 2))], values, strict=True)
    )


def counts_of(
    rules_by_dataset: Mapping[str, Sequence[Expectation]], target: str, flow: str, batches: Iterable[Mapping[str, Any]]
) -> Counts:
    """The counts of *flow* into the dataset *target*; *batches* has the values of each batch, by observation.

    *rules_by_dataset* are the rules of the target and of the views that the flow reads.
    """
    sums: dict[tuple[str, str], int] = {}
    for batch in batches:
        for dataset in {target, *rules_by_dataset}:
            for counter, value in (batch.get(observation(dataset, flow)) or {}).items():
                sums[dataset, counter] = sums.get((dataset, counter), 0) + int(value)
    rules: list[RuleCount] = []
    dropped = 0
    for dataset, given in rules_by_dataset.items():
        seen, lost = sums.get((dataset, _ROWS), 0), sums.get((dataset, _DROPPED), 0)
        dropped += lost
        for number, rule in enumerate(each for each in given if each.action is not Action.FAIL):
            failed = sums.get((dataset, _RULE.format(number)), 0)
            came = seen if rule.action is Action.DROP else seen - lost
            rules.append(RuleCount(rule.name, dataset, came - failed, failed))
        own = [rule for rule in given if rule.action is Action.FAIL]
        rules += [RuleCount(rule.name, dataset, seen, 0) for rule in own]
    written = sums.get((target, _ROWS), 0) - sums.get((target, _DROPPED), 0)
    return Counts(written, dropped, tuple(rules))
