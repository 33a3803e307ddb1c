"""The columns of Olist's files, and their text: CSV with header, UTF-8, RFC 4180, quoted only where needed."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator.lives import NEVER

COLUMNS = {
    "customers": (
        "customer_id", "customer_unique_id", "customer_zip_code_prefix", "customer_city", "customer_state",
    ),
    "products": (
        "product_id", "product_category_name", "product_name_lenght", "product_description_lenght",
        "product_photos_qty", "product_weight_g", "product_length_cm", "product_height_cm", "product_width_cm",
    ),
    "sellers": ("seller_id", "seller_zip_code_prefix", "seller_city", "seller_state"),
    "orders": (
        "order_id", "customer_id", "order_status", "order_purchase_timestamp", "order_approved_at",
        "order_delivered_carrier_date", "order_delivered_customer_date", "order_estimated_delivery_date",
    ),
    "order_items": (
        "order_id", "order_item_id", "product_id", "seller_id", "shipping_limit_date", "price", "freight_value",
    ),
    "order_payments": ("order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value"),
    "order_reviews": (
        "review_id", "order_id", "review_score", "review_comment_title", "review_comment_message",
        "review_creation_date", "review_answer_timestamp",
    ),
    "geolocation": (
        "geolocation_zip_code_prefix", "geolocation_lat", "geolocation_lng", "geolocation_city", "geolocation_state",
    ),
}  # fmt: skip

_CENTS = pa.array([f".{cents:02d}" for cents in range(100)])
_FREE_TEXT = {"review_comment_title", "review_comment_message"}
_FREE_TEXT |= {"customer_city", "seller_city", "geolocation_city", "product_category_name"}


def header(entity: str) -> bytes:
    """The first line of a file of *entity*."""
    return (",".join(COLUMNS[entity]) + "\n").encode()


def csv_rows(entity: str, table: pa.Table) -> memoryview:
    """The lines of *table*, which has the columns of *entity*; null becomes an empty field.

    Arrow joins whole columns; there is no loop over rows in Python.
    """
    texts = [table[name].combine_chunks().cast(pa.string()) for name in COLUMNS[entity]]
    free = [name in _FREE_TEXT for name in COLUMNS[entity]]
    return _lines([_quoted(text) if is_free else text for text, is_free in zip(texts, free, strict=True)])


def csv_file(table: pa.Table) -> bytes:
    """A whole file: the column names of *table*, then its rows; text is quoted where necessary."""
    first = (",".join(table.column_names) + "\n").encode()
    return first + bytes(_lines([_quoted(column.combine_chunks().cast(pa.string())) for column in table.columns]))


def _lines(texts: list[pa.Array]) -> memoryview:
    if len(texts[0]) == 0:
        return memoryview(b"")
    parts = [part for text in texts for part in (text, ",")]
    parts[-1] = "\n"
    lines = pc.binary_join_element_wise(
        *parts, "", null_handling="replace", null_replacement=""
    )  # the last argument is the separator
    lines = lines.combine_chunks() if isinstance(lines, pa.ChunkedArray) else lines
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]


def money(cents: np.ndarray) -> pa.Array:
    """Amounts in cents as text with two decimals."""
    whole = pa.array(cents // 100).cast(pa.string())
    return pc.binary_join_element_wise(whole, _CENTS.take(pa.array(cents % 100)), "")


def timestamps(moments: np.ndarray) -> pa.Array:
    """Times as `YYYY-MM-DD HH:MM:SS`, null for `NEVER`."""
    return pa.array(moments, mask=moments == NEVER).cast(pa.timestamp("s")).cast(pa.string())


def counts(numbers: np.ndarray) -> pa.Array:
    """Whole numbers as text."""
    return pa.array(numbers).cast(pa.string())


def _quoted(text: pa.Array) -> pa.Array:
    special = pc.match_substring_regex(text, '[",\r\n]')
    if not pc.any(special).as_py():
        return text
    doubled = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(special, doubled, text)
