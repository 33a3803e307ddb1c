"""Measure the profile of real Olist files: `python -m lakehouse.generator.measure FOLDER PROFILE_JSON`.

Only aggregates are stored: shares, curves (values at fixed probabilities) and means. No rows, ids or comments.
"""

import json
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.profile import PROBABILITIES

_ENOUGH = 30  # a category with fewer items has no curve of its own: it would reveal single rows
_DAY = 86_400
_Shares = dict[str, dict[str, float]]
_Curves = dict[str, list[float]]
_Rates = dict[str, float]
_TEXT: dict[Hashable, type[str]] = {f"{name}_zip_code_prefix": str for name in ("customer", "seller", "geolocation")}


def measure_profile(folder: Path) -> dict[str, Any]:
    """The figures of the eight Olist files in *folder*, in the form of `profile.json`."""
    data = _read(folder)
    orders, items, reviews = data["orders"], data["order_items"], data["order_reviews"]
    shares: _Shares = {}
    curves: _Curves = {}
    rates: _Rates = {}
    _measure_orders(orders, items, shares, curves, rates)
    _measure_delivery(orders, data["order_payments"], shares, curves, rates)
    _measure_payments(data["order_payments"], shares, rates)
    _measure_reviews(reviews, orders, shares, curves, rates)
    sold = items.merge(data["products"], on="product_id")
    _measure_items(sold, orders, shares, curves, rates)
    customers = data["customers"]
    rates["repeat_customer"] = 1 - customers.customer_unique_id.nunique() / len(customers)
    shares["customer_state"] = _shares(customers.customer_state)
    shares["seller_state"] = _shares(data["sellers"].seller_state)
    known = data["geolocation"].geolocation_zip_code_prefix
    rates["prefix_without_points"] = float((~customers.customer_zip_code_prefix.isin(known)).mean())
    shares["points_per_prefix"] = _shares(known.value_counts())
    figures: dict[str, Any] = _rounded(
        {
            "shares": shares,
            "curves": curves,
            "rates": rates,
            "category_curves": {
                "price": _by_category(sold, "price"),
                "freight": _by_category(sold, "freight_value"),
                "weight_g": _by_category(sold, "product_weight_g"),
            },
            "regions": _regions(data),
        }
    )
    return figures


def _measure_orders(orders: pd.DataFrame, items: pd.DataFrame, shares: _Shares, curves: _Curves, rates: _Rates) -> None:
    bought = orders.order_purchase_timestamp
    shares["order_status"] = _shares(orders.order_status)
    shares["hour"] = _shares(bought.dt.hour)
    shares["weekday"] = _shares(bought.dt.weekday)
    position = (bought - bought.min()) / (bought.max() - bought.min())
    shares["tenth_of_history"] = _shares((position * 10).clip(upper=9.999).astype(int))
    has_items = orders.order_id.isin(items.order_id)
    canceled = orders[orders.order_status == "canceled"]
    rates["canceled_with_items"] = float(has_items[canceled.index].mean())
    rates["unavailable_with_items"] = float(has_items[orders.order_status == "unavailable"].mean())
    rates["canceled_approved"] = float(canceled.order_approved_at.notna().mean())
    rates["canceled_shipped"] = float(canceled.order_delivered_carrier_date.notna().mean())


def _measure_delivery(
    orders: pd.DataFrame, payments: pd.DataFrame, shares: _Shares, curves: _Curves, rates: _Rates
) -> None:
    bought = orders.order_purchase_timestamp
    first = payments[payments.payment_sequential == 1].set_index("order_id").payment_type
    kind = orders.order_id.map(first)
    approval = _days(orders.order_approved_at - bought) * 24
    for name in ("boleto", "credit_card"):
        curves[f"approval_hours_{name}"] = _curve(approval[kind == name])
    curves["carrier_days"] = _curve(_days(orders.order_delivered_carrier_date - orders.order_approved_at).clip(0.02))
    estimated = orders.order_estimated_delivery_date
    shares["estimated_days"] = _shares((estimated - bought.dt.normalize()).dt.days)
    done = orders[orders.order_status == "delivered"].dropna(subset=["order_delivered_customer_date"])
    delay = _days(done.order_delivered_customer_date - done.order_estimated_delivery_date)
    total = _days(done.order_delivered_customer_date - done.order_purchase_timestamp)
    rates["late"] = float((delay > 0).mean())
    curves["late_days"] = _curve(delay[delay > 0])
    curves["on_time_days"] = _curve(total[delay <= 0])
    curves["delivery_days"] = _curve(total)


def _measure_payments(payments: pd.DataFrame, shares: _Shares, rates: _Rates) -> None:
    per_order = payments.groupby("order_id").size().clip(upper=5)
    shares["payments_per_order"] = _shares(per_order)
    shares["payment_type"] = _shares(payments.payment_type)
    first = payments[(payments.payment_sequential == 1) & (payments.payment_type != "not_defined")]
    single = first.order_id.map(per_order) == 1
    shares["single_payment_type"] = _shares(first[single].payment_type)
    cards = payments[payments.payment_type == "credit_card"]
    shares["credit_card_instalments"] = _shares(cards.payment_installments)


