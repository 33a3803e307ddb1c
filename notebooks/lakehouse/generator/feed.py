"""Land the change feed: what happens to customers, products and sellers, a file a day each, and the truth beside it.

The feed follows the landing of the entities: each business day that has landed there gets its events here. A day is
announced, landed and ended by manifests in `cdc/_manifests`, as in `landing`. Nothing is kept between days: they are
lived again from the first one, each with the rates that it was announced with.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from lakehouse.generator.check import read_landed
from lakehouse.generator.columns import COLUMNS, csv_file
from lakehouse.generator.defects import spoil
from lakehouse.generator.feed_lives import FEED_COLUMNS, KeyLives
from lakehouse.generator.feed_rates import FeedRates
from lakehouse.generator.feed_values import usable_rows
from lakehouse.generator.truth import FEED_ENTITIES, expected_current, expected_history, quarantine_counts
from lakehouse.generator.volume import Volume
from lakehouse.generator.world import day_number

_FOLDER = "cdc"
_TRUTH = "_truth"
_STARTED = ".started"

# Entity and paths of its files -> their rows as text, and `file_name`.
Reader = Callable[[str, list[str]], pd.DataFrame]


@dataclass(frozen=True)
class FeedPlan:
    """What a run adds to the feed.

    Attributes:
        seed: of all chance, that of the entities.
        rates: of each business day, ascending.
        entity_files: of each business day: entity -> the files that brought it.
        missing: the business days that the feed lacks.
        notes: one sentence each, for the reader.
    """

    seed: int
    rates: dict[str, FeedRates]
    entity_files: dict[str, dict[str, list[str]]]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FeedFile:
    """A file of the feed that this run landed; `defects` has what was made wrong on its day, by kind."""

    run_date: str
    entity: str
    path: str
    rows: int
    operations: dict[str, int]
    defects: dict[str, int]


@dataclass
class _Road:
    """An entity's lives and what of them is on its way: rows that have not landed, and what has."""

    lives: KeyLives
    waiting: pd.DataFrame | None = None
    events: list[pd.DataFrame] = field(default_factory=list)
    rules: list[pd.Series] = field(default_factory=list)


def plan_feed(volume: Volume, rates: FeedRates) -> FeedPlan:
    """What the feed lacks of the business days that landed in *volume*; its days begin with *rates*. Writes nothing."""
    landed = volume.manifests()
    feed = volume.below(_FOLDER).manifests()
    days, seed = {}, 0
    for name in sorted(name for name in landed if not name.endswith(_STARTED)):
        manifest = landed[name]
        seed = manifest["settings"]["seed"]
        files: dict[str, list[str]] = {}
        for file in manifest["files"]:
            files.setdefault(file["entity"], []).append(file["file"])
        days[manifest["run_date"]] = files
    begun = {day: FeedRates(**feed[day + _STARTED]["rates"]) for day in days if day + _STARTED in feed}
    missing = tuple(day for day in days if day not in feed)
    notes = [f"The feed of {day} was interrupted: it is completed." for day in missing if day in begun]
    notes += [f"The feed of {day} lands." for day in missing if day not in begun]
    notes = notes or ["The feed has all business days: it lands nothing."]
    return FeedPlan(seed, {day: begun.get(day, rates) for day in days}, days, missing, tuple(notes))


def land_feed(plan: FeedPlan, *, volume: Volume, read: Reader) -> list[FeedFile]:
    """Land the missing days of *plan*, and the truth after each; prints a line a file."""
    if not plan.missing:
        return []
    part, files = volume.below(_FOLDER), []
    part.clear_staging()
    begin_with = {entity: _newcomers(plan, entity, read) for entity in FEED_ENTITIES}
    roads = {entity: _Road(KeyLives(entity, plan.seed)) for entity in FEED_ENTITIES}
    for day, rates in plan.rates.items():
        arrived, defects = {}, {}
        for entity, road in roads.items():
            arrived[entity], defects[entity] = _go_on(road, day, begin_with[entity].get(day), rates, plan.seed)
        if day in plan.missing:
            files += _land_day(part, day, rates, (roads, arrived, defects))
    part.clear_staging()
    return files


def feed_reader(spark: SparkSession) -> Reader:
    """Reads the landed files of an entity through *spark*."""

    def read(entity: str, paths: list[str]) -> pd.DataFrame:
        return read_landed(spark, paths).select(*COLUMNS[entity], "_metadata.file_name").toPandas()

    return read


