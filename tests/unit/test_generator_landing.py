"""What lands in the volume: when, exactly once, and reproducibly."""

import json
from pathlib import Path

import pytest
from generator_fakes import FakeDbutils, FakeFileSystem
from generator_feeds import reader

from lakehouse import LakehouseError, config_folder
from lakehouse.generator import Settings, Volume, business_day, land, load_profile, plan_landing
from lakehouse.generator.columns import COLUMNS
from lakehouse.generator.source import SourceError
from lakehouse.generator.volume import LandingConflictError

PROFILE = load_profile(config_folder())
SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "olist_sample"


def run(dbutils: FakeDbutils, run_date: str, *, source: str = "", scale: int = 300, seed: int = 7) -> list:
    """One run of the notebook's landing part."""
    volume = Volume(dbutils, "olist_dev")
    plan = plan_landing(volume, Settings(run_date, seed=seed, scale=scale, history_days=60, source=source))
    return land(plan, volume=volume, profile=PROFILE, read=reader(dbutils))


def make_source(folder: Path) -> Path:
    """A folder with the eight files, one row each."""
    folder.mkdir()
    for entity, names in COLUMNS.items():
        text = ",".join(names) + "\r\n" + ",".join("1" for _ in names) + "\r\n"
        (folder / f"olist_{entity}_dataset.csv").write_bytes(text.encode())
    return folder


@pytest.fixture
def dbutils(tmp_path: Path) -> FakeDbutils:
    """An empty volume."""
    return FakeDbutils(tmp_path / "volumes")


def test_first_run_lands_one_file_an_entity_and_a_manifest_that_counts_them(dbutils):
    """Later stages find every entity's folder after the first run."""
    run(dbutils, "2018-09-01")

    found = dbutils.files()
    assert {f"{entity}/{entity}_2018-09-01_initial.csv" for entity in COLUMNS} < set(found)
    manifest = json.loads(found["_manifests/2018-09-01_initial.json"])
    orders = next(file for file in manifest["files"] if file["entity"] == "orders")
    assert orders["rows"] == 300
    assert orders["bytes"] == len(found["orders/orders_2018-09-01_initial.csv"])


def test_same_parameters_give_the_same_bytes(tmp_path):
    """Files of two volumes agree byte by byte, including manifests: no clock, no order of a set."""
    volumes = [FakeDbutils(tmp_path / name) for name in ("one", "two")]
    for dbutils in volumes:
        for day in ("2018-09-01", "2018-09-02", "2018-09-05"):
            run(dbutils, day)

    assert volumes[0].files() == volumes[1].files()


def test_another_seed_gives_other_orders(tmp_path):
    """The seed has an effect."""
    volumes = [FakeDbutils(tmp_path / name) for name in ("one", "two")]
    for dbutils, seed in zip(volumes, (7, 8), strict=True):
        run(dbutils, "2018-09-01", seed=seed)

    name = "orders/orders_2018-09-01_initial.csv"
    assert volumes[0].files()[name] != volumes[1].files()[name]


def test_a_run_date_that_has_landed_adds_nothing(dbutils):
    """A repeated job run must not land a day twice, even if later days have landed since."""
    for day in ("2018-09-01", "2018-09-02"):
        run(dbutils, day)
    before = dbutils.files()

    assert run(dbutils, "2018-09-01") == run(dbutils, "2018-09-02") == []
    assert dbutils.files() == before


@pytest.mark.parametrize("passed", ["2018-08-15", "2018-09-02"])
def test_a_day_that_was_passed_over_is_refused_with_the_way_on(dbutils, passed):
    """It would have no effect, and a run that says SUCCESS would hide that."""
    for day in ("2018-09-01", "2018-09-03"):
        run(dbutils, day)
    before = dbutils.files()

    with pytest.raises(
        LandingConflictError, match=f"found {passed}.* from 2018-09-01 to 2018-09-03.* after 2018-09-03"
    ):
        run(dbutils, passed)
    assert dbutils.files() == before


