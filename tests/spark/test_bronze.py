"""What a user gets for each kind of file: nothing shifts, nothing is lost, nothing is skipped silently."""

import json

import pytest
from lakehouse_fixtures import HEADERS, Lakehouse, NotebookFailed

from lakehouse.layers.bronze import empty_table
from lakehouse.tables.contracts import load_contract

STAMPS = "2018-01-01 00:00:00"


@pytest.fixture(scope="module")
def lakehouse(lakeflow) -> Lakehouse:
    """A catalog that has loaded one odd, but readable, file of each kind."""
    made = Lakehouse(lakeflow)
    made.land(
        "customers",
        "reordered.csv",
        b"customer_state,customer_city,customer_id,customer_unique_id,customer_zip_code_prefix\n"
        b"SP,sao paulo,c1,u1,01001\n",
    )
    made.land("customers", "windows.csv", f"{HEADERS['customers']}\r\nc2,u2,01002,campinas,SP\r\n".encode())
    made.land("sellers", "mark.csv", f"{HEADERS['sellers']}\ns1,13023,campinas,SP\n".encode("utf-8-sig"))
    made.land("sellers", "too_many.csv", f"{HEADERS['sellers']}\ns2,80010,curitiba,PR,surplus\n".encode())
    made.land("products", "extra.csv", f"{HEADERS['products']},colour\np1,bebes,1,2,3,4,5,6,7,red\n".encode())
    made.land("orders", "old.csv", f"o1,c1,delivered,{STAMPS},,,,{STAMPS}", modified="2009-01-01T00:00:00")
    made.land("order_items", "header_only.csv", "")
    made.land("order_payments", "empty.csv", b"")
    review = f'r1,o1,5,"a ""quoted"" title","two\nlines",{STAMPS},{STAMPS}\n'
    made.land("order_reviews", "lines.csv", f"{HEADERS['order_reviews']}\n{review}".encode())
    made.land("geolocation", "plain.csv", "01001,-23.5,-46.6,são paulo,SP")
    made.run("20_bronze", run_id="odd")
    return made


def rows(lakehouse: Lakehouse, entity: str) -> list[tuple]:
    """The file's columns and the rescued data of all rows of an entity."""
    columns = HEADERS[entity]
    return sorted(lakehouse.rows(f"SELECT {columns}, _rescued_data FROM bronze.bronze_{entity}"), key=repr)


