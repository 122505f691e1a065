"""Claims of the study, held against figures."""

import numpy as np
import pytest

from parity.checks.claims import ABOUT, Judged, Ruling, about, holds, near, spread, unmeasured


@pytest.mark.parametrize(("values", "ruling"), [([0.83, 0.85], "confirmed"), ([0.78, 0.80], "refuted")])
def test_about_is_within_five_points_of_the_mean(values, ruling) -> None:
    assert about("points", "moons: about 85 %", 0.85, values).ruling == ruling


@pytest.mark.parametrize(("values", "ruling"), [([3.2, 3.3], "confirmed"), ([2.0, 2.2], "refuted")])
def test_a_loss_is_near_within_a_tenth(values, ruling) -> None:
    assert near("images", "test loss 3.2736", 3.2736, values).ruling == ruling


def test_what_was_decided_elsewhere_is_taken_over() -> None:
    assert holds("circles", "less stable", "same", False).ruling is Ruling.REFUTED
    assert holds("circles", "the init", "so", True).ruling is Ruling.CONFIRMED


def test_what_cannot_be_measured_says_why() -> None:
    found = unmeasured("images", "test accuracy 52.24 %", "no CIFAR-10 here")
    assert (found.ruling, found.measured, found.why) == (Ruling.NOT_MEASURABLE, "–", "no CIFAR-10 here")


@pytest.mark.parametrize("why", ["", "two seeds only"])
def test_what_is_judged_keeps_its_words(why: str) -> None:
    given = (why,) if why else ()
    assert about("points", "about 85 %", 0.85, [0.83, 0.85], *given) == Judged(
        "points", "about 85 %", "84.0% ± 1.4% (2 runs)", Ruling.CONFIRMED, why
    )
    assert near("images", "loss 3.27", 3.27, [2.0, 2.5], *given) == Judged(
        "images", "loss 3.27", "2.250 ± 0.354 (2 runs)", Ruling.REFUTED, why
    )
    assert holds("circles", "the init", "so", True, *given) == Judged(
        "circles", "the init", "so", Ruling.CONFIRMED, why
    )
    assert unmeasured("images", "52 %", why, "24 %") == Judged("images", "52 %", "24 %", Ruling.NOT_MEASURABLE, why)


def test_exactly_as_far_off_as_allowed_is_confirmed() -> None:
    assert about("points", "about nothing", 0.0, [ABOUT]).ruling is Ruling.CONFIRMED
    assert near("images", "loss 0", 0.0, [0.0]).ruling is Ruling.CONFIRMED


def test_a_spread_of_half_precision_is_computed_in_double() -> None:
    assert spread(list(np.array([0.9, 0.8, 0.99], np.float16))) == "89.7% ± 9.5% (3 runs)"


def test_a_spread_names_its_runs() -> None:
    assert spread([0.5, 0.7]) == "60.0% ± 14.1% (2 runs)"
    assert spread([0.5]) == "50.0% (1 run)"