def test_a_day_whose_landing_was_interrupted_counts_as_there(dbutils):
    """It is completed by a run for that day, and a day before it is refused."""
    run(dbutils, "2018-09-01")
    dbutils.fs.moves_left = 3
    with pytest.raises(FakeFileSystem.Killed):
        run(dbutils, "2018-09-05")
    dbutils.fs.moves_left = None

    with pytest.raises(LandingConflictError, match="to 2018-09-05"):
        run(dbutils, "2018-09-04")
    assert run(dbutils, "2018-09-05")


def test_plan_says_that_nothing_lands(dbutils):
    """A reader of the notebook sees why there are no files."""
    run(dbutils, "2018-09-01")
    wanted = Settings("2018-09-01", seed=7, scale=300, history_days=60, source="")

    assert plan_landing(Volume(dbutils, "olist_dev"), wanted).notes[-1].endswith("there is nothing to add.")


def test_without_a_run_date_a_notebook_repeats_the_last_day(dbutils):
    """A user who runs it by hand in a catalog that is in use changes nothing."""
    volume = Volume(dbutils, "olist_dev")
    assert business_day(volume, "") == "2018-09-01"
    for day in ("2018-10-18", "2018-10-20"):
        run(dbutils, day)

    assert business_day(volume, "") == "2018-10-20"
    assert business_day(volume, "2018-10-18") == "2018-10-18"


def test_names_of_later_days_sort_after_earlier_ones(dbutils):
    """Latest wins by modification time, then by name."""
    for day in ("2018-09-01", "2018-09-02", "2018-10-01"):
        run(dbutils, day)

    names = [name for name in dbutils.files() if name.startswith("orders/")]
    assert sorted(names) == [
        "orders/orders_2018-09-01_initial.csv",
        "orders/orders_2018-09-02.csv",
        "orders/orders_2018-10-01.csv",
    ]


def test_later_days_keep_to_the_parameters_of_the_first(tmp_path):
    """Orders that continue are drawn again, so seed and scale cannot change under them."""
    volumes = [FakeDbutils(tmp_path / name) for name in ("one", "two")]
    for dbutils, scale in zip(volumes, (300, 999), strict=True):
        run(dbutils, "2018-09-01")
        run(dbutils, "2018-09-02", scale=scale, seed=scale)

    assert volumes[0].files() == volumes[1].files()


@pytest.mark.parametrize("moves", [0, 1, 4, 8, 9])
def test_killed_first_landing_repeated_gives_the_files_of_an_undisturbed_one(tmp_path, moves):
    """Killed before any file, in the middle, before the last manifest: the repetition completes it."""
    disturbed, undisturbed = FakeDbutils(tmp_path / "one"), FakeDbutils(tmp_path / "two")
    disturbed.fs.moves_left = moves
    with pytest.raises(FakeFileSystem.Killed):
        run(disturbed, "2018-09-01")
    disturbed.fs.moves_left = None
    run(disturbed, "2018-09-01")
    run(undisturbed, "2018-09-01")

    assert disturbed.files() == undisturbed.files()


def test_interrupted_day_is_completed_before_the_next(tmp_path):
    """A run that died is not repeated, the next day's run arrives: nothing is missing."""
    disturbed, undisturbed = FakeDbutils(tmp_path / "one"), FakeDbutils(tmp_path / "two")
    for dbutils in (disturbed, undisturbed):
        run(dbutils, "2018-09-01")
    disturbed.fs.moves_left = 3
    with pytest.raises(FakeFileSystem.Killed):
        run(disturbed, "2018-09-02")
    disturbed.fs.moves_left = None
    run(disturbed, "2018-09-03")
    for day in ("2018-09-02", "2018-09-03"):
        run(undisturbed, day)

    assert disturbed.files() == undisturbed.files()


def test_landed_files_are_never_written_again(dbutils):
    """A file with the same name and other content stops the run and is left unchanged."""
    folder = dbutils.root / "orders"
    folder.mkdir()
    (folder / "orders_2018-09-01_initial.csv").write_text("not ours\n")

    with pytest.raises(LandingConflictError, match="found 9 bytes, expected"):
        run(dbutils, "2018-09-01")
    assert (folder / "orders_2018-09-01_initial.csv").read_text() == "not ours\n"


