"""Land the change feed: what happens to customers, products and sellers, one file per day for each, and the truth.

The feed follows the landing of the entities: each business day that has landed there gets its events here. A day is
announced, landed and ended by manifests in `cdc/_manifests`, as in `landing`. Nothing is stored between days: they are
simulated again from the first one, each with the rates with which it was announced.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.errors import counted
from lakehouse.generator.batches import newcomers_of
from lakehouse.generator.columns import COLUMNS, csv_file
from lakehouse.generator.defects import Spoiled, feed_rows, spoil
from lakehouse.generator.feed_lives import KeyLives
from lakehouse.generator.feed_rates import FeedRates
from lakehouse.generator.feed_values import FEED_ENTITIES, usable_rows
from lakehouse.generator.profile import Profile
from lakehouse.generator.reading import FILE_NAME, RowReader
from lakehouse.generator.truth import expected_tables, quarantine_rules, quarantine_table
from lakehouse.generator.volume import Volume, run_date_of
from lakehouse.generator.world import Settings, day_number, make_world

_FOLDER = "cdc"
_TRUTH = "_truth"

# Entity -> business day -> the rows that appear on it, as text.
Newcomers = dict[str, dict[str, pa.Table]]


@dataclass(frozen=True)
class FeedPlan:
    """What a run adds to the feed.

    Attributes:
        settings: those of the volume's first landing; None if nothing is missing.
        rates: those of each business day, ascending; empty if nothing is missing.
        missing: the business days that the feed lacks.
        notes: sentences for the reader.
    """

    settings: Settings | None
    rates: dict[str, FeedRates]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FeedFile:
    """A file of the feed that this run landed; `defects` counts the deliberate defects of its day, by kind."""

    run_date: str
    entity: str
    path: str
    rows: int
    operations: dict[str, int]
    defects: dict[str, int]

    @property
    def name(self) -> str:
        """The last part of the path; no other landed file has the same name."""
        return self.path.rsplit("/", 1)[1]

    def entry(self) -> dict[str, Any]:
        """The entry for this file in a manifest."""
        return {"entity": self.entity, "file": self.path, "rows": self.rows, "defects": self.defects}


@dataclass(frozen=True)
class LandedFeed:
    """The *files* of the feed that a run landed, and what the tables must hold after the last of its days.

    `truth` has `{entity}_current`, `{entity}_history` and `quarantine`, like the files of `cdc/_truth`; it is empty if
    nothing landed.
    """

    files: list[FeedFile] = field(default_factory=list)
    truth: dict[str, pa.Table] = field(default_factory=dict)


class _Road:
    """The lives of an entity's keys and what is under way: rows that have not landed yet, and what has."""

    def __init__(self, entity: str, seed: int) -> None:
        self.lives = KeyLives(entity, seed)
        self._waiting: pd.DataFrame | None = None
        self._events: list[pd.DataFrame] = []
        self.broken = np.zeros(len(quarantine_rules(entity)), dtype=np.int64)  # rows that have landed, by rule

    def go_on(self, day: int, newcomers: pa.Table | None, rates: FeedRates) -> Spoiled:
        """Simulate one day; return which of all rows under way land on it, in file order, and the day's defects."""
        lives = self.lives
        events = lives.live(day, lives.contents.schema.empty_table() if newcomers is None else newcomers, rates)
        rows, defects = spoil(events, day, lives, rates)
        if self._waiting is not None:
            rows = pd.concat([self._waiting.assign(place=lambda old: old["place"] % 1), rows], ignore_index=True)
        lands = rows["due"] <= day
        self._waiting = rows[~lands]
        arrived = rows[lands].sort_values("place", kind="stable", ignore_index=True)
        self._events.append(arrived[arrived["is_event"]])
        rules = arrived["rule"].to_numpy()
        self.broken += np.bincount(rules[rules >= 0], minlength=len(self.broken))
        return Spoiled(arrived, defects)

    def landed_events(self) -> pa.Table:
        """All events that have landed, as text."""
        return feed_rows(self.lives.contents, pd.concat(self._events, ignore_index=True))


def plan_feed(volume: Volume, rates: FeedRates) -> FeedPlan:
    """What the feed lacks of the business days landed in *volume*; a new day has the rates *rates*. Writes nothing."""
    feed = volume.below(_FOLDER)
    landed, batches = volume.batches().ended, feed.batches()
    days = [run_date_of(batch) for batch in landed]
    missing = tuple(day for day in days if day not in batches.ended)
    if not missing:
        return FeedPlan(None, {}, (), ("The feed has all business days: it lands nothing.",))
    begun = {day: FeedRates(**feed.announcement(day)["rates"]) for day in days if day in batches.begun}
    notes = [f"The feed of {day} was interrupted: it is completed." for day in missing if day in begun]
    notes += [f"The feed of {day} lands." for day in missing if day not in begun]
    settings = Settings(**volume.announcement(landed[0])["settings"])
    return FeedPlan(settings, {day: begun.get(day, rates) for day in days}, missing, tuple(notes))


