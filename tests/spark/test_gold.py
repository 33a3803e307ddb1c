"""Every column of the five views equals an independent computation, in pandas, from the CSV files."""

from decimal import Decimal

import pandas as pd
import pytest
from lakehouse_fixtures import ENTITIES, ROOT, SAMPLE, Lakehouse, NotebookFailed

KEYS = {
    "gold_daily_orders": "order_date",
    "gold_monthly_orders": "order_month",
    "gold_orders_by_state": "customer_state",
    "gold_seller_performance": "seller_id",
    "gold_category_performance": "product_category_name",
}
SMALL = {
    "customers": """
        c1,u1,01001,sao paulo,SP
        c2,u1,01001,sao paulo,SP
        c3,u3,20010,rio de janeiro,RJ
        c4,u4,69900,rio branco,AC
        c5,u5,20010,rio de janeiro,RJ""",
    "sellers": """
        s1,13023,campinas,SP
        s2,80010,curitiba,PR
        s3,80010,curitiba,PR""",
    "products": """
        p1,beleza_saude,5,10,1,100,10,10,10
        p2,,,,,200,20,20,20
        p3,categoria_nova,5,10,1,300,30,30,30""",
    # o1 and o2 valid in January, o3 canceled in January, o4 valid in March after an empty February, o5 unavailable and
    # alone in its day and month, o6 of April, o7 without its customer.
    "orders": """
        o1,c1,delivered,2018-01-31 23:59:59,,,2018-02-05 12:00:00,2018-02-05 00:00:00
        o2,c2,shipped,2018-01-31 10:00:00,,,,2018-02-20 00:00:00
        o3,c3,canceled,2018-01-30 10:00:00,,,2018-02-10 10:00:00,2018-02-01 00:00:00
        o4,c3,delivered,2018-03-01 00:00:00,,,2018-03-04 06:00:00,2018-03-20 00:00:00
        o5,c4,unavailable,2018-06-07 10:00:00,,,,2018-06-20 00:00:00
        o6,c5,delivered,2018-04-10 12:00:00,,,2018-04-30 12:00:00,2018-04-20 00:00:00
        o7,c9,delivered,2018-04-11 12:00:00,,,2018-04-13 12:00:00,2018-04-20 00:00:00
        """,
    "order_items": """
        o1,1,p1,s1,2018-02-05 00:00:00,10.10,1.01
        o1,2,p1,s1,2018-02-05 00:00:00,10.10,1.01
        o1,3,p2,s2,2018-02-05 00:00:00,0.99,0.00
        o2,1,p1,s2,2018-02-05 00:00:00,99.90,9.99
        o3,1,p1,s3,2018-02-05 00:00:00,55.55,5.55
        o4,1,p3,s1,2018-03-05 00:00:00,1000.00,15.10
        o6,1,p9,s9,2018-04-15 00:00:00,3.33,1.11
        o8,1,p1,s3,2018-04-15 00:00:00,7.77,1.11""",
    "order_payments": """
        o1,1,credit_card,3,20.00
        o1,2,voucher,1,3.21
        o2,1,boleto,1,109.89
        o3,1,boleto,1,61.10
        o4,1,debit_card,1,1015.10
        o6,1,credit_card,1,4.44
        o7,1,voucher,1,0.00""",
    "order_reviews": """
        r1,o1,5,,,2018-02-06 00:00:00,2018-02-07 10:00:00
        r2,o1,2,,,2018-02-06 00:00:00,2018-02-07 10:00:00
        r1,o2,5,,,2018-02-06 00:00:00,2018-02-07 10:00:00
        r3,o3,1,,,2018-02-06 00:00:00,2018-02-07 10:00:00
        r4,o6,,,,2018-05-06 00:00:00,2018-05-07 10:00:00""",
    "geolocation": """
        01001,-23.55,-46.63,sao paulo,SP""",
}


def exact(values: pd.Series) -> Decimal:
    return sum((Decimal(value) for value in values if isinstance(value, str)), Decimal(0))


