"""Auto Loader: every file once, columns by name, nothing shifts and nothing is lost silently."""

import gzip
import json
import os
from pathlib import Path

import pytest
from pyspark.errors import StreamingQueryException

from lakelocal.errors import DialectError, PathError

SCHEMA = "id STRING, name STRING, price STRING"


@pytest.fixture(scope="session")
def volume(spark, state) -> Path:
    """The volume `landing.files`, which all tests here share; each has its own folder in it."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS olist_dev.landing")
    spark.sql("CREATE VOLUME IF NOT EXISTS olist_dev.landing.files")
    return state.volumes / "landing" / "files"


class Feed:
    """A folder of files, and the stream from it into a table."""

    def __init__(self, spark, volume: Path, name: str) -> None:
        self.spark, self.name = spark, name
        self.folder = volume / name
        self.folder.mkdir()
        self.path = f"/Volumes/olist_dev/landing/files/{name}"
        self.table = f"olist_dev.landing.t_{name}"
        self.checkpoint = f"/Volumes/olist_dev/landing/files/_checkpoints/{name}"

    def put(self, name: str, data: str | bytes) -> Path:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
        return place

    def read(self, schema: str | None = SCHEMA, *, file_format: str = "csv", **options):
        reader = self.spark.readStream.format("cloudFiles").option("cloudFiles.format", file_format)
        if file_format == "csv":
            reader = reader.option("header", True)
        reader = reader.options(**{key.replace("__", "."): value for key, value in options.items()})
        return (reader.schema(schema) if schema else reader).load(self.path)

    def run(self, frame) -> None:
        writer = frame.writeStream.option("checkpointLocation", self.checkpoint).trigger(availableNow=True)
        query = writer.toTable(self.table)
        assert query.awaitTermination(120)

    def rows(self, order: str = "1") -> list[tuple]:
        return [tuple(row) for row in self.spark.sql(f"SELECT * FROM {self.table} ORDER BY {order}").collect()]


@pytest.fixture
def feed(spark, volume, request) -> Feed:
    return Feed(spark, volume, request.node.name.removeprefix("test_")[:60].replace("[", "_").replace("]", ""))


def rescued(text: str | None) -> dict | None:
    return None if text is None else json.loads(text)


def test_columns_are_matched_by_name(feed):
    """Spark's reader matches by position; a file with its columns in another order would shift silently."""
    feed.put("a.csv", "id,name,price\n1,a,10\n")
    feed.put("b.csv", "price,id,name\n20,2,b\n")

    feed.run(feed.read())

    assert feed.rows() == [("1", "a", "10"), ("2", "b", "20")]


def test_an_extra_column_is_rescued_with_its_name_and_file(feed):
    """Nothing of a file is lost because the schema is older than the file."""
    feed.put("a.csv", "id,extra,name,price\n1,x,a,10\n")

    feed.run(feed.read(rescuedDataColumn="_rescued_data"))

    [(*values, rest)] = feed.rows()
    assert values == ["1", "a", "10"]
    assert rescued(rest) == {"extra": "x", "_file_path": f"{feed.path}/a.csv"}


def test_a_missing_column_is_null(feed):
    """An older file lacks a column; its other columns stay where they belong."""
    feed.put("a.csv", "id,price\n1,10\n")

    feed.run(feed.read(rescuedDataColumn="_rescued_data"))

    assert feed.rows() == [("1", None, "10", None)]


def test_a_row_with_too_many_fields_is_rescued(feed):
    """Spark's reader silently drops the surplus fields."""
    feed.put("a.csv", "id,name,price\n1,a,10\n2,b,20,more,even more\n3,c,30\n")

    feed.run(feed.read(rescuedDataColumn="_rescued_data"))

    rows = feed.rows()
    assert [row[:3] for row in rows] == [("1", "a", "10"), ("2", "b", "20"), ("3", "c", "30")]
    path = f"{feed.path}/a.csv"
    assert [rescued(row[3]) for row in rows] == [None, {"_c3": "more", "_c4": "even more", "_file_path": path}, None]


def test_a_row_with_very_many_fields_is_rescued_whole(feed):
    """However wide a malformed row is, its text is kept."""
    line = "2,b,20," + ",".join(str(number) for number in range(60))
    feed.put("a.csv", f"id,name,price\n{line}\n")

    feed.run(feed.read(rescuedDataColumn="_rescued_data"))

    [(*values, rest)] = feed.rows()
    assert values == ["2", "b", "20"]
    assert rescued(rest)["_corrupt_record"] == line


