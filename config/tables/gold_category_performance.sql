WITH priced AS (
    SELECT coalesce(product_category_name, 'unknown') AS product_category_name, product_category_name_english,
        order_id, price, freight_value
    FROM silver_order_items LEFT JOIN silver_products USING (product_id)),
category_orders AS (
    SELECT product_category_name, order_id, max(product_category_name_english) AS english,
        count(*) AS items, count(price) AS priced_items, sum(price) AS price, sum(freight_value) AS freight
    FROM priced GROUP BY product_category_name, order_id)
SELECT product_category_name,
    max(english) AS product_category_name_english,
    count(*) AS order_count,
    sum(items) AS item_count,
    coalesce(sum(price), 0) AS items_value,
    try_divide(CAST(sum(price) AS DOUBLE), sum(priced_items)) AS average_price,
    coalesce(sum(freight), 0) AS freight_value,
    try_divide(sum(review_score_sum), sum(review_count)) AS average_review_score
FROM category_orders JOIN silver_orders_enriched USING (order_id)
WHERE is_valid GROUP BY product_category_name