def test_columns_are_found_by_name_and_windows_line_ends_are_no_part_of_values(lakehouse):
    """A file with reordered columns, and one with CRLF, are loaded correctly."""
    assert rows(lakehouse, "customers") == [
        ("c1", "u1", "01001", "sao paulo", "SP", None),
        ("c2", "u2", "01002", "campinas", "SP", None),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column_and_surplus_fields_are_kept(lakehouse):
    """The first column is found; a row with too many fields keeps its own columns, the surplus is rescued."""
    plain, surplus = rows(lakehouse, "sellers")

    assert plain == ("s1", "13023", "campinas", "SP", None)
    assert surplus[:4] == ("s2", "80010", "curitiba", "PR")
    assert "surplus" in surplus[4]


def test_an_extra_column_is_rescued_and_counted(lakehouse):
    """Nothing is lost: the column is in `_rescued_data`, by its name, and the rule `nothing_rescued` counts the row."""
    (product,) = rows(lakehouse, "products")

    assert product[:9] == ("p1", "bebes", "1", "2", "3", "4", "5", "6", "7")
    assert json.loads(product[9])["colour"] == "red"
    counts = lakehouse.rows(
        "SELECT table_name, checked_rows, failed_rows FROM ops.expectation_results "
        "WHERE run_id = 'odd' AND rule = 'nothing_rescued' AND failed_rows > 0"
    )
    assert sorted(counts) == [("bronze.bronze_products", 1, 1), ("bronze.bronze_sellers", 2, 1)]


def test_an_old_file_is_not_skipped(lakehouse):
    """Open-source Spark's file source silently skips files older than a week."""
    found = lakehouse.rows("SELECT order_id, _source_file, year(_file_modified_at) FROM bronze.bronze_orders")

    assert found == [("o1", "/Volumes/olist_dev/raw/olist/orders/old.csv", 2009)]


def test_files_without_rows_are_taken_as_such(lakehouse):
    """An empty file, and one with only a header, are known afterwards, and are not failures."""
    assert rows(lakehouse, "order_items") == rows(lakehouse, "order_payments") == []
    known = lakehouse.rows("SELECT file_name FROM ops.landed_files WHERE table_name LIKE '%order_items'")
    assert known == [("header_only.csv",)]


def test_line_breaks_and_quotes_are_part_of_a_comment(lakehouse):
    """Olist's review comments contain both."""
    assert rows(lakehouse, "order_reviews") == [
        ("r1", "o1", "5", 'a "quoted" title', "two\nlines", STAMPS, STAMPS, None)
    ]


def test_bad_files_are_refused_by_name_and_the_other_tables_go_on(lakehouse):
    """Each kind of bad file, in one run: what the user reads, and that nothing of them was loaded."""
    before = lakehouse.versions("bronze")
    bad = [
        lakehouse.land("customers", "missing.csv", b"customer_id,customer_city,customer_state\nc3,recife,PE\n"),
        lakehouse.land("sellers", "latin1.csv", f"{HEADERS['sellers']}\ns3,01001,são paulo,SP\n".encode("latin-1")),
        lakehouse.land("products", "twice.csv", f"{HEADERS['products']},product_id\np2,,,,,1,1,1,1,p3\n".encode()),
    ]
    lakehouse.land("orders", "old.csv", f"o1,c1,canceled,{STAMPS},,,,{STAMPS}")
    lakehouse.land("geolocation", "plain.csv", "01001,-23.5,-46.6,são paulo,SP", modified="2024-05-05T00:00:00")
    lakehouse.land("order_payments", "good.csv", "o1,1,voucher,1,9.99")

    with pytest.raises(NotebookFailed) as failed:
        lakehouse.run("20_bronze")

    heading, *lines = str(failed.value).splitlines()
    assert heading == "TablesFailedError: 4 of 8 tables failed, the others were written:"
    told = dict(line.removeprefix("bronze.bronze_").split(": ", 1) for line in lines)
    root = "/Volumes/olist_dev/raw/olist"
    assert told.keys() == {"customers", "orders", "products", "sellers"}
    missing = f"`{root}/customers/missing.csv`: found no column `customer_unique_id`, `customer_zip_code_prefix`"
    assert told["customers"].startswith(missing)
    assert told["orders"].startswith(f"`{root}/orders/old.csv`: found content that differs from what was loaded")
    assert told["products"].startswith(f"`{root}/products/twice.csv`: found the column `product_id` twice")
    assert told["sellers"].startswith(f"`{root}/sellers/latin1.csv`: found bytes that are not UTF-8 in `seller_city`")
    after = lakehouse.versions("bronze")
    assert {table for table in after if after[table] != before[table]} == {"bronze_order_payments"}
    for place in bad:
        place.unlink()
    lakehouse.land("orders", "old.csv", f"o1,c1,delivered,{STAMPS},,,,{STAMPS}", modified="2009-01-01T00:00:00")


def test_a_run_without_new_files_commits_nothing(lakehouse):
    """Even after files were written again with the same content, as the previous test left them."""
    lakehouse.run("20_bronze")
    before = lakehouse.versions("bronze")

    lakehouse.run("20_bronze")

    assert lakehouse.versions("bronze") == before


@pytest.mark.slow("all files twice more")
def test_a_full_refresh_reads_all_files_again_also_after_a_kill_in_between(lakehouse):
    """The new, empty table and its unused checkpoint belong together; the next run fills it."""
    before = {entity: rows(lakehouse, entity) for entity in HEADERS}
    # Killed after the tables were replaced, before the streams: the first half of a full refresh.
    for entity in ("customers", "order_reviews"):
        empty_table(lakehouse.spark, load_contract(f"bronze_{entity}"))
    assert rows(lakehouse, "customers") == []

    lakehouse.run("20_bronze")
    assert {entity: rows(lakehouse, entity) for entity in HEADERS} == before

    lakehouse.run("20_bronze", refresh_mode="full")
    assert {entity: rows(lakehouse, entity) for entity in HEADERS} == before


def test_a_missing_volume_names_the_notebook_that_makes_it(lakehouse):
    """As the troubleshooting guide says."""
    folder = lakehouse.volume / "sellers"
    folder.rename(lakehouse.volume / "_sellers")
    try:
        with pytest.raises(NotebookFailed) as failed:
            lakehouse.run("20_bronze")
    finally:
        (lakehouse.volume / "_sellers").rename(folder)

    path = "/Volumes/olist_dev/raw/olist/sellers"
    told = f"PlaceError: Volume path not found: {path}, run notebooks/00_setup"
    assert str(failed.value) == f'{told} (cell 8 "Which files are new")'


def test_a_folder_among_the_files_is_refused(lakehouse):
    """Its files would not be read."""
    folder = lakehouse.volume / "sellers" / "more"
    folder.mkdir()
    try:
        with pytest.raises(NotebookFailed, match=r"^TablesFailedError: (.|\n)*sellers/more/`: found a folder"):
            lakehouse.run("20_bronze")
    finally:
        folder.rmdir()
