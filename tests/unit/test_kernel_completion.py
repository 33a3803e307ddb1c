"""What completes strings in Python cells and `%sql` cells; `|` is the cursor."""

import pytest
from completion_names import Shop

from lakelocal.kernel.completion import complete_cell


class DataFrame:
    """Looks like a frame of Spark, with columns."""

    __module__ = "pyspark.sql.connect.dataframe"

    def __init__(self, *columns: str) -> None:
        self.columns = list(columns)


class Names(Shop):
    def columns_of(self, frame):
        return frame.columns


VARIABLES = {"df": DataFrame("order_id", "status"), "lines": DataFrame("line_id", "price"), "text": "no frame"}


def completed(text: str) -> list[str] | None:
    before, _, after = text.partition("|")
    found = complete_cell(before + after, len(before), VARIABLES, Names())
    return None if found is None else [each.text for each in found.candidates]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('spark.table("silver.|")', ["silver.orders"]),
        ('table("gold.|', ["gold.daily"]),
        ("spark.read.table('gold.d|')", ["gold.daily"]),
        ('df.write.saveAsTable("gold.|")', ["gold.daily"]),
        ('spark.catalog.tableExists("gold.|")', ["gold.daily"]),
        ('DeltaTable.forName(spark, "gold.|")', ["gold.daily"]),
        ('spark.sql("select st| from silver.orders")', ["status"]),
        ('x = 1\nspark.sql(f"""\n  SELECT * FROM gold.|\n""")', ["gold.daily"]),
        ('sql("SELECT st|", args={})', []),
        ("%sql\nSELECT st| FROM silver.orders", ["status"]),
        ("%sql SELECT * FROM gold.|", ["gold.daily"]),
        ('df["|"]', ["order_id", "status"]),
        ('df["ord|', ["order_id"]),
        ('df.select("|")', ["order_id", "status"]),
        ('df.select("order_id", "st|")', ["status"]),
        ('df.groupBy(["st|"])', ["status"]),
        ('df.where(F.col("st|") == 1)', ["status"]),
        ('df.withColumn("n", F.upper("st|"))', ["status"]),
        ('df.where("st| = 3")', ["status"]),
        ('df.selectExpr("upper(st|)")', ["status"]),
        ('(df\n    .where("status = \'(\'")\n    .groupBy("st|"))', ["status"]),
        ('df.join(lines, "pr|")', ["price"]),
        ('df.join(lines, "x").select("pr|")', ["price"]),
        ('lines.select("pr|")', ["price"]),
        ('spark.table("silver.orders").select("st|")', ["status"]),
    ],
)
def test_strings_are_completed_by_what_they_are_for(text, expected):
    """The call around a string says whether it is SQL, a table or a column."""
    assert completed(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'print("st|")',
        'text.split("st|")',
        'df.write.mode("over|")',
        'df.withColumn("n", F.lit("st|"))',
        'df.write.format("del|")',
        '# df.select("st|")',
        "df.sel|",
        '"st|"',
        'df.select("status").sh|',
        "",
    ],
)
def test_other_text_is_left_to_others(text):
    """IPython's own completion goes on."""
    assert completed(text) is None
