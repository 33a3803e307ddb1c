SELECT order_date,
    count(*) AS order_count,
    count_if(NOT is_valid) AS canceled_count,
    count(DISTINCT customer_unique_id) FILTER (WHERE is_valid) AS customer_count,
    coalesce(sum(item_count) FILTER (WHERE is_valid), 0) AS item_count,
    coalesce(sum(items_value) FILTER (WHERE is_valid), 0) AS items_value,
    coalesce(sum(freight_value) FILTER (WHERE is_valid), 0) AS freight_value,
    coalesce(sum(payment_value) FILTER (WHERE is_valid), 0) AS payment_value,
    try_divide(CAST(sum(payment_value) FILTER (WHERE is_valid) AS DOUBLE), count_if(is_valid))
        AS average_order_value,
    try_divide(sum(review_score_sum) FILTER (WHERE is_valid), sum(review_count) FILTER (WHERE is_valid))
        AS average_review_score,
    count_if(is_valid AND is_late) AS late_delivery_count
FROM silver_orders_enriched WHERE order_date IS NOT NULL GROUP BY order_date
