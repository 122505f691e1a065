"""Random networks: which blocks may follow each other, and the drawing of them."""

from collections.abc import Mapping

from benchmarks.evidence.drawn.layers import MAKERS
from benchmarks.evidence.drawn.network import MASKED, RETURNING, Block, Choose, Network, Shape
from benchmarks.evidence.drawn.own.made import OWN_MAKERS

KEEPING: Mapping[int, tuple[str, ...]] = {
    1: ("dense", "activation", "layer norm", "rms norm", "batch norm", "residual"),
    2: ("dense", "activation", "layer norm", "rms norm", "attention", "recurrent", "residual"),
    3: ("conv", "activation", "batch norm", "group norm", "layer norm", "residual"),
}
"""Rank of the input → the frameworks' blocks that can keep its shape."""
CHANGING: Mapping[int, tuple[str, ...]] = {
    1: (),
    2: ("mean", "flatten"),
    3: ("pool", "transposed conv", "resize", "mean", "flatten"),
}
EVERYWHERE = ("own norm", "upcast", "dropped call", "frozen dense", "weight norm", "parametrized dense", "tap", "ids")
OWN_KINDS: Mapping[int, tuple[str, ...]] = {
    1: (*EVERYWHERE, "dropped norm"),
    2: (*EVERYWHERE, *(2 * ("fused attention", "table")), *MASKED),
    3: (*EVERYWHERE, "dropped norm"),
}
"""Rank of the input → the blocks that people write themselves."""


def draw(choose: Choose) -> Network:
    """Draw a network of one to five blocks, after an embedding if its inputs are ids."""
    form = choose(("vector", "image", "sequence", "tokens"))
    input_shape = {
        "vector": lambda: (choose((5, 3, 8)),),
        "image": lambda: (choose((6, 5, 8)), choose((6, 7, 4)), choose((3, 1, 4))),
        "sequence": lambda: (choose((4, 3, 6)), choose((6, 4, 5))),
        "tokens": lambda: (choose((4, 3, 6)),),
    }[form]()
    blocks, shape = [], input_shape
    if form == "tokens":
        blocks.append(Block("embedding", {"features": (features := choose((6, 4)))}))
        shape = (*input_shape, features)
    mask = choose(("", "", "", "bool", "float32")) if len(shape) == 2 else ""
    if mask:  # there is one place at least where it counts
        blocks.append(OWN_MAKERS["masked fill"](choose, shape, True)[0])
    for _ in range(choose((1, 2, 3, 4, 5))):
        block, shape = _block(choose, shape, mask=mask)
        blocks.append(block)
    return Network(input_shape, choose((3, 2, 5)), tuple(blocks), mask)


def _block(choose: Choose, shape: Shape, *, keeps: bool = False, mask: str = "") -> tuple[Block, Shape]:
    """Draw a block for an input of this shape; also give the shape of its output.

    Args:
        choose: what chooses.
        shape: shape of the input, without its batch axis.
        keeps: whether the block is inside another, so that it keeps the shape and has neither mask nor further results.
        mask: whether there is a mask, "" if not.
    """
    common = [*KEEPING[len(shape)], *(CHANGING[len(shape)] if not keeps else ())]
    barred = {*(RETURNING if keeps else ()), *(() if mask and not keeps else MASKED)}
    handwritten = [kind for kind in OWN_KINDS[len(shape)] if kind not in barred]
    kind = choose(choose((common, handwritten)))
    if kind == "residual":
        first, _ = _block(choose, shape, keeps=True)
        second, _ = _block(choose, shape, keeps=True)
        return Block("residual", inner=(first, second)), shape
    return (MAKERS | OWN_MAKERS)[kind](choose, shape, keeps)
