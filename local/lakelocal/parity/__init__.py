"""Are two runs the same? Compares their tasks, and the tables of their catalogs as they were at the end of each run.

    a, b = find_side("12", state_of), find_side("staging:latest", state_of)
    comparison = compare_runs(a, b, Options())
    comparison.equal

`sides` resolves the name of a run and finds its tables. `outline` lists the tables of a side with their versions and
schemas, `digests` hashes and counts their rows in place, `search` finds rows that differ; these three query Spark. The
pure modules are `tasks`, `scope` (what is compared), `hashing` (the SQL of the hash), `compare` (the verdicts),
`groups` (which rows of large tables to look at) and `pairs` (rows that belong together). `run` does the whole
comparison, `report` shows it.
"""

from lakelocal.parity.compare import Comparison, Verdict
from lakelocal.parity.run import Options, compare_runs
from lakelocal.parity.scope import DiffScope
from lakelocal.parity.sides import Side, find_side

__all__ = ["Comparison", "DiffScope", "Options", "Side", "Verdict", "compare_runs", "find_side"]
