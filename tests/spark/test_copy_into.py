"""`COPY INTO`: each file once, in one commit, by name or by position, with what it counts.

Source: Databricks documentation, "COPY INTO".
"""

import json
from pathlib import Path

import pytest

from lakelocal.dialect.volumes import uri_file
from lakelocal.errors import DialectError

FILES = "/Volumes/olist_dev/copying/files"
COUNTS = ["num_affected_rows", "num_inserted_rows", "num_skipped_corrupt_files"]


@pytest.fixture(scope="module")
def root(spark, state) -> Path:
    """The folder of the volume `copying.files`."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS olist_dev.copying")
    spark.sql("CREATE VOLUME IF NOT EXISTS olist_dev.copying.files")
    return state.volumes / "copying" / "files"


class Target:
    """A table and a folder of files, both with the name of the test."""

    def __init__(self, spark, root: Path, name: str) -> None:
        self.spark, self.folder = spark, root / name
        self.table, self.path = f"olist_dev.copying.{name}", f"{FILES}/{name}"

    def put(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, "utf-8")

    def make(self, columns: str) -> None:
        self.spark.sql(f"CREATE {'OR REPLACE ' if columns else ''}TABLE {self.table} {columns}")

    def copy(self, rest: str, columns: str = "", source: str = "") -> tuple[int, ...]:
        source = source.format(path=self.path) or f"'{self.path}'"
        frame = self.spark.sql(f"COPY INTO {self.table} {columns} FROM {source} {rest}")
        assert frame.columns == COUNTS
        return tuple(frame.collect()[0])

    def rows(self) -> list[tuple]:
        return sorted((tuple(row) for row in self.spark.table(self.table).collect()), key=str)


@pytest.fixture
def target(spark, root, request) -> Target:
    return Target(spark, root, request.node.name.removeprefix("test_")[:50].partition("[")[0])


CSV = "FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true')"


def test_each_file_is_taken_in_once(target):
    """Also where it was changed; `force` takes in all again; a table that was replaced is another one."""
    target.make("(id INT, name STRING)")
    target.put("a.csv", "id,name\n1,a\n2,b\n")
    assert target.copy(CSV) == (2, 2, 0)
    target.put("a.csv", "id,name\n9,z\n")
    target.put("b.csv", "name,id\nc,3\n")

    assert target.copy(CSV) == (1, 1, 0)
    assert target.copy(CSV) == (0, 0, 0)
    assert target.rows() == [(1, "a"), (2, "b"), (3, "c")]
    assert target.copy(f"{CSV} COPY_OPTIONS ('force' = 'true')") == (2, 2, 0)
    assert target.rows() == [(1, "a"), (2, "b"), (3, "c"), (3, "c"), (9, "z")]
    target.make("(id INT, name STRING)")
    assert target.copy(CSV) == (2, 2, 0)


def test_a_copy_that_was_killed_is_told_by_its_commit(target, spark):
    """Its file says what it was about; whether it came through says the table's log."""
    target.make("(id INT, name STRING)")
    target.put("a.csv", "id,name\n1,a\n")
    target.copy(CSV)
    location = uri_file(spark.sql(f"DESCRIBE DETAIL {target.table}").first()["location"])
    [entry] = (location / "_delta_log" / "_copy_into_log").glob("*.json")
    begun = {**json.loads(entry.read_text()), "committed": False}
    entry.write_text(json.dumps(begun))
    lost = {**begun, "files": [str(target.folder / "b.csv")]}
    entry.with_name("copy_into-lost.json").write_text(json.dumps(lost))
    target.put("b.csv", "id,name\n2,b\n")

    assert target.copy(CSV) == (1, 1, 0)
    assert target.rows() == [(1, "a"), (2, "b")]


def test_files_and_patterns(target):
    """FILES names them, PATTERN picks them; without either the folder's own and those of partitions are taken."""
    target.make("(id INT)")
    for name in ("a.csv", "b.csv", "c.txt", "below/d.csv", "day=1/e.csv"):
        target.put(name, f"id\n{ord(Path(name).name[0])}\n")

    options = "FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true')"
    assert target.copy(f"FILEFORMAT = CSV FILES = ('a.csv') {options}") == (1, 1, 0)
    assert target.copy(f"FILEFORMAT = CSV PATTERN = 'b*/*.csv' {options}") == (1, 1, 0)
    assert target.copy(f"FILEFORMAT = CSV PATTERN = '[ab].csv' {options}") == (1, 1, 0)
    assert target.rows() == [(100,), (97,), (98,)]
    assert target.copy(f"FILEFORMAT = CSV {options}") == (2, 2, 0)


