"""Operations, bytes and intervals, against what others count."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.contestants.workload import load
from benchmarks.speed import arithmetic, stats
from parity.backends import twin_class


@pytest.mark.parametrize("name", ["points", "mlp", "rnn-5", "rnn-30"])
def test_dense_operations_are_those_that_pytorch_counts(name: str) -> None:
    recipe = load(name).recipe
    model = twin_class("torch").build(recipe.network, recipe.config)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.tensor(load(name).batches()[0].inputs))
    ours = arithmetic.inference(recipe).total
    zero_state = 2 * 128 * 128 * 128 if recipe.network == "RNN" else 0  # h_0 = 0, which PyTorch multiplies all the same
    assert counter.get_total_flops() == ours + zero_state


def test_the_vggs_products_with_padding_are_not_counted() -> None:
    recipe = replace(load("vgg-32").recipe, batch_size=2)
    model = twin_class("torch").build(recipe.network, recipe.config)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(2, 3, 32, 32))
    plan, size, channels, padding = recipe.config["plan"], 32, 3, 0
    for entry in plan:
        if entry == "M":
            size //= 2
            continue
        kernel = np.ones((3, 3))
        taps = sum(  # kernel elements on the map, counted one by one
            kernel[max(0, 1 - i) : 3 - max(0, i + 2 - size), max(0, 1 - j) : 3 - max(0, j + 2 - size)].sum()
            for i in range(size)
            for j in range(size)
        )
        padding += int(2 * 2 * channels * entry * (9 * size * size - taps))
        channels = entry
    assert arithmetic.inference(recipe).total == pytest.approx(counter.get_total_flops() - padding, rel=1e-12)


def test_training_is_three_forward_passes_but_for_the_first_layers_input() -> None:
    recipe = load("mlp").recipe
    first = 2 * 128 * 3072 * 1024
    assert arithmetic.training(recipe).total == 3 * arithmetic.inference(recipe).total - first


def test_bytes_grow_with_the_optimizers_moments() -> None:
    recipe = load("mlp").recipe
    plain = replace(recipe, optimizer=replace(recipe.optimizer, kind="sgd"))
    parameters = sum((a + 1) * b for a, b in pairwise(recipe.config["sizes"]))
    assert arithmetic.training(recipe).bytes - arithmetic.training(plain).bytes == 4 * 4 * parameters


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [stats.interval(rng.normal(1.0, 0.1, 25).tolist()) for _ in range(60)]
    inside = sum(low <= 1.0 <= high for low, high in (ends for ends in found if ends is not None))
    assert inside >= 50


def test_few_values_have_no_interval_and_equal_ones_no_width() -> None:
    assert stats.interval([1.0, 2.0]) is None
    assert stats.interval([2.0] * 5) == (2.0, 2.0)
    assert stats.ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0]) == {"median": 2.0, "low": 2.0, "high": 2.0, "n": 3}
    with pytest.raises(ValueError, match="no rounds"):
        stats.ratio([], [])
