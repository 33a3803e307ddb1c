"""What the tests of the lakehouse share: a catalog with nothing in it, files to land, and the real notebooks."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from lakelocal.testing.lakeflow import Lakeflow

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "olist_sample"
HEADERS = {
    "customers": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
    "products": "product_id,product_category_name,product_name_lenght,product_description_lenght,product_photos_qty,"
    "product_weight_g,product_length_cm,product_height_cm,product_width_cm",
    "sellers": "seller_id,seller_zip_code_prefix,seller_city,seller_state",
    "orders": "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
    "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date",
    "order_items": "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
    "order_payments": "order_id,payment_sequential,payment_type,payment_installments,payment_value",
    "order_reviews": "review_id,order_id,review_score,review_comment_title,review_comment_message,"
    "review_creation_date,review_answer_timestamp",
    "geolocation": "geolocation_zip_code_prefix,geolocation_lat,geolocation_lng,geolocation_city,geolocation_state",
}

ENTITIES = tuple(HEADERS)


class NotebookFailed(Exception):
    """A notebook of the lakehouse failed; the message is its error, as the run tells it."""


class Lakehouse:
    """The catalog `olist_dev` of the tests: its tables, the files of its volume, and its notebooks."""

    def __init__(self, lakeflow: Lakeflow) -> None:
        """An empty catalog, set up by its notebook."""
        self._take(lakeflow)
        for schema in ("bronze", "silver", "gold", "ops"):
            self.spark.sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        for folder in (self.volume, lakeflow.state.volumes / "ops"):
            shutil.rmtree(folder, ignore_errors=True)
        self.run("00_setup")

    @classmethod
    def as_it_is(cls, lakeflow: Lakeflow) -> Self:
        """The catalog as the previous test left it."""
        kept = cls.__new__(cls)
        kept._take(lakeflow)
        return kept

    def _take(self, lakeflow: Lakeflow) -> None:
        os.environ.setdefault("SPARK_CONNECT_MODE_ENABLED", "1")  # as a kernel does, for pyspark.sql.functions
        self._lakeflow, self.spark = lakeflow, lakeflow.spark
        self.volume = lakeflow.path("/Volumes/olist_dev/raw/olist")

    def land(self, entity: str, name: str, content: str | bytes, *, modified: str = "2024-01-01T00:00:00") -> Path:
        """Write a file into the entity's folder; text gets the entity's header. *modified* is in UTC."""
        place = self.volume / entity / name
        if isinstance(content, str):
            lines = content.strip().splitlines()
            content = ("\n".join([HEADERS[entity], *(line.strip() for line in lines)]) + "\n").encode()
        place.write_bytes(content)
        moment = datetime.fromisoformat(modified).replace(tzinfo=UTC).timestamp()
        os.utime(place, (moment, moment))
        return place

    def run(self, stem: str, **parameters: str) -> None:
        """Run a notebook unchanged, with *parameters* as a job passes them.

        Raises:
            NotebookFailed: the notebook raised an error.
        """
        task = self._lakeflow.run_notebook(f"notebooks/{stem}", {"catalog": "olist_dev", **parameters}).task(stem)
        if task.result != "SUCCESS":
            raise NotebookFailed(task.error or task.message)

    def pipeline(self, **parameters: str) -> None:
        """Bronze, silver and gold."""
        for stem in ("20_bronze", "30_silver", "40_gold"):
            self.run(stem, **parameters)

    def rows(self, query: str) -> list[tuple]:
        return [tuple(row) for row in self.spark.sql(query).collect()]

    def table(self, table: str) -> list[tuple]:
        """All rows of *table*, in a fixed order."""
        return sorted(self.rows(f"SELECT * FROM {table}"), key=repr)

    def versions(self, schema: str) -> dict[str, int]:
        """The newest version of each table of *schema*."""
        tables = [row.tableName for row in self.spark.sql(f"SHOW TABLES IN {schema}").collect() if not row.isTemporary]
        return {t: self.spark.sql(f"DESCRIBE HISTORY {schema}.{t} LIMIT 1").first().version for t in sorted(tables)}
