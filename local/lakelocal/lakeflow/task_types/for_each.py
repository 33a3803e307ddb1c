"""`for_each_task`: another task, once for each element of a list. Source: Jobs API 2.2, `ForEachTask`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.lakeflow.field_values import has_reference
from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.task_types.task_type import VALUES, Inner, TaskType
from lakelocal.lakeflow.verdicts import HONOURED, for_fields

LONGEST_INPUT = 40


def literal_inputs(inputs: Any) -> list[Any] | None:
    """The *inputs* of a for-each task; None if a reference provides them."""
    try:
        found = json.loads(inputs) if isinstance(inputs, str) else inputs
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def input_text(value: object) -> str:
    """The input of an iteration for people: `Recife`, `city=Recife, n=2`, or as JSON; at most forty characters."""
    if isinstance(value, Mapping):
        text = ", ".join(f"{name}={each}" for name, each in value.items())
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_INPUT else text[: LONGEST_INPUT - 1] + "…"


def _check(inner: Inner) -> Iterator[Finding]:
    """Findings for inputs, and for dependencies inside."""
    inputs = str(inner.get("inputs", "[]"))
    if not has_reference(inputs) and literal_inputs(inputs) is None:
        yield Finding(
            Where(path=("inputs",)),
            "for-each-inputs",
            f"`{inputs}` as `inputs`",
            'a JSON array, such as `["a", "b"]`, or a reference, such as `{{tasks.T.values.K}}`',
            "Correct the text.",
        )
    nested = inner.get("task") or {}
    if nested.get("depends_on"):
        found, expected = "`depends_on` in the task of a for-each task", "dependencies of the for-each task itself"
        yield Finding(Where(path=("task", "depends_on")), "useless-setting", found, expected, "Move them up.")


FOR_EACH = TaskType(
    "for_each_task",
    fields={"": (HONOURED, ""), **for_fields("", "inputs concurrency task", HONOURED)},
    operands=("inputs",),
    leaves=frozenset({VALUES}),
    check=_check,
)
