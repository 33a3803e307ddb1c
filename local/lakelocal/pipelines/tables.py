"""The Delta tables of a pipeline: they are created, changed or emptied before its flows run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakelocal.pipelines.definitions import INTERNAL, Dataset, Defaults, Key, Kind, shown
from lakelocal.pipelines.errors import AnalysisError, PipelineError
from lakelocal.pipelines.memory import Memory, Table
from lakelocal.pipelines.session import PipelineSession
from lakelocal.sql.writing import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

_NO_KEYS = ("boolean", "array", "map", "struct", "binary")


def stored_name(dataset: Dataset, key: Key, defaults: Defaults, pipeline_id: str) -> str:
    """The name of the table with the rows of *dataset*, in three parts."""
    if dataset.private:
        return internal_name(key, defaults, pipeline_id)
    return name_of(key)


def internal_name(key: Key, defaults: Defaults, pipeline_id: str, *what: str) -> str:
    """The name of a table that the pipeline keeps for the dataset *key*; *what* tells several of them apart."""
    parts = (key[1], key[-1], pipeline_id[:8], *what)
    return name_of((defaults.catalog, INTERNAL, "_".join(part for part in parts if part)))


def name_of(parts: Iterable[str]) -> str:
    """*parts* as a name in SQL, in quotes, since Delta's grammar has additional keywords, such as `history`."""
    return ".".join(quoted(part) for part in parts)


def merged(before: "StructType", now: "StructType") -> "StructType":
    """The new schema of a streaming table that had *before*: columns that *now* lacks stay, new ones come last."""
    from pyspark.sql.types import StructType

    known = {each.name.lower() for each in before.fields}
    fresh = {each.name.lower(): each for each in now.fields}
    kept = [fresh.get(each.name.lower(), each) for each in before.fields]
    return StructType([*kept, *(each for each in now.fields if each.name.lower() not in known)])


def incompatible(before: "StructType", now: "StructType") -> list[str]:
    """The columns of *now* that have another type than *before*."""
    types = {each.name.lower(): each.dataType for each in before.fields}
    return [
        f"`{each.name}` is {each.dataType.simpleString()} and was {types[each.name.lower()].simpleString()}"
        for each in now.fields
        if each.name.lower() in types and not _fits(types[each.name.lower()], each.dataType)
    ]


def _fits(before: "DataType", now: "DataType") -> bool:
    """Can values of type *now* be stored in a column of type *before*, possibly with new fields inside?"""
    from pyspark.sql.types import ArrayType, MapType, NullType, StructType

    if isinstance(now, NullType):
        return True
    if isinstance(before, StructType) and isinstance(now, StructType):
        return not incompatible(before, now)
    if isinstance(before, ArrayType) and isinstance(now, ArrayType):
        return _fits(before.elementType, now.elementType)
    if isinstance(before, MapType) and isinstance(now, MapType):
        return _fits(before.keyType, now.keyType) and _fits(before.valueType, now.valueType)
    return before == now or (before.typeName() in _WIDER and now.typeName() in _WIDER[before.typeName()])


_WIDER = {
    "long": {"integer", "short", "byte"},
    "integer": {"short", "byte"},
    "short": {"byte"},
    "double": {"float", "integer", "short", "byte"},
}


def _nothing() -> None:
    pass


