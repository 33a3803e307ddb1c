"""What a worker of the server has to know about the kernel whose function it runs, and how a pickle passes it on."""

import json
import pickle
import pickletools
from dataclasses import asdict, dataclass
from pathlib import Path

from lakelocal.project import State


@dataclass(frozen=True)
class Surroundings:
    """What a worker has to know about the kernel.

    *path* is the kernel's `sys.path`, *own* the part of it that does not belong to an environment. *exclusive*: the
    worker imports only from *path*; otherwise it has its own environment. *schema* is the current one, "" if not known.
    """

    root: str
    catalog: str
    folder: str
    schema: str
    path: list[str]
    own: list[str]
    exclusive: bool

    @property
    def state(self) -> State:
        """The state of the kernel's catalog."""
        return State(Path(self.root), self.catalog, Path(self.folder))

    @classmethod
    def read(cls, told: str) -> "Surroundings":
        """The surroundings that `told` has written."""
        return cls(**json.loads(told))

    def told(self) -> str:
        """The surroundings as a text."""
        return json.dumps(asdict(self))


def calling(module: str, function: str, *arguments: object) -> bytes:
    """Pickle opcodes that call a function and drop its result."""
    # Without its end, so that what follows continues; and nothing memoized, because what follows counts from zero.
    packed = pickletools.optimize(pickle.dumps(arguments, protocol=2)).removesuffix(pickle.STOP)
    return f"c{module}\n{function}\n".encode() + packed + pickle.REDUCE + pickle.POP
