"""Delta's Python API as SQL: what its client sends, without a server."""

import datetime
from decimal import Decimal

import pyspark.sql.connect.proto as proto
import pytest
from delta.connect import plan as delta
from delta.connect import proto as messages
from dialect_fakes import Schemas
from google.protobuf.any_pb2 import Any as Packed
from pyspark.sql.connect import functions as F
from pyspark.sql.connect.column import Column
from pyspark.sql.connect.plan import LocalRelation, Read, SubqueryAlias
from pyspark.sql.connect.types import pyspark_types_to_proto_types
from pyspark.sql.types import ArrayType, DecimalType, IntegerType, MapType, StringType, StructType

from lakelocal.dialect.column_sql import ColumnSql, attribute_parts, type_sql
from lakelocal.dialect.plans import Dialect
from lakelocal.errors import DialectError, PathError
from lakelocal.project import State

NAMED = messages.DeltaTable(table_or_view_name="dev.silver.orders")


@pytest.fixture
def dialect(tmp_path) -> Dialect:
    state = State(tmp_path, "dev", tmp_path / "dev").make()
    (state.volumes / "raw" / "files" / "table" / "_delta_log").mkdir(parents=True)
    (state.volumes / "raw" / "files" / "table" / "_delta_log" / "0.json").touch()
    return Dialect(state)


@pytest.fixture
def command(dialect):
    """The SQL of a command of the API; "{files}" stands for the folder of the volume `raw.files`."""
    files = str(dialect.state.volumes / "raw" / "files")

    def sql(sent: delta.DeltaLogicalPlan | proto.Command) -> str:
        request = sent if isinstance(sent, proto.Command) else sent.command(None)
        asked = proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(command=request))
        found = dialect.rewrite(asked, Schemas("default")).plan.command
        return found.sql_command.input.sql.query.replace(files, "{files}")

    return sql


@pytest.fixture
def relation(dialect):
    """The relation that Spark is given for one of the API."""

    def rewritten(sent: delta.DeltaLogicalPlan) -> proto.Relation:
        asked = proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(root=sent.plan(None)))
        return dialect.rewrite(asked, Schemas("default")).plan.root

    return rewritten


def column_sql(column: Column) -> str:
    return ColumnSql("DeltaTable.merge", as_written, lambda function: "made").write(column.to_plan(None))


def as_written(attribute: proto.Expression.UnresolvedAttribute) -> list[str]:
    return attribute_parts(attribute.unparsed_identifier)


@pytest.mark.parametrize(
    ("column", "sql"),
    [
        (F.col("t.a b"), "`t`.`a b`"),
        (F.col("`a.b`.c"), "`a.b`.`c`"),
        (F.col("id") == F.col("s.id"), "`==`(`id`, `s`.`id`)"),
        ((F.col("a") > 1) & ~F.col("b"), "`and`(`>`(`a`, 1), `not`(`b`))"),
        (-F.col("a") + 2.5, "`+`(`negative`(`a`), CAST('2.5' AS DOUBLE))"),
        (F.col("a").isNotNull(), "`isNotNull`(`a`)"),
        (F.col("a").isin("x", "o'clock"), r"`in`(`a`, 'x', 'o\'clock')"),
        (F.col("a").between(1, 2), "`and`(`>=`(`a`, 1), `<=`(`a`, 2))"),
        (F.col("a").eqNullSafe(None), "`<=>`(`a`, NULL)"),
        (F.when(F.col("a") == 1, "x").otherwise("y"), "`when`(`==`(`a`, 1), 'x', 'y')"),
        (F.expr("a + 1 -- one"), "(a + 1 -- one\n)"),
        (F.col("a").cast("decimal(10,2)"), "CAST(`a` AS decimal(10,2))"),
        (F.col("a").try_cast(IntegerType()), "TRY_CAST(`a` AS INT)"),
        (F.coalesce("a", F.lit(Decimal("1.50"))), "`coalesce`(`a`, CAST('1.50' AS DECIMAL(3, 2)))"),
        (F.lit(datetime.date(2024, 2, 29)), "DATE '2024-02-29'"),
        (F.lit(2**40), "1099511627776L"),
        (F.col("a")["x"], "(`a`)['x']"),
        (F.col("a").getItem(0), "(`a`)[0]"),
        (F.struct(F.col("a").alias("b c"), "d"), "struct(`a` AS `b c`, `d`)"),
        (F.col("a").alias("ignored"), "`a`"),
        (F.call_function("sys.f", F.col("a")), "`sys`.`f`(`a`)"),
        (F.count_distinct("a"), "`count`(DISTINCT `a`)"),
        (F.current_timestamp(), "`current_timestamp`()"),
        (F.struct("s.*"), "struct(`s`.*)"),
    ],
)
def test_columns_as_sql(column, sql):
    """Operators are functions of their own names; names are quoted, and so keep any character."""
    assert column_sql(column) == sql


