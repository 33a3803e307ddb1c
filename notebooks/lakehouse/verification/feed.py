"""What a verification delivers again: the events of a feed, how tables are made of them, what these should hold."""

import inspect
import json
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakehouse.cdc import apply_changes
from lakehouse.cdc.flow import make_flow
from lakehouse.errors import ParameterError

KINDS = {"current": 1, "history": 2}  # the SCD types
_OWN = ("source", "target", "stored_as_scd_type")
_ARGUMENTS = [name for name in inspect.signature(apply_changes).parameters if name != "spark"]


@dataclass(frozen=True)
class VerifiedFeed:
    """The events of one entity, and how its tables are made of them.

    *arguments* are those of `apply_changes` except source, target and type. *truth* has the expected rows by kind
    (`current`, `history`), as text; *made* has the tables that the pipeline made, by kind. *kinds* are those to verify.
    """

    name: str
    source: str
    arguments: dict[str, Any]
    truth: dict[str, DataFrame] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = tuple(KINDS)

    @property
    def keys(self) -> list[str]:
        keys: list[str] = self.arguments["keys"]
        return keys

    @property
    def truncates(self) -> bool:
        return bool(self.arguments.get("apply_as_truncates"))


def feed_of_call(spark: SparkSession, call: str) -> VerifiedFeed:
    """The feed that a call of `apply_changes` reads.

    Args:
        call: the arguments of the call as a JSON object. *target* is the table that it made, compared with a single
            batch; it may be omitted. *truth*, the name of a table with the rows that the target should have, may be
            added.

    Raises:
        ParameterError: *call* is not JSON, or not the arguments of a call.
        ChangeArgumentsError: some arguments exclude each other.
    """
    given = _parsed(call)
    expected = [*_ARGUMENTS, "truth"]
    if unknown := [name for name in given if name not in expected]:
        raise _unfit(f"`{unknown[0]}`", f"names of {', '.join(f'`{name}`' for name in expected)}")
    if missing := [name for name in ("source", "keys", "sequence_by") if name not in given]:
        raise _unfit(f"no `{missing[0]}`", "it, as the call has it")
    truth = given.pop("truth", None)
    make_flow(**{"target": "the feed", **given})
    name = given["source"].split(".")[-1].strip("`")
    kind = "history" if given.get("stored_as_scd_type") == 2 else "current"
    return VerifiedFeed(
        name=name if name.isidentifier() else "feed",
        source=given["source"],
        arguments={name: value for name, value in given.items() if name not in _OWN},
        truth={kind: spark.table(truth)} if truth else {},
        made={kind: given["target"]} if "target" in given else {},
        kinds=(kind,),
    )


def _parsed(call: str) -> dict[str, Any]:
    try:
        given = json.loads(call)
    except json.JSONDecodeError as error:
        raise _unfit(f"`{call}`, {error}", "the arguments of a call as a JSON object") from None
    if not isinstance(given, dict):
        raise _unfit(f"`{call}`", "a JSON object, as " + '{"source": "...", "keys": ["..."], "sequence_by": "..."}')
    return given


def _unfit(found: str, expected: str) -> ParameterError:
    return ParameterError(f"Parameter `feed`: found {found}; expected {expected}. Correct it.", parameter="feed")
