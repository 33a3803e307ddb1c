"""Files of a volume become rows of a bronze table: each file once, columns by name, nothing lost.

A table's generation is a property of the table and part of its checkpoint's path. A full refresh replaces the table by
an empty one of a new generation in one commit, so that the stream starts again from the first file; a kill anywhere
leaves a table and a checkpoint that belong together.
"""

import uuid
from dataclasses import dataclass, replace

from pyspark.sql import SparkSession

from lakehouse.errors import LakehouseError, LandedFileError
from lakehouse.layers.landing import (
    LandedFile,
    check_headers,
    file_columns,
    files_not_utf8,
    known_files,
    list_files,
    record_files,
    refuse_new_content,
    refuse_not_utf8,
)
from lakehouse.places import checkpoint_folder, volume_folder
from lakehouse.tables.contracts import Contract, load_contract
from lakehouse.tables.delta import GENERATION, Written, identity, latest_commit, replace_empty, text
from lakehouse.tables.operations import RuleCount, record_counts
from lakehouse.tables.together import attempt_together, raise_failures

# Change data feed tells silver which rows a version added, at no cost for a table that is only appended to.
_PROPERTIES = {"delta.enableChangeDataFeed": "true"}


@dataclass(frozen=True)
class Source:
    """The files of one entity and the bronze table that takes them in.

    *generation* is empty where the table must be made anew. *new* are the files that the table lacks, *touched* those
    that it has but that were written again with the same content.
    """

    contract: Contract
    folder: str
    generation: str
    files: int
    new: tuple[LandedFile, ...]
    touched: tuple[LandedFile, ...] = ()
    refused: LakehouseError | None = None

    @property
    def table(self) -> str:
        return self.contract.table

    def __str__(self) -> str:
        if self.refused:
            return f"{self.table}: refused"
        empty = sum(file.size == 0 for file in self.new)
        note = f", {empty} of them empty" if empty else ""
        return f"{self.table}: {self.files} files, {len(self.new)} new{note}"


def find_new_files(spark: SparkSession, dbutils, entities: dict[str, str], *, catalog: str, full: bool) -> list[Source]:
    """Which files each bronze table lacks, checked; with *full* all of them, for a table made anew.

    Args:
        entities: the folder below the volume's root by bronze table name (without schema).

    Returns:
        One source a table. Where a file is not what the contract says, `refused` tells why: that table takes in
        nothing, the others go on.

    Raises:
        PlaceError: a volume's folder or a schema is missing.
    """
    contracts = {name: load_contract(name) for name in entities}
    listed = {name: list_files(dbutils, volume_folder(catalog, folder)) for name, folder in entities.items()}
    known = known_files(spark, [contract.table for contract in contracts.values()])
    work = {name: lambda table=contract.table: identity(spark, table) for name, contract in contracts.items()}
    identities, errors = attempt_together(work)
    if errors:
        raise_failures(errors, len(work))
    sources = []
    for name, contract in contracts.items():
        generation = "" if full or identities[name] is None else identities[name].generation
        folder = volume_folder(catalog, entities[name])
        taken = {
            file: state for (table, of, file), state in known.items() if (table, of) == (contract.table, generation)
        }
        new = tuple(file for file in listed[name].values() if file.name not in taken)
        again = tuple(f for f in listed[name].values() if f.name in taken and taken[f.name] != (f.size, f.modified_ms))
        source = Source(contract, folder, generation, len(listed[name]), new, again)
        sources.append(_checked(spark, dbutils, source))
    return _refuse_not_utf8(spark, sources)


def _checked(spark: SparkSession, dbutils, source: Source) -> Source:
    try:
        check_headers(dbutils, source.contract, source.new)
        for file in source.touched:
            refuse_new_content(spark, source.contract, file)
    except LandedFileError as error:
        return replace(source, refused=error)
    return source


