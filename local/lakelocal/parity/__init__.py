"""Are two runs the same? Their tasks, and the tables of their catalogs as they were at the end of each run.

    a, b = find_side("12", state_of), find_side("staging:latest", state_of)
    comparison = compare_runs(a, b, Options())
    comparison.equal

`sides` says what a run is called and where its tables are. `outline` lists the tables of a side with versions and
schemas, `digests` hashes and counts their rows where they are, `search` finds rows that differ; these three ask Spark.
Pure are `tasks`, `scope` (what is compared), `hashing` (the text of the hash), `compare` (the verdicts), `groups`
(which rows of large tables to look at) and `pairs` (rows that belong together). `run` does all of it, `report` shows
it.
"""

from lakelocal.parity.compare import Comparison, Verdict
from lakelocal.parity.run import Options, compare_runs
from lakelocal.parity.scope import DiffScope
from lakelocal.parity.sides import Side, find_side

__all__ = ["Comparison", "DiffScope", "Options", "Side", "Verdict", "compare_runs", "find_side"]
