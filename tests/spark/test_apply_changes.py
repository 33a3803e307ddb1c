"""`apply_changes` and `apply_changes_from_snapshot`: documented examples, measured cases, errors, growth, crashes."""

from datetime import UTC, datetime

import pytest
from changes_fixtures import Tables

from lakehouse.cdc import ChangeCounts
from lakehouse.cdc.errors import (
    ChangeArgumentsError,
    ChangeEventsError,
    ChangeSourceError,
    ChangeTargetError,
    SnapshotError,
)

USERS = "userId INT, name STRING, city STRING, operation STRING, sequenceNum BIGINT"
DOCUMENTED = [
    (124, "Raul", "Oaxaca", "INSERT", 1),
    (123, "Isabel", "Monterrey", "INSERT", 1),
    (125, "Mercedes", "Tijuana", "INSERT", 2),
    (126, "Lily", "Cancun", "INSERT", 2),
    (123, None, None, "DELETE", 6),
    (125, "Mercedes", "Guadalajara", "UPDATE", 6),
    (125, "Mercedes", "Mexicali", "UPDATE", 5),
    (123, "Isabel", "Chihuahua", "UPDATE", 5),
]
FLOW = {
    "keys": ["userId"],
    "sequence_by": "sequenceNum",
    "apply_as_deletes": "operation = 'DELETE'",
    "except_column_list": ["operation", "sequenceNum"],
}
HISTORY = {"stored_as_scd_type": 2}


@pytest.fixture(scope="module")
def tables(spark) -> Tables:
    return Tables(spark, "changes_test")


def test_the_documented_example(tables):
    """As on Databricks' page: SCD 1, with a late truncate, SCD 2, SCD 2 that does not track the city."""
    tables.source("users", USERS, DOCUMENTED[:3])
    calls = {
        "latest": FLOW,
        "truncated": {**FLOW, "apply_as_truncates": "operation = 'TRUNCATE'"},
        "versions": {**FLOW, **HISTORY},
        "untracked": {**FLOW, **HISTORY, "track_history_except_column_list": ["city"]},
    }
    first = {target: tables.apply("users", target, **call) for target, call in calls.items()}
    tables.append("users", USERS, DOCUMENTED[3:])
    for target, call in calls.items():
        tables.apply("users", target, **call)
    truncate = tables.spark.createDataFrame([(None, None, None, "TRUNCATE", 3)], USERS)
    tables.source("users_truncated", USERS, DOCUMENTED)
    tables.apply("users_truncated", "truncated_late", **calls["truncated"])
    truncate.writeTo("changes_test.users_truncated").append()
    counts = tables.apply("users_truncated", "truncated_late", **calls["truncated"])

    latest = [(124, "Raul", "Oaxaca"), (125, "Mercedes", "Guadalajara"), (126, "Lily", "Cancun")]
    assert first["latest"] == ChangeCounts(3, 3, 3, 0, 0, 0)
    assert tables.rows("latest") == tables.rows("truncated") == latest
    assert tables.rows("truncated_late") == [(125, "Mercedes", "Guadalajara")]
    assert (counts.num_upserted_rows, counts.num_deleted_rows, counts.version) == (0, 2, 1)
    assert tables.rows("versions") == [
        (123, "Isabel", "Chihuahua", 5, 6),
        (123, "Isabel", "Monterrey", 1, 5),
        (124, "Raul", "Oaxaca", 1, None),
        (125, "Mercedes", "Guadalajara", 6, None),
        (125, "Mercedes", "Mexicali", 5, 6),
        (125, "Mercedes", "Tijuana", 2, 5),
        (126, "Lily", "Cancun", 2, None),
    ]
    assert tables.rows("untracked") == [
        (123, "Isabel", "Chihuahua", 1, 6),
        (124, "Raul", "Oaxaca", 1, None),
        (125, "Mercedes", "Guadalajara", 2, None),
        (126, "Lily", "Cancun", 2, None),
    ]
    assert tables.commits("versions") == ["CREATE", "MERGE"]


CASES = "id STRING, status STRING, city STRING, deleted BOOLEAN, ts INT, txn INT, synced INT"


def up(key, ts, status, *, city=None, txn=0, synced=0):
    return (key, status, city, False, ts, txn, synced)


def gone(key, ts):
    return (key, None, None, True, ts, 0, 0)


