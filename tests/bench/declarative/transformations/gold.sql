-- The five views for reports: every measure but order_count and canceled_count is over valid orders.
CREATE MATERIALIZED VIEW gold_daily_orders AS
SELECT
  order_date,
  count(*) AS order_count,
  count_if(NOT is_valid) AS canceled_count,
  count(DISTINCT customer_unique_id) FILTER (WHERE is_valid) AS customer_count,
  coalesce(sum(item_count) FILTER (WHERE is_valid), 0) AS item_count,
  coalesce(sum(items_value) FILTER (WHERE is_valid), 0) AS items_value,
  coalesce(sum(freight_value) FILTER (WHERE is_valid), 0) AS freight_value,
  coalesce(sum(payment_value) FILTER (WHERE is_valid), 0) AS payment_value,
  CAST(sum(payment_value) FILTER (WHERE is_valid) AS DOUBLE) / nullif(count_if(is_valid), 0) AS average_order_value,
  sum(review_score_sum) FILTER (WHERE is_valid)
    / nullif(sum(review_count) FILTER (WHERE is_valid), 0) AS average_review_score,
  count_if(is_valid AND is_late) AS late_delivery_count
FROM silver_orders_enriched
WHERE order_date IS NOT NULL
GROUP BY order_date;

CREATE MATERIALIZED VIEW gold_monthly_orders AS
WITH months AS (
  SELECT
    CAST(trunc(order_date, 'MM') AS DATE) AS order_month,
    count(*) AS order_count,
    count_if(NOT is_valid) AS canceled_count,
    count(DISTINCT customer_unique_id) FILTER (WHERE is_valid) AS customer_count,
    coalesce(sum(item_count) FILTER (WHERE is_valid), 0) AS item_count,
    coalesce(sum(items_value) FILTER (WHERE is_valid), 0) AS items_value,
    coalesce(sum(freight_value) FILTER (WHERE is_valid), 0) AS freight_value,
    coalesce(sum(payment_value) FILTER (WHERE is_valid), 0) AS payment_value,
    CAST(sum(payment_value) FILTER (WHERE is_valid) AS DOUBLE) / nullif(count_if(is_valid), 0) AS average_order_value,
    sum(review_score_sum) FILTER (WHERE is_valid)
      / nullif(sum(review_count) FILTER (WHERE is_valid), 0) AS average_review_score,
    count_if(is_valid AND is_late) AS late_delivery_count
  FROM silver_orders_enriched
  WHERE order_date IS NOT NULL
  GROUP BY trunc(order_date, 'MM'))
SELECT m.*, CAST(m.payment_value - b.payment_value AS DOUBLE) / nullif(b.payment_value, 0) AS payment_value_growth
FROM months m LEFT JOIN months b ON b.order_month = add_months(m.order_month, -1);

CREATE MATERIALIZED VIEW gold_orders_by_state AS
SELECT
  customer_state,
  count(*) AS order_count,
  count_if(NOT is_valid) AS canceled_count,
  count(DISTINCT customer_unique_id) FILTER (WHERE is_valid) AS customer_count,
  coalesce(sum(payment_value) FILTER (WHERE is_valid), 0) AS payment_value,
  CAST(sum(payment_value) FILTER (WHERE is_valid) AS DOUBLE) / nullif(count_if(is_valid), 0) AS average_order_value,
  avg(delivery_days) FILTER (WHERE is_valid) AS average_delivery_days,
  CAST(count_if(is_valid AND is_late) AS DOUBLE)
    / nullif(count_if(is_valid AND is_late IS NOT NULL), 0) AS late_delivery_rate,
  sum(review_score_sum) FILTER (WHERE is_valid)
    / nullif(sum(review_count) FILTER (WHERE is_valid), 0) AS average_review_score
FROM silver_orders_enriched
WHERE customer_state IS NOT NULL
GROUP BY customer_state;

CREATE MATERIALIZED VIEW gold_seller_performance AS
WITH seller_orders AS (
  SELECT seller_id, order_id, count(*) AS order_items, sum(price) AS order_price, sum(freight_value) AS order_freight
  FROM silver_order_items
  WHERE seller_id IS NOT NULL
  GROUP BY seller_id, order_id),
sums AS (
  SELECT
    seller_id,
    count(*) AS order_count,
    sum(order_items) AS item_count,
    coalesce(sum(order_price), 0) AS items_value,
    coalesce(sum(order_freight), 0) AS freight_value,
    avg(delivery_days) AS average_delivery_days,
    CAST(count_if(is_late) AS DOUBLE) / nullif(count(is_late), 0) AS late_delivery_rate,
    sum(review_score_sum) / nullif(sum(review_count), 0) AS average_review_score
  FROM seller_orders JOIN silver_orders_enriched USING (order_id)
  WHERE is_valid
  GROUP BY seller_id)
SELECT
  seller_id, seller_city, seller_state, order_count, item_count, items_value, freight_value,
  average_delivery_days, late_delivery_rate, average_review_score
FROM sums LEFT JOIN silver_sellers USING (seller_id);

CREATE MATERIALIZED VIEW gold_category_performance AS
WITH category_orders AS (
  SELECT
    coalesce(product_category_name, 'unknown') AS product_category_name,
    order_id,
    max(product_category_name_english) AS english,
    count(*) AS order_items,
    count(price) AS priced_items,
    sum(price) AS order_price,
    sum(freight_value) AS order_freight
  FROM silver_order_items LEFT JOIN silver_products USING (product_id)
  GROUP BY coalesce(product_category_name, 'unknown'), order_id)
SELECT
  product_category_name,
  max(english) AS product_category_name_english,
  count(*) AS order_count,
  sum(order_items) AS item_count,
  coalesce(sum(order_price), 0) AS items_value,
  CAST(sum(order_price) AS DOUBLE) / nullif(sum(priced_items), 0) AS average_price,
  coalesce(sum(order_freight), 0) AS freight_value,
  sum(review_score_sum) / nullif(sum(review_count), 0) AS average_review_score
FROM category_orders JOIN silver_orders_enriched USING (order_id)
WHERE is_valid
GROUP BY product_category_name;
