"""JSON: each record is read as text and parsed with the schema, so that fields the schema lacks can be rescued."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.autoloader import plan_builders
from lakelocal.dialect.autoloader.columns import Column, as_struct
from lakelocal.dialect.autoloader.csv_rows import RAW, field_of
from lakelocal.dialect.autoloader.leftovers import member_leftovers, named_as
from lakelocal.dialect.autoloader.options import Source
from lakelocal.dialect.autoloader.partitions import partition_text
from lakelocal.errors import DialectError
from lakelocal.sql.writing import literal

_TEXT_OPTIONS = frozenset(
    {"linesep", "pathglobfilter", "ignoremissingfiles", "ignorecorruptfiles", "modifiedafter", "modifiedbefore"}
)
_BLANK = r"value RLIKE '\\S'"


@dataclass(frozen=True)
class JsonRows:
    """Builds the relation of a JSON source. *shown_path* is SQL for the file's path as Databricks shows it."""

    source: Source
    columns: Sequence[Column]
    shown_path: str
    partitions: Sequence[str]

    def relation(self, *, streaming: bool) -> proto.Relation:
        self._check_encoding()
        rows = plan_builders.where(self._records(streaming), _BLANK)
        parsed = [column for column in self.columns if column.name not in {*self.partitions, self.source.rescued}]
        schema = ", ".join(column.ddl for column in parsed) or "_none STRING"
        rows = plan_builders.with_columns(rows, {"_document": self._document("value")})
        if not self.source.case_sensitive:
            renamed = named_as(as_struct(parsed), "_document")
            same = "_document IS NULL OR _renamed = to_json(_document)"
            rows = plan_builders.with_columns(rows, {"_renamed": renamed})
            rows = plan_builders.with_columns(rows, {"value": f"IF({same}, value, _renamed)"})
            rows = plan_builders.with_columns(rows, {"_document": self._document("value")})
        rows = plan_builders.with_columns(rows, {"_row": f"from_json(value, {literal(schema)}, {self._options()})"})
        if self.source.rescued:
            rows = plan_builders.with_columns(rows, {"_rest": self._rest(parsed)})
        found = [(column.name, self._value(column)) for column in self.columns]
        if self.source.rescued and all(name != self.source.rescued for name, _ in found):
            found.append((self.source.rescued, self._rescued()))
        return plan_builders.select(rows, found)

    def _options(self) -> str:
        options = {key: value for key, value in self.source.reader.items() if key.lower() not in _TEXT_OPTIONS}
        # Spark's legacy fallback would read the text `1` as the second day of 1970.
        return plan_builders.options_map({"enableDateTimeParsingFallback": "false", **options, "mode": "PERMISSIVE"})

    def _document(self, text: str) -> str:
        """SQL: *text* as a variant; NULL if it is not a JSON object, or has a name twice."""
        found = f"from_json({text}, 'variant', {self._options()})"
        return f"IF(_whole AND startswith(schema_of_variant({found}), 'OBJECT'), {found}, NULL)"

    def _records(self, streaming: bool) -> proto.Relation:
        """A row for each record, as text; an array gives a row for each of its entries.

        The column `_whole` tells whether the line (or the file) contains nothing but its records.
        """
        options = {key: value for key, value in self.source.reader.items() if key.lower() in _TEXT_OPTIONS}
        options |= self.source.limits
        if self.source.multi_line:
            options["wholetext"] = "true"
        rows = plan_builders.read("text", self.source.places, options, schema="value STRING", streaming=streaming)
        text = "trim(BOTH ' \t\r\n' FROM regexp_replace(value, '^\\\\ufeff', ''))"
        rows = plan_builders.with_columns(rows, {"value": text})
        listed = f"from_json(IF(value LIKE '[%', value, concat('[', value, ']')), 'array<string>', {self._options()})"
        rows = plan_builders.with_columns(rows, {"_listed": listed})
        each = (
            "CASE WHEN _listed IS NULL THEN array(struct(value AS value, false AS whole)) "
            "WHEN size(_listed) = 1 AND NOT value LIKE '[%' THEN array(struct(value AS value, true AS whole)) "
            "ELSE transform(_listed, text -> struct(coalesce(text, 'null') AS value, true AS whole)) END"
        )
        rows = plan_builders.with_columns(rows, {"_record": f"explode({each})"})
        return plan_builders.with_columns(rows, {"value": "_record.value", "_whole": "_record.whole"})

    def _value(self, column: Column) -> str:
        if column.name in self.partitions:
            return f"try_cast({partition_text(self.source.folder, column.name)} AS {column.type})"
        if column.name == self.source.rescued:
            return self._rescued()
        return field_of("_row", column.name)

    def _rest(self, parsed: Sequence[Column]) -> str:
        """SQL: the members that the schema has no place for; a record that is not a JSON object becomes a member."""
        folders = {name: partition_text(self.source.folder, name) for name in self.partitions}
        formatted = bool(self.source.option("dateFormat", ""))
        found = [member_leftovers(as_struct(parsed), "_document", "_row", folders, dates_formatted=formatted)]
        for column in self.columns:
            if column.name in self.partitions and not column.is_text:
                text = folders[column.name]
                name = f"to_json(CAST({literal(column.name)} AS VARIANT))"
                member = f"concat({name}, ':', to_json(CAST({text} AS VARIANT)))"
                lost = f"{text} IS NOT NULL AND {self._value(column)} IS NULL"
                found.append(f"IF({lost}, {member}, NULL)")
        raw = f"concat('\"{RAW}\":', to_json(CAST(value AS VARIANT)))"
        members = found[0] if len(found) == 1 else f"nullif(concat_ws(',', {', '.join(found)}), '')"
        return f"IF(_document IS NULL, {raw}, {members})"

    def _rescued(self) -> str:
        path = f"to_json(CAST({self.shown_path} AS VARIANT))"
        return f"concat('{{', _rest, ',\"_file_path\":', {path}, '}}')"

    def _check_encoding(self) -> None:
        encoding = self.source.option("encoding", self.source.option("charset", "UTF-8"))
        if encoding.upper() not in ("UTF-8", "UTF8"):
            raise DialectError(
                f"cloudFiles, encoding: found `{encoding}`; only UTF-8 is possible for JSON here. Convert the files."
            )