def test_lambdas_name_their_variables():
    assert column_sql(F.filter("a", lambda x: x > 1)).startswith("`filter`(`a`, x_")
    assert ") -> `+`(" in column_sql(F.aggregate("a", F.lit(0), lambda total, x: total + x))


def test_a_column_of_a_data_frame_is_its_owners():
    taken = proto.Expression.UnresolvedAttribute(unparsed_identifier="id", plan_id=7)

    written = ColumnSql("x", lambda each: [f"plan{each.plan_id}", *as_written(each)], lambda _: "").write(
        proto.Expression(unresolved_attribute=taken)
    )

    assert written == "`plan7`.`id`"


@pytest.mark.parametrize("column", [F.col("a").dropFields("b"), F.col("a").desc()])
def test_what_sql_has_no_words_for_is_refused_by_name(column):
    with pytest.raises(
        DialectError, match=r"DeltaTable\.merge: found `.*` in a column; expected an expression that SQL has"
    ):
        column_sql(column)


@pytest.mark.parametrize(
    ("name", "parts"), [("a.b", ["a", "b"]), ("`a.b`.`c``d`", ["a.b", "c`d"]), ("über straße", ["über straße"])]
)
def test_the_parts_of_a_columns_name(name, parts):
    assert attribute_parts(name) == parts


def test_types_are_declared_with_any_field_name():
    inner = StructType().add("a b", DecimalType(10, 2)).add("c", ArrayType(MapType(StringType(), IntegerType())))

    assert type_sql(pyspark_types_to_proto_types(inner)) == (
        "STRUCT<`a b`: DECIMAL(10,2), `c`: ARRAY<MAP<STRING, INT>>>"
    )


@pytest.mark.parametrize(
    ("sent", "sql"),
    [
        (delta.Vacuum(NAMED, None), "VACUUM `silver`.`orders`"),
        (delta.Vacuum(NAMED, 0.5), "VACUUM `silver`.`orders` RETAIN 0.5 HOURS"),
        (delta.Vacuum(NAMED, 168.0), "VACUUM `silver`.`orders` RETAIN 168 HOURS"),
        (
            delta.Generate(NAMED, "symlink_format_manifest"),
            "GENERATE symlink_format_manifest FOR TABLE `silver`.`orders`",
        ),
        (
            delta.UpgradeTableProtocol(NAMED, 1, 3),
            "ALTER TABLE `silver`.`orders` SET "
            "TBLPROPERTIES ('delta.minReaderVersion' = '1', 'delta.minWriterVersion' = '3')",
        ),
        (
            delta.AddFeatureSupport(NAMED, "deletionVectors"),
            "ALTER TABLE `silver`.`orders` SET TBLPROPERTIES ('delta.feature.deletionVectors' = 'supported')",
        ),
        (
            delta.DropFeatureSupport(NAMED, "deletionVectors", True),
            "ALTER TABLE `silver`.`orders` DROP FEATURE `deletionVectors` TRUNCATE HISTORY",
        ),
        (
            delta.CloneTable(NAMED, "dev.gold.copy", True, False, {"a": "b"}, version=3),
            "CREATE TABLE `gold`.`copy` SHALLOW CLONE `silver`.`orders` VERSION AS OF 3 TBLPROPERTIES ('a' = 'b')",
        ),
        (
            delta.CloneTable(NAMED, "/Volumes/dev/raw/files/x", True, False, None, timestamp="2024-01-01"),
            "CREATE TABLE delta.`{files}/x` SHALLOW CLONE `silver`.`orders` TIMESTAMP AS OF '2024-01-01'",
        ),
    ],
)
def test_commands_of_a_table(command, sent, sql):
    """Names lose the run's catalog, paths are those of the volume."""
    assert command(sent) == sql