def _measure_reviews(
    reviews: pd.DataFrame, orders: pd.DataFrame, shares: _Shares, curves: _Curves, rates: _Rates
) -> None:
    rates["second_review"] = float((reviews.groupby("order_id").size() > 1).mean())
    rates["review_of_two_orders"] = 1 - reviews.review_id.nunique() / len(reviews)
    rated = reviews.merge(orders, on="order_id")
    delivered, estimated = rated.order_delivered_customer_date, rated.order_estimated_delivery_date
    groups = {"on_time": delivered <= estimated, "late": delivered > estimated, "undelivered": delivered.isna()}
    for name, mask in groups.items():
        shares[f"review_score_{name}"] = _shares(rated[mask].review_score)
    shares["review_score"] = _shares(rated.review_score)
    for final in ("delivered", "shipped", "canceled", "unavailable"):
        of_status = orders[orders.order_status == final]
        rates[f"reviewed_{final}"] = float(of_status.order_id.isin(reviews.order_id).mean())
    after = (rated.review_creation_date - delivered.dt.normalize()).dt.days
    shares["review_after_days"] = _shares(after[(after >= 0) & (after <= 10)].astype(int))
    curves["review_answer_days"] = _curve(_days(rated.review_answer_timestamp - rated.review_creation_date))
    for score, group in rated.groupby("review_score"):
        rates[f"comment_title_{score}"] = float(group.review_comment_title.notna().mean())
        rates[f"comment_message_{score}"] = float(group.review_comment_message.notna().mean())


def _measure_items(sold: pd.DataFrame, orders: pd.DataFrame, shares: _Shares, curves: _Curves, rates: _Rates) -> None:
    per_order = sold.groupby("order_id").size()
    shares["items_per_order"] = _shares(per_order)
    several = sold[sold.order_id.isin(per_order[per_order > 1].index)].groupby("order_id").product_id.nunique()
    rates["several_items_one_product"] = float((several == 1).mean())
    shares["category"] = _shares(sold.product_category_name.fillna(""))
    curves["price"], curves["freight"] = _curve(sold.price), _curve(sold.freight_value)
    sellers = sold.groupby("seller_id").size().sort_values(ascending=False).to_numpy()
    # The Lorenz curve: the share of the items that the first sellers sell, largest sellers first.
    part = np.concatenate([[0], np.cumsum(sellers) / sellers.sum()])
    curves["seller_concentration"] = np.interp(PROBABILITIES, np.arange(len(part)) / len(sellers), part).tolist()
    approved = sold.order_id.map(orders.set_index("order_id").order_approved_at)
    limit = _days(sold.shipping_limit_date - approved).dropna()
    shares["shipping_limit_days"] = _shares(limit[(limit > 0) & (limit < 30)].round().clip(lower=1).astype(int))
    products = sold.drop_duplicates("product_id")
    for name in ("length_cm", "height_cm", "width_cm"):
        curves[f"product_{name}"] = _curve(products[f"product_{name}"])
    for name in ("product_name_lenght", "product_description_lenght"):
        curves[name] = _curve(products[name])
    shares["product_photos_qty"] = _shares(products.product_photos_qty.dropna().astype(int))


def _regions(data: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Shares of customers and sellers, and mean position, by (state, first two digits of the zip prefix)."""
    points = data["geolocation"]
    points = points[points.geolocation_lat.between(-34, 6) & points.geolocation_lng.between(-74, -32)]
    points = points.assign(region=points.geolocation_zip_code_prefix.str[:2])
    found = points.groupby(["geolocation_state", "region"])
    place = found[["geolocation_lat", "geolocation_lng"]].agg(["mean", "std"]).fillna(0.1)
    customers, sellers = (
        frame.groupby([frame[f"{kind}_state"], frame[f"{kind}_zip_code_prefix"].str[:2]]).size() / len(frame)
        for kind, frame in (("customer", data["customers"]), ("seller", data["sellers"]))
    )
    return [
        {
            "state": state,
            "region": region,
            "customers": float(customers.get((state, region), 0)),
            "sellers": float(sellers.get((state, region), 0)),
            "latitude": row[:2].tolist(),
            "longitude": row[2:].tolist(),
        }
        for (state, region), row in zip(place.index, place.to_numpy(), strict=True)
        if (state, region) in customers.index or (state, region) in sellers.index
    ]


def _by_category(sold: pd.DataFrame, column: str) -> dict[str, list[float]]:
    category = sold.product_category_name.fillna("")
    items = category.value_counts()
    large = sorted(str(name) for name in items[items >= _ENOUGH].index)
    return {"*": _curve(sold[column])} | {name: _curve(sold[column][category == name]) for name in large}


def _read(folder: Path) -> dict[str, pd.DataFrame]:
    frames = {}
    for name in COLUMNS:
        frame = pd.read_csv(folder / f"olist_{name}_dataset.csv", dtype=_TEXT)
        for column in frame.columns:
            if column.endswith(("_date", "_timestamp", "_approved_at")):
                frame[column] = pd.to_datetime(frame[column])
        frames[name] = frame
    return frames


def _shares(values: "pd.Series[Any]") -> dict[str, float]:
    return {str(value): float(share) for value, share in values.value_counts(normalize=True).sort_index().items()}


def _curve(values: "pd.Series[Any]") -> list[float]:
    # The ends are cut off: an extreme is a single row, and a line drawn to it would make the tail too heavy.
    return values.dropna().quantile([min(max(p, 0.001), 0.999) for p in PROBABILITIES]).astype(float).tolist()


def _days(span: "pd.Series[Any]") -> "pd.Series[float]":
    return span.dt.total_seconds() / _DAY


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, 5) if isinstance(value, float) else value


if __name__ == "__main__":
    _figures = measure_profile(Path(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(_figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
