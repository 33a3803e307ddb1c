"""What a target's `presets` and `mode` change in the resources of a bundle, and what a mode requires.

Source: Databricks CLI 1.13, `bundle/config/mutator/resourcemutator`: `apply_target_mode.go`, `validate_target_mode.go`,
`apply_presets.go`, `resource_mutator.go` (defaults), `run_as.go`, `override_compute.go`. Empty values count as unset.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.merge import shallow_copy
from lakelocal.bundle.workspace import USER_VARIABLE, identifier
from lakelocal.lakeflow.field_values import as_number, as_switch, as_text
from lakelocal.lakeflow.findings import Findings

DEVELOPMENT, PRODUCTION = _MODES = ("development", "production")
CLUSTER = "DATABRICKS_CLUSTER_ID"
_CONCURRENT_RUNS = 4  # of a job in development mode
_STATUSES = ("PAUSED", "UNPAUSED")
_TRIGGERS = ("schedule", "trigger", "continuous")
_COMPUTE = ("new_cluster", "existing_cluster_id", "environment_key", "job_cluster_key")


def presets_of(tree: YamlMapping) -> dict[str, Any]:
    """The presets of *tree*, including those that its mode implies."""
    presets = {name: value for name, value in (tree.get("presets") or {}).items() if value not in (None, "", 0)}
    if tree["bundle"].get("mode") != DEVELOPMENT:
        return presets
    user = tree["workspace"]["current_user"]["short_name"]
    defaults = {
        "name_prefix": f"[dev {user}] ",
        "trigger_pause_status": "PAUSED",
        "jobs_max_concurrent_runs": _CONCURRENT_RUNS,
        "pipelines_development": True,
    }
    return {**defaults, **presets, "tags": {"dev": user, **(presets.get("tags") or {})}}


def check_mode(tree: YamlMapping, target: Mapping[str, Any], findings: Findings) -> None:
    """Add to *findings* what does not fit the mode of *tree*; *target* is its target as it is written."""
    mode, presets = tree["bundle"].get("mode"), tree.get("presets") or {}
    status = presets.get("trigger_pause_status")
    if status not in (None, "", *_STATUSES):
        _wrong(tree, findings, ("presets", "trigger_pause_status"), f"`{status}`", "`PAUSED` or `UNPAUSED`")
    if mode == DEVELOPMENT:
        _check_development(tree, presets, findings)
    elif mode == PRODUCTION:
        _check_production(tree, target, findings)
    elif mode not in (None, ""):
        _wrong(tree, findings, ("bundle", "mode"), f"the mode `{mode}`", " or ".join(f"`{each}`" for each in _MODES))


def _check_development(tree: YamlMapping, presets: Mapping[str, Any], findings: Findings) -> None:
    """Check that each developer has a copy: names and paths contain the user's name, and no job starts by itself."""
    user, in_mode = tree["workspace"]["current_user"], "in development mode"
    names = {user["userName"], user["short_name"]}
    if presets.get("trigger_pause_status") == "UNPAUSED":
        found = f"`trigger_pause_status: UNPAUSED` {in_mode}"
        _wrong(tree, findings, ("presets", "trigger_pause_status"), found, "`PAUSED`")
    for field in ("root_path", "file_path", "resource_path", "artifact_path", "state_path"):
        path = str(tree["workspace"][field])
        if not any(name in path for name in names):
            known = f"{_listed(sorted(names))} ({USER_VARIABLE} sets another)"
            expected = f"one that begins with `~/` or contains the user's name in the workspace, {known}"
            _wrong(tree, findings, ("workspace", field), f"the {field} `{path}` {in_mode}", expected)
            break
    prefix = str(presets.get("name_prefix") or "")
    if prefix and not any(name in prefix for name in (*names, user["domain_friendly_name"])):
        expected = "one with the user's name, such as `[dev ${workspace.current_user.short_name}] `"
        _wrong(tree, findings, ("presets", "name_prefix"), f"the name_prefix `{prefix}` {in_mode}", expected)


