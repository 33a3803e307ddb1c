"""The catalogs of a state, and the names of their schemas in the one metastore."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakelocal.catalogs import Catalogs, mapped, shown, unmapped
from lakelocal.errors import DialectError
from lakelocal.project import State
from lakelocal.testing import lakeflow


@pytest.fixture
def catalogs(tmp_path) -> Catalogs:
    return Catalogs(State(tmp_path, "dev", tmp_path / "dev").make())


NAME = st.text("abcxyz019_", min_size=1, max_size=12)


@given(NAME | st.just("my-lake") | st.just("a__b"), NAME)
def test_a_mapped_schema_tells_both_names(catalog, schema):
    """Whatever underscores they contain: two pairs of names never have the same schema."""
    name = mapped(catalog, schema)

    assert unmapped(name) == (catalog, schema)
    assert name.replace("_", "").isalnum(), "Hive takes words only"


@pytest.mark.parametrize("name", ["bronze", "catalog__", "catalog__x", "my_catalog__a__b"])
def test_schemas_of_the_own_catalog_are_not_mapped(name):
    """They have their own names."""
    assert unmapped(name) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("catalog__my_5flake__sales", "sales"),
        ("`spark_catalog`.`catalog__my_5flake__sales`.`t`", "`my_lake`.`sales`.`t`"),
        ("spark_catalog.catalog__lake__sales.t", "lake.sales.t"),
        ("The schema `spark_catalog`.`nope` cannot be found", "The schema `dev`.`nope` cannot be found"),
        ("table catalog__lake__sales.t, catalog__a__b.u.", "table lake.sales.t, a.b.u."),
        ("file:/x/warehouse/catalog__lake__sales.db/t", "file:/x/warehouse/catalog__lake__sales.db/t"),
        ("Catalog: spark_catalog\nDatabase: catalog__lake__sales\n", "Catalog: lake\nDatabase: sales\n"),
        ("Catalog: spark_catalog\nDatabase: bronze\n", "Catalog: dev\nDatabase: bronze\n"),
        ("spark_catalog", "spark_catalog"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_what_spark_writes_is_shown_with_the_names_of_the_user(written, expected):
    """In errors, explanations and descriptions; the names of folders are kept."""
    assert shown(written, "dev") == expected


def test_catalogs_that_exist(catalogs):
    """The run's, those that always exist, and those that were created; names are compared ignoring case."""
    catalogs.create("lake")

    assert catalogs.names() == ["dev", "hive_metastore", "lake", "main", "samples", "system"]
    assert catalogs.exists("LAKE") and catalogs.exists("Dev") and not catalogs.exists("prod")
    catalogs.remove("lake")
    assert not catalogs.exists("lake")
    with pytest.raises(DialectError, match="expected letters"):
        catalogs.create("../x")


def test_the_own_catalog_may_have_a_name_that_is_always_there(tmp_path):
    """A run in `main` has its tables where runs have them."""
    catalogs = Catalogs(State(tmp_path, "main", tmp_path / "main"))

    assert catalogs.names() == ["hive_metastore", "main", "samples", "system"]
    assert catalogs.schema("main", "a") == "a"
    assert catalogs.schema("samples", "a") == "catalog__samples__a"


def test_a_reset_empties_every_catalog(catalogs, monkeypatch):
    """Of those that always exist the schemas, of others all; sample data are what they were."""
    told: list[str] = []

    class Frame(list):
        def collect(self) -> "Frame":
            return self

    class Spark:
        def sql(self, text: str) -> Frame:
            told.append(text)
            return Frame([("default",), ("information_schema",), ("s",)] if text.startswith("SHOW") else [])

    catalogs.create("lake")
    monkeypatch.setattr(lakeflow, "find_server", lambda state: True)

    lakeflow.empty(catalogs.state, Spark())

    assert [text for text in told if text.startswith("DROP")] == [
        "DROP SCHEMA `dev`.`s` CASCADE", "DROP SCHEMA `hive_metastore`.`s` CASCADE", "DROP CATALOG `lake` CASCADE",
        "DROP SCHEMA `main`.`s` CASCADE",
    ]  # fmt: skip
    assert not catalogs.exists("lake")
