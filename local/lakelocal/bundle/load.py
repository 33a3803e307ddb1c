"""Reading a bundle: root file, includes, target, variables, presets, and at last its jobs.

Source: Databricks CLI 1.13, `bundle/config`: `include` holds relative glob patterns without `**`, sorted a pattern;
a pattern that is a plain name must match; a resource is defined in one file only.
"""

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakelocal.bundle import names
from lakelocal.bundle.documents import SUFFIXES, YamlMapping, read_document
from lakelocal.bundle.field_types import fitted
from lakelocal.bundle.jobs import read_jobs
from lakelocal.bundle.mappings import take_out_misfits
from lakelocal.bundle.merge import grouped_job, mapped, merged
from lakelocal.bundle.notebooks import synced_folders
from lakelocal.bundle.presets import apply_presets
from lakelocal.bundle.python_resources import apply_python
from lakelocal.bundle.securables import read_securables
from lakelocal.bundle.targets import NO_TARGET, chosen_target, with_target
from lakelocal.bundle.variables import Resolver, unset_in, variable_values
from lakelocal.lakeflow.findings import Finding, FindingError, Findings, Place, show
from lakelocal.lakeflow.model import Bundle, BundleSettings, Securable
from lakelocal.project import Project, bundle_file

CATALOG_VARIABLES = ("catalog", "catalog_name", "uc_catalog")  # the names that bundles give it; the first one counts


@dataclass(frozen=True)
class Draft:
    """A bundle for one target before its jobs are read.

    *written* is the bundle as its files have it; *jobs* are its jobs with the target merged in and every reference
    resolved, *securables* its schemas and volumes. *findings* are those made so far.
    """

    written: YamlMapping
    settings: BundleSettings
    jobs: Mapping[str, YamlMapping]
    securables: tuple[Securable, ...]
    findings: Findings


def load_settings(
    project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None
) -> BundleSettings:
    """The target of *project*, its catalog and its variables; jobs are not looked at.

    Raises:
        UsageError: unknown target or variable; the message lists the legal names.
        FindingError: a file is not a bundle, or the catalog has no value.
    """
    findings = Findings(project.root)
    source = _read(project, target, variables or {}, findings)
    findings.raise_any()
    return source.settings


def load_bundle(project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None) -> Bundle:
    """The bundle of *project* for *target* (else the default target, else the first), all jobs checked.

    Raises:
        UsageError: unknown target or variable.
        FindingError: anything wrong in the files; everything that is wrong with the jobs is listed at once.
    """
    draft = read_draft(project, target=target, variables=variables)
    draft.findings.raise_any()
    findings = Findings(project.root)
    fit = {key: fitted(key, job, findings, with_references=True) for key, job in draft.jobs.items()}
    jobs = read_jobs(fit, draft.settings, findings)
    findings.raise_any()
    return Bundle(
        **vars(draft.settings),
        jobs=jobs,
        securables=draft.securables,
        file=bundle_file(project.root) or project.root,
    )


def read_draft(project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None) -> Draft:
    """The bundle of *project* for *target*, as far as it can be read.

    Raises:
        UsageError: unknown target or variable.
        FindingError: the root file or the target cannot be read at all.
    """
    findings = Findings(project.root)
    source = _read(project, target, variables or {}, findings)
    settings = source.settings
    apply_python(source.tree, target=settings.target, variables=settings.variables, findings=findings)
    resources = source.tree.get("resources") or {}
    jobs = {key: grouped_job(job) for key, job in (resources.get("jobs") or {}).items() if isinstance(job, YamlMapping)}
    for key in (resources.get("jobs") or {}).keys() - jobs.keys():
        where = findings.at(resources["jobs"].places[key], job=key)
        findings.add("wrong-type", "no mapping", "the fields of a job", "Add them.", where)
    apply_presets(source.tree, jobs, findings)
    resolved = {key: mapped(job, source.resolver) for key, job in jobs.items()}
    securables = read_securables(source.tree, source.resolver, findings)
    return Draft(source.written, settings, resolved, securables, findings)


def target_names(project: Project) -> list[str]:
    """The targets of *project* in the order of the file; `default` where it declares none.

    Raises:
        FindingError: the root file cannot be read.
    """
    root_file = bundle_file(project.root)
    assert root_file is not None, "Project.at has found it"
    return list(_with_includes(root_file, Findings(project.root)).get("targets") or [NO_TARGET])


@dataclass(frozen=True)
class _Source:
    """A bundle whose target is merged in, and whose references can be resolved."""

    written: YamlMapping
    tree: YamlMapping
    settings: BundleSettings
    resolver: Resolver


