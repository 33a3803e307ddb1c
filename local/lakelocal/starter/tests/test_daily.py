"""The job as it is deployed, run on this machine: `pytest`."""


def test_a_day_is_loaded_and_reported(lakeflow):
    """A day has a hundred orders; the report adds up to them."""
    run = lakeflow.run("daily", params={"run_date": "2024-05-02"})

    assert run.result == "SUCCESS", run
    assert run.task("load").values["row_count"] == 100
    assert run.table("shop.orders").count() == 100
    assert sum(row["order_count"] for row in run.table("shop.cities").collect()) == 100


def test_a_day_can_be_loaded_again(lakeflow):
    """Its rows are replaced."""
    for _ in range(2):
        run = lakeflow.run_notebook("notebooks/load", params={"run_date": "2024-05-03"})
        assert run.result == "SUCCESS", run

    assert run.table("shop.orders").where("order_date = '2024-05-03'").count() == 100
