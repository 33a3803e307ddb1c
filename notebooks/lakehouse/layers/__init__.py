"""How the rows of one layer become those of the next; the rules themselves are in the notebooks and the contracts.

landing      which files of the volume are new, and whether they match the contract
bronze       files become rows, as text
checking     text becomes typed rows; each row is checked against the rules of its contract
expectations the same rules, for declarative pipelines
silver       one row per key, the latest wins; tables that are made from other silver tables
staging      lines of a change feed become events, each stored once
flows        the change feeds, and the calls that turn them into tables
scd          the `_current` and `_history` tables, checked against their rules
gold         views, and the totals that must agree with silver
"""
