"""Learning-rate schedules step by step, with the optimizers, and parameters with settings of their own."""

from typing import Any

import jax
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from torch.optim import lr_scheduler

import parity
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.report.pair import Report
from tests.pair.asked import asked

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


def compared(make: Any, **options: Any) -> Report:
    """A dense layer in both, with what `make` gives of PyTorch's."""
    model = torch.nn.Linear(4, 3)
    return parity.compare(nnx.Linear(4, 3, rngs=nnx.Rngs(0)), model, X, **asked(probes=False, **make(model), **options))


def verdicts(report: Report) -> dict[int, Verdict]:
    return {rung.number: rung.verdict for rung in report.rungs}


def cosine(total: int, *, trained: bool) -> Any:
    """Optax's cosine over 20 steps and PyTorch's over others, with SGD or alone."""

    def make(model: torch.nn.Module) -> dict[str, Any]:
        optimizer, schedule = torch.optim.SGD(model.parameters(), 0.1), optax.cosine_decay_schedule(0.1, 20)
        given: dict[str, Any] = {"schedules": (schedule, lr_scheduler.CosineAnnealingLR(optimizer, total))}
        return given | ({"optimizers": (optax.sgd(schedule), optimizer)} if trained else {})

    return make


@pytest.mark.parametrize("trained", [False, True])
def test_equal_schedules_are_the_same_up_to_their_end(trained: bool) -> None:
    report = compared(cosine(20, trained=trained), schedule_steps=20)
    assert report.verdict is Verdict.SAME
    assert verdicts(report)[5] is Verdict.SAME
    assert (6 in verdicts(report)) == trained == (6 not in report.not_run)


def test_beyond_its_end_pytorchs_cosine_rises_and_optaxs_does_not() -> None:
    report = compared(cosine(20, trained=False), schedule_steps=30)
    assert verdicts(report)[5] is Verdict.DIFFERENT
    rung = next(rung for rung in report.rungs if rung.number == 5)
    assert rung.layer == "learning rate"
    assert rung.headline is not None
    assert rung.headline.index == (29,)


def test_another_length_is_told_by_the_rates_and_by_the_training_run() -> None:
    report = compared(cosine(19, trained=True), schedule_steps=15)
    assert verdicts(report)[5] is verdicts(report)[6] is Verdict.DIFFERENT
    assert verdicts(report)[3] is Verdict.SAME


def test_the_users_scheduler_is_left_where_it_was() -> None:
    kept: list[Any] = []

    def make(model: torch.nn.Module) -> dict[str, Any]:
        made = cosine(20, trained=True)(model)
        kept.append(made["schedules"][1])
        return made

    compared(make)
    assert kept[0].last_epoch == 0
    assert kept[0].optimizer.param_groups[0]["lr"] == 0.1


def test_schedulers_that_keep_numbers_in_the_optimizer_and_those_in_a_row() -> None:
    def make(model: torch.nn.Module) -> dict[str, Any]:
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        first = lr_scheduler.ConstantLR(optimizer, 0.5, total_iters=100)
        after = lr_scheduler.ExponentialLR(optimizer, 0.9)
        both = lr_scheduler.SequentialLR(optimizer, [first, after], milestones=[5])
        schedule = optax.join_schedules([optax.constant_schedule(0.05), optax.exponential_decay(0.1, 1, 0.9)], [5])
        return {"schedules": (schedule, both), "optimizers": (optax.sgd(schedule), optimizer)}

    assert compared(make, schedule_steps=12).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("schedules", "said"),
    [
        (lambda o: 3, "schedules got int; expected"),
        (lambda o: (0.1, lr_scheduler.StepLR(o, 2)), "schedules got float, StepLR; expected"),
        (lambda o: (lambda step: 0.1, lr_scheduler.ReduceLROnPlateau(o)), "follows a metric"),
    ],
)
def test_what_is_no_pair_of_schedules_is_refused(schedules: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        compared(lambda model: {"schedules": schedules(torch.optim.SGD(model.parameters(), 0.1))})


def test_a_scheduler_of_another_optimizer_is_refused() -> None:
    def make(model: torch.nn.Module) -> dict[str, Any]:
        one, other = (torch.optim.SGD(model.parameters(), 0.1) for _ in range(2))
        schedule = optax.constant_schedule(0.1)
        return {"schedules": (schedule, lr_scheduler.StepLR(one, 2)), "optimizers": (optax.sgd(0.1), other)}

    with pytest.raises(UsageError, match="not that of the PyTorch optimizer"):
        compared(make)


def decayed(mask: Any) -> Any:
    """AdamW that decays kernels only, by groups in PyTorch and by a mask in optax."""

    def make(model: torch.nn.Module) -> dict[str, Any]:
        groups = [{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias], "weight_decay": 0.0}]
        return {"optimizers": (optax.adamw(0.1, weight_decay=0.1, mask=mask), torch.optim.AdamW(groups, 0.1))}

    return make