REPLAYED = [up("replay", 10, "PENDING"), up("replay", 20, "Antalya"), up("replay", 30, "Izmir")]
REPLAYED += [up("replay", 40, "SUSPENDED"), gone("replay", 50)]
SYNCED = [up("synced", n, "same", synced=n) for n in range(51)]
BEFORE = [
    *(up("duplicate", 10, "ACTIVE"), up("late", 12, "ACTIVE"), up("tie", 10, "ACTIVE"), up("tie", 10, "SUSPENDED")),
    *(up("struct", 10, "one", txn=1), up("sparse", 1, "x"), up("below", 17, "ACTIVE"), gone("below", 20)),
    *(up("c1", 10, "Seattle"), gone("c1", 20), up("c2", 10, "Portland"), gone("c2", 20)),
    *(up("c3", 10, "first"), up("c3", 30, "Miami"), up("c4", 10, "here"), gone("unknown", 5), *REPLAYED, *SYNCED),
]
AFTER = [
    *(up("duplicate", 10, "ACTIVE"), up("late", 10, "PENDING"), up("struct", 10, "two", txn=2)),
    *(up("sparse", 2, None, city="c"), up("below", 18, "SUSPENDED"), up("c1", 15, "Tacoma")),
    *(gone("c2", 15), gone("c3", 25), gone("c4", 25), *REPLAYED),
]
MEASURED = {
    "below": [("ACTIVE", 17, 18), ("SUSPENDED", 18, 20)],
    "c1": [("Seattle", 10, 15), ("Tacoma", 15, 20)],
    "c2": [("Portland", 10, 15)],  # Databricks shows a second row, without __START_AT, for the boundary at 20
    "c3": [("first", 10, 25), ("Miami", 30, None)],
    "c4": [("here", 10, 25)],
    "duplicate": [("ACTIVE", 10, None)],
    "late": [("PENDING", 10, 12), ("ACTIVE", 12, None)],
    "replay": [("PENDING", 10, 20), ("Antalya", 20, 30), ("Izmir", 30, 40), ("SUSPENDED", 40, 50)],
    "sparse": [("x", 1, 2), ("x", 2, None)],
    "synced": [("same", 0, None)],
    "tie": [("SUSPENDED", 10, None)],
}


def test_the_cases_measured_on_databricks(tables):
    """Two updates: duplicates, late events, ties, sparse NULLs, late deletes, a full replay, untracked sync times."""
    flow = {"keys": ["id"], "apply_as_deletes": "deleted", "ignore_null_updates": True}
    listed = {"column_list": ["id", "status", "city", "synced"]}
    history = {**flow, **listed, **HISTORY, "track_history_except_column_list": ["synced"]}
    tables.source("cases", CASES, BEFORE)
    for rows in (None, AFTER):
        if rows:
            tables.append("cases", CASES, rows)
        versions = tables.apply("cases", "case_versions", **history, sequence_by="ts")
        tables.apply("cases", "case_latest", **flow, **listed, sequence_by=["ts", "txn"])

    found: dict = {}
    for key, status, start, end in tables.rows("case_versions", "id, status, __START_AT, __END_AT"):
        found.setdefault(key, []).append((status, start, end))
    assert {key: sorted(rows, key=lambda row: row[1]) for key, rows in found.items() if key != "struct"} == MEASURED
    assert versions.ties == 1  # `struct` at 10; the tie of the first update is not counted again
    assert dict(tables.rows("case_latest", "id, status")) == {
        **{"duplicate": "ACTIVE", "late": "ACTIVE", "tie": "SUSPENDED", "struct": "two", "sparse": "x"},
        **{"c3": "Miami", "synced": "same"},
    }


def test_snapshots_of_versions_by_a_function(tables):
    """The documentation's two snapshots, in one call; older ones are skipped, the same ones again change nothing."""
    schema = "userId INT, city STRING"
    first = [(1, "Oaxaca"), (2, "Monterrey"), (3, "Tijuana")]
    second = [(2, "Carmel"), (3, "Los Angeles"), (4, "Death Valley"), (6, "Kings Canyon")]
    given = {None: (first, 1), 1: (second, 2), 2: (first, 1)}
    asked = []

    def snapshot(latest):
        asked.append(latest)
        rows, version = given[latest]
        return tables.spark.createDataFrame(rows, schema), version

    versions = tables.snapshots(snapshot, "snapshot_versions", keys=["userId"], **HISTORY)
    latest = tables.snapshots(snapshot, "snapshot_latest", keys=["userId"])
    tables.spark.sql(
        "DELETE FROM changes_test.apply_changes_progress WHERE startswith(target, 'changes_test.snapshot_')"
    )  # as if killed
    history_again = tables.snapshots(snapshot, "snapshot_versions", keys=["userId"], **HISTORY)
    latest_again = tables.snapshots(snapshot, "snapshot_latest", keys=["userId"])

    assert asked == [None, 1, 2, None, 1, 2, 2, 1, 2]  # a history shows its last version
    assert (versions.events_read, versions.num_upserted_rows, versions.num_deleted_rows) == (7, 10, 0)
    assert (latest.num_upserted_rows, latest.num_deleted_rows, latest.version) == (7, 1, 1)
    assert (history_again.events_read, history_again.version) == (0, None)
    assert (latest_again.events_read, latest_again.version) == (4, None)
    assert tables.rows("snapshot_latest") == second
    assert tables.rows("snapshot_versions") == [
        (1, "Oaxaca", 1, 2),
        (2, "Carmel", 2, None),
        (2, "Monterrey", 1, 2),
        (3, "Los Angeles", 2, None),
        (3, "Tijuana", 1, 2),
        (4, "Death Valley", 2, None),
        (6, "Kings Canyon", 2, None),
    ]


