"""`apply_changes` on legal but unusual sources and names, and on tables that people have changed by hand."""

import importlib
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from changes_fixtures import Tables

from lakehouse import cdc
from lakehouse.cdc import apply_together
from lakehouse.cdc.errors import (
    ChangeArgumentsError,
    ChangeEventsError,
    ChangeSourceError,
    ChangeTargetError,
    TargetsFailedError,
)

EVENTS = "id INT, a STRING, seq INT, op STRING"
CALL = {"keys": ["id"], "sequence_by": "seq", "column_list": ["id", "a"], "apply_as_deletes": "op = 'D' -- gone"}
HISTORY = {"stored_as_scd_type": 2}


@pytest.fixture(scope="module")
def tables(spark) -> Tables:
    return Tables(spark, "changes_sources")


def test_events_that_are_removed_or_corrected_in_the_source_are_so_in_the_target(tables):
    """A bad event that was refused is deleted, another is corrected, then the source is overwritten."""
    tables.source("corrected", EVENTS, [(1, "a", 1, "U"), (2, "b", 1, "U"), (2, "c", 2, "U")])
    tables.apply("corrected", "corrected_versions", **CALL, **HISTORY)
    tables.append("corrected", EVENTS, [(None, "x", 1, "U"), (3, "d", 1, "U")])
    with pytest.raises(ChangeEventsError, match="1 with a NULL in key `id`"):
        tables.apply("corrected", "corrected_versions", **CALL, **HISTORY)
    tables.spark.sql("DELETE FROM changes_sources.corrected WHERE id IS NULL OR id = 1")
    tables.spark.sql("UPDATE changes_sources.corrected SET a = 'B' WHERE id = 2 AND seq = 1")
    counts = tables.apply("corrected", "corrected_versions", **CALL, **HISTORY)
    corrected = tables.rows("corrected_versions")
    tables.spark.sql("INSERT OVERWRITE changes_sources.corrected VALUES (3, 'D', 1, 'U'), (4, 'e', 1, 'U')")
    tables.apply("corrected", "corrected_versions", **CALL, **HISTORY)

    assert (counts.events_read, counts.num_upserted_rows, counts.num_deleted_rows) == (3, 2, 1)
    assert corrected == [(2, "B", 1, 2), (2, "c", 2, None), (3, "d", 1, None)]
    assert tables.rows("corrected_versions") == [(3, "D", 1, None), (4, "e", 1, None)]


def test_a_call_that_reads_the_events_in_another_way_derives_all_of_them_again(tables):
    """Other deletes, another sequence of the same type: the table equals a new one, and is then at rest."""
    columns = f"{EVENTS}, seq2 INT"
    events = [(1, "a", 1, "U", 9), (1, "b", 2, "D", 1), (2, "c", 1, "U", 5), (2, "d", 2, "X", 4)]
    tables.source("reread", columns, events)
    other = {**CALL, **HISTORY, "apply_as_deletes": "op IN ('D', 'X')"}
    tables.apply("reread", "reread_versions", **CALL, **HISTORY)
    tables.apply("reread", "reread_versions", **other)
    other_deletes = tables.rows("reread_versions")
    tables.apply("reread", "reread_versions", **{**other, "sequence_by": "SEQ2"})
    commits = tables.commits("reread_versions")
    again = tables.apply("reread", "reread_versions", **{**other, "sequence_by": "seq2"})

    assert other_deletes == [(1, "a", 1, 2), (2, "c", 1, 2)]
    assert tables.rows("reread_versions") == [(1, "a", 9, None), (2, "c", 5, None)]
    assert again.events_read == 0 and tables.commits("reread_versions") == commits


