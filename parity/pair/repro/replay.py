"""A difference on one layer of the user's own file, again: from what a check saved, as its script does it."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parity.backends import open_sides
from parity.checks.referee import AGREED
from parity.errors import UsageError
from parity.interface.side import Pass
from parity.interface.trace import Arrays, call_names
from parity.pair.arrays import target as targets
from parity.pair.arrays.inputs import adapt, as_inputs
from parity.pair.arrays.layout import floating, turned
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.compared import first_apart
from parity.pair.weightmap.align import beneath
from parity.report.records import SIDES, Difference, Layer

SCRIPT = '''"""{title}

Run it with python, beside the file of the same name that ends in .npz and holds what the layers are fed and their
arrays; it exits with 1 if the two still differ."""

from pathlib import Path

from parity.pair.repro.replay import replay
from parity.pair.passes.compared import first_apart

pair = {target!r}  # the function that makes the networks
saved = Path(__file__).with_suffix(".npz")
y, t = replay(pair, saved, flax={flax!r}, torch={torch!r}, what={what!r}, mode={mode!r})
gap, size = abs(y - t).max(), abs(t).max()
print(f"largest difference in float64: {{gap:.3g}}, of numbers up to {{size:.3g}}")
raise SystemExit(int(gap > {agreed!r} * size))
'''


NAME = re.compile(r"leaves|(flax|torch) (feeds \d+ \d+|arrays .*)", re.DOTALL)
"""Of what is saved."""


@dataclass(frozen=True)
class Place:
    """What the script compares.

    Args:
        pairing: The calls of the layer.
        layer: What came of comparing them.
        what: "inputs" or "outputs" of the layer.
        fed: The calls that are fed what was saved.
    """

    pairing: CallPairing
    layer: Layer
    what: str
    fed: tuple[CallPairing, ...]


def written(difference: Difference | None, state: CheckState, target: str) -> tuple[str, bytes]:
    """A script that shows the first difference of the forward pass with the networks of the user's file, and the .npz
    file that it reads; nothing where it is none of the forward pass.

    Args:
        difference: The first difference.
        state: What is known of the pair, before any convention was undone.
        target: "path/to/file.py:function".
    """
    place = _place(state) if difference is not None and difference.rung == "forward" else None
    if difference is None or place is None:
        return "", b""
    file, _, function = target.rpartition(":")
    names = {"flax": place.layer.flax, "torch": place.layer.torch, "what": place.what, "mode": place.layer.mode}
    script = SCRIPT.format(agreed=AGREED, title=difference.text, target=f"{Path(file).resolve()}:{function}", **names)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(_saved(state, place)))
    return script, buffer.getvalue()


def _place(state: CheckState) -> Place | None:
    """The first layer that differs: its output, fed its input; or its input, with all that agree before it fed."""
    for mode, compared in state.compared.items():
        first = first_apart(compared.layers)
        if first is None:
            continue
        layer = compared.layers[first]
        names = call_names([call.path for call in state.passes[mode].torch["float64"].calls])
        pairings = {names[pairing.pair.torch]: pairing for pairing in state.calls[mode]}
        here = pairings[layer.torch]
        if layer.inherited <= AGREED:
            return Place(here, layer, "outputs", (here,))
        passed = [pairings[other.torch] for other in compared.layers if other.finding.verdict.passes]
        before = tuple(j for j in passed if j.pair.torch < here.pair.torch and j.pair.layer is not None)
        return Place(here, layer, "inputs", before)
    return None


def _saved(state: CheckState, place: Place) -> Iterator[tuple[str, NDArray]]:
    """ "flax arrays NAME", "flax feeds START PLACE", "leaves"."""
    both, proof = state.passes[place.layer.mode], state.proof
    leaves = (place.pairing.leaf_flax, place.pairing.leaf_torch) if place.what == "outputs" else (0, 0)
    yield "leaves", np.array(leaves)
    for side, seen, native in (("flax", both.flax, proof.flax), ("torch", both.torch, proof.torch)):
        network_side = state.sides.side(side)
        for pairing in place.fed:
            call = seen["float64"].calls[getattr(pairing.pair, side)]
            for number, array in enumerate(floating(call.inputs)):
                yield f"{side} feeds {call.start} {number}", array
            inside = [unit for unit in network_side.units if beneath(unit.path, call.path)]
            names = dict.fromkeys(n for unit in inside for p in unit.arrays.values() for n in p.names)
            yield from ((f"{side} arrays {name}", native[name]) for name in names)


def replay(target: str, saved: str | Path, *, flax: str, torch: str, what: str, mode: str) -> tuple[NDArray, NDArray]:
    """What a layer is fed or gives in both networks, in float64 and in PyTorch's layout, with what was saved in the
    place of the arrays and the inputs of some layers.

    Args:
        target: "path/to/file.py:function", which makes the networks.
        saved: The .npz file that the check wrote beside the script.
        flax, torch: The names of the calls.
        what: "inputs" or "outputs".
        mode: "evaluation" or "training".

    Returns:
        Flax's float64 array and PyTorch's, of one shape where a layout fits.

    Raises:
        UsageError: The file of either is not there, or there is no such call any more.
    """
    if not Path(saved).is_file():
        raise UsageError(f"there is no file {saved}; keep it beside the script, or run the check with --repro again")
    flax_model, torch_model, inputs, options = targets.load(target)
    shared = as_inputs(inputs)
    adapted = {side: adapt(shared, options.get(f"to_{side}")) for side in SIDES}
    sides = dict(zip(SIDES, open_sides(flax_model, torch_model, adapted["flax"], adapted["torch"]), strict=True))
    arrays = _read(saved)
    shown = []
    for side, name, leaf in zip(SIDES, (flax, torch), arrays["leaves"], strict=True):
        assert sides[side].units  # a network with stacked layers is unrolled when they are asked for
        how = Pass("float64", mode == "training", feeds=_feeds(arrays, side))
        native = {**sides[side].native, **_part(arrays, f"{side} arrays ")}
        calls = sides[side].run(native, adapted[side], how).calls
        names = call_names([call.path for call in calls])
        if name not in names:
            raise UsageError(f"{target}: {side}'s network has no call {name or 'of itself'} any more; check it again")
        shown.append(floating(getattr(calls[names.index(name)], what))[leaf])
    turn = turned(*shown, inside=True)
    return (shown[0] if turn is None else turn[1](shown[0])), shown[1]


def _read(saved: str | Path) -> Arrays:
    try:
        with Path(saved).open("rb") as content, np.load(content, allow_pickle=False) as file:
            arrays = dict(file)
    except Exception as error:  # an archive that is not what it seems can raise anything
        raise UsageError(f"{saved} is damaged ({error}); run the check with --repro again") from error
    leaves = arrays.get("leaves", np.empty(0))
    if leaves.shape != (2,) or leaves.dtype.kind != "i" or not all(map(NAME.fullmatch, arrays)):
        raise UsageError(f"{saved} is not what a check has saved; run the check with --repro again")
    return arrays


def _feeds(arrays: Mapping[str, NDArray], side: str) -> dict[int, tuple[NDArray, ...]]:
    feeds: dict[int, tuple[NDArray, ...]] = {}
    for name, array in _part(arrays, f"{side} feeds ").items():
        start = int(name.split()[0])
        feeds[start] = (*feeds.get(start, ()), array)
    return feeds


def _part(arrays: Mapping[str, NDArray], prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
