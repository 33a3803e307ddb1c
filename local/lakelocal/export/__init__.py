"""A recorded run as one HTML page, and as JUnit XML for CI; and freeing space by deleting old runs.

    page(run)                    # HTML: no network, no script, opens from disk
    junit(run)                   # XML: a testsuite per run, a testcase per task
    prune(state, older_than(timedelta(days=30)))

`recorded` reads a run with its child runs from the history, in the shape of Jobs API 2.2; all else starts there.
"""

from lakelocal.export.junit import junit
from lakelocal.export.page import page
from lakelocal.export.pruning import Pruned, Rule, keep_newest, older_than, prune
from lakelocal.export.recorded import Attempt, Run, Work, read_run

__all__ = [
    "Attempt",
    "Pruned",
    "Rule",
    "Run",
    "Work",
    "junit",
    "keep_newest",
    "older_than",
    "page",
    "prune",
    "read_run",
]
