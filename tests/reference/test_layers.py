"""Each layer's backward against central differences of its forward, and its edge cases."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from parity.reference import gru, layers, norm, softmax_cross_entropy, spatial
from tests.reference.numeric import agrees

Layer = tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]


def draw(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def batch_norm(training: bool) -> Layer:
    def forward(inputs: Any, scale: Any, bias: Any) -> Any:
        return norm.batch_norm_forward(inputs, scale, bias, draw(5), np.exp(draw(5)), training=training)

    return forward, norm.batch_norm_backward, {"inputs": draw(3, 2, 7, 5), "scale": draw(5), "bias": draw(5)}


def conv(stride: int, padding: int, *window: int) -> Layer:
    def forward(inputs: Any, kernel: Any, bias: Any) -> Any:
        return spatial.conv_forward(inputs, kernel, bias, stride=stride, padding=padding)

    arguments = {"inputs": draw(2, 7, 5, 3), "kernel": draw(*window, 3, 11), "bias": draw(11)}
    return forward, spatial.conv_backward, arguments


DENSE = (layers.dense_forward, layers.dense_backward)
LAYERS: dict[str, Layer] = {
    "dense": (*DENSE, {"inputs": draw(3, 5), "kernel": draw(5, 7), "bias": draw(7)}),
    "dense, no bias, more axes": (*DENSE, {"inputs": draw(3, 2, 5), "kernel": draw(5, 7)}),
    "relu": (layers.relu_forward, layers.relu_backward, {"inputs": draw(3, 5)}),
    "tanh": (layers.tanh_forward, layers.tanh_backward, {"inputs": draw(3, 5)}),
    "gates": (
        gru.gates_forward,
        gru.gates_backward,
        {"inputs": draw(3, 15), "recurrent": draw(3, 15), "state": draw(3, 5)},
    ),
    "flatten": (layers.flatten_forward, layers.flatten_backward, {"inputs": draw(3, 5, 7, 2)}),
    "conv": conv(1, 1, 3, 3),
    "conv, stride 2": conv(2, 1, 3, 3),
    "conv, stride 3, no padding": conv(3, 0, 2, 3),
    "conv, wide padding": conv(2, 2, 1, 5),
    "max-pool": (spatial.max_pool_forward, spatial.max_pool_backward, {"inputs": draw(2, 7, 10, 3)}),
    "batch norm, training": batch_norm(training=True),
    "batch norm, evaluation": batch_norm(training=False),
}


def check(forward: Callable[..., Any], backward: Callable[..., Any], arguments: dict[str, Any]) -> set[str]:
    """Name the arguments whose gradient is wrong."""
    output, cache = forward(**arguments)
    cotangent = draw(*output.shape)
    returned = backward(cotangent, cache)
    gradients = {"inputs": returned[0]} | returned[1] if isinstance(returned, tuple) else {"inputs": returned}
    assert gradients.keys() == arguments.keys()
    rng = np.random.default_rng(1)

    def value(name: str, at: Any) -> float:
        return float(np.vdot(forward(**arguments | {name: at})[0], cotangent))

    return {n for n in arguments if not agrees(partial(value, n), arguments[n], gradients[n], rng)}


@pytest.mark.parametrize("name", LAYERS)
def test_backward_is_the_derivative_of_forward(name):
    assert check(*LAYERS[name]) == set()


@pytest.mark.parametrize("name", LAYERS)
def test_the_check_catches_a_cotangent_that_is_off_by_a_thousandth(name):
    forward, backward, arguments = LAYERS[name]
    assert check(forward, lambda cotangent, cache: backward(1.001 * cotangent, cache), arguments) == set(arguments)


def test_the_check_catches_a_batch_norm_that_takes_the_statistics_for_constants():
    forward, backward, arguments = batch_norm(training=True)
    wrong = check(forward, lambda cotangent, cache: backward(cotangent, cache._replace(training=False)), arguments)
    assert wrong == {"inputs"}


def test_sigmoid_is_exact_and_never_overflows():
    found = layers.sigmoid(np.array([-1e4, -40.0, 0.0, np.log(3), 1e4]))
    assert found.tolist()[::2] == [0.0, 0.5, 1.0]
    np.testing.assert_allclose(found[[1, 3]], [np.exp(-40.0), 0.75], rtol=1e-14)


def test_cross_entropy_gradient():
    logits, labels = draw(3, 5), np.array([4, 0, 4])
    loss, gradient = softmax_cross_entropy(logits, labels)
    assert isinstance(loss, float)
    rng = np.random.default_rng(1)
    assert agrees(lambda at: softmax_cross_entropy(at, labels)[0], logits, gradient, rng)
    assert not agrees(lambda at: softmax_cross_entropy(at, labels)[0], logits, 3 * gradient, rng)


def test_cross_entropy_of_huge_logits_is_finite():
    loss, gradient = softmax_cross_entropy(np.array([[1e4, 0.0], [1e4, 0.0]]), np.array([0, 1]))
    assert loss == 5e3
    assert gradient.tolist() == [[0.0, 0.0], [0.5, -0.5]]


def test_relu_has_no_slope_at_zero():
    assert layers.relu_backward(np.ones(3), layers.relu_forward(np.array([-1.0, 0.0, 1.0]))[1]).tolist() == [0, 0, 1]


def test_flatten_puts_channels_first_and_leaves_rows_alone():
    images = np.arange(2 * 3 * 5 * 7.0).reshape(2, 3, 5, 7)
    flat, _ = layers.flatten_forward(images)
    assert flat.shape == (2, 105)
    assert flat[1, 2 * 15 + 1 * 5 + 4] == images[1, 1, 4, 2]
    assert layers.flatten_forward(flat)[0] is flat


def test_max_pool_ties_go_to_the_first():
    inputs = np.zeros((1, 4, 4, 1))
    output, cache = spatial.max_pool_forward(inputs)
    gradient = spatial.max_pool_backward(np.ones_like(output), cache)
    assert output.shape == (1, 2, 2, 1) and not output.any()
    assert gradient[0, :, :, 0].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_max_pool_padding_never_wins():
    output, _ = spatial.max_pool_forward(np.full((1, 3, 3, 1), -7.0))
    assert (output == -7).all()


def test_batch_norm_leaves_the_running_statistics_it_is_given():
    mean, var = draw(5), np.exp(draw(5))
    kept = mean.copy(), var.copy()
    for training in (True, False):
        _, cache = norm.batch_norm_forward(draw(3, 5), draw(5), draw(5), mean, var, training=training)
        assert np.array_equal(mean, kept[0]) and np.array_equal(var, kept[1])
        assert np.array_equal(cache.running_mean, mean) != training
        assert not np.shares_memory(cache.running_mean, mean)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.dense_forward(draw(3, 5), draw(7, 5)), "dense: got inputs"),
        (lambda: spatial.conv_forward(draw(2, 5, 5, 3), draw(3, 3, 2, 7)), "conv: got inputs"),
        (lambda: spatial.conv_forward(draw(2, 1, 5, 3), draw(5, 3, 3, 7)), "windows"),
        (lambda: spatial.max_pool_forward(draw(2, 5, 5, 3), padding=2), "at most half"),
        (lambda: layers.flatten_forward(draw(2, 3, 5)), "flatten: got inputs"),
        (lambda: softmax_cross_entropy(draw(2, 3), np.array([0])), "got labels"),
        (lambda: softmax_cross_entropy(draw(2, 3), np.array([0, 3])), "expected 0 to 2"),
        (lambda: softmax_cross_entropy(draw(2, 3), np.array([0, -1])), "expected 0 to 2"),
        (lambda: norm.batch_norm_forward(draw(1, 5), *draw(4, 5), training=True), "more than 1 value"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
