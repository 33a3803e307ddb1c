"""How a notebook shows errors of Spark and of the emulator: first the place in the user's code, then the message.
IPython's full traceback would have fifty frames of Spark's client and of the emulator, which help nobody.
"""

import linecache
import sysconfig
import traceback
from pathlib import Path

from lakelocal.spark_errors.in_worker import failure_in_worker, is_cell

OUTPUT_IS_ABOVE = "Its output is above."
"""The end of a message whose reason is in the output of the cell; the runner replaces it by the output's last line."""
IN_WORKER = "in the function that Spark ran:"
"""Stands above the user's frames in a Spark worker."""
_OURS = Path(__file__).resolve().parents[1]
_LIBRARIES = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")}


def install(errors: type[Exception]) -> None:
    """Let IPython show *errors* this way."""
    errors._render_traceback_ = render  # type: ignore[attr-defined]  # IPython looks for this method in each error


def render(error: Exception) -> list[str]:
    """The lines to show for *error*: the user's frames, outermost first, then its class and message.

    If a function of the user has failed in a Spark worker, the frames and the error of the function are shown.
    """
    lines = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if is_users(file):
            source = linecache.getline(file, number, frame.f_globals).strip()
            lines.append(f"{_shown(file)}, line {number}: {source}")
    if failure := failure_in_worker(str(error)):
        lines.append(IN_WORKER)
        for place in failure.frames:  # without their source if they are in a cell, which a worker cannot read
            source = place.source or linecache.getline(place.file, place.line).strip()
            lines.append(f"{_shown(place.file)}, line {place.line}: {source}")
        return [*lines, f"{type(error).__name__}: {failure.error}"]
    return [*lines, f"{type(error).__name__}: {error}"]


def is_users(file: str) -> bool:
    """Is *file* a cell, or code that belongs neither to the emulator nor to the environment?"""
    if file.startswith("<"):
        return False
    place = Path(file).resolve()
    return not any(place.is_relative_to(folder) for folder in (_OURS, *_LIBRARIES))


def _shown(file: str) -> str:
    return "this cell" if is_cell(file) else Path(file).name
