"""References in the fields of a job, checked before anything runs: what a member is called is known by then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.errors import UsageError
from local.jobs.references import Absent, Scope, Upstream, resolve_all

_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """What a field may name: the *parameters* of the job, and the *tasks* before its own, key to notebook.

    *scheduled*, *backfill*: whether the run has such a time. *nested*: whether a for-each task gives an input.
    """

    parameters: Mapping[str, str]
    tasks: Mapping[str, str]
    scheduled: bool = False
    backfill: bool = False
    nested: bool = False


def check_references(value: Any, known: Known, *, where: str) -> None:
    """Refuse unknown members in *value*, a text or a list or mapping of texts.

    Raises:
        UsageError: naming *where*, the reference and the legal names.
    """
    anything = _Anything()
    upstream = {
        key: Upstream(0, "SUCCESS", 1, notebook, anything, rows=(anything,)) for key, notebook in known.tasks.items()
    }
    scope = Scope(
        0,
        "",
        0,
        0,
        parameters=known.parameters,
        task_key="t",
        tasks=upstream,
        scheduled=_SOME_TIME if known.scheduled else None,
        backfill=_SOME_TIME if known.backfill else None,
        input=anything if known.nested else Absent,
    )
    try:
        resolve_all(value, scope)
    except LookupError as error:
        raise UsageError(f"{where}: {error.args[0]}. Correct the reference.") from error


class _Anything(dict):
    """Task values, rows and inputs before the run: any key may come, at any depth."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> "_Anything":
        return _Anything()
