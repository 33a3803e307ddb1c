"""Reading a bundle: root file, includes, target, variables, presets, and at last its jobs.

Source: Databricks CLI 1.13, `bundle/config`: `include` holds relative glob patterns without `**`, sorted a pattern;
a pattern that is a plain name must match; a resource is defined in one file only.
"""

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.bundle import names
from local.bundle.documents import SUFFIXES, Table, read_document, show, show_place
from local.bundle.jobs import read_jobs
from local.bundle.merge import copied, grouped_job, mapped, merged
from local.bundle.model import Bundle, Settings
from local.bundle.presets import apply_presets
from local.bundle.variables import Resolver, override_variables, variable_values
from local.errors import BundleError, UsageError
from local.project import Project, bundle_file

NO_TARGET = "default"


def load_settings(
    project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None
) -> Settings:
    """The target of *project*, its catalog and its variables; jobs are not looked at.

    Raises:
        UsageError: unknown target or variable; the message lists the legal names.
        BundleError: a file is not a bundle, or a variable has no value.
    """
    return _read(project, target, variables or {}).settings


def load_bundle(project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None) -> Bundle:
    """The bundle of *project* for *target* (else the default target, else the first), all jobs checked.

    Raises:
        UsageError: unknown target or variable.
        BundleError: anything wrong in the files; all mistakes in the jobs are listed with file and line.
    """
    source = _read(project, target, variables or {})
    resources = source.tree.get("resources") or {}
    jobs = {key: grouped_job(job) for key, job in (resources.get("jobs") or {}).items() if isinstance(job, Table)}
    apply_presets(source.tree, jobs, mode=source.settings.mode)
    resolved = {key: mapped(job, source.resolver) for key, job in jobs.items()}
    return Bundle(
        **vars(source.settings),
        jobs=read_jobs(resolved, source.settings),
        file=bundle_file(project.root) or project.root,
    )


def target_names(project: Project) -> list[str]:
    """The targets of *project*'s bundle, in the order of their definition."""
    root_file = bundle_file(project.root)
    assert root_file is not None, "Project.at has found it"
    return list(_with_includes(root_file, project.root).get("targets") or {}) or [NO_TARGET]


@dataclass(frozen=True)
class _Source:
    """A bundle whose target is merged in, and whose references can be resolved."""

    tree: Table
    settings: Settings
    resolver: Resolver


def _read(project: Project, target: str | None, given: Mapping[str, str]) -> _Source:
    root_file = bundle_file(project.root)
    assert root_file is not None, "Project.at has found it"
    tree = _with_includes(root_file, project.root)
    _check_unique_tasks(tree, project.root)
    name = _target_name(tree, target, show(root_file, project.root))
    tree = _with_target(tree, name)
    values = variable_values(tree, given, root=project.root, target=name)
    bundle_name = (tree.get("bundle") or {}).get("name")
    if not bundle_name:
        raise BundleError(f"`{show(root_file, project.root)}:1`: found no `bundle.name`; expected one. Add it.")
    lookup = names.Lookup(tree, values, bundle=str(bundle_name), target=name)
    resolver = Resolver(lookup, project.root)
    resolved = {key: resolver("${var." + key + "}") for key in values}
    catalog = resolved.get("catalog")
    settings = Settings(
        name=str(bundle_name),
        root=project.root,
        target=name,
        catalog=str(catalog) if catalog is not None else "main",
        variables=resolved,
        mode=tree.get("mode"),
    )
    return _Source(tree, settings, resolver)


def _with_includes(root_file: Path, root: Path) -> Table:
    tree = read_document(root_file, root)
    for pattern in tree.get("include") or []:
        for file in _included(str(pattern), root, show_place(tree.places["include"], root)):
            included = read_document(file, root)
            _check_defined_once(tree, included, root)
            tree = merged(tree, included)
    return tree


def _included(pattern: str, root: Path, place: str) -> list[Path]:
    found = sorted(Path(name) for name in glob.glob(str(root / pattern)))
    if not found and not glob.has_magic(pattern):
        raise BundleError(f"`{place}`: include `{pattern}`: found no such file. Correct the name or remove the line.")
    for file in found:
        if file.suffix not in SUFFIXES:
            raise BundleError(
                f"`{place}`: include `{pattern}`: found `{show(file, root)}`; expected {', '.join(SUFFIXES)}. "
                "Narrow the pattern."
            )
    return [file.resolve() for file in found]


def _check_defined_once(tree: Table, included: Table, root: Path) -> None:
    for kind, resources in (included.get("resources") or {}).items():
        known = (tree.get("resources") or {}).get(kind) or {}
        for key in resources or {}:
            if key in known:
                raise BundleError(
                    f"`{show_place(resources.places[key], root)}`: found `resources.{kind}.{key}` a second time "
                    f"(first in `{show_place(known.places[key], root)}`); expected it in one file. Rename one of them."
                )


def _check_unique_tasks(tree: Table, root: Path) -> None:
    """A task key twice in one definition; after the target is merged in, it would look like an override."""
    jobs = (tree.get("resources") or {}).get("jobs") or {}
    for key, job in jobs.items():
        seen: dict[str, str] = {}
        for task in (job or {}).get("tasks") or []:
            if isinstance(task, Table) and "task_key" in task:
                name, place = str(task["task_key"]), show_place(task.place, root)
                if name in seen:
                    raise BundleError(
                        f"`{place}`: job `{key}`: found the task `{name}` twice (first at `{seen[name]}`); "
                        "expected each key once. Rename one of them."
                    )
                seen[name] = place


def _target_name(tree: Table, wanted: str | None, file: str) -> str:
    targets = tree.get("targets") or {}
    if wanted is not None:
        if wanted in targets or (not targets and wanted == NO_TARGET):
            return wanted
        known = ", ".join(f"`{name}`" for name in targets) or f"`{NO_TARGET}`"
        raise UsageError(
            f"--target: found no target `{wanted}` in `{file}`; its targets are {known}. Name one of them."
        )
    defaults = [name for name, settings in targets.items() if (settings or {}).get("default") is True]
    if len(defaults) > 1:
        raise BundleError(
            f"`{file}`: found {len(defaults)} targets with `default: true` ({', '.join(defaults)}); expected one."
        )
    return next(iter([*defaults, *targets]), NO_TARGET)


def _with_target(tree: Table, name: str) -> Table:
    """*tree* with what the target overrides; its `targets` block is gone."""
    target = (tree.get("targets") or {}).get(name)
    result = copied(tree)
    result.pop("targets", None)
    if not isinstance(target, Table):
        return result
    overrides = copied(target)
    variables = override_variables(tree.get("variables"), overrides.pop("variables", None))
    overrides.pop("default", None)
    result = merged(result, overrides)
    if isinstance(variables, Table):
        result.put("variables", variables, variables.place)
    return result
