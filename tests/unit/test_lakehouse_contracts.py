"""Contracts are read strictly: an unknown field would be a promise that is never kept."""

import re
from pathlib import Path

import pytest

from lakehouse.errors import ContractError
from lakehouse.tables.contracts import load_contract, unpack_contract

PLACE = Path("config/tables/silver_coins.yml")
TABLES = Path(__file__).resolve().parents[2] / "config" / "tables"


def coins(**changes: object) -> dict:
    """A valid contract, except for *changes*."""
    column = {"name": "coin_id", "type": "STRING", "comment": "Coin"}
    return {
        "table": "silver.silver_coins",
        "grain": "One row per coin.",
        "keys": ["coin_id"],
        "columns": [column],
    } | changes


@pytest.mark.parametrize("place", sorted(TABLES.glob("*.yml")), ids=lambda place: place.stem)
def test_every_contract_of_the_project_is_one(place):
    """A mistake is found here, not in the run."""
    contract = load_contract(place.stem)

    assert contract.grain.startswith("One row per ") and contract.grain.endswith(".")
    assert all(column.comment for column in contract.columns)


def test_the_project_has_a_contract_for_each_table_of_the_main_pipeline():
    """8 bronze tables, 9 silver tables, 5 gold views."""
    names = [
        place.stem
        for place in TABLES.glob("*.yml")
        if not re.match(r"bronze_cdc|stg_|.*_(current|history)$", place.stem)
    ]

    assert [sum(name.startswith(layer) for name in names) for layer in ("bronze", "silver", "gold")] == [8, 9, 5]


def test_a_contract_becomes_frozen_values():
    """What is read once does not change in the middle of a run."""
    rule = {"rule": "has_id", "level": "DROP", "condition": "coin_id IS NOT NULL"}
    contract = unpack_contract(coins(expectations=[rule]), PLACE)

    assert (contract.name, contract.keys, contract.column_names) == ("silver_coins", ("coin_id",), ["coin_id"])
    assert [one.condition for one in contract.rules("DROP")] == ["coin_id IS NOT NULL"]
    with pytest.raises(AttributeError):
        contract.table = "other"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"colums": []}, "unknown `colums`"),
        ({"columns": [{"name": "coin_id", "typ": "STRING", "comment": "Coin"}]}, "unknown `columns[0].typ`"),
        ({"columns": [{"name": "coin_id", "type": "STRING"}]}, "no `columns[0].comment`"),
        ({"columns": [{"name": "coin_id", "type": 5, "comment": "Coin"}]}, "columns[0].type: 5"),
        ({"columns": "coin_id"}, "`columns: coin_id`; expected a list"),
        ({"columns": []}, "no columns"),
        ({"keys": ["id"]}, "the key `id`; expected one of coin_id"),
        ({"table": "silver.silver_notes"}, "`table: silver.silver_notes`; expected `<schema>.silver_coins`"),
        ({"expectations": [{"rule": "r", "level": "drop", "condition": "true"}]}, "expected WARN, DROP, FAIL"),
        ({"columns": [{"name": "a", "type": "INT", "comment": "A"}] * 2, "keys": []}, "the column `a` twice"),
    ],
)
def test_a_contract_with_a_mistake_is_refused(changes, found):
    """The message names the file, the field and what is expected."""
    with pytest.raises(ContractError) as error:
        unpack_contract(coins(**changes), PLACE)

    assert str(error.value).startswith("`silver_coins.yml`: found ")
    assert found in str(error.value)
    assert error.value.file == "silver_coins.yml"


def test_a_table_without_a_contract_is_named():
    """The next step is to write one."""
    with pytest.raises(ContractError, match=r"found no `config/tables/silver_coins\.yml`"):
        load_contract("silver_coins")
