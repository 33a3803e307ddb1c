"""Collects all findings in a bundle, for one target or for all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from lakelocal.bundle.deployed import other_resources
from lakelocal.bundle.documents import YamlMapping
from lakelocal.bundle.field_types import FOR_VALIDATION, fit_resources, fit_to_model
from lakelocal.bundle.jobs import read_jobs
from lakelocal.bundle.load import Configuration, read_configuration, target_names
from lakelocal.bundle.merge import shallow_copy
from lakelocal.bundle.pipelines import read_pipelines
from lakelocal.bundle.presets import jobs_of
from lakelocal.bundle.scripts import wrong_scripts
from lakelocal.bundle.targets import no_default, target_of_environment, two_defaults
from lakelocal.lakeflow.child_jobs import started_by
from lakelocal.lakeflow.fields import FieldVerdict, pipeline_verdicts, verdicts
from lakelocal.lakeflow.findings import Finding, FindingError
from lakelocal.lakeflow.model import Bundle
from lakelocal.project import Project, bundle_file
from lakelocal.validate.compute import check_compute
from lakelocal.validate.duplicates import check_duplicates
from lakelocal.validate.graph import check_reachable
from lakelocal.validate.job_view import JobView
from lakelocal.validate.limits import check_job_limits, check_task_limits
from lakelocal.validate.parameters import check_parameters
from lakelocal.validate.references import check_references, check_workspace_values
from lakelocal.validate.task_types import (
    check_git,
    check_job_levels,
    check_types,
)
from lakelocal.validate.triggers import check_continuous, check_schedules
from lakelocal.validate.without_effect import check_duration_warnings, check_without_effect

CHECKS = (
    check_duplicates,
    check_reachable,
    check_types,
    check_job_levels,
    check_git,
    check_compute,
    check_parameters,
    check_references,
    check_workspace_values,
    check_schedules,
    check_continuous,
    check_job_limits,
    check_task_limits,
    check_without_effect,
    check_duration_warnings,
)


@dataclass(frozen=True)
class Report:
    """What was found in the *targets*: each finding, and each verdict on a field, with the targets that it applies to.

    *jobs* and *pipelines* are the keys of those that were checked, *faulty* those of the pipelines that cannot run
    here; *others* are the keys of the resources that are neither run nor created here, by their kind.
    """

    targets: tuple[str, ...]
    jobs: tuple[str, ...]
    pipelines: tuple[str, ...]
    faulty: tuple[str, ...]
    findings: Mapping[Finding, tuple[str, ...]]
    fields: Mapping[FieldVerdict, tuple[str, ...]]
    others: Mapping[str, tuple[str, ...]]

    def count(self, severity: str) -> int:
        """The number of findings with this *severity*."""
        return sum(finding.severity == severity for finding in self.findings)


def validate(
    project: Project, *, job: str | None = None, target: str | None = None, variables: Mapping[str, str] | None = None
) -> Report:
    """Everything that is wrong with the bundle of *project*, for *target* or for all of its targets.

    Args:
        job: The key of a job; only findings about it, the jobs that it starts and the bundle as a whole are reported.
            The key of a pipeline does as well.

    Raises:
        UsageError: the target, a variable or the job is unknown.
    """
    findings: dict[Finding, list[str]] = {}
    fields: dict[FieldVerdict, list[str]] = {}
    bundles: list[Bundle] = []
    targets = [target] if target is not None else _targets(project, findings)
    for name in targets:
        found, bundle = _of_target(project, name, variables or {}, is_named=target is not None)
        bundles += [bundle] if bundle else []
        for finding in found:
            findings.setdefault(finding, []).append(name)
    wanted = _wanted(bundles, job)
    pipelines = _wanted_pipelines(bundles, wanted, job)
    for bundle in bundles:
        for verdict in (verdict for key in wanted if key in bundle.jobs for verdict in verdicts(bundle.jobs[key])):
            fields.setdefault(verdict, []).append(bundle.target)
        for key in pipelines:
            for verdict in pipeline_verdicts(bundle.pipelines[key]) if key in bundle.pipelines else ():
                fields.setdefault(verdict, []).append(bundle.target)
    return Report(
        targets=tuple(targets),
        jobs=tuple(wanted),
        pipelines=tuple(pipelines),
        faulty=tuple(key for key in pipelines if any(_is_faulty(bundle, key) for bundle in bundles)),
        findings={
            finding: tuple(dict.fromkeys(findings[finding]))
            for finding in sorted(findings)
            if job is None or finding.where.job in ("", *wanted)
        },
        fields={verdict: tuple(names) for verdict, names in fields.items()},
        others=_joined(bundle.others for bundle in bundles),
    )


def _is_faulty(bundle: Bundle, pipeline: str) -> bool:
    return pipeline in bundle.pipelines and bundle.pipelines[pipeline].fault is not None


def _joined(others: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for kind, keys in (pair for each in others for pair in each.items()):
        found.setdefault(kind, {}).update(dict.fromkeys(keys))
    return {kind: tuple(keys) for kind, keys in found.items()}


def _targets(project: Project, findings: dict[Finding, list[str]]) -> list[str]:
    """The target that the environment selects, otherwise all targets."""
    if named := target_of_environment():
        return [named[1]]
    try:
        return target_names(project)
    except FindingError as error:
        findings.update({finding: [] for finding in error.findings})
        return []


def _of_target(
    project: Project, target: str, variables: Mapping[str, str], *, is_named: bool
) -> tuple[list[Finding], Bundle | None]:
    """The findings for one target, and the bundle as far as it is well-formed; None if it cannot be read.

    If the user has named the target (*is_named*), it does not matter which one is the default.
    """
    try:
        configuration = read_configuration(project, target=target, variables=variables)
    except FindingError as error:
        return list(error.findings), None
    findings, settings = configuration.findings, configuration.settings
    tree = configuration.deployed()
    fit_resources(_without_jobs(tree), findings, FOR_VALIDATION)
    sources = {
        key: fit_to_model("jobs", key, job, findings, FOR_VALIDATION)
        for key, job in jobs_of(tree).items()
        if isinstance(job, YamlMapping)
    }
    pipelines = read_pipelines(tree, settings, findings)
    jobs = read_jobs(sources, settings, findings, pipelines=pipelines)
    file = bundle_file(project.root) or project.root
    bundle = Bundle(**vars(settings), jobs=jobs, pipelines=pipelines, others=other_resources(tree), file=file)
    views = [_view(bundle, key, sources[key], configuration) for key in jobs]
    found = [finding for view in views for check in CHECKS for finding in check(view)]
    of_default = () if is_named else (two_defaults, no_default)
    of_bundle = [finding for check in of_default if (finding := check(configuration.written, project.root))]
    of_bundle += [pipeline.fault for pipeline in pipelines.values() if pipeline.fault]
    of_bundle += chain.from_iterable(wrong_scripts(configuration.written, findings).values())
    return [*findings, *settings.unset.values(), *of_bundle, *found], bundle


def _without_jobs(tree: YamlMapping) -> YamlMapping:
    """The resources of *tree* other than jobs."""
    resources = tree.get("resources")
    result = shallow_copy(resources) if isinstance(resources, YamlMapping) else YamlMapping(tree.place)
    result.pop("jobs", None)
    return result


def _view(bundle: Bundle, key: str, source: YamlMapping, configuration: Configuration) -> JobView:
    written = ((configuration.written.get("resources") or {}).get("jobs") or {}).get(key)
    return JobView(bundle, bundle.jobs[key], source, written if isinstance(written, YamlMapping) else source)


def _wanted(bundles: list[Bundle], job: str | None) -> list[str]:
    """The keys of the jobs to report on: all of them, or *job* and those that it starts."""
    known = list(dict.fromkeys(key for bundle in bundles for key in bundle.jobs))
    if job is None or not bundles:
        return known
    if any(job in bundle.pipelines for bundle in bundles) and job not in known:
        return []
    having = [bundle for bundle in bundles if job in bundle.jobs] or [bundles[0]]
    return list(dict.fromkeys(each.key for bundle in having for each in started_by(bundle, bundle.job(job))))


def _wanted_pipelines(bundles: list[Bundle], jobs: list[str], named: str | None) -> list[str]:
    """The keys of the pipelines to report on: all of them, or *named*, or those that the tasks of *jobs* update."""
    if named is None:
        return list(dict.fromkeys(key for bundle in bundles for key in bundle.pipelines))
    own = (bundle.jobs[key] for bundle in bundles for key in jobs if key in bundle.jobs)
    updated = (task.pipeline for job in own for task in job.every_task() if task.pipeline)
    return list(dict.fromkeys([*updated, *([] if jobs else [named])]))
