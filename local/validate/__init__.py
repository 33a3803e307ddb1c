"""Everything that is wrong with a bundle, found without a workspace and without running anything.

    report = validate(project, job="olist_daily_job")
    for finding, targets in report.findings.items(): ...
    fidelity(job)       # what a local run makes of each field that the job sets; also ignored(job), refused(task)

Rules and their severity stand in `rules`, verdicts on fields in `fidelity_table`. A check is a function from a
`Subject` (one job) to findings; `check` calls them all.
"""

from local.validate.check import Report, validate
from local.validate.fidelity import FieldVerdict, fidelity, ignored, refused
from local.validate.findings import Finding

__all__ = ["FieldVerdict", "Finding", "Report", "fidelity", "ignored", "refused", "validate"]
