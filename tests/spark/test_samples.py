"""The generated tables of `samples`: documented columns, keys that meet, the same rows everywhere."""

import pytest

from lakelocal.catalogs import mapped
from lakelocal.dialect.sample_tables import TABLES
from lakelocal.dialect.sample_values import SampleTable
from lakelocal.dialect.samples import creation

REFERENCES = {
    "tpch.nation.n_regionkey": "tpch.region.r_regionkey",
    "tpch.supplier.s_nationkey": "tpch.nation.n_nationkey",
    "tpch.customer.c_nationkey": "tpch.nation.n_nationkey",
    "tpch.partsupp.ps_partkey": "tpch.part.p_partkey",
    "tpch.partsupp.ps_suppkey": "tpch.supplier.s_suppkey",
    "tpch.orders.o_custkey": "tpch.customer.c_custkey",
    "tpch.lineitem.l_orderkey": "tpch.orders.o_orderkey",
    "tpch.lineitem.l_partkey": "tpch.part.p_partkey",
    "bakehouse.sales_franchises.supplierID": "bakehouse.sales_suppliers.supplierID",
    "bakehouse.sales_transactions.customerID": "bakehouse.sales_customers.customerID",
    "bakehouse.sales_transactions.franchiseID": "bakehouse.sales_franchises.franchiseID",
    "bakehouse.media_customer_reviews.franchiseID": "bakehouse.sales_franchises.franchiseID",
    "wanderbricks.bookings.user_id": "wanderbricks.users.user_id",
    "wanderbricks.bookings.property_id": "wanderbricks.properties.property_id",
    "wanderbricks.booking_updates.booking_id": "wanderbricks.bookings.booking_id",
    "wanderbricks.payments.booking_id": "wanderbricks.bookings.booking_id",
    "wanderbricks.reviews.booking_id": "wanderbricks.bookings.booking_id",
    "wanderbricks.properties.host_id": "wanderbricks.hosts.host_id",
    "wanderbricks.properties.destination_id": "wanderbricks.destinations.destination_id",
    "wanderbricks.destinations.country": "wanderbricks.countries.country",
    "wanderbricks.property_amenities.amenity_id": "wanderbricks.amenities.amenity_id",
    "wanderbricks.property_images.property_id": "wanderbricks.properties.property_id",
    "wanderbricks.page_views.property_id": "wanderbricks.properties.property_id",
    "wanderbricks.clickstream.user_id": "wanderbricks.users.user_id",
    "wanderbricks.customer_support_logs.user_id": "wanderbricks.users.user_id",
    "wanderbricks.employees.host_id": "wanderbricks.hosts.host_id",
}
NULLABLE = {"end_service_date", "company_name"}  # of those who still work there, of those who are no business


@pytest.fixture(scope="module")
def samples(spark):
    for schema in {name.partition(".")[0] for name in TABLES}:
        assert spark.sql(f"SHOW TABLES IN samples.{schema}").count() > 0
    return spark


def test_trips_have_the_columns_of_databricks(samples):
    """As in the documentation, with plausible values."""
    trips = samples.table("samples.nyctaxi.trips")

    assert trips.dtypes == [
        ("tpep_pickup_datetime", "timestamp"), ("tpep_dropoff_datetime", "timestamp"), ("trip_distance", "double"),
        ("fare_amount", "double"), ("pickup_zip", "int"), ("dropoff_zip", "int"),
    ]  # fmt: skip
    wrong = trips.where(
        "tpep_dropoff_datetime <= tpep_pickup_datetime OR trip_distance <= 0 OR fare_amount < 2.5"
        " OR NOT pickup_zip BETWEEN 10000 AND 11500 OR year(tpep_pickup_datetime) <> 2016"
    )
    assert (trips.count(), wrong.count()) == (2000, 0)
    assert "Generated" in samples.catalog.getTable("samples.nyctaxi.trips").description


def _filled(table: SampleTable) -> list[str]:
    return [column.name for column in table.columns if column.name not in NULLABLE]


def test_every_table_has_its_rows_and_no_nulls(samples):
    """Everything that is specified can be made."""
    counts = [
        f"SELECT '{name}', count(*), count_if({' OR '.join(f'{each} IS NULL' for each in _filled(table))})"
        f" FROM samples.{name}"
        for name, table in TABLES.items()
    ]

    found = samples.sql(" UNION ALL ".join(counts)).collect()

    assert {tuple(row) for row in found} == {(name, table.rows, 0) for name, table in TABLES.items()}


def test_keys_meet(samples):
    """Joins find their rows, and the key of the referenced table is unique."""
    counts = []
    for many, one in REFERENCES.items():
        (left, _, a), (right, _, b) = many.rpartition("."), one.rpartition(".")
        counts.append(
            f"SELECT '{many}', (SELECT count(*) FROM samples.{left} l ANTI JOIN samples.{right} r ON l.{a} = r.{b}),"
            f" (SELECT count(*) - count(DISTINCT {b}) FROM samples.{right})"
        )

    found = samples.sql(" UNION ALL ".join(counts)).collect()

    assert {tuple(row) for row in found} == {(many, 0, 0) for many in REFERENCES}


def test_bookings_are_plausible(samples):
    """What examples compute: nights, revenue, the share of each status; some employees have left."""
    wrong = samples.table("samples.wanderbricks.bookings").where(
        "check_out <= check_in OR total_amount <= 0 OR created_at >= check_in OR updated_at < created_at"
        " OR status NOT IN ('pending', 'confirmed', 'completed', 'cancelled')"
    )
    left = samples.table("samples.wanderbricks.employees").where("NOT is_currently_employed")

    assert wrong.count() == 0
    assert 0 < left.where("end_service_date > joined_at").count() == left.count() < 150


def test_the_rows_are_the_same_on_every_machine(samples):
    """Whatever the session's time zone, its shuffles and the time of creation."""
    samples.conf.set("spark.sql.shuffle.partitions", "7")
    again = f"{mapped('samples', 'nyctaxi')}.again"
    samples.sql(creation(again, "nyctaxi.trips", TABLES["nyctaxi.trips"]))
    first, second = samples.table("samples.nyctaxi.trips"), samples.table(again)

    assert first.exceptAll(second).count() == second.exceptAll(first).count() == 0
    assert first.distinct().count() == 2000
    samples.sql(f"DROP TABLE {again}")
    samples.conf.unset("spark.sql.shuffle.partitions")