def test_names_may_hold_anything_that_a_delta_table_takes(tables):
    """Spaces, dots, quotes and backticks, in structs too; the target has the columns in the order of the source."""
    columns = "`a.b` STRING, `Order Id` INT, `n` INT, `it's` STRUCT<`q'`: INT, `x y`: INT>, `s q` INT, `s'q` INT"
    tables.spark.sql(
        f"CREATE TABLE changes_sources.named ({columns}, `o``p` STRING) TBLPROPERTIES "
        "('delta.enableChangeDataFeed' = 'true', 'delta.columnMapping.mode' = 'name')"
    )
    call = {
        "keys": ["ORDER ID", "N"],
        "sequence_by": ["s q", "S'q"],
        "apply_as_deletes": "`o``p` = 'it''s'",
        "except_column_list": ["o`p", "s q", "s'q"],
        "ignore_null_updates": True,
        **HISTORY,
    }
    insert = "INSERT INTO changes_sources.named VALUES "
    both = "named_struct(\"q'\", {}, 'x y', {})"
    tables.spark.sql(
        f"{insert} ('x', 1, 1, {both.format(1, 2)}, 1, 0, 'U'), ('y', 1, 1, {both.format('NULL', 3)}, 2, 0, 'U')"
    )
    tables.apply("named", "named_versions", **call)
    tables.spark.sql("ALTER TABLE changes_sources.named ADD COLUMNS (`new one` STRUCT<`p q`: INT>)")
    tables.spark.sql(
        f"{insert} ('z', 1, 1, NULL, 1, 5, 'U', NULL), (NULL, 1, 1, NULL, 9, 0, \"it's\", named_struct('p q', 1))"
    )
    tables.apply("named", "named_versions", **call)

    shown = "`a.b`, `it's`.`q'`, `it's`.`x y`, __START_AT.`s'q`, __END_AT.`s q`"
    assert tables.spark.table("changes_sources.named_versions").columns == [
        *("a.b", "Order Id", "n", "it's", "new one", "__START_AT", "__END_AT")
    ]
    assert tables.rows("named_versions", shown) == [("x", 1, 2, 0, 1), ("y", 1, 3, 0, 9), ("z", 1, 2, 5, 2)]


KEYS = {
    **{"sequence": "DATE", "tie": "DECIMAL(10, 2)", "b": "BOOLEAN", "raw": "BINARY", "at": "TIMESTAMP"},
    **{"s": "STRUCT<x: INT, y: STRING>", "d": "DOUBLE", "local": "TIMESTAMP_NTZ", "code": "VARCHAR(5)"},
}
KEY = (
    "DATE'2024-01-01', 1.50, true, X'00ff', TIMESTAMP'2024-01-01 00:00:00', named_struct('x', 1, 'y', "
    "CAST(NULL AS STRING)), double('{}'), TIMESTAMP_NTZ'2024-01-01 00:00:00', 'ab'"
)


def test_keys_may_be_of_any_type_that_can_be_compared(tables):
    """NaN is one key, and so are the two zeros; a struct may contain a NULL. The names of keys do not matter."""
    columns = ", ".join(f"{name} {kind}" for name, kind in KEYS.items())
    tables.source("typed", f"{columns}, v STRING, seq DECIMAL(20, 3)")
    call = {"keys": list(KEYS), "sequence_by": "seq", "except_column_list": ["seq"]}
    insert = "INSERT INTO changes_sources.typed VALUES "
    tables.spark.sql(f"{insert} ({KEY.format('NaN')}, 'a', 1), ({KEY.format('0.0')}, 'b', 1)")
    tables.apply("typed", "typed_versions", **call, **HISTORY)
    tables.spark.sql(f"{insert} ({KEY.format('NaN')}, 'y', 0.5), ({KEY.format('-0.0')}, 'z', 1.5)")
    second = tables.apply("typed", "typed_versions", **call, **HISTORY)
    latest = tables.apply("typed", "typed_latest", **call)
    tables.spark.sql(f"{insert} ({KEY.format('1.0')}, 'c', NULL)")
    with pytest.raises(ChangeEventsError, match="found events 1 with a NULL sequence; expected"):
        tables.apply("typed", "typed_latest", **call)

    assert (second.keys_touched, second.num_upserted_rows, second.ties) == (2, 3, 0)
    assert tables.rows("typed_versions", "v, double(__START_AT), double(__END_AT)") == [
        ("a", 1.0, None),
        ("b", 1.0, 1.5),
        ("y", 0.5, 1.0),
        ("z", 1.5, None),
    ]
    assert latest.keys_touched == 2
    assert tables.rows("typed_latest", "v") == [("a",), ("z",)]


def test_maps_are_compared_whole(tables):
    """To the microsecond, and NULL is lowest in a tie."""
    tables.source("maps", "id INT, m MAP<STRING, TIMESTAMP>, seq INT")
    call = {"keys": ["id"], "sequence_by": "seq", "column_list": ["id", "m"]}
    insert = "INSERT INTO changes_sources.maps VALUES "
    moment = "map('a', timestamp_micros({}))"
    tables.spark.sql(f"{insert} (1, NULL, 1), (1, {moment.format(1)}, 1), (2, {moment.format(1)}, 1)")
    first = tables.apply("maps", "maps_latest", **call)
    tables.spark.sql(f"{insert} (2, {moment.format(2)}, 2)")
    second = tables.apply("maps", "maps_latest", **call)

    assert (first.ties, second.num_upserted_rows) == (1, 1)
    assert tables.rows("maps_latest", "id, unix_micros(m['a'])") == [(1, 1), (2, 2)]


