"""The events of an update, as the kernel tells them: to whoever follows the run, and to the reader of the notebook.

The counts of a flow are in exactly one event of it, that of its end, so that sums and maxima over the events of an
update agree. Source: Databricks documentation, "Pipeline event log schema".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from lakelocal.lakeflow.update_progress import Counts, Event, definition_event, flow_event, update_event


@dataclass
class Events:
    """Tells the events of the update *update_id*, one at a time; *say* gets the message of each that a person reads."""

    update_id: str
    tell: Callable[[Event], None]
    say: Callable[[str], None]
    _lock: Lock = field(default_factory=Lock)

    def update(self, state: str, error: str = "") -> None:
        """The update is in *state*."""
        self._add(update_event(self.update_id, state, error))

    def flow(
        self, name: str, dataset: str, status: str, *, counts: Counts | None = None, error: str = "", why: str = ""
    ) -> None:
        """The flow *name* into *dataset* has got to *status*."""
        self._add(flow_event(name, dataset, status, counts=counts, error=error, why=why))

    def definition(self, kind: str, details: Mapping[str, Any], *, flow_name: str = "", dataset_name: str = "") -> None:
        """What a dataset or a flow is; not told to a person."""
        event = definition_event(kind, details, flow_name=flow_name, dataset_name=dataset_name)
        with self._lock:
            self.tell(event)

    def _add(self, event: Event) -> None:
        with self._lock:
            self.tell(event)  # first: whoever shows the event leaves out the line that says the same
            self.say(event.message)
