"""The committed profile: aggregates of the real sample, complete, and nothing else."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from lakehouse import config_folder
from lakehouse.generator.measure import measure_profile
from lakehouse.generator.profile import PROBABILITIES, Profile, ProfileError, load_profile

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "olist_sample"
PROFILE = load_profile(config_folder())


def test_profile_is_what_the_sample_measures():
    """Nobody edited a figure by hand, and the measuring code still gives it."""
    if not SAMPLE.is_dir():
        pytest.skip("the real sample is not beside this repository")

    assert measure_profile(SAMPLE) == PROFILE.figures


def test_profile_holds_aggregates_only():
    """No identifiers, no comments, no zip prefix of a single place."""
    text = json.dumps(PROFILE.figures)

    assert not re.search(r"[0-9a-f]{32}", text)
    assert not re.search(r'"\d{5}"', text)
    assert set(PROFILE.figures) == {"shares", "curves", "rates", "category_curves", "regions"}


def test_shares_sum_to_one():
    """A share that does not sum to one would skew every draw."""
    for name, shares in PROFILE.figures["shares"].items():
        assert sum(shares.values()) == pytest.approx(1, abs=1e-3), name


def test_curves_rise():
    """Values at increasing probabilities."""
    for name, curve in PROFILE.figures["curves"].items():
        assert len(curve) == len(PROBABILITIES), name
        assert np.all(np.diff(curve) >= 0), name


def test_draw_gives_the_measured_values_at_the_measured_probabilities():
    """And a straight line between them."""
    profile = Profile({"curves": {"x": list(range(len(PROBABILITIES)))}})

    assert profile.draw("x", np.array(PROBABILITIES)).tolist() == list(range(len(PROBABILITIES)))
    assert profile.draw("x", np.array([0.15]))[0] == pytest.approx(PROBABILITIES.index(0.1) + 0.5)


def test_category_curves_agree_with_numpy():
    """The vectorised interpolation by row against NumPy's, category by category."""
    chance = np.random.default_rng(1).random(200)
    for at in (0, 5, 20):
        name = PROFILE.categories[at]
        curves = PROFILE.figures["category_curves"]["price"]
        expected = np.interp(chance, PROBABILITIES, curves.get(name, curves["*"]))
        assert PROFILE.draw_by_category("price", np.full(200, at), chance) == pytest.approx(expected)


def test_pick_never_leaves_the_values():
    """Rounded shares may sum to slightly less than a chance near 1."""
    profile = Profile({"shares": {"x": {"a": 0.33333, "b": 0.33333, "c": 0.33333}}})

    assert profile.pick("x", np.array([0.0, 0.3333, 0.3334, 0.9999999999999999])).tolist() == [0, 0, 1, 2]


def test_missing_figure_is_named():
    """A profile of an older version says what it lacks."""
    with pytest.raises(ProfileError, match=r"found no figure `rates\.late`"):
        Profile({"rates": {}}).rate("late")


def test_missing_file_is_named(tmp_path):
    """A deployment without `config/generator`."""
    with pytest.raises(ProfileError, match=r"profile\.json`: found no file"):
        load_profile(tmp_path)
