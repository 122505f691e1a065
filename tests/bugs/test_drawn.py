"""Drawn networks: both builders agree, and a bug in one of them shows."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.evidence.drawn import mutate
from benchmarks.evidence.drawn.draw import draw
from benchmarks.evidence.drawn.effect import Why, effect, why_it_passes
from benchmarks.evidence.drawn.judge import compared, judge
from benchmarks.evidence.drawn.layers import MAKERS
from benchmarks.evidence.drawn.mutate import Mutant
from benchmarks.evidence.drawn.network import RECURRENT, Block, Choose, Network, by_seed, from_json, to_json
from benchmarks.evidence.drawn.own.made import OWN_MAKERS
from benchmarks.evidence.drawn.truths import is_right
from benchmarks.evidence.draws import drawn
from parity.checks.drift import UNDETERMINED
from parity.checks.verdict import Verdict

QUICK = settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate], database=None)
LONG = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def networks(draw_from: st.DrawFn) -> tuple[Network, Choose]:
    """A network, and how to go on choosing; shrinks towards fewer blocks and the first of all options."""

    def choose(options):
        return draw_from(st.sampled_from(list(options)))

    return draw(choose), choose


def correct(found: tuple[Network, Choose]) -> None:
    assert judge(found[0]).verdict is not Verdict.DIFFERENT, to_json(found[0])


def wrong(found: tuple[Network, Choose]) -> None:
    network, choose = found
    mutant = mutate.mutate(choose, network)
    if mutant is not None and judge(network, mutant).verdict.passes:
        assert why_it_passes(network, mutant) is not Why.MISSED, (mutant.mutation.name, to_json(network))


test_correct_draws_raise_no_alarm = QUICK(given(networks())(correct))
test_no_bug_is_missed = QUICK(given(networks())(wrong))
test_many_correct_draws_raise_no_alarm = pytest.mark.slow(LONG(given(networks())(correct)))
test_of_many_bugs_none_is_missed = pytest.mark.slow(LONG(given(networks())(wrong)))


@pytest.mark.parametrize("number", [455, 583, 610, 618, 687, 748, 982])
def test_networks_that_were_called_otherwise_once_are_the_same(number: int) -> None:
    """Two attentions packed otherwise, a norm of nearly equal numbers between casts, a gradient that is zero in theory,
    layers that go by their names, a table beside projections, tables alone, layers that are frozen on both sides."""
    report = compared(drawn(number, bug=False)[0])
    assert report.verdict.passes, report


@pytest.mark.parametrize("number", [6, 75, 220, 223, 237, 249, 320])
def test_causes_that_were_not_named_once_are_named_rightly(number: int) -> None:
    """Another array returned, a norm along another axis, steps backwards, another way to resize, n - 1 for n, a
    log-softmax for a softmax, and padding of a pool that lies otherwise."""
    network, mutant = drawn(number, bug=True)
    causes = judge(network, mutant).causes
    assert causes and all(is_right(mutant.mutation.name, cause) for cause in causes), causes


def batch_norm(features: int, **settings: object) -> Block:
    return Block("batch norm", {"features": features, "eps": 1e-5, "keep": 0.9, "affine": False, **settings})


def dense(features: int, out: int, *, bias: bool = True) -> Block:
    return Block("dense", {"in": features, "out": out, "bias": bias})


def planted(network: Network, bug: str, side: str, *place: int) -> Mutant:
    """The bug of that name at that place of the network."""
    found = next((m, s) for m, where, s in mutate.mutants(network) if m.name == bug and where == place)
    return Mutant(found[0], side, place, mutate.changed(network, place, found[1]))


def test_a_gradient_that_rounding_decides_is_no_difference() -> None:
    norm = Block("layer norm", {"features": 1, "eps": 1e-3})
    found = judge(Network((5, 6, 1), 2, (norm, Block("mean"))))  # of one feature, zero but for rounding
    assert (found.verdict, found.reason) in ((Verdict.INCONCLUSIVE, UNDETERMINED), (Verdict.SAME, ""))  # by luck


NOTHING_LEFT = Network(
    (6, 6, 1),
    2,
    (
        Block("resize", {"size": (12, 18), "method": "nearest"}),
        Block("activation", {"function": "log softmax"}),
        Block("activation", {"function": "gelu tanh"}),
    ),
)
ONE_FEATURE = Network((5, 7, 1), 5, (Block("mean"), Block("layer norm", {"features": 1, "eps": 1e-5})))
FLATTENED = Network((5, 4, 3), 5, (Block("flatten", {"shape": (5, 4, 3)}), dense(60, 7, bias=False)))
PACKED = Network(
    (4, 6),
    3,
    (
        Block(
            "fused attention",
            {"features": 6, "heads": 2, "flax": "separate", "torch": "fused", "order": "qkv", "by head": False,
             "bias": True},
        ),
    ),
)  # fmt: skip


HALF_NORM = {"features": 6, "form": "rms", "eps": 1e-5, "more": 0.0, "narrow": True, "upcast": True}
HALF = Network((6,), 5, (dense(6, 6), Block("own norm", HALF_NORM), dense(6, 3)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "bug", "side", "place", "why"),
    [
        (NOTHING_LEFT, "exact GELU", "flax", 2, Why.NO_EFFECT),
        (ONE_FEATURE, "sum for mean", "torch", 0, Why.NO_EFFECT),
        (FLATTENED, "flatten order", "torch", 0, Why.OTHER_MAP),  # a kernel with its rows in another order makes up
        (PACKED, "order in a projection", "torch", 0, Why.OTHER_MAP),  # so does a projection in another order
        (HALF, "no upcast", "flax", 1, Why.ROUNDING),  # half precision is asked for, and its error is as large
    ],
)
def test_why_a_bug_passes(network: Network, bug: str, side: str, place: int, why: Why) -> None:
    mutant = planted(network, bug, side, place)
    assert judge(network, mutant).verdict.passes
    assert why_it_passes(network, mutant) is why


@pytest.mark.slow
def test_a_bias_that_only_the_running_statistics_show_is_not_missed() -> None:
    conv = {"stride": 2, "padding": 1, "dilation": 1, "groups": 1, "bias": True}
    blocks = (
        Block("conv", {**conv, "in": 3, "out": 2, "kernel": (3, 1)}),
        batch_norm(2, eps=1e-3, affine=True),
        Block("conv", {**conv, "in": 2, "out": 4, "kernel": (1, 3), "groups": 2}),
        Block("conv", {**conv, "in": 4, "out": 4, "kernel": (1, 1), "padding": 0, "groups": 2, "bias": False}),
        Block("group norm", {"features": 4, "groups": 2, "eps": 1e-6, "places": 2}),
    )
    network = Network((5, 4, 3), 5, blocks)
    report = compared(network, planted(network, "no bias", "torch", 0))
    assert report.first_difference is not None and report.first_difference.rung in ("structure", "state")


def test_a_frozen_array_is_told_where_the_other_side_rounds_coarsely() -> None:
    frozen = Block("frozen dense", {"in": 5, "out": 4, "frozen": True, "flax": "stopped", "torch": "requires_grad"})
    half = Block("upcast", {"function": "tanh", "narrow": True, "upcast": True})
    network = Network((5,), 3, (frozen, half))
    assert judge(network, planted(network, "frozen on one side", "torch", 0)).verdict is Verdict.DIFFERENT


@pytest.mark.slow
def test_a_bug_that_has_an_effect_is_not_excused() -> None:
    for seed in range(4):
        network, mutant = drawn(seed, bug=True)
        assert not effect(network, mutant).verdict.passes
        assert why_it_passes(network, mutant) is not Why.NO_EFFECT


@pytest.mark.parametrize("seed", range(20))
def test_a_network_is_the_same_after_json(seed: int) -> None:
    network = draw(by_seed(seed))
    assert from_json(json.loads(json.dumps(to_json(network)))) == network
    assert draw(by_seed(seed)) == network


def test_every_kind_of_block_and_of_bug_is_drawn() -> None:
    drawn = [draw(by_seed(seed)) for seed in range(400)]
    kinds = {block.kind for network in drawn for _, block in mutate.places(network.blocks)}
    several = {"pool": ("max pool", "mean pool"), "recurrent": RECURRENT, "dropped norm": ("dropped call",)}
    expected = {kind for maker in (*MAKERS, *OWN_MAKERS) for kind in several.get(maker, (maker,))}
    assert kinds == expected | {"embedding", "residual"}
    bugs = {mutation.name for network in drawn for mutation, _, _ in mutate.mutants(network)}
    assert bugs == {mutation.name for mutation in mutate.MUTATIONS}


def test_a_bug_changes_one_block_of_one_side() -> None:
    for seed in range(50):
        choose = by_seed(seed)
        network = draw(choose)
        if (mutant := mutate.mutate(choose, network)) is not None:
            old, new = (dict(mutate.places(found.blocks)) for found in (network, mutant.network))
            changed = [place for place in old if old[place].settings != new[place].settings]
            assert changed == [mutant.place]
            assert mutant.side in ("flax", "torch")