def test_a_builder_is_a_create_table(command):
    """Everything that it can be told, in the order that SQL wants."""
    column = messages.CreateDeltaTable.Column
    text = proto.DataType(unparsed=proto.DataType.Unparsed(data_type_string="DATE"))
    columns = [
        column(name="id", data_type=proto.DataType(long=proto.DataType.Long()), nullable=False, comment="it's a key"),
        column(name="day", data_type=text, nullable=True, generated_always_as="CAST(at AS DATE)"),
        column(
            name="n", data_type=text, nullable=True,
            identity_info=column.IdentityInfo(start=5, step=2, allow_explicit_insert=True),
        ),
    ]  # fmt: skip
    create = delta.CreateDeltaTable(
        messages.CreateDeltaTable.Mode.MODE_CREATE_IF_NOT_EXISTS, "dev.gold.t", "/Volumes/dev/raw/files/t", "words",
        columns, ["day"], {"k": "v"}, [],
    )  # fmt: skip

    assert command_text(create) == (
        "CREATE TABLE IF NOT EXISTS `dev`.`gold`.`t` (`id` BIGINT NOT NULL COMMENT 'it\\'s a key', "
        "`day` DATE GENERATED ALWAYS AS (CAST(at AS DATE)), "
        "`n` DATE GENERATED BY DEFAULT AS IDENTITY (START WITH 5 INCREMENT BY 2)) USING DELTA PARTITIONED BY (`day`) "
        "LOCATION '/Volumes/dev/raw/files/t' COMMENT 'words' TBLPROPERTIES ('k' = 'v')"
    )
    only_place = delta.CreateDeltaTable(
        messages.CreateDeltaTable.Mode.MODE_REPLACE, None, "/Volumes/dev/raw/files/t", None, columns[:1], [], {}, ["id"]
    )
    assert command(only_place) == (
        "REPLACE TABLE delta.`{files}/t` (`id` BIGINT NOT NULL COMMENT 'it\\'s a key') USING DELTA CLUSTER BY (`id`)"
    )


def command_text(create: delta.CreateDeltaTable) -> str:
    from lakelocal.dialect.delta_api.builder import create_table

    return create_table(create.to_delta_command(None).create_delta_table)


@pytest.mark.parametrize(
    ("sent", "sql"),
    [
        (delta.DescribeHistory(NAMED), "DESCRIBE HISTORY `silver`.`orders`"),
        (delta.RestoreTable(NAMED, version=2), "RESTORE TABLE `silver`.`orders` TO VERSION AS OF 2"),
        (
            delta.RestoreTable(NAMED, timestamp="2024-01-01 00:00:00"),
            "RESTORE TABLE `silver`.`orders` TO TIMESTAMP AS OF '2024-01-01 00:00:00'",
        ),
        (
            delta.OptimizeTable(NAMED, ["day = '1'", "x = 2 OR x = 3"], ["a b", "c"]),
            "OPTIMIZE `silver`.`orders` WHERE (day = '1') AND (x = 2 OR x = 3) ZORDER BY (`a b`, `c`)",
        ),
        (
            delta.UpdateTable(delta.DeltaScan(NAMED), F.expr("id = 1"), [delta.Assignment(F.col("a"), F.lit("x"))]),
            "UPDATE `silver`.`orders` SET `a` = 'x' WHERE (id = 1\n)",
        ),
        (
            delta.DeleteFromTable(SubqueryAlias(delta.DeltaScan(NAMED), "o"), F.col("o.id") == 1),
            "DELETE FROM `silver`.`orders` AS `o` WHERE `==`(`o`.`id`, 1)",
        ),
    ],
)
def test_statements_that_give_rows(relation, sent, sql):
    """They stay relations, with the number of their plan."""
    found = relation(sent)

    assert found.sql.query == sql
    assert found.common.plan_id == sent._plan_id


def test_a_scan_is_the_table(relation, dialect):
    place = messages.DeltaTable(path=messages.DeltaTable.Path(path="/Volumes/dev/raw/files/table"))

    assert relation(delta.DeltaScan(NAMED)).read.named_table.unparsed_identifier == "silver.orders"
    assert relation(delta.DeltaScan(place)).read.named_table.unparsed_identifier == (
        f"delta.`{dialect.state.volumes / 'raw' / 'files' / 'table'}`"
    )


def test_a_volume_that_is_not_there_is_told(relation):
    place = messages.DeltaTable(path=messages.DeltaTable.Path(path="/Volumes/dev/raw/nowhere/table"))

    with pytest.raises(PathError, match=r"the volume `raw\.nowhere`"):
        relation(delta.DeltaScan(place))


