"""The tables of the catalog `samples`: their columns as Databricks documents them, and the SQL of generated values.

Sources of the columns: Databricks documentation, "Sample datasets"; TPC-H specification, revision 3, clause 1.4, with
the types of Databricks' copy. There are fewer rows than on Databricks, and they are made up. The tables of
`wanderbricks` are in `sample_wanderbricks`.
"""

from lakelocal.dialect.sample_values import KEY, PHONE, amount, day, listed, moment, named, pick, table_of, whole
from lakelocal.dialect.sample_wanderbricks import WANDERBRICKS

COMMENT = pick(
    "carefully final deposits sleep", "quickly regular packages haggle", "slyly ironic requests nag",
    "furiously even accounts wake", "blithely bold theodolites integrate", "express pinto beans are",
)  # fmt: skip
MONEY, KEYS = "DECIMAL(18,2)", "BIGINT"
REGIONS = ("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST")
NATIONS = (
    ("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4), ("ETHIOPIA", 0), ("FRANCE", 3),
    ("GERMANY", 3), ("INDIA", 2), ("INDONESIA", 2), ("IRAN", 4), ("IRAQ", 4), ("JAPAN", 2), ("JORDAN", 4), ("KENYA", 0),
    ("MOROCCO", 0), ("MOZAMBIQUE", 0), ("PERU", 1), ("CHINA", 2), ("ROMANIA", 3), ("SAUDI ARABIA", 4), ("VIETNAM", 2),
    ("RUSSIA", 3), ("UNITED KINGDOM", 3), ("UNITED STATES", 1),
)  # fmt: skip
ZIPS = (10001, 10003, 10011, 10016, 10019, 10021, 10023, 10028, 10103, 10110, 10119, 10282, 11101, 11201, 11371, 11422)
CITIES = ("Sydney", "Tokyo", "Paris", "London", "Chicago", "Seoul", "Toronto", "Stockholm", "Madrid", "Brasilia")
COUNTRIES = ("Australia", "Japan", "France", "UK", "US", "South Korea", "Canada", "Sweden", "Spain", "Brazil")
CONTINENTS = (
    "Oceania", "Asia", "Europe", "Europe", "North America", "Asia", "North America", "Europe", "Europe",
    "South America",
)  # fmt: skip
DISTRICTS = ("Downtown", "Harbour", "Old Town", "North End", "Riverside", "Market")
SIZES = ("S", "M", "L", "XL", "XXL")
LONGITUDE, LATITUDE = ("longitude", "DOUBLE", amount(-180, 180, 6)), ("latitude", "DOUBLE", amount(-60, 70, 6))
REVIEW = pick(
    "The cookies were fresh and the staff was kind.", "Long queue, but worth it.", "A little too sweet for my taste.",
    "Best bakery of the neighbourhood.", "My order was cold.", "I come here every week.",
)  # fmt: skip

TABLES = {
    "nyctaxi.trips": table_of(
        2000,
        ("tpep_pickup_datetime", "TIMESTAMP", moment("2016-01-01 00:00:00", 59)),
        ("tpep_dropoff_datetime", "TIMESTAMP", f"tpep_pickup_datetime + make_dt_interval(0, 0, 3, {whole(0, 2400)})"),
        ("trip_distance", "DOUBLE", "round(0.3 + 12 * chance * chance, 2)"),
        ("fare_amount", "DOUBLE", "round(2.5 + 2.6 * trip_distance + 2 * chance)"),
        ("pickup_zip", "INT", pick(*ZIPS)),
        ("dropoff_zip", "INT", pick(*ZIPS)),
    ),
    "tpch.region": table_of(
        5,
        ("r_regionkey", KEYS, "row"),
        ("r_name", "STRING", listed(*REGIONS)),
        ("r_comment", "STRING", COMMENT),
    ),
    "tpch.nation": table_of(
        25,
        ("n_nationkey", KEYS, "row"),
        ("n_name", "STRING", listed(*(name for name, _ in NATIONS))),
        ("n_regionkey", KEYS, listed(*(region for _, region in NATIONS))),
        ("n_comment", "STRING", COMMENT),
    ),
    "tpch.supplier": table_of(
        50,
        ("s_suppkey", KEYS, KEY),
        ("s_name", "STRING", named("Supplier#", 9)),
        ("s_address", "STRING", "substr(sha1(CAST(row AS STRING)), 1, 20)"),
        ("s_nationkey", KEYS, whole(0, 24)),
        ("s_phone", "STRING", PHONE),
        ("s_acctbal", MONEY, amount(-999.99, 9999.99)),
        ("s_comment", "STRING", COMMENT),
    ),
    "tpch.customer": table_of(
        300,
        ("c_custkey", KEYS, KEY),
        ("c_name", "STRING", named("Customer#", 9)),
        ("c_address", "STRING", "substr(sha1(CAST(row AS STRING)), 1, 25)"),
        ("c_nationkey", KEYS, whole(0, 24)),
        ("c_phone", "STRING", PHONE),
        ("c_acctbal", MONEY, amount(-999.99, 9999.99)),
        ("c_mktsegment", "STRING", pick("AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY")),
        ("c_comment", "STRING", COMMENT),
    ),
    "tpch.part": table_of(
        400,
        ("p_partkey", KEYS, KEY),
        ("p_name", "STRING", pick("almond azure", "blush thistle", "cornsilk linen", "green indian", "navy puff")),
        ("p_mfgr", "STRING", f"concat('Manufacturer#', {whole(1, 5)})"),
        ("p_brand", "STRING", f"concat('Brand#', substr(p_mfgr, -1), {whole(1, 5)})"),
        ("p_type", "STRING", pick("ECONOMY ANODIZED STEEL", "LARGE BRUSHED BRASS", "PROMO BURNISHED COPPER",
                                  "SMALL PLATED TIN", "STANDARD POLISHED NICKEL")),
        ("p_size", "INT", whole(1, 50)),
        ("p_container", "STRING", pick("JUMBO BOX", "LG CASE", "MED BAG", "SM PKG", "WRAP JAR")),
        ("p_retailprice", MONEY, amount(900, 2000)),
        ("p_comment", "STRING", COMMENT),
    ),
    "tpch.partsupp": table_of(
        1600,
        ("ps_partkey", KEYS, "row DIV 4 + 1"),
        ("ps_suppkey", KEYS, "(ps_partkey + (row % 4) * 13) % 50 + 1"),
        ("ps_availqty", "INT", whole(1, 9999)),
        ("ps_supplycost", MONEY, amount(1, 1000)),
        ("ps_comment", "STRING", COMMENT),
    ),
    "tpch.orders": table_of(
        3000,
        ("o_orderkey", KEYS, KEY),
        ("o_custkey", KEYS, whole(1, 300)),
        ("o_orderstatus", "STRING", pick("F", "O", "P")),
        ("o_totalprice", MONEY, amount(900, 500000)),
        ("o_orderdate", "DATE", day("1992-01-01", 2406)),
        ("o_orderpriority", "STRING", pick("1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW")),
        ("o_clerk", "STRING", f"concat('Clerk#', lpad({whole(1, 1000)}, 9, '0'))"),
        ("o_shippriority", "INT", "0"),
        ("o_comment", "STRING", COMMENT),
    ),
    "tpch.lineitem": table_of(
        12000,
        ("l_orderkey", KEYS, "row DIV 4 + 1"),
        ("l_partkey", KEYS, whole(1, 400)),
        ("l_suppkey", KEYS, f"(l_partkey + ({whole(0, 3)}) * 13) % 50 + 1"),
        ("l_linenumber", "INT", "row % 4 + 1"),
        ("l_quantity", MONEY, whole(1, 50)),
        ("l_extendedprice", MONEY, f"l_quantity * {amount(900, 2000)}"),
        ("l_discount", MONEY, amount(0, 0.1)),
        ("l_tax", MONEY, amount(0, 0.08)),
        ("l_returnflag", "STRING", pick("A", "N", "R")),
        ("l_linestatus", "STRING", pick("F", "O")),
        ("l_shipdate", "DATE", day("1992-01-02", 2526)),
        ("l_commitdate", "DATE", f"date_add(l_shipdate, CAST({whole(-30, 60)} AS INT))"),
        ("l_receiptdate", "DATE", f"date_add(l_shipdate, CAST({whole(1, 30)} AS INT))"),
        ("l_shipinstruct", "STRING", pick("COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN")),
        ("l_shipmode", "STRING", pick("AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK")),
        ("l_comment", "STRING", COMMENT),
    ),
    "bakehouse.sales_suppliers": table_of(
        27,
        ("supplierID", KEYS, "4000000 + row"),
        ("name", "STRING", named("Supplier ", 2)),
        ("ingredient", "STRING", listed("flour", "sugar", "butter", "cocoa", "vanilla", "ginger", "oat", "almond")),
        ("continent", "STRING", listed(*CONTINENTS)),
        ("city", "STRING", listed(*CITIES)),
        ("district", "STRING", pick(*DISTRICTS)),
        ("size", "STRING", pick(*SIZES)),
        LONGITUDE,
        LATITUDE,
        ("approved", "STRING", pick("Y", "Y", "Y", "N")),
    ),
    "bakehouse.sales_franchises": table_of(
        48,
        ("franchiseID", KEYS, "3000000 + row"),
        ("name", "STRING", named("Bakehouse ", 2)),
        ("city", "STRING", listed(*CITIES)),
        ("district", "STRING", pick(*DISTRICTS)),
        ("zipcode", "STRING", f"lpad({whole(10000, 99999)}, 5, '0')"),
        ("country", "STRING", listed(*COUNTRIES)),
        ("size", "STRING", pick(*SIZES)),
        LONGITUDE,
        LATITUDE,
        ("supplierID", KEYS, "4000000 + row % 27"),
    ),
    "bakehouse.sales_customers": table_of(
        300,
        ("customerID", KEYS, "2000000 + row"),
        ("first_name", "STRING", pick("Ana", "Ben", "Chloe", "Daniel", "Emma", "Felix", "Grace", "Hiro", "Ines")),
        ("last_name", "STRING", pick("Adams", "Berg", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Ito", "Kim")),
        ("email_address", "STRING", "concat(lower(first_name), '.', lower(last_name), row, '@example.com')"),
        ("phone_number", "STRING", PHONE),
        ("address", "STRING", f"concat({whole(1, 999)}, ' Main Street')"),
        ("city", "STRING", listed(*CITIES)),
        ("state", "STRING", pick("NSW", "Tokyo", "Illinois", "Ontario", "Bahia")),
        ("country", "STRING", listed(*COUNTRIES)),
        ("continent", "STRING", listed(*CONTINENTS)),
        ("postal_zip_code", KEYS, whole(10000, 99999)),
        ("gender", "STRING", pick("female", "male")),
    ),
    "bakehouse.sales_transactions": table_of(
        3333,
        ("transactionID", KEYS, "1000000 + row"),
        ("customerID", KEYS, whole(2000000, 2000299)),
        ("franchiseID", KEYS, whole(3000000, 3000047)),
        ("dateTime", "TIMESTAMP", moment("2024-05-01 00:00:00", 17)),
        ("product", "STRING", pick("Golden Gate Ginger", "Outback Oatmeal", "Austin Almond Biscotti", "Tokyo Tidbits",
                                   "Pearly Pies", "Orchard Oasis")),
        ("quantity", KEYS, whole(1, 36)),
        ("unitPrice", KEYS, "3"),
        ("totalPrice", KEYS, "quantity * unitPrice"),
        ("paymentMethod", "STRING", pick("visa", "mastercard", "amex")),
        ("cardNumber", KEYS, whole(4000000000000000, 4999999999999999)),
    ),
    "bakehouse.media_customer_reviews": table_of(
        204,
        ("review", "STRING", REVIEW),
        ("franchiseID", KEYS, whole(3000000, 3000047)),
        ("review_date", "TIMESTAMP", moment("2024-05-01 00:00:00", 17)),
        ("new_id", "INT", KEY),
    ),
    "bakehouse.media_gold_reviews_chunked": table_of(
        196,
        ("franchiseID", "INT", whole(3000000, 3000047)),
        ("review_date", "TIMESTAMP", moment("2024-05-01 00:00:00", 17)),
        ("chunked_text", "STRING", REVIEW),
        ("chunk_id", "STRING", "substr(sha1(CAST(row AS STRING)), 1, 16)"),
        ("review_uri", "STRING", "concat('review_', row + 1)"),
    ),
    **WANDERBRICKS,
}  # fmt: skip
