"""The arguments of a call, checked for consistency before any table is looked at."""

from dataclasses import dataclass
from typing import Any, NoReturn

from .errors import ChangeArgumentsError, ChangeSourceError


@dataclass(frozen=True)
class Flow:
    """The arguments of one call, under the names of Databricks' `create_auto_cdc_flow`.

    Empty lists are equivalent to omitted ones. *source* is the name of a table, or what stands for it in messages.
    """

    source: str
    target: str
    keys: tuple[str, ...]
    sequence_by: tuple[str, ...] = ()
    apply_as_deletes: str | None = None
    apply_as_truncates: str | None = None
    column_list: tuple[str, ...] = ()
    except_column_list: tuple[str, ...] = ()
    stored_as_scd_type: int = 1
    track_history_column_list: tuple[str, ...] = ()
    track_history_except_column_list: tuple[str, ...] = ()
    ignore_null_updates: bool = False

    @property
    def keeps_history(self) -> bool:
        return self.stored_as_scd_type == 2


_LISTS = (
    "keys",
    "column_list",
    "except_column_list",
    "track_history_column_list",
    "track_history_except_column_list",
)
_EXCLUSIVE = (
    ("column_list", "except_column_list"),
    ("track_history_column_list", "track_history_except_column_list"),
)


def make_flow(**arguments: Any) -> Flow:
    """The checked arguments of a call, under the names of `Flow`'s fields.

    Raises:
        ChangeArgumentsError: an argument is of the wrong kind, or two of them exclude each other.
    """
    target = arguments["target"]
    for name in ("source", "target"):
        if not isinstance(arguments[name], str) or not arguments[name]:
            refuse(target, f"`{name}={arguments[name]!r}`", "the name of a table", "Give it as text")
    for name in _LISTS:
        arguments[name] = _names(target, name, arguments.get(name))
    sequence = arguments.get("sequence_by", ())
    if "sequence_by" in arguments:
        sequence = _names(target, "sequence_by", [sequence] if isinstance(sequence, str) else sequence)
        if not sequence:
            refuse(target, "no `sequence_by`", "the column, or columns, that order the events", "Name it")
    arguments["sequence_by"] = sequence
    for name in ("apply_as_deletes", "apply_as_truncates"):
        if not isinstance(arguments.get(name), str | None):
            refuse(target, f"`{name}={arguments[name]!r}`", "a SQL condition", "Give it as text")
    if not isinstance(arguments.get("ignore_null_updates", False), bool):
        found = f"`ignore_null_updates={arguments['ignore_null_updates']!r}`"
        refuse(target, found, "True or False", "Choose one")
    flow = Flow(**arguments)
    _check_together(flow)
    return flow


def _names(target: object, argument: str, given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) and one for one in given):
        refuse(target, f"`{argument}={given!r}`", "a list of column names", f"Write `{argument}=[...]`")
    names = tuple(given)
    lower = [name.lower() for name in names]
    if twice := sorted({name for name in lower if lower.count(name) > 1}):
        refuse(target, f"the column `{twice[0]}` twice in `{argument}`", "it once", "Remove one")
    return names


def _check_together(flow: Flow) -> None:
    if not flow.keys:
        refuse(flow.target, "no `keys`", "the columns that identify a row", "Name at least one")
    if flow.stored_as_scd_type not in (1, 2) or isinstance(flow.stored_as_scd_type, bool):
        refuse(flow.target, f"`stored_as_scd_type={flow.stored_as_scd_type!r}`", "1 or 2", "Choose one")
    for one, other in _EXCLUSIVE:
        if getattr(flow, one) and getattr(flow, other):
            refuse(flow.target, f"both `{one}` and `{other}`", "one of them", "Remove the other")
    if not flow.keeps_history:
        for name in _EXCLUSIVE[1]:
            if getattr(flow, name):
                refuse(flow.target, f"`{name}` with SCD type 1", "it with `stored_as_scd_type=2` only", "Remove it")
    if flow.keeps_history and flow.apply_as_truncates:
        refuse(flow.target, "`apply_as_truncates` with SCD type 2", "it with SCD type 1 only", "Remove it")


def refuse(target: object, found: str, expected: str, advice: str) -> NoReturn:
    """Raise an error for arguments that cannot be used.

    Raises:
        ChangeArgumentsError: always.
    """
    raise ChangeArgumentsError(f"`{target}`: found {found}; expected {expected}. {advice}.", table=target)


def no_source(flow: Flow, expected: str = "the change events") -> ChangeSourceError:
    """The error for a source that does not exist."""
    return ChangeSourceError(
        f"`{flow.target}`: found no table `{flow.source}`; expected {expected}. Create it first.", table=flow.source
    )