def test_a_table_may_be_named_in_another_way(tables):
    """With its catalog, quoted, in another case; the properties of a table created beforehand are kept."""
    tables.source("Spelled", EVENTS, [(1, "a", 1, "U")])
    tables.spark.sql(
        "CREATE TABLE changes_sources.spelled_latest (id INT, a STRING) "
        "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true', 'my.owner' = 'me')"
    )
    tables.apply("Spelled", "spelled_latest", **CALL)
    tables.name = "olist_dev.`Changes_Sources`"
    again = tables.apply("spelled", "SPELLED_latest", **CALL)
    tables.name = "changes_sources"

    assert again.version is None
    properties = tables.spark.sql("DESCRIBE DETAIL changes_sources.spelled_latest").first().properties
    assert (properties["delta.enableChangeDataFeed"], properties["my.owner"]) == ("true", "me")


def test_events_and_snapshots_do_not_share_a_target(tables):
    """Even if source, keys and type of version would fit."""
    tables.source("shared", "id INT, a STRING, seq BIGINT", [(1, "a", 1)])
    call = {"keys": ["id"], "sequence_by": "seq"}
    tables.apply("shared", "of_events", **call)
    tables.snapshots("shared", "of_snapshots", keys=["id"])

    with pytest.raises(ChangeTargetError, match="found a source of snapshots in this call; expected change events"):
        tables.snapshots("shared", "of_events", keys=["id"])
    with pytest.raises(ChangeTargetError, match="found a source of change events in this call; expected snapshots"):
        tables.apply("shared", "of_snapshots", **call)


def test_a_source_of_snapshots_that_was_made_anew_is_refused(tables):
    """Its versions begin again, so new rows would go unnoticed; overwriting it is fine."""
    for text in ("a", "b"):
        tables.source("remade", "id INT, a STRING")
        tables.append("remade", "id INT, a STRING", [(1, text)])
        if text == "a":
            tables.snapshots("remade", "remade_latest", keys=["id"])
            tables.spark.sql("DROP TABLE changes_sources.remade")
    with pytest.raises(ChangeTargetError) as caught:
        tables.snapshots("remade", "remade_latest", keys=["id"])
    tables.spark.sql("INSERT OVERWRITE changes_sources.remade VALUES (1, 'c')")
    tables.snapshots("remade", "remade_latest", keys=["id"])

    assert str(caught.value) == (
        "`changes_sources.remade_latest`: found `changes_sources.remade` made anew, at version 1; expected the "
        "versions after 1, which was applied. Drop the target to begin anew, or overwrite the source instead of "
        "dropping it."
    )
    assert tables.rows("remade_latest") == [(1, "c")]


def test_snapshots_go_on_where_progress_is_lost(tables):
    """The bounds of the history tell which version was applied; an older one must not be applied on top of it."""
    given = [(date(2024, 1, day), [(1, name)]) for day, name in ((1, "a"), (2, "b"), (3, "c"))]
    asked = []

    def snapshot(latest):
        asked.append(latest)
        later = [(version, rows) for version, rows in given if latest is None or version > latest]
        return (tables.spark.createDataFrame(later[0][1], "id INT, a STRING"), later[0][0]) if later else None

    tables.snapshots(snapshot, "lost_versions", keys=["id"], **HISTORY)
    before = tables.rows("lost_versions", "a, unix_date(__START_AT), unix_date(__END_AT)")
    tables.spark.sql(
        "DELETE FROM changes_sources.apply_changes_progress WHERE target = 'changes_sources.lost_versions'"
    )
    again = tables.snapshots(snapshot, "lost_versions", keys=["id"], **HISTORY)

    assert before == [("a", 19723, 19724), ("b", 19724, 19725), ("c", 19725, None)]
    assert (again.events_read, again.version) == (0, None)
    assert asked == [None, *(version for version, _ in given), date(2024, 1, 3)]
    frame = tables.spark.createDataFrame([(1, "d")], "id INT, a STRING")
    for found, words in {
        (frame, 9): r"found the version 9 after datetime.date\(2024, 1, 3\); expected versions of one type",
        (frame, datetime(2024, 1, 4, tzinfo=UTC)): "expected versions of one type",
        (frame, "2024-01-04"): "expected versions of one type",
        (frame, datetime(2024, 1, 4)): "expected versions of one type",
        (frame, 1.5): "found the version 1.5; expected an int, a str, a date or a datetime",
        (None, 5): r"found the snapshot \(None, 5\); expected \(DataFrame, version\), or None",
        frame: r"found the snapshot DataFrame\[id: int, a: string\]; expected \(DataFrame, version\), or None",
    }.items():
        with pytest.raises(ChangeArgumentsError, match=words):
            tables.snapshots(lambda latest, found=found: found, "lost_versions", keys=["id"], **HISTORY)


