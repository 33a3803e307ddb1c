"""The interface from the runner to an attempt: which task a process that was started ahead has to do, and how.

The other interface, from an attempt to its kernel, is `lakelocal.context`.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Order:
    """One attempt.

    *output* is the notebook that it writes, *log* the file for what it and its kernel print outside cells.
    *environment* is added to the runner's and names the attempt's context. *mark* identifies its processes (see
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
        """The order in *line*, which `line` wrote."""
        return cls(**json.loads(line))

    def settle(self) -> None:
        """Apply the log and the environment of the order to this process."""
        log_to(self.log)
        os.environ.update(self.environment)


def log_to(file: str) -> None:
    """Append standard error to *file*, if it is not empty."""
    if file:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(descriptor, 2)
        os.close(descriptor)


def leave_folder() -> None:
    """Remove the folder in which `python -m` was called from the import path: a notebook has its own folder there."""
    if sys.path[0] in ("", os.getcwd()):
        del sys.path[0]


def to_line(content: Mapping[str, object]) -> bytes:
    """One line of JSON."""
    return json.dumps(content).encode() + b"\n"


def read_line(descriptor: int) -> bytes:
    """The next line from *descriptor*, b"" at its end; reads nothing beyond the line."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(descriptor, 1)
        if not part:
            return b""
        line += part
    return line