@dataclass
class Tables:
    """The tables of one pipeline, in *session*; *memory* is that of the pipeline."""

    session: PipelineSession
    memory: Memory
    defaults: Defaults

    def existing(self, keys: Iterable[Key]) -> set[Key]:
        """Those published tables in *keys* that exist; each schema is listed once."""
        from pyspark.errors import AnalysisException

        found: set[Key] = set()
        for catalog, schema in sorted({key[:2] for key in keys}):
            try:
                rows = self.session.sql(f"SHOW TABLES IN {name_of((catalog, schema))}").collect()
            except AnalysisException as error:
                if error.getCondition() != "SCHEMA_NOT_FOUND":
                    raise
                rows = []
            found |= {(catalog, schema, row["tableName"].lower()) for row in rows}
        return found & set(keys)

    def make_schemas(self, keys: Iterable[Key]) -> None:
        """Create the schemas of the tables *keys* that do not exist."""
        for schema in sorted({key[:2] for key in keys}):
            self.session.sql(f"CREATE SCHEMA IF NOT EXISTS {name_of(schema)}")

    def make_empty(self, name: str, schema: "StructType") -> None:
        """Create or replace the table *name*, with the columns of *schema* and without rows."""
        self.session.sql(f"CREATE OR REPLACE TABLE {name} ({columns_of(schema)}) USING delta")

    def check(self, dataset: Dataset, key: Key, kind: Kind, *, exists: bool) -> None:
        """Refuse a table that belongs to another pipeline, was not created by a pipeline, or has changed its type.

        Raises:
            AnalysisError: it is one of these.
        """
        before = self.memory.of(key)
        if before is None:
            if (owner := self.memory.owner(key)) is not None:
                raise AnalysisError(
                    f"{dataset.origin}: Table `{shown(key)}` is already managed by pipeline {owner}. Rename one of "
                    "them, or remove it from the other pipeline and drop it."
                )
            if exists:
                raise AnalysisError(
                    f"{dataset.origin}: found a table `{shown(key)}` that no pipeline has created; expected no table "
                    "with this name. Rename the dataset, or drop the table."
                )
        elif before.kind != kind.value and exists:
            raise AnalysisError(
                f"[CANNOT_CHANGE_DATASET_TYPE] Cannot change the dataset type of `{shown(key)}` from {before.kind} "
                f"to {kind.value}. Please drop the existing dataset first."
            )

    def set_up(
        self,
        dataset: Dataset,
        key: Key,
        kind: Kind,
        schema: "StructType",
        *,
        exists: bool,
        full: bool,
        grows: bool = True,
        beside: Callable[[], None] = _nothing,
    ) -> Table:
        """Prepare the table of *dataset* for its flows; *full*: without rows, and with new checkpoints.

        *grows*: a streaming table gets the new columns of its flows. *beside* creates what is reset together with the
        table; if an update is killed meanwhile, the next one repeats all of it.

        Raises:
            PipelineError: the table cannot be changed to what its sources now say.
        """
        stored = stored_name(dataset, key, self.defaults, self.memory.id)
        known = self.memory.of(key)
        if known is None or known.is_new or not exists or full:
            return self._create(dataset, key, kind, stored, schema, beside)
        if kind is Kind.STREAMING_TABLE:
            self._change(dataset, key, stored, known, schema, grows=grows)
        return known  # a materialized view changes with its rows, in one commit

    def _create(
        self,
        dataset: Dataset,
        key: Key,
        kind: Kind,
        stored: str,
        schema: "StructType",
        beside: Callable[[], None],
    ) -> Table:
        table = self.memory.begin(key, kind)
        self.memory.save()
        beside()
        self.session.sql(_create_statement(dataset, stored, schema))
        self._remember(table, dataset, schema)
        table.is_new = False
        self.memory.save()
        self.memory.forget_older(key, table.generation)
        return table

    def _change(
        self, dataset: Dataset, key: Key, stored: str, table: Table, schema: "StructType", *, grows: bool
    ) -> None:
        """Change a streaming table to its definition, as far as this is possible without losing rows."""
        now = definition_of(dataset)
        if now == table.definition and schema.jsonValue() == table.schema:
            return
        self._redefine(dataset, stored, table.definition, now)
        if grows:
            self._grow(key, stored, table, schema)
        self._remember(table, dataset, schema)
        self.memory.save()

    def _redefine(self, dataset: Dataset, stored: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        if now["partition_by"] != before.get("partition_by"):
            raise PipelineError(
                f"[CANNOT_UPDATE_PARTITION_COLUMNS] {dataset.origin}: `{dataset.name}` is partitioned by "
                f"{_listed(now['partition_by'])}, but was partitioned by {_listed(before.get('partition_by', ()))}. "
                "Refresh the table fully, or keep its partitions as they were."
            )
        if now["comment"] != before.get("comment"):
            self.session.sql(f"COMMENT ON TABLE {stored} IS {literal(now['comment'] or '')}")
        changed = {k: v for k, v in now["properties"].items() if before.get("properties", {}).get(k) != v}
        if changed:
            self.session.sql(f"ALTER TABLE {stored} SET TBLPROPERTIES ({_properties(changed)})")
        if now["cluster_by"] != before.get("cluster_by"):
            columns = ", ".join(quoted(name) for name in now["cluster_by"])
            self.session.sql(f"ALTER TABLE {stored} CLUSTER BY {f'({columns})' if columns else 'NONE'}")

    def _grow(self, key: Key, stored: str, table: Table, schema: "StructType") -> None:
        from pyspark.sql.types import StructType

        before = StructType.fromJson(table.schema)
        if wrong := incompatible(before, schema):
            raise PipelineError(
                f"Failed to merge incompatible data types into `{shown(key)}`: {wrong[0]}. "
                "Cast the column to its former type, or refresh the table fully."
            )
        known = {each.name.lower() for each in before.fields}
        if any(each.name.lower() not in known for each in schema.fields):
            empty = self.session.spark.createDataFrame([], schema)
            empty.write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable(stored)

    def _remember(self, table: Table, dataset: Dataset, schema: "StructType") -> None:
        table.definition = definition_of(dataset)
        table.schema = schema.jsonValue()


def definition_of(dataset: Dataset) -> dict[str, Any]:
    """What the sources say about the table of *dataset*, apart from its columns."""
    return {
        "comment": dataset.comment,
        "properties": dict(dataset.properties),
        "partition_by": list(dataset.partition_by),
        "cluster_by": list(dataset.cluster_by),
    }


def check_columns(dataset: Dataset, schema: "StructType") -> None:
    """Refuse partition and cluster columns that the rows do not have, or whose types are not suitable.

    Raises:
        AnalysisError: there is such a column.
    """
    types = {each.name.lower(): each.dataType for each in schema.fields}
    if dataset.partition_by and dataset.cluster_by:
        raise AnalysisError(
            f"{dataset.origin}: `{dataset.name}` has partitions and cluster columns; expected one of them. Remove one."
        )
    for name in (*dataset.partition_by, *dataset.cluster_by):
        if name.lower() not in types:
            raise AnalysisError(
                f"{dataset.origin}: `{dataset.name}` is laid out by `{name}`, which its query does not return; its "
                f"columns are {_listed([each.name for each in schema.fields])}. Correct the name."
            )
    for name in dataset.cluster_by:
        if types[name.lower()].typeName() in _NO_KEYS:
            raise AnalysisError(
                f"{dataset.origin}: `{dataset.name}` is clustered by `{name}` of type "
                f"{types[name.lower()].simpleString()}; expected a type with statistics. Choose another column."
            )


def _create_statement(dataset: Dataset, stored: str, schema: "StructType") -> str:
    columns = dataset.schema if isinstance(dataset.schema, str) else columns_of(schema)
    parts = [f"CREATE OR REPLACE TABLE {stored} ({columns}) USING delta"]
    if dataset.partition_by:
        parts.append(f"PARTITIONED BY ({', '.join(quoted(name) for name in dataset.partition_by)})")
    if dataset.cluster_by:
        parts.append(f"CLUSTER BY ({', '.join(quoted(name) for name in dataset.cluster_by)})")
    if dataset.comment:
        parts.append(f"COMMENT {literal(dataset.comment)}")
    if dataset.properties:
        parts.append(f"TBLPROPERTIES ({_properties(dataset.properties)})")
    return " ".join(parts)


def _properties(given: Mapping[str, str]) -> str:
    return ", ".join(f"{literal(key)} = {literal(value)}" for key, value in given.items())


def columns_of(schema: "StructType") -> str:
    """The columns of *schema* as in CREATE TABLE, including NOT NULL and comments."""
    return ", ".join(
        f"{quoted(each.name)} {type_text(each.dataType)}"
        + ("" if each.nullable else " NOT NULL")
        + (f" COMMENT {literal(each.metadata['comment'])}" if each.metadata.get("comment") else "")
        for each in schema.fields
    )


def type_text(kind: "DataType") -> str:
    """*kind* as SQL, with the names of fields in quotes."""
    from pyspark.sql.types import ArrayType, MapType, StructType

    if isinstance(kind, StructType):
        return f"STRUCT<{', '.join(f'{quoted(each.name)}: {type_text(each.dataType)}' for each in kind.fields)}>"
    if isinstance(kind, ArrayType):
        return f"ARRAY<{type_text(kind.elementType)}>"
    if isinstance(kind, MapType):
        return f"MAP<{type_text(kind.keyType)}, {type_text(kind.valueType)}>"
    return kind.simpleString().upper() if kind.typeName() != "void" else "VOID"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
