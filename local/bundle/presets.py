"""What a target's `presets` and `mode` change in its jobs.

Source: Databricks CLI 1.13, `bundle/config/mutator/resourcemutator/apply_presets.go` and `process_target_mode.go`.
"""

import getpass
import re
from typing import Any

from local.bundle.documents import Table
from local.bundle.merge import copied
from local.bundle.mistakes import mistaken
from local.bundle.securables import prefix_schemas


def apply_presets(tree: Table, jobs: dict[str, Table], *, mode: str | None) -> None:
    """Change *jobs* in place: name prefix, tags, pause status, concurrent runs; and the names of *tree*'s schemas."""
    presets: dict[str, Any] = dict(tree.get("presets") or {})
    if mode not in (None, "development", "production"):
        raise mistaken(
            "target-mode", "", f"`mode`: found `{mode}`, expected `development` or `production`. Correct the target."
        )
    if mode == "development":
        user = re.sub(r"\W", "_", getpass.getuser())
        if presets.get("trigger_pause_status") == "UNPAUSED":
            message = "`presets.trigger_pause_status`: found UNPAUSED in development mode; expected PAUSED. Correct it."
            raise mistaken("target-mode", "", message)
        presets.setdefault("name_prefix", f"[dev {user}] ")
        presets.setdefault("trigger_pause_status", "PAUSED")
        presets.setdefault("jobs_max_concurrent_runs", 4)
        presets["tags"] = {"dev": user, **(presets.get("tags") or {})}
    prefix_schemas(tree, str(presets.get("name_prefix") or ""))
    for job in jobs.values():
        _apply(presets, job)


def _apply(presets: dict[str, Any], job: Table) -> None:
    job.setdefault("name", "Untitled")
    job["name"] = f"{presets.get('name_prefix') or ''}{job['name']}"
    if presets.get("tags"):
        # The mapping of the source is shared with the tree, so a new one is set.
        job["tags"] = {**presets["tags"], **(job.get("tags") or {})}
    for trigger in ("schedule", "trigger", "continuous"):
        if isinstance(job.get(trigger), Table):
            settings = copied(job[trigger])  # the source is shared with the tree; its places stay
            settings["pause_status"] = settings.get("pause_status") or presets.get("trigger_pause_status") or "UNPAUSED"
            job[trigger] = settings
    if presets.get("jobs_max_concurrent_runs"):
        job.setdefault("max_concurrent_runs", presets["jobs_max_concurrent_runs"])
