"""What each rule writes for what was undone: the line of the source, before and after."""

from dataclasses import replace
from pathlib import Path

import pytest

from parity.checks.verdict import Verdict
from parity.interface.programs.undone import SourceValue, Spot, Undone, Use
from parity.repairs.candidates import candidates
from parity.repairs.rules.candidate import Context
from parity.repairs.rules.expressions import around, inverse
from parity.repairs.source.files import edited
from parity.repairs.source.project import Project
from parity.report.pair import Report
from parity.report.records import Coverage, Difference, Lint

HEAD = """import jax
import jax.numpy as jnp
import optax
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F


"""
LINE = f"pair.py:{HEAD.count(chr(10)) + 1}"


def spot(name: str) -> Spot:
    return Spot(name, LINE)


def value(name: str, call: str = "", used: str = "") -> SourceValue:
    return SourceValue(spot(name), call=call, used=(Use(spot(used), 0),) if used else ())


NAMED = SourceValue(None, name="x")


def part(number: int) -> SourceValue:
    return SourceValue(spot("unbind"), number, 2)


def setting(name: str, key: str, was: str, wanted: str) -> Undone:
    return Undone("torch", "setting", spot(name), key, was, wanted)


def changed(name: str, *means: str, side: str = "torch") -> Undone:
    return Undone(side, "change", spot(name), value=value(name), means=means)


SECOND = Undone(
    "torch", "change", spot("mul"), value=SourceValue(Spot("mul", LINE, 1)), means=("apply instead", "GELU (exact)")
)


def made(
    tmp_path: Path, line: str, difference: Difference, lints: tuple[Lint, ...] = (), side: str | None = None
) -> list[str]:
    """What candidates write for a line, in order."""
    (tmp_path / "pair.py").write_text(f"{HEAD}{line}\n")
    project = Project(tmp_path / "pair.py")
    report = Report("pair", Verdict.DIFFERENT, [], difference, [], [], list(lints), [], Coverage(1, 1))
    found = list(candidates(Context(project, report, difference), side))
    text = project.files[project.target].text
    return [edited(text, one.edits)[len(HEAD) :].strip() for one in found]


