"""The users' own losses: judged, differentiated, trained with; a reduction that differs is named and undone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx

import parity
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.pair.arrays import target
from parity.report.pair import Report
from tests.pair.asked import asked

X = np.random.default_rng(0).standard_normal((4, 6, 3)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 5, (4, 6)).astype(np.int32)


def pair() -> tuple[nnx.Module, torch.nn.Module]:
    """Five classes of each of six tokens."""
    flax = nnx.Sequential(nnx.Linear(3, 7, rngs=nnx.Rngs(0)), jnp.tanh, nnx.Linear(7, 5, rngs=nnx.Rngs(1)))
    return flax, torch.nn.Sequential(torch.nn.Linear(3, 7), torch.nn.Tanh(), torch.nn.Linear(7, 5))


def entropy(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


def torch_entropy(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


def summed(outputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Averaged over the tokens, summed over the batch."""
    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean(1).sum()


def checked(flax_loss: Callable[..., Any], torch_loss: Any = torch_entropy, **options: Any) -> Report:
    flax, model = pair()
    if options.pop("trained", False):
        options["optimizers"] = optax.sgd(0.1), torch.optim.SGD(model.parameters(), 0.1)
    own = {"loss": (flax_loss, torch_loss), "targets": LABELS, "probes": False, **options}
    return parity.compare(flax, model, X, **asked(**own))


def test_equal_losses_are_judged_and_differentiated() -> None:
    report = checked(entropy)
    assert report.verdict is Verdict.SAME and report.conventions == []
    losses = [f for f in report.rungs[2].findings if f.quantity == "loss"]
    assert [f.mode for f in losses] == ["evaluation", "training"]
    last = next(f for f in report.rungs[2].findings if f.quantity == "gradient of output" and f.name == "2")
    assert last.errors["flax"] > 0  # of a random cotangent, which is float32 numbers, it would be no error at all


def test_a_reduction_that_differs_is_named_and_confirmed() -> None:
    report = checked(lambda o, t: jnp.square(o).sum(), lambda o, t: o.square().mean())
    (one,) = report.conventions
    assert (one.name, one.confirmed, one.accepted, one.rungs) == ("loss_reduction", True, False, (3,))
    words = "Flax sums over all 120 elements of the outputs, PyTorch averages: 120 times larger (the loss is "
    assert words in one.text and report.verdict is Verdict.DIFFERENT
    first = report.first_difference
    assert first is not None and first.rung == "gradients" and "the loss of the network" in first.text
    assert first.cause == one.text and all(f"{value:.6g}" in one.text for value in first.values.values())


def test_an_accepted_reduction_spoils_nothing_and_trains_alike() -> None:
    report = checked(summed, accept=["loss_reduction"], trained=True)
    assert report.verdict is Verdict.SAME and report.first_difference is None
    assert {rung.name: rung.verdict for rung in report.rungs}["trajectory"] is Verdict.SAME
    assert "Flax sums over the batch of 4, PyTorch averages: 4 times larger" in report.conventions[0].text
    values = report.losses["torch"]
    assert values[0] == pytest.approx(report.losses["flax"][0]) and values[0] > values[-1] > 0


def test_a_wrong_loss_is_different_at_the_loss() -> None:
    report = checked(lambda o, t: entropy(jax.nn.softmax(o), t))  # softmax twice
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and report.conventions == [] and first is not None
    assert (first.rung, first.text) == ("gradients", "the loss of the network differs in evaluation")
    assert report.rungs[1].verdict is Verdict.SAME


def test_a_factor_on_the_value_alone_is_not_confirmed() -> None:
    def stopped(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        value = torch_entropy(outputs, targets)
        return value + 23 * value.detach()

    report = checked(entropy, stopped, accept=["loss_reduction"])
    (one,) = report.conventions
    assert "PyTorch sums over all 24 labels, Flax averages: 24 times larger" in one.text
    assert report.verdict is Verdict.DIFFERENT and not one.confirmed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": entropy}, r"expected \(flax_loss, torch_loss\)"),
        ({"loss": None}, "targets without a loss"),
        ({"loss": (summed, lambda o, t: o.mean(0))}, r"the loss for PyTorch gave a tensor of shape \(6, 5\)"),
        ({"loss": (lambda o, t: o.mean(0), torch_entropy)}, r"the loss for Flax gave an array of shape \(6, 5\)"),
    ],
)
def test_a_loss_that_is_none_is_one_clear_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked(entropy, **options)


