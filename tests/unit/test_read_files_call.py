"""Calls of read_files in a SQL text: their positions, their arguments, the stars around them."""

import pyspark.sql.connect.proto as proto
import pytest
from dialect_fakes import Schemas

from lakelocal.dialect.plans import Dialect
from lakelocal.dialect.read_files import has_calls, temporary_view
from lakelocal.errors import DialectError
from lakelocal.project import State


@pytest.fixture
def dialect(tmp_path) -> Dialect:
    state = State(tmp_path, "dev", tmp_path / "dev").make()
    folder = state.volumes / "raw" / "files" / "csv"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("id,name\n1,a\n", "utf-8")
    return Dialect(state)


def expand(dialect, sql: str) -> proto.WithRelations:
    """The text and the relations into which *sql* is turned; `:files` stands for the path of a volume."""
    text = sql.replace(":files", "'/Volumes/dev/raw/files/csv'")
    plan = proto.Plan(root=proto.Relation(sql=proto.SQL(query=text)))
    rewritten = dialect.rewrite(proto.ExecutePlanRequest(session_id="s", plan=plan), Schemas("default"))
    return rewritten.plan.root.with_relations


def query(relations: proto.WithRelations) -> str:
    """The text, in which the relations are named T1, T2, ..., without the comment at its end."""
    text = relations.root.sql.query.partition(" /*read_files")[0]
    for number, reference in enumerate(relations.references, 1):
        text = text.replace(f"`{reference.subquery_alias.alias}`", f"T{number}")
    return text


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM read_files(:files)", "SELECT * FROM T1"),
        ("SELECT * FROM READ_FILES ( :files , format => 'csv' ) AS f;", "SELECT * FROM T1 AS f"),
        ("SELECT * FROM STREAM read_files(:files)", "SELECT * FROM T1"),
        ("SELECT * FROM STREAM(read_files(:files)) f", "SELECT * FROM T1 f"),
        ("SELECT 'read_files(1)' FROM read_files(:files)", "SELECT 'read_files(1)' FROM T1"),
        (
            "SELECT * FROM read_files(:files) a JOIN read_files(path => :files, header => true) b USING (id)",
            "SELECT * FROM T1 a JOIN T2 b USING (id)",
        ),
        (
            "SELECT *, _metadata.file_name FROM read_files(:files)",
            "SELECT * EXCEPT (_metadata), _metadata.file_name FROM T1",
        ),
        (
            "SELECT f.*, t.*, count(*), f._metadata FROM t JOIN read_files(:files) f",
            "SELECT f.* EXCEPT (_metadata), t.*, count(*), f._metadata FROM t JOIN T1 f",
        ),
        (
            "SELECT * EXCEPT (id) FROM read_files(:files) WHERE _metadata.file_size > 2 * 3",
            "SELECT * EXCEPT (_metadata, id) FROM T1 WHERE _metadata.file_size > 2 * 3",
        ),
        (
            "SELECT * FROM (SELECT *, _metadata.file_size s FROM read_files(:files)) WHERE s > 1",
            "SELECT * FROM (SELECT * EXCEPT (_metadata), _metadata.file_size s FROM T1) WHERE s > 1",
        ),
    ],
)
def test_calls_become_names(dialect, sql, expected):
    """What surrounds them stays as it was written."""
    assert query(expand(dialect, sql)) == expected


def test_a_plan_that_comes_back_is_planned_anew(dialect):
    """The text carries its original, and has no relation twice."""
    first = expand(dialect, "SELECT id FROM read_files(:files)")
    again = dialect.rewrite(
        proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(root=proto.Relation(with_relations=first))),
        Schemas("default"),
    ).plan.root.with_relations

    assert query(again) == query(first)
    assert len(again.references) == 1
    assert again.references[0].subquery_alias.alias != first.references[0].subquery_alias.alias
    assert again.references[0].subquery_alias.input == first.references[0].subquery_alias.input


def test_the_frames_of_a_text_stay_beside_it(dialect):
    """`spark.sql("... {frame} ... read_files(...)", frame=frame)`."""
    frame = proto.Relation(
        subquery_alias=proto.SubqueryAlias(input=proto.Relation(range=proto.Range(end=1)), alias="x")
    )
    text = "SELECT * FROM x, read_files('/Volumes/dev/raw/files/csv')"
    root = proto.Relation(sql=proto.SQL(query=text))
    plan = proto.Plan(root=proto.Relation(with_relations=proto.WithRelations(root=root, references=[frame])))

    found = dialect.rewrite(proto.ExecutePlanRequest(session_id="s", plan=plan), Schemas("default"))

    relations = found.plan.root.with_relations
    assert relations.root.HasField("sql")
    assert [each.subquery_alias.alias == "x" for each in relations.references] == [True, False]


@pytest.mark.parametrize(
    ("sql", "name", "is_global", "replaces", "text"),
    [
        ("CREATE TEMP VIEW v AS SELECT * FROM read_files('x');", "v", False, False, "SELECT * FROM read_files('x')"),
        (
            "create or replace temporary view `a b` AS TABLE read_files('x')",
            "a b",
            False,
            True,
            "TABLE read_files('x')",
        ),
        (
            "CREATE OR REPLACE GLOBAL TEMP VIEW v (a, b) AS SELECT * FROM read_files('x')",
            "v",
            True,
            True,
            "SELECT * FROM (SELECT * FROM read_files('x')) AS t(a, b)",
        ),
    ],
)
def test_temporary_views(sql, name, is_global, replaces, text):
    """They are made from the plan of their query."""
    view = temporary_view(sql)

    assert view is not None
    assert (view.name, view.is_global, view.replaces, view.query) == (name, is_global, replaces, text)


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE t AS SELECT * FROM read_files('x')", "CREATE TEMP VIEW v AS SELECT 1", "SELECT 1"]
)
def test_other_statements_are_no_temporary_views(sql):
    """They are passed on unchanged."""
    assert temporary_view(sql) is None


@pytest.mark.parametrize("sql", ["SELECT read_files FROM t", "SELECT 1 -- read_files('x')", "SELECT 'read_files(1)'"])
def test_what_is_no_call(sql):
    """A column, a comment and a string with that name."""
    assert not has_calls(sql)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        (
            "CREATE OR REPLACE VIEW v AS SELECT * FROM read_files(:files)",
            "only a temporary view can contain read_files",
        ),
        ("SELECT * FROM read_files(:files, 'csv')", "found `'csv'`; expected `key => value`"),
        ("SELECT * FROM read_files(format => 'csv')", "as the path of read_files"),
        ("SELECT * FROM read_files(:files, allowOverwrites => true)", "cloudFiles.allowOverwrites: found `true`"),
    ],
)
def test_what_is_refused(dialect, sql, text):
    """By name, before anything runs."""
    with pytest.raises(DialectError) as raised:
        expand(dialect, sql)
    assert text in str(raised.value)
