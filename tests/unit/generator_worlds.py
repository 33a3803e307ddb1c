"""Generated batches as pandas frames, read back from their CSV text with pandas' own reader."""

import io
from collections.abc import Iterable

import pandas as pd

from lakehouse import config_folder
from lakehouse.generator import Settings, load_profile
from lakehouse.generator.batches import day_tables, initial_parts
from lakehouse.generator.columns import COLUMNS, csv_rows, header
from lakehouse.generator.world import World, day_number, make_world

PROFILE = load_profile(config_folder())
FIRST = "2018-09-01"
ORDER_MOMENTS = COLUMNS["orders"][3:7]


def world_of(scale: int, *, seed: int = 42, history_days: int = 730, source: str = "") -> World:
    """A generated world that begins on `FIRST`."""
    return make_world(PROFILE, Settings(FIRST, seed=seed, scale=scale, history_days=history_days, source=source))


def initial_files(world: World, orders_a_part: int = 100_000) -> dict[str, bytes]:
    """The initial load as one CSV text per entity, its parts one after the other."""
    return files_of(piece for part in initial_parts(world, orders_a_part) for piece in part)


def day_files(world: World, day: str, landed: list[str]) -> dict[str, bytes]:
    """The files of a business day."""
    return files_of([day_tables(world, day_number(day), [day_number(other) for other in landed])])


def files_of(pieces: Iterable[dict]) -> dict[str, bytes]:
    """CSV texts of tables."""
    texts: dict[str, bytearray] = {}
    for piece in pieces:
        for entity, table in piece.items():
            texts.setdefault(entity, bytearray(header(entity))).extend(csv_rows(entity, table))
    return {entity: bytes(text) for entity, text in texts.items()}


def frames(files: dict[str, bytes]) -> dict[str, pd.DataFrame]:
    """The files as frames of text; an empty field is NaN."""
    return {entity: pd.read_csv(io.BytesIO(text), dtype=str) for entity, text in files.items()}


def latest(versions: list[pd.DataFrame], key: str) -> pd.DataFrame:
    """The last version of each key."""
    return pd.concat(versions, ignore_index=True).drop_duplicates(key, keep="last")
