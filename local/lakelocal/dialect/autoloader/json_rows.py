"""JSON: each record is read as text and parsed by the schema, so that what the schema lacks can be rescued."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyspark.sql.connect.proto as proto

from lakelocal.dialect.autoloader import plan
from lakelocal.dialect.autoloader.columns import Column
from lakelocal.dialect.autoloader.csv_rows import RAW, field_of, rescue_json
from lakelocal.dialect.autoloader.options import Source
from lakelocal.errors import DialectError
from lakelocal.sql.writing import literal

_TEXT_OPTIONS = frozenset({"linesep", "pathglobfilter", "ignoremissingfiles", "ignorecorruptfiles"})


@dataclass(frozen=True)
class JsonRows:
    """Builds the relation of a JSON source. *shown_path* is SQL for the file's path as Databricks shows it."""

    source: Source
    columns: Sequence[Column]
    shown_path: str

    def relation(self, *, streaming: bool) -> proto.Relation:
        self._check_encoding()
        rows = plan.where(self._records(streaming), r"value RLIKE '\\S'")
        elsewhere = {*self.source.partitions, self.source.rescued}
        parsed = [column for column in self.columns if column.name not in elsewhere]
        schema = ", ".join(column.ddl for column in parsed) or "_none STRING"
        options = {key: value for key, value in self.source.reader.items() if key.lower() not in _TEXT_OPTIONS}
        rows = plan.with_columns(
            rows,
            {
                "_row": f"from_json(value, {literal(schema)}, {plan.options_map({**options, 'mode': 'PERMISSIVE'})})",
                "_all": "from_json(value, 'map<string,string>')",
            },
        )
        if self.source.rescued:
            rows = plan.with_columns(rows, {"_unfit": self._unfit(parsed)})
        found = [(column.name, self._value(column)) for column in self.columns]
        if self.source.rescued and all(name != self.source.rescued for name, _ in found):
            found.append((self.source.rescued, rescue_json(["_unfit"], self.shown_path)))
        return plan.select(rows, found)

    def _records(self, streaming: bool) -> proto.Relation:
        """One row a record, as text; a file that is one JSON array gives a row for each of its entries."""
        options = {key: value for key, value in self.source.reader.items() if key.lower() in _TEXT_OPTIONS}
        options |= self.source.limits
        if not self.source.multi_line:
            return plan.read("text", str(self.source.folder), options, schema="value STRING", streaming=streaming)
        options["wholetext"] = "true"
        rows = plan.read("text", str(self.source.folder), options, schema="value STRING", streaming=streaming)
        text = "regexp_replace(value, '^\\\\ufeff', '')"
        each = f"explode(IF(ltrim({text}) LIKE '[%', from_json({text}, 'array<string>'), array({text})))"
        return plan.select(rows, [("value", each)])

    def _value(self, column: Column) -> str:
        if column.name in self.source.partitions:
            text = f"url_decode(regexp_extract(_metadata.file_path, {literal(f'/{column.name}=([^/]*)/')}, 1))"
            return f"try_cast({text} AS {column.type})"
        if column.name == self.source.rescued:
            return rescue_json(["_unfit"], self.shown_path)
        return field_of("_row", column.name)

    def _unfit(self, parsed: Sequence[Column]) -> str:
        """SQL: a map of what the schema has no place for; a record that is no JSON goes there whole."""
        names = ", ".join(literal(column.name) for column in parsed) or "''"
        failed = " ".join(
            f"WHEN {literal(column.name)} THEN {field_of('_row', column.name)} IS NULL" for column in parsed
        )
        unfit = f"CASE k {failed} ELSE true END" if failed else "true"
        kept = f"map_filter(_all, (k, v) -> v IS NOT NULL AND (NOT k IN ({names}) OR {unfit}))"
        return f"IF(_all IS NULL, map({literal(RAW)}, value), {kept})"

    def _check_encoding(self) -> None:
        encoding = self.source.option("encoding", self.source.option("charset", "UTF-8"))
        if encoding.upper() not in ("UTF-8", "UTF8"):
            raise DialectError(f"cloudFiles, encoding: found `{encoding}`; only UTF-8 is possible for JSON here.")
