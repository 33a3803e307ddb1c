"""Everything that is wrong with a bundle, found without a workspace and without running anything.

    report = validate(project, job="daily")
    for finding, targets in report.findings.items(): ...
    for verdict, targets in report.fields.items(): ...      # what a local run makes of each field that a job sets

Rules and their severity stand in `lakelocal.lakeflow.findings`, verdicts on fields in `lakelocal.lakeflow.fields`. A
check is a function from a `JobView` (one job) to findings; `check` calls them all.
"""

from lakelocal.lakeflow.findings import Finding
from lakelocal.validate.check import Report, validate

__all__ = ["Finding", "Report", "validate"]
