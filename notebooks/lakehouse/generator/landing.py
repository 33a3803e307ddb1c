"""Decide what lands for a run date, and land it: complete, once, and the same again after a kill.

A batch is announced by `_manifests/<batch>.started.json`, its files follow, and `_manifests/<batch>.json` ends it. A
batch that was announced but not ended is made again first, with the parameters it was announced with.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lakehouse.generator.batches import Tables, day_tables, initial_parts
from lakehouse.generator.columns import COLUMNS, csv_rows, header
from lakehouse.generator.profile import Profile
from lakehouse.generator.source import check_source, source_file, world_of_source
from lakehouse.generator.volume import LandingConflictError, Volume
from lakehouse.generator.world import Settings, World, day_number, make_world

_STARTED = ".started"
_INITIAL = "_initial"


@dataclass(frozen=True)
class Step:
    """One batch to land: of the business day *run_date*, the first one or a further one."""

    run_date: str
    is_first: bool

    @property
    def name(self) -> str:
        """The batch's name; names of later days sort after those of earlier ones."""
        return self.run_date + (_INITIAL if self.is_first else "")


@dataclass(frozen=True)
class Plan:
    """What a run lands, and why.

    Attributes:
        settings: of the volume's first landing; of this run, if that is the first.
        landed: business days that landed completely, ascending, the first landing's first.
        steps: the batches to land, in their order; none if the run date is not greater than the last one.
        notes: one sentence each, for the reader.
    """

    settings: Settings
    landed: tuple[str, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LandedFile:
    """A file that this run landed; *rows* is None for a real file, which is copied without being read."""

    entity: str
    path: str
    rows: int | None
    size: int


def plan_landing(volume: Volume, wanted: Settings) -> Plan:
    """What to land for the run date *wanted.first_run_date* of a run with these parameters. Writes nothing.

    Raises:
        LandingConflictError: a source is given, but the volume began with generated data.
    """
    manifests = volume.manifests()
    ended = sorted(name for name in manifests if not name.endswith(_STARTED))
    begun = sorted(name for name in manifests if name.endswith(_STARTED))
    run_date = wanted.first_run_date
    if not begun:
        notes = (f"First landing: {_first_of(wanted)}.",)
        return Plan(wanted, (), (Step(run_date, is_first=True),), notes)
    settings = Settings(**manifests[begun[0]]["settings"])
    _refuse_other_beginning(volume, settings, wanted)
    landed = tuple(name.removesuffix(_INITIAL) for name in ended)
    notes = [f"The volume began on {settings.first_run_date} with {_first_of(settings)}; this stays."]
    open_ = [name.removesuffix(_STARTED) for name in begun if name.removesuffix(_STARTED) not in ended]
    steps = [Step(name.removesuffix(_INITIAL), is_first=name.endswith(_INITIAL)) for name in open_]
    notes += [f"The landing of {step.run_date} was interrupted: it is completed first." for step in steps]
    last = max([*landed, *(step.run_date for step in steps)])
    if run_date > last:
        steps.append(Step(run_date, is_first=False))
        notes.append(f"The business day {run_date} lands; the last one before it is {last}.")
    else:
        notes.append(f"Run date {run_date} is not after {last}: it lands nothing.")
    return Plan(settings, landed, tuple(steps), tuple(notes))


def land(plan: Plan, *, volume: Volume, spark, profile: Profile) -> list[LandedFile]:
    """Land the steps of *plan*, printing a line a file; *spark* is used only on top of real files."""
    files: list[LandedFile] = []
    landed = list(plan.landed)
    for step in plan.steps:
        volume.clear_staging()
        files += _land_step(step, plan.settings, landed, volume, (spark, profile))
        landed.append(step.run_date)
    volume.clear_staging()
    return files


def _land_step(step: Step, settings: Settings, landed: list[str], volume: Volume, means) -> list[LandedFile]:
    spark, profile = means
    facts = {"run_date": step.run_date, "settings": settings.as_dict()}
    if step.is_first and settings.source:
        origins = check_source(volume, settings.source)
        volume.write_manifest(step.name + _STARTED, facts)
        files = [_land_source(volume, step, entity, origins[entity]) for entity in COLUMNS]
    else:
        parts = _parts(step, _world(profile, settings, volume, spark, step), landed)
        volume.write_manifest(step.name + _STARTED, facts)
        files = list(_land_parts(volume, step, parts))
    listed = [{"entity": file.entity, "file": file.path, "rows": file.rows, "bytes": file.size} for file in files]
    volume.write_manifest(step.name, facts | {"files": listed})
    return files


def _world(profile: Profile, settings: Settings, volume: Volume, spark, step: Step) -> World:
    world = make_world(profile, settings)
    if not settings.source:
        return world
    first = Step(settings.first_run_date, is_first=True)
    return world_of_source(spark, world, {entity: _path(volume, first, entity) for entity in COLUMNS})


def _parts(step: Step, world: World, landed: list[str]) -> Iterable[Iterable[Tables]]:
    if step.is_first:
        return initial_parts(world)
    return [[day_tables(world, day_number(step.run_date), [day_number(day) for day in landed])]]


def _land_parts(volume: Volume, step: Step, parts: Iterable[Iterable[Tables]]) -> Iterator[LandedFile]:
    for number, pieces in enumerate(parts, start=1):
        for entity, (count, content) in _files_of(pieces).items():
            path = _path(volume, step, entity, number)
            was_new = volume.write(content, entity, path.rsplit("/", 1)[1])
            print(f"{'landed' if was_new else 'found'} {count:,} rows in {path}")
            yield LandedFile(entity, path, count, len(content))


def _files_of(pieces: Iterable[Tables]) -> dict[str, tuple[int, bytes]]:
    """Rows and content of one part's file of each entity."""
    rows: dict[str, int] = {}
    files: dict[str, io.BytesIO] = {}
    for tables in pieces:
        for entity, table in tables.items():
            if entity not in files:
                files[entity] = io.BytesIO()
                files[entity].write(header(entity))
            files[entity].write(csv_rows(entity, table))
            rows[entity] = rows.get(entity, 0) + table.num_rows
    return {entity: (rows[entity], files[entity].getvalue()) for entity in COLUMNS if entity in rows}


def _land_source(volume: Volume, step: Step, entity: str, origin: tuple[str, int]) -> LandedFile:
    where, size = origin
    path = _path(volume, step, entity)
    was_new = volume.copy(where, entity, path.rsplit("/", 1)[1], size=size)
    print(f"{'landed' if was_new else 'found'} {size:,} bytes of {source_file(entity)} in {path}")
    return LandedFile(entity, path, None, size)


def _path(volume: Volume, step: Step, entity: str, part: int = 1) -> str:
    """Where a file lands. Its name begins with entity and business day, so that later versions sort after earlier."""
    ending = f"_{part:03d}" if step.is_first and part > 1 else ""
    return f"{volume.root}/{entity}/{entity}_{step.name}{ending}.csv"


def _first_of(settings: Settings) -> str:
    if settings.source:
        return f"the files of {settings.source}"
    return f"{settings.scale:,} orders of {settings.history_days} days (seed {settings.seed})"


def _refuse_other_beginning(volume: Volume, settings: Settings, wanted: Settings) -> None:
    if wanted.source and not settings.source:
        raise LandingConflictError(
            f"`{volume.root}`: found generated data since {settings.first_run_date}, expected an empty volume for the "
            f"files of `{wanted.source}`. Use another catalog, or reset this one.",
            source=wanted.source,
        )
