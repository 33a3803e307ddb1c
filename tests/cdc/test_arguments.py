"""What `apply_changes` refuses before it looks at any row, with the words it says."""

import pytest
from pyspark.sql.types import (
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    VariantType,
)

from lakehouse.cdc.columns import is_null, resolve_columns
from lakehouse.cdc.errors import ChangeArgumentsError
from lakehouse.cdc.flow import make_flow
from lakehouse.cdc.progress import progress_table
from lakehouse.cdc.pruning import bounds, extremes

TEXT = StringType()
SOURCE = StructType(
    [
        StructField("id", IntegerType()),
        StructField("name", TEXT),
        StructField("City", TEXT),
        StructField("tags", MapType(TEXT, TEXT)),
        StructField("doc", VariantType()),
        StructField("seq", LongType()),
        StructField("_file", TEXT),
    ]
)
GOOD = {"source": "s", "target": "t", "keys": ["id"], "sequence_by": "seq", "except_column_list": ["tags", "doc"]}
COLUMNS = "`id`, `name`, `City`, `tags`, `doc`, `seq`, `_file`"


def resolve(schema: StructType = SOURCE, **more):
    return resolve_columns(make_flow(**{**GOOD, **more}), schema)


REFUSED = {
    "no keys": ({"keys": []}, "found no `keys`; expected the columns that identify a row. Name at least one."),
    "a key as text": ({"keys": "id"}, "found `keys='id'`; expected a list of column names. Write `keys=[...]`."),
    "a column twice": (
        {"keys": ["id", "ID"]},
        "found the column `id` twice in `keys`; expected it once. Remove one.",
    ),
    "no sequence": (
        {"sequence_by": []},
        "found no `sequence_by`; expected the column, or columns, that order the events. Name it.",
    ),
    "no source": ({"source": ""}, "found `source=''`; expected the name of a table. Give it as text."),
    "both column lists": (
        {"column_list": ["id"]},
        "found both `column_list` and `except_column_list`; expected one of them. Remove the other.",
    ),
    "both history lists": (
        {
            "stored_as_scd_type": 2,
            "track_history_column_list": ["name"],
            "track_history_except_column_list": ["City"],
        },
        "found both `track_history_column_list` and `track_history_except_column_list`; expected one of them. "
        "Remove the other.",
    ),
    "a history list with type 1": (
        {"track_history_column_list": ["name"]},
        "found `track_history_column_list` with SCD type 1; expected it with `stored_as_scd_type=2` only. Remove it.",
    ),
    "a sequence that is no name": (
        {"sequence_by": 5},
        "found `sequence_by=5`; expected a list of column names. Write `sequence_by=[...]`.",
    ),
    "a condition that is no text": (
        {"apply_as_deletes": True},
        "found `apply_as_deletes=True`; expected a SQL condition. Give it as text.",
    ),
    "NULLs that are ignored somehow": (
        {"ignore_null_updates": "yes"},
        "found `ignore_null_updates='yes'`; expected True or False. Choose one.",
    ),
    "another type": ({"stored_as_scd_type": 3}, "found `stored_as_scd_type=3`; expected 1 or 2. Choose one."),
    "truncate with type 2": (
        {"apply_as_truncates": "true", "stored_as_scd_type": 2},
        "found `apply_as_truncates` with SCD type 2; expected it with SCD type 1 only. Remove it.",
    ),
    "an unknown key": (
        {"keys": ["ident"]},
        f"found the column `ident` in `keys`; expected columns of `s`: {COLUMNS}. Correct the name.",
    ),
    "an unknown sequence": (
        {"sequence_by": ["seq", "ts"]},
        f"found the column `ts` in `sequence_by`; expected columns of `s`: {COLUMNS}. Correct the name.",
    ),
    "a key that is not stored": (
        {"column_list": ["name"], "except_column_list": None},
        "found the key `id` outside the stored columns; expected all keys among them. Store it.",
    ),
    "a map as a key": (
        {"keys": ["tags"], "except_column_list": None},
        "found the column `tags` of type MAP<STRING,STRING> as a key; expected a type whose values can be compared "
        "(no MAP, no VARIANT). Choose another column.",
    ),
    "a variant as a sequence": (
        {"sequence_by": "doc"},
        "found the column `doc` of type VARIANT as a sequence; expected a type whose values can be compared "
        "(no MAP, no VARIANT). Choose another column.",
    ),
    "a tracked map": (
        {"except_column_list": ["doc"], "stored_as_scd_type": 2},
        "found the column `tags` of type MAP<STRING,STRING> as tracked; expected a type whose values can be compared "
        "(no MAP, no VARIANT). Name it in `track_history_except_column_list`.",
    ),
    "tracking a column that is not stored": (
        {"stored_as_scd_type": 2, "track_history_column_list": ["tags"]},
        "found the column `tags` in `track_history_column_list`; expected stored columns that are no keys: "
        "`name`, `City`, `seq`. Correct the list.",
    ),
}


