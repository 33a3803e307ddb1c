"""The names of a small catalog, for tests of completion."""


class Shop:
    """Two schemas, a table in each, a temporary view, another catalog."""

    COLUMNS = {  # noqa: RUF012
        "silver.orders": ["order_id", "status", "total value"],
        "gold.daily": ["day", "order_count"],
        "dev.silver.orders": ["order_id", "status"],
        "recent": ["order_id", "age"],
    }

    def catalogs(self):
        return ["dev", "samples"]

    def schemas(self, catalog=""):
        return {"": ["silver", "gold"], "dev": ["silver", "gold"], "samples": ["nyctaxi"]}[catalog]

    def tables(self, schema=""):
        known = {"": ["recent"], "silver": ["orders"], "gold": ["daily"], "samples.nyctaxi": ["trips"]}
        return known.get(schema.removeprefix("dev."), [])

    def columns(self, table):
        return self.COLUMNS.get(table, [])

    def functions(self):
        return ["count", "current_date", "date_trunc", "sum"]
