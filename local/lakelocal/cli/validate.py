"""`validate`: print everything that is wrong with a bundle, and how faithfully its jobs run here."""

import json
import sys
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lakelocal.cli.scope import project_of, variables_of
from lakelocal.cli.verbs import Verbs
from lakelocal.errors import UsageError
from lakelocal.lakeflow.fields import FieldVerdict
from lakelocal.lakeflow.findings import ERROR, WARNING, Finding
from lakelocal.lakeflow.verdicts import HONOURED, VERDICTS
from lakelocal.roots.enter import described, which_way
from lakelocal.validate import Report, validate
from lakelocal.waiting import waiting

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {ERROR: "bold red", WARNING: "yellow"}


def add(verbs: Verbs) -> None:
    """Declare the verb."""
    text = "find everything that is wrong with the bundle, without a workspace and without running it"
    parser = verbs.add_parser("validate", help=text, description=text[0].upper() + text[1:] + ".")
    job = "check only this job and the jobs that it starts, or this pipeline"
    parser.add_argument("job", nargs="?", metavar="JOB", help=job)
    parser.add_argument("--target", metavar="T", help="check only this target of the bundle (default: all)")
    parser.add_argument("--var", action="append", default=[], metavar="K=V", help="a bundle variable; may be repeated")
    parser.add_argument("--fidelity", action="store_true", help="show how a local run treats each field that is set")
    parser.add_argument("--strict", action="store_true", help="also exit with 1 if there are warnings")
    parser.add_argument("--json", action="store_true", help="print the findings and the verdicts on fields as JSON")
    parser.add_argument(
        "-o", "--output", choices=("text", "json"), default="text",
        help="json: print the bundle as it is resolved for one target, as `databricks bundle validate` does",
    )  # fmt: skip
    parser.set_defaults(command=run)


def run(options: Namespace) -> int:
    """Print what was found; the exit code is 1 if there are errors, with `--strict` also if there are warnings."""
    variables = variables_of(options)
    if options.output == "json":
        return _print_bundle(options, variables)
    with waiting("checking the bundle"):
        report = validate(project_of(options), job=options.job, target=options.target, variables=variables)
    if options.json:
        print(json.dumps(as_json(report), indent=1, ensure_ascii=False))
    else:
        _print(report, with_fields=options.fidelity)
    return _exit_code(report, strict=options.strict)


def _print_bundle(options: Namespace, variables: Mapping[str, str]) -> int:
    """Print the resolved bundle, and what was found to standard error."""
    from lakelocal.bundle.load import read_configuration
    from lakelocal.bundle.printed import as_printed

    if options.job or options.json or options.fidelity:
        raise UsageError("--output json: found a job, --json or --fidelity; it prints the bundle. Leave them out.")
    configuration = read_configuration(project_of(options), target=options.target, variables=variables)
    print(json.dumps(as_printed(configuration), indent=2, ensure_ascii=False))
    report = validate(project_of(options), target=configuration.settings.target, variables=variables)
    for finding in report.findings:
        print(f"{finding.severity}: {finding} [{finding.rule}]", file=sys.stderr)
    return _exit_code(report, strict=options.strict)


def _exit_code(report: Report, *, strict: bool) -> int:
    return 1 if report.count(ERROR) or (strict and report.count(WARNING)) else 0


def as_json(report: Report) -> dict[str, Any]:
    """The report as `--json` prints it."""
    return {
        "targets": list(report.targets),
        "jobs": list(report.jobs),
        "pipelines": list(report.pipelines),
        "faulty_pipelines": list(report.faulty),
        "errors": report.count(ERROR),
        "warnings": report.count(WARNING),
        "findings": [{**each.as_json(), "targets": list(targets)} for each, targets in report.findings.items()],
        "fidelity": [{**asdict(each), "targets": list(targets)} for each, targets in report.fields.items()],
        "not_here": {kind: list(keys) for kind, keys in report.others.items()},
    }


def _print(report: Report, *, with_fields: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    for finding, targets in report.findings.items():
        console.print(*_line(finding, targets if len(report.targets) > 1 else ()), sep="")
    counts = ", ".join(_counted(report.count(severity), severity) for severity in (ERROR, WARNING))
    pipelines = [_counted(len(report.pipelines), "pipeline")] if report.pipelines else []
    where = ", ".join([_counted(len(report.jobs), "job"), *pipelines, _counted(len(report.targets), "target")])
    console.print(f"{counts} in {where} ({', '.join(report.targets) or 'none'})")
    faulty = [f"pipeline {key}" for key in report.faulty]
    for job, fields in _by_job(report.fields).items():
        if with_fields:
            _print_fields(job, fields)
        runs = "cannot run here: see above;" if job in faulty else "runs here with"
        console.print(f"{job} {runs} {_summary(fields)}{_named(fields)}")
    if report.others:
        others = ", ".join(f"{kind} ({', '.join(keys)})" for kind, keys in report.others.items())
        console.print(f"neither run nor created here: {others}")
    if with_fields:
        console.print(described(which_way()[1]))


def _line(finding: Finding, targets: Iterable[str]) -> "list[Text]":
    """`file:line: error: job, task: found ...; expected .... Do this. [rule; targets]`."""
    from rich.text import Text

    notes, place = "; ".join([finding.rule, *([", ".join(targets)] if targets else [])]), str(finding.where)
    return [
        Text(f"{place}: " if place else ""),
        Text(finding.severity, style=_STYLES[finding.severity]),
        Text(f": {finding.line()} [{notes}]"),
    ]


def _print_fields(job: str, fields: Iterable[FieldVerdict]) -> None:
    """Print the fields of one job, each once with the tasks that set it; those that are not honoured come first."""
    from rich.table import Table

    from lakelocal.console import console_for_people

    rows: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for each in fields:
        rows[each.verdict, each.field, each.note].append(each.task)
    table = Table("verdict", "field", "note", "tasks", box=None, pad_edge=False)
    table.title, table.title_justify = f"{job}: the fields that it sets", "left"
    for (verdict, field, note), tasks in sorted(rows.items(), key=lambda row: -VERDICTS.index(row[0][0])):
        table.add_row(verdict, field, note, ", ".join(task for task in tasks if task))
    console_for_people().print(table)


def _by_job(fields: Iterable[FieldVerdict]) -> Mapping[str, list[FieldVerdict]]:
    result: dict[str, list[FieldVerdict]] = defaultdict(list)
    for each in fields:
        result[each.job or f"pipeline {each.pipeline}"].append(each)
    return result


def _summary(fields: Iterable[FieldVerdict]) -> str:
    """`12 fields honoured, 1 approximated, 2 ignored, 0 refused`."""
    counts = Counter(each.verdict for each in fields)
    return ", ".join(f"{counts[each]}{' fields' if each == HONOURED else ''} {each}" for each in VERDICTS)


def _named(fields: Iterable[FieldVerdict]) -> str:
    """The fields that are not honoured, by verdict."""
    others: dict[str, dict[str, None]] = {verdict: {} for verdict in VERDICTS if verdict != HONOURED}
    for each in fields:
        if each.verdict != HONOURED:
            others[each.verdict][each.field] = None
    parts = [f"{verdict}: {', '.join(names)}" for verdict, names in others.items() if names]
    return f" ({'; '.join(parts)})" if parts else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