def test_a_row_with_too_few_fields_has_nulls(feed):
    """A short row keeps what it has; there is nothing to rescue."""
    feed.put("a.csv", "id,name,price\n1\n2,b\n")

    feed.run(feed.read(rescuedDataColumn="_rescued_data"))

    assert feed.rows() == [("1", None, None, None), ("2", "b", None, None)]


def test_short_and_long_headers_in_one_batch_do_not_shift(feed):
    """The widest header determines how many fields are read; a surplus field in a narrow file remains surplus."""
    feed.put("a.csv", "id,name\n1,a,surplus\n")
    feed.put("b.csv", "name,x,price,id,y\nb,X,20,2,Y\n")

    feed.run(feed.read(rescuedDataColumn="_rescued_data"))

    rows = feed.rows()
    assert [row[:3] for row in rows] == [("1", "a", None), ("2", "b", "20")]
    assert [rescued(row[3]) for row in rows] == [
        {"_c2": "surplus", "_file_path": f"{feed.path}/a.csv"},
        {"x": "X", "y": "Y", "_file_path": f"{feed.path}/b.csv"},
    ]


def test_line_breaks_and_quotes_in_values(feed):
    """Review comments contain line breaks and doubled quotes; RFC 4180 files need `multiLine` and `escape`."""
    feed.put("a.csv", 'id,name,price\r\n1,"two\nlines, ""quoted""",10\r\n2,b,20,"x\ny"\r\n')
    feed.put("b.csv", 'price,name,id\n30,"c\n",3\n')

    feed.run(feed.read(multiLine=True, escape='"', rescuedDataColumn="_rescued_data"))

    rows = feed.rows()
    assert [row[:3] for row in rows] == [("1", 'two\nlines, "quoted"', "10"), ("2", "b", "20"), ("3", "c\n", "30")]
    assert rescued(rows[1][3]) == {"_c3": "x\ny", "_file_path": f"{feed.path}/a.csv"}


@pytest.mark.parametrize("multi_line", [False, True])
def test_windows_files_with_a_bom(feed, multi_line):
    """A byte order mark is not part of the first column's name, nor a carriage return of the last value."""
    feed.put("a.csv", b"\xef\xbb\xbfid,name,price\r\n1,a,10\r\n")
    feed.put("b.csv", b"\xef\xbb\xbfprice,name,id\r\n20,b,2\r\n")

    feed.run(feed.read(multiLine=multi_line, rescuedDataColumn="_rescued_data"))

    assert feed.rows() == [("1", "a", "10", None), ("2", "b", "20", None)]


@pytest.mark.parametrize("multi_line", [False, True])
def test_empty_and_header_only_files_give_no_rows(feed, multi_line):
    """An empty delivery is not a failure, and shifts nothing in the others."""
    feed.put("a.csv", "")
    feed.put("b.csv", "price,name,id\n")
    feed.put("c.csv", "id,name,price\n1,a,10\n")

    feed.run(feed.read(multiLine=multi_line))

    assert feed.rows() == [("1", "a", "10")]


def test_duplicate_names_in_a_header(feed):
    """The first one is the column, because the others have no name of their own; they are rescued."""
    feed.put("a.csv", "id,name,name,price\n1,a,again,10\n")

    feed.run(feed.read(rescuedDataColumn="_rescued_data"))

    [(*values, rest)] = feed.rows()
    assert values == ["1", "a", "10"]
    assert rescued(rest) == {"name2": "again", "_file_path": f"{feed.path}/a.csv"}


def test_old_files_are_read(feed):
    """Spark's file source silently skips files older than a week if there is a newer one."""
    old = feed.put("old.csv", "id,name,price\n1,a,10\n")
    os.utime(old, (0, 1_000_000_000))
    feed.put("new.csv", "id,name,price\n2,b,20\n")

    feed.run(feed.read())

    assert [row[0] for row in feed.rows()] == ["1", "2"]