def land_feed(plan: FeedPlan, *, volume: Volume, profile: Profile, read: RowReader) -> LandedFeed:
    """Land the missing days of *plan*, and the truth after each; prints one line per file.

    Generated keys are generated again; real ones are read back with *read* from the files that contained them.
    """
    if plan.settings is None:
        return LandedFeed()
    feed = volume.below(_FOLDER)
    feed.clear_staging()
    newcomers = (
        _read_newcomers(volume, read) if plan.settings.source else _make_newcomers(plan.settings, plan.rates, profile)
    )
    roads = {entity: _Road(entity, plan.settings.seed) for entity in FEED_ENTITIES}
    files: list[FeedFile] = []
    truth: dict[str, pa.Table] = {}
    for day, rates in plan.rates.items():
        arrived = {
            entity: road.go_on(day_number(day), newcomers[entity].get(day), rates) for entity, road in roads.items()
        }
        if day in plan.missing:
            facts = {"run_date": day, "rates": rates.as_dict()}
            feed.announce(day, facts)
            new = [_land_rows(feed, day, roads[entity], here) for entity, here in arrived.items() if len(here.rows)]
            truth = _land_truth(feed, day, roads)
            feed.end(day, facts | {"files": [file.entry() for file in new]})
            files += new
    feed.clear_staging()
    return LandedFeed(files, truth)


def count_operations(files: list[FeedFile]) -> pd.DataFrame:
    """One row per operation of the landed *files*, with its number of rows by entity."""
    return _by_entity("operation", [(file.entity, file.operations) for file in files])


def count_defects(files: list[FeedFile], rates: FeedRates) -> pd.DataFrame:
    """One row per defect: its rate in *rates*, and how many were made in the landed *files*, by entity."""
    counts = _by_entity("defect", [(file.entity, file.defects) for file in files])
    counts.insert(1, "rate", [rates.of(defect) for defect in counts["defect"]])
    return counts


def _by_entity(heading: str, counts: list[tuple[str, dict[str, int]]]) -> pd.DataFrame:
    """The sums of the *counts*, which come with their entities: one row per name under *heading*."""
    names = list(dict.fromkeys(name for _, found in counts for name in found))
    table: dict[str, list[Any]] = {heading: names}
    for entity in FEED_ENTITIES:
        own = [found for of, found in counts if of == entity]
        table[entity] = [sum(found.get(name, 0) for found in own) for name in names]
    return pd.DataFrame(table)


def _make_newcomers(settings: Settings, days: Iterable[str], profile: Profile) -> Newcomers:
    """The generated rows, generated again as they landed."""
    world = make_world(profile, settings)
    newcomers: Newcomers = {entity: {} for entity in FEED_ENTITIES}
    for day in days:
        for entity, rows in newcomers_of(world, day_number(day)).items():
            newcomers[entity][day] = usable_rows(entity, rows)
    return newcomers


def _read_newcomers(volume: Volume, read: RowReader) -> Newcomers:
    """The rows of the landed files, each of which contains one day's rows of one entity."""
    files = {
        (run_date_of(batch), file.entity): file
        for batch in volume.batches().ended
        for file in volume.files_of(batch)
        if file.entity in FEED_ENTITIES
    }
    rows = read(list(files.values()), {entity: COLUMNS[entity] for entity in FEED_ENTITIES})
    newcomers: Newcomers = {entity: {} for entity in FEED_ENTITIES}
    for (day, entity), file in files.items():
        own = rows[entity].filter(pc.equal(rows[entity][FILE_NAME], file.name))
        newcomers[entity][day] = usable_rows(entity, own)
    return newcomers


def _land_rows(feed: Volume, day: str, road: _Road, arrived: Spoiled) -> FeedFile:
    entity, table = road.lives.entity, feed_rows(road.lives.contents, arrived.rows)
    path = _write(feed, entity, f"{entity}_cdc_{day}", table)
    told = pc.value_counts(pc.fill_null(table["operation"], "NULL")).to_pylist()
    operations = {one["values"]: one["counts"] for one in sorted(told, key=lambda one: one["values"])}
    return FeedFile(day, entity, path, table.num_rows, operations, arrived.counts)


def _land_truth(feed: Volume, day: str, roads: dict[str, _Road]) -> dict[str, pa.Table]:
    truth: dict[str, pa.Table] = {}
    for entity, road in roads.items():
        expected = expected_tables(entity, road.landed_events())
        truth |= {f"{entity}_current": expected.current, f"{entity}_history": expected.history}
    truth["quarantine"] = quarantine_table({entity: road.broken for entity, road in roads.items()})
    for name, table in truth.items():
        _write(feed, f"{_TRUTH}/{day}", name, table)
    return truth


def _write(feed: Volume, folder: str, name: str, table: pa.Table) -> str:
    was_new = feed.write(csv_file(table), folder, f"{name}.csv")
    path = f"{feed.root}/{folder}/{name}.csv"
    print(f"{'landed' if was_new else 'found'} {counted(table.num_rows, 'row')} in {path}")
    return path