class Oracle:
    """Computes the views from the files, with pandas; orders are counted once where the definition says distinct."""

    def __init__(self, folder) -> None:
        frames = {}
        for entity in ENTITIES:
            parts = [pd.read_csv(place, dtype=str, encoding="utf-8") for place in sorted((folder / entity).iterdir())]
            frames[entity] = pd.concat(parts, ignore_index=True)
        orders = frames["orders"].merge(frames["customers"], on="customer_id", how="left")
        for name in ("order_purchase_timestamp", "order_delivered_customer_date", "order_estimated_delivery_date"):
            orders[name] = pd.to_datetime(orders[name])
        orders["valid"] = ~orders.order_status.isin(["canceled", "unavailable"])
        orders["date"] = orders.order_purchase_timestamp.dt.date
        orders["month"] = orders.order_purchase_timestamp.dt.to_period("M").dt.to_timestamp().dt.date
        taken = orders.order_delivered_customer_date - orders.order_purchase_timestamp
        orders["days"] = taken / pd.Timedelta(days=1)
        orders["late"] = orders.order_delivered_customer_date > orders.order_estimated_delivery_date
        self.orders = orders
        self.items = frames["order_items"]
        self.payments = frames["order_payments"]
        self.reviews = frames["order_reviews"]
        self.reviews["score"] = self.reviews.review_score.astype(float)
        self.sellers = frames["sellers"].set_index("seller_id")
        self.products = frames["products"]

    def measures(self, orders: pd.DataFrame) -> dict:
        """What all views may show for a group of orders."""
        valid = orders[orders.valid]
        ids = set(valid.order_id)
        items = self.items[self.items.order_id.isin(ids)]
        payments = exact(self.payments[self.payments.order_id.isin(ids)].payment_value)
        delivered = valid[valid.order_delivered_customer_date.notna()]
        return {
            "order_count": len(orders),
            "canceled_count": len(orders) - len(valid),
            "customer_count": valid.customer_unique_id.nunique(),
            "item_count": len(items),
            "items_value": exact(items.price),
            "freight_value": exact(items.freight_value),
            "payment_value": payments,
            "average_order_value": float(payments) / len(valid) if len(valid) else None,
            "average_review_score": self.reviews[self.reviews.order_id.isin(ids)].score.mean(),
            "late_delivery_count": int(delivered.late.sum()),
            "average_delivery_days": delivered.days.mean(),
            "late_delivery_rate": delivered.late.mean() if len(delivered) else None,
        }

    def by_order(self, column: str) -> dict:
        return {key: self.measures(group) for key, group in self.orders.groupby(column)}

    def gold_daily_orders(self) -> dict:
        return self.by_order("date")

    def gold_monthly_orders(self) -> dict:
        months = self.by_order("month")
        for month, row in months.items():
            before = months.get((pd.Timestamp(month) - pd.DateOffset(months=1)).date(), {}).get("payment_value")
            row["payment_value_growth"] = float(row["payment_value"] - before) / float(before) if before else None
        return months

    def gold_orders_by_state(self) -> dict:
        return self.by_order("customer_state")

    def by_item(self, items: pd.DataFrame, column: str) -> dict:
        valid = self.orders[self.orders.valid]
        rows = {}
        for key, group in items[items.order_id.isin(valid.order_id)].groupby(column):
            row = self.measures(valid[valid.order_id.isin(group.order_id)])
            row |= {"item_count": len(group), "items_value": exact(group.price)}
            row |= {"freight_value": exact(group.freight_value), "average_price": group.price.astype(float).mean()}
            rows[key] = row
        return rows

    def gold_seller_performance(self) -> dict:
        rows = self.by_item(self.items, "seller_id")
        for seller, row in rows.items():
            known = self.sellers.loc[seller] if seller in self.sellers.index else {}
            row |= {"seller_city": known.get("seller_city"), "seller_state": known.get("seller_state")}
        return rows

    def gold_category_performance(self, english: dict[str, str]) -> dict:
        items = self.items.merge(self.products[["product_id", "product_category_name"]], on="product_id", how="left")
        items["category"] = items.product_category_name.fillna("unknown")
        rows = self.by_item(items, "category")
        for category, row in rows.items():
            row["product_category_name_english"] = english.get(category)
        return rows


def same(found: object, expected: object) -> bool:
    missing = expected is None or (isinstance(expected, float) and pd.isna(expected))
    if missing or found is None:
        return missing and found is None
    return found == (pytest.approx(expected, rel=1e-12, abs=1e-12) if isinstance(found, float) else expected)


def assert_views_equal(lakehouse: Lakehouse) -> None:
    oracle = Oracle(lakehouse.volume)
    for view, key in KEYS.items():
        rows = {row[key]: row.asDict() for row in lakehouse.spark.table(f"gold.{view}").collect()}
        named = {"english": ENGLISH} if view == "gold_category_performance" else {}
        expected = getattr(oracle, view)(**named)

        assert rows.keys() == expected.keys(), view
        differences = [
            (view, group, column, value, expected[group][column])
            for group, row in rows.items()
            for column, value in row.items()
            if column != key and not same(value, expected[group][column])
        ]
        assert differences == []