def test_each_file_once_also_when_headers_change_between_runs(feed):
    """The checkpoint remains valid while the projection changes with the headers."""
    feed.put("a.csv", "id,name,price\n1,a,10\n")
    feed.run(feed.read())
    feed.put("b.csv", "price,new,name,id\n20,n,b,2\n")
    feed.run(feed.read())
    feed.run(feed.read())

    assert feed.rows() == [("1", "a", "10"), ("2", "b", "20")]


def test_an_unfinished_batch_is_read_again_by_its_headers(feed, state):
    """A kill after planning leaves files in the source's log that no commit covers."""
    feed.put("a.csv", "id,name,price\n1,a,10\n")
    feed.run(feed.read())
    feed.put("b.csv", "price,name,id\n20,b,2\n")
    feed.run(feed.read())
    commits = state.volumes / "landing/files/_checkpoints" / feed.name / "commits"
    for written in (commits / "1", commits / ".1.crc"):
        written.unlink()
    other = f"{feed.table}_again"
    query = feed.read().writeStream.option("checkpointLocation", feed.checkpoint).trigger(availableNow=True)

    assert query.toTable(other).awaitTermination(120)
    assert [tuple(row) for row in feed.spark.table(other).collect()] == [("2", "b", "20")]


def test_types_of_the_schema_and_values_that_do_not_parse(feed):
    """What is not a number becomes NULL in the column, and is kept in the rescued data."""
    feed.put("a.csv", "id,price,day\n1,10.5,2024-02-29\nx,free,2024-02-30\n")

    feed.run(feed.read("id INT, price DECIMAL(12,2), day DATE", rescuedDataColumn="_rescued_data"))

    rows = feed.rows("1 NULLS LAST")
    assert [str(value) for value in rows[0]] == ["1", "10.50", "2024-02-29", "None"]
    assert rows[1][:3] == (None, None, None)
    assert rescued(rows[1][3]) == {
        "id": "x", "price": "free", "day": "2024-02-30", "_file_path": f"{feed.path}/a.csv"
    }  # fmt: skip


def test_metadata_shows_the_path_that_the_notebook_knows(feed):
    """`_source_file` must be the same here and on Databricks."""
    feed.put("sub folder/a.csv", "id,name,price\n1,a,10\n")
    frame = feed.read().selectExpr("id", "_metadata.file_path AS path", "_metadata.file_name AS file")

    feed.run(frame)

    assert feed.rows() == [("1", f"{feed.path}/sub%20folder/a.csv", "a.csv")]


def test_the_schema_of_the_stream_is_the_given_one(feed):
    """A notebook can look at the schema before anything runs."""
    frame = feed.read("id INT, name STRING", rescuedDataColumn="_rescued_data")

    assert frame.isStreaming
    assert frame.schema.simpleString() == "struct<id:int,name:string,_rescued_data:string>"


def test_names_are_inferred_and_kept(feed, state):
    """Without a schema, all columns are text, and a new column stops the stream once."""
    location = f"/Volumes/olist_dev/landing/files/_schemas/{feed.name}"
    feed.put("a.csv", "id,name\n1,a\n")
    read = lambda: feed.read(None, cloudFiles__schemaLocation=location)  # noqa: E731
    feed.run(read().selectExpr("id", "name", "_rescued_data"))
    feed.put("b.csv", "id,new\n2,n\n")

    with pytest.raises(DialectError, match=r"new columns `new` \(b.csv\)"):
        feed.run(read())
    feed.run(read().selectExpr("id", "name", "_rescued_data"))

    assert read().columns == ["id", "name", "new", "_rescued_data"]
    assert feed.rows() == [("1", "a", None), ("2", None, None)]


def test_types_are_inferred_on_demand(feed):
    """`inferColumnTypes` looks at the values; a hint wins."""
    location = f"/Volumes/olist_dev/landing/files/_schemas/{feed.name}"
    feed.put("a.csv", "n,x,flag,text,zip\n1,1.5,true,a,01234\n2,2,false,b,00001\n")
    frame = feed.read(
        None,
        cloudFiles__schemaLocation=location,
        cloudFiles__inferColumnTypes=True,
        cloudFiles__schemaHints="zip STRING",
    )

    assert frame.schema.simpleString() == (
        "struct<n:bigint,x:double,flag:boolean,text:string,zip:string,_rescued_data:string>"
    )


