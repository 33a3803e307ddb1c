"""The ground truth of the change feed: what the tables must hold once the files that landed have been applied.

Computed from the lives of the keys and from when their events land, with NumPy and pandas: nothing here knows the code
that it judges. Definition: an event is one (key, sequence); upserts that follow each other without a delete between
them and agree on all columns are one version; it holds from its first event to the event after its last one.

Quarantine. A row goes there by the first rule that it breaks, in the order of `quarantine_rules`: values that do not
parse, column by column, then the rules on what must be there. The staging contracts use the same names and order:

    <column>_parses             of each column that is no free text, in the order of the file's columns
                                (entity's columns, then operation, sequence_number, change_timestamp)
    <key>_present               the key is NULL (`customer_id_present`, as in the silver contracts)
    sequence_number_present     the sequence is NULL
    operation_known             the operation is not INSERT, UPDATE or DELETE
"""

import numpy as np
import pandas as pd

from lakehouse.generator.columns import COLUMNS

FEED_ENTITIES = ("customers", "products", "sellers")
OPERATIONS = ("INSERT", "UPDATE", "DELETE")
INTEGERS = frozenset(COLUMNS["products"][2:])
ZIPS = frozenset({"customer_zip_code_prefix", "seller_zip_code_prefix"})


def parsed_columns(entity: str) -> list[str]:
    """The columns of the feed's files whose text may fail to parse, in the files' order."""
    own = [name for name in COLUMNS[entity] if name in INTEGERS or name in ZIPS]
    return [*own, "sequence_number", "change_timestamp"]


def quarantine_rules(entity: str) -> list[str]:
    """The rules of staging, in the order in which a row is held against them."""
    parses = [f"{name}_parses" for name in parsed_columns(entity)]
    return [*parses, f"{COLUMNS[entity][0]}_present", "sequence_number_present", "operation_known"]
