"""Decide what lands for a run date, and land it: complete, exactly once, and the same again after a kill.

A batch is announced by `_manifests/<batch>.started.json`, its files follow, and `_manifests/<batch>.json` ends it. A
batch that was announced but not ended is completed first, with the parameters with which it was announced.
"""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lakehouse.errors import counted
from lakehouse.generator.batches import Tables, day_tables, initial_parts
from lakehouse.generator.columns import COLUMNS, csv_rows, header
from lakehouse.generator.profile import Profile
from lakehouse.generator.reading import RowReader
from lakehouse.generator.source import SourceFile, check_source, read_source_rows, source_file, world_of_source
from lakehouse.generator.volume import INITIAL, BatchFile, LandingConflictError, Volume, run_date_of
from lakehouse.generator.world import Settings, World, day_number, make_world

FIRST_DAY = "2018-09-01"  # a volume begins on this business day if no other is given


@dataclass(frozen=True)
class Step:
    """One batch to land: for the business day *run_date*, either the first batch or a further one."""

    run_date: str
    is_first: bool

    @property
    def name(self) -> str:
        """The name of the batch; names of later days sort after those of earlier days."""
        return self.run_date + (INITIAL if self.is_first else "")


@dataclass(frozen=True)
class Plan:
    """What a run lands, and why.

    Attributes:
        settings: those of the volume's first landing; those of this run, if it is the first.
        landed: business days that have landed completely, ascending, beginning with that of the first landing.
        steps: the batches to land, in order; none if the run date has already landed.
        notes: sentences for the reader.
    """

    settings: Settings
    landed: tuple[str, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]


@dataclass
class _File:
    """A file that is being built."""

    content: io.BytesIO = field(default_factory=io.BytesIO)
    rows: int = 0


def business_day(volume: Volume, given: str) -> str:
    """The day *given*, or by default the last day that has landed, so that a notebook run by hand adds nothing."""
    begun = volume.batches().begun
    return given or (run_date_of(begun[-1]) if begun else FIRST_DAY)


def plan_landing(volume: Volume, wanted: Settings) -> Plan:
    """Plan what to land for the run date *wanted.first_run_date* of a run with these parameters. Writes nothing.

    Raises:
        LandingConflictError: the source or the run date would have no effect: the volume began with other data, or a
                later day has already landed.
    """
    batches = volume.batches()
    run_date = wanted.first_run_date
    if not batches.begun:
        return Plan(wanted, (), (Step(run_date, is_first=True),), (f"First landing: {_first_of(wanted)}.",))
    settings = Settings(**volume.announcement(batches.begun[0])["settings"])
    _refuse_other_source(volume, settings, wanted)
    landed = tuple(run_date_of(batch) for batch in batches.ended)
    notes = [f"The volume began on {settings.first_run_date} with {_first_of(settings)}; this stays."]
    open_ = [batch for batch in batches.begun if batch not in batches.ended]
    steps = [Step(run_date_of(batch), is_first=batch.endswith(INITIAL)) for batch in open_]
    notes += [f"The landing of {step.run_date} was interrupted: it is completed first." for step in steps]
    days = [*landed, *(step.run_date for step in steps)]
    _refuse_passed_day(volume, days, run_date)
    last = max(days)
    if run_date > last:
        steps.append(Step(run_date, is_first=False))
        notes.append(f"The business day {run_date} lands; the last one before it is {last}.")
    else:
        notes.append(f"The business day {run_date} has landed: there is nothing to add.")
    return Plan(settings, landed, tuple(steps), tuple(notes))


def land(plan: Plan, *, volume: Volume, profile: Profile, read: RowReader) -> list[BatchFile]:
    """Land the steps of *plan*, printing one line per file; *read* is used only on top of real files."""
    files: list[BatchFile] = []
    landed = list(plan.landed)
    for step in plan.steps:
        volume.clear_staging()
        facts = {"run_date": step.run_date, "settings": plan.settings.as_dict()}
        if step.is_first and plan.settings.source:
            origins = check_source(volume, plan.settings.source)
            volume.announce(step.name, facts)
            new = [_land_source(volume, step, entity, origin) for entity, origin in origins.items()]
        else:
            parts = _parts(step, _world(plan.settings, volume, profile, read), landed)
            volume.announce(step.name, facts)
            new = list(_land_parts(volume, step, parts))
        volume.end(step.name, facts | {"files": [file.entry() for file in new]})
        files += new
        landed.append(step.run_date)
    volume.clear_staging()
    return files


