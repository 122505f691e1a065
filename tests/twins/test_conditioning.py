"""The study's networks with weights whose scales lie twelve powers of ten apart."""

from collections.abc import Iterator

import numpy as np
import pytest

from parity.backends import twin_class
from parity.bugs.catalogue import chosen
from parity.bugs.pairs import PAIRS
from parity.bugs.run import planted
from parity.checks.verdict import Rung, Verdict, worst
from parity.twins.case import Case, make_case
from parity.twins.check import climb
from parity.twins.observe import RecipeSide

RUNGS = (2, 3, 4, 6)


def case(pair: str, scales: tuple[float, ...]) -> Case:
    """The pair's case, its kernels multiplied by the scales in turn."""
    recipe = PAIRS[pair]
    shapes = twin_class("numpy").build(recipe.network, recipe.config).shapes()
    plain = make_case(recipe, shapes)
    kernels = [name for name in shapes if name.endswith("kernel")]
    own = {name: scales[i % len(scales)] for i, name in enumerate(kernels)}
    scaled = {name: (own.get(name, 1.0) * array).astype(np.float32) for name, array in plain.weights.items()}
    return make_case(recipe, shapes, weights=scaled)


def rungs(found: Case, bug: str = "") -> list[Rung]:
    """What the ladder says, with a bug in its side."""
    sides = {name: twin_class(name) for name in ("flax", "torch", "numpy")}
    if bug:
        (one,) = chosen([bug])
        sides[one.side] = planted(one)
    return climb(found, [RecipeSide(side, found) for side in sides.values()], rungs=RUNGS)


@pytest.mark.slow
@pytest.mark.parametrize("scales", [(1e6, 1e-6), (1e-6, 1e6), (1e-6,), (1e3, 1.0)], ids=str)
@pytest.mark.parametrize("pair", ["mlp", "vgg", "rnn", "gru"])
def test_badly_conditioned_weights_raise_no_alarm(pair: str, scales: tuple[float, ...]) -> None:
    found = rungs(case(pair, scales))
    assert worst(rung.verdict for rung in found) is not Verdict.DIFFERENT, list(_wrong(found))


@pytest.mark.slow
@pytest.mark.parametrize(("pair", "bug"), [("vgg", "bn-eps-1.01e-5"), ("vgg", "flatten-order"), ("gru", "gates-z-r")])
def test_badly_conditioned_weights_hide_no_bug(pair: str, bug: str) -> None:
    found = rungs(case(pair, (1e3, 1e-3)), bug)
    assert worst(rung.verdict for rung in found) is Verdict.DIFFERENT


def _wrong(found: list[Rung]) -> Iterator[str]:
    for rung in found:
        yield from (
            f"{rung.number} {f.quantity} {f.name}: {f.share:.3g}" for f in rung.findings if not f.verdict.passes
        )
