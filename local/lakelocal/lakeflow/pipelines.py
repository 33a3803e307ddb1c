"""A declarative pipeline of a bundle, after reading; what one update of it refreshes.

Source: Pipelines API, `CreatePipeline` and `StartUpdate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.verdicts import APPROXIMATED, HONOURED, IGNORED, REFUSED, FieldRule, for_fields

FIELDS: Mapping[str, FieldRule] = {
    **for_fields("", "name catalog schema libraries root_path configuration parameters environment", HONOURED),
    "target": (HONOURED, "the older name of `schema`"),
    "continuous": (APPROXIMATED, "an update takes what there is, and ends"),
    "development": (IGNORED, "an update runs on this machine either way; its retries are those of the task"),
    **for_fields(
        "",
        "permissions run_as tags edition channel photon serverless clusters budget_policy_id storage restart_window "
        "allow_duplicate_names lifecycle cascade_on_destroy trigger usage_policy_id id run_as_mode state",
        IGNORED,
        "there is no account here",
    ),
    "notifications": (IGNORED, "use the notifications of the job that updates the pipeline"),
    "event_log": (APPROXIMATED, "the events are in the history of runs, as `event_log()` shows them"),
    "filters": (REFUSED, "list the sources under `libraries`"),
    "ingestion_definition": (REFUSED, "managed ingestion needs a workspace; read the source in a notebook"),
    "gateway_definition": (REFUSED, "managed ingestion needs a workspace; read the source in a notebook"),
}
"""How a local update treats each field of `resources.pipelines.KEY`."""


@dataclass(frozen=True)
class Pipeline:
    """One pipeline. *id* is stable for a (bundle, target, key).

    *sources* are its files and notebooks in the order of `libraries`, *root* is its `root_path`. *catalog* is the run's
    where the pipeline names none. *dependencies* are those of its environment, each with the folder that its paths
    count from. *fault* says why it cannot run here; None if it can.
    """

    key: str
    id: str
    name: str
    settings: Mapping[str, Any]
    catalog: str
    schema: str
    sources: tuple[Path, ...] = ()
    root: Path | None = None
    configuration: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    dependencies: tuple[tuple[str, Path], ...] = ()
    notes: tuple[str, ...] = ()
    fault: Finding | None = None
    where: Where = field(default_factory=Where)