def _world(settings: Settings, volume: Volume, profile: Profile, read: RowReader) -> World:
    world = make_world(profile, settings)
    if not settings.source:
        return world
    first = Step(settings.first_run_date, is_first=True)
    return world_of_source(world, read_source_rows(read, volume.files_of(first.name)))


def _parts(step: Step, world: World, landed: list[str]) -> Iterable[Iterable[Tables]]:
    if step.is_first:
        return initial_parts(world)
    return [[day_tables(world, day_number(step.run_date), [day_number(day) for day in landed])]]


def _land_parts(volume: Volume, step: Step, parts: Iterable[Iterable[Tables]]) -> Iterator[BatchFile]:
    for number, pieces in enumerate(parts, start=1):
        for entity, made in _files_of(pieces).items():
            path = _path(volume, step, entity, number)
            content = made.content.getvalue()
            was_new = volume.write(content, entity, path.rsplit("/", 1)[1])
            print(f"{'landed' if was_new else 'found'} {counted(made.rows, 'row')} in {path}")
            yield BatchFile(entity, path, made.rows, len(content))


def _files_of(pieces: Iterable[Tables]) -> dict[str, _File]:
    """One part's file for each entity that has rows."""
    files: dict[str, _File] = {}
    for tables in pieces:
        for entity, table in tables.items():
            if entity not in files:
                files[entity] = _File()
                files[entity].content.write(header(entity))
            files[entity].content.write(csv_rows(entity, table))
            files[entity].rows += table.num_rows
    return {entity: files[entity] for entity in COLUMNS if entity in files}


def _land_source(volume: Volume, step: Step, entity: str, origin: SourceFile) -> BatchFile:
    path = _path(volume, step, entity)
    was_new = volume.copy(origin.path, entity, path.rsplit("/", 1)[1], size=origin.size)
    print(f"{'landed' if was_new else 'found'} {origin.size:,} bytes of {source_file(entity)} in {path}")
    return BatchFile(entity, path, None, origin.size)


def _path(volume: Volume, step: Step, entity: str, part: int = 1) -> str:
    """The path of a landed file. Its name begins with entity and business day, so later versions sort after earlier."""
    ending = f"_{part:03d}" if step.is_first and part > 1 else ""
    return f"{volume.root}/{entity}/{entity}_{step.name}{ending}.csv"


def _first_of(settings: Settings) -> str:
    if settings.source:
        return f"the files of {settings.source}"
    return f"{settings.scale:,} generated orders of {settings.history_days} days (seed {settings.seed})"


def _refuse_other_source(volume: Volume, settings: Settings, wanted: Settings) -> None:
    if wanted.source and _folder(wanted.source) != _folder(settings.source):
        raise LandingConflictError(
            f"`source`: found `{wanted.source}`, but `{volume.root}` began on {settings.first_run_date} with "
            f"{_first_of(settings)}, and a volume has one beginning. Leave `source` empty to add a business day to "
            "what is there, or begin anew: with another `catalog`, or with `make reset` on this machine.",
            source=wanted.source,
        )


def _refuse_passed_day(volume: Volume, days: list[str], run_date: str) -> None:
    if run_date < max(days) and run_date not in days:
        raise LandingConflictError(
            f"`run_date`: found {run_date}, but `{volume.root}` has the business days from {min(days)} to {max(days)}, "
            f"and none is added before the last. Give one after {max(days)}, or one that has landed to repeat it; or "
            "begin anew: with another `catalog`, or with `make reset` on this machine.",
            run_date=run_date,
        )


def _folder(source: str) -> str:
    """A source in the form in which it is compared: `/data/olist/` and `file:/data/olist` are the same folder."""
    return re.sub("^file:/+", "/", source).rstrip("/")
