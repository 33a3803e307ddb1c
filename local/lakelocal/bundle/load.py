"""Reads a bundle phase by phase, as the Databricks CLI does.

    read, include     the files as one tree                                   includes
    select target     types, what the target overrides, workspace paths       field_types, targets, workspace
    variables         a value for each, then references outside of resources  variables, resolve
    resources         references, types, keyed lists merged                   resolve, merge
    presets           names, tags, pauses, defaults                           presets
    Python            resources that code defines and changes                 python_resources
    ------------------------------------------------------------------------  what `validate --output json` prints
    deploy            volumes, ids and names of the bundle's own resources    deployed
    model             the jobs that run here                                  jobs

A mistake in a job only prevents that job from running; any other mistake prevents the bundle from being loaded.

Source: Databricks CLI 1.13, `bundle/phases/initialize.go`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lakelocal.bundle.artifacts import check_artifacts
from lakelocal.bundle.cli_version import check_cli_version
from lakelocal.bundle.deployed import other_resources, with_deployed_references, with_volume_paths
from lakelocal.bundle.documents import YamlMapping, in_words, place_of
from lakelocal.bundle.field_types import AS_PRINTED, AS_WRITTEN, FOR_RUN, fit_resources, fit_to_model
from lakelocal.bundle.includes import read_files
from lakelocal.bundle.jobs import read_jobs
from lakelocal.bundle.known_fields import unknown_fields
from lakelocal.bundle.local_files import with_local_paths
from lakelocal.bundle.merge import Merge, merge_keyed_lists, shallow_copy
from lakelocal.bundle.notebooks import synced_folders
from lakelocal.bundle.permissions import check_permissions, check_shared_root
from lakelocal.bundle.pipelines import read_pipelines
from lakelocal.bundle.presets import check_mode, jobs_of, presets_of, with_presets
from lakelocal.bundle.python_resources import with_python
from lakelocal.bundle.reference_values import ReferenceValues
from lakelocal.bundle.references import only_reference, references_in
from lakelocal.bundle.resolve import Resolver
from lakelocal.bundle.run_as import check_run_as
from lakelocal.bundle.scripts import read_scripts, wrong_scripts
from lakelocal.bundle.securables import read_securables, with_schema_references
from lakelocal.bundle.targets import chosen_target, targets_of, with_target, with_target_blocks
from lakelocal.bundle.variables import unset_variables_in, with_variable_values
from lakelocal.bundle.workspace import check_paths, with_workspace, without_double_prefix
from lakelocal.errors import UsageError
from lakelocal.lakeflow.field_values import as_number, as_text
from lakelocal.lakeflow.findings import ERROR, Finding, Findings
from lakelocal.lakeflow.model import Bundle, BundleSettings
from lakelocal.lakeflow.pipeline_updates import update_job
from lakelocal.project import Project, bundle_file

CATALOG_VARIABLES = ("catalog", "catalog_name", "uc_catalog")  # usual names for it; the first that is declared counts


@dataclass(frozen=True)
class Configuration:
    """A bundle for one target, resolved as far as the CLI resolves it without a deployment.

    *written* is the bundle as it is written, *tree* the resolved one, and *findings* tell what is wrong with it.
    """

    written: YamlMapping
    tree: YamlMapping
    settings: BundleSettings
    findings: Findings

    def deployed(self) -> YamlMapping:
        """The tree after a deployment to this machine: with ids, and with the paths that its files have here."""
        tree = with_deployed_references(self.tree, self.findings)
        return with_local_paths(tree, str(tree["workspace"]["file_path"]), self.settings.folders)


def load_settings(
    project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None
) -> BundleSettings:
    """The target of *project*, its catalog and its variables, read without its resources.

    Raises:
        UsageError: *target* or one of *variables* is unknown; the message lists the legal names.
        FindingError: a file cannot be read as part of a bundle, or the catalog has no value.
    """
    findings = Findings(project.root)
    selected = _selected(project, target, variables or {}, findings, with_resources=False)
    findings.of(ERROR).without_jobs().raise_any()
    return selected.settings


def load_bundle(project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None) -> Bundle:
    """The bundle of *project* for *target*, or for its default target, with all jobs checked.

    What is wrong with a job is raised by `Bundle.job`, as soon as somebody wants to run it.

    Raises:
        UsageError: *target* or one of *variables* is unknown.
        FindingError: something outside of the jobs is wrong.
    """
    configuration = read_configuration(project, target=target, variables=variables)
    findings = configuration.findings
    tree = configuration.deployed()
    fit = {
        key: fit_to_model("jobs", key, job, findings, FOR_RUN)
        for key, job in jobs_of(tree).items()
        if isinstance(job, YamlMapping)
    }
    pipelines = read_pipelines(tree, configuration.settings, findings)
    jobs = read_jobs(fit, configuration.settings, findings, pipelines=pipelines)
    scripts = wrong_scripts(configuration.written, findings)
    errors = findings.of(ERROR)
    errors.without_jobs().raise_any()
    return Bundle(
        **vars(configuration.settings),
        jobs=jobs,
        pipelines=pipelines,
        updates={key: update_job(pipeline) for key, pipeline in pipelines.items()},
        securables=read_securables(tree),
        file=bundle_file(project.root) or project.root,
        scripts=read_scripts(tree),
        others=other_resources(tree),
        faults={key: tuple(found) for key, found in errors.by_job().items()},
        script_faults={name: tuple(found) for name, found in scripts.items()},
        warnings=tuple(sorted(dict.fromkeys(each for each in findings if each.severity != ERROR))),
    )


def read_configuration(
    project: Project, *, target: str | None = None, variables: Mapping[str, str] | None = None
) -> Configuration:
    """The bundle of *project* for *target*, as far as it can be read.

    Raises:
        UsageError: *target* or one of *variables* is unknown.
        FindingError: the root file or the target cannot be read at all.
    """
    findings = Findings(project.root)
    selected = _selected(project, target, variables or {}, findings, with_resources=True)
    _check_resources(selected.tree, findings)
    names = ReferenceValues(selected.tree, selected.settings.unset, project.root)

    def normalised(tree: YamlMapping, keys: Mapping[str, Iterable[str]] | None = None) -> YamlMapping:
        return _normalised(tree, names, findings, keys)

    def initialised(tree: YamlMapping, keys: Mapping[str, Iterable[str]] | None = None) -> YamlMapping:
        return with_presets(normalised(tree, keys), keys)

    tree = shallow_copy(selected.tree)
    if presets := presets_of(tree):
        tree.put("presets", _as_table(presets, tree), tree.place)
    tree = initialised(tree)
    tree = with_python(tree, added=initialised, updated=normalised, findings=findings)
    tree = with_volume_paths(tree, findings)
    tree = replace_resources(tree, fit_resources(tree.get("resources"), findings, AS_PRINTED))
    findings += unknown_fields(selected.written, project.root)
    return Configuration(selected.written, tree, selected.settings, findings)


def target_names(project: Project) -> list[str]:
    """The targets of *project* in the order of the file; only `default` if it declares none.

    Raises:
        FindingError: the root file cannot be read.
    """
    return targets_of(_written(project, Findings(project.root)))


@dataclass(frozen=True)
class _Selected:
    """A bundle with its target merged in, and with the references outside of its resources resolved."""

    written: YamlMapping
    tree: YamlMapping
    settings: BundleSettings


def _selected(
    project: Project, target: str | None, given: Mapping[str, str], findings: Findings, *, with_resources: bool
) -> _Selected:
    written = _written(project, findings)
    check_cli_version(written, findings)
    try:
        name = chosen_target(written, target, project.root)
    except UsageError:
        findings.of(ERROR).raise_any()  # the target may be in a file that cannot be read
        raise
    block = (written.get("targets") or {}).get(name)
    typed = _with_typed_resources(written, name, findings) if with_resources else _without_resources(written, name)
    tree = with_workspace(with_target(typed, name, findings), target=name)
    tree = without_double_prefix(tree, findings)
    _check_name(tree, findings)
    tree, unset = with_variable_values(tree, given, root=project.root, target=name, findings=findings)
    tree = _resolved_outside(tree, unset, project, findings)
    check_paths(tree, findings)
    check_permissions(tree, findings)
    check_shared_root(tree, findings)
    check_artifacts(tree, findings)
    check_mode(tree, block if isinstance(block, YamlMapping) else {}, findings)
    check_run_as(tree, findings)
    return _Selected(written, tree, _settings(tree, name, unset, project, findings))


def _written(project: Project, findings: Findings) -> YamlMapping:
    root_file = bundle_file(project.root)
    assert root_file is not None, "Project.at has found it"
    return with_target_blocks(read_files(root_file, findings), findings)


def _with_typed_resources(written: YamlMapping, name: str, findings: Findings) -> YamlMapping:
    """*written* with its resources, and those of the target, fitted to their models, so that they can be merged."""
    return _with_resources(written, name, lambda resources: fit_resources(resources, findings, AS_WRITTEN))


def _without_resources(written: YamlMapping, name: str) -> YamlMapping:
    return _with_resources(written, name, lambda resources: None)


def _with_resources(written: YamlMapping, name: str, change: Any) -> YamlMapping:
    result = replace_resources(written, change(written.get("resources")))
    target = (written.get("targets") or {}).get(name)
    if isinstance(target, YamlMapping):
        targets = shallow_copy(written["targets"])
        targets[name] = replace_resources(target, change(target.get("resources")))
        result["targets"] = targets
    return result


def replace_resources(tree: YamlMapping, resources: Any) -> YamlMapping:
    """*tree* with other *resources*."""
    result = shallow_copy(tree)
    if "resources" in tree:
        result["resources"] = resources
    return result


def _check_name(tree: YamlMapping, findings: Findings) -> None:
    if any(references_in(tree["bundle"].get("name"))):
        where = findings.at(place_of(tree, ("bundle", "name"), tree.place), path=("bundle", "name"))
        found, expected = "a reference in `bundle.name`", "a fixed name, which identifies the deployment"
        findings.add("bundle-name-reference", found, expected, "Write the name out.", where)
    if not tree["bundle"].get("name"):
        where = findings.at((tree.place[0], 1), path=("bundle", "name"))
        findings.add("bundle-name", "no `bundle.name`", "one", "Add it.", where)


def _check_resources(tree: YamlMapping, findings: Findings) -> None:
    """Check that every resource is a mapping of fields, and that its key is not a reference."""
    for kind, named in (tree.get("resources") or {}).items():
        for key, resource in (named or {}).items() if isinstance(named, YamlMapping) else ():
            if any(references_in(key)):
                where = findings.at(named.places[key], job=key if kind == "jobs" else "", path=("resources", kind, key))
                found, expected = f"a reference in the key `{key}`", "a fixed key, which identifies the resource"
                findings.add("resource-key", found, expected, "Write the key out.", where)
            if not isinstance(resource, YamlMapping) and not (isinstance(resource, str) and only_reference(resource)):
                job = key if kind == "jobs" else ""
                where = findings.at(named.places[key], job=job, path=("resources", kind, key))
                rule, found = ("no-resource", "nothing") if resource is None else ("wrong-type", in_words(resource))
                findings.add(
                    rule, f"{found} as `{key}`", f"a mapping: the fields of one of `{kind}`", "Add them.", where
                )


def _resolved_outside(
    tree: YamlMapping, unset: Mapping[str, Finding], project: Project, findings: Findings
) -> YamlMapping:
    """*tree* with the references outside of its resources resolved."""
    rest = shallow_copy(tree)
    resources = rest.pop("resources", None)
    resolve = Resolver(ReferenceValues(rest, unset, project.root), findings)
    result: YamlMapping = resolve(rest, rest.place)
    if "resources" in tree:
        result.put("resources", resources, tree.places["resources"])
    return result


def _normalised(
    tree: YamlMapping, names: ReferenceValues, findings: Findings, keys: Mapping[str, Iterable[str]] | None
) -> YamlMapping:
    """*tree* with its resources normalised: references resolved, values fitted to the model, keyed lists merged.

    *keys* are the keys of the resources to change, by kind; None for all.
    """
    for kind, named in (tree.get("resources") or {}).items():
        if not isinstance(named, YamlMapping):
            continue
        block = shallow_copy(named)
        for key in list(named) if keys is None else keys.get(kind, ()):
            block[key] = _resource(kind, key, named, names, findings)
        tree = _with_block(tree, kind, block)
    return with_schema_references(tree)


def _with_block(tree: YamlMapping, kind: str, block: YamlMapping) -> YamlMapping:
    resources = shallow_copy(tree["resources"])
    resources[kind] = block
    return replace_resources(tree, resources)


def _resource(kind: str, key: str, named: YamlMapping, names: ReferenceValues, findings: Findings) -> Any:
    """The resource *key* of *named*, normalised; it may be a single reference to a complex variable."""
    job = key if kind == "jobs" else ""
    resolved = Resolver(names, findings, job)(named[key], named.places[key])
    if not isinstance(resolved, YamlMapping):
        return resolved
    fit = fit_to_model(kind, key, resolved, findings, AS_WRITTEN)
    return merge_keyed_lists(kind, fit, Merge(findings, job=job))


def _as_table(values: Mapping[str, Any], tree: YamlMapping) -> YamlMapping:
    written = tree.get("presets")
    result = shallow_copy(written) if isinstance(written, YamlMapping) else YamlMapping(tree.place)
    for name, value in values.items():
        if name == "jobs_max_concurrent_runs":
            value = as_number(value)
        elif name == "tags" and isinstance(value, dict):
            value = {key: as_text(each) for key, each in value.items()}
        result.put(name, value, result.places.get(name, tree.place))
    return result


def _settings(
    tree: YamlMapping, target: str, unset: Mapping[str, Finding], project: Project, findings: Findings
) -> BundleSettings:
    synced = synced_folders(tree.get("sync"), project.root)
    settings = BundleSettings(
        name=str(tree["bundle"].get("name")),
        root=project.root,
        target=target,
        catalog="main",
        variables={},
        mode=tree["bundle"].get("mode"),
        synced=synced,
        unset=unset,
        files_path=str(tree["workspace"]["file_path"]),
        user=tree["workspace"]["current_user"]["userName"],
    )
    declared = with_local_paths(tree, str(tree["workspace"]["file_path"]), settings.folders).get("variables") or {}
    values = {name: variable["value"] for name, variable in declared.items() if "value" in variable}
    named = next((name for name in CATALOG_VARIABLES if name in declared), None)
    catalog = values.get(named, "${var." + named + "}") if named else "main"
    findings += unset_variables_in(catalog, unset)
    return replace(settings, catalog=str(catalog), variables=values)