def test_snapshots_of_a_table_are_its_versions(tables):
    """A change of an untracked column is written in place; an unchanged table is not read."""
    tables.source("towns", "id INT, town STRING, seen INT", [(1, "A", 1), (2, "B", 1)])
    call = {"keys": ["id"], **HISTORY, "track_history_except_column_list": ["seen"]}
    tables.snapshots("towns", "town_versions", **call)
    nothing = tables.snapshots("towns", "town_versions", **call)
    tables.spark.sql("UPDATE changes_test.towns SET seen = 2, town = IF(id = 2, 'C', town)")
    tables.snapshots("towns", "town_versions", **call)

    assert nothing == ChangeCounts(0, 0, 0, 0, 0, None)
    assert tables.rows("town_versions") == [(1, "A", 2, 1, None), (2, "B", 1, 1, 2), (2, "C", 2, 2, None)]


def test_snapshots_that_are_refused(tables):
    """Duplicate keys are named, and nothing is written."""
    frame = tables.spark.createDataFrame([(1, "a"), (1, "a"), (2, "b"), (None, "c")], "id INT, name STRING")

    with pytest.raises(SnapshotError) as caught:
        tables.snapshots(lambda latest: (frame, 5), "refused", keys=["id"])
    with pytest.raises(ChangeArgumentsError, match="found the version True; expected an int, a str, a date or a d"):
        tables.snapshots(lambda latest: (frame, True), "refused", keys=["id"])

    assert str(caught.value) == (
        "`changes_test.refused`: found in the snapshot of version 5 1 rows with a NULL key and 1 keys more than once: "
        '`{"id":1}`; expected each key once, so the snapshot was not applied. Correct the snapshot, or name more '
        "`keys`."
    )
    assert not tables.spark.catalog.tableExists("changes_test.refused")


@pytest.mark.parametrize("zone", [UTC, None])
def test_snapshots_by_time(tables, zone):
    """A version may be a datetime; it is passed back unchanged. One without a zone is UTC."""
    moments = [datetime(2024, 1, day, tzinfo=zone) for day in (1, 2)]
    table, asked = f"by_time_{zone}", []

    def snapshot(latest):
        asked.append(latest)
        waiting = [moment for moment in moments if latest is None or moment > latest]
        return (tables.spark.createDataFrame([(waiting[0].day,)], "id INT"), waiting[0]) if waiting else None

    tables.snapshots(snapshot, table, keys=["id"], **HISTORY)
    tables.forget(table)
    tables.snapshots(snapshot, table, keys=["id"], **HISTORY)

    assert asked == [None, *moments, moments[-1]]
    assert tables.rows(table, "id, unix_date(date(__START_AT)), unix_date(date(__END_AT))") == [
        (1, 19723, 19724),
        (2, 19724, None),
    ]


@pytest.mark.parametrize("history", [True, False])
def test_snapshots_by_text(tables, history):
    """Versions that are texts are in their order, and are passed back also where progress is lost."""
    versions, table, asked = ["2024-01-01 09", "2024-01-01 10", "2024-01-01 11"], f"by_text_{history}", []

    def snapshot(latest):
        asked.append(latest)
        waiting = [version for version in versions[:-1] if latest is None or version > latest]
        return (tables.spark.createDataFrame([(int(waiting[0][-2:]),)], "id INT"), waiting[0]) if waiting else None

    call = {"keys": ["id"], **(HISTORY if history else {})}
    tables.snapshots(snapshot, table, **call)
    again = tables.snapshots(snapshot, table, **call)
    tables.forget(table)
    versions.append("2024-01-01 12")
    tables.snapshots(snapshot, table, **call)

    nine, ten, eleven = versions[:3]
    assert again.version is None
    assert asked[:4] == [None, nine, ten, ten]
    assert asked[4] == (ten if history else nine)  # SCD type 1 begins with the first again
    if history:
        assert tables.rows(table) == [(10, ten, eleven), (11, eleven, None), (9, nine, ten)]
    else:
        assert tables.rows(table) == [(11,)]


