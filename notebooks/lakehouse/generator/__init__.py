"""Make Olist-like data: an initial load, then one business day after the other, the same for the same parameters.

Read in this order: `landing` (what lands and how), `batches` (the tables of a batch), `lives` and `details` (the
orders of a day), `world`, `catalogue` and `geography` (what stays the same), `profile` (the aggregate figures that
all follow). The change feed: `feed` (what lands and how), `feed_lives` and `feed_values` (what happens to a key),
`defects` (what goes wrong on the way), `truth` (what the tables must hold).
"""

from lakehouse.generator.check import check_counts, check_references, count_landed, dangling_references, read_landed
from lakehouse.generator.landing import LandedFile, Plan, land, plan_landing
from lakehouse.generator.profile import load_profile
from lakehouse.generator.volume import Volume
from lakehouse.generator.world import Settings

__all__ = [
    "LandedFile",
    "Plan",
    "Settings",
    "Volume",
    "check_counts",
    "check_references",
    "count_landed",
    "dangling_references",
    "land",
    "load_profile",
    "plan_landing",
    "read_landed",
]
