"""All findings in a bundle, for one target or for all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from local.bundle.documents import Table, show_place
from local.bundle.jobs import SHAPE, collect_jobs
from local.bundle.load import Draft, read_draft, target_names
from local.bundle.mistakes import Mistake
from local.bundle.model import Bundle
from local.errors import BundleError
from local.lakeflow.child_jobs import started_by
from local.lakeflow.fields import FieldVerdict, verdicts
from local.project import Project, bundle_file
from local.validate.compute import check_compute
from local.validate.conditions import check_conditions
from local.validate.duplicates import check_duplicates
from local.validate.findings import Finding, of_mistake
from local.validate.graph import check_outcomes, check_reachable
from local.validate.limits import check_job_limits, check_task_limits
from local.validate.parameters import check_parameters
from local.validate.references import check_references
from local.validate.root import check_root
from local.validate.shape import OF_SHAPE, Misfit, fitted
from local.validate.subject import Subject
from local.validate.task_types import (
    check_files,
    check_for_each,
    check_git,
    check_job_levels,
    check_sql_kind,
)
from local.validate.triggers import check_continuous, check_schedules
from local.validate.useless import check_duration_warnings, check_useless

CHECKS = (
    check_duplicates,
    check_outcomes,
    check_reachable,
    check_conditions,
    check_for_each,
    check_job_levels,
    check_sql_kind,
    check_git,
    check_files,
    check_compute,
    check_parameters,
    check_references,
    check_schedules,
    check_continuous,
    check_job_limits,
    check_task_limits,
    check_useless,
    check_duration_warnings,
)


@dataclass(frozen=True)
class Report:
    """What was found: each finding once, with the *targets* that have it; the same for the verdicts on fields.

    *jobs* are the keys of the jobs that were looked at.
    """

    targets: tuple[str, ...]
    jobs: tuple[str, ...]
    findings: Mapping[Finding, tuple[str, ...]]
    fields: Mapping[FieldVerdict, tuple[str, ...]]

    def count(self, severity: str) -> int:
        """How many findings are of *severity*."""
        return sum(finding.severity == severity for finding in self.findings)


def validate(
    project: Project, *, job: str | None = None, target: str | None = None, variables: Mapping[str, str] | None = None
) -> Report:
    """Everything that is wrong with the bundle of *project*, for *target* or for all of its targets.

    Args:
        job: the key of a job: only what concerns it, the jobs that it starts, and the bundle as a whole.

    Raises:
        UsageError: unknown target, variable or job.
    """
    findings: dict[Finding, list[str]] = {}
    fields: dict[FieldVerdict, list[str]] = {}
    bundles: list[Bundle] = []
    targets = [target] if target is not None else _targets(project, findings)
    for name in targets:
        found, bundle = _of_target(project, name, variables or {})
        bundles += [bundle] if bundle else []
        for finding in found:
            findings.setdefault(finding, []).append(name)
    wanted = _wanted(bundles, job)
    for bundle in bundles:
        for verdict in (verdict for key in wanted if key in bundle.jobs for verdict in verdicts(bundle.jobs[key])):
            fields.setdefault(verdict, []).append(bundle.target)
    return Report(
        targets=tuple(targets),
        jobs=tuple(wanted),
        findings={
            finding: tuple(dict.fromkeys(findings[finding]))
            for finding in sorted(findings, key=_in_order)
            if job is None or finding.job in ("", *wanted)
        },
        fields={verdict: tuple(names) for verdict, names in fields.items()},
    )


def _targets(project: Project, findings: dict[Finding, list[str]]) -> list[str]:
    try:
        return target_names(project)
    except BundleError as error:
        findings[_finding_of(error)] = []
        return []


def _finding_of(error: BundleError) -> Finding:
    """What *error* tells; one that is no single mistake is raised on."""
    if error.mistake is None:
        raise error
    return of_mistake(error.mistake)


def _of_target(project: Project, target: str, variables: Mapping[str, str]) -> tuple[list[Finding], Bundle | None]:
    """The findings for one target, and its bundle without what does not fit; None where it cannot be read."""
    try:
        draft = read_draft(project, target=target, variables=variables)
    except BundleError as error:
        return [_finding_of(error)], None
    from databricks.bundles.jobs import Job as Shape  # here, since a bundle that cannot be read need not pay for it

    findings = [of_mistake(mistake) for mistake in (*draft.mistakes, *draft.settings.unset.values())]
    findings += check_root(draft.written, project.root)
    sources: dict[str, Table] = {}
    for key, source in draft.jobs.items():
        sources[key], misfits = fitted(Shape, source)
        findings += [_of_misfit(misfit, key, source, project) for misfit in misfits]
    jobs, mistakes = collect_jobs(sources, draft.settings)
    bundle = Bundle(**vars(draft.settings), jobs=jobs, file=bundle_file(project.root) or project.root)
    subjects = [_subject(bundle, key, sources[key], draft) for key in jobs]
    findings += [finding for subject in subjects for check in CHECKS for finding in check(subject)]
    findings += list(_of_mistakes(mistakes, findings))
    return findings, bundle


def _subject(bundle: Bundle, key: str, source: Table, draft: Draft) -> Subject:
    written = ((draft.written.get("resources") or {}).get("jobs") or {}).get(key)
    return Subject(bundle, bundle.jobs[key], source, written if isinstance(written, Table) else source)


def _of_misfit(misfit: Misfit, key: str, source: Table, project: Project) -> Finding:
    inside = source["tasks"][misfit.path[1]] if misfit.path[0] == "tasks" and len(misfit.path) > 1 else {}
    task = str(inside.get("task_key") or "") if isinstance(inside, dict) else ""
    where = show_place(misfit.place, project.root)
    return Finding(where, key, task, misfit.rule, misfit.found, misfit.expected, misfit.action)


def _of_mistakes(mistakes: Iterable[Mistake], told: list[Finding]) -> Iterator[Finding]:
    """The findings of the reader of jobs, but those that are *told* already.

    The reader knows the task of a mistake, the checks here the field: where both break one rule, the field is told.
    """
    known = {(each.rule, each.job, each.task) for each in told}
    misshapen = {each.job for each in told if each.rule in OF_SHAPE}
    for mistake in mistakes:
        if mistake.rule == SHAPE and mistake.job in misshapen:
            continue
        if (mistake.rule, mistake.job, mistake.task) not in known:
            yield of_mistake(mistake)


def _wanted(bundles: list[Bundle], job: str | None) -> list[str]:
    """The keys of the jobs that are asked for: all, or *job* and those that it starts."""
    known = list(dict.fromkeys(key for bundle in bundles for key in bundle.jobs))
    if job is None or not bundles:
        return known
    having = [bundle for bundle in bundles if job in bundle.jobs] or [bundles[0]]
    return list(dict.fromkeys(each.key for bundle in having for each in started_by(bundle, bundle.job(job))))


def _in_order(finding: Finding) -> tuple:
    file, _, line = finding.where.rpartition(":")
    return (file or finding.where, int(line) if line.isdigit() else 0, finding)