def of(undone: Undone, **more: object) -> Difference:
    difference = Difference("forward", "", "", "", cause="it", proof="so", undone=(undone,))
    return replace(difference, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "undone", "expected"),
    [
        ("y = F.softmax(x, dim=-2)", setting("softmax", "dim", "-2", "-1"), "y = F.softmax(x, dim=-1)"),
        ("y = torch.log_softmax(x, 1)", setting("log_softmax", "dim", "1", "2"), "y = torch.log_softmax(x, 2)"),
        ("y = F.pad(x, (1,))", setting("pad", "value", "None", "-1e9"), "y = F.pad(x, (1,), value=-1e9)"),
        ("y = x / (n - 1)", setting("div", "other", "5", "6"), "y = x / 6"),
        ("y = (x + 0).clamp(max=9)", setting("add", "other", "0", "1"), "y = (x + 1).clamp(max=9)"),
        ("y = x * torch.sigmoid(1.702 * x)", SECOND, "y = F.gelu(x)"),
        ("y = F.gelu(x)", changed("gelu", "apply instead", "SiLU"), "y = F.silu(x)"),
        ("y = F.gelu(x + 1)", changed("gelu", "times", "0.5"), "y = F.gelu(x + 1) * 0.5"),
        ("y = 2 - x @ w", changed("matmul", "times", "2.0", "√4"), "y = 2 - ((x @ w) * 4 ** 0.5)"),
        ("y = x.mT", changed("mT", "plus", "-1.0"), "y = x.mT - 1.0"),
        ("m = x >= 0", changed("ge", "not"), "m = ~(x >= 0)"),
        ("m = x >= 0", changed("ge", "ones"), "m = torch.ones_like(x >= 0)"),
        ("y = w.sum()", changed("sum", "number", "24"), "y = w.numel()"),
        ("y = f(x)", changed("f", "flip", "-1"), "y = torch.flip(f(x), (-1,))"),
        ("f(x)", changed("f", "dealt", "-1", "2"), "torch.cat([v[..., i::2] for v in [f(x)] for i in range(2)], -1)"),
        ("y = jnp.tanh(x)", changed("tanh", "flip", "-1", side="flax"), "y = jnp.flip(jnp.tanh(x), -1)"),
        ("y = x / root", Undone("torch", "left out", spot("div"), value=value("div")), "y = x"),
        ("y = x.relu()", Undone("torch", "left out", spot("relu"), value=value("relu")), "y = x"),
        ("y = x.detach() * 2", setting("the gradient of detach", "otherwise", "False", "True"), "y = x * 2"),
        ("y += x", Undone("torch", "left out", spot("add"), value=value("add")), "pass"),
        (
            "h, c = state",
            Undone("torch", "another value", spot("unbind"), value=part(0), other=part(1)),
            "c, h = state",
        ),
        (
            "for step in x.unbind(1):\n    pass",
            Undone("torch", "another value", spot("unbind"), value=part(0), other=part(1)),
            "for step in x.unbind(1)[::-1]:\n    pass",
        ),
        (
            "y = self.rnn(x)\nself.rnn = nnx.RNN(cell, reverse=True)",
            Undone("flax", "left out", spot("rev"), value=value("rev", "rnn")),
            "y = self.rnn(x)\nself.rnn = nnx.RNN(cell, reverse=False)",
        ),
        (
            "y = x + self.dense(self.norm(x))",
            Undone("torch", "another value", spot("norm"), value=value("norm", "norm"), other=NAMED),
            "y = x + self.dense(x)",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_the_likeliest_patch(tmp_path: Path, line: str, undone: Undone, expected: str) -> None:
    assert made(tmp_path, line, of(undone))[0] == expected


def test_a_loop_runs_once_less(tmp_path: Path) -> None:
    undone = Undone("torch", "run again", Spot("mul", f"pair.py:{HEAD.count(chr(10)) + 2}"))
    assert made(tmp_path, "for _ in range(3):\n    x = x * 2", of(undone))[0].startswith("for _ in range(2):")


def test_a_layer_that_is_declared_otherwise(tmp_path: Path) -> None:
    lint = Lint("net.norm", "net.norm", "eps", "1e-06", "1e-05", "it", mend="write epsilon=1e-05 in Flax")
    both = "self.norm = nnx.LayerNorm(3, rngs=rngs)\nself.norm = nn.LayerNorm(3)"
    difference = Difference("forward", "", "", "", cause="it", mend=lint.mend, proof="so")
    found = made(tmp_path, both, difference, (lint,))
    assert found[0].splitlines()[0] == "self.norm = nnx.LayerNorm(3, rngs=rngs, epsilon=1e-05)"
    other = made(tmp_path, both, difference, (lint,), side="torch")
    assert other[0].splitlines()[1] == "self.norm = nn.LayerNorm(3, eps=1e-06)"


def test_a_gradient_is_stopped_on_the_other_side(tmp_path: Path) -> None:
    stop = Undone("flax", "setting", Spot("the gradient of stop_gradient", "port.py:3"), "otherwise", "False", "True")
    found = made(tmp_path, "y = x + self.dense(x)", of(stop, lines={"torch": LINE}), side="torch")
    assert found == ["y = (x + self.dense(x)).detach()", "y = x + self.dense(x).detach()"]


def test_momentum_is_the_other_share_in_pytorch(tmp_path: Path) -> None:
    lint = Lint("bn", "bn", "keep", "0.99", "0.9", "it", mend="write momentum=0.9 in Flax")
    difference = Difference("state", "", "", "", cause="it", mend=lint.mend, proof="so")
    found = made(tmp_path, "self.bn = nn.BatchNorm2d(3)", difference, (lint,), side="torch")
    assert found == ["self.bn = nn.BatchNorm2d(3, momentum=0.01)"]


def test_a_cast_is_taken_away(tmp_path: Path) -> None:
    cause = f"same formula, computed in bfloat16 at {LINE} in PyTorch only"
    difference = Difference("forward", "", "", "", cause=cause, mend="cast in both or in neither", proof="so")
    assert made(tmp_path, "x = x.bfloat16().float()", difference)[0] == "x = x.float()"


def test_casts_on_several_lines_are_taken_away_together(tmp_path: Path) -> None:
    places = ", ".join(f"pair.py:{HEAD.count(chr(10)) + line}" for line in (1, 2))
    cause = f"same formula, computed in bfloat16 at {places} in PyTorch only"
    difference = Difference("forward", "", "", "", cause=cause, mend="cast in both or in neither", proof="so")
    texts = made(tmp_path, "x = x.bfloat16()\ny = x.to(torch.bfloat16) * 2", difference)
    assert texts[0] == "x = x\ny = x * 2"


def test_arrays_that_one_side_lacks(tmp_path: Path) -> None:
    cause = "Flax learns norm.scale, norm.bias, and PyTorch has no such scale or bias"
    mend = "give PyTorch's layer its scale and bias, or leave them out in Flax"
    difference = Difference("structure", "", "", "", cause=cause, mend=mend, proof="so")
    assert (
        made(tmp_path, "self.norm = nn.InstanceNorm1d(3)", difference)[0]
        == "self.norm = nn.InstanceNorm1d(3, affine=True)"
    )


def test_what_one_side_adds_is_written_on_the_other(tmp_path: Path) -> None:
    undone = Undone("flax", "left out", Spot("add", ""), value=SourceValue(Spot("add", "")))
    found = made(tmp_path, "y = F.linear(h, w)", of(undone, lines={"torch": LINE}), side="torch")
    assert found == []  # no array and no number is known that could be added


def test_settings_of_an_optimizer_and_of_a_schedule(tmp_path: Path) -> None:
    decay = Undone("torch", "setting", Spot("AdamW", ""), "weight_decay", "0.01", "0.0001")
    update = Difference("update", "", "", "", cause="it", mend="write it in PyTorch", proof="so", undone=(decay,))
    assert made(tmp_path, "o = torch.optim.AdamW(p, 0.1)", update) == [
        "o = torch.optim.AdamW(p, 0.1, weight_decay=0.0001)"
    ]
    flax = made(tmp_path, "o = optax.adamw(0.1, weight_decay=1e-4)", update, side="flax")
    assert flax == ["o = optax.adamw(0.1, weight_decay=0.01)"]
    steps = Undone("flax", "setting", Spot("div", ""), "number 2", "39", "40")
    schedule = Difference("update", "", "", "", cause="it", mend="write 40 in Flax", proof="so", undone=(steps,))
    assert (
        made(tmp_path, "s = optax.cosine_decay_schedule(0.1, 39)", schedule)[0]
        == "s = optax.cosine_decay_schedule(0.1, 40)"
    )


@pytest.mark.parametrize(
    "means",
    [
        ("times", "0.5", "1/2"),
        ("plus", "3.0"),
        ("ordered", "-1", "(2, 0, 1)"),
        ("roll", "1", "-1"),
        ("flip", "0"),
        ("not",),
    ],
    ids=lambda means: means[0],
)
def test_the_reverse_is_undone_by_the_change(means: tuple[str, ...]) -> None:
    np = pytest.importorskip("numpy")
    torch = pytest.importorskip("torch")
    x = torch.arange(12).reshape(4, 3) % 2 == 0 if means[0] == "not" else torch.arange(12.0).reshape(4, 3)

    def applied(given: object, means: tuple[str, ...]) -> object:
        name, form = around("torch", means)
        return eval(form.format(f=name, e="v0", p="v0"), {"torch": torch, "v0": given})

    assert np.array_equal(applied(applied(x, means), tuple(inverse(means))), x)


def test_orders_are_those_of_the_search() -> None:
    import jax
    import jax.numpy
    import numpy as np
    import torch

    from parity.pair.causes.search.families.orders import means_of, orders

    x = np.arange(2.0 * 4 * 6).reshape(2, 4, 6)
    tried = 0
    for _, order in orders(x.shape):
        means = means_of(order)
        for side, array in (("torch", torch.tensor(x)), ("flax", jax.numpy.asarray(x))):
            name, form = around(side, means)
            text = form.format(f=name, s="jax.numpy.split", e="v0", p="v0")
            found = eval(text, {"torch": torch, "jax": jax, "v0": array})
            assert np.array_equal(np.asarray(found), order(x)), means
            tried += 1
    assert tried > 60
