"""Requests of Spark Connect are translated in a copy, wherever they contain a name or a path."""

import time

import pyspark.sql.connect.proto as proto
import pytest
import zstandard
from dialect_fakes import Schemas

from lakelocal.dialect.answers import show_error
from lakelocal.dialect.plans import Dialect
from lakelocal.dialect.settings import show_settings
from lakelocal.errors import DialectError, PathError
from lakelocal.project import State


@pytest.fixture
def dialect(tmp_path) -> Dialect:
    state = State(tmp_path, "dev", tmp_path / "dev").make()
    (state.volumes / "raw" / "files").mkdir(parents=True)
    return Dialect(state)


@pytest.fixture
def rewrite(dialect):
    """Translates a request for a server with the schema `default`."""
    return lambda request: dialect.rewrite(request, Schemas("default"))


@pytest.fixture
def place(dialect) -> str:
    return str(dialect.state.volumes / "raw" / "files")


def table(name: str) -> proto.Relation:
    return proto.Relation(read=proto.Read(named_table=proto.Read.NamedTable(unparsed_identifier=name)))


def request(**plan) -> proto.ExecutePlanRequest:
    return proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(**plan))


def test_the_request_of_the_caller_is_not_changed(rewrite):
    """The client sends it again when it retries."""
    sent = request(root=table("dev.a.t"))

    found = rewrite(sent)

    assert sent == request(root=table("dev.a.t"))
    assert found == request(root=table("a.t"))


def test_tables_deep_in_a_plan(rewrite):
    """Joins, subqueries and the relations of a SQL text contain their own tables."""

    def plan(name: str) -> proto.Relation:
        join = proto.Join(left=table(name), right=proto.Relation(limit=proto.Limit(input=table(name), limit=1)))
        reference = proto.Relation(subquery_alias=proto.SubqueryAlias(input=proto.Relation(join=join), alias="x"))
        sql = proto.Relation(sql=proto.SQL(query=f"SELECT * FROM x, {name}"))
        return proto.Relation(with_relations=proto.WithRelations(root=sql, references=[reference]))

    assert rewrite(request(root=plan("dev.a.t"))) == request(root=plan("a.t"))


def test_analysis_is_translated_too(rewrite):
    """`df.schema` asks about the same plan that will run."""

    def ask(name: str) -> proto.AnalyzePlanRequest:
        schema = proto.AnalyzePlanRequest.Schema(plan=proto.Plan(root=table(name)))
        return proto.AnalyzePlanRequest(session_id="s", schema=schema)

    assert rewrite(ask("dev.a.t")) == ask("a.t")


def test_compressed_plans(rewrite):
    """Clients compress large plans; the server also accepts them uncompressed."""
    data = zstandard.ZstdCompressor().compress(table("dev.a.t").SerializeToString())
    packed = proto.Plan.CompressedOperation(
        data=data,
        op_type=proto.Plan.CompressedOperation.OP_TYPE_RELATION,
        compression_codec=proto.COMPRESSION_CODEC_ZSTD,
    )

    assert rewrite(request(compressed_operation=packed)) == request(root=table("a.t"))


def test_writes_and_streams(rewrite, place):
    """Tables, paths and checkpoints."""
    write = proto.WriteOperation(input=table("dev.a.t"), source="delta", path="/Volumes/dev/raw/files/x")
    table_write = proto.WriteOperation(
        input=table("a.t"), table=proto.WriteOperation.SaveTable(table_name="`dev`.a.`my t`")
    )
    stream = proto.WriteStreamOperationStart(
        input=table("a.t"),
        table_name="dev.a.u",
        options={"checkpointLocation": "dbfs:/Volumes/dev/raw/files/c"},
    )

    found = rewrite(request(command=proto.Command(write_operation=write))).plan.command.write_operation
    assert (found.path, found.input) == (f"{place}/x", table("a.t"))
    found = rewrite(request(command=proto.Command(write_operation=table_write))).plan.command.write_operation
    assert found.table.table_name == "a.`my t`"
    found = rewrite(request(command=proto.Command(write_stream_operation_start=stream))).plan.command
    assert found.write_stream_operation_start.table_name == "a.u"
    assert dict(found.write_stream_operation_start.options) == {"checkpointLocation": f"{place}/c"}


