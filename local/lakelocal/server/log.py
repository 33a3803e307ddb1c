"""Why a server did not start or has ended, from its log: one reason and the next step, never a stack trace."""

import re
from dataclasses import dataclass
from pathlib import Path

from lakelocal.program import RESET, SET_UP

OUT_OF_MEMORY = "java.lang.OutOfMemoryError"


@dataclass(frozen=True)
class StartFailure:
    """What the user needs to know about a log."""

    text: str
    next_step: str
    port_in_use: bool = False
    crash: bool = False  # of Java itself


KNOWN = (
    (
        r"BindException|Address already in use",
        StartFailure("the port was taken meanwhile", "Try again.", port_in_use=True),
    ),
    (
        r"XSDB6|Another instance of Derby",
        StartFailure(
            "another server still holds the metastore of this state folder",
            "End that Java process (its command line names the folder), then try again.",
        ),
    ),
    (
        r"No space left on device",
        StartFailure("the disk is full", "Free some space, or move the state with LOCAL_STATE."),
    ),
    (
        r"fatal error has been detected by the Java Runtime",
        StartFailure("Java itself crashed", "Try again; if it stays so, set JAVA_HOME to another Java.", crash=True),
    ),
    (
        r"OutOfMemoryError|Could not reserve enough space|insufficient memory",
        StartFailure(
            "there is not enough memory for it", "Set LOCAL_MEMORY to less (for example 1g), or close something."
        ),
    ),
    (
        r"Invalid maximum heap size|Unrecognized (VM )?option",
        StartFailure("Java refuses the options", "Check LOCAL_MEMORY and JAVA_HOME."),
    ),
    (
        r"ClassNotFoundException|NoClassDefFoundError|NoSuchMethodError",
        StartFailure("a jar is missing or of another version", f"Run `{SET_UP}`."),
    ),
    (
        r"XJ040|XBM0H|ERROR XSDG|ERROR XSLA",
        StartFailure("the metastore is damaged", f"`{RESET}` deletes all."),
    ),
)


def ran_out_of_memory(place: Path) -> bool:
    """Does the log at *place* say that the memory of the server was used up? Spark then ends it."""
    return OUT_OF_MEMORY in _text(place)


def reason(place: Path) -> StartFailure:
    """The reason in the log at *place*: a known one, otherwise its last line that mentions an error."""
    text = _text(place)
    for pattern, known in KNOWN:
        if re.search(pattern, text):
            return known
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("at ")]
    errors = [line for line in lines if re.search(r"exception|error", line, re.IGNORECASE)]
    last = (errors or lines or ["it ended without a word"])[-1]
    return StartFailure(last[:300], "Look at the log for more.")


def _text(place: Path) -> str:
    return place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
