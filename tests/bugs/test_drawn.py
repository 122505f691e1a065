"""Drawn networks: both builders agree, and a bug in one of them shows."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.evidence.drawn import mutate
from benchmarks.evidence.drawn.effect import Why, effect, why_it_passes
from benchmarks.evidence.drawn.judge import compared, judge
from benchmarks.evidence.drawn.network import MAKERS, RECURRENT, Choose, Network, by_seed, draw, from_json, to_json
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


def test_a_gradient_that_rounding_decides_is_no_difference() -> None:
    network, _ = drawn(762, bug=False)  # a bias before a BatchNorm: its gradient is zero but for rounding
    found = judge(network)
    assert (found.verdict, found.reason) in ((Verdict.INCONCLUSIVE, UNDETERMINED), (Verdict.SAME, ""))  # by luck


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "why"),
    [
        (352, Why.NO_EFFECT),  # GELU's form where nothing is left of its input
        (713, Why.NO_EFFECT),  # a sum for a mean before a norm of one feature
        (471, Why.OTHER_MAP),  # a flatten that a dense layer's kernel, with its rows in another order, makes up for
    ],
)
def test_why_a_bug_passes(number: int, why: Why) -> None:
    network, mutant = drawn(number, bug=True)
    assert judge(network, mutant).verdict.passes
    assert why_it_passes(network, mutant) is why


@pytest.mark.slow
def test_a_bias_that_only_the_running_statistics_show_is_not_missed() -> None:
    network, mutant = drawn(1350, bug=True)  # no bias before a BatchNorm whose output the result does not see
    assert mutant is not None and mutant.mutation.name == "no bias"
    report = compared(network, mutant)
    assert report.first_difference is not None and report.first_difference.rung == "state"


@pytest.mark.slow
def test_a_bug_that_has_an_effect_is_not_excused() -> None:
    for seed in range(4):
        network, mutant = drawn(seed, bug=True)
        assert not effect(network, mutant).passes
        assert why_it_passes(network, mutant) is not Why.NO_EFFECT


@pytest.mark.parametrize("seed", range(20))
def test_a_network_is_the_same_after_json(seed: int) -> None:
    network = draw(by_seed(seed))
    assert from_json(json.loads(json.dumps(to_json(network)))) == network
    assert draw(by_seed(seed)) == network


def test_every_kind_of_block_and_of_bug_is_drawn() -> None:
    drawn = [draw(by_seed(seed)) for seed in range(400)]
    kinds = {block.kind for network in drawn for _, block in mutate.places(network.blocks)}
    expected = (set(MAKERS) - {"pool", "recurrent"}) | {"max pool", "mean pool", "embedding", "residual", *RECURRENT}
    assert kinds == expected
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