def by_path(wanted: str) -> Any:
    """A mask that goes by the names on the way to an array."""

    def mask(params: Any) -> Any:
        return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == wanted, params)

    return mask


def test_parameters_may_have_settings_of_their_own() -> None:
    report = compared(decayed(by_path("kernel")))
    assert report.verdict is Verdict.SAME
    names = {finding.name for rung in report.rungs if rung.number == 5 for finding in rung.findings}
    assert {"kernel after step 1", "bias after step 1"} <= names


def test_an_inverted_mask_is_told_at_its_parameter() -> None:
    report = compared(decayed(by_path("bias")))
    assert verdicts(report)[5] is Verdict.DIFFERENT
    assert next(rung for rung in report.rungs if rung.number == 5).layer == "kernel after step 1"


@pytest.mark.parametrize("staircase", [False, True])
def test_stairs_of_one_schedule_are_named(staircase: bool) -> None:
    def make(model: torch.nn.Module) -> dict[str, Any]:
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        scheduler: Any = lr_scheduler.StepLR(optimizer, 5, 0.5)
        if staircase:
            scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 ** (step / 5))
        return {"schedules": (optax.exponential_decay(0.1, 5, 0.5, staircase=staircase), scheduler)}

    difference = compared(make, schedule_steps=20).first_difference
    assert difference is not None and difference.proof
    wanted = "optax's schedule applies floor" if staircase else "PyTorch's rate changes in stairs of 5 steps"
    assert difference.cause.startswith(wanted)


@pytest.mark.parametrize(("alpha", "verdict"), [(0.02, Verdict.DIFFERENT), (0.2, Verdict.SAME)])
def test_the_end_of_a_cosine_is_a_rate_in_pytorch_and_a_share_in_optax(alpha: float, verdict: Verdict) -> None:
    def make(model: torch.nn.Module) -> dict[str, Any]:
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        falling = lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=0.02)
        return {"schedules": (optax.cosine_decay_schedule(0.1, 20, alpha=alpha), falling)}

    report = compared(make, schedule_steps=15)
    first = report.first_difference
    assert report.verdict is verdict
    if first is not None:
        assert first.cause == "optax's rate falls to 0.002, PyTorch's to 0.02 (eta_min)"
        assert first.mend.startswith("write alpha=0.2 in optax") and "the gap falls from" in first.proof


def test_a_cosine_of_another_length_has_no_other_end() -> None:
    first = compared(cosine(30, trained=False), schedule_steps=15).first_difference
    assert first is not None and "eta_min" not in first.cause


def warmed(model: torch.nn.Module) -> dict[str, Any]:
    """Four steps of warm-up in optax, two in PyTorch, and ten in all."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    parts = lr_scheduler.LinearLR(optimizer, 0.01, 1.0, 2), lr_scheduler.CosineAnnealingLR(optimizer, 8)
    schedule = optax.warmup_cosine_decay_schedule(0.001, 0.1, 4, 10)
    return {"schedules": (schedule, lr_scheduler.SequentialLR(optimizer, list(parts), [2]))}


@pytest.mark.parametrize(
    ("make", "text", "cause", "mend"),
    [
        (
            cosine(18, trained=False),
            "first at step 1, 0.0993844 in Flax and 0.0992404 in PyTorch",
            "optax's decay_steps is 20; with 18 (PyTorch's T_max) its rates are PyTorch's",
            "write decay_steps=18 in optax",
        ),
        (
            warmed,
            "first at step 1, 0.02575 in Flax and 0.0505 in PyTorch",
            "optax's boundaries has 4 and transition_steps is 4 and decay_steps is 6; "
            "with 2 (PyTorch's total_iters) and 8 (PyTorch's T_max) its rates are PyTorch's",
            "write 2 for 4 in boundaries, transition_steps=2, decay_steps=8 in optax",
        ),
    ],
)
def test_what_a_schedule_was_made_with_is_told_by_its_name(make: Any, text: str, cause: str, mend: str) -> None:
    first = compared(make, schedule_steps=10).first_difference
    assert first is not None and text in first.text
    assert (first.cause, first.mend) == (cause, mend) and "over 10 steps" in first.proof
