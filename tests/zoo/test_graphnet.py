"""Graphs in batches: as lists of edges or filled up, in any order of nodes and edges, and with missing edges."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.zoo.small import inputs, twin

FRAMEWORKS = ("flax", "torch")


def logits_of(framework: str, x: NDArray[Any]) -> NDArray[Any]:
    return twin(framework, "graphnet").forward(x, training=False)


def as_lists(x: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Nodes, senders, receivers and graphs of what is there, in lists without anything to fill up."""
    nodes: list[Any] = []
    senders: list[int] = []
    receivers: list[int] = []
    graph: list[int] = []
    for number, one in enumerate(x):
        real = [row for row in one if row[3] >= 0]
        for place, row in enumerate(real):
            heard = [int(other) for other in row[3:] if other >= 0]
            senders += [len(nodes) + other for other in heard]
            receivers += [len(nodes) + place] * len(heard)
        nodes += [row[:3] for row in real]
        graph += [number] * len(real)
    return np.array(nodes), *(np.array(numbers) for numbers in (senders, receivers, graph))


def classified(framework: str, lists: tuple[NDArray[Any], ...], graphs: int) -> NDArray[Any]:
    found = twin(framework, "graphnet", "float32")
    if framework == "flax":
        model = found.graph.merged(found.variables, training=False)  # type: ignore[attr-defined] # Flax's own
        return np.asarray(model.classify(*map(jnp.asarray, lists), graphs))
    with torch.no_grad():
        return found.model.classify(*map(torch.as_tensor, lists), graphs).numpy()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_lists_of_edges_get_the_logits_of_what_is_filled_up(framework: str) -> None:
    x = inputs("graphnet", 3)
    lists = as_lists(x)
    assert len(lists[0]) < 15 and len(lists[1]) < 30
    by_lists = classified(framework, lists, 3)
    np.testing.assert_allclose(by_lists, logits_of(framework, x), rtol=1e-4, atol=1e-5)
    shuffled = np.random.default_rng(0).permutation(len(lists[1]))
    again = classified(framework, (lists[0], lists[1][shuffled], lists[2][shuffled], lists[3]), 3)
    np.testing.assert_allclose(again, by_lists, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("framework", (*FRAMEWORKS, "numpy"))
def test_a_graph_is_read_alone_as_it_is_among_others(framework: str) -> None:
    x = inputs("graphnet", 3)
    together = logits_of(framework, x)
    for number in range(3):
        np.testing.assert_allclose(logits_of(framework, x[number : number + 1])[0], together[number], rtol=1e-9)


@pytest.mark.parametrize("framework", (*FRAMEWORKS, "numpy"))
def test_the_order_of_nodes_does_not_matter_and_the_direction_of_edges_does(framework: str) -> None:
    x = inputs("graphnet", 1)
    order = np.array([3, 0, 4, 1, 2])
    turned = x[:, order]
    place = np.argsort(order)
    turned[..., 3:] = np.where(turned[..., 3:] < 0, -1, place[turned[..., 3:].astype(int)])
    before = logits_of(framework, x)
    np.testing.assert_allclose(logits_of(framework, turned), before, rtol=1e-9)
    backwards = x.copy()
    backwards[0, 0, 3:], backwards[0, 1, 3:] = [2, 2], [3, 3]
    there = logits_of(framework, backwards)
    backwards[0, 0, 3:], backwards[0, 1, 3:] = [3, 3], [2, 2]
    assert not np.isclose(logits_of(framework, backwards), there).all()


@pytest.mark.parametrize("framework", (*FRAMEWORKS, "numpy"))
def test_what_fills_up_is_not_seen(framework: str) -> None:
    x = inputs("graphnet", 2)
    changed = x.copy()
    changed[1, 4, :3] += 7
    assert np.array_equal(logits_of(framework, changed), logits_of(framework, x))
    assert not np.isclose(
        logits_of(framework, np.where(x == -1, 0, x).astype(np.float32)), logits_of(framework, x)
    ).all()