def read_truth(spark: SparkSession, volume: Volume, run_date: str, name: str) -> DataFrame:
    """The expected rows after the business day *run_date*, as text; *name* is `sellers_history`, `quarantine`, ..."""
    return read_landed(spark, [f"{volume.root}/{_FOLDER}/{_TRUTH}/{run_date}/{name}.csv"])


def count_operations(files: list[FeedFile]) -> pd.DataFrame:
    """One row an operation of the landed *files*, with its rows by entity."""
    return _by_entity(files, [one.operations for one in files], "operation")


def count_defects(files: list[FeedFile], rates: FeedRates) -> pd.DataFrame:
    """One row a defect: its rate in *rates*, and how many were made for the landed *files*, by entity."""
    counts = _by_entity(files, [one.defects for one in files], "defect")
    counts.insert(1, "rate", [rates.of(defect) for defect in counts["defect"]])
    return counts


def _by_entity(files: list[FeedFile], counts: list[dict[str, int]], what: str) -> pd.DataFrame:
    names = list(dict.fromkeys(name for one in counts for name in one))
    table: dict[str, list] = {what: names}
    for entity in FEED_ENTITIES:
        own = [one for file, one in zip(files, counts, strict=True) if file.entity == entity]
        table[entity] = [sum(one.get(name, 0) for one in own) for name in names]
    return pd.DataFrame(table)


def _newcomers(plan: FeedPlan, entity: str, read: Reader) -> dict[str, pd.DataFrame]:
    """The rows of *entity* by the day that brought them. The first day's files may have columns of their own order."""
    rows: dict[str, pd.DataFrame] = {}
    first = next(iter(plan.rates))
    for days in ([first], [day for day in plan.rates if day != first]):
        day_of = {path: day for day in days for path in plan.entity_files[day].get(entity, [])}
        if day_of:
            found = read(entity, list(day_of))
            names = {path.rsplit("/", 1)[1]: day for path, day in day_of.items()}
            for day, group in found.groupby(found["file_name"].map(names), sort=True):
                rows[day] = usable_rows(entity, group)
    return rows


def _go_on(road: _Road, day: str, newcomers: pd.DataFrame | None, rates: FeedRates, seed: int):
    """Live one day, and say what of all rows on their way lands on it, in the order of the file."""
    number = day_number(day)
    if newcomers is None:
        newcomers = pd.DataFrame(columns=list(COLUMNS[road.lives.entity]), dtype=object)
    events = road.lives.live(number, newcomers, rates)
    rows, defects = spoil(events, number, road.lives.variety, rates, seed)
    if road.waiting is not None:
        rows = pd.concat([road.waiting.assign(place=lambda old: old["place"] % 1), rows], ignore_index=True)
    lands = rows["due"] <= number
    road.waiting = rows[~lands]
    arrived = rows[lands].sort_values("place", kind="stable", ignore_index=True)
    road.events.append(arrived[arrived["is_event"]])
    road.rules.append(arrived["rule"])
    return arrived, defects


def _land_day(part: Volume, day: str, rates: FeedRates, what) -> list[FeedFile]:
    roads, arrived, defects = what
    facts = {"run_date": day, "rates": rates.as_dict()}
    part.write_manifest(day + _STARTED, facts)
    files = []
    for entity, rows in arrived.items():
        if len(rows):
            path = _write(part, entity, f"{entity}_cdc_{day}", rows[[*COLUMNS[entity], *FEED_COLUMNS]])
            told = rows["operation"].fillna("NULL").value_counts().sort_index()
            files.append(FeedFile(day, entity, path, len(rows), told.to_dict(), defects[entity]))
    for entity, road in roads.items():
        events = pd.concat(road.events, ignore_index=True)
        _write(part, f"{_TRUTH}/{day}", f"{entity}_current", expected_current(entity, events))
        _write(part, f"{_TRUTH}/{day}", f"{entity}_history", expected_history(entity, events))
    broken = {entity: pd.concat(road.rules) for entity, road in roads.items()}
    _write(part, f"{_TRUTH}/{day}", "quarantine", quarantine_counts(broken))
    listed = [{"entity": one.entity, "file": one.path, "rows": one.rows, "defects": one.defects} for one in files]
    part.write_manifest(day, facts | {"files": listed})
    return files


def _write(part: Volume, folder: str, name: str, rows: pd.DataFrame) -> str:
    table = pa.table({column: pa.array(rows[column].tolist(), pa.string()) for column in rows.columns})
    was_new = part.write(csv_file(table), folder, f"{name}.csv")
    path = f"{part.root}/{folder}/{name}.csv"
    print(f"{'landed' if was_new else 'found'} {len(rows):,} rows in {path}")
    return path