# From Olist's product_category_name_translation.csv, the categories of the small data; the sample brings its own file.
ENGLISH = {"beleza_saude": "health_beauty"}


def test_the_views_of_small_data_equal_the_definition(lakeflow):
    """Canceled, unavailable, undelivered and unpaid orders, empty months, unknown customers: each case once."""
    lakehouse = Lakehouse(lakeflow)
    for entity, text in SMALL.items():
        lakehouse.land(entity, "first.csv", text)
    lakehouse.pipeline()

    assert_views_equal(lakehouse)
    # Some figures computed by hand, so that the oracle is not the only source.
    january = lakehouse.rows("SELECT order_count, canceled_count, customer_count, item_count, payment_value, "
                             "average_review_score, late_delivery_count, payment_value_growth "
                             "FROM gold.gold_monthly_orders WHERE order_month = DATE'2018-01-01'")  # fmt: skip
    assert january == [(3, 1, 1, 4, Decimal("133.10"), 4.0, 1, None)]
    april = lakehouse.rows("SELECT payment_value, payment_value_growth, order_count FROM gold.gold_monthly_orders "
                           "WHERE order_month = DATE'2018-04-01'")  # fmt: skip
    assert april == [(Decimal("4.44"), pytest.approx((4.44 - 1015.10) / 1015.10), 2)]
    unknown = lakehouse.rows("SELECT order_count, item_count, items_value, average_price FROM "
                             "gold.gold_category_performance WHERE product_category_name = 'unknown'")  # fmt: skip
    assert unknown == [(2, 2, Decimal("4.32"), pytest.approx(2.16))]


@pytest.mark.parametrize("view", KEYS)
def test_a_view_does_not_depend_on_the_order_of_rows(lakeflow, view):
    """The last digit of a sum of DOUBLE would: two runs, or two machines, would differ."""
    spark = Lakehouse.as_it_is(lakeflow).spark
    query = (ROOT / "config" / "tables" / f"{view}.sql").read_text()
    many = spark.sql(
        "SELECT o.*, xxhash64(order_id, n) AS place, abs(xxhash64(n, order_id)) % 86400000 / 86400e3 AS days "
        "FROM silver.silver_orders_enriched o CROSS JOIN (SELECT id AS n FROM range(200))"
    )
    rows = many.withColumn("delivery_days", many.days).drop("days")
    try:
        spark.sql("USE SCHEMA silver")
        found = []
        for parts in (1, 2, 3, 5):
            rows.repartition(parts, "place").drop("place").createOrReplaceTempView("silver_orders_enriched")
            found.append(sorted(map(repr, spark.sql(query).collect())))
    finally:
        spark.catalog.dropTempView("silver_orders_enriched")
        spark.sql("USE SCHEMA default")

    assert found[1:] == found[:-1]
    assert found[0]


def test_views_that_disagree_with_silver_fail_the_task(lakeflow):
    """The message names the view and both numbers; here the enriched table lost a cent that the payments have."""
    lakehouse = Lakehouse.as_it_is(lakeflow)
    lakehouse.spark.sql(
        "UPDATE silver.silver_orders_enriched SET payment_value = payment_value - 0.01 WHERE order_id = 'o4'"
    )

    with pytest.raises(NotebookFailed) as failed:
        lakehouse.run("40_gold", run_id="wrong")

    told = str(failed.value)
    assert told.startswith("ExpectationError: ")
    assert "`gold.gold_daily_orders`: found a total `payment_value` of 1152.63, expected 1152.64 as in silver" in told
    counted = lakehouse.rows("SELECT rule, failed_rows FROM ops.expectation_results WHERE run_id = 'wrong'")
    assert len(counted) == 20
    assert [row for row in counted if row[1]] == [("payment_value_agrees_with_silver", 1)] * 3


@pytest.mark.slow("small data are compared with the definition, above")
@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample of real orders is not beside the project")
def test_the_views_of_real_orders_equal_pandas(lakeflow, monkeypatch):
    """3,000 real orders, every column, money to the cent."""
    lakehouse = Lakehouse(lakeflow)
    for entity in ENTITIES:
        name = f"olist_{entity}_dataset.csv"
        lakehouse.land(entity, name, (SAMPLE / name).read_bytes())
    lakehouse.pipeline()
    pairs = pd.read_csv(SAMPLE / "product_category_name_translation.csv", dtype=str, encoding="utf-8-sig")
    monkeypatch.setattr(f"{__name__}.ENGLISH", dict(pairs.itertuples(index=False)))

    assert_views_equal(lakehouse)