def test_a_function_in_a_file_may_return_loss_and_targets(tmp_path: Path) -> None:
    path = tmp_path / "port_with_loss.py"
    path.write_text(
        "from tests.pair.rungs import test_loss as own\n"
        "def pair():\n"
        "    options = {'loss': (own.entropy, own.torch_entropy), 'targets': own.LABELS}\n"
        "    return *own.pair(), own.X, options\n"
    )
    *_, options = target.load(f"{path}:pair")
    assert options["targets"] is LABELS and options["loss"] == (entropy, torch_entropy)


P = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]], np.float32)
BITS = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 1]], np.float32)
CLASSES = np.array([2, 1, 2])


def log_loss(p: jax.Array, y: jax.Array, lowest: float) -> jax.Array:
    logs = [jnp.maximum(jnp.log(q), lowest) for q in (p, 1 - p)]
    return -(y * logs[0] + (1 - y) * logs[1]).mean()


def ignoring(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    kept = labels != 7
    losses = optax.softmax_cross_entropy_with_integer_labels(outputs, jnp.where(kept, labels, 0))
    return (losses * kept).sum() / kept.sum()


def with_losses(
    flax: Callable[..., Any], pytorch: Callable[..., Any], targets: Any, sigmoid: bool = False, **options: Any
) -> Report:
    ends: tuple[list[Any], list[Any]] = ([jax.nn.sigmoid], [torch.nn.Sigmoid()]) if sigmoid else ([], [])
    port = nnx.Sequential(nnx.Linear(3, 3, rngs=nnx.Rngs(0)), *ends[0])
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), *ends[1])
    training = parity.TrainingPair(loss=(flax, pytorch), targets=targets)
    return parity.compare(port, model, X[:3, 0], training=training, checks=parity.Checks(**options))


BCE, CE = torch.nn.functional.binary_cross_entropy, torch.nn.functional.cross_entropy


def cross(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()


@pytest.mark.parametrize(
    ("flax", "pytorch", "targets", "probe", "cause"),
    [
        (lambda p, y: log_loss(p, y, -50.0), BCE, BITS, "sure outputs", ""),
        (cross, lambda o, y: CE(o, y, ignore_index=0), CLASSES, "other labels", "ignore_index is 0"),
        (ignoring, lambda o, y: CE(o, y), CLASSES, "", ""),
        (cross, lambda o, y: CE(o, y, ignore_index=7), CLASSES, "labels in the code", ""),
        (
            lambda o, y: ((o - y) ** 2).mean() / 2,
            lambda o, y: torch.nn.functional.huber_loss(o, y, delta=8.0),
            BITS,
            "large outputs",
            "",
        ),
        (
            lambda o, y: (y * (jnp.log(y) - jax.nn.log_softmax(o))).sum(),
            lambda o, y: torch.nn.functional.kl_div(o.log_softmax(-1), y, reduction="sum"),
            P,
            "sure targets",
            "",
        ),
        (lambda p, y: log_loss(p, y, -100.0), BCE, BITS, "", ""),
        (ignoring, lambda o, y: CE(o, y, ignore_index=7), CLASSES, "", ""),
        (cross, CE, CLASSES, "", ""),
        (lambda p, y: -(y * jnp.log(p)).mean(), lambda p, y: -(y * p.log()).mean(), BITS, "", ""),
    ],
)
def test_a_loss_is_tried_beyond_the_users_outputs_and_targets(
    flax: Callable[..., Any], pytorch: Callable[..., Any], targets: Any, probe: str, cause: str
) -> None:
    report = with_losses(flax, pytorch, targets, sigmoid=targets is BITS and probe != "large outputs")
    first = report.first_difference
    if not probe:
        assert report.verdict is Verdict.SAME, str(report)
        return
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert first.text.startswith(f"the same on your inputs; different with {probe}")
    assert cause in first.cause and (not cause or "also at your own numbers" in first.proof)


def test_what_a_loss_does_beyond_the_users_numbers_can_be_accepted() -> None:
    report = with_losses(lambda p, y: log_loss(p, y, -50.0), BCE, BITS, sigmoid=True, accept=["sure_outputs"])
    assert report.verdict is Verdict.SAME
