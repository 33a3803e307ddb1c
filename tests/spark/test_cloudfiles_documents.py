"""Auto Loader on random nested JSON: every value is in its column or in the rescued data, and nothing else is."""

import json

import pytest

from lakelocal.errors import DialectError
from tests.json_documents import invented, missing, read_documents, write_documents

VOLUME = "/Volumes/olist_dev/documents/files"


@pytest.fixture(scope="module")
def volume(spark, state):
    """The volume `documents.files`, in which each test has a folder."""
    spark.sql("CREATE SCHEMA IF NOT EXISTS olist_dev.documents")
    spark.sql("CREATE VOLUME IF NOT EXISTS olist_dev.documents.files")
    return state.volumes / "documents" / "files"


def load(spark, name: str, **options: str) -> int:
    """Load what is new in the folder *name* into the table of that name; return how often the stream had to restart."""
    reader = spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
    reader = reader.option("cloudFiles.schemaLocation", f"{VOLUME}/_schemas/{name}").options(**options)
    for starts in range(20):
        try:
            rows = reader.load(f"{VOLUME}/{name}").writeStream.option("mergeSchema", True).trigger(availableNow=True)
            query = rows.option("checkpointLocation", f"{VOLUME}/_checkpoints/{name}")
            assert query.toTable(f"olist_dev.documents.{name}").awaitTermination(300)
            return starts
        except DialectError as error:
            assert "UNKNOWN_FIELD_EXCEPTION" in str(error)
    raise AssertionError("the schema does not come to rest")


def check(spark, name: str, files) -> None:
    """Compare the table with the files, value by value."""
    documents = read_documents(files)
    rows = [row.asDict(recursive=True) for row in spark.table(f"olist_dev.documents.{name}").collect()]
    assert len(rows) == len(documents)
    for row in rows:
        rescued = json.loads(row.pop("_rescued_data") or "{}")
        place = rescued.pop("_file_path", None)
        document = documents[int(row["id"])]
        assert list(missing(document, row, rescued)) == []
        assert list(invented(document, row)) == []
        assert list(invented(document, rescued)) == []
        assert place is None or place.startswith(f"{VOLUME}/{name}/")
        assert (place is None) == (not rescued)


MODES = {
    "evolving": {"cloudFiles.inferColumnTypes": "true"},
    "rescuing": {"cloudFiles.inferColumnTypes": "true", "cloudFiles.schemaEvolutionMode": "rescue"},
    "texts": {},
    "hinted": {
        "cloudFiles.inferColumnTypes": "true",
        "cloudFiles.schemaHints": "amount DECIMAL(20,2), customer.age INT, items.element.quantity TINYINT, "
        "any MAP<STRING, BIGINT>, channel DATE, nothing STRUCT<x: INT>, tags ARRAY<INT>",
    },
}


@pytest.mark.parametrize("mode", ["evolving", "hinted"])
def test_every_value_of_random_documents_is_kept(spark, volume, mode):
    """Files arrive in two deliveries; what is new in the second evolves the schema or is rescued."""
    files = write_documents(volume / "waiting" / mode, documents=200, files=6, seed=14)
    (volume / mode).mkdir()
    for delivery in (files[:2], files[2:]):
        for file in delivery:
            file.rename(volume / mode / file.name)
        load(spark, mode, **MODES[mode])

    check(spark, mode, [volume / mode / file.name for file in files])


@pytest.mark.slow("twenty files a mode, four modes; the test before it does the same with 200 documents")
@pytest.mark.parametrize("mode", MODES)
def test_every_value_of_ten_thousand_documents_is_kept(spark, volume, mode):
    """Twenty files in five deliveries."""
    name = f"{mode}_many"
    files = write_documents(volume / "waiting" / name, documents=10_000, files=20, seed=2026)
    (volume / name).mkdir()
    for first in range(0, 20, 4):
        for file in files[first : first + 4]:
            file.rename(volume / name / file.name)
        load(spark, name, **MODES[mode])

    check(spark, name, [volume / name / file.name for file in files])