def _check_production(tree: YamlMapping, target: Mapping[str, Any], findings: Findings) -> None:
    """Check that no pipeline is in development, and that there is one copy: its folder is not that of who deploys."""
    for key, pipeline in ((tree.get("resources") or {}).get("pipelines") or {}).items():
        if isinstance(pipeline, Mapping) and as_switch(pipeline.get("development")):
            found = f"`development: true` of the pipeline `{key}` in production mode"
            _wrong(tree, findings, ("resources", "pipelines", key, "development"), found, "`false`, or no such field")
    written = (target.get("workspace") or {}).get("root_path")
    if written:
        return
    example = "/Workspace/Users/NAME/.bundle/${bundle.name}/${bundle.target}"
    has_identity = tree.get("run_as") or all(
        isinstance(job, dict) and job.get("run_as") for job in jobs_of(tree).values()
    )
    rule = "production-root" if has_identity else "target-mode"
    found, expected = "no `workspace.root_path` in a target of production mode", f"one, such as `{example}`"
    action = "Set it in the target, so that there is only one copy, whoever deploys it."
    where = findings.at(place_of(tree, ("bundle", "mode"), tree.place), path=("workspace", "root_path"))
    findings.add(rule, found, expected, action, where)


def with_presets(tree: YamlMapping, keys: Mapping[str, Iterable[str]] | None = None) -> YamlMapping:
    """*tree* with presets and defaults applied to its resources; *keys* are those to change, by kind (None for all)."""
    presets = presets_of(tree)
    cluster = _cluster(tree)

    def job(written: YamlMapping) -> YamlMapping:
        return _with_defaults(_on_cluster(_job(written, presets, tree.get("run_as")), cluster))

    result = change_resources(tree, "jobs", job, keys)
    prefix = str(presets.get("name_prefix") or "")
    skips = ((tree.get("experimental") or {}).get("skip_name_prefix_for_schema")) is True
    if prefix and not skips:
        result = change_resources(result, "schemas", lambda each: _named(each, schema_prefix(prefix)), keys)
    result = change_resources(result, "pipelines", lambda each: _pipeline(each, presets, tree.get("run_as")), keys)
    return change_resources(result, "volumes", lambda each: _default(each, volume_type="MANAGED"), keys)


def change_resources(
    tree: YamlMapping, kind: str, change: Any, keys: Mapping[str, Iterable[str]] | None = None
) -> YamlMapping:
    """*tree* with *change* applied to its resources of *kind*; *keys* are those to change, by kind (None for all)."""
    resources = tree.get("resources")
    named = resources.get(kind) if isinstance(resources, YamlMapping) else None
    if not isinstance(resources, YamlMapping) or not isinstance(named, YamlMapping):
        return tree
    wanted = set(named if keys is None else keys.get(kind, ()))
    result, all_kinds, block = shallow_copy(tree), shallow_copy(resources), shallow_copy(named)
    for key, each in named.items():
        if key in wanted and isinstance(each, YamlMapping):
            block[key] = change(each)
    all_kinds[kind] = block
    result["resources"] = all_kinds
    return result


def jobs_of(tree: YamlMapping) -> Mapping[str, Any]:
    """The jobs of *tree*."""
    return (tree.get("resources") or {}).get("jobs") or {}


def schema_prefix(prefix: str) -> str:
    """`[dev ana] ` as the beginning of a schema's name: `dev_ana_`."""
    text = prefix.replace("[", "").strip(" ")
    return identifier(text) + ("_" if text.endswith("]") else "")


def _pipeline(pipeline: YamlMapping, presets: Mapping[str, Any], run_as: Any) -> YamlMapping:
    result = _tagged(_named(pipeline, str(presets.get("name_prefix") or "")), presets)
    if as_switch(presets.get("pipelines_development")):
        _put(result, "development", True)
    if presets.get("trigger_pause_status") == "PAUSED" and as_switch(result.get("continuous")):
        result.pop("continuous")
    return _default(_run_as(result, run_as), edition="ADVANCED", channel="CURRENT")


def _run_as(resource: YamlMapping, run_as: Any) -> YamlMapping:
    return _default(resource, run_as=run_as) if isinstance(run_as, YamlMapping) else resource