def test_new_columns_can_be_refused(feed):
    """`failOnNewColumns` says which column came with which file."""
    feed.put("a.csv", "id,name,price,surprise\n1,a,10,!\n")

    with pytest.raises(DialectError, match=r"`surprise` \(a.csv\); `failOnNewColumns` is set"):
        feed.run(feed.read(cloudFiles__schemaEvolutionMode="failOnNewColumns"))


def test_json_by_the_schema_with_the_rest_rescued(feed):
    """Unknown keys, values of another type and broken lines are kept."""
    feed.put("a.json", '{"id": 1, "name": "a", "extra": {"k": [1]}}\n{"id": "x", "name": 5}\n\n{broken\n')

    feed.run(feed.read("id INT, name STRING", file_format="json", rescuedDataColumn="_rescued_data"))

    rows = feed.rows("1 NULLS LAST, 2 NULLS LAST")
    path = f"{feed.path}/a.json"
    assert [row[:2] for row in rows] == [(1, "a"), (None, "5"), (None, None)]
    assert [rescued(row[2]) for row in rows] == [
        {"extra": {"k": [1]}, "_file_path": path},
        {"id": "x", "_file_path": path},
        {"_corrupt_record": "{broken", "_file_path": path},
    ]


def schema_location(feed: Feed) -> str:
    return f"/Volumes/olist_dev/landing/files/_schemas/{feed.name}"


def test_nested_json_merges_field_by_field(feed):
    """Optional fields, another order, whole numbers beside fractions: one struct, not a text."""
    feed.put("a.json", '{"id": 1, "customer": {"zip": "01310", "spent": 1, "born": "1990-01-31"}}\n')
    feed.put("b.json", '{"customer": {"spent": 1.5, "address": {"city": "x"}, "zip": "2"}, "id": 2}\n')
    location = schema_location(feed)
    frame = feed.read(None, file_format="json", cloudFiles__schemaLocation=location, cloudFiles__inferColumnTypes=True)

    assert frame.schema.simpleString() == (
        "struct<customer:struct<address:struct<city:string>,born:string,spent:double,zip:string>,"
        "id:bigint,_rescued_data:string>"
    )
    feed.run(frame)
    assert feed.rows("id") == [((None, "1990-01-31", 1.0, "01310"), 1, None), ((("x",), None, 1.5, "2"), 2, None)]


def test_a_new_nested_field_evolves_the_struct(feed):
    """The stream stops once, naming the field; the type of what was known is kept."""
    location = schema_location(feed)
    feed.put("a.json", '{"id": 1, "items": [{"sku": "a", "quantity": 1}]}\n')

    def read():
        options = {"cloudFiles__schemaLocation": location, "cloudFiles__inferColumnTypes": True}
        return feed.read(None, file_format="json", **options)

    def run():
        writer = read().writeStream.option("checkpointLocation", feed.checkpoint).option("mergeSchema", True)
        assert writer.trigger(availableNow=True).toTable(feed.table).awaitTermination(120)

    run()
    feed.put("b.json", '{"id": 2, "items": [{"sku": "b", "quantity": "two", "price": 1.5}]}\n')
    with pytest.raises(DialectError, match=r"new columns `items.element.price` \(b.json\)"):
        run()
    run()

    assert read().schema["items"].dataType.simpleString() == "array<struct<quantity:bigint,sku:string,price:double>>"
    rows = feed.spark.sql(f"SELECT id, to_json(items), _rescued_data FROM {feed.table} ORDER BY id").collect()
    assert [(row[0], json.loads(row[1])) for row in rows] == [
        (1, [{"quantity": 1, "sku": "a"}]), (2, [{"sku": "b", "price": 1.5}])
    ]  # fmt: skip
    assert rescued(rows[1][2]) == {"items": [{"quantity": "two"}], "_file_path": f"{feed.path}/b.json"}


def test_a_nested_value_that_does_not_fit_is_rescued_at_its_place(feed):
    """The rescued data keep the structure of the record, so that its path is known."""
    feed.put(
        "a.json",
        '{"id": 1, "customer": {"age": "old", "name": "a", "more": {"x": [1, null]}}}\n'
        '{"id": 2, "customer": "none"}\n'
        '{"id": 3, "customer": {"age": 7, "name": {"first": "c"}}, "ID": 4}\n',
    )
    schema = "id INT, customer STRUCT<age: INT, name: STRING>"

    feed.run(feed.read(schema, file_format="json", rescuedDataColumn="_rescued_data"))

    rows, path = feed.rows(), f"{feed.path}/a.json"
    assert [row[:2] for row in rows] == [(1, (None, "a")), (2, None), (3, (7, '{"first":"c"}'))]
    assert [rescued(row[2]) for row in rows] == [
        {"customer": {"age": "old", "more": {"x": [1, None]}}, "_file_path": path},
        {"customer": "none", "_file_path": path},
        {"ID": 4, "_file_path": path},
    ]


