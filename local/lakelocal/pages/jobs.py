"""Jobs in a list, and one job with its form: what starts it, when it runs next, and how its last runs ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakelocal.pages.runs import RunLine

LAST_RUNS = 10


@dataclass(frozen=True)
class JobView:
    """A job.

    *trigger* is in words, *next_ms* its next firing (epoch ms), None if there is none. *pause*: "pause" or
    "unpause" if the page offers that. *parameters* are the defaults. *wrong* says why the job cannot run.
    """

    href: str
    name: str
    key: str
    origin: str
    tasks: Sequence[str]
    parameters: Mapping[str, str]
    trigger: str
    next_ms: int | None
    last: Sequence[RunLine]
    pause: str = ""
    wrong: str = ""
