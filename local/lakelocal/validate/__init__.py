"""Everything that is wrong with a bundle, found without a workspace and without running anything.

    report = validate(project, job="daily")
    for finding, targets in report.findings.items(): ...
    for verdict, targets in report.fields.items(): ...      # what a local run makes of each field that a job sets

The rules and their severities are in `lakelocal.lakeflow.findings`, the verdicts on fields in
`lakelocal.lakeflow.fields`. A check is a function that takes a `JobView` (one job) and yields findings; the module
`check` calls all of them.
"""

from lakelocal.lakeflow.findings import Finding
from lakelocal.validate.check import Report, validate

__all__ = ["Finding", "Report", "validate"]
