"""Drawn networks: both builders agree, and a bug in one of them shows."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from parity.bugs.drawn import mutate
from parity.bugs.drawn.judge import judge
from parity.bugs.drawn.network import MAKERS, RECURRENT, Choose, Network, by_seed, draw, from_json, to_json
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
    assert judge(found[0]).verdict in (Verdict.SAME, Verdict.LESS_ACCURATE), to_json(found[0])


def wrong(found: tuple[Network, Choose]) -> None:
    network, choose = found
    mutant = mutate.mutate(choose, network)
    if mutant is not None:
        assert judge(network, mutant).verdict is Verdict.DIFFERENT, (mutant.mutation.name, to_json(network))


test_correct_draws_are_the_same = QUICK(given(networks())(correct))
test_wrong_draws_are_different = QUICK(given(networks())(wrong))
test_many_correct_draws_are_the_same = pytest.mark.slow(LONG(given(networks())(correct)))
test_many_wrong_draws_are_different = pytest.mark.slow(LONG(given(networks())(wrong)))


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
            assert mutant.side in ("jax", "torch")