def test_names_in_any_case_where_that_is_asked_for(feed):
    """`readerCaseSensitive=false` reads `ID` into `id`, in structs too."""
    feed.put("a.json", '{"ID": 1, "Customer": {"NAME": "a", "x": 1}}\n')
    schema = "id INT, customer STRUCT<name: STRING>"

    feed.run(feed.read(schema, file_format="json", rescuedDataColumn="_rescued_data", readerCaseSensitive=False))

    [(*values, rest)] = feed.rows()
    assert values == [1, ("a",)]
    assert rescued(rest) == {"customer": {"x": 1}, "_file_path": f"{feed.path}/a.json"}


def test_strings_of_json_stay_strings(feed):
    """What looks like a date or a number is a string there; patterns are only for CSV."""
    location = schema_location(feed)
    feed.put("a.json", '{"d": "1990-01-31", "l": ["1", "2"], "b": "true", "n": 7, "big": 123456789012345678901}\n')
    options = {"cloudFiles__schemaLocation": location, "cloudFiles__inferColumnTypes": True}
    frame = feed.read(None, file_format="json", **options)

    assert frame.schema.simpleString() == (
        "struct<b:string,big:decimal(21,0),d:string,l:array<string>,n:bigint,_rescued_data:string>"
    )
    feed.run(frame.select("d", "l", "_rescued_data"))
    assert feed.rows() == [("1990-01-31", ["1", "2"], None)]


def test_without_types_nested_json_is_text(feed):
    """By default every column of JSON is a STRING, and an object is its JSON text."""
    location = schema_location(feed)
    feed.put("a.json", '{"id": 1.0, "customer": {"zip": "1",  "n": 1.50}, "tags": ["a"]}\n')

    feed.run(feed.read(None, file_format="json", cloudFiles__schemaLocation=location))

    assert feed.rows() == [('{"zip":"1","n":1.5}', "1.0", '["a"]', None)]


def test_what_is_no_json_object_is_rescued_whole(feed):
    """Two records on a line are two records; a broken line, a duplicate name and a scalar are kept."""
    lines = ['[{"id": 1}, {"id": 2}]', '{"id": 3}{"id": 4}', '{"id": 5, "id": 6}', "7", "null", "{broken", ""]
    feed.put("a.json", "\n".join(lines))

    feed.run(feed.read("id INT", file_format="json", rescuedDataColumn="_rescued_data"))

    rows = feed.rows("1 NULLS LAST, 2")
    assert [row[0] for row in rows if row[1] is None] == [1, 2]
    kept = {rescued(row[1])["_corrupt_record"] for row in rows if row[1] is not None}
    assert kept == {'{"id": 3}{"id": 4}', '{"id": 5, "id": 6}', "7", "null", "{broken"}


def test_a_broken_array_over_many_lines_is_kept(feed):
    """A file that was cut off would otherwise give no rows at all."""
    feed.put("a.json", '[\n {"id": 1},\n {"id": ')

    feed.run(feed.read("id INT", file_format="json", multiLine=True, rescuedDataColumn="_rescued_data"))

    [(_, rest)] = feed.rows()
    assert rescued(rest)["_corrupt_record"].startswith('[\n {"id": 1}')


def test_hints_of_nested_fields_maps_and_arrays(feed):
    """A hint may refer to the inside of a column, and add a column that no file has."""
    location = schema_location(feed)
    feed.put("a.json", '{"user": {"born": "1990-01-31", "id": 1}, "prices": {"a": 1, "b": 2}, "l": [{"q": 1}]}\n')
    hints = "user.born DATE, prices MAP<STRING, INT>, l.element.q STRING, new INT"
    frame = feed.read(
        None,
        file_format="json",
        cloudFiles__schemaLocation=location,
        cloudFiles__inferColumnTypes=True,
        cloudFiles__schemaHints=hints,
    )

    assert frame.schema.simpleString() == (
        "struct<l:array<struct<q:string>>,prices:map<string,int>,user:struct<born:date,id:bigint>,new:int,"
        "_rescued_data:string>"
    )
    feed.run(frame.selectExpr("l[0].q", "prices['b'] AS b", "CAST(user.born AS STRING) AS born", "_rescued_data"))
    assert feed.rows() == [("1", 2, "1990-01-31", None)]


