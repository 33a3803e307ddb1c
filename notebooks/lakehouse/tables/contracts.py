"""Contracts of the tables: `config/tables/<table>.yml`, read once into frozen, checked dataclasses.

A table or view that is made from tables of silver by a query has that beside its contract, in
`config/tables/<table>.sql`. It names these tables without a schema: a query runs in the schema in which they are.

table: silver.silver_orders          schema and name
grain: One row per order.            becomes the table's comment
keys: [order_id]                     what identifies a row; empty for the lines of a file
folder: orders                       for a bronze table only: the folder below `raw.olist` whose files it loads
reads: [bronze_orders]               the tables that it is made from, without schema; empty for a bronze table
columns:
  - name, type, comment              Delta's type; the comment is written to the table
    format, unit, source             how text is read if the type does not say it; unit or zone; where it comes from
    aggregate                        SQL over the valid rows of a key, for a table whose rows each stand for many rows
                                     of bronze; without it, the latest row of a key is kept
expectations:
  - rule, level, condition           WARN counts, DROP sends the row to quarantine, FAIL fails the task;
                                     a row fails a rule whose SQL condition is false (NULL passes)

Dataclasses instead of pydantic, because Databricks, where the notebooks also run, has its own version of pydantic.
"""

import re
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lakehouse.errors import ContractError
from lakehouse.places import config_folder

LEVELS = ("WARN", "DROP", "FAIL")
FEEDS = "cdc/"  # the folders of the change feeds, below the volume's root
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, if libyaml is installed
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Column:
    """One column; *format* names a parse rule if *type* alone does not determine it (`zip`).

    *aggregate* is SQL that makes the value from all valid rows of a key.
    """

    name: str
    type: str
    comment: str
    format: str = ""
    unit: str = ""
    source: str = ""
    aggregate: str = ""

    @property
    def description(self) -> str:
        """The column's comment with its unit."""
        return f"{self.comment} [{self.unit}]" if self.unit else self.comment


@dataclass(frozen=True)
class Expectation:
    """A rule that rows should satisfy: *condition* is SQL over the table's columns."""

    rule: str
    level: str
    condition: str


@dataclass(frozen=True)
class Contract:
    """What a table or view promises; see the docstring of this module."""

    table: str
    grain: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    folder: str = ""
    reads: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table's name without its schema."""
        return self.table.split(".")[1]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def aggregates(self) -> dict[str, str]:
        """The SQL aggregates of the columns that have one; empty for a table that keeps the latest row of a key."""
        return {column.name: column.aggregate for column in self.columns if column.aggregate}

    def rules(self, level: str) -> list[Expectation]:
        """The expectations of *level*, in the contract's order."""
        return [expectation for expectation in self.expectations if expectation.level == level]


def find_contracts(pattern: str) -> list[Contract]:
    """The contracts of all tables whose name (without schema) matches *pattern*, such as `bronze_*`; by name."""
    return [load_contract(place.stem) for place in sorted((config_folder() / "tables").glob(f"{pattern}.yml"))]


def landed_tables(*, feeds: bool) -> list[Contract]:
    """The bronze tables: with *feeds*, those of the change feeds, in `cdc/`, otherwise those of the entities."""
    return [one for one in find_contracts("bronze_*") if _is_feed(one) == feeds]


def feed_entities() -> list[str]:
    """The entities that have a change feed, by the folders of the feeds."""
    return [contract.folder.removeprefix(FEEDS) for contract in landed_tables(feeds=True)]


def silver_tables() -> list[Contract]:
    """The silver tables of the entities, and those made from them, but not those of the change feeds."""
    found = [(one, bronze_sources(one)) for one in find_contracts("silver_*")]
    return [one for one, sources in found if not any(map(_is_feed, sources))]


def typed_tables(*, feeds: bool = False) -> list[Contract]:
    """The tables that are each made from one bronze table: those of the entities, with *feeds* those that stage events.

    Their rows are those of the files, typed and checked.
    """
    found = [(one, load_contract(one.reads[0])) for one in find_contracts("*") if len(one.reads) == 1]
    return [one for one, source in found if source.folder and _is_feed(source) == feeds]


def _is_feed(contract: Contract) -> bool:
    """Does the bronze table of *contract* load a change feed?"""
    return contract.folder.startswith(FEEDS)


def bronze_sources(contract: Contract) -> list[Contract]:
    """The bronze tables that *contract* is made from, directly or through other tables; each once."""
    found: dict[str, Contract] = {}
    for name in contract.reads:
        read = load_contract(name)
        for source in [read] if read.folder else bronze_sources(read):
            found[source.name] = source
    return list(found.values())