def test_events_without_key_or_sequence_are_refused_whole(tables):
    """Counts by column in key order, with the sequence first, and the rows."""
    rows = [(1, "a", 1), (None, "b", 2), (2, None, None), (None, None, None)]
    tables.source("incomplete", "id INT, part STRING, seq INT", rows)

    with pytest.raises(ChangeEventsError) as caught:
        tables.apply("incomplete", "never", keys=["id", "part"], sequence_by="seq")

    assert str(caught.value).startswith(
        "`changes_test.incomplete`: found events 2 with a NULL sequence, 2 with a NULL in key `id`, 2 with a NULL in "
        "key `part`; expected a key and a sequence in each, so none was applied to `changes_test.never`. Quarantine "
        "them before they are staged. The first: {'id': "
    )
    assert caught.value.counts == {"sequence": 2, "id": 2, "part": 2}
    assert not tables.spark.catalog.tableExists("changes_test.never")


DRIFTS = {
    "keys": ({"keys": ["id", "a"]}, 'found keys ["a string", "id int"] in this call; expected ["id int"]'),
    "sequence": ({"sequence_by": "at"}, "found type of `sequence_by` string in this call; expected int"),
    "scd type": ({"stored_as_scd_type": 1}, "found SCD type 1 in this call; expected 2"),
    "tracked": (
        {"track_history_column_list": ["A"]},
        'found tracked columns ["a"] in this call; expected ["a", "at", "b", "seq"]',
    ),
    "nulls": ({"ignore_null_updates": True}, "found ignore_null_updates true in this call; expected false"),
    "source": ({"source": "other"}, "found source changes_test.other in this call; expected changes_test.drift"),
}


def test_a_target_remembers_how_it_was_made(tables):
    """Another configuration is refused, showing both sides; the order and the case of names do not matter."""
    columns = "id INT, a STRING, b STRING, at STRING, seq INT"
    for name in ("drift", "other"):
        tables.source(name, columns, [(1, "a", "b", "x", 1)])
    call = {"keys": ["id"], "sequence_by": "seq", **HISTORY}
    tables.apply("drift", "remembered", **call)
    for change, words in DRIFTS.values():
        arguments = {"source": "drift", **call, **change}
        with pytest.raises(ChangeTargetError) as caught:
            tables.apply(arguments.pop("source"), "remembered", **arguments)
        assert str(caught.value) == (
            f"`changes_test.remembered`: {words}, with which the table was made. Call it as before, or drop the table "
            "to derive it anew."
        )
    same = tables.apply("drift", "remembered", **{**call, "track_history_column_list": ["SEQ", "B", "a", "at"]})

    assert same == ChangeCounts(0, 0, 0, 0, 0, None)
    assert tables.commits("remembered") == ["CREATE"]


def test_tables_that_are_no_source_and_no_target(tables):
    """A missing source, a table of another origin, a condition that is not one."""
    tables.source("foreign", "id INT, seq INT", [(1, 1)])
    call = {"keys": ["id"], "sequence_by": "seq"}

    with pytest.raises(ChangeSourceError) as missing:
        tables.apply("absent", "target", **call)
    with pytest.raises(ChangeTargetError) as foreign:
        tables.apply("foreign", "foreign", **call)
    with pytest.raises(ChangeArgumentsError, match=r"found the condition `nothing = 1` .*; expected SQL that is true"):
        tables.apply("foreign", "target", **call, apply_as_deletes="nothing = 1")

    assert str(missing.value) == (
        "`changes_test.target`: found no table `changes_test.absent`; expected the change events. Create it first."
    )
    assert str(foreign.value).startswith(
        "`changes_test.foreign`: found a table with rows that were not written by `apply_changes`; expected none, an "
        "empty one, or a target of an earlier call."
    )


