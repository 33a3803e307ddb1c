"""Generates Olist-like data: an initial load, then one business day after the other, reproducible from the parameters.

Read the modules in this order: `landing` (what lands and how), `batches` (the tables of a batch), `lives` and `details`
(the orders of a day), `world`, `catalogue` and `geography` (what stays the same), `profile` (the aggregate figures that
everything follows). The change feed: `feed` (what lands and how), `feed_lives` and `feed_values` (what happens to a
key), `contents` (the rows that keys have had), `defects` (what goes wrong on the way), `truth` (what the tables must
hold). Landed data is read back through Spark by `reading`, and compared with what was written by `check`.
"""

from lakehouse.generator.check import check_counts, check_references
from lakehouse.generator.feed import count_defects, count_operations, land_feed, plan_feed
from lakehouse.generator.feed_rates import FeedRates
from lakehouse.generator.landing import Plan, business_day, land, plan_landing
from lakehouse.generator.profile import load_profile
from lakehouse.generator.reading import count_dangling, count_rows, row_reader
from lakehouse.generator.source import check_source
from lakehouse.generator.volume import BatchFile, Volume
from lakehouse.generator.world import Settings

__all__ = [
    "BatchFile",
    "FeedRates",
    "Plan",
    "Settings",
    "Volume",
    "business_day",
    "check_counts",
    "check_references",
    "check_source",
    "count_dangling",
    "count_defects",
    "count_operations",
    "count_rows",
    "land",
    "land_feed",
    "load_profile",
    "plan_feed",
    "plan_landing",
    "row_reader",
]