def test_missing_volume_is_told_with_the_notebook_that_makes_it(dbutils):
    """The first problem in the specification."""
    with pytest.raises(LakehouseError, match="Volume path not found: /Volumes/other/raw/olist, run notebooks/00_setup"):
        Volume(dbutils, "other")


def test_files_of_a_source_land_unchanged(dbutils, tmp_path):
    """Real files are copied byte for byte, here with Windows line ends."""
    source = make_source(tmp_path / "olist")
    run(dbutils, "2018-09-01", source=f"file:{source}")

    for entity in COLUMNS:
        expected = (source / f"olist_{entity}_dataset.csv").read_bytes()
        assert dbutils.files()[f"{entity}/{entity}_2018-09-01_initial.csv"] == expected


def test_plain_absolute_path_of_a_source_is_found_on_this_machine(dbutils, tmp_path):
    """`/data/olist` means `file:/data/olist` unless something else is meant."""
    source = make_source(tmp_path / "olist")

    assert len(run(dbutils, "2018-09-01", source=str(source))) == 8


def test_source_without_a_file_lands_nothing(dbutils, tmp_path):
    """The eight files belong together."""
    source = make_source(tmp_path / "olist")
    (source / "olist_sellers_dataset.csv").unlink()

    with pytest.raises(SourceError, match=r"found no `olist_sellers_dataset\.csv`"):
        run(dbutils, "2018-09-01", source=f"file:{source}")
    assert dbutils.files() == {}


def test_source_with_a_wrong_header_names_file_and_column(dbutils, tmp_path):
    """A misspelt column would be empty in every table that follows."""
    source = make_source(tmp_path / "olist")
    file = source / "olist_orders_dataset.csv"
    file.write_text(file.read_text().replace("order_status", "status"))

    with pytest.raises(SourceError, match=r"olist_orders_dataset\.csv`: found no column `order_status`"):
        run(dbutils, "2018-09-01", source=f"file:{source}")
    assert dbutils.files() == {}


def test_missing_source_folder_is_told(dbutils):
    """A mistyped path must not become generated data."""
    with pytest.raises(SourceError, match="no such folder, expected a folder with Olist's eight files"):
        run(dbutils, "2018-09-01", source="file:/no/such/folder")


def test_source_after_generated_data_is_refused(dbutils, tmp_path):
    """Real and generated orders in one volume would not be a meaningful data set."""
    run(dbutils, "2018-09-01")

    with pytest.raises(LandingConflictError, match="began on 2018-09-01 with 300 generated orders"):
        run(dbutils, "2018-09-02", source=f"file:{make_source(tmp_path / 'olist')}")


@pytest.mark.parametrize("other", ["file:/no/such/folder", "another"])
def test_a_source_other_than_the_first_runs_is_refused(dbutils, tmp_path, other):
    """Its files would not be read, whether they exist or not."""
    run(dbutils, "2018-09-01", source=f"file:{make_source(tmp_path / 'olist')}")
    given = other if ":" in other else f"file:{make_source(tmp_path / other)}"

    for day in ("2018-09-01", "2018-09-02"):
        with pytest.raises(LandingConflictError, match=f"found `{given}`.* began on 2018-09-01 with the files of"):
            run(dbutils, day, source=given)


@pytest.mark.parametrize("form", ["file:{}", "file:{}/", "{}", "file://{}"])
def test_the_source_of_the_first_run_is_known_in_any_form(dbutils, tmp_path, form):
    """The same command again, with an extra slash or without the scheme."""
    source = make_source(tmp_path / "olist")
    run(dbutils, "2018-09-01", source=f"file:{source}")

    assert run(dbutils, "2018-09-01", source=form.format(source)) == []


def test_real_sample_lands_byte_for_byte(dbutils):
    """The owner's sample has quoted, multi-line comments."""
    if not SAMPLE.is_dir():
        pytest.skip("the real sample is not beside this repository")
    run(dbutils, "2018-09-01", source=f"file:{SAMPLE}")

    for entity in COLUMNS:
        expected = (SAMPLE / f"olist_{entity}_dataset.csv").read_bytes()
        assert dbutils.files()[f"{entity}/{entity}_2018-09-01_initial.csv"] == expected
