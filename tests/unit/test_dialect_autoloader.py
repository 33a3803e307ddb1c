"""What Auto Loader knows before Spark runs: options, columns, files and their headers."""

import gzip
import json
import os

import pytest

from lakelocal.dialect.autoloader.columns import Column, parse_columns
from lakelocal.dialect.autoloader.files import done_files, list_files
from lakelocal.dialect.autoloader.headers import header_of
from lakelocal.dialect.autoloader.layouts import FileLayout, layout_of
from lakelocal.dialect.autoloader.options import read_source
from lakelocal.dialect.volumes import path_part
from lakelocal.errors import DialectError


def source(**options):
    named = {"cloudFiles.format": "csv", "header": "true", **options}
    return read_source(named, paths=["/data"], schema="a STRING", translate=lambda path: path)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("a INT, b STRING COMMENT 'x,' , c DECIMAL(12,2) NOT NULL", {"a": "INT", "b": "STRING", "c": "DECIMAL(12,2)"}),
        ("`my id` BIGINT, s STRUCT<x: INT, y: ARRAY<INT>>", {"my id": "BIGINT", "s": "STRUCT<x: INT, y: ARRAY<INT>>"}),
        ("a: INT, b: DATE", {"a": "INT", "b": "DATE"}),
    ],
)
def test_columns_from_ddl(schema, expected):
    """Schemas are written as DDL or as a StructType."""
    assert {column.name: column.type for column in parse_columns(schema)} == expected


def test_columns_from_json():
    """A StructType is sent as JSON."""
    field = {"name": "a", "type": {"type": "struct", "fields": []}, "nullable": True, "metadata": {}}
    field["type"]["fields"].append({"name": "x y", "type": "long", "nullable": True, "metadata": {}})
    text = json.dumps({"type": "struct", "fields": [field]})

    assert parse_columns(text) == (Column("a", "STRUCT<`x y`: bigint>"),)


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (b"a,b\n1,2\n", {}, ("a", "b")),
        (b"\xef\xbb\xbfa,b\r\n", {}, ("a", "b")),
        (b"\n\na,b\n", {}, ("a", "b")),
        (b"# note\na,b\n", {"comment": "#"}, ("a", "b")),
        (b'"a;b";c\n', {"sep": ";"}, ("a;b", "c")),
        (b'"a ""x""",b\n', {"escape": '"'}, ('a "x"', "b")),
        (b'"a\nb",c\n', {"multiLine": "true"}, ("a\nb", "c")),
        (b"a,,a,A\n", {}, ("a", "_c1", "a2", "A3")),
        ("prénom,b\n".encode("latin-1"), {"encoding": "ISO-8859-1"}, ("prénom", "b")),
        ("a,b\n".encode("utf-16"), {"encoding": "UTF-16"}, ("a", "b")),
        (b"", {}, None),
        (b"\xef\xbb\xbf", {}, None),
    ],
)
def test_headers(tmp_path, data, options, expected):
    """The header is read with the options that Spark's reader gets."""
    file = tmp_path / "x.csv"
    file.write_bytes(data)

    assert header_of(file, source(**options)) == expected


def test_headers_of_compressed_files(tmp_path):
    """Spark recognises a compressed file by its name; so does this."""
    file = tmp_path / "x.csv.gz"
    file.write_bytes(gzip.compress(b"a,b\n1,2\n"))

    assert header_of(file, source()) == ("a", "b")


def test_a_header_is_read_again_when_the_file_changes(tmp_path):
    """A file is identified by its size and time."""
    file = tmp_path / "x.csv"
    file.write_text("a,b\n")
    assert header_of(file, source()) == ("a", "b")
    file.write_text("b,a,c\n")

    assert header_of(file, source()) == ("b", "a", "c")


@pytest.mark.parametrize(
    ("header", "case_sensitive", "expected"),
    [
        (["a", "b"], True, FileLayout((0, 1), (), 2)),
        (["b", "x", "a"], True, FileLayout((2, 0), ((1, "x"),), 3)),
        (["B"], True, FileLayout((None, None), ((0, "B"),), 1)),
        (["B"], False, FileLayout((None, 0), (), 1)),
    ],
)
def test_layouts(header, case_sensitive, expected):
    """Names that differ in case are other columns if they can be rescued."""
    columns = (Column("a", "STRING"), Column("b", "STRING"))

    assert layout_of(header, columns, case_sensitive=case_sensitive) == expected


def test_files_are_listed_as_spark_lists_them(tmp_path):
    """Hidden files and folders are ignored; patterns and subfolders are included."""
    for name in ("a.csv", "x/b.csv", "_hidden.csv", ".c.csv", "_tmp/d.csv", "_day=1/e.csv", "y/f.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def names(folder, glob=None):
        return [str(file.relative_to(tmp_path)) for file in list_files(folder, glob)]

    assert names(tmp_path) == ["_day=1/e.csv", "a.csv", "x/b.csv", "y/f.txt"]
    assert names(tmp_path, "*.csv") == ["_day=1/e.csv", "a.csv", "x/b.csv"]
    assert names(tmp_path / "{x,y}" / "*.csv") == ["x/b.csv"]
    assert names(tmp_path / "a.csv") == ["a.csv"]
    assert names(tmp_path / "none") == []


def test_done_files_are_those_of_committed_batches(tmp_path):
    """The file of a batch without a commit will be read again."""

    def put(name, *lines):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n".join(lines))

    def entry(name, batch):
        return json.dumps({"path": f"file://{path_part(tmp_path / name)}", "timestamp": 1, "batchId": batch})

    put("c/commits/0", "v1", "{}")
    put("c/commits/1", "v1", "{}")
    put("c/commits/.1.crc", "")
    put("c/offsets/1", "v1", "{}", '{"logOffset":3}')
    put("c/offsets/2", "v1", "{}", '{"logOffset":4}')
    put("c/sources/0/2.compact", "v1", entry("a b.csv", 0), entry("ç.csv", 2))
    put("c/sources/0/3", "v1", entry("50%.csv", 3))
    put("c/sources/0/4", "v1", entry("new.csv", 4))

    assert done_files(tmp_path / "c") == {tmp_path / "a b.csv", tmp_path / "ç.csv", tmp_path / "50%.csv"}
    assert done_files(tmp_path / "nothing") == frozenset()
    assert done_files(None) == frozenset()


def test_unknown_formats_and_paths_are_named():
    """Each error lists what is possible."""
    with pytest.raises(DialectError, match=r"cloudFiles.format: found `xlsx`; expected one of csv, json"):
        source(**{"cloudFiles.format": "xlsx"})
    with pytest.raises(DialectError, match="found 2 paths; expected one"):
        source(path=os.sep)


@pytest.mark.parametrize("name", ["resourceTag", "useListingForBackfill", "maxFileAge"])
def test_every_option_that_is_taken_is_named(name):
    """Options without effect here are accepted, and listed in the answer to an unknown option."""
    assert source(**{f"cloudFiles.{name}": "x"}) == source()
    with pytest.raises(DialectError, match=rf"cloudFiles.colour: unknown option; the known ones are format, .*{name}"):
        source(**{"cloudFiles.colour": "red"})


def test_an_option_with_one_possible_value():
    """The value may be written in any case; another one is refused under the name that was written."""
    assert source(**{"cloudfiles.INCLUDEEXISTINGFILES": "True"}) == source()
    with pytest.raises(DialectError, match=r"cloudFiles.cleanSource: found `delete`; only `off` is possible"):
        source(**{"cloudFiles.cleanSource": "delete"})
