"""The door from the runner to an attempt: what a process that was started ahead is told, and how it becomes that.

The other door, from an attempt to its kernel, is `lakelocal.context`.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Order:
    """One attempt.

    *output* is the notebook that it writes, *log* the file for what it and its kernel print outside of cells.
    *environment* is added to the runner's and names the attempt's context. *mark* tells its processes from others (see
    `lakelocal.processes`).
    """

    output: str
    log: str
    mark: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> bytes:
        """The order as one line of JSON."""
        return to_line(asdict(self))

    @classmethod
    def of(cls, line: bytes) -> "Order":
        """The order whose line this is."""
        return cls(**json.loads(line))

    def settle(self) -> None:
        """Give this process the log and the environment of the order."""
        log_to(self.log)
        os.environ.update(self.environment)


def log_to(file: str) -> None:
    """Append standard error to *file*, where one is named."""
    if file:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(descriptor, 2)
        os.close(descriptor)


def leave_folder() -> None:
    """Take the folder that `python -m` was called in from the path of imports: a notebook has its own there."""
    if sys.path[0] in ("", os.getcwd()):
        del sys.path[0]


def to_line(content: Mapping[str, object]) -> bytes:
    """One line of JSON."""
    return json.dumps(content).encode() + b"\n"


def read_line(descriptor: int) -> bytes:
    """The next line from *descriptor*, b"" where it ends; takes nothing behind the line."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(descriptor, 1)
        if not part:
            return b""
        line += part
    return line
