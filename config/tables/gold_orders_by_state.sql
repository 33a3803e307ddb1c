SELECT customer_state,
    count(*) AS order_count,
    count_if(NOT is_valid) AS canceled_count,
    count(DISTINCT customer_unique_id) FILTER (WHERE is_valid) AS customer_count,
    coalesce(sum(payment_value) FILTER (WHERE is_valid), 0) AS payment_value,
    try_divide(CAST(sum(payment_value) FILTER (WHERE is_valid) AS DOUBLE), count_if(is_valid))
        AS average_order_value,
    -- Sums of DOUBLE depend on the order of the rows, sums of DECIMAL do not.
    CAST(avg(CAST(delivery_days AS DECIMAL(24, 15))) FILTER (WHERE is_valid) AS DOUBLE) AS average_delivery_days,
    try_divide(count_if(is_valid AND is_late), count_if(is_valid AND is_late IS NOT NULL)) AS late_delivery_rate,
    try_divide(sum(review_score_sum) FILTER (WHERE is_valid), sum(review_count) FILTER (WHERE is_valid))
        AS average_review_score
FROM silver_orders_enriched WHERE customer_state IS NOT NULL GROUP BY customer_state
