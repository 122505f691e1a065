"""Rulings on the study's claims on images, from metrics that are drawn to be as claimed, or otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from parity.checks.claims import ABOUT, COPY, Judged, Ruling, about_copied
from parity.study import figures
from parity.study.images.claims import CLAIMS, CONTRAST, judged
from parity.study.images.ends import ON_THE_COPY
from parity.study.images.results import results_of
from tests.study.drawn_images import AS_CLAIMED, DATA, study


def rulings(**options: Any) -> dict[str, Judged]:
    return {claim.claim: claim for claim in judged(results_of(options.get("data", DATA), study(**options)))}


def like(name: str, split: str, values: tuple[float, float, float, float]) -> Mapping[str, Any]:
    return {**AS_CLAIMED, name: {**AS_CLAIMED[name], split: values}}


def test_what_is_as_claimed_is_confirmed_with_seeds_and_the_sentence_on_the_copy() -> None:
    found = rulings()
    assert len(found) == len(CLAIMS) + 4
    for claim in found.values():
        assert claim.ruling is Ruling.CONFIRMED, claim
    studied = [c for c in found.values() if not c.claim.startswith("ours")]
    assert all(ON_THE_COPY in claim.why and "seed" in claim.why for claim in studied)
    assert "5 seeds in JAX, 5 seeds in PyTorch" in found["mlp: test accuracy 52.24 %"].why
    assert "±" in found["mlp: test accuracy 52.24 %"].measured and "10 runs" in found["mlp: test loss 3.2736"].measured
    assert "1 seed in PyTorch, 1 seed in JAX, then PyTorch" in found["vgg: test accuracy 88–89 %"].why


def test_what_is_within_what_the_copy_may_change_says_so() -> None:
    assert "cannot be told apart from the claimed figure" in rulings()["mlp: test accuracy 52.24 %"].why
    further = rulings(like=like("mlp", "test", (0.46, 0.55, 1.55, 3.2736)))["mlp: test accuracy 52.24 %"]
    assert further.ruling is Ruling.CONFIRMED and "told apart" not in further.why


@pytest.mark.parametrize(
    ("gap", "ruling"),
    [
        (0.0, Ruling.CONFIRMED),
        (ABOUT - 2 * COPY, Ruling.CONFIRMED),
        (ABOUT - COPY / 2, Ruling.UNDECIDED),
        (ABOUT + COPY / 2, Ruling.UNDECIDED),
        (ABOUT + 2 * COPY, Ruling.REFUTED),
    ],
)
def test_no_ruling_turns_on_less_than_the_copy_may_change(gap: float, ruling: Ruling) -> None:
    for sign in (-1, 1):
        found = about_copied("images", "about half", 0.5, [0.5 + sign * gap] * 3, "why")
        assert found.ruling is ruling and found.why.endswith("why")


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        (like("mlp", "training", (0.40, 0.70, 1.67, 0.8)), "mlp: train accuracy 92.21 % at the end"),
        (like("mlp", "training", (0.40, 0.70, 1.67, 0.8)), "mlp: train accuracy from 40 % to 90 % by epoch 65"),
        (like("mlp", "training", (0.40, 0.9221, 2.2, 0.229)), "mlp: train loss 1.67 → 0.229"),
        (like("mlp", "validation", (0.30, 0.51, 1.55, 3.29)), "mlp: validation accuracy about 50 % throughout"),
        (like("vgg", "training", (0.5, 0.95, 1.0, 0.09)), "vgg: train loss from above 1.2 to below 0.1"),
        (like("vgg", "training", (0.5, 0.95, 1.3, 0.2)), "vgg: train loss from above 1.2 to below 0.1"),
        (like("vgg", "test", (0.6, 0.885, 1.1, 0.6)), "vgg: test loss settles at 0.4–0.5"),
        (like("vgg", "test", (0.3, 0.4, 1.1, 0.45)), CONTRAST),
    ],
)
def test_what_is_otherwise_is_refuted(changed: Mapping[str, Any], claim: str) -> None:
    assert rulings(like=changed)[claim].ruling is Ruling.REFUTED


def test_runs_that_are_not_finished_say_how_far_they_are() -> None:
    found = rulings(mlp=34, vgg=3)
    for claim in found.values():
        if not claim.claim.startswith("ours"):
            assert claim.ruling is Ruling.NOT_MEASURABLE
    assert "so far 34 of 100 epochs: 5 seeds in JAX" in found["mlp: test accuracy 52.24 %"].why
    assert "so far 3 of 50 epochs" in found["vgg: test accuracy 88–89 %"].why
    assert "3 epochs, accuracy: training" in found["vgg: test accuracy 88–89 %"].measured
    nothing = rulings(mlp=34, vgg=0)["vgg: test accuracy 88–89 %"]
    assert nothing.measured == "–" and "not trained for an epoch yet" in nothing.why


def test_other_images_confirm_nothing_of_the_study() -> None:
    found = rulings(data="folder:pets:00000000")
    assert {found[f"{name}: {text}"].ruling for name, text, _ in CLAIMS} == {Ruling.NOT_MEASURABLE}
    assert "pets are not the study's images" in found["mlp: test accuracy 52.24 %"].why


def test_a_crossing_that_leaves_the_curve_is_noticed() -> None:
    runs = list(study())
    crossed = runs[-1]
    lines = [{**line, "accuracy": line["accuracy"] - 0.05} if line["epoch"] > 10 else line for line in crossed.lines]
    found = results_of(DATA, [*runs[:-1], type(crossed)(crossed.work, lines)])
    [claim] = [one for one in judged(found) if "begun in JAX" in one.claim]
    assert claim.ruling is Ruling.REFUTED and "crossed after epoch 10" in claim.why


@pytest.mark.parametrize("epochs", [(100, 50), (7, 0)])
def test_the_figures_are_drawn_of_as_much_as_there_is(tmp_path: Path, epochs: tuple[int, int]) -> None:
    names = figures.write("images", results_of(DATA, study(*epochs)), tmp_path)
    assert len(names) == 6 and all((tmp_path / name).stat().st_size > 5_000 for name in names)
    text = (tmp_path / "figure-3-mlp.svg").read_text()
    assert "cifar10-jpeg" in text and "CIFAR-10" not in text
