"""Feeds in a local folder, read back as frames, and the definition of the tables that must result from them."""

import io
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pyarrow as pa
from generator_fakes import FakeDbutils

from lakehouse import config_folder
from lakehouse.generator import Settings, Volume, land, load_profile, plan_landing
from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.contents import table_of
from lakehouse.generator.feed import FeedFile, land_feed, plan_feed
from lakehouse.generator.feed_rates import FeedRates
from lakehouse.generator.reading import FILE_NAME, RowReader
from lakehouse.generator.volume import BatchFile

PROFILE = load_profile(config_folder())
DAYS = ("2018-09-01", "2018-09-02", "2018-09-03", "2018-09-06")
ENTITIES = ("customers", "products", "sellers")
RATES = [one.name for one in fields(FeedRates)]
ALL_RATES = FeedRates(**dict.fromkeys(RATES, 0.1))
INTEGERS = COLUMNS["products"][2:]


_LANDED: dict[tuple, dict[str, bytes]] = {}  # what landed before in the same way: landing is not tested here


def land_entities(dbutils: FakeDbutils, run_date: str, *, seed: int = 7, source: str = "") -> None:
    """Land the entities that the feed follows."""
    before = {name for name in dbutils.files() if not name.startswith("cdc/")}
    way = (frozenset(before), run_date, seed, source)
    if way not in _LANDED:
        volume = Volume(dbutils, "olist_dev")
        plan = plan_landing(volume, Settings(run_date, seed=seed, scale=120, history_days=30, source=source))
        land(plan, volume=volume, profile=PROFILE, read=reader(dbutils))
        files = dbutils.files()
        _LANDED[way] = {name: files[name] for name in files.keys() - before if not name.startswith("cdc/")}
    for name, content in _LANDED[way].items():
        (dbutils.root / name).parent.mkdir(exist_ok=True)
        (dbutils.root / name).write_bytes(content)


def reader(dbutils: FakeDbutils) -> RowReader:
    """Reads landed files as Spark would."""

    def read(files: list[BatchFile], columns: dict[str, tuple[str, ...]]) -> dict[str, pa.Table]:
        found = {}
        for entity, names in columns.items():
            own = [file for file in files if file.entity == entity]
            frames = [as_frame(dbutils.fs.place(file.path).read_bytes())[list(names)] for file in own]
            named = [frame.assign(**{FILE_NAME: file.name}) for frame, file in zip(frames, own, strict=True)]
            found[entity] = table_of(pd.concat(named, ignore_index=True))
        return found

    return read


def run_feed(dbutils: FakeDbutils, rates: FeedRates) -> list[FeedFile]:
    """Land the feed of all days that lack it."""
    volume = Volume(dbutils, "olist_dev")
    return land_feed(plan_feed(volume, rates), volume=volume, profile=PROFILE, read=reader(dbutils)).files


def only(**rates: float) -> FeedRates:
    """These rates, and no other events or defects."""
    return FeedRates(**dict.fromkeys(RATES, 0.0) | rates)


def make_feed(folder: Path, rates: FeedRates, days: tuple[str, ...] = DAYS, **settings: int) -> FakeDbutils:
    """A volume with entities and feed of *days*."""
    dbutils = FakeDbutils(folder)
    for day in days:
        land_entities(dbutils, day, **settings)
        run_feed(dbutils, rates)
    return dbutils


def as_frame(content: bytes) -> pd.DataFrame:
    """A CSV file as text, None if empty."""
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, na_values=[""])
    return frame.astype(object).where(frame.notna(), None)


def feed_rows(dbutils: FakeDbutils, entity: str, until: str = "9999") -> pd.DataFrame:
    """The rows of the feed's files up to a day, in the order in which they landed; `day` says in which file."""
    files = {name: text for name, text in dbutils.files().items() if name.startswith(f"cdc/{entity}/")}
    days = {name: name[-14:-4] for name in files}
    frames = [as_frame(text).assign(day=days[name]) for name, text in sorted(files.items()) if days[name] <= until]
    return pd.concat(frames, ignore_index=True)


def truth(dbutils: FakeDbutils, day: str, name: str) -> list[tuple]:
    """The rows of a file of the ground truth."""
    return rows_of(as_frame(dbutils.files()[f"cdc/_truth/{day}/{name}.csv"]))


def rows_of(frame: pd.DataFrame) -> list[tuple]:
    """Rows as tuples of text and None."""
    return list(frame.itertuples(index=False, name=None))


def broken_rule(entity: str, row: dict) -> str | None:
    """The first rule that a row of the feed breaks, read from the rules as staging states them."""
    for name in COLUMNS[entity]:
        text = row[name]
        if text is None:
            continue
        if name.endswith("zip_code_prefix") and not (text.isdecimal() and len(text) == 5):
            return f"{name}_parses"
        if name in INTEGERS and not text.isdecimal():
            return f"{name}_parses"
    if row["sequence_number"] is not None and not row["sequence_number"].isdecimal():
        return "sequence_number_parses"
    if pd.isna(pd.to_datetime(row["change_timestamp"], format="%Y-%m-%d %H:%M:%S", errors="coerce")):
        return "change_timestamp_parses"
    for name, rule in ((COLUMNS[entity][0], None), ("sequence_number", None)):
        if row[name] is None:
            return rule or f"{name}_present"
    return None if row["operation"] in ("INSERT", "UPDATE", "DELETE") else "operation_known"


def oracle(entity: str, rows: list[dict]) -> tuple[list[tuple], list[tuple]]:
    """Current rows and versions of valid feed *rows* in any order, key by key, by the definition alone."""
    keys: dict[str, dict[int, list[dict]]] = {}
    for row in rows:
        keys.setdefault(row[COLUMNS[entity][0]], {}).setdefault(int(row["sequence_number"]), []).append(row)
    current, history = [], []
    for key in sorted(keys):
        winners = [(number, max(keys[key][number], key=lambda row: _rank(entity, row))) for number in sorted(keys[key])]
        open_: list | None = None
        for number, row in winners:
            content = tuple(row[name] for name in COLUMNS[entity])
            is_delete = row["operation"] == "DELETE"
            if open_ and (is_delete or content != open_[0]):
                history.append((*open_[0], open_[1], str(number)))
                open_ = None
            if not is_delete and not open_:
                open_ = [content, str(number)]
        if open_:
            history.append((*open_[0], open_[1], None))
            current.append(open_[0])
    return current, history


def _rank(entity: str, row: dict) -> tuple:
    """A delete is above everything; otherwise by the columns after the key, typed, NULL lowest."""
    typed = []
    for name in COLUMNS[entity][1:]:
        text = row[name]
        value = (int(text) if name in INTEGERS else text.encode()) if text is not None else None
        typed.append((value is not None, value if value is not None else (0 if name in INTEGERS else b"")))
    return (row["operation"] == "DELETE", typed)
