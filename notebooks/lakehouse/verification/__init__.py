"""Does `lakehouse.cdc` produce the same tables for other orders, batches and repetitions of the same events?

verify       delivers a feed again in other ways and compares the tables
feed         the feed to verify, from the arguments of its `apply_changes`
definition   SCD types 1 and 2 in plain Python, event by event
comparison   the rows in which two tables differ
shrinking    the fewest deliveries that still differ
scratch      a temporary schema
"""