def test_data_is_not_touched(rewrite):
    """Rows that a notebook sends are data, whatever they contain."""
    rows = proto.Relation(local_relation=proto.LocalRelation(data=b"dev.a.t", schema="`dev.a.t` STRING"))
    literal = proto.Expression(literal=proto.Expression.Literal(string="SELECT * FROM dev.a.t"))
    plan = proto.Relation(project=proto.Project(input=rows, expressions=[literal]))

    assert rewrite(request(root=plan)) == request(root=plan)


def test_identifier_clauses_are_filled_in(rewrite):
    """`IDENTIFIER(:name)` with arguments fails over Spark Connect."""
    argument = proto.Expression(literal=proto.Expression.Literal(string="dev"))
    sql = proto.SQL(query="SELECT * FROM IDENTIFIER(:c || '.a.t')", named_arguments={"c": argument})
    command = proto.Command(sql_command=proto.SqlCommand(input=proto.Relation(sql=sql)))

    found = rewrite(request(command=command)).plan.command.sql_command.input.sql

    assert found.query == "SELECT * FROM a.t"


def test_a_statement_is_done_once_and_only_as_a_command(dialect, rewrite):
    """The same text inside a query or an analysis must not create anything."""
    sql = proto.Relation(sql=proto.SQL(query="CREATE VOLUME v"))

    rewrite(request(root=sql))
    assert dialect.statements.volumes.existing("dev") == [("raw", "files")]
    rewrite(request(command=proto.Command(sql_command=proto.SqlCommand(input=sql))))
    assert dialect.statements.volumes.existing("dev") == [("default", "v"), ("raw", "files")]


def test_errors_name_the_table_and_the_path(rewrite):
    """An error can refer to a name given to an API as well as to a statement."""
    source = proto.Read.DataSource(format="csv", paths=["/Volumes/dev/raw/nope/x"])

    with pytest.raises(DialectError, match=r"The table `prod\.a\.t`: found the catalog `prod`"):
        rewrite(request(root=table("prod.a.t")))
    with pytest.raises(PathError, match=r"^Volume path not found: /Volumes/dev/raw/nope/x"):
        rewrite(request(root=proto.Relation(read=proto.Read(data_source=source))))


def test_other_requests_pass(rewrite):
    """Settings, artifacts and reattaching contain no names."""
    config = proto.ConfigRequest(session_id="s")

    assert rewrite(config) is config


def test_a_request_takes_about_a_millisecond(rewrite):
    """Every statement pays for the translation; the bound is loose for busy machines."""
    sql = proto.SQL(query="SELECT a, b, sum(c) FROM dev.a.t JOIN dev.b.u USING (k) WHERE a = 'x' GROUP BY ALL")
    sent = request(command=proto.Command(sql_command=proto.SqlCommand(input=proto.Relation(sql=sql))))
    rewrite(sent)

    best = min(_seconds(lambda: rewrite(sent)) for _ in range(20))

    assert best < 0.003


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def settings(**values: str) -> proto.ConfigRequest:
    """A request that makes the settings *values*, in whose names `_` is a dot."""
    pairs = [proto.KeyValue(key=key.replace("_", "."), value=value) for key, value in values.items()]
    operation = proto.ConfigRequest.Operation(set=proto.ConfigRequest.Set(pairs=pairs))
    return proto.ConfigRequest(session_id="s", operation=operation)


def test_what_databricks_would_choose_stays_as_it_is(rewrite):
    """Spark takes numbers only."""
    own = {"my_own": "auto"}
    assert rewrite(settings(spark_sql_shuffle_partitions="auto", **own)) == settings(**own)
    assert rewrite(settings(spark_sql_shuffle_partitions="8")) == settings(spark_sql_shuffle_partitions="8")