def test_types_are_widened_where_that_is_asked_for(feed):
    """`addNewColumnsWithTypeWidening`: a number that is too large for BIGINT makes a DECIMAL of the column."""
    location = schema_location(feed)

    def read():
        return feed.read(
            None,
            file_format="json",
            cloudFiles__schemaLocation=location,
            cloudFiles__inferColumnTypes=True,
            cloudFiles__schemaEvolutionMode="addNewColumnsWithTypeWidening",
        )

    feed.put("a.json", '{"n": 1, "s": 1}\n')
    assert read().schema["n"].dataType.simpleString() == "bigint"
    feed.put("b.json", '{"n": 123456789012345678901, "s": "x"}\n')
    with pytest.raises(DialectError, match=r"`n BIGINT -> DECIMAL\(21,0\)`"):
        feed.run(read())
    feed.run(read())

    rows = feed.rows()
    assert [(int(row[0]), row[1]) for row in rows] == [(1, 1), (123456789012345678901, None)]
    assert rescued(rows[1][2]) == {"s": "x", "_file_path": f"{feed.path}/b.json"}


PARTITIONED = {
    "json": lambda feed, place, number: feed.put(f"{place}/a.json", json.dumps({"id": number})),
    "parquet": lambda feed, place, number: feed.spark.sql(f"SELECT {number} AS id").write.parquet(
        f"{feed.path}/{place}/files"
    ),
}


@pytest.mark.parametrize("file_format", PARTITIONED)
def test_folders_are_columns(feed, file_format):
    """For every format, by name only; typed if types are requested."""
    PARTITIONED[file_format](feed, "country=BR/day=2024-01-01/city=S%C3%A3o%20Paulo a+b", 1)
    PARTITIONED[file_format](feed, "country=AR/day=2024-01-02/city=__HIVE_DEFAULT_PARTITION__", 2)
    frame = feed.read(
        None,
        file_format=file_format,
        cloudFiles__schemaLocation=schema_location(feed),
        cloudFiles__inferColumnTypes=True,
    )

    assert frame.columns[1:4] == ["country", "day", "city"]
    assert frame.schema["day"].dataType.simpleString() == "date"
    feed.run(frame.selectExpr("CAST(day AS STRING) AS day", "country", "city"))
    assert feed.rows() == [("2024-01-01", "BR", "São Paulo a+b"), ("2024-01-02", "AR", None)]


def test_folders_that_are_asked_for_or_left_out(feed):
    """Folders that disagree are not columns, unless `partitionColumns` names them; an empty value leaves them out."""
    feed.put("year=2022/week=1/a.csv", "id\n1\n")
    feed.put("year=2022/month=2/b.csv", "id\n2\n")

    def read(name: str, **options):
        location = f"{schema_location(feed)}/{name}"
        return feed.read(None, cloudFiles__schemaLocation=location, **options)

    assert read("none").columns == ["id", "_rescued_data"]
    assert read("empty", cloudFiles__partitionColumns="").columns == ["id", "_rescued_data"]
    feed.run(read("asked", cloudFiles__partitionColumns="year,month"))
    assert feed.rows() == [("1", "2022", None, None), ("2", "2022", "2", None)]


def test_a_folder_wins_over_the_file(feed):
    """The file's value is kept if it differs."""
    feed.put("country=BR/a.json", '{"id": 1, "country": "BR"}\n{"id": 2, "country": "AR"}\n')

    feed.run(feed.read("id INT, country STRING", file_format="json", rescuedDataColumn="_rescued_data"))

    rows = feed.rows()
    assert [row[:2] for row in rows] == [(1, "BR"), (2, "BR")]
    path = f"{feed.path}/country%3DBR/a.json".replace("%3D", "=")
    assert [rescued(row[2]) for row in rows] == [None, {"country": "AR", "_file_path": path}]


