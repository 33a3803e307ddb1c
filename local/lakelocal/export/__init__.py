"""A recorded run as JUnit XML for CI; and freeing space by deleting old runs. As a page for people: `lakelocal.pages`.

junit(run)                   # XML: a testsuite per run, a testcase per task
prune(state, older_than(timedelta(days=30)))
"""

from lakelocal.export.junit import junit
from lakelocal.export.pruning import Pruned, Rule, keep_newest, older_than, prune

__all__ = ["Pruned", "Rule", "junit", "keep_newest", "older_than", "prune"]
