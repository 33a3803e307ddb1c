"""Generated data follow the profile; the figures are computed here with pandas from the CSV text."""

import numpy as np
import pandas as pd
import pytest
from generator_worlds import PROFILE, frames, initial_files, world_of

ORDERS = 20_000


@pytest.fixture(scope="module")
def data() -> dict[str, pd.DataFrame]:
    """One large initial load."""
    return frames(initial_files(world_of(ORDERS)))


def distance(values: pd.Series, name: str) -> float:
    """Total variation distance between *values* and the shares *name* of the profile."""
    expected = pd.Series(PROFILE.weights(name), index=PROFILE.values(name))
    found = values.astype(str).value_counts(normalize=True)
    return found.sub(expected, fill_value=0).abs().sum() / 2


def moments(data: dict, column: str) -> pd.Series:
    """A column of orders that had two months to arrive, as timestamps."""
    orders = data["orders"]
    old = orders["order_purchase_timestamp"] < "2018-07-01"
    return pd.to_datetime(orders.loc[old, column])


@pytest.mark.parametrize(
    ("entity", "column", "shares", "at_most"),
    [
        ("customers", "customer_state", "customer_state", 0.02),
        ("sellers", "seller_state", "seller_state", 0.02),
        ("order_payments", "payment_type", "payment_type", 0.02),
        ("order_reviews", "review_score", "review_score", 0.02),
    ],
)
def test_shares_follow_the_profile(data, entity, column, shares, at_most):
    """States, payment types, review scores."""
    assert distance(data[entity][column], shares) < at_most


def test_categories_of_sold_items_follow_the_profile(data):
    """By items, not by products: a few products account for most sales."""
    sold = data["order_items"].merge(data["products"], on="product_id")["product_category_name"].fillna("")

    assert distance(sold, "category") < 0.03


def test_instalments_follow_the_profile(data):
    """Only credit cards; everyone else pays at once."""
    payments = data["order_payments"]
    card = payments["payment_type"] == "credit_card"

    assert distance(payments.loc[card, "payment_installments"], "credit_card_instalments") < 0.02
    assert (payments.loc[~card, "payment_installments"] == "1").all()


def test_items_and_payments_an_order_follow_the_profile(data):
    """Most orders have one of each."""
    assert distance(data["order_items"].groupby("order_id").size(), "items_per_order") < 0.01
    assert distance(data["order_payments"].groupby("order_id").size().clip(upper=5), "payments_per_order") < 0.01


def test_hours_and_weekdays_follow_the_profile(data):
    """Evenings and Mondays."""
    bought = pd.to_datetime(data["orders"]["order_purchase_timestamp"])

    assert distance(bought.dt.hour, "hour") < 0.02
    assert distance(bought.dt.weekday, "weekday") < 0.02


def test_final_statuses_follow_the_profile(data):
    """For orders that are old enough to have ended."""
    orders = data["orders"]

    assert (
        distance(orders.loc[orders["order_purchase_timestamp"] < "2018-06-01", "order_status"], "order_status") < 0.01
    )


@pytest.mark.parametrize(("column", "curve"), [("price", "price"), ("freight_value", "freight")])
def test_amounts_follow_the_curves(data, column, curve):
    """Quantiles of price and freight."""
    values = data["order_items"][column].astype(float)

    for chance in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert values.quantile(chance) == pytest.approx(PROFILE.draw(curve, np.array([chance]))[0], rel=0.06)


def test_dear_categories_are_dear(data):
    """Each large category has its own prices."""
    sold = data["order_items"].merge(data["products"], on="product_id")
    for name in ("cama_mesa_banho", "relogios_presentes", "telefonia"):
        category = np.array([PROFILE.categories.index(name)])
        expected = PROFILE.draw_by_category("price", category, np.array([0.5]))[0]
        found = sold.loc[sold["product_category_name"] == name, "price"].astype(float).median()
        assert found == pytest.approx(expected, rel=0.15)


def test_delivery_takes_as_long_as_in_the_profile(data):
    """Quantiles of the days from purchase to delivery."""
    bought = moments(data, "order_purchase_timestamp")
    days = (moments(data, "order_delivered_customer_date") - bought).dt.total_seconds() / 86_400

    for chance in (0.1, 0.5, 0.9):
        assert days.quantile(chance) == pytest.approx(PROFILE.draw("delivery_days", np.array([chance]))[0], rel=0.12)


def test_as_many_orders_are_late_as_in_the_profile(data):
    """Late: after the estimated date."""
    delivered = moments(data, "order_delivered_customer_date").dropna()
    limit = moments(data, "order_estimated_delivery_date")[delivered.index]

    assert (delivered > limit).mean() == pytest.approx(PROFILE.rate("late"), abs=0.01)


def test_who_waits_too_long_gives_worse_scores(data):
    """Review scores depend on the delivery, as in the profile."""
    rated = data["order_reviews"].merge(data["orders"], on="order_id").dropna(subset="order_delivered_customer_date")
    late = rated["order_delivered_customer_date"] > rated["order_estimated_delivery_date"]

    assert distance(rated.loc[late, "review_score"], "review_score_late") < 0.05
    assert distance(rated.loc[~late, "review_score"], "review_score_on_time") < 0.02


def test_few_sellers_sell_most(data):
    """The first tenth of the sellers sells what the profile's concentration says."""
    sold = data["order_items"].groupby("seller_id").size().sort_values(ascending=False)
    first = sold.head(len(data["sellers"]) // 10).sum() / sold.sum()

    assert first == pytest.approx(PROFILE.draw("seller_concentration", np.array([0.1]))[0], abs=0.05)


def test_some_customers_buy_again_from_the_same_home(data):
    """`customer_unique_id` identifies the person, and a person's home does not change."""
    customers = data["customers"]
    share = 1 - customers["customer_unique_id"].nunique() / len(customers)

    assert share == pytest.approx(PROFILE.rate("repeat_customer"), abs=0.001)
    assert share > 0
    assert (customers.groupby("customer_unique_id")["customer_zip_code_prefix"].nunique() == 1).all()