def test_new_columns_need_merge_schema(target):
    """A column that the table lacks is refused, or added; one that the file lacks is NULL."""
    target.make("(id INT, name STRING)")
    target.put("day=2024-01-01/a.csv", "id,price\n1,2.5\n")

    with pytest.raises(Exception, match=r"(?i)schema|price"):
        target.copy(CSV)
    assert target.rows() == []
    assert target.copy(f"{CSV} COPY_OPTIONS ('mergeSchema' = 'true')") == (1, 1, 0)
    assert [str(value) for value in target.rows()[0]] == ["1", "None", "2.5", "2024-01-01"]


def test_a_table_without_columns_takes_those_of_the_files(target):
    """The documented beginning: CREATE TABLE without columns, then COPY INTO with `mergeSchema`."""
    target.make("")
    target.put("a.json", '{"id": 1, "customer": {"zip": "1"}}\n{"id": 2, "customer": {"age": 7}}\n')

    assert target.copy(
        "FILEFORMAT = JSON FORMAT_OPTIONS ('mergeSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')"
    ) == (2, 2, 0)
    assert target.rows() == [((7, None), 2), ((None, "1"), 1)]


def test_a_select_list(target):
    """Casts, expressions and `_metadata`; without a header the columns are `_c0`, `_c1`."""
    target.make("(id INT, name STRING, file STRING)")
    target.put("a.csv", "1;a\n2;b\n")

    found = target.copy(
        "FILEFORMAT = CSV FORMAT_OPTIONS (sep = ';')",
        source="(SELECT CAST(_c0 AS INT) AS id, upper(_c1) AS name, _metadata.file_path AS file FROM '{path}')",
    )

    assert found == (2, 2, 0)
    assert target.rows() == [(1, "A", f"{target.path}/a.csv"), (2, "B", f"{target.path}/a.csv")]


def test_columns_by_position(target):
    """BY POSITION and a list of columns cast; another number of columns is refused."""
    target.make("(id INT, price DECIMAL(5,2))")
    target.put("a.csv", "1,2.50\n")
    assert target.copy("FILEFORMAT = CSV", columns="BY POSITION") == (1, 1, 0)
    target.put("b.csv", "3.5,2\n")
    assert target.copy("FILEFORMAT = CSV", columns="(price, id)") == (1, 1, 0)

    assert [(row[0], str(row[1])) for row in target.rows()] == [(1, "2.50"), (2, "3.50")]
    target.put("c.csv", "1,2,3\n")
    with pytest.raises(DialectError, match="found 3 columns in the files; expected 2: id, price"):
        target.copy("FILEFORMAT = CSV", columns="BY POSITION")


def test_corrupt_files(target, spark):
    """They end the copy by their name, or are skipped and counted."""
    target.make("(id INT)")
    spark.sql("SELECT 1 AS id").coalesce(1).write.parquet(f"{target.path}/whole")
    target.put("broken.parquet", "PAR1 no")

    with pytest.raises(DialectError, match=r"broken\.parquet`: is not a complete file"):
        target.copy("FILEFORMAT = PARQUET FORMAT_OPTIONS ('recursiveFileLookup' = 'true')")
    assert target.copy(
        "FILEFORMAT = PARQUET FORMAT_OPTIONS ('ignoreCorruptFiles' = 'true', recursiveFileLookup = true)"
    ) == (1, 1, 1)
    assert target.rows() == [(1,)]


def test_a_broken_record_of_json_is_no_row_of_nulls(target):
    """It ends the copy, or is rescued where that is asked for."""
    target.make("")
    target.put("a.json", '{"id": 1}\n{broken\n')
    merge = "COPY_OPTIONS ('mergeSchema' = 'true')"

    with pytest.raises(DialectError, match=r"/a\.json`: found `{broken`; expected a JSON object"):
        target.copy(f"FILEFORMAT = JSON {merge}")
    assert target.copy(f"FILEFORMAT = JSON FORMAT_OPTIONS ('rescuedDataColumn' = '_rescued_data') {merge}") == (2, 2, 0)
    assert [row[0] for row in target.rows()] == [1, None]


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ("FILEFORMAT = AVRO", "expected one of csv, json"),
        ("FILEFORMAT = CSV FILES = ('no.csv')", "`no.csv` is not in"),
    ],
)
def test_what_is_refused_is_named(target, rest, text):
    """Before anything is read."""
    target.make("(id INT)")
    target.put("a.csv", "1\n")

    with pytest.raises(DialectError) as raised:
        target.copy(rest)
    assert text in str(raised.value)
