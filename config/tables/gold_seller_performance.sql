WITH seller_orders AS (
    SELECT seller_id, order_id, count(*) AS items, sum(price) AS price, sum(freight_value) AS freight
    FROM silver_order_items WHERE seller_id IS NOT NULL GROUP BY seller_id, order_id),
sums AS (
    SELECT seller_id,
        count(*) AS order_count,
        sum(items) AS item_count,
        coalesce(sum(price), 0) AS items_value,
        coalesce(sum(freight), 0) AS freight_value,
        -- Sums of DOUBLE depend on the order of the rows, sums of DECIMAL do not.
        CAST(avg(CAST(delivery_days AS DECIMAL(24, 15))) AS DOUBLE) AS average_delivery_days,
        try_divide(count_if(is_late), count(is_late)) AS late_delivery_rate,
        try_divide(sum(review_score_sum), sum(review_count)) AS average_review_score
    FROM seller_orders JOIN silver_orders_enriched USING (order_id) WHERE is_valid GROUP BY seller_id)
SELECT seller_id, seller_city, seller_state, order_count, item_count, items_value, freight_value,
    average_delivery_days, late_delivery_rate, average_review_score
FROM sums LEFT JOIN silver_sellers USING (seller_id)
