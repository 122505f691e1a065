"""The report on a recipe, in the form that a user's pair has too: layers, weight map, first difference, coverage."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, worst
from parity.data.image_sets import title
from parity.interface.trace import Trace, call_path, spoken
from parity.pair.causes.conventions import known_names
from parity.report.pair import Report
from parity.report.records import Coverage, Difference, Input, Layer, Mapped
from parity.report.terminal import evidence
from parity.twins.case import Case
from parity.twins.first_batch import MODES
from parity.twins.observe import RecipeSide
from parity.weights import is_buffer

FRAMEWORKS = ("Flax", "PyTorch", "NumPy")


def recipe_report(
    case: Case,
    sides: Sequence[RecipeSide],
    rungs: Sequence[Rung],
    *,
    accept: Sequence[str] = (),
    seconds: float,
    seed: int,
    device: str,
) -> Report:
    """The report on the rungs of a recipe.

    Args:
        case: what the sides were fed.
        sides: Flax's, PyTorch's and the reference's.
        rungs: their verdicts, in the order of the ladder.
        accept: names of conventions that are no difference to the caller. The twins of a recipe spell every setting, so
            that none is recognised among them; the names are checked all the same.
        seconds: duration of the whole check.
        seed: seed of the check.
        device: "cpu" or "gpu".

    Raises:
        UsageError: a convention is not known.
    """
    accept = known_names(accept)
    compared = any(rung.number in (2, 3) for rung in rungs) and rungs[0].verdict is not Verdict.DIFFERENT
    layers = _layers(rungs, sides) if compared else []
    arguments = case.batches[0].arguments
    return Report(
        name=case.recipe.name,
        verdict=worst(rung.verdict for rung in rungs),
        rungs=tuple(rungs),
        first_difference=_first_difference(rungs),
        layers=layers,
        weights=_map(case.shapes, rungs),
        lints=(),
        conventions=(),
        coverage=Coverage(1.0 if compared else 0.0, 1.0 if layers else 0.0),
        seconds={"total": seconds},
        seed=seed,
        device=device,
        inputs=tuple(Input(title(case.stream.name), array.shape, str(array.dtype)) for array in arguments),
        ladder=tuple(NAMES) if case.devices else tuple(n for n in NAMES if n < 10),
        not_run=dict.fromkeys(NAMES, "it was not asked for"),
        data=title(case.stream.name),
        frameworks=FRAMEWORKS,
    )


def _layers(rungs: Sequence[Rung], sides: Sequence[RecipeSide]) -> list[Layer]:
    """Every call that was compared in the free run, with its gradient and its own gap when it is fed alone."""
    findings = {(f.quantity, f.name, f.mode, f.isolated): f for rung in rungs for f in rung.findings}
    layers = []
    for mode in MODES:
        flax, torch = (side.first_batch.traces(mode)["float64"] for side in sides[:2])
        for name, output in torch.outputs.items():
            if (finding := findings.get(("output", name, mode, False))) is None:
                continue
            gradient = findings.get(("gradient of output", name, mode, False))
            alone = findings.get(("output", name, mode, True))
            inherited = _inherited(flax, torch, name)
            kind = call_path(name) or "network"
            layers.append(Layer(name, name, kind, mode, output.shape, finding, inherited, gradient, alone))
    return layers


def _inherited(flax: Trace, torch: Trace, call: str) -> float:
    """The gap between a call's inputs in float64, Euclidean and relative to their size."""
    if call not in flax.inputs or call not in torch.inputs:
        return 0.0
    ours, theirs = np.asarray(flax.inputs[call]), np.asarray(torch.inputs[call])
    if ours.shape != theirs.shape:
        return float("inf")
    gap, size = _norm(ours - theirs), _norm(theirs)
    return gap / size if size else gap


def _norm(array: NDArray) -> float:
    return float(np.linalg.norm(array.ravel()))


def _map(shapes: Mapping[str, tuple[int, ...]], rungs: Sequence[Rung]) -> list[Mapped]:
    """One line for each canonical array. It is proven where the structure and the forward pass are the same."""
    proven = all(any(r.number == number and r.verdict.passes for r in rungs) for number in (1, 2))
    lines = []
    for name, shape in shapes.items():
        layer, _, role = name.rpartition(".")
        how = "by its canonical name" + (", a buffer" if is_buffer(name) else "")
        lines.append(Mapped(name, name, layer, layer, role, shape, shape, how, prod(shape), proven))
    return lines


def _first_difference(rungs: Sequence[Rung]) -> Difference | None:
    """The first rung that differs, with the layer that it names and the finding that shows it."""
    failed = next((rung for rung in rungs if rung.verdict is Verdict.DIFFERENT), None)
    if failed is None:
        return None
    finding = failed.headline or Finding("", "", Verdict.DIFFERENT, reason=failed.reason)
    text = f"{spoken(failed.layer)} differs: {evidence(replace(finding, values={}))}"
    return Difference(
        failed.name,
        failed.layer,
        failed.layer,
        text,
        finding.index,
        finding.values,
        cause=failed.cause,
        mode=finding.mode,
    )
