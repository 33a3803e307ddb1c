"""What happened in an update, as Databricks' event log has it: one event a line of JSON.

Counts are in exactly one event of each flow, that of its end, so that sums and maxima over the events of an update
agree. Source: Databricks documentation, "Pipeline event log schema".
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from lakelocal.pipelines.expectations import Counts

QUEUED, STARTING, RUNNING, COMPLETED, FAILED, SKIPPED, EXCLUDED, IDLE = (
    "QUEUED", "STARTING", "RUNNING", "COMPLETED", "FAILED", "SKIPPED", "EXCLUDED", "IDLE",
)  # fmt: skip
_ENDED = frozenset({COMPLETED, FAILED, SKIPPED, EXCLUDED})


@dataclass
class EventLog:
    """Appends the events of the update *update_id* to *file*; *say* gets the message of each that a person reads."""

    file: Path
    pipeline_id: str
    pipeline_name: str
    update_id: str
    say: Callable[[str], None]
    _lock: Lock = field(default_factory=Lock)
    written: list[dict[str, Any]] = field(default_factory=list)

    def update(self, state: str, error: str = "") -> None:
        """The update is in *state*."""
        details = {"update_progress": {"state": state}}
        message = f"Update {self.update_id[:6]} is {state}."
        self._add("update_progress", message, details, error=error, level="ERROR" if state == FAILED else "INFO")

    def flow(
        self, name: str, dataset: str, status: str, *, counts: Counts | None = None, error: str = "", why: str = ""
    ) -> None:
        """The flow *name* into *dataset* has got to *status*."""
        progress: dict[str, Any] = {"status": status}
        if counts is not None:
            progress["metrics"] = (
                {"num_output_rows": counts.written}
                if counts.upserted is None
                else {"num_upserted_rows": counts.upserted, "num_deleted_rows": counts.deleted}
            )
            if counts.rules:
                progress["data_quality"] = {
                    "dropped_records": counts.dropped,
                    "expectations": [
                        {
                            "name": rule.name,
                            "dataset": rule.dataset,
                            "passed_records": rule.passed,
                            "failed_records": rule.failed,
                        }
                        for rule in counts.rules
                    ],
                }
        verb = "has" if status in (COMPLETED, FAILED) else "is"
        message = f"Flow '{name}' {verb} {status}.{f' {why}' if why else ''}"
        level = "ERROR" if status == FAILED else "WARN" if status == SKIPPED else "INFO"
        origin = {"flow_name": name, "dataset_name": dataset}
        self._add("flow_progress", message, {"flow_progress": progress}, origin=origin, error=error, level=level)

    def definition(self, kind: str, details: Mapping[str, Any], **origin: str) -> None:
        """What a dataset or a flow is; not told to a person."""
        name = next(iter(origin.values()), "")
        self._add(
            kind, f"{kind.partition('_')[0].title()} '{name}' defined.", {kind: details}, origin=origin, told=False
        )

    def _add(
        self,
        event_type: str,
        message: str,
        details: Mapping[str, Any],
        *,
        origin: Mapping[str, str] | None = None,
        error: str = "",
        level: str = "INFO",
        told: bool = True,
    ) -> None:
        with self._lock:
            event = {
                "id": str(uuid4()),
                "sequence": json.dumps({"control_plane_seq_no": len(self.written) + 1}),
                "origin": {
                    "pipeline_id": self.pipeline_id,
                    "pipeline_name": self.pipeline_name,
                    "update_id": self.update_id,
                    "flow_name": None,
                    "dataset_name": None,
                    **(origin or {}),
                },
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "message": message,
                "level": level,
                "maturity_level": "STABLE",
                "error": {"fatal": True, "exceptions": [{"message": error}]} if error else None,
                "details": json.dumps(details, ensure_ascii=False),
                "event_type": event_type,
            }
            self.written.append(event)
            with self.file.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(event, ensure_ascii=False) + "\n")
        if told:
            self.say(message)