@pytest.mark.parametrize(
    ("source", "alias"),
    [
        (SubqueryAlias(Read("dev.raw.new"), "s"), "s"),
        (Read("dev.raw.new"), "new"),
        (Read("dev.raw.orders"), "merge_source"),  # as the target is called
        (LocalRelation(None, schema="id long"), "merge_source"),
    ],
)
def test_the_source_of_a_merge_has_the_alias_that_its_columns_have(relation, source, alias):
    """It goes beside the statement, as a view that no other statement has."""
    insert = delta.InsertStarAction(F.col("id") > 0)
    sent = delta.MergeIntoTable(delta.DeltaScan(NAMED), source, F.expr("1 = 1"), [], [insert], [], True)

    found = relation(sent).with_relations

    view = found.references[0].subquery_alias.alias
    assert found.root.sql.query == (
        f"MERGE WITH SCHEMA EVOLUTION INTO `silver`.`orders` USING `{view}` AS `{alias}` ON (1 = 1\n) "
        "WHEN NOT MATCHED AND `>`(`id`, 0) THEN INSERT *"
    )
    assert view.startswith("merge_source_")


def test_every_clause_of_a_merge(relation):
    assignment = delta.Assignment(F.col("t.a"), F.col("s.a"))
    target = SubqueryAlias(delta.DeltaScan(NAMED), "t")
    matched = [delta.UpdateStarAction(None), delta.UpdateAction(F.lit(True), [assignment]), delta.DeleteAction(None)]
    missing = [delta.InsertAction(None, [assignment, delta.Assignment(F.col("b"), F.lit(1))])]
    gone = [delta.UpdateAction(None, [assignment]), delta.DeleteAction(F.lit(False))]
    sent = delta.MergeIntoTable(target, Read("x"), F.lit(True), matched, missing, gone, False)

    text = relation(sent).with_relations.root.sql.query

    assert text.partition(" ON ")[2] == (
        "TRUE WHEN MATCHED THEN UPDATE SET * WHEN MATCHED AND TRUE THEN UPDATE SET `t`.`a` = `s`.`a` "
        "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (`t`.`a`, `b`) VALUES (`s`.`a`, 1) "
        "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET `t`.`a` = `s`.`a` WHEN NOT MATCHED BY SOURCE AND FALSE THEN DELETE"
    )


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/Volumes/dev/raw/files/table", "true"),
        ("/Volumes/dev/raw/files/table/day=1", "true"),  # Delta looks for the root above
        ("/Volumes/dev/raw/files", "false"),
        ("/Volumes/dev/raw/files/other", "false"),
    ],
)
def test_is_it_a_delta_table(relation, path, answer):
    assert relation(delta.IsDeltaTable(path)).sql.query == f"SELECT {answer} AS value"


def test_a_place_that_this_machine_cannot_see_is_refused(relation):
    with pytest.raises(DialectError, match="isDeltaTable: found `s3://bucket/table`"):
        relation(delta.IsDeltaTable("s3://bucket/table"))


def test_a_converted_table_is_named(relation, dialect):
    """The statement beside the answer is run first; the name is the user's, who gives it back."""
    sent = delta.ConvertToDelta("parquet.`/Volumes/dev/raw/files/x`", StructType().add("day", IntegerType()))

    found = relation(sent).with_relations

    assert found.root.sql.query == "SELECT 'delta.`/Volumes/dev/raw/files/x`' AS value"
    assert found.references[0].subquery_alias.input.sql.query == (
        f"CONVERT TO DELTA parquet.`{dialect.state.volumes}/raw/files/x` PARTITIONED BY (`day` INT)"
    )


def test_messages_of_others_stay_as_they_are(dialect):
    """A plugin of somebody else's server may want them."""
    packed = Packed(type_url="type.googleapis.com/other.Message", value=b"x")
    asked = proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(root=proto.Relation(extension=packed)))

    assert dialect.rewrite(asked, Schemas("default")) == asked


def test_the_api_is_the_one_of_the_pinned_delta():
    """A method that is new in Delta's client is a message that is new here: look at `delta_api`."""
    relations = {field.name for field in messages.DeltaRelation.DESCRIPTOR.fields}
    commands = {field.name for field in messages.DeltaCommand.DESCRIPTOR.fields}

    from lakelocal.dialect.delta_api.api import _COMMANDS, DeltaApi

    assert commands == set(_COMMANDS)
    assert all(hasattr(DeltaApi, f"_{name}") for name in relations)
