"""Bronze: streaming tables of the files' lines as text. Silver: typed, valid rows, the latest one of each key.

The rules are those of the notebooks. What they do beyond these tables is left out here: counts of rules, quarantine,
rescued data, checks of headers and contracts.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

spark = SparkSession.active()
FILES = spark.conf.get("olist.files")
CATEGORIES = spark.conf.get("olist.categories")

CSV = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"', "maxFileAge": "36500d"}

# The columns of each file, in its order, and how their text becomes a value.
ENTITIES = {
    "customers": {
        "customer_id": "text",
        "customer_unique_id": "text",
        "customer_zip_code_prefix": "zip",
        "customer_city": "text",
        "customer_state": "text",
    },
    "products": {
        "product_id": "text",
        "product_category_name": "text",
        "product_name_lenght": "whole",
        "product_description_lenght": "whole",
        "product_photos_qty": "whole",
        "product_weight_g": "whole",
        "product_length_cm": "whole",
        "product_height_cm": "whole",
        "product_width_cm": "whole",
    },
    "sellers": {
        "seller_id": "text",
        "seller_zip_code_prefix": "zip",
        "seller_city": "text",
        "seller_state": "text",
    },
    "orders": {
        "order_id": "text",
        "customer_id": "text",
        "order_status": "text",
        "order_purchase_timestamp": "time",
        "order_approved_at": "time",
        "order_delivered_carrier_date": "time",
        "order_delivered_customer_date": "time",
        "order_estimated_delivery_date": "time",
    },
    "order_items": {
        "order_id": "text",
        "order_item_id": "whole",
        "product_id": "text",
        "seller_id": "text",
        "shipping_limit_date": "time",
        "price": "money",
        "freight_value": "money",
    },
    "order_payments": {
        "order_id": "text",
        "payment_sequential": "whole",
        "payment_type": "text",
        "payment_installments": "whole",
        "payment_value": "money",
    },
    "order_reviews": {
        "review_id": "text",
        "order_id": "text",
        "review_score": "whole",
        "review_comment_title": "text",
        "review_comment_message": "text",
        "review_creation_date": "time",
        "review_answer_timestamp": "time",
    },
    "geolocation": {
        "geolocation_zip_code_prefix": "zip",
        "geolocation_lat": "real",
        "geolocation_lng": "real",
        "geolocation_city": "text",
        "geolocation_state": "text",
    },
}

# NULL where the text is not exactly such a value.
PARSE = {
    "text": "nullif({0}, '')",
    "zip": "CASE WHEN regexp_substr({0}, '[0-9]{{4,5}}') = {0} THEN lpad({0}, 5, '0') END",
    "whole": "CASE WHEN regexp_substr({0}, '-?[0-9]+([.]0+)?') = {0} THEN try_cast(split_part({0}, '.', 1) AS INT) END",
    "money": "CASE WHEN regexp_substr({0}, '-?[0-9]{{1,10}}([.][0-9]{{1,2}}0*)?') = {0} "
    "THEN try_cast({0} AS DECIMAL(12,2)) END",
    "real": "CASE WHEN regexp_substr({0}, '-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?') = {0} "
    "THEN try_cast({0} AS DOUBLE) END",
    "time": "try_to_timestamp({0}, 'yyyy-MM-dd[ HH:mm:ss]')",
}
STATUSES = ("created", "approved", "invoiced", "processing", "shipped", "delivered", "unavailable", "canceled")

# The key of each table, and what a valid row keeps beyond it.
KEYS = {
    "customers": ["customer_id"],
    "products": ["product_id"],
    "sellers": ["seller_id"],
    "orders": ["order_id"],
    "order_items": ["order_id", "order_item_id"],
    "order_payments": ["order_id", "payment_sequential"],
    "order_reviews": ["review_id", "order_id"],
    "geolocation": ["geolocation_zip_code_prefix"],
}
VALID = {
    "orders": f"coalesce(order_status IN {STATUSES}, false)",
    "order_items": "coalesce(price >= 0, true) AND coalesce(freight_value >= 0, true)",
    "order_payments": "coalesce(payment_value >= 0, true)",
    "order_reviews": "coalesce(review_score BETWEEN 1 AND 5, true)",
    "geolocation": "coalesce(geolocation_lat BETWEEN -34 AND 6 AND geolocation_lng BETWEEN -74 AND -32, false)",
}


def bronze(entity: str) -> None:
    """A streaming table of the lines of the files of *entity*."""

    @dp.table(name=f"bronze_{entity}", comment=f"One row per line of a landed file of {entity}")
    def lines() -> DataFrame:
        schema = ", ".join(f"{column} STRING" for column in ENTITIES[entity])
        rows = spark.readStream.format("csv").options(**CSV).schema(schema).load(f"{FILES}/{entity}")
        return rows.select(
            *ENTITIES[entity],
            F.concat(F.lit(f"{FILES}/{entity}/"), "_metadata.file_name").alias("_source_file"),
            F.col("_metadata.file_modification_time").alias("_file_modified_at"),
            F.current_timestamp().alias("_ingested_at"),
        )


def valid(entity: str) -> DataFrame:
    """The rows of bronze as values; those with a text that is no such value, without a key or invalid are left out."""
    columns = ENTITIES[entity]
    parsed = [f"{PARSE[kind].format(column)} AS {column}" for column, kind in columns.items()]
    rows = spark.read.table(f"bronze_{entity}").selectExpr(
        f"struct({', '.join(columns)}) AS _text", *parsed, "_source_file", "_file_modified_at"
    )
    kept = [f"({column} IS NOT NULL OR coalesce(_text.{column}, '') = '')" for column in columns]
    kept += [f"{key} IS NOT NULL" for key in KEYS[entity]]
    kept.append(VALID.get(entity, "true"))
    return rows.where(" AND ".join(kept)).select(*columns, "_source_file", "_file_modified_at")


def latest(rows: DataFrame, entity: str) -> DataFrame:
    """The latest row of each key: by the age of its file, the file's name, then its columns, NULL lowest."""
    newest = F.max(F.struct("_file_modified_at", "_source_file", *ENTITIES[entity])).alias("_newest")
    return rows.groupBy(*KEYS[entity]).agg(newest).select("_newest.*")


def silver(entity: str) -> None:
    """A materialized view of the valid rows of *entity*, one a key."""

    @dp.materialized_view(name=f"silver_{entity}", comment=f"Valid {entity}, typed, one row per key")
    def rows() -> DataFrame:
        return latest(valid(entity), entity)


@dp.materialized_view(comment="Valid products, typed, one row per key, with the English name of their category")
def silver_products() -> DataFrame:
    names = spark.read.options(header="true").csv(CATEGORIES)
    return latest(valid("products"), "products").join(F.broadcast(names), "product_category_name", "left")


@dp.materialized_view(comment="One row a postal code prefix with a valid point")
def silver_geolocation() -> DataFrame:
    return (
        valid("geolocation")
        .groupBy(*KEYS["geolocation"])
        .agg(
            F.expr("round(avg(CAST(geolocation_lat AS DECIMAL(20, 15))), 6)").cast("double").alias("geolocation_lat"),
            F.expr("round(avg(CAST(geolocation_lng AS DECIMAL(20, 15))), 6)").cast("double").alias("geolocation_lng"),
            F.expr("mode(geolocation_city, true)").alias("geolocation_city"),
            F.expr("mode(geolocation_state, true)").alias("geolocation_state"),
        )
    )


for entity in ENTITIES:
    bronze(entity)
    if entity not in ("products", "geolocation"):
        silver(entity)