def test_the_first_line_of_csv_is_the_header_where_there_is_no_schema(feed):
    """Auto Loader assumes so when it infers; with a schema, Spark's default applies."""
    feed.put("a.csv", "id,name\n1,a\n")
    inferred = feed.spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")
    inferred = inferred.option("cloudFiles.schemaLocation", schema_location(feed)).load(feed.path)
    given = feed.spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv")

    assert inferred.columns == ["id", "name", "_rescued_data"]
    feed.run(inferred)
    assert feed.rows() == [("1", "a", None)]
    given.schema("id STRING, name STRING").load(feed.path).createOrReplaceTempView("given")
    feed.table, feed.checkpoint = f"{feed.table}_given", f"{feed.checkpoint}_given"
    feed.run(feed.spark.table("given"))
    assert feed.rows() == [("1", "a"), ("id", "name")]


def test_compressed_json(feed):
    """Files that Spark decompresses are inspected as well."""
    feed.put("a.json.gz", gzip.compress(b'{"id": 1, "name": {"x": 1}}\n'))
    options = {"cloudFiles__schemaLocation": schema_location(feed), "cloudFiles__inferColumnTypes": True}

    feed.run(feed.read(None, file_format="json", **options))

    assert feed.rows() == [(1, (1,), None)]


def test_what_parquet_has_beyond_the_schema_is_rescued(feed, spark):
    """New columns, and new fields in structs, of files that have types themselves."""
    spark.sql("SELECT 1 AS id, named_struct('a', 1, 'b', 'x') AS s, 2.5 AS extra").write.parquet(f"{feed.path}/files")

    feed.run(feed.read("id INT, s STRUCT<a: INT>", file_format="parquet", rescuedDataColumn="_rescued_data"))

    [(*values, rest)] = feed.rows()
    assert values == [1, (1,)]
    found = rescued(rest)
    assert found.pop("_file_path").startswith(f"{feed.path}/files/part-")
    assert found == {"s": {"a": 1, "b": "x"}, "extra": 2.5}


def test_a_file_of_parquet_with_another_type_is_named(feed, spark):
    """The error names the file and the column; Spark's names neither."""
    spark.sql("SELECT 1 AS id").write.parquet(f"{feed.path}/files")

    with pytest.raises(DialectError, match=r"part-.*parquet`: `id` is int, but STRING in the schema"):
        feed.run(feed.read("id STRING", file_format="parquet"))


def test_json_arrays_over_many_lines(feed):
    """`multiLine` files contain one value, or an array of rows."""
    feed.put("a.json", '[\n {"id": 1, "name": "a"},\n {"id": 2,\n  "name": "b"}\n]')
    feed.put("b.json", '{"id": 3,\n "name": "c"}')

    feed.run(feed.read("id INT, name STRING", file_format="json", multiLine=True))

    assert feed.rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_parquet_and_text(feed, spark):
    """Formats that have their own types are passed to Spark's reader unchanged."""
    spark.sql("SELECT 1 AS id, 'a' AS name").write.parquet(f"{feed.path}/files")
    location = f"/Volumes/olist_dev/landing/files/_schemas/{feed.name}"

    feed.run(feed.read(None, file_format="parquet", cloudFiles__schemaLocation=location))

    assert feed.rows() == [(1, "a", None)]


@pytest.mark.parametrize("kept", [False, True])
def test_binary_files(feed, kept):
    """Their columns are known before there is a file; the path is the one of Databricks."""
    options = {"pathGlobFilter": "*.bin"}
    if kept:
        options["cloudFiles__schemaLocation"] = f"/Volumes/olist_dev/landing/files/_schemas/{feed.name}"
    frame = feed.read(None, file_format="binaryFile", **options)
    assert frame.columns == ["path", "modificationTime", "length", "content"]
    feed.put("below/a.bin", "abc")
    feed.put("below/b.txt", "b")
    feed.run(frame.select("path", "length", "content"))

    assert feed.rows() == [(f"{feed.path}/below/a.bin", 3, bytearray(b"abc"))]


def test_files_in_folders_below_and_by_pattern(feed):
    """Auto Loader lists all folders; `pathGlobFilter` and partition columns narrow and name."""
    feed.put("day=2024-01-01/a.csv", "id\n1\n")
    feed.put("day=2024-01-02/b.csv", "id\n2\n")
    feed.put("day=2024-01-02/c.txt", "id\n3\n")

    feed.run(feed.read("id STRING, day DATE", pathGlobFilter="*.csv", cloudFiles__partitionColumns="day"))

    assert [(row[0], str(row[1])) for row in feed.rows()] == [("1", "2024-01-01"), ("2", "2024-01-02")]


