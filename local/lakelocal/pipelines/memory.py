"""What a pipeline remembers between updates, in `pipelines/<id>/` of the state.

    memory.json                          for each table: its type, schema, definition, and number of full refreshes
    checkpoints/<table>/<flow>/<n>/      checkpoints of streams; `n` is the generation, which a full refresh increments
    schemas/<view or flow>/              the schemas that Auto Loader has inferred from files
    update.lock                          locked by the update that is running
    session                              its session; left behind by an update that was killed

`memory.json` is replaced as a whole, before the changes that it describes are made: if an update is killed in between,
the next one completes them.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from lakelocal.locks import locked
from lakelocal.pipelines.definitions import Key, Kind, shown
from lakelocal.pipelines.errors import PipelineError

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_PATIENCE = 24 * 3600  # seconds that an update waits for the previous one


@dataclass
class Table:
    """What is remembered about one table.

    *generation* counts its full refreshes. *is_new*: it is to be created or fully refreshed, which has not been done
    yet. *schema* is its schema as Spark's JSON, *definition* is what its sources said about it. *once* has the once
    flows that have run in this generation.
    """

    kind: str
    generation: int = 0
    is_new: bool = True
    schema: Any = None
    definition: dict[str, Any] = field(default_factory=dict)
    once: list[str] = field(default_factory=list)


@dataclass
class Memory:
    """The memory of the pipeline *id*; *pipelines* is the folder of all pipelines of the catalog."""

    pipelines: Path
    id: str
    tables: dict[str, Table] = field(default_factory=dict)
    _saving: Lock = field(default_factory=Lock, repr=False, compare=False)

    @classmethod
    def open(cls, pipelines: Path, id: str) -> "Memory":
        memory = cls(pipelines, id)
        memory.folder.mkdir(parents=True, exist_ok=True)
        if memory.file.is_file():
            held = json.loads(memory.file.read_text(encoding="utf-8"))
            memory.tables = {name: Table(**table) for name, table in held["tables"].items()}
        return memory

    @property
    def folder(self) -> Path:
        return self.pipelines / self.id

    @property
    def file(self) -> Path:
        return self.folder / "memory.json"

    def forget(self) -> None:
        """Delete everything that is remembered."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def session(self) -> Path:
        return self.folder / "session"

    def of(self, key: Key) -> Table | None:
        return self.tables.get(shown(key))

    def begin(self, key: Key, kind: Kind) -> Table:
        """The memory of the table *key*, reset for a new generation."""
        before = self.of(key)
        table = Table(kind.value, generation=before.generation + 1 if before else 0)
        with self._saving:
            self.tables[shown(key)] = table
        return table

    def save(self) -> None:
        """Save the memory, so that it survives whatever happens next. Threads may call this at the same time."""
        with self._saving:
            text = json.dumps({"tables": {name: asdict(table) for name, table in self.tables.items()}}, indent=1)
            written = self.file.with_suffix(".new")
            with written.open("w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            written.replace(self.file)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Allow only one update at a time: a second one waits."""
        refusal = PipelineError(
            f"`{self.folder}`: another update of this pipeline has been running for a day. Stop it, then try again."
        )
        with locked(self.folder / "update.lock", _PATIENCE, refusal):
            yield

    def checkpoint(self, key: Key, flow: str, generation: int) -> Path:
        """The folder for the checkpoint of *flow* into the table *key*."""
        return self.folder / "checkpoints" / safe(shown(key)) / safe(flow) / str(generation)

    def files_schema(self, name: str, generation: int) -> Path:
        """The folder in which Auto Loader stores the schema of the files that the view or flow *name* reads."""
        return self.folder / "schemas" / safe(name) / str(generation)

    def forget_older(self, key: Key, generation: int) -> None:
        """Delete the checkpoints of all generations before *generation*."""
        for flow in (self.folder / "checkpoints" / safe(shown(key))).glob("*"):
            for folder in flow.iterdir():
                if folder.name.isdigit() and int(folder.name) < generation:
                    shutil.rmtree(folder, ignore_errors=True)

    def owner(self, key: Key) -> str | None:
        """The id of another pipeline that owns the table *key*; None if there is none."""
        name = shown(key)
        for file in self.pipelines.glob("*/memory.json"):
            if file.parent.name != self.id and name in json.loads(file.read_text(encoding="utf-8"))["tables"]:
                return file.parent.name
        return None


def safe(name: str) -> str:
    """*name* as the name of a folder."""
    return _UNSAFE.sub("_", name)
