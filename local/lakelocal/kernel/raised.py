"""Where an error was raised in the user's code, and the values that this code worked with.

`ValueError: month must be in 1..12` says what is wrong, but not with which value. So an error gets a note, which stands
below its message in the notebook and becomes part of the reason of the run: the line that raised it, its file where
that is a module, and the values of its variables. Names that sound like a secret are left out; secrets that
`dbutils.secrets` has read are redacted in all outputs.
"""

import ast
import datetime
import decimal
import enum
import itertools
import linecache
import pathlib
import re
import textwrap
import traceback
import uuid
from collections.abc import Iterator, Mapping
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from lakelocal.kernel.failures import is_users
from lakelocal.spark_errors.in_worker import is_cell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

NOTE = "raised in "
"""The beginning of the note, by which the attempt finds it."""
_PROGRAMS = ("run_script(", "run_entry_point(")  # the cells that are made for a Python file or a wheel
_LINE_LENGTH, _VALUE_LENGTH, _MOST = 100, 60, 4
_PLAIN = (bool, int, float, str, bytes, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)
_PLAIN_TOO = (enum.Enum, pathlib.PurePath, uuid.UUID, type(None))
_SECRET = re.compile(
    r"password|passwd|passphrase|\bpass\b|pwd|secret|token|credential|api_?key|private_?key", re.IGNORECASE
)
_LOGIN = re.compile(r"://[^/@\s]+@")  # of a URL, with a password


