import pytest

from parity.interface.observation import Dropped
from parity.interface.unit import Kind, Unit
from parity.pair.causes.settings import lint, lint_dropout, lint_gelu, lint_precision
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap

CONV = {"kernel_size": (3,), "strides": (1,), "dilation": (1,), "groups": 1}
TURNED = {"kernel_size": (4,), "strides": (2,), "dilation": (1,), "output_padding": (0,)}


def said(kind: Kind, flax: dict, torch: dict) -> list[str]:
    bond = LayerPairing(Unit("f", kind, {}, flax), Unit("t", kind, {}, torch), ())
    return [one.text for one in lint(WeightMap((bond,)))]


def test_momentum_is_said_as_what_is_kept() -> None:
    (text,) = said("batch_norm", {"keep": 0.99}, {"keep": 0.9})
    assert text == (
        "BatchNorm: momentum: Flax 0.99 keeps 99 % of the running statistics each step, PyTorch 0.1 keeps 90 %"
    )


def test_equal_settings_say_nothing() -> None:
    assert said("layer_norm", {"eps": 1e-5}, {"eps": 1e-5}) == []


@pytest.mark.parametrize(
    ("flax", "torch", "differ"),
    [
        ("SAME", ((1, 1),), False),  # strides of one
        ("VALID", ((0, 0),), False),
        (((1, 1),), ((1, 1),), False),
        ("SAME", ((0, 0),), True),
        ("CIRCULAR", ((1, 1),), False),  # cannot be told from numbers
    ],
)
def test_paddings_are_compared_as_numbers(flax: object, torch: object, differ: bool) -> None:
    assert bool(said("conv", {**CONV, "padding": flax}, {**CONV, "padding": torch})) is differ


def test_same_at_strides_of_two_differs_on_even_sizes() -> None:
    strided = {**CONV, "strides": (2,)}
    (text,) = said("conv", {**strided, "padding": "SAME"}, {**strided, "padding": ((1, 1),)})
    assert "pads ((0, 1),)" in text and "even sizes" in text


@pytest.mark.parametrize(("flax", "differ"), [(((2, 2),), False), ("SAME", False), ("VALID", True), (((1, 3),), True)])
def test_paddings_of_transposed_convolutions_are_compared_as_those_of_what_they_compute(
    flax: object, differ: bool
) -> None:
    assert bool(said("conv_transpose", {**TURNED, "padding": flax}, {**TURNED, "padding": ((1, 1),)})) is differ


def test_a_row_without_gradient_is_said() -> None:
    (text,) = said("embedding", {"features": 3}, {"features": 3, "padding_idx": 0})
    assert "row 0 (padding_idx) gets no gradient in PyTorch" in text
    assert said("embedding", {"features": 3}, {"features": 3, "padding_idx": None}) == []


def test_rates_and_uses_of_dropout_are_compared() -> None:
    a, b = Dropped((2,), 0.1), Dropped((2,), 0.2)
    assert [one.text for one in lint_dropout([a], [b])] == ["dropout 1: rate 0.1 in Flax, 0.2 in PyTorch"]
    assert "used 1 times in Flax and 2 times" in next(iter(lint_dropout([a], [a, a]))).text
    assert not list(lint_dropout([a], [a]))


def test_forms_of_gelu_are_compared() -> None:
    assert not list(lint_gelu(["exact"], ["exact"])) and not list(lint_gelu([], ["exact"]))
    assert next(iter(lint_gelu(["tanh"], ["exact"]))).convention == "gelu_form"


def test_a_default_precision_that_is_strict_on_one_side_only_is_said() -> None:
    strict, loose = (True, "highest"), (False, "TF32")
    assert not list(lint_precision(strict, strict)) and not list(lint_precision(loose, loose))
    assert "TF32 in Flax, highest in PyTorch" in next(iter(lint_precision(loose, strict))).text
