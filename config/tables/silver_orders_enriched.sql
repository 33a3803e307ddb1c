WITH items AS (
    SELECT order_id, CAST(count(*) AS INT) AS item_count, sum(price) AS items_value,
        sum(freight_value) AS freight_value
    FROM silver_order_items GROUP BY order_id),
payments AS (
    SELECT order_id, CAST(count(*) AS INT) AS payment_count, sum(payment_value) AS payment_value
    FROM silver_order_payments GROUP BY order_id),
reviews AS (
    SELECT order_id, count(review_score) AS review_count, sum(review_score) AS review_score_sum
    FROM silver_order_reviews GROUP BY order_id)
SELECT order_id, o.customer_id,
    customer_unique_id, customer_zip_code_prefix, customer_city, customer_state,
    order_status, order_status NOT IN ('canceled', 'unavailable') AS is_valid,
    to_date(order_purchase_timestamp) AS order_date,
    order_purchase_timestamp, order_delivered_customer_date, order_estimated_delivery_date,
    coalesce(item_count, 0) AS item_count, coalesce(items_value, 0) AS items_value,
    coalesce(freight_value, 0) AS freight_value,
    coalesce(payment_count, 0) AS payment_count, coalesce(payment_value, 0) AS payment_value,
    coalesce(review_count, 0) AS review_count, coalesce(review_score_sum, 0) AS review_score_sum,
    review_score_sum / review_count AS review_score,
    timestampdiff(MICROSECOND, order_purchase_timestamp, order_delivered_customer_date) / 86400e6 AS delivery_days,
    CASE WHEN order_delivered_customer_date IS NOT NULL THEN
        coalesce(order_delivered_customer_date > order_estimated_delivery_date, false) END AS is_late
FROM silver_orders o
LEFT JOIN silver_customers c ON c.customer_id = o.customer_id
LEFT JOIN items USING (order_id) LEFT JOIN payments USING (order_id) LEFT JOIN reviews USING (order_id)
