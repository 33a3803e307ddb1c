"""Reading a bundle: root file, includes, target, variables, presets, and at last its jobs.

Source: Databricks CLI 1.13, `bundle/config`: `include` holds relative glob patterns without `**`, sorted a pattern;
a pattern that is a plain name must match; a resource is defined in one file only.
"""

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.bundle import names
from local.bundle.blocks import take_out_misfits
from local.bundle.documents import SUFFIXES, Table, read_document, show, show_place
from local.bundle.jobs import read_jobs
from local.bundle.merge import grouped_job, mapped, merged
from local.bundle.mistakes import Mistake, Mistakes, mistaken
from local.bundle.model import Bundle, Settings
from local.bundle.notebooks import synced_folders
from local.bundle.presets import apply_presets
from local.bundle.python_resources import apply_python
from local.bundle.securables import Securable, read_securables
from local.bundle.targets import NO_TARGET, chosen_target, with_target
from local.bundle.variables import Resolver, unset_in, variable_values
from local.project import Project, bundle_file

CATALOG_VARIABLES = ("catalog", "catalog_name", "uc_catalog")  # the names that bundles give it; the first one counts


@dataclass(frozen=True)
class Draft:
    """A bundle for one target before its jobs are read.

    *written* is the bundle as its files have it; *jobs* are its jobs with the target merged in and every reference
    resolved, *securables* its schemas and volumes. *mistakes* are those found so far.
    """

    written: Table
    settings: Settings
    jobs: Mapping[str, Table]
    securables: tuple[Securable, ...]
    mistakes: Mistakes


def load_settings(
    project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None
) -> Settings:
    """The target of *project*, its catalog and its variables; jobs are not looked at.

    Raises:
        UsageError: unknown target or variable; the message lists the legal names.
        BundleError: a file is not a bundle, or the catalog has no value.
    """
    mistakes = Mistakes()
    source = _read(project, target, variables or {}, mistakes)
    mistakes.raise_any()
    return source.settings


def load_bundle(project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None) -> Bundle:
    """The bundle of *project* for *target* (else the default target, else the first), all jobs checked.

    Raises:
        UsageError: unknown target or variable.
        BundleError: anything wrong in the files; all mistakes in the jobs are listed with file and line.
    """
    draft = read_draft(project, target=target, variables=variables)
    draft.mistakes.raise_any()
    return Bundle(
        **vars(draft.settings),
        jobs=read_jobs(draft.jobs, draft.settings),
        securables=draft.securables,
        file=bundle_file(project.root) or project.root,
    )


def read_draft(project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None) -> Draft:
    """The bundle of *project* for *target*, as far as it can be read.

    Raises:
        UsageError: unknown target or variable.
        BundleError: the root file or the target cannot be read at all.
    """
    mistakes = Mistakes()
    source = _read(project, target, variables or {}, mistakes)
    settings = source.settings
    apply_python(
        source.tree, target=settings.target, variables=settings.variables, root=project.root, mistakes=mistakes
    )
    resources = source.tree.get("resources") or {}
    jobs = {key: grouped_job(job) for key, job in (resources.get("jobs") or {}).items() if isinstance(job, Table)}
    for key in (resources.get("jobs") or {}).keys() - jobs.keys():
        where = show_place(resources["jobs"].places[key], project.root)
        mistakes.append(Mistake("wrong-type", where, "found no mapping; expected the fields of a job. Add them.", key))
    with mistakes.caught():
        apply_presets(source.tree, jobs, mode=settings.mode)
    resolved = {key: mapped(job, source.resolver) for key, job in jobs.items()}
    securables = read_securables(source.tree, source.resolver, project.root, mistakes)
    return Draft(source.written, settings, resolved, securables, mistakes)


def target_names(project: Project) -> list[str]:
    """The targets of *project* in the order of the file; `default` where it declares none.

    Raises:
        BundleError: the root file cannot be read.
    """
    root_file = bundle_file(project.root)
    assert root_file is not None, "Project.at has found it"
    return list(_with_includes(root_file, project.root, Mistakes()).get("targets") or [NO_TARGET])


@dataclass(frozen=True)
class _Source:
    """A bundle whose target is merged in, and whose references can be resolved."""

    written: Table
    tree: Table
    settings: Settings
    resolver: Resolver


