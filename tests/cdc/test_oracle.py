"""The oracle gives the documentation's own examples, and the cases that were measured, written out by hand."""

from tests.cdc.oracle import DELETE, TRUNCATE, UPSERT, Event, current, history, ties


def event(key, sequence, name=None, city=None, kind=UPSERT):
    return Event(key, sequence, kind, {"name": name, "city": city})


DOCUMENTED = [
    event(124, 1, "Raul", "Oaxaca"),
    event(123, 1, "Isabel", "Monterrey"),
    event(125, 2, "Mercedes", "Tijuana"),
    event(126, 2, "Lily", "Cancun"),
    event(123, 6, kind=DELETE),
    event(125, 6, "Mercedes", "Guadalajara"),
    event(125, 5, "Mercedes", "Mexicali"),
    event(123, 5, "Isabel", "Chihuahua"),
]


def rows(versions):
    found = [(v.key, v.values["name"], v.values["city"], v.start, v.end) for v in versions]
    return sorted(found, key=lambda row: (row[0], row[3]))


def test_scd_1_of_the_documented_example():
    """Key 123 is deleted, 125 has its latest city although an older one arrived later."""
    expected = {124: ("Raul", "Oaxaca"), 125: ("Mercedes", "Guadalajara"), 126: ("Lily", "Cancun")}

    assert {key: tuple(values.values()) for key, values in current(DOCUMENTED).items()} == expected


def test_truncate_of_the_documented_example():
    """A truncate at 3 that arrives last, without a key, takes away what was last changed before 3."""
    events = [*DOCUMENTED, event(None, 3, kind=TRUNCATE)]

    assert list(current(events)) == [125]


def test_a_truncate_wins_at_its_own_sequence_and_over_keys_seen_later():
    """It is a delete of every key, and a delete wins a tie."""
    events = [event(None, 3, kind=TRUNCATE), event(1, 3, "a"), event(2, 2, "b"), event(3, 4, "c")]

    assert list(current(events)) == [3]


def test_scd_2_of_the_documented_example():
    """Every column opens a version."""
    assert rows(history(DOCUMENTED)) == [
        (123, "Isabel", "Monterrey", 1, 5),
        (123, "Isabel", "Chihuahua", 5, 6),
        (124, "Raul", "Oaxaca", 1, None),
        (125, "Mercedes", "Tijuana", 2, 5),
        (125, "Mercedes", "Mexicali", 5, 6),
        (125, "Mercedes", "Guadalajara", 6, None),
        (126, "Lily", "Cancun", 2, None),
    ]


def test_scd_2_of_the_documented_example_without_tracking_the_city():
    """The last values of a run, the first sequence."""
    assert rows(history(DOCUMENTED, tracked=["name"])) == [
        (123, "Isabel", "Chihuahua", 1, 6),
        (124, "Raul", "Oaxaca", 1, None),
        (125, "Mercedes", "Guadalajara", 2, None),
        (126, "Lily", "Cancun", 2, None),
    ]


def test_no_run_goes_on_over_a_delete():
    """The same values after a delete are a new version."""
    events = [event(1, 1, "a"), event(1, 2, kind=DELETE), event(1, 3, kind=DELETE), event(1, 4, "a")]

    assert rows(history(events)) == [(1, "a", None, 1, 2), (1, "a", None, 4, None)]


def test_ties_do_not_depend_on_the_order():
    """A delete wins, then the greatest values, None lowest."""
    tied = [event(1, 1, "a", None), event(1, 1, "a", "b"), event(2, 1, "z"), event(2, 1, kind=DELETE)]

    assert rows(history(tied)) == rows(history(reversed(tied))) == [(1, "a", "b", 1, None)]
    assert ties(tied) == 2
    assert ties([event(1, 1, "a"), event(1, 1, "a")]) == 0


def test_ignored_nulls_keep_values_of_the_same_life():
    """Field by field in a struct; nothing is carried over a delete."""
    events = [
        Event(1, 1, UPSERT, {"a": 1, "s": {"x": 1, "y": None}}),
        Event(1, 2, UPSERT, {"a": None, "s": {"x": None, "y": 2}}),
        Event(1, 3, UPSERT, {"a": 3, "s": None}),
        Event(1, 4, DELETE, {"a": None, "s": None}),
        Event(1, 5, UPSERT, {"a": None, "s": None}),
    ]

    assert [v.values for v in history(events, ignore_nulls=True)] == [
        {"a": 1, "s": {"x": 1, "y": None}},
        {"a": 1, "s": {"x": 1, "y": 2}},
        {"a": 3, "s": {"x": 1, "y": 2}},
        {"a": None, "s": None},
    ]
