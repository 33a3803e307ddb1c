"""A declarative pipeline of a bundle, after reading; what one update of it refreshes.

Source: Pipelines API, `CreatePipeline` and `StartUpdate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakelocal.lakeflow.findings import Finding, Where
from lakelocal.lakeflow.verdicts import APPROXIMATED, COMPUTE, HONOURED, IGNORED, REFUSED, FieldRule, for_fields

_INSTALL = "Python packages that the local environment lacks are installed, once for all updates that ask for the same"
_NO_ACCOUNT = "there is no account here"
_EVENTS = "the events are in the history of runs, as `event_log()` shows them"
_INGESTION = "managed ingestion needs a workspace; read the source in a notebook"
_JVM = "name sources in Python or SQL, by `notebook`, `file` or `glob`"

FIELDS: Mapping[str, FieldRule] = {
    **for_fields("", "name catalog schema libraries root_path configuration parameters environment", HONOURED),
    **for_fields("libraries", "notebook notebook.path file file.path", HONOURED),
    **for_fields("libraries", "glob glob.include", HONOURED, "a file, or a folder with `/**`"),
    **for_fields("libraries", "jar maven", REFUSED, _JVM),
    "environment.dependencies": (APPROXIMATED, _INSTALL),
    "environment.environment_version": (IGNORED, "the local Python environment is used for all updates"),
    "target": (HONOURED, "the older name of `schema`"),
    "continuous": (APPROXIMATED, "an update takes what there is, and ends"),
    "development": (IGNORED, "an update runs on this machine either way; its retries are those of the task"),
    **for_fields("", "channel photon serverless serverless_compute_id clusters edition", IGNORED, COMPUTE),
    **for_fields("", "permissions run_as run_as_mode budget_policy_id usage_policy_id", IGNORED, _NO_ACCOUNT),
    **for_fields("", "tags parent_path lifecycle allow_duplicate_names", IGNORED, "a matter of the workspace"),
    "cascade_on_destroy": (IGNORED, "a matter of the workspace; that of this machine heeds it"),
    "storage": (IGNORED, "tables and checkpoints are in the state of the catalog"),
    **for_fields("", "restart_window trigger", IGNORED, "an update begins when somebody starts it, and ends"),
    **for_fields("", "id state", IGNORED, "it has an id of its own here"),
    "notifications": (IGNORED, "use the notifications of the job that updates the pipeline"),
    "event_log": (APPROXIMATED, _EVENTS),
    **for_fields("event_log", "name catalog schema", APPROXIMATED, _EVENTS),
    "filters": (REFUSED, "list the sources under `libraries`"),
    **for_fields("", "ingestion_definition gateway_definition", REFUSED, _INGESTION),
}
"""How a local update treats each field of `resources.pipelines.KEY`, by its dotted path."""


def rule_of(field: str) -> FieldRule:
    """The verdict on *field*, a dotted path, or on the field above it; a field that nobody knows has no effect."""
    while field not in FIELDS and "." in field:
        field = field.rpartition(".")[0]
    return FIELDS.get(field, (IGNORED, "it is not known here"))


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
