"""The English names of the product categories."""

import csv

from lakehouse.places import config_folder
from lakehouse.tables.delta import text


def english_names() -> dict[str, str]:
    """SQL of the columns that no file contains, by name: the English name of a category."""
    return {"product_category_name_english": f"{category_map()}[product_category_name]"}


def category_map() -> str:
    """`config/product_categories.csv` as a SQL map from the Portuguese to the English name."""
    place = config_folder() / "product_categories.csv"
    with place.open(encoding="utf-8-sig", newline="") as opened:
        pairs = list(csv.DictReader(opened))
    listed = (f"{text(pair['product_category_name'])}, {text(pair['product_category_name_english'])}" for pair in pairs)
    return f"map({', '.join(listed)})"
