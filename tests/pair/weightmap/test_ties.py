"""A head tied to the embedding on one side only: one function, named as what trains otherwise."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
import torch

import parity
from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.report.pair import Report
from tests.pair.asked import asked
from tests.pair.weightmap.tied import TOKENS, Tied, TorchFunctional, TorchModel, Untied


def _compared(flax: Any, model: torch.nn.Module, **options: Any) -> tuple[Report, dict[str, Verdict]]:
    report = parity.compare(flax, model, TOKENS, **asked(**{"probes": False, **options}))
    return report, {rung.name: rung.verdict for rung in report.rungs}


@pytest.mark.parametrize(
    ("make", "sides", "head"),
    [
        (lambda: (Untied(), TorchModel(tied=True)), "tied in PyTorch, untied in Flax", "head"),
        (lambda: (Untied(bias=True), TorchModel(tied=True, bias=True)), "tied in PyTorch, untied in Flax", "head"),
        (lambda: (Untied(), TorchFunctional()), "tied in PyTorch, untied in Flax", "wte (tied)"),
    ],
    ids=["module", "bias", "functional"],
)
def test_the_function_and_the_sum_of_the_gradients_are_the_same_and_the_tie_is_named(
    make: Any, sides: str, head: str
) -> None:
    report, found = _compared(*make())
    _check(report, found, sides, head)


def test_so_it_is_where_flax_ties_and_the_users_own_weights_are_no_probe_as_they_cannot_be_held() -> None:
    report, found = _compared(Tied(), TorchModel(tied=False), probes=True)
    _check(report, found, "tied in Flax, untied in PyTorch", "head")
    assert any("head.weight and wte.weight hold different numbers and Flax ties" in note for note in report.notes)


def _check(report: Report, found: dict[str, Verdict], sides: str, head: str) -> None:
    assert found == {"structure": Verdict.DIFFERENT, "forward": Verdict.SAME, "gradients": Verdict.SAME}
    (convention,) = report.conventions
    assert (convention.name, convention.confirmed, convention.accepted) == ("tied_weights", True, False)
    first = report.first_difference
    assert first is not None and report.verdict is Verdict.DIFFERENT
    assert (first.rung, first.layer_torch) == ("structure", head) and sides in first.text and "tie them" in first.mend
    gradients = next(rung for rung in report.rungs if rung.name == "gradients").findings
    assert f"wte.table + {head}.kernel" in {one.name for one in gradients}
    assert all(line.proven for line in report.weights)


def test_it_can_be_accepted_by_name_training_runs_are_left_out_and_a_map_file_finds_it_again(tmp_path: Path) -> None:
    model, path = TorchModel(tied=True), str(tmp_path / "map.json")
    optimizers = (optax.sgd(0.1), torch.optim.SGD(model.parameters(), 0.1))
    report, found = _compared(Untied(), model, accept=["tied_weights"], optimizers=optimizers, map_out=path)
    assert report.verdict is Verdict.SAME and report.first_difference is None
    assert found["update"] is Verdict.SAME and "trajectory" not in found
    assert "trains otherwise" in report.not_run[6]
    losses = (lambda y, t: jax.numpy.square(y - t).sum(), lambda y, t: (y - t).square().mean())
    own = {"loss": losses, "targets": np.ones((2, 5, 11)), "accept": ["tied_weights", "loss_reduction"]}
    report, _ = _compared(Untied(), model, map=path, **own)
    assert report.verdict is Verdict.SAME
    assert [(one.name, one.confirmed) for one in report.conventions] == [
        ("tied_weights", True),
        ("loss_reduction", True),
    ]


def test_a_bug_beside_a_tie_is_not_accepted_with_it() -> None:
    report, found = _compared(Untied(), TorchModel(tied=True, bent=True), accept=["tied_weights"])
    assert report.verdict is Verdict.DIFFERENT and found["forward"] is Verdict.DIFFERENT
    assert not report.conventions[0].confirmed
    assert report.lints[0].convention == "tied_weights"


def test_a_gradient_that_is_not_the_sum_is_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity.pair.weightmap.pairing.pairings.WeightMap.tied_to", lambda match, link: [])
    _, found = _compared(Untied(), TorchModel(tied=True))
    assert found["gradients"] is Verdict.DIFFERENT


def test_one_array_is_carried_to_both_and_two_different_ones_to_none() -> None:
    model = TorchModel(tied=True)
    port = parity.convert(Untied(), model, TOKENS)
    weight = model.wte.weight.detach().numpy()
    np.testing.assert_array_equal(port.embed.embedding[...], weight)
    np.testing.assert_array_equal(port.head.kernel[...], weight.T)
    with pytest.raises(UsageError, match=r"head\.kernel and embed\.embedding hold different numbers and torch ties"):
        parity.convert(Untied(), model, TOKENS, "flax->torch")


def test_a_head_without_effect_is_no_tie() -> None:
    class Dead(TorchFunctional):
        def __init__(self) -> None:
            super().__init__()
            self.unused = torch.nn.Linear(4, 11, bias=False)

    report, found = _compared(Tied(), Dead())
    (one,) = report.conventions  # it is one side's alone and nothing uses it, which is told, and is no tie
    assert (one.name, one.confirmed) == ("unused_parameters", True)
    assert found["structure"] is Verdict.DIFFERENT and found["forward"] is Verdict.SAME