@pytest.mark.parametrize("more, words", REFUSED.values(), ids=REFUSED.keys())
def test_refused_arguments_say_what_was_found_and_expected(more, words):
    """Where, what was found, what was expected, what to do."""
    with pytest.raises(ChangeArgumentsError) as caught:
        resolve(**more)

    assert str(caught.value) == f"`t`: {words}"
    assert caught.value.table == "t"


def test_reserved_names_are_refused():
    """The target's own columns need their names, and so do the columns of the derivation."""
    for name, words in (
        ("__start_at", "found the column `__start_at` among the stored columns; expected `__START_AT` and `__END_AT`"),
        ("__cdc_x", "found the column `__cdc_x` in `s`; expected no name that begins with `__cdc_`."),
    ):
        with pytest.raises(ChangeArgumentsError, match="^`t`: " + words):
            resolve(StructType([*SOURCE.fields, StructField(name, TEXT)]))


def test_columns_of_the_delivery_are_not_stored_unless_named():
    """A replay differs in them, and must not change the target."""
    assert resolve().value_names == ["name", "City", "seq"]
    assert resolve(column_list=["ID", "_file"], except_column_list=None).value_names == ["_file"]


def test_names_are_found_in_any_case_and_spelled_as_in_the_source():
    """As everywhere in Spark."""
    columns = resolve(keys=["ID"], stored_as_scd_type=2, track_history_except_column_list=["CITY", "SEQ"])

    assert (columns.key_names, columns.tracked) == (["id"], ("name",))


def test_several_sequence_columns_are_a_struct_and_null_where_any_part_is():
    """`struct(NULL) IS NULL` is false in Spark."""
    columns = resolve(sequence_by=["seq", "name"])

    assert columns.sequence == "named_struct('seq', `seq`, 'name', `name`)"
    assert columns.sequence_type.simpleString() == "struct<seq:bigint,name:string>"
    assert is_null("q", columns.sequence_type) == "(q IS NULL OR (q.`seq` IS NULL) OR (q.`name` IS NULL))"


def test_few_keys_become_ranges_and_many_one_range():
    """Literals are what prunes files; neighbours share a range so that a filter stays short."""
    fields = [StructField("k", TEXT), StructField("n", IntegerType()), StructField("d", DoubleType())]

    assert bounds(fields[:2], [("a'b", 1), ("c", 1)]) == r"({t}.`k` = 'a\'b' OR {t}.`k` = 'c') AND ({t}.`n` = 1)"
    assert bounds(fields[1:2], [(n,) for n in range(100)]).count("OR") == 49
    assert bounds(fields[2:], [(1.0,)]) == "true"
    assert extremes(fields, ["a", "c", 1, 9, None, None]) == (
        "({t}.`k` >= 'a' AND {t}.`k` <= 'c') AND ({t}.`n` >= 1 AND {t}.`n` <= 9)"
    )
    assert bounds(fields[:1], [("{x}",)]).format(t="t") == "(t.`k` = '{x}')"


def test_progress_is_kept_in_the_schema_of_the_target():
    """However the target is named; a name without a schema is of the current one."""
    named = {
        "lab.users": "lab.apply_changes_progress",
        "main.lab.users": "main.lab.apply_changes_progress",
        "main.`my.lab`.`a``.b`": "main.`my.lab`.apply_changes_progress",
        "`a.b`": "apply_changes_progress",
        "users": "apply_changes_progress",
    }

    assert {target: progress_table(target) for target in named} == named
