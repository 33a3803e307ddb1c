"""`read_files`: what Auto Loader does with files, in a query, a statement or a stream of SQL."""

import json

import pytest

from lakelocal.errors import DialectError

FILES = "/Volumes/olist_dev/reading/files"


@pytest.fixture(scope="module")
def put(spark, state):
    """Writes a file of the volume `reading.files`."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS olist_dev.reading")
    spark.sql("CREATE VOLUME IF NOT EXISTS olist_dev.reading.files")
    root = state.volumes / "reading" / "files"

    def write(name: str, text: str) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")

    write("csv/a.csv", "id,name,price\n1,a,10.5\n2,b,x\n")
    write("csv/b.csv", "price,id,name\n30.5,3,c\n")
    write("json/country=BR/a.json", '{"id": 1, "customer": {"zip": "01310"}}\n{"id": 2, "customer": {"age": 7}}\n')
    write("plain/a.csv", "1,a\n2,b\n")
    return write


def rows(frame) -> list[tuple]:
    return sorted((tuple(row) for row in frame.collect()), key=str)


def test_the_format_the_header_and_the_types_are_found(spark, put):
    """Source: Databricks documentation, "read_files": types are inferred, CSV without a schema has a header."""
    frame = spark.sql(f"SELECT * FROM read_files('{FILES}/csv')")

    assert frame.schema.simpleString() == "struct<id:bigint,name:string,price:string,_rescued_data:string>"
    assert rows(frame) == [(1, "a", "10.5", None), (2, "b", "x", None), (3, "c", "30.5", None)]


def test_hints_win_and_what_does_not_fit_is_rescued(spark, put):
    """A hint is a type for the reader, not a cast of what it has read."""
    frame = spark.sql(
        f"SELECT price, _rescued_data FROM read_files('{FILES}/csv', format => 'csv', schemaHints => 'price DOUBLE')"
    )

    found = sorted(frame.collect(), key=lambda row: str(row.price))
    assert [row.price for row in found] == [10.5, 30.5, None]
    assert json.loads(found[2]["_rescued_data"]) == {"price": "x", "_file_path": f"{FILES}/csv/a.csv"}


def test_a_schema_and_no_header(spark, put):
    """With a schema, CSV has no header, and no rescued data unless requested."""
    query = f"SELECT * FROM read_files('{FILES}/plain', format => 'csv', schema => 'id INT, name STRING')"

    assert rows(spark.sql(query)) == [(1, "a"), (2, "b")]


def test_no_rescued_data_where_nothing_evolves(spark, put):
    """`schemaEvolutionMode => 'none'` drops the column."""
    query = f"SELECT * FROM read_files('{FILES}/csv', schemaEvolutionMode => 'none')"

    assert spark.sql(query).columns == ["id", "name", "price"]


def test_nested_json_and_columns_of_folders(spark, put):
    """Structs are merged; `partitionColumns` selects, an empty value leaves the folders out."""
    query = f"SELECT * EXCEPT (_rescued_data) FROM read_files('{FILES}/json', format => 'json'{{}})"

    assert rows(spark.sql(query.format(""))) == [((7, None), 2, "BR"), ((None, "01310"), 1, "BR")]
    assert spark.sql(query.format(", partitionColumns => ''")).columns == ["customer", "id"]


def test_metadata_is_hidden_until_it_is_named(spark, put):
    """A star selects only the columns of the files."""
    table = f"read_files('{FILES}/csv', format => 'csv', schemaEvolutionMode => 'none')"

    frame = spark.sql(f"SELECT *, _metadata.file_name AS file, _metadata.file_path FROM {table}")
    assert frame.columns == ["id", "name", "price", "file", "file_path"]
    assert rows(frame.select("id", "file", "file_path"))[2] == (3, "b.csv", f"{FILES}/csv/b.csv")
    frame = spark.sql(f"SELECT f.* EXCEPT (name), f._metadata.file_size > 0 AS some FROM {table} AS f")
    assert rows(frame)[0] == (1, "10.5", True)
    frame = spark.sql(f"SELECT * FROM {table} WHERE _metadata.file_name = 'b.csv'")
    assert rows(frame) == [(3, "c", "30.5")]


def test_the_frame_is_one_like_any_other(spark, put):
    """The client sends its plan back, as part of a larger one."""
    frame = spark.sql(f"SELECT * FROM read_files('{FILES}/csv')").where("id > 1")

    assert frame.count() == 2
    assert frame.groupBy("name").count().count() == 2
    frame.createOrReplaceTempView("of_files")
    assert rows(spark.sql("SELECT id FROM of_files")) == [(2,), (3,)]
    other = spark.sql(f"SELECT f.id FROM {{frame}} f JOIN read_files('{FILES}/plain', header => false) p ON id = p._c0",
                      frame=frame)  # fmt: skip
    assert rows(other) == [(2,)]


def test_statements_that_read_files(spark, put):
    """CREATE TABLE AS, INSERT, MERGE, a temporary view, a common table expression, two calls in one text."""
    table = f"read_files('{FILES}/csv', schemaEvolutionMode => 'none')"

    spark.sql(f"CREATE OR REPLACE TABLE olist_dev.reading.t AS SELECT *, _metadata.file_name FROM {table}")
    assert rows(spark.sql("SELECT id, file_name FROM reading.t")) == [(1, "a.csv"), (2, "a.csv"), (3, "b.csv")]
    spark.sql(f"INSERT INTO olist_dev.reading.t SELECT *, 'again' FROM {table}")
    merged = f"MERGE INTO olist_dev.reading.t USING (SELECT max(id) AS id FROM {table}) s ON t.id = s.id"
    spark.sql(f"{merged} WHEN MATCHED THEN DELETE")
    assert rows(spark.sql("SELECT DISTINCT id FROM reading.t")) == [(1,), (2,)]
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW files_of (a, b, c) AS SELECT * FROM {table}")
    assert rows(spark.sql("SELECT a FROM files_of")) == [(1,), (2,), (3,)]
    query = f"WITH f AS (SELECT * FROM {table}) SELECT count(*) FROM f UNION ALL SELECT count(*) FROM {table}"
    assert rows(spark.sql(query)) == [(3,), (3,)]


def test_arguments_may_be_constants_and_parameters(spark, put):
    """Concatenated strings, functions and markers; option names in any case, with and without the prefix."""
    frame = spark.sql(
        "SELECT count(*) FROM read_files(:root || '/csv', FORMAT => lower('CSV'), `cloudFiles.inferColumnTypes` => "
        "false, pathGlobFilter => concat('a', '.csv'), modifiedAfter => date_sub(current_date(), 2))",
        args={"root": FILES},
    )

    assert rows(frame) == [(2,)]
    assert rows(spark.sql(f"SELECT id FROM read_files(path => '{FILES}/csv/b.csv')")) == [(3,)]
    texts = spark.sql(f"SELECT id FROM read_files('{FILES}/csv', inferColumnTypes => false)")
    assert texts.schema.simpleString() == "struct<id:string>"


def test_formats_without_columns_of_their_own(spark, put):
    """Each row is a line of text, or a whole file with the path that the notebook knows."""
    put("texts/day=1/a.txt", "x\ny\n")

    assert rows(spark.sql(f"SELECT * FROM read_files('{FILES}/texts')")) == [("x", 1), ("y", 1)]
    found = spark.sql(f"SELECT path, length, day FROM read_files('{FILES}/texts', format => 'binaryFile')")
    assert rows(found) == [(f"{FILES}/texts/day=1/a.txt", 4, 1)]


def test_a_stream_of_files(spark, put):
    """`STREAM read_files` takes each file once, by the checkpoint of the stream."""
    put("stream/a.json", '{"id": 1, "n": {"x": 1}}\n')

    def run():
        frame = spark.sql(f"SELECT *, _metadata.file_name AS file FROM STREAM read_files('{FILES}/stream')")
        assert frame.isStreaming
        writer = frame.writeStream.option("checkpointLocation", f"{FILES}/_checkpoint").option("mergeSchema", True)
        assert writer.trigger(availableNow=True).toTable("olist_dev.reading.streamed").awaitTermination(120)

    run()
    put("stream/b.json", '{"id": 2, "n": {"y": "z"}}\n')
    run()

    found = spark.sql("SELECT id, to_json(n), file, _rescued_data FROM reading.streamed")
    assert rows(found) == [(1, '{"x":1}', "a.json", None), (2, '{"y":"z"}', "b.json", None)]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT * FROM read_files('{files}/none')", "the folder does not exist"),
        ("SELECT * FROM read_files('{files}', format => 'avro')", "expected one of csv, json"),
        (
            "SELECT * FROM read_files('{files}')",
            "the format cannot be told from the names of the files, which end in .csv, .json",
        ),
        ("SELECT * FROM read_files('s3://b/x')", "there is no storage `s3://` on this machine"),
        ("SELECT * FROM STREAM read_files('{files}/csv', includeExistingFiles => false)", "includeExistingFiles"),
        ("SELECT * FROM read_files('/Volumes/olist_dev/reading/none/x')", "Volume path not found"),
    ],
)
def test_what_is_refused_is_named(spark, put, sql, text):
    """The message says what to write instead."""
    with pytest.raises(Exception, match=text) as raised:
        spark.sql(sql.format(files=FILES)).collect()
    assert isinstance(raised.value, DialectError) or "Volume" in text