def _read(project: Project, target: str | None, given: Mapping[str, str], mistakes: Mistakes) -> _Source:
    root_file = bundle_file(project.root)
    assert root_file is not None, "Project.at has found it"
    written = _with_includes(root_file, project.root, mistakes)
    _check_unique_tasks(written, project.root, mistakes)
    name = chosen_target(written, target, show(root_file, project.root))
    tree = with_target(written, name)
    with mistakes.caught():
        values: dict[str, Any] = {}
        unset: dict[str, Mistake] = {}
        values, unset = variable_values(tree, given, root=project.root, target=name)
    bundle_name = (tree.get("bundle") or {}).get("name")
    if not bundle_name:
        where = f"{show(root_file, project.root)}:1"
        mistakes.append(Mistake("bundle-name", where, "found no `bundle.name`; expected one. Add it."))
    synced = synced_folders(tree.get("sync"), project.root)
    lookup = names.Lookup(tree, values, bundle=str(bundle_name), target=name, folders=(project.root, *synced))
    resolver = Resolver(lookup, project.root, mistakes)
    resolved = {key: resolver("${var." + key + "}") for key in values if key not in unset}
    named = next((name for name in CATALOG_VARIABLES if name in values), None)
    catalog = resolver("${var." + named + "}") if named else None
    mistakes += unset_in(catalog, unset)
    settings = Settings(
        name=str(bundle_name),
        root=project.root,
        target=name,
        catalog=str(catalog) if catalog is not None else "main",
        variables=resolved,
        mode=tree.get("mode"),
        synced=synced,
        unset=unset,
    )
    return _Source(written, tree, settings, resolver)


def _with_includes(root_file: Path, root: Path, mistakes: Mistakes) -> Table:
    tree = _read_blocks(root_file, root, mistakes)
    for pattern in tree.get("include") or []:
        files: list[Path] = []
        with mistakes.caught():
            files = _included(str(pattern), root, show_place(tree.places["include"], root))
        for file in files:
            with mistakes.caught():
                included = _read_blocks(file, root, mistakes)
                _take_out_known(tree, included, root, mistakes)
                tree = merged(tree, included)
    return tree


def _read_blocks(file: Path, root: Path, mistakes: Mistakes) -> Table:
    document = read_document(file, root, mistakes)
    take_out_misfits(document, root, mistakes)
    return document


def _included(pattern: str, root: Path, place: str) -> list[Path]:
    found = sorted(Path(name) for name in glob.glob(str(root / pattern)))
    if not found and not glob.has_magic(pattern):
        message = f"include `{pattern}`: found no such file. Correct the name or remove the line."
        raise mistaken("include", place, message)
    for file in found:
        if file.suffix not in SUFFIXES:
            raise mistaken(
                "include",
                place,
                f"include `{pattern}`: found `{show(file, root)}`; expected {', '.join(SUFFIXES)}. Narrow the pattern.",
            )
    return [file.resolve() for file in found]


def _take_out_known(tree: Table, included: Table, root: Path, mistakes: Mistakes) -> None:
    """A resource that *tree* has already counts once: its second definition leaves *included*."""
    for kind, resources in (included.get("resources") or {}).items():
        known = (tree.get("resources") or {}).get(kind) or {}
        for key in [key for key in resources or {} if key in known]:
            message = (
                f"found `resources.{kind}.{key}` a second time (first in `{show_place(known.places[key], root)}`); "
                "expected it in one file. Rename one of them."
            )
            mistakes.append(Mistake("duplicate-resource", show_place(resources.places[key], root), message))
            del resources[key]


def _check_unique_tasks(tree: Table, root: Path, mistakes: Mistakes) -> None:
    """A task key twice in one definition; after the target is merged in, it would look like an override."""
    jobs = (tree.get("resources") or {}).get("jobs") or {}
    for key, job in jobs.items():
        seen: dict[str, str] = {}
        tasks = job.get("tasks") if isinstance(job, Table) else None
        for task in tasks if isinstance(tasks, list) else ():
            if isinstance(task, Table) and "task_key" in task:
                name, place = str(task["task_key"]), show_place(task.place, root)
                if name in seen:
                    message = (
                        f"found the task `{name}` twice (first at `{seen[name]}`); expected each key once. "
                        "Rename one of them."
                    )
                    mistakes.append(Mistake("duplicate-task", place, message, job=key))
                seen.setdefault(name, place)
