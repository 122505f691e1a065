"""Layers with the same names belong together, whatever the order in which they run."""

import pytest

from parity.interface.packing import whole
from parity.interface.unit import Unit
from parity.pair.weightmap.pairing.assemble import Held, map_weights
from parity.pair.weightmap.pairing.names import pattern, stacking_order, tokens
from parity.pair.weightmap.pairing.pairings import WeightMap

FLAX = ["layers_0/mlp/up_proj", "layers_0/mlp/gate_proj", "layers_1/mlp/up_proj", "layers_1/mlp/gate_proj"]


def units(paths: list[str], running: int | None = None) -> list[Unit]:
    count = len(paths) if running is None else running
    arrays = [{"kernel": whole(f"{path}.kernel")} for path in paths]
    return [Unit(p, "dense", a, {}, i, runs=i < count) for i, (p, a) in enumerate(zip(paths, arrays, strict=True))]


def mapped(flax: list[Unit], torch: list[Unit]) -> WeightMap:
    shapes = [{f"{unit.path}.kernel": (4, 4) for unit in side} for side in (flax, torch)]
    return map_weights(Held(flax, shapes[0]), Held(torch, shapes[1]))


def pairs(found: WeightMap) -> list[tuple[str, str]]:
    return [(layer.flax.path, layer.torch.path) for layer in found.layers]


def test_equal_names_go_before_the_order_of_execution() -> None:
    torch = [f"model.layers.{n}.mlp.{name}" for n in (0, 1) for name in ("gate_proj", "up_proj")]
    found = mapped(units(FLAX), units(torch))
    assert pairs(found) == list(zip(FLAX, [torch[1], torch[0], torch[3], torch[2]], strict=True))
    (by_order,) = found.others.values()
    assert pairs(by_order) == list(zip(FLAX, torch, strict=True))


@pytest.mark.parametrize(
    "torch", [["attn.k_proj", "attn.v_proj", "attn.q_proj"], ["a.to_k", "a.to_v", "a.to_q"], ["a.wk", "a.wv", "a.wq"]]
)
def test_the_field_s_words_for_one_thing_are_one_name(torch: list[str]) -> None:
    found = mapped(units(["attn/query", "attn/key", "attn/value"]), units(torch))
    assert [b for _, b in pairs(found)] == [torch[2], torch[0], torch[1]]


def test_names_that_say_nothing_leave_the_order() -> None:
    flax, torch = ["Dense_0", "Dense_1", "Dense_2"], ["0", "2", "4"]
    found = mapped(units(flax), units(torch))
    assert pairs(found) == list(zip(flax, torch, strict=True)) and not found.others


def test_some_equal_names_leave_the_rest_in_order() -> None:
    found = mapped(units(["query", "key", "out"]), units(["key", "query", "dense"]))
    assert pairs(found) == [("query", "query"), ("key", "key"), ("out", "dense")]


@pytest.mark.parametrize("side", ["flax", "torch"])
def test_a_module_that_is_never_called_is_not_taken_for_one_that_is(side: str) -> None:
    more, fewer = units(["b", "c", "a"], running=2), units(["x", "a"])
    found = mapped(more, fewer) if side == "flax" else mapped(fewer, more)
    named = pairs(found) if side == "flax" else [(b, a) for a, b in pairs(found)]
    assert named == [("b", "x"), ("c", "a")]
    assert [unit.path for unit in getattr(found, f"lone_{side}")] == ["a"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("layers_1/attn/query", ["q", "attn", "layers", "1"]),
        ("layers.1.attn.q_proj", ["q", "attn", "1", "layers"]),
        ("encoder.fc1", ["fc", "1", "encoder"]),
        ("Dense_0", ["dense", "0"]),
        ("", []),
    ],
)
def test_tokens_of_a_path(path: str, expected: list[str]) -> None:
    assert tokens(path) == expected


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["attn.k", "attn.q", "attn.v"], [1, 0, 2]),
        (["m.up_proj", "m.gate_proj"], [1, 0]),
        (["b", "a"], [0, 1]),
        (["attn.value", "attn.key"], [1, 0]),
    ],
)
def test_the_order_in_which_the_field_stacks(paths: list[str], expected: list[int]) -> None:
    assert stacking_order(paths) == expected


def test_the_pattern_of_a_path() -> None:
    assert pattern("layers.11.attn.q1") == "layers.#.attn.q#"
