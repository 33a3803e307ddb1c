# Databricks notebook source
# MAGIC %md
# MAGIC # Load: the orders of one day
# MAGIC
# MAGIC *Writes* `shop.orders`. *Safe to repeat:* the rows of the day are replaced.

# COMMAND ----------

dbutils.widgets.text("catalog", "main", "Unity Catalog catalog to write to")
dbutils.widgets.text("run_date", "2024-05-01", "The day to load, YYYY-MM-DD")
catalog, run_date = dbutils.widgets.get("catalog"), dbutils.widgets.get("run_date")

# COMMAND ----------

# MAGIC %md
# MAGIC In place of a source: a hundred orders a day, the same each time. Read your own files or tables here.

# COMMAND ----------

orders = spark.range(100).selectExpr(
    f"concat('{run_date}-', id) AS order_id",
    f"DATE'{run_date}' AS order_date",
    "element_at(array('Natal', 'Olinda', 'Recife'), int(id % 3) + 1) AS city",
    "CAST(10 + id * 1.5 AS DECIMAL(10, 2)) AS amount",
)

# COMMAND ----------

spark.sql(f"CREATE SCHEMA IF NOT EXISTS {catalog}.shop")
spark.sql(
    f"CREATE TABLE IF NOT EXISTS {catalog}.shop.orders "
    "(order_id STRING, order_date DATE, city STRING, amount DECIMAL(10, 2))"
)
orders.write.mode("overwrite").option("replaceWhere", f"order_date = '{run_date}'").saveAsTable(
    f"{catalog}.shop.orders"
)
display(spark.table(f"{catalog}.shop.orders").orderBy("order_id").limit(5))

# COMMAND ----------

dbutils.jobs.taskValues.set("row_count", orders.count())
