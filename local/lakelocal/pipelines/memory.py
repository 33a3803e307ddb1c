"""What a pipeline remembers from update to update, in `pipelines/<id>/` of the state.

    memory.json                          per table: its type, schema and definition, how often it began anew
    checkpoints/<table>/<flow>/<n>/      of streams; `n` is the generation, which a full refresh raises
    schemas/<view or flow>/              what Auto Loader knows of its files
    update.lock                          held by the update that runs

The file is replaced as a whole, and before what it tells is done: an update that was killed in between does the rest.
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
_PATIENCE = 24 * 3600  # seconds that an update waits for the one before it


@dataclass
class Table:
    """What is remembered of one table.

    *generation* counts how often it began anew. *is_new*: it is to begin anew, which is not done yet. *schema* is the
    table's as JSON of Spark, *definition* what its sources said of it. *once* are the once flows that have run in this
    generation.
    """

    kind: str
    generation: int = 0
    is_new: bool = True
    schema: Any = None
    definition: dict[str, Any] = field(default_factory=dict)
    once: list[str] = field(default_factory=list)


@dataclass
class Memory:
    """The memory of the pipeline *id*, whose folder is in *pipelines*, that of all pipelines of the catalog."""

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
        """Delete all that is remembered."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def of(self, key: Key) -> Table | None:
        return self.tables.get(shown(key))

    def begin(self, key: Key, kind: Kind) -> Table:
        """The memory of the table *key*, which begins anew."""
        before = self.of(key)
        table = Table(kind.value, generation=before.generation + 1 if before else 0)
        self.tables[shown(key)] = table
        return table

    def save(self) -> None:
        """Write what is remembered, so that it survives whatever happens next. Flows may call it at the same time."""
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
        """One update at a time: a second one waits."""
        refusal = PipelineError(
            f"`{self.folder}`: another update of this pipeline has been running for a day. Stop it."
        )
        with locked(self.folder / "update.lock", _PATIENCE, refusal):
            yield

    def checkpoint(self, key: Key, flow: str, generation: int) -> Path:
        """The folder for the checkpoint of *flow* into the table *key*."""
        return self.folder / "checkpoints" / safe(shown(key)) / safe(flow) / str(generation)

    def files_schema(self, name: str, generation: int) -> Path:
        """The folder in which Auto Loader keeps the schema of the files that the view or flow *name* reads."""
        return self.folder / "schemas" / safe(name) / str(generation)

    def forget_older(self, key: Key, generation: int) -> None:
        """Delete the checkpoints of generations before *generation*."""
        for flow in (self.folder / "checkpoints" / safe(shown(key))).glob("*"):
            for folder in flow.iterdir():
                if folder.name.isdigit() and int(folder.name) < generation:
                    shutil.rmtree(folder, ignore_errors=True)

    def owner(self, key: Key) -> str | None:
        """The id of another pipeline that has the table *key*; None if there is none."""
        name = shown(key)
        for file in self.pipelines.glob("*/memory.json"):
            if file.parent.name != self.id and name in json.loads(file.read_text(encoding="utf-8"))["tables"]:
                return file.parent.name
        return None


def safe(name: str) -> str:
    """*name* as the name of a folder."""
    return _UNSAFE.sub("_", name)
