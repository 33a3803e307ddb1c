"""What a target's `presets` and `mode` change in its jobs.

Source: Databricks CLI 1.13, `bundle/config/mutator/resourcemutator/apply_presets.go` and `process_target_mode.go`.
"""

import getpass
import re
from typing import Any

from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.merge import copied
from lakelocal.bundle.securables import prefix_schemas
from lakelocal.lakeflow.findings import Findings

_MODES = ("development", "production")


def apply_presets(tree: YamlMapping, jobs: dict[str, YamlMapping], findings: Findings) -> None:
    """Change *jobs* in place: name prefix, tags, pause status, concurrent runs; and the names of *tree*'s schemas.

    Where the mode is unknown, or its presets contradict it, nothing changes.
    """
    presets: dict[str, Any] = dict(tree.get("presets") or {})
    mode = tree.get("mode")
    if mode not in (None, *_MODES):
        expected, where = " or ".join(f"`{each}`" for each in _MODES), findings.at(tree.places["mode"], path=("mode",))
        findings.add("target-mode", f"the mode `{mode}`", expected, "Correct the target.", where)
        return
    if mode == "development":
        user = re.sub(r"\W", "_", getpass.getuser())
        if presets.get("trigger_pause_status") == "UNPAUSED":
            found, path = "`trigger_pause_status: UNPAUSED` in development mode", ("presets", "trigger_pause_status")
            where = findings.at(place_of(tree, path, tree.place), path=path)
            findings.add("target-mode", found, "`PAUSED`", "Correct the preset.", where)
            return
        presets.setdefault("name_prefix", f"[dev {user}] ")
        presets.setdefault("trigger_pause_status", "PAUSED")
        presets.setdefault("jobs_max_concurrent_runs", 4)
        presets["tags"] = {"dev": user, **(presets.get("tags") or {})}
    prefix_schemas(tree, str(presets.get("name_prefix") or ""))
    for job in jobs.values():
        _apply(presets, job)


def _apply(presets: dict[str, Any], job: YamlMapping) -> None:
    job.setdefault("name", "Untitled")
    job["name"] = f"{presets.get('name_prefix') or ''}{job['name']}"
    if presets.get("tags"):
        # The mapping of the source is shared with the tree, so a new one is set.
        job["tags"] = {**presets["tags"], **(job.get("tags") or {})}
    for trigger in ("schedule", "trigger", "continuous"):
        if isinstance(job.get(trigger), YamlMapping):
            settings = copied(job[trigger])  # the source is shared with the tree; its places stay
            settings["pause_status"] = settings.get("pause_status") or presets.get("trigger_pause_status") or "UNPAUSED"
            job[trigger] = settings
    if presets.get("jobs_max_concurrent_runs"):
        job.setdefault("max_concurrent_runs", presets["jobs_max_concurrent_runs"])