def _read(project: Project, target: str | None, given: Mapping[str, str], findings: Findings) -> _Source:
    root_file = bundle_file(project.root)
    assert root_file is not None, "Project.at has found it"
    written = _with_includes(root_file, findings)
    _check_unique_tasks(written, findings)
    name = chosen_target(written, target, project.root)
    tree = with_target(written, name)
    with findings.caught():
        values: dict[str, Any] = {}
        unset: dict[str, Finding] = {}
        values, unset = variable_values(tree, given, root=project.root, target=name)
    bundle_name = (tree.get("bundle") or {}).get("name")
    if not bundle_name:
        where = findings.at((root_file, 1), path=("bundle", "name"))
        findings.add("bundle-name", "no `bundle.name`", "one", "Add it.", where)
    synced = synced_folders(tree.get("sync"), project.root)
    lookup = names.Lookup(tree, values, bundle=str(bundle_name), target=name, folders=(project.root, *synced))
    resolver = Resolver(lookup, findings)
    places = tree["variables"].places if values else {}
    resolved = {key: resolver("${var." + key + "}", places[key]) for key in values if key not in unset}
    named = next((name for name in CATALOG_VARIABLES if name in values), None)
    catalog = resolved.get(named, "${var." + named + "}") if named else None
    findings += unset_in(catalog, unset)
    settings = BundleSettings(
        name=str(bundle_name),
        root=project.root,
        target=name,
        catalog=str(catalog) if catalog is not None else "main",
        variables=resolved,
        mode=tree.get("mode"),
        synced=synced,
        unset=unset,
        files_path=f"{resolver('${workspace.root_path}', (root_file, 1))}/files",
    )
    return _Source(written, tree, settings, resolver)


def _with_includes(root_file: Path, findings: Findings) -> YamlMapping:
    tree = _read_blocks(root_file, findings)
    for pattern in tree.get("include") or []:
        files: list[Path] = []
        with findings.caught():
            files = _included(str(pattern), tree.places["include"], findings)
        for file in files:
            with findings.caught():
                included = _read_blocks(file, findings)
                _take_out_known(tree, included, findings)
                tree = merged(tree, included)
    return tree


def _read_blocks(file: Path, findings: Findings) -> YamlMapping:
    document = read_document(file, findings)
    take_out_misfits(document, findings)
    return document


def _included(pattern: str, place: Place, findings: Findings) -> list[Path]:
    root, where = findings.root, findings.at(place, path=("include",))
    found = sorted(Path(name) for name in glob.glob(str(root / pattern)))
    if not found and not glob.has_magic(pattern):
        action = "Correct the name, or remove the line."
        raise FindingError(Finding(where, "include", f"no file `{pattern}` in `include`", "a file that exists", action))
    for file in found:
        if file.suffix not in SUFFIXES:
            named, expected = f"`{show(file, root)}` by the pattern `{pattern}`", ", ".join(SUFFIXES)
            raise FindingError(Finding(where, "include", named, expected, "Narrow the pattern."))
    return [file.resolve() for file in found]


def _take_out_known(tree: YamlMapping, included: YamlMapping, findings: Findings) -> None:
    """A resource that *tree* has already counts once: its second definition leaves *included*."""
    for kind, resources in (included.get("resources") or {}).items():
        known = (tree.get("resources") or {}).get(kind) or YamlMapping(tree.place)
        for key in [key for key in resources or {} if key in known]:
            found = f"`resources.{kind}.{key}` a second time (first in `{findings.at(known.places[key])}`)"
            where = findings.at(resources.places[key], path=("resources", kind, key))
            findings.add("duplicate-resource", found, "it in one file", "Rename one of them.", where)
            del resources[key]


def _check_unique_tasks(tree: YamlMapping, findings: Findings) -> None:
    """A task key twice in one definition; after the target is merged in, it would look like an override."""
    jobs = (tree.get("resources") or {}).get("jobs") or {}
    for key, job in jobs.items():
        seen: dict[str, Place] = {}
        tasks = job.get("tasks") if isinstance(job, YamlMapping) else None
        for number, task in enumerate(tasks if isinstance(tasks, list) else ()):
            if isinstance(task, YamlMapping) and "task_key" in task:
                name = str(task["task_key"])
                if name in seen:
                    found = f"the task `{name}` twice (first at `{findings.at(seen[name])}`)"
                    where = findings.at(task.place, job=key, path=("tasks", number))
                    findings.add("duplicate-task", found, "each key once", "Rename one of them.", where)
                seen.setdefault(name, task.place)