def test_layouts_over_many_batches(feed):
    """`maxFilesPerTrigger` divides the work; the headers still belong to their files."""
    names = ["id", "name", "price"]
    for number in range(6):
        order = names[number % 3 :] + names[: number % 3]
        values = {"id": f"{number}", "name": f"n{number}", "price": f"p{number}"}
        feed.put(f"{number}.csv", ",".join(order) + "\n" + ",".join(values[name] for name in order) + "\n")

    feed.run(feed.read(cloudFiles__maxFilesPerTrigger=2))

    assert feed.rows() == [(f"{number}", f"n{number}", f"p{number}") for number in range(6)]


def test_a_file_that_comes_between_planning_and_running_fails_by_name(feed, spark):
    """Its header was not read; guessing it would mean shifting. The next start reads it."""
    feed.put("a.csv", "id,name,price\n1,a,10\n")
    feed.read().createOrReplaceTempView("planned")
    feed.put("late.csv", "price,name,id\n20,b,2\n")

    with pytest.raises(StreamingQueryException, match=r"late\.csv: the file arrived while the stream was starting"):
        feed.run(spark.table("planned"))
    feed.run(feed.read())

    assert feed.rows() == [("1", "a", "10"), ("2", "b", "20")]


def test_a_temporary_view_of_a_stream(feed, spark):
    """Notebooks without `CREATE TABLE` continue in SQL, over a view of the stream."""
    feed.put("a.csv", "price,name,id\n10,a,1\n")
    feed.read().createOrReplaceTempView("arriving")

    feed.run(spark.sql("SELECT id, concat(name, '!') AS name FROM arriving"))

    assert feed.rows() == [("1", "a!")]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cloudFiles__fooBar": 1}, "cloudFiles.fooBar: unknown option; the known ones are format, schemaLocation"),
        ({"cloudFiles__useNotifications": True}, "cloudFiles.useNotifications: found `true`; only `false`"),
        ({"cloudFiles__allowOverwrites": "true"}, "cloudFiles.allowOverwrites: found `true`; only `false`"),
        ({"cloudFiles__includeExistingFiles": "false"}, "cloudFiles.includeExistingFiles: found `false`"),
        ({"cloudFiles__schemaEvolutionMode": "addNewColumns"}, "not possible with a given schema"),
        (
            {"cloudFiles__schemaEvolutionMode": "sometimes"},
            "expected one of addNewColumns, addNewColumnsWithTypeWidening",
        ),
        ({"cloudFiles__maxBytesPerTrigger": "lots"}, "expected a size such as `10g`"),
        ({"mode": "FAILFAST"}, "only PERMISSIVE is possible"),
        ({"singleVariantColumn": "v"}, "singleVariantColumn: this option has no counterpart on this machine; read the"),
    ],
)
def test_options_are_refused_by_name(feed, options, text):
    """An option without effect here would be a broken promise."""
    with pytest.raises(DialectError, match=text.replace("(", r"\(")):
        feed.read(**options).printSchema()


def test_a_missing_volume_is_named(spark):
    """It is the first thing that goes wrong on a fresh machine."""
    with pytest.raises(PathError, match=r"^Volume path not found: /Volumes/olist_dev/landing/nowhere/x"):
        reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", "csv").schema("a STRING")
        reader.load("/Volumes/olist_dev/landing/nowhere/x").printSchema()


def test_a_missing_folder_of_a_volume_is_named(feed):
    """Spark would report it with a path that the notebook does not know."""
    feed.folder.rmdir()

    with pytest.raises(DialectError, match=f"`{feed.path}`: the folder does not exist"):
        feed.read().printSchema()


def test_a_trigger_without_end_is_refused_for_csv_headers(feed):
    """A file that arrives later has a header that was not read."""
    feed.put("a.csv", "id,name,price\n1,a,10\n")

    with pytest.raises(DialectError, match=r"Use trigger\(availableNow=True\)"):
        feed.read().writeStream.option("checkpointLocation", feed.checkpoint).toTable(feed.table)
