"""Finds out how a user's function failed in a Spark worker, from the text of Spark's error.

Spark puts the Python traceback into its message: after a name and some text, with its own frames between those of the
user, and followed by a state, Java frames or a plan.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_BEGIN = "Traceback (most recent call last):\n"
_CRASHED = "Python worker exited unexpectedly"
_WORKER_DIED = (
    "a worker process died while it ran a Python function; most likely it was killed because the machine had run out "
    "of memory. Let the function process fewer rows at a time."
)
_END = re.compile(r"\n\tat |\n?\s*SQLSTATE: |\n=== Streaming Query ===|\n\s*JVM stacktrace|\n\s*Driver stacktrace")
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+), in .*\n(?P<source>(?:    .*\n)?)(?:    .*\n)*')
_INTERNAL_FRAME = re.compile(r"/pyspark/(?!tests)|/lakelocal/|^pyarrow/|^<frozen ")


@dataclass(frozen=True)
class Frame:
    """A place in the user's code; *source* is the line there, "" if the worker could not read it."""

    file: str
    line: int
    source: str

    def __str__(self) -> str:
        return f"{Path(self.file).name}, line {self.line}"


@dataclass(frozen=True)
class WorkerFailure:
    """The user's frames, outermost first, and the class and message of the error; Spark's own frames are left out."""

    frames: tuple[Frame, ...]
    error: str

    def __str__(self) -> str:
        return self.told()

    def told(self, code: str = "") -> str:
        """The error and where it was raised; *code* is the line of a cell, which a worker cannot read."""
        error = " ".join(self.error.split())
        if not self.frames:
            return error
        place = self.frames[-1]
        code = place.source or code
        line = f", in `{code}`" if code and not code.startswith("raise") else ""
        file = ("" if code else "a cell, ") if is_cell(place.file) else f"{place}, "
        return f"{error}{line} ({file}in a function that Spark ran)"


def is_cell(file: str) -> bool:
    """Is *file* the name that IPython gives to a cell?"""
    return "ipykernel_" in file


def failure_in_worker(text: str) -> WorkerFailure | None:
    """The failure that the message *text* of Spark describes; None if it is about something else."""
    _, found, rest = text.partition(_BEGIN)
    if not found:
        return WorkerFailure((), _WORKER_DIED) if _CRASHED in text else None
    rest = _END.split(rest + "\n", maxsplit=1)[0].rstrip() + "\n"
    last = rest.rpartition(_BEGIN)[2]  # if an error was raised while another was handled, the one that was raised last
    frames = [
        Frame(found["file"], int(found["line"]), found["source"].strip())
        for found in _FRAME.finditer(last)
        if not _INTERNAL_FRAME.search(found["file"])
    ]
    error = _FRAME.sub("", last).strip()
    return WorkerFailure(tuple(frames), re.sub(r"^(?:lakelocal|pyspark)\.[\w.]+\.(?=\w+: )", "", error))