def test_a_target_grows_with_its_source(tables):
    """A new column, a new field of a struct; then a missing column; then a changed type, which is refused."""
    tables.source("growing", "id INT, a STRING, s STRUCT<x: INT>, seq INT", [(1, "a", (1,), 1), (2, "a", None, 1)])
    call = {"keys": ["id"], "sequence_by": "seq", "except_column_list": ["seq"], **HISTORY}
    tables.apply("growing", "grown", **call)
    tables.spark.sql("ALTER TABLE changes_test.growing ADD COLUMNS (b INT, s.y STRING)")
    tables.append(
        "growing", "id INT, a STRING, s STRUCT<x: INT, y: STRING>, seq INT, b INT", [(1, "a", (1, "y"), 2, 7)]
    )
    tables.apply("growing", "grown", **call)
    grown = tables.rows("grown", "id, a, s.x, s.y, b, __START_AT, __END_AT")
    columns = tables.spark.table("changes_test.grown").columns
    tables.spark.sql("ALTER TABLE changes_test.growing SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')")
    tables.spark.sql("ALTER TABLE changes_test.growing DROP COLUMN a")
    tables.append("growing", "id INT, s STRUCT<x: INT, y: STRING>, seq INT, b INT", [(1, (1, "y"), 3, 8)])
    tables.apply("growing", "grown", **call)

    assert columns == ["id", "a", "s", "b", "__START_AT", "__END_AT"]
    assert grown == [(1, "a", 1, "y", 7, 2, None), (1, "a", 1, None, None, 1, 2), (2, "a", None, None, None, 1, None)]
    assert tables.rows("grown", "id, a, b, __START_AT, __END_AT") == [
        (1, "a", 7, 2, 3),
        (1, "a", None, 1, 2),
        (1, None, 8, 3, None),
        (2, "a", None, 1, None),
    ]
    tables.spark.sql("ALTER TABLE changes_test.growing DROP COLUMN b")
    tables.spark.sql("ALTER TABLE changes_test.growing ADD COLUMNS (b STRING)")
    with pytest.raises(ChangeTargetError) as caught:
        tables.apply("growing", "grown", **call)
    assert str(caught.value) == (
        "`changes_test.grown`: found the type STRING of `b` in the source; expected INT, as the table has it. Cast it "
        "in the source, or drop the table to derive it anew."
    )


def test_an_empty_table_is_taken_over_with_its_comments(tables):
    """A table that was created beforehand, for its comments; a source without events, and one without a change feed."""
    columns = "id INT, a STRING, seq INT"
    tables.source("plain", columns, feed=False)
    tables.spark.sql(
        "CREATE TABLE changes_test.ahead (id INT COMMENT 'the key', a STRING, __START_AT INT, __END_AT INT) "
        "COMMENT 'One row per version'"
    )
    call = {"keys": ["id"], "sequence_by": "seq", "except_column_list": ["seq"], **HISTORY}
    empty = tables.apply("plain", "ahead", **call)
    tables.append("plain", columns, [(1, "a", 1)])
    one = tables.apply("plain", "ahead", **call)
    tables.append("plain", columns, [(1, "b", 2)])
    all_again = tables.apply("plain", "ahead", **call)

    assert (empty.events_read, one.events_read, all_again.events_read) == (0, 1, 2)  # without a feed all is read
    assert all_again.num_upserted_rows == 2
    assert tables.rows("ahead") == [(1, "a", 1, 2), (1, "b", 2, None)]
    detail = tables.spark.sql("DESCRIBE TABLE changes_test.ahead").collect()
    assert [row.comment for row in detail[:2]] == ["the key", None]
    assert tables.spark.sql("DESCRIBE DETAIL changes_test.ahead").first().description == "One row per version"


def test_maps_and_variants_are_stored_untracked(tables):
    """They are compared by their text, so ties and replays are decided; quotes and dots in names do no harm."""
    columns = "`the key` STRING, m MAP<STRING, INT>, v VARIANT, n INT, seq DATE"
    tables.source("loose", columns.replace("`the key`", "the_key"))
    insert = "INSERT INTO changes_test.loose VALUES "
    event = "('it''s', map('a', {0}), parse_json('{{\"b\": {0}}}'), 1, DATE'2024-01-0{1}')"
    tables.spark.sql(insert + event.format(1, 1) + "," + event.format(2, 1))
    call = {"keys": ["the_key"], "sequence_by": "seq", **HISTORY, "track_history_column_list": ["n"]}
    first = tables.apply("loose", "kept", **call)
    tables.spark.sql(insert + event.format(2, 1))
    replay = tables.apply("loose", "kept", **call)
    tables.spark.sql(insert + event.format(3, 2))
    tables.apply("loose", "kept", **call)

    assert (first.ties, replay.ties, replay.version) == (1, 1, None)
    assert tables.rows("kept", "the_key, m['a'], to_json(v), __START_AT = DATE'2024-01-01', __END_AT") == [
        ("it's", 3, '{"b":3}', True, None)
    ]
