"""The whole check on small pairs: what is the same, what is not and where; nothing of the user's is changed."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import flax.linen as nn
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
from parity.report.pair import Report
from parity.report.records import Input
from tests.pair.asked import asked
from tests.pair.small import IMAGES, NCHW, ConvNet, convnet, crossed, rotated, square, three, torch_convnet


def compared(pair: tuple[Any, Any, Any, dict[str, Any]], **options: Any) -> Report:
    flax, torch_model, inputs, own = pair
    return parity.compare(flax, torch_model, inputs, **asked(**{"probes": False, **own, **options}))


def verdicts(report: Report) -> dict[str, Verdict]:
    return {rung.name: rung.verdict for rung in report.rungs}


@pytest.fixture(scope="module")
def right() -> Report:
    """A right pair but for the running variance, with probes and shared dropout."""
    return compared(convnet(), probes=True, dropout="shared")


def test_a_port_is_the_same_but_for_the_running_variance(right: Report) -> None:
    found = verdicts(right)
    assert found.pop("state") is Verdict.DIFFERENT
    assert set(found.values()) == {Verdict.SAME}
    assert right.verdict is Verdict.DIFFERENT
    assert right.first_difference is not None and right.first_difference.layer_torch == "0.1"


def test_the_bias_of_the_running_variance_is_named_quantified_and_confirmed(right: Report) -> None:
    (one,) = right.conventions
    assert (one.name, one.confirmed, one.accepted, one.rungs) == ("running_var_bias", True, False, (4,))
    assert "n = 32: 1.03226" in one.text


def test_the_whole_map_is_proven_with_the_rows_of_the_flattened_map(right: Report) -> None:
    assert all(line.proven for line in right.weights) and len(right.weights) == 12
    how = {line.torch: line.how for line in right.weights}
    assert how["0.0.weight"] == "OIHW → HWIO" and how["6.weight"] == "transposed"
    assert how["2.weight"] == "transposed, rows from 4×4×4 channels first to channels last"
    assert right.coverage.parameters == 1.0 and right.coverage.layers == 1.0


def test_the_report_says_with_what_it_was_made_and_why_a_rung_is_not_there(right: Report) -> None:
    assert (right.seed, right.device) == (0, "cpu")
    assert right.inputs == [Input("[0]", (2, 8, 8, 3), "float32")]
    assert right.not_run == {5: "no optimizers were given", 6: "no optimizers were given"}


def test_probes_are_tried_where_the_networks_take_them(right: Report) -> None:
    forward = next(rung for rung in right.rungs if rung.name == "forward")
    tried = {finding.quantity for finding in forward.findings}
    wanted = ("inputs × 0.01", "kernels × 3", "smaller sizes", "one sample more", "PyTorch's own weights")
    assert {f"result with {what}" for what in wanted} <= tried


def test_dropout_is_the_same_on_both_sides_and_does_something(right: Report) -> None:
    assert not [one for one in right.lints if one.setting == "dropout"]
    training = [layer for layer in right.layers if layer.mode == "training" and layer.torch == "2"]
    off = compared(convnet())
    other = [layer for layer in off.layers if layer.mode == "training" and layer.torch == "2"]
    assert training[0].finding.verdict is Verdict.SAME
    assert training[0].finding.errors != other[0].finding.errors


def test_an_accepted_convention_is_no_difference() -> None:
    report = compared(convnet(), accept=["running_var_bias"])
    assert report.verdict is Verdict.SAME and report.first_difference is None
    assert verdicts(report)["state"] is Verdict.DIFFERENT and report.conventions[0].accepted


@pytest.mark.parametrize(
    ("settings", "rung", "layer", "cause", "mend"),
    [
        ({"padding": "SAME"}, "forward", "0.0", "padding SAME", "write padding=((1, 1), (1, 1)) in Flax"),
        ({"eps": 1e-3}, "forward", "0.1", "eps is 0.001 in Flax, 1e-05 in PyTorch", "write epsilon=1e-05 in Flax"),
        ({"keep": 0.1}, "state", "0.1", "Flax 0.1 keeps 10 %", "write momentum=0.9 in Flax"),
    ],
)
def test_a_wrong_port_is_different_at_its_layer_and_the_cause_is_named(
    settings: dict[str, Any], rung: str, layer: str, cause: str, mend: str
) -> None:
    report = compared(convnet(**settings), accept=["running_var_bias"])
    first = report.first_difference
    assert report.verdict is Verdict.DIFFERENT and first is not None
    assert (first.rung, first.layer_torch) == (rung, layer)
    assert cause in first.cause and first.mend == mend
    assert first.mode == ("training" if rung == "state" else "evaluation")


def test_an_epsilon_is_confirmed_by_undoing_it_and_spoils_no_other_rung() -> None:
    report = compared(convnet(eps=1e-3), accept=["running_var_bias"])
    one = next(c for c in report.conventions if c.name == "norm_eps")
    assert one.confirmed and not one.accepted
    assert verdicts(report)["gradients"] is Verdict.SAME
    ruled = next(rung for rung in report.rungs if rung.name == "gradients").findings
    columns = [(layer.finding.verdict, layer.gradient) for layer in report.layers if layer.gradient is not None]
    assert any(verdict is Verdict.DIFFERENT for verdict, _ in columns)  # the outputs are as they were
    assert all(any(gradient is one for one in ruled) for _, gradient in columns)  # the gradients are those ruled on
    accepted = compared(convnet(eps=1e-3), accept=["running_var_bias", "norm_eps"])
    assert accepted.verdict is Verdict.SAME


def test_a_dropped_mode_argument_shows_in_training_only() -> None:
    _, model, inputs, own = convnet()

    class Wrapper(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return ConvNet()(x, train=False)

    port = Wrapper()
    report = compared(((port, port.init(jax.random.key(0), inputs)), model, inputs, own))
    first = report.first_difference
    assert first is not None and "in training" in first.text and first.layer_torch == "0.1"


def test_square_kernels_and_offset_scales_of_unknown_modules_are_read_as_they_are() -> None:
    report = compared(square())
    assert report.verdict is Verdict.SAME
    how = {line.torch: line.how for line in report.weights}
    assert how["c_proj.weight"] == "as it is" and how["ln.scale"] == "+1"


def test_the_form_of_gelu_is_named_and_confirmed() -> None:
    report = compared(square("tanh"))
    (one,) = [c for c in report.conventions if c.name == "gelu_form"]
    assert one.confirmed and report.verdict is Verdict.DIFFERENT
    assert report.first_difference is not None and "GELU" in report.first_difference.cause
    assert compared(square("tanh"), accept=["gelu_form"]).verdict is Verdict.SAME


def test_a_table_that_is_kept_in_float32_is_made_equal_and_another_table_is_different() -> None:
    report = compared(rotated())
    assert report.verdict is Verdict.SAME and "is one table" in report.notes[0]
    assert compared(rotated(101.0)).verdict is Verdict.DIFFERENT


def test_a_table_in_float32_that_the_other_side_has_in_another_form_is_not_ruled_on() -> None:
    frequencies = 100.0 ** -(np.arange(8) / 8)
    places = np.arange(9, dtype=np.float32) % 5

    class Looked(nn.Module):
        @nn.compact
        def __call__(self, places: jax.Array) -> jax.Array:
            table = jnp.asarray(np.sin(np.arange(5)[:, None] * frequencies))
            return nn.Dense(4)(table[places.astype(jnp.int32)])

    class Computed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("frequencies", torch.tensor(frequencies, dtype=torch.float32))
            self.dense = torch.nn.Linear(8, 4)

        def forward(self, places: torch.Tensor) -> torch.Tensor:
            return self.dense(torch.sin(places[:, None] * self.get_buffer("frequencies")))

    port = Looked()
    report = compared(((port, port.init(jax.random.key(0), places)), Computed(), places, {}), probes=False)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "rests on frequencies, kept in float32 by PyTorch only" in report.rungs[1].reason


def test_equal_layers_on_one_input_are_told_apart_by_agreement() -> None:
    report = compared(crossed())
    assert report.verdict is Verdict.SAME
    assert {line.layer_flax: line.layer_torch for line in report.weights}["plus"] == "first"


def test_what_cannot_be_decided_is_inconclusive_with_the_candidates_named(monkeypatch) -> None:
    assert compared(three()).verdict is Verdict.SAME  # one of six orders
    assert compared(three(wrong=True)).verdict is Verdict.DIFFERENT  # none of six
    monkeypatch.setattr("parity.pair.rungs.forward.BUDGET", 3)
    report = compared(three(wrong=True))
    assert report.verdict is Verdict.INCONCLUSIVE
    reason = report.rungs[0].findings[-1].reason
    assert "3 readings tried, none agrees" in reason and "another order of square, factor, bent" in reason


def test_a_result_without_its_batch_is_different() -> None:
    class First(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x)[:1]

    x = np.repeat(np.ones((1, 3), np.float32), 2, axis=0)  # all samples are equal, so that only the shapes differ
    report = parity.compare(nnx.Linear(3, 2, rngs=nnx.Rngs(0)), First(3, 2), x, checks=parity.Checks(probes=False))
    assert report.verdict is Verdict.DIFFERENT


def test_an_array_without_a_counterpart_is_a_difference() -> None:
    flax, model, inputs, own = convnet()
    model[6] = torch.nn.Linear(6, 6, bias=False)
    report = compared((flax, model, inputs, own))
    assert verdicts(report)["structure"] is Verdict.DIFFERENT
    assert any(line.note == "no counterpart" and line.flax == "params/Dense_1/bias" for line in report.weights)


def test_update_and_trajectory_follow_the_users_optimizers() -> None:
    flax, model, inputs, own = convnet()
    right_ = (optax.adam(1e-3), torch.optim.Adam(model.parameters(), 1e-3))
    found = verdicts(compared((flax, model, inputs, own), optimizers=right_))
    assert found["update"] is Verdict.SAME and found["trajectory"] is Verdict.SAME
    wrong = (optax.adam(1e-3, eps=1e-5), torch.optim.Adam(model.parameters(), 1e-3))
    found = verdicts(compared((flax, model, inputs, own), optimizers=wrong))
    assert found["update"] is Verdict.DIFFERENT and found["trajectory"] is Verdict.DIFFERENT


def test_the_users_models_come_back_unchanged() -> None:
    (port, variables), model, inputs, own = convnet()
    before = jax.tree.map(np.array, variables), copy.deepcopy(model.state_dict()), inputs.copy()
    model.train()
    default, x64 = torch.get_default_dtype(), jnp.asarray(np.ones(1)).dtype
    compared(((port, variables), model, inputs, own))
    jax.tree.map(np.testing.assert_array_equal, before[0], variables)
    assert all(torch.equal(before[1][name], tensor) for name, tensor in model.state_dict().items())
    assert model.training and np.array_equal(before[2], inputs) and all(p.grad is None for p in model.parameters())
    assert (torch.get_default_dtype(), jnp.asarray(np.ones(1)).dtype) == (default, x64)


def test_weights_are_converted_both_ways() -> None:
    flax, model, inputs, own = convnet()
    module, variables = parity.convert(flax, model, inputs, **own)
    model.eval()
    theirs = model(torch.tensor(np.moveaxis(IMAGES, -1, 1).copy())).detach().numpy()
    ours = np.asarray(module.apply(variables, IMAGES))
    assert np.abs(ours - theirs).max() < 64 * np.finfo(np.float32).eps
    other = parity.convert(flax, torch_convnet(), inputs, "flax->torch", **own).eval()
    theirs = other(torch.tensor(np.moveaxis(IMAGES, -1, 1).copy())).detach().numpy()
    assert np.abs(np.asarray(module.apply(flax[1], IMAGES)) - theirs).max() < 64 * np.finfo(np.float32).eps


@pytest.mark.parametrize("direction", ["torch->flax", "flax->torch"])
def test_weights_are_converted_where_all_that_differs_is_accepted(direction: Any) -> None:
    flax, model, inputs, own = square("tanh")
    with pytest.raises(UsageError, match=r"agree in all but gelu_form; .* accept gelu_form"):
        parity.convert(flax, model, inputs, direction, **own)
    converted = parity.convert(flax, model, inputs, direction, accept=["gelu_form"], **own)
    pair = (converted, model) if direction == "torch->flax" else (flax, converted)
    ours, theirs = pair[0](inputs)["exact"], pair[1](torch.tensor(inputs))["exact"]
    gap = np.abs(np.asarray(ours) - theirs.detach().numpy()).max()
    assert 0 < gap < 5e-4  # the two forms of GELU


def test_weights_of_another_network_are_not_converted() -> None:
    flax, model, inputs, own = convnet(padding="SAME")
    with pytest.raises(UsageError, match="do not agree"):
        parity.convert(flax, model, inputs, **own)


def test_a_map_can_be_written_edited_and_read(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    assert compared(convnet(), map_out=str(path), accept=["running_var_bias"]).verdict is Verdict.SAME
    assert compared(convnet(), map=str(path), accept=["running_var_bias"]).verdict is Verdict.SAME
    document = json.loads(path.read_text())
    one, two = (next(p for p in document["pairs"] if p["flax"] == name) for name in ("Dense_1", "Dense_2"))
    one["torch"], two["torch"] = two["torch"], one["torch"]
    path.write_text(json.dumps(document))
    assert compared(convnet(), map=str(path)).verdict is Verdict.DIFFERENT  # a wrong map is never a pass


def test_a_map_that_names_what_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    compared(convnet(), map_out=str(path))
    path.write_text(path.read_text().replace("Dense_1", "Dense_9"))
    with pytest.raises(UsageError, match="Dense_9"):
        compared(convnet(), map=str(path))


def test_the_script_reproduces_the_difference(tmp_path: Path) -> None:
    report = compared(convnet(eps=1e-3))
    path = tmp_path / "layer.py"
    report.repro(path)
    run = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "largest difference" in run.stdout, run.stderr
    path.write_text(path.read_text().replace("epsilon=0.001", "epsilon=1e-05"))
    assert subprocess.run([sys.executable, str(path)], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"accept": ["running_var"]}, "did you mean running_var_bias"),
        ({"dropout": "on"}, "expected one of off, shared"),
        ({"to_torch": "NHWC"}, "same letters"),
    ],
)
def test_bad_options_are_one_clear_error(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        compared(convnet(), **change)


def test_models_that_are_none_are_one_clear_error() -> None:
    with pytest.raises(UsageError, match=r"give \(module, variables\)"):
        parity.compare(ConvNet(), torch_convnet(), IMAGES, to_torch=NCHW["to_torch"])
    with pytest.raises(UsageError, match=r"expected an nn\.Module"):
        parity.compare(nnx.Linear(2, 2, rngs=nnx.Rngs(0)), object(), IMAGES)
