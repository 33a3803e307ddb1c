"""CSV: rows are read by position, then put in order by the header of their file; what does not fit is rescued.

Spark's CSV reader, given a schema, ignores the names in the header. Each record is therefore read as `_c0`, `_c1`, ...,
and a record with another number of fields as raw text, too. The headers of all files that may be read have been read
before, and the file of a row decides which field belongs to which column. A file with an unknown header fails the
batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.autoloader import plan_builders
from lakelocal.dialect.autoloader.columns import Column
from lakelocal.dialect.autoloader.layouts import FileLayout, Layouts
from lakelocal.dialect.autoloader.leftovers import WHOLE_DATE
from lakelocal.dialect.autoloader.options import Source
from lakelocal.dialect.autoloader.partitions import partition_text
from lakelocal.dialect.autoloader.types import Simple
from lakelocal.sql.writing import literal, quoted

RAW = "_corrupt_record"
# The number of fields beyond the widest header that are rescued one by one; if there are more, the raw record is.
_BEYOND = 32
_NO_MAP = "CAST(NULL AS MAP<STRING, STRING>)"
_EMPTY_MAP = "CAST(map() AS MAP<STRING, STRING>)"


@dataclass(frozen=True)
class CsvRows:
    """Builds the relation of a CSV source.

    *shown_path* is SQL for the file's path as Databricks shows it. If *guarded*, only files with known headers are
    read.
    """

    source: Source
    columns: Sequence[Column]
    layouts: Layouts
    shown_path: str
    partitions: Sequence[str]
    guarded: bool

    def relation(self, *, streaming: bool) -> proto.Relation:
        width = self.layouts.width
        schema = ", ".join(f"_c{at} STRING" for at in range(width)) + f", {RAW} STRING"
        options = {
            **self.source.reader,
            **self.source.limits,
            "header": str(self.source.header).lower(),
            "enforceSchema": "true",
            "mode": "PERMISSIVE",
            "columnNameOfCorruptRecord": RAW,
            "columnPruning": "false",
        }
        rows = plan_builders.read("csv", self.source.places, options, schema=schema, streaming=streaming)
        rows = plan_builders.with_columns(rows, {"_layout": self._layout()})
        if self.guarded:
            rows = plan_builders.where(rows, "_layout IS NOT NULL")
        found = [(column.name, self._value(at, column)) for at, column in enumerate(self.columns)]
        if self.source.rescued:
            rows = plan_builders.with_columns(rows, {"_overflow": self._overflow(width)})
            rows = plan_builders.with_columns(rows, {"_surplus": self._surplus(width), "_unfit": self._unfit()})
            rescue = (self.source.rescued, rescue_json(["_unfit", "_surplus"], self.shown_path))
            at = next((at for at, (name, _) in enumerate(found) if name == self.source.rescued), None)
            found = [*found, rescue] if at is None else [*found[:at], rescue, *found[at + 1 :]]
        return plan_builders.select(rows, found)

    def _layout(self) -> str:
        """SQL: the number of the row's layout."""
        if not self.guarded:
            return "0"
        cases = " ".join(
            f"WHEN {plan_builders.is_in_files(files)} THEN {number}"
            for number, (_, files) in enumerate(self.layouts.files)
            if files
        )
        late = (
            f"CAST(raise_error(concat({self.shown_path}, ': the file arrived while the stream was starting, "
            "so its header is not known. Start the stream again.')) AS INT)"
        )
        return f"CASE {cases} ELSE {late} END" if cases else late

    def _overflow(self, width: int) -> str:
        """SQL: the fields of a record whose number of fields differs from that of the widest header."""
        total = width + _BEYOND
        schema = ", ".join(f"_c{at} STRING" for at in range(total))
        known = {key: value for key, value in self.source.reader.items() if key.lower() != "pathglobfilter"}
        options = plan_builders.options_map({**known, "mode": "PERMISSIVE"})
        return f"CASE WHEN {RAW} IS NOT NULL THEN from_csv({RAW}, {literal(schema)}, {options}) END"

    def _by_layout(self, sql: list[str]) -> str:
        """One SQL expression that chooses among *sql*, which has an expression for each layout."""
        if len(set(sql)) == 1:
            return sql[0]
        cases = " ".join(f"WHEN {number} THEN {one}" for number, one in enumerate(sql[1:], 1))
        return f"CASE _layout {cases} ELSE {sql[0]} END"

    def _text(self, at: int) -> str:
        """SQL: column *at* as it is written in the file."""
        if (name := self.columns[at].name) in self.partitions:
            return partition_text(self.source.folder, name)
        found = [layout.positions[at] for layout, _ in self.layouts.files]
        return self._by_layout(["CAST(NULL AS STRING)" if p is None else f"_c{p}" for p in found])

    def _value(self, at: int, column: Column) -> str:
        text = self._text(at)
        if column.is_text:
            return text
        kind = column.type.upper()
        if kind == "DATE" and (pattern := self.source.option("dateFormat", "")):
            return f"CAST(try_to_timestamp({text}, {literal(pattern)}) AS DATE)"
        if kind == "TIMESTAMP" and (pattern := self.source.option("timestampFormat", "")):
            return f"try_to_timestamp({text}, {literal(pattern)})"
        return f"try_cast({text} AS {column.type})"

    def _surplus(self, width: int) -> str:
        """SQL: a map of the fields beyond the widest header; NULL, at no cost, for an ordinary record."""
        fields = {f"_c{at}": f"_overflow._c{at}" for at in range(width, width + _BEYOND)}
        fields[RAW] = f"IF(_overflow._c{width + _BEYOND - 1} IS NOT NULL, {RAW}, NULL)"
        return f"IF({RAW} IS NULL, NULL, {_filled(fields)})"

    def _unfit(self) -> str:
        """SQL: a map of the fields that the schema has no place for, by the row's layout."""
        return self._by_layout([_filled(self._unfit_fields(layout)) for layout, _ in self.layouts.files])

    def _unfit_fields(self, layout: FileLayout) -> dict[str, str]:
        fields = {name: f"_c{at}" for at, name in layout.extras}
        fields |= {f"_c{at}": f"_c{at}" for at in range(layout.width, self.layouts.width)}
        for at, column in enumerate(self.columns):
            if not column.is_text and column.name != self.source.rescued:
                fields[column.name] = f"IF({self._is_unfit(at, column)}, {self._text(at)}, NULL)"
            position = layout.positions[at]
            if column.name in self.partitions and position is not None:
                # The column has the value of the folder; the one in the file is rescued if it differs.
                fields[column.name] = f"nullif(_c{position}, {self._text(at)})"
        return fields

    def _is_unfit(self, at: int, column: Column) -> str:
        """SQL: can the text not be read as a value of the column, or only with a loss?"""
        text, value = self._text(at), self._value(at, column)
        if column.type.upper() == "DATE" and not self.source.option("dateFormat", ""):
            return f"{value} IS NULL OR NOT trim({text}) RLIKE {WHOLE_DATE}"
        size = column.kind.decimal if isinstance(column.kind, Simple) else None
        if size is None:
            return f"{value} IS NULL"
        return f"{value} IS NULL OR try_cast({text} AS DECIMAL(38,{38 - size[0] + size[1]})) <> {value}"


def _filled(fields: dict[str, str]) -> str:
    """SQL: a map of those *fields* (name to SQL) that are not NULL."""
    if not fields:
        return _NO_MAP
    entries = ", ".join(f"{literal(key)}, {sql}" for key, sql in fields.items())
    return f"map_filter(map({entries}), (k, v) -> v IS NOT NULL)"


def rescue_json(maps: Sequence[str], shown_path: str) -> str:
    """SQL: the columns *maps* as one JSON object with the file's path; NULL if all of them are empty or NULL."""
    some = " OR ".join(f"({name} IS NOT NULL AND size({name}) > 0)" for name in maps)
    parts = ", ".join(f"coalesce({name}, {_EMPTY_MAP})" for name in maps)
    return f"IF({some}, to_json(map_concat({parts}, map('_file_path', {shown_path}))), NULL)"


def field_of(struct: str, name: str) -> str:
    return f"{struct}.{quoted(name)}"
