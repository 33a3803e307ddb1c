"""Standalone streaming tables and materialized views: each has its own pipeline, with one dataset.

    pipelines/<id>/order.json     the order of its updates: where its statement was run, and with which settings
    pipelines/<id>/<name>.sql     the statement that created it, which is the only source of the pipeline

The same folder has what every pipeline remembers, see `memory`.

Source: Databricks documentation, "Use standalone streaming tables" and "Use standalone materialized views".
"""

import json
import logging
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lakelocal.dialect.datasets import TABLE, VIEW, Name, Owner
from lakelocal.dialect.sessions import Namespace
from lakelocal.history.records import Records
from lakelocal.history.updates import UpdateRecords
from lakelocal.lakeflow.update_progress import USER_ACTION, Event
from lakelocal.pipelines.definitions import Kind
from lakelocal.pipelines.memory import Memory
from lakelocal.pipelines.order import Selection, UpdateOrder
from lakelocal.project import State

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_KINDS = {Kind.STREAMING_TABLE.value: TABLE, Kind.MATERIALIZED_VIEW.value: VIEW}
_SPACE = uuid.UUID("5d3a4a7e-6f0c-4c1b-9a3e-2f5f0b7f9c11")  # of the ids of these pipelines
_ORDER = "order.json"
_log = logging.getLogger(__package__)


@dataclass(frozen=True)
class Standalone:
    """The standalone datasets of *state*; *connect* opens a separate session for their updates."""

    state: State
    connect: "Callable[[], SparkSession]"

    @property
    def pipelines(self) -> Path:
        """The folder with the memory of their pipelines."""
        return self.state.pipelines

    def make(self, text: str, name: Name, place: Namespace, settings: Mapping[str, str]) -> None:
        """See `lakelocal.dialect.datasets.Datasets`; a statement that cannot be analyzed changes nothing."""
        folder = self._folder(name)
        order = UpdateOrder(
            id=folder.name,
            name=".".join(name),
            catalog=place.catalog,
            schema=place.schema,
            sources=(str(folder / f"{name[-1]}.sql"),),
            configuration=settings,
        )
        tried = folder / "tried" / f"{name[-1]}.sql"
        tried.parent.mkdir(parents=True, exist_ok=True)
        tried.write_text(text, encoding="utf-8")

        def keep() -> None:
            tried.replace(order.sources[0])
            (folder / _ORDER).write_text(json.dumps(order.as_json()), encoding="utf-8")

        try:
            self._update(replace(order, sources=(str(tried),)), analyzed=keep)
        finally:
            shutil.rmtree(tried.parent)
            if not (folder / _ORDER).is_file():
                shutil.rmtree(folder)

    def refresh(self, name: Name, *, full: bool) -> None:
        """See `lakelocal.dialect.datasets.Datasets`."""
        order = UpdateOrder.of(json.loads((self._folder(name) / _ORDER).read_text(encoding="utf-8")))
        self._update(replace(order, selection=Selection(full_refresh_all=full)))

    def forget(self, name: Name) -> None:
        """See `lakelocal.dialect.datasets.Datasets`; what a pipeline of a bundle remembers stays."""
        Memory(self.pipelines, self._folder(name).name).forget()

    def owner(self, name: Name) -> Owner | None:
        """See `lakelocal.dialect.datasets.Datasets`."""
        folder, is_own = self._folder(name), self.has_own(name)
        id = folder.name if is_own else Memory(self.pipelines, folder.name).owner(name)
        if id is None or (table := Memory.open(self.pipelines, id).of(name)) is None:
            return None
        return Owner(_KINDS[table.kind], "" if is_own else id)

    def has_own(self, name: Name) -> bool:
        """See `lakelocal.dialect.datasets.Datasets`."""
        return (self._folder(name) / _ORDER).is_file()

    def _folder(self, name: Name) -> Path:
        return self.pipelines / str(uuid.uuid5(_SPACE, ".".join(name)))

    def _update(self, order: UpdateOrder, analyzed: Callable[[], None] = lambda: None) -> None:
        """Run the update *order* in a separate session; *analyzed* is called before anything is written."""
        from lakelocal.pipelines.update import Surroundings, Update  # imported when it is needed: most kernels never do

        records = UpdateRecords(Records.of(self.state))
        update_id = records.create(
            pipeline_id=order.id,
            pipeline_name=order.name,
            job_run_id=None,
            cause=USER_ACTION,
            selection=order.selection.as_fields,
            parameters=order.parameters,
        )

        def tell(event: Event) -> None:
            records.add(update_id, [event])

        spark = self.connect()
        try:
            surroundings = Surroundings(None, spark, self.pipelines, {}, tell, say=_say)
            update = Update(replace(order, update_id=update_id), surroundings)
            update.load()
            update.resolve()
            analyzed()
            update.run()
        finally:
            spark.stop()


def _say(message: str) -> None:
    _log.log(logging.WARNING if message.startswith("note: ") else logging.INFO, message)
