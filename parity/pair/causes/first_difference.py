"""Names the first place where a pair parts, in words."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from parity.checks.referee import AGREED
from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.trace import spoken
from parity.pair.causes.conventions import KNOWN
from parity.pair.causes.explained import convention_of, sentence_of
from parity.pair.passes.compared import COMPUTED, first_apart
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.report.records import Difference, Layer, Lint

UNDONE = "with it undone in the whole network, all that differed on this rung is the same"
"""How a convention is proven that was undone."""
SEEN = "it is what was seen, and needs no proof"
"""What is said of a difference that is itself the convention."""


def first_difference(
    rungs: Sequence[Rung],
    layers: Sequence[Layer],
    weight_map: WeightMap,
    lints: Sequence[Lint],
    confirmed: Collection[str] = (),
) -> Difference | None:
    """The difference of the first rung that differs; None if no rung does.

    In the forward pass it is at the first layer that differs, if the input of that layer still agrees; otherwise it is
    before that layer, at what makes its input.

    Args:
        rungs: The rungs, without those that are excused.
        layers: What each layer showed, in the order in which they run.
        weight_map: The weight map.
        lints: Settings that differ.
        confirmed: Names of the conventions without which the networks agree.
    """
    lints = [replace(lint, confirmed=lint.convention in confirmed) for lint in lints]
    lints = [lint for lint in lints if lint.setting != "gelu" or lint.confirmed]
    failed = next((rung for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
    if failed is None:
        return None
    finding = failed.headline or Finding("", "", Verdict.DIFFERENT)
    place = first_apart(layers)
    layer = None if place is None else layers[place]
    if failed.number != 2 or layer is None:
        return _elsewhere(failed, finding, weight_map, lints)
    return _forward(layer, layers, weight_map, lints)


def _elsewhere(rung: Rung, finding: Finding, weight_map: WeightMap, lints: Sequence[Lint]) -> Difference:
    layer = _bond_of(finding.name, weight_map)
    if sentence := sentence_of(finding):
        place = layer.flax.path if layer else "", layer.torch.path if layer else finding.name
        known = KNOWN.get(convention_of(finding))
        cause, mend = (known.text, known.mend) if known else ("", "")
        cause = finding.reason if finding.quantity == COMPUTED and finding.reason else cause
        worst = finding.index, finding.values
        return Difference(rung.name, *place, sentence, *worst, cause, mend, finding.mode, SEEN if cause else "")
    reason = f": {finding.reason}" if finding.reason else ""
    mode = f" in {finding.mode}" if finding.mode else ""
    text = f"the {finding.quantity} of {spoken(finding.name)} differs{mode}{reason}"
    flax = layer.flax.path if layer else ""
    torch = layer.torch.path if layer else finding.name
    difference = Difference(rung.name, flax, torch, text, finding.index, finding.values, mode=finding.mode)
    return _with_cause(difference, lints)


def _forward(layer: Layer, layers: Sequence[Layer], weight_map: WeightMap, lints: Sequence[Lint]) -> Difference:
    worst = layer.finding.index, layer.finding.values
    name = spoken(layer.torch)
    if layer.inherited <= AGREED:
        text = f"the output of {name} ({layer.type}) differs in {layer.mode} though its input agrees"
        difference = Difference("forward", layer.flax, layer.torch, text, *worst, mode=layer.mode)
        return _with_cause(difference, lints)
    between = _between(layer, layers, weight_map)
    same = [other for other in layers if other.mode == layer.mode]
    before = [other for other in same[: same.index(layer)] if other.finding.verdict.passes]
    after = f" after {spoken(before[-1].torch)}" if before else ""
    where = between.torch.path if between else layer.torch
    silent = spoken(where) if where else "what the network itself holds"
    what = f"{silent} was not compared by itself, and what comes out of it" if between else "what is computed"
    text = f"the input of {name} ({layer.type}) differs already in {layer.mode}: {what}{after} is not the same"
    flax = between.flax.path if between else f"input of {layer.flax}"
    torch = where if between else f"input of {layer.torch}"
    return _with_cause(Difference("forward", flax, torch, text, *worst, mode=layer.mode), lints)


def _between(layer: Layer, layers: Sequence[Layer], weight_map: WeightMap) -> LayerPairing | None:
    """The first pair of units between the last layer that agrees and the failing one that no call was compared of."""
    compared = {other.torch.partition("[")[0] for other in layers}
    orders = {pairing.torch.path: pairing.torch.order for pairing in weight_map.layers}
    here = orders.get(layer.torch.partition("[")[0])
    passed = [other.torch.partition("[")[0] for other in layers if other.finding.verdict.passes]
    last = max(
        (orders[path] for path in passed if path in orders and (here is None or orders[path] < here)), default=-1
    )
    inside = [b for b in weight_map.layers if last < b.torch.order < (10**9 if here is None else here)]
    silent = sorted((b for b in inside if b.torch.path not in compared), key=lambda b: b.torch.order)
    return silent[0] if silent else None


def _bond_of(name: str, weight_map: WeightMap) -> LayerPairing | None:
    """The layers of which a name is: that of an array in PyTorch, or of the layer itself on either side."""
    held = (b for b in weight_map.layers if b.torch.path and name.startswith(f"{b.torch.path}."))
    itself = (b for b in weight_map.layers if name and name in (b.torch.path, b.flax.path))
    return next(itself, next(held, None))


def _with_cause(difference: Difference, lints: Sequence[Lint]) -> Difference:
    """The difference, its cause being what the linter says of its layer or, failing that, of the network."""
    here = [lint for lint in lints if lint.layer_torch and lint.layer_torch == difference.layer_torch]
    kinds = [lint for lint in lints if lint not in here and _may_be(lint, difference)]
    for lint in [*here, *kinds]:
        if lint.setting == "fast_variance":
            continue
        known = KNOWN[lint.convention].mend if lint.convention else f"write the same {lint.setting} in both"
        mend = lint.mend or known
        return replace(difference, cause=lint.text, mend=mend, proof=UNDONE if lint.confirmed else "")
    return difference


def _may_be(lint: Lint, difference: Difference) -> bool:
    """Whether a lint that is said of another place may be the cause here: those of no layer, in the forward pass; and
    those of state and of the loss, on their rungs."""
    if difference.rung == "state":
        return lint.setting in ("keep", "running_var")
    if difference.rung in ("gradients", "trajectory"):
        return lint.setting == "reduction"
    return not lint.layer_torch and lint.setting == "gelu"


def with_padding(difference: Difference, lints: Sequence[Lint]) -> Difference:
    """The difference, its cause being the padding if the linter says that its layer is padded differently.

    The networks may then agree at some sizes of the input and differ at others.
    """
    places = {difference.layer_torch, difference.layer_torch.removeprefix("input of ")}
    here = next((lint for lint in lints if lint.setting == "padding" and lint.layer_torch in places), None)
    return difference if here is None else replace(difference, cause=here.text)
