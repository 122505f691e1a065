"""Rungs 1 and 8: names, shapes, counts and digests are equal or they are not."""

import pytest

from parity.checks.ladder import data, structure
from parity.checks.verdict import Verdict

NET = {"conv.kernel": (3, 3, 1, 5), "conv.bias": (5,), "norm.scale": (5,), "norm.running_mean": (5,)}
COUNT = 45 + 5 + 5


def _changed(**change: tuple[int, ...] | None) -> dict[str, tuple[int, ...]]:
    """The network with arrays put in, changed or (None) taken out; `conv_bias` is short for conv.bias."""
    new = {name.replace("_", ".", 1): shape for name, shape in change.items()}
    return {name: shape for name, shape in {**NET, **new}.items() if shape is not None}


def test_equal_maps_are_the_same() -> None:
    rung = structure({"flax": NET, "torch": dict(reversed(NET.items())), "numpy": NET}, COUNT)
    assert rung.verdict is Verdict.SAME
    assert len(rung.findings) == 2 + 3


@pytest.mark.parametrize(
    ("change", "layer", "reason"),
    [
        ({"conv_bias": None}, "conv", "torch against numpy: missing conv.bias (5,)"),
        ({"hx_bias": (7,)}, "hx", "torch against numpy: extra hx.bias (7,)"),
        ({"conv_kernel": (5, 1, 3, 3)}, "conv", "conv.kernel has shape (5, 1, 3, 3), expected (3, 3, 1, 5)"),
        ({"norm_running_mean": None}, "norm", "missing norm.running_mean (5,)"),
        ({"norm_scale": (1, 5)}, "norm", "norm.scale has shape (1, 5), expected (5,)"),
    ],
)
def test_what_keeps_the_maps_from_being_one_is_listed(change, layer: str, reason: str) -> None:
    rung = structure({"flax": NET, "torch": _changed(**change), "numpy": NET}, None)
    assert rung.verdict is Verdict.DIFFERENT
    assert rung.layer == layer
    assert rung.headline is not None
    assert reason in rung.headline.reason


def test_the_first_odd_layer_is_named() -> None:
    rung = structure({"flax": _changed(norm_scale=None, conv_bias=(6,)), "numpy": NET}, None)
    assert rung.layer == "conv"


@pytest.mark.parametrize("stated", [COUNT - 1, COUNT + 5, 0])
def test_another_count_than_the_stated_one_is_different(stated: int) -> None:
    rung = structure({"flax": NET, "torch": NET}, stated)
    assert rung.verdict is Verdict.DIFFERENT
    assert rung.headline is not None
    assert rung.headline.reason == f"55 learnable parameters in flax, {stated} stated"


def test_running_statistics_are_no_parameters() -> None:
    assert structure({"flax": NET, "torch": NET}, COUNT).verdict is Verdict.SAME


def test_one_framework_alone_is_nothing_to_compare() -> None:
    assert structure({"flax": NET}, None).verdict is Verdict.INCONCLUSIVE


def test_equal_digests_are_the_same() -> None:
    rung = data({"flax": ["a", "b"], "torch": ["a", "b"], "numpy": ["a", "b"]}, [(0, 0), (1, 0)])
    assert rung.verdict is Verdict.SAME
    assert len(rung.findings) == 2


def test_the_first_batch_that_differs_is_named() -> None:
    digests = {"flax": ["a", "b", "c"], "torch": ["a", "x" * 64, "y"], "numpy": ["a", "b", "c"]}
    rung = data(digests, [(0, 0), (0, 1), (1, 0)])
    assert (rung.verdict, rung.layer) == (Verdict.DIFFERENT, "epoch 0 step 1")
    assert rung.headline is not None
    assert rung.headline.reason == f"flax b, torch {'x' * 12}, numpy b"


def test_no_batches_are_no_pass() -> None:
    assert data({"flax": [], "torch": []}, []).verdict is Verdict.INCONCLUSIVE
