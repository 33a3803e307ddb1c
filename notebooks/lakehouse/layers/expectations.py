"""The rules of a contract as the expectations of a declarative pipeline, by the name of the rule.

A level of a rule means what a decorator does: WARN is `expect`, DROP `expect_or_drop`, FAIL `expect_or_fail`. Two
things differ, so the conditions are not those of the contracts word for word: NULL passes a rule but violates an
expectation, and a row that goes to quarantine counts once, for the first rule that it breaks.
"""

from lakehouse.layers.checking import drop_rules
from lakehouse.tables.contracts import Contract, Expectation
from lakehouse.tables.delta import text


def of_table(contract: Contract, level: str) -> dict[str, str]:
    """The rules of *level*, as conditions on the rows of the contract's table."""
    return {rule.rule: _passed(rule) for rule in contract.rules(level)}


def that_drop(contract: Contract) -> dict[str, str]:
    """The rules that send a row to quarantine, as conditions on the rows of `check_rows`."""
    return {rule: f"coalesce(_broken.rule <> {text(rule)}, true)" for rule in drop_rules(contract)}


def that_warn(contract: Contract) -> dict[str, str]:
    """The rules that are only counted, as conditions on the rows of `check_rows`: valid rows break them or not."""
    return {rule.rule: f"_broken IS NOT NULL OR {_passed(rule)}" for rule in contract.rules("WARN")}


def _passed(rule: Expectation) -> str:
    return f"coalesce({rule.condition}, true)"