@cache
def load_contract(name: str) -> Contract:
    """The contract of the table *name* (without schema).

    Raises:
        ContractError: there is no such file, or the file is not a contract.
    """
    place = config_folder() / "tables" / f"{name}.yml"
    try:
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ContractError(
            f"Table `{name}`: found no `config/tables/{name}.yml`; expected a contract for each table. Write one.",
            table=name,
        ) from None
    try:
        document = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise ContractError(f"`config/tables/{name}.yml`: not YAML ({error}).", table=name) from error
    return unpack_contract(document, place)


@cache
def load_query(name: str) -> str:
    """The SQL of the table or view *name* (without schema), which names the tables of silver without a schema.

    Raises:
        ContractError: there is no such file.
    """
    place = config_folder() / "tables" / f"{name}.sql"
    try:
        return place.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ContractError(
            f"Table `{name}`: found no `config/tables/{name}.sql`; expected a query for each table that is made from "
            "other silver tables, and for each view. Write one.",
            table=name,
        ) from None


def unpack_contract(document: object, place: Path) -> Contract:
    """The contract in *document* (the YAML of *place*), which must not contain anything unknown.

    Raises:
        ContractError: a field is unknown, missing or of the wrong kind, a name is used twice, or a key is not a column.
    """
    values = _checked(document, Contract, place, "")
    columns = tuple(
        Column(**_checked(one, Column, place, f"columns[{index}]."))
        for index, one in enumerate(_listed(values, "columns", place))
    )
    expectations = tuple(
        Expectation(**_checked(one, Expectation, place, f"expectations[{index}]."))
        for index, one in enumerate(_listed(values, "expectations", place))
    )
    contract = Contract(
        values["table"],
        values["grain"],
        columns,
        keys=tuple(_listed(values, "keys", place)),
        expectations=expectations,
        folder=values.get("folder", ""),
        reads=tuple(_listed(values, "reads", place)),
    )
    _check_whole(contract, place)
    return contract


def _listed(values: dict[str, Any], field: str, place: Path) -> list[Any]:
    found = values.get(field, [])
    if not isinstance(found, list):
        raise ContractError(f"`{place.name}`: found `{field}: {found}`; expected a list.", file=place.name)
    return found


def _checked(document: object, kind: type, place: Path, where: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ContractError(
            f"`{place.name}`: found {document!r} at `{where or 'the top'}`; expected fields.", file=place.name
        )
    known = [field.name for field in fields(kind)]
    needed = [field.name for field in fields(kind) if field.default is MISSING]
    unknown = sorted(set(document) - set(known), key=str)
    missing = [name for name in needed if name not in document]
    if unknown or missing:
        found = f"unknown {', '.join(f'`{where}{name}`' for name in unknown)}" if unknown else ""
        lacks = f"no {', '.join(f'`{where}{name}`' for name in missing)}" if missing else ""
        raise ContractError(
            f"`{place.name}`: found {' and '.join(part for part in (found, lacks) if part)}; "
            f"expected {', '.join(known)} (needed: {', '.join(needed)}). Correct the contract.",
            file=place.name,
        )
    for name, value in document.items():
        if name not in ("columns", "keys", "expectations", "reads") and not isinstance(value, str):
            raise ContractError(
                f"`{place.name}`: found `{where}{name}: {value!r}`; expected text. Put it in quotes.", file=place.name
            )
    return document


def _check_whole(contract: Contract, place: Path) -> None:
    schema, _, name = contract.table.partition(".")
    if name != place.stem or not _NAME.fullmatch(schema):
        _refuse(place, f"`table: {contract.table}`", f"`<schema>.{place.stem}`")
    names = contract.column_names
    if not names:
        _refuse(place, "no columns", "at least one")
    for each in names + [expectation.rule for expectation in contract.expectations]:
        if not _NAME.fullmatch(each):
            _refuse(place, f"the name `{each}`", "letters, digits and `_`")
    for kind, used in (("column", names), ("rule", [one.rule for one in contract.expectations])):
        twice = sorted({each for each in used if used.count(each) > 1})
        if twice:
            _refuse(place, f"the {kind} `{twice[0]}` twice", "it once")
    for key in contract.keys:
        if key not in names:
            _refuse(place, f"the key `{key}`", f"one of {', '.join(names)}")
    if (schema == "bronze") != bool(contract.folder) or (schema == "bronze" and contract.reads):
        _refuse(place, f"`folder: {contract.folder}` and `reads: {list(contract.reads)}`",
                "a folder for a table of bronze, and what a table of another schema reads")  # fmt: skip
    for expectation in contract.expectations:
        if expectation.level not in LEVELS:
            _refuse(place, f"`level: {expectation.level}` of `{expectation.rule}`", ", ".join(LEVELS))


def _refuse(place: Path, found: str, expected: str) -> None:
    raise ContractError(f"`{place.name}`: found {found}; expected {expected}. Correct the contract.", file=place.name)