def test_a_path_in_a_setting_is_translated(rewrite, place):
    """Paths in settings are translated; Spark would look for checkpoints at the root of the machine."""

    def setting(key: str, value: str) -> proto.ConfigRequest:
        return settings(**{key: value})

    checkpoints = "spark.sql.streaming.checkpointLocation"
    assert rewrite(setting(checkpoints, "/Volumes/dev/raw/files/a")) == setting(checkpoints, f"{place}/a")
    assert rewrite(setting("my.own", "/Volumes/dev/raw/files/a")) == setting("my.own", "/Volumes/dev/raw/files/a")


def test_a_path_in_a_setting_is_shown_as_it_was_set(dialect, place):
    """Code that reads the setting builds paths with it."""
    checkpoints = "spark.sql.streaming.checkpointLocation"
    pairs = [(checkpoints, f"{place}/a"), (checkpoints, "/data/a"), ("my.own", f"{place}/a")]
    answer = proto.ConfigResponse(pairs=[proto.KeyValue(key=key, value=value) for key, value in pairs])

    show_settings(answer, dialect.volumes.paths)

    assert [pair.value for pair in answer.pairs] == ["/Volumes/dev/raw/files/a", "/data/a", f"{place}/a"]


@pytest.mark.parametrize("option", ["basePath", "badRecordsPath", "schemaTrackingLocation", "PATH"])
def test_options_that_are_paths_are_translated(rewrite, place, option):
    """Beside paths that are, Spark would find that one is not inside of the other."""
    source = proto.Read.DataSource(format="parquet", options={option: "/Volumes/dev/raw/files/p", "sep": "/Volumes/x"})
    asked = request(root=proto.Relation(read=proto.Read(data_source=source)))

    found = rewrite(asked).plan.root.read.data_source

    assert dict(found.options) == {option: f"{place}/p", "sep": "/Volumes/x"}


@pytest.mark.parametrize(
    "message",
    [
        'No FileSystem for scheme "s3"',
        "java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.azurebfs.SecureAzureBlobFileSystem not found",
        "java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.azure.NativeAzureFileSystem$Secure not found",
        "java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found",
    ],
)
def test_an_error_of_cloud_storage_says_what_to_do(dialect, message):
    """What Hadoop has not got is nothing that a notebook can change."""
    answer = proto.FetchErrorDetailsResponse(root_error_idx=0)
    answer.errors.add(message=message)
    answer.errors.add(message="No such file")

    show_error(answer, dialect.volumes.paths)

    assert answer.errors[0].message.startswith(
        f"{message} [There is no driver for this storage here: put the files into"
    )
    assert answer.errors[1].message == "No such file"


def test_a_catalog_that_is_created_again_has_its_default_schema_again(dialect):
    """Another process may have dropped it meanwhile; what is there is asked for once."""
    catalogs, server = dialect.volumes.catalogs, Schemas()
    catalogs.create("lake")

    for _ in range(3):
        dialect.rewrite(request(root=table("lake.default.t")), server)
    assert (server.questions, server.statements) == (2, ["CREATE SCHEMA IF NOT EXISTS catalog__lake__default"])

    catalogs.remove("lake")
    catalogs.create("lake")
    dialect.rewrite(request(root=table("lake.default.t")), server)
    assert server.statements == ["CREATE SCHEMA IF NOT EXISTS catalog__lake__default"] * 2


def test_requests_in_the_own_catalog_ask_nothing(rewrite, dialect):
    """Whatever they do: a run that uses one catalog costs what it did."""
    server = Schemas()
    command = proto.Command(
        write_operation=proto.WriteOperation(
            input=table("dev.a.t"), table=proto.WriteOperation.SaveTable(table_name="a.u")
        )
    )

    for sent in (request(root=table("dev.a.t")), request(root=table("a.t")), request(command=command)):
        dialect.rewrite(sent, server)

    assert server.questions == 0