def _tagged(resource: YamlMapping, presets: Mapping[str, Any]) -> YamlMapping:
    tags = presets.get("tags")
    if not tags:
        return resource
    own = {name: value for name, value in (resource.get("tags") or {}).items() if value != ""}
    every = {**(resource.get("tags") or {}), **{name: as_text(tags[name]) for name in tags}, **own}
    return _with(resource, tags=every)


def _job(job: YamlMapping, presets: Mapping[str, Any], run_as: Any) -> YamlMapping:
    result = _tagged(_named(job, str(presets.get("name_prefix") or "")), presets)
    if not as_number(job.get("max_concurrent_runs")) and presets.get("jobs_max_concurrent_runs"):
        _put(result, "max_concurrent_runs", as_number(presets["jobs_max_concurrent_runs"]))
    for trigger in _TRIGGERS:
        settings = job.get(trigger)
        if isinstance(settings, YamlMapping) and presets.get("trigger_pause_status"):
            status = settings.get("pause_status") or presets["trigger_pause_status"]
            result[trigger] = _with(settings, pause_status=status)
    return _run_as(result, run_as)


def _with_defaults(job: YamlMapping) -> YamlMapping:
    queue = YamlMapping(job.place)
    queue.put("enabled", True, job.place)
    defaults = {"name": "Untitled", "max_concurrent_runs": 1, "queue": queue}
    result = _default(job, **defaults)
    if isinstance(clusters := job.get("job_clusters"), list):
        result["job_clusters"] = [_with_workers(each) for each in clusters]
    for trigger in _TRIGGERS:
        if isinstance(job.get(trigger), YamlMapping):
            result[trigger] = _with(job[trigger], pause_status=job[trigger].get("pause_status") or "UNPAUSED")
    return result


def _with_workers(cluster: Any) -> Any:
    """*cluster* with `num_workers: 0` if it neither scales nor says how many workers it has."""
    spec = cluster.get("new_cluster") if isinstance(cluster, YamlMapping) else None
    if not isinstance(spec, YamlMapping) or spec.get("autoscale") is not None:
        return cluster
    return _with(cluster, new_cluster=_default(spec, num_workers=0))


def _cluster(tree: YamlMapping) -> str:
    """The cluster that replaces those of all tasks, or ""; `DATABRICKS_CLUSTER_ID` counts in development mode only."""
    given = os.environ.get(CLUSTER) if tree["bundle"].get("mode") == DEVELOPMENT else None
    return str(given or tree["bundle"].get("cluster_id") or "")


def _on_cluster(job: YamlMapping, cluster: str) -> YamlMapping:
    tasks = job.get("tasks")
    if not cluster or not isinstance(tasks, list):
        return job
    return _with(job, tasks=[_task_on(cluster, task) for task in tasks])


def _task_on(cluster: str, task: Any) -> Any:
    if not isinstance(task, YamlMapping):
        return task
    loop = task.get("for_each_task")
    if isinstance(loop, YamlMapping):
        return _with(task, for_each_task=_with(loop, task=_task_on(cluster, loop.get("task"))))
    if not any(task.get(name) for name in _COMPUTE):
        return task
    result = _with(task, existing_cluster_id=cluster)
    for name in _COMPUTE:
        if name != "existing_cluster_id":
            result.pop(name, None)
    return result


def _named(resource: YamlMapping, prefix: str) -> YamlMapping:
    return _with(resource, name=f"{prefix}{resource.get('name') or ''}") if prefix else shallow_copy(resource)


def _default(table: YamlMapping, **values: Any) -> YamlMapping:
    return _with(table, **{name: value for name, value in values.items() if table.get(name) is None})


def _with(table: YamlMapping, **values: Any) -> YamlMapping:
    result = shallow_copy(table)
    for name, value in values.items():
        _put(result, name, value)
    return result


def _put(table: YamlMapping, name: str, value: Any) -> None:
    table.put(name, value, table.places.get(name, table.place))


def _listed(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _wrong(tree: YamlMapping, findings: Findings, path: tuple[str, ...], found: str, expected: str) -> None:
    where = findings.at(place_of(tree, path, tree.place), path=path)
    findings.add("target-mode", found, expected, "Correct the target.", where)
