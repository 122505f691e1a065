"""A row of an embedding that PyTorch does not train, as its layer says which id is padding."""

import numpy as np

from parity.checks.verdict import Finding, Rung, Verdict
from parity.pair.arrays.layout import compare
from parity.pair.passes.check_state import CheckState
from parity.pair.passes.sides import PRECISIONS
from parity.pair.rungs.rules import pulled
from parity.pair.weightmap.pairing.pairings import ArrayPairing, LayerPairing
from parity.pair.weightmap.random_weights import name_of
from parity.report.records import Explanation


def padding_row_cause(state: CheckState, rung: Rung) -> Explanation | None:
    """The cause of gradients that differ in the row of padding alone; None if anything else differs.

    Args:
        state: What both modes showed.
        rung: Rung 3 as it was ruled.
    """
    tables = {
        name_of(layer, array): (layer, array)
        for layer, array in state.weight_map.arrays
        if layer.torch.settings.get("padding_idx") is not None and array.tie is None
    }
    odd = [finding for finding in rung.findings if finding.verdict is Verdict.DIFFERENT]
    if not odd or any(finding.quantity != "gradient" or finding.name not in tables for finding in odd):
        return None
    without = [_without_row(state, finding, *tables[finding.name]) for finding in odd]
    if not all(finding.verdict.passes for finding in without):
        return None
    row = tables[odd[0].name][0].torch.settings["padding_idx"]
    gap, path = max(finding.gap for finding in without), tables[odd[0].name][0].torch.path
    return Explanation(
        f"PyTorch's {path or 'embedding'} has padding_idx={row}: row {row} gets no gradient there, and one in Flax",
        f"leave padding_idx away in PyTorch, or stop the gradient of row {row} in Flax",
        f"without that row the gap falls from {odd[0].gap:.2g} to {gap:.2g}",
    )


def _without_row(state: CheckState, finding: Finding, layer: LayerPairing, array: ArrayPairing) -> Finding:
    """The finding on the gradient of a table without the row of padding."""
    both, row = state.passes[finding.mode], layer.torch.settings["padding_idx"]
    ties = state.weight_map.tied_to(array)
    (a, low_a), (b, low_b) = (
        [np.delete(pulled(side, array, ties, seen[p].parameter_gradients), row, 0) for p in PRECISIONS]
        for side, seen in (("flax", both.flax), ("torch", both.torch))
    )
    return compare("gradient", finding.name, a, b, low_b, low_a, mode=finding.mode, smooth=False)