def _refuse_not_utf8(spark: SparkSession, sources: list[Source]) -> list[Source]:
    fit = [file for source in sources if not source.refused for file in source.new]
    broken = files_not_utf8(spark, fit)
    checked = []
    for source in sources:
        first = next((file for file in source.new if file.path in broken), None)
        if first and not source.refused:
            try:
                refuse_not_utf8(spark, first)
            except LandedFileError as error:
                source = replace(source, refused=error)
        checked.append(source)
    return checked


def load_new_files(
    spark: SparkSession, sources: list[Source], *, options: dict[str, str], lineage: dict[str, str], run_id: str
) -> list[Written]:
    """Take the new files of all *sources* into their tables, at the same time, each by a stream of its own.

    Args:
        options: of Auto Loader.
        lineage: SQL for the columns of the contract that the files do not bring; `{folder}` is the entity's folder.
        run_id: of the job run, for the counts of the expectations.

    Raises:
        TablesFailedError: a table's files were refused or its stream failed; the others have been loaded.
    """
    work = {
        source.table: lambda source=source: _load(spark, source, options, lineage)
        for source in sources
        if not source.refused
    }
    loaded, errors = attempt_together(work)
    record_counts(spark, run_id, [count for _, counts, _ in loaded.values() for count in counts])
    by_table = {source.table: source for source in sources}
    taken = {(table, of): [*by_table[table].new, *by_table[table].touched] for table, (_, _, of) in loaded.items()}
    record_files(spark, taken)
    errors = {source.table: source.refused for source in sources if source.refused} | errors
    if errors:
        raise_failures(errors, len(sources))
    return [written for written, _, _ in loaded.values()]


def _load(spark: SparkSession, source: Source, options: dict[str, str], lineage: dict[str, str]) -> tuple:
    """The table's write, its expectation counts and its generation.

    The contract gives Auto Loader the schema, so it keeps none at a `cloudFiles.schemaLocation` and evolves none: what
    fits no column is rescued. With a rescued data column it finds CSV columns by the header, not by their place.

    Source: Databricks documentation, "Configure schema inference and evolution in Auto Loader", "Auto Loader options".
    """
    generation = source.generation or empty_table(spark, source.contract)
    if not source.new:
        return Written(source.table, 0, None), [], generation
    brought = file_columns(source.contract)
    stream = spark.readStream.format("cloudFiles").options(**options)
    rows = stream.schema(", ".join(f"`{name}` STRING" for name in brought)).load(source.folder)
    made = [f"{sql.format(folder=source.folder)} AS {name}" for name, sql in lineage.items()]
    query = (
        rows.selectExpr(*brought, *made, "_rescued_data")
        .writeStream.option("checkpointLocation", _checkpoint(source, generation))
        .trigger(availableNow=True)
        .toTable(source.table)
    )
    query.awaitTermination()
    counts = _count_rules(spark, source)
    return Written(source.table, counts[0].checked_rows, latest_commit(spark, source.table).version), counts, generation


def empty_table(spark: SparkSession, contract: Contract) -> str:
    """Create the table, or replace it by an empty one; the new generation, which no stream has read for yet."""
    generation = uuid.uuid4().hex[:12]
    replace_empty(spark, contract, {**_PROPERTIES, GENERATION: generation})
    return generation


def _checkpoint(source: Source, generation: str) -> str:
    catalog = source.folder.split("/")[2]
    return checkpoint_folder(catalog, source.contract.name, generation)


def _count_rules(spark: SparkSession, source: Source) -> list[RuleCount]:
    """Counts over the rows of the new files, so that a run that was killed before counting is made good."""
    rules = source.contract.rules("WARN")
    failed = "".join(f", count_if(NOT ({rule.condition}))" for rule in rules)
    files = ", ".join(text(file.path) for file in source.new)
    found = spark.sql(f"SELECT count(*){failed} FROM {source.table} WHERE _source_file IN ({files})").first()
    return [
        RuleCount(source.table, rule.rule, rule.level, found[0], count)
        for rule, count in zip(rules, found[1:], strict=True)
    ]