def test_a_copy_of_the_package_applies_changes_in_any_schema(tables, tmp_path, monkeypatch):
    """Without the rest of the project: its progress is stored beside the targets, and only there."""
    package = Path(cdc.__file__).parent
    shutil.copytree(package, tmp_path / "copied_changes", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(str(tmp_path))
    copied = importlib.import_module("copied_changes")
    tables.source("elsewhere", EVENTS, [(1, "a", 1, "U"), (2, "b", 1, "U"), (2, "c", 2, "D")])
    calls = {
        f"changes_sources.elsewhere_{kind}": {"source": "changes_sources.elsewhere", "stored_as_scd_type": kind, **CALL}
        for kind in (1, 2)
    }
    first = copied.apply_together(tables.spark, calls)
    again = copied.apply_together(tables.spark, calls)

    assert copied.apply_changes.__module__ == "copied_changes.apply"
    assert {target: counts.num_upserted_rows for target, counts in first.items()} == dict(
        zip(calls, (1, 2), strict=True)
    )
    assert all(counts == copied.ChangeCounts(0, 0, 0, 0, 0, None) for counts in again.values())
    assert tables.rows("elsewhere_1") == [(1, "a")]
    assert tables.rows("elsewhere_2") == [(1, "a", 1, None), (2, "b", 1, 2)]
    known = tables.rows("apply_changes_progress", "target, source, source_version, target_version")
    assert [row for row in known if row[0] in calls] == [
        (target, "changes_sources.elsewhere", 1, 0) for target in calls
    ]


def test_several_targets_fail_and_succeed_each_by_itself(tables):
    """A failure does not stop other targets, and is reported with its name; wrong arguments stop everything at once."""
    tables.source("several", EVENTS, [(1, "a", 1, "U")])
    good = {"source": "changes_sources.several", **CALL}
    calls = {
        "changes_sources.good": good,
        "changes_sources.bad": {**good, "source": "changes_sources.absent"},
        "changes_sources.odd": {**good, "apply_as_deletes": "nothing = 1"},
    }
    with pytest.raises(ChangeArgumentsError, match="found no `keys`; expected the columns"):
        apply_together(tables.spark, {**calls, "changes_sources.never": {**good, "keys": []}})
    assert not tables.spark.catalog.tableExists("changes_sources.good")

    with pytest.raises(TargetsFailedError, match="2 of 3 targets failed, the others were written:") as caught:
        apply_together(tables.spark, calls)

    assert {target: type(error) for target, error in caught.value.errors.items()} == {
        "changes_sources.bad": ChangeSourceError,
        "changes_sources.odd": ChangeArgumentsError,
    }
    assert tables.rows("good") == [(1, "a")]


def test_a_target_or_source_that_was_made_anew_is_noticed(tables):
    """Even if its version is the one that is known: everything is derived again."""
    for text in ("a", "b"):
        tables.source("renewed", EVENTS, [(1, text, 1, "U")])
        tables.apply("renewed", "renewed_latest", **CALL)
        assert tables.rows("renewed_latest") == [(1, text)]
        tables.spark.sql("DROP TABLE changes_sources.renewed")
    tables.source("renewed", EVENTS, [(1, "c", 1, "U")])
    tables.apply("renewed", "renewed_latest", **CALL)
    version = tables.spark.sql("DESCRIBE HISTORY changes_sources.renewed_latest LIMIT 1").first().version
    tables.spark.sql("DROP TABLE changes_sources.renewed_latest")
    again = tables.apply("renewed", "renewed_latest", **CALL)

    assert (version, again.version, again.num_upserted_rows) == (2, 0, 1)
    assert tables.rows("renewed_latest") == [(1, "c")]


def test_progress_is_as_short_as_its_targets_are_many(tables, monkeypatch):
    """Rows that no longer apply are dropped, those of other targets are kept, and nothing is read again."""
    tables.source("short", EVENTS, [(1, "a", 1, "U")])
    tables.apply("short", "short_other", **CALL)
    monkeypatch.setattr("lakehouse.cdc.progress._MANY_ROWS", 2)
    for number in (1, 2):
        tables.append("short", EVENTS, [(number, "b", 2, "U")])
        tables.apply("short", "short_latest", **CALL)
    again = [tables.apply("short", target, **CALL) for target in ("short_latest", "short_other")]

    known = [row for row in tables.rows("apply_changes_progress", "target, source") if "short" in row[0]]
    assert sorted(set(known)) == sorted(known) and len(known) == 2
    assert [counts.events_read for counts in again] == [0, 2]
