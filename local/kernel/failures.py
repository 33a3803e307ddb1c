"""How the errors of Spark and of the emulator show in a notebook: where in the user's code, then what is wrong.

IPython's full traceback would be fifty frames of Spark's client and of the emulator, which help nobody.
"""

import linecache
import sysconfig
import traceback
from pathlib import Path

_OURS = Path(__file__).resolve().parents[1]
_LIBRARIES = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")}


def install(errors: type[Exception]) -> None:
    """Let IPython show *errors* this way; it asks each error for this method."""
    errors._render_traceback_ = render


def render(error: Exception) -> list[str]:
    """The lines to show for *error*: the user's frames, outermost first, then class and message."""
    lines = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if _is_users(file):
            source = linecache.getline(file, number, frame.f_globals).strip()
            lines.append(f"{_shown(file)}, line {number}: {source}")
    return [*lines, f"{type(error).__name__}: {error}"]


def spark_message(error: Exception) -> str:
    """What Spark says in *error*, as one line without the plan and the Java frames that may follow it."""
    text, lines = str(error), []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith(("at ", "JVM stacktrace")):
            break
        lines.append(line.strip())
    return " ".join(lines) or text[:300]


def _is_users(file: str) -> bool:
    if file.startswith("<"):
        return False
    place = Path(file).resolve()
    return not any(place.is_relative_to(folder) for folder in (_OURS, *_LIBRARIES))


def _shown(file: str) -> str:
    return "this cell" if "ipykernel_" in file else Path(file).name