def add_notes(ip: "InteractiveShell") -> None:
    """Let each error that *ip* shows have its note, and groups of errors be shown as errors.

    IPython prints a group, so that its notebook would have no error, only text.
    """
    show = ip.showtraceback

    def showtraceback(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        try:
            _, error, trace = ip._get_exc_info(exc_tuple)
        except ValueError:  # there is no error, which IPython says
            show(exc_tuple, *args, **kwargs)
            return
        if isinstance(error, Exception) and (text := note(trace)) not in ("", *getattr(error, "__notes__", ())):
            error.add_note(text)
        if isinstance(error, BaseExceptionGroup):
            ip._showtraceback(type(error), in_one_line(error), traceback.format_exception(error))
        else:
            show(exc_tuple, *args, **kwargs)

    ip.showtraceback = showtraceback  # type: ignore[method-assign]  # ipykernel calls it for every error


def in_one_line(error: BaseException) -> str:
    """`2 of 3 cities (2 sub-exceptions): ValueError: no file; KeyError: 'Recife'`: a group with what it holds."""
    if not isinstance(error, BaseExceptionGroup):
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    return f"{error}: {'; '.join(in_one_line(each) for each in error.exceptions)}"


def note(trace: TracebackType | None) -> str:
    """The note for an error with *trace*; empty where the user's own words say it: `raise`, or `assert` with a text."""
    place = _raised_at(trace)
    if place is None or _is_told(place.line) or _is_told(place.expression):
        return ""
    where = "" if is_cell(place.file) else f" (line {place.number} of {pathlib.Path(place.file).name})"
    told = ", ".join(itertools.islice(_values(place), _MOST))
    return f"{NOTE}`{place.line}`{where}{f' where {told}' if told else ''}"


class _Place(NamedTuple):
    """The code that raised an error: *line* as it is shown, the whole *source* of the line, and the *expression* in it
    that Python was evaluating.
    """

    file: str
    number: int
    line: str
    source: str
    expression: str
    frame: FrameType


def _raised_at(trace: TracebackType | None) -> _Place | None:
    """The last place in the user's code; where a wheel was called by its entry point, the last one in the wheel."""
    places = [
        _place(step.tb_frame, number, step.tb_lasti)
        for step, (_, number) in zip(_steps(trace), traceback.walk_tb(trace), strict=True)
        if is_users(step.tb_frame.f_code.co_filename)
    ]
    own = [place for place in places if not place.line.startswith(_PROGRAMS)]
    written = [place for place in own if not _is_installed(place.file)]
    return next(reversed(written or own), None)


def _steps(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _place(frame: FrameType, number: int, instruction: int) -> _Place:
    file = frame.f_code.co_filename
    source = linecache.getline(file, number, frame.f_globals).strip()
    expression = _expression(frame, instruction)
    told = source if expression in source and len(source) <= _LINE_LENGTH else expression
    return _Place(file, number, textwrap.shorten(told, _LINE_LENGTH, placeholder=" ..."), source, expression, frame)


def _expression(frame: FrameType, instruction: int) -> str:
    """The source of what *frame* was evaluating, on one line; of several lines, the indentation is left out."""
    first, last, start, end = next(itertools.islice(frame.f_code.co_positions(), instruction // 2, None))
    if first is None or last is None:
        return ""
    lines = [linecache.getline(frame.f_code.co_filename, each, frame.f_globals) for each in range(first, last + 1)]
    found = [line.encode() for line in lines]  # columns count bytes
    found[-1] = found[-1][:end]
    found[0] = found[0][start:]
    return " ".join(part.decode(errors="replace").strip() for part in found)


def _is_told(code: str) -> bool:
    """Does *code* say itself what is wrong?"""
    if re.match(r"raise\b", code):  # the statement may continue in the next line
        return True
    return any(isinstance(each, ast.Assert) and each.msg is not None for each in _parsed(code))


def _is_installed(file: str) -> bool:
    """Does *file* belong to a package that `%pip` or the task has installed?"""
    return any(next(folder.glob("*.dist-info"), None) for folder in pathlib.Path(file).parents[:4])


def _values(place: _Place) -> Iterator[str]:
    """What the variables in the expression are, then the others of its line: `day = '2024-13-01'`."""
    known = {**place.frame.f_globals, **place.frame.f_locals}
    for name in dict.fromkeys((*_names(place.expression), *_names(place.source))):
        if name in known and not _SECRET.search(name) and (told := _described(name, known[name])):
            yield told


def _names(code: str) -> list[str]:
    """The variables that *code* reads, in their order; none where it is only a part of a statement."""
    nodes = (node for statement in _parsed(code) for node in ast.walk(statement))
    found = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return list(dict.fromkeys(node.id for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))))


def _parsed(code: str) -> list[ast.stmt]:
    try:
        return ast.parse(code).body
    except (SyntaxError, ValueError):
        return []


def _described(name: str, value: object) -> str:
    """*value* in a few words: itself if it is simple, the names in it or its number of entries; otherwise empty."""
    if isinstance(value, (*_PLAIN, *_PLAIN_TOO)) or _is_small(value):
        return f"{name} = {_short(value)}"
    if type(value).__module__.startswith("pandas.") and hasattr(value, "columns"):
        return f"{name} has the columns {_some(list(value.columns))}"
    if isinstance(value, Mapping) and type(value).__module__ in ("builtins", "collections"):
        return f"{name} has the keys {_some(list(value))}"
    if isinstance(value, list | tuple | set | frozenset):
        return f"{name} has {len(value)} entries"
    return ""


def _is_small(value: object) -> bool:
    """Is *value* a collection of a few plain values, none of which sounds like a secret?"""
    if not isinstance(value, dict | list | tuple | set | frozenset) or len(value) > _MOST:
        return False
    parts = [*value, *value.values()] if isinstance(value, dict) else list(value)
    text = repr(value) if all(isinstance(part, (*_PLAIN, *_PLAIN_TOO)) for part in parts) else ""
    return 0 < len(text) <= _VALUE_LENGTH and not _SECRET.search(text)


def _some(values: list[Any]) -> str:
    more = f" and {len(values) - _MOST} more" if len(values) > _MOST else ""
    return ", ".join(_short(each) for each in values[:_MOST]) + more


def _short(value: object) -> str:
    text = _LOGIN.sub("://…@", " ".join(repr(value).split()))
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"
